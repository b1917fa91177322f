/*
 * ddi.h - what the generated accessor tests are made of: test cases, and the world they run in.
 *
 * The same sources build as an ELF program on our kernel process (env_elf.c) and as a Windows console program on the
 * down-level umaccess.lib (env_windows.c). Calls and rows are in ddi_call.h; the list of cases is made by generate.py.
 */
#pragma once
#include <stdbool.h>
#include "ddi_call.h"

/*
 * User memory of a test: the 16 pages right below the user limit.
 *     page 0 none, 1-3 read-write, 4 none, 5 read-only, 6 none, 7-15 read-write up to the limit
 */
#define ARENA_PAGE     0x1000u
#define ARENA_SIZE     0x10000u
#define ARENA_FIRST_RW 1
#define ARENA_READONLY 5
#define ARENA_LAST_RW  7
#define KERNEL_SIZE    0x5000u

enum ddi_place {
    AT_VALID,
    AT_NULL,
    AT_LAST,     /* ends with the last user byte */
    AT_STRADDLE, /* begins below the limit and ends above it */
    AT_LIMIT,
    AT_KERNEL, /* mapped and writable, so that a missing check shows */
    AT_KERNEL_ODD,
    AT_WRAP, /* address + length passes 2^64 */
    AT_TOP,  /* ends with the last byte of all */
    AT_NONCANONICAL,
    AT_UNMAPPED,
    AT_READONLY,
    AT_CROSSING,       /* over a page boundary, both pages good */
    AT_CROSSING_FAULT, /* over a boundary into a page that is not mapped */
    AT_MISALIGNED,
    AT_OTHER, /* good memory for the other side: kernel, or user when both sides are checked */
    AT_OTHER_KERNEL
};

enum ddi_expect {
    EXPECT_OK,
    EXPECT_RANGE,    /* access violation at the first byte that is not allowed; nothing touched */
    EXPECT_LIMIT,    /* access violation at the user limit */
    EXPECT_FAULT,    /* access violation at the address given, from the page's protection; nothing changed */
    EXPECT_BOUNDARY, /* access violation at the page boundary; the bytes before it are moved where partial says so */
    EXPECT_MISALIGNED,
    EXPECT_INVALID
};

struct ddi_case {
    uint16_t row;
    const char *name;
    uint8_t place, other;
    signed char mode;
    uint8_t expect;
    uint8_t side;    /* which side fails: 0 the checked one, 1 the other */
    uint8_t kind;    /* ExceptionInformation[0]: 0 read, 1 write */
    uint8_t partial; /* at a boundary: bytes before it are moved. Compare-exchange: the compare fails */
    uint32_t alignment;
    uint64_t length;
};
extern const struct ddi_case ddi_cases[];
extern const unsigned ddi_case_count;

/* Called by each thunk after its DDI returned. */
void ddi_record(const char *name);

/* ---- the world ---- */

struct env {
    uint64_t limit;                            /* MmUserProbeAddress */
    uint64_t arena;                            /* limit - ARENA_SIZE */
    uint64_t kernel;                           /* KERNEL_SIZE bytes above the limit, read-write */
    unsigned char *pages[ARENA_SIZE / 0x1000]; /* a second, always writable view of each user page; null: not mapped */
    bool range_at_limit;                       /* down-level: an address out of range is reported as the user limit */
    bool debug_library;                        /* built with DBG: KernelMode with a user pointer fast-fails */
};
extern struct env env;

struct env_seen {
    bool raised;
    uint32_t code;
    uint32_t parameters;
    uint64_t information[3];
};

/* Makes user and kernel memory. False: this protection cannot run here (the reason is printed). */
bool env_start(void);
/* Runs thunk under an exception handler and says what was raised. */
void env_call(ddi_thunk *thunk, struct ddi_call *call, struct env_seen *seen);
