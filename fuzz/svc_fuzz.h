/*
 * svc_fuzz.h - the hostile user mode that `svc_fuzz` plays: what it knows of the kernel's services, and one thread's
 * state.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FUZZ_ARGUMENTS = 11, FUZZ_THREADS = 4, FUZZ_HISTORY = 12, FUZZ_SLOTS = 96 };

/* A service as the rows of services.def describe it. */
struct fuzz_row {
    const char *name;
    unsigned count;
    unsigned char kinds[FUZZ_ARGUMENTS]; /* enum fuzz_kind */
    const char *arguments[FUZZ_ARGUMENTS];
};
enum fuzz_kind {
#define KIND(name, type, bytes, alignment, flags, text) FUZZ_##name,
#include "kinds.def"
#undef KIND
    FUZZ_KINDS
};
extern const struct fuzz_row fuzz_rows[];
extern const size_t fuzz_row_count;
extern const unsigned char fuzz_kind_bytes[FUZZ_KINDS];

/* What the parent shows of a batch that went wrong: each thread's last calls. Shared between both. */
struct fuzz_call {
    unsigned service; /* 1 + its row; 0: none yet */
    bool back;
    int32_t status;
    uint64_t arguments[FUZZ_ARGUMENTS];
};
struct fuzz_history {
    const char *phase; /* what the batch is doing; text of the program, which both have at the same address */
    struct fuzz_call calls[FUZZ_THREADS][FUZZ_HISTORY];
    uint64_t made[FUZZ_THREADS], succeeded[FUZZ_THREADS];
};

/* Handles that calls gave out, for all threads: which kind of argument receives such ones, and their values. */
struct fuzz_handle {
    const char *argument;
    uint64_t value;
};

struct fuzz_thread {
    unsigned index;
    uint64_t random; /* never 0 */
    uint64_t calls;
    uint64_t scratch;      /* user memory for arguments, SCRATCH_BYTES */
    uint64_t scratch_used; /* bytes of it that this call has taken */
};
enum { FUZZ_SCRATCH = 0x40000, FUZZ_AREA = 0x20000 };

/* What all threads of a batch share. */
extern struct fuzz_world {
    struct fuzz_history *history;
    struct fuzz_handle handles[FUZZ_SLOTS];
    uint64_t area, guarded, read_only, moments; /* user memory; moments: short times that no call should change */
    uint64_t decoy;
} fuzz_world;

/* ---- arguments.c ---- */
uint64_t fuzz_random(struct fuzz_thread *thread);
/* Makes up an argument of a row; earlier ones are in values. */
uint64_t fuzz_argument(struct fuzz_thread *thread, const struct fuzz_row *row, unsigned position,
                       const uint64_t *values);
/* Remembers a handle that a call gave out for an argument of that name. */
void fuzz_keep_handle(struct fuzz_thread *thread, const char *argument, uint64_t value);
