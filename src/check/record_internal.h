/*
 * record_internal.h - what the files of the record share. A row is begun before its access and ended after it, on the
 * same thread, often in a signal handler: no lock, no allocation, no call that could fault.
 */
#pragma once
#include "uma.h"
#include "seh.h"
#include <stdatomic.h>

struct record_slot {
    atomic_uchar begun; /* the row can be read */
    struct uma_trace_row row;
};

/*
 * The memory of the record: one mapping, which children share or copy. A driver that runs wild in a child may have
 * written anything to it, so what bounds it is kept elsewhere, and rows are checked when they are read.
 */
struct record {
    atomic_ullong next; /* rows asked for; those beyond capacity were dropped */
    atomic_ullong request;
    atomic_uint threads;
    /* Changes when rows are forgotten: what threads know of them is void then. The upper half: of which record. */
    atomic_ullong generation;
    struct record_slot slots[];
};
extern struct record *record_now;
extern size_t record_capacity; /* rows */

/* An access that this thread has begun: the row, and the bytes of it at work, fewer than the row's if it has grown. */
struct record_open {
    struct record_slot *slot; /* null: the record is full */
    uint64_t address, size;
};
#define RECORD_OPEN 4

/* A row that the next byte an export's loop touches may belong to. */
struct record_grown {
    struct record_slot *slot;
    uint64_t end;
    ULONG_PTR call; /* which call of the export, seh_export_call's identity */
};

struct record_thread {
    unsigned number;
    uint64_t generation;
    bool has_request;
    uint64_t request;
    struct record_open open[RECORD_OPEN];
    unsigned open_count;
    struct record_grown grown[2]; /* newest first: such a loop may walk over two strings */
    /* The accessor that is running. */
    ULONG_PTR accessor_caller;
    uint64_t accessor_slot, argument[3];
};
extern __thread struct record_thread record_self __attribute__((tls_model("initial-exec")));

/* What is known of an access before it is made. */
struct record_access {
    enum uma_trace_how how;
    enum uma_trace_access access;
    const char *name;
    uint64_t address, size;
};
struct record_place {
    uint64_t pc[UMA_TRACE_FRAMES];
    enum uma_trace_handler handler;
};

/* Before anything else that a thread does with its open rows: forgets those that are no more. */
void record_refresh(void);
/* Puts a row into the record and onto this thread's list of open ones; null if the record is full. */
struct record_slot *record_begin(const struct record_access *access, const struct record_place *place);
/* Puts what is read by the open ones now into their values, ends them, and forgets them. */
void record_end_all(enum uma_trace_outcome outcome, uma_status status, uint64_t fault);

/* Further rows would be dropped: what only they need is not worth finding out. */
bool record_is_full(void);
/* A way of access that fetches or stores, and whose bytes the row is to have; accessors see to theirs. */
bool record_moves_data(enum uma_trace_how how);

/* ---- record_sink.c ---- */
void record_sinks_start(void);
void record_sinks_stop(void);

/* ---- record_place.c: whose code it is, and what handler is in force ---- */
/* exact: the pc of *context is the instruction's; else that behind a call. */
void record_place_at(const CONTEXT *context, bool exact, struct record_place *place);
/* Of the call into an export that is running, if it returns to caller; else of caller alone. */
void record_place_export(ULONG_PTR caller, struct record_place *place);

/* ---- record_value.c ---- */
void record_value_add(struct uma_trace_row *row, const void *data, size_t size);
/* From user memory, however it is protected. */
void record_value_peek(struct uma_trace_row *row, uint64_t address, uint64_t size);
/* From kernel memory that has just been read or written in full. */
void record_value_kernel(struct uma_trace_row *row, const void *data, uint64_t size, uint64_t user);

/* ---- record_accessor.c ---- */
/* The name is one of an accessor's primitive, by address. */
bool record_accessor_has_name(const char *name);
void record_accessors_start(void);
void record_accessors_stop(void);
