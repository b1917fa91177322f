/*
 * attempt.h - what hostile user mode does to a driver once: memory laid out, requests sent, things changed on the way;
 * and what came of it. Each attempt is a case (case.h) of a driver that the caller has loaded; what it recorded are the
 * rows of uma_trace_row.
 */
#pragma once
#include "case.h"
#include "uma.h"

enum {
    ATTEMPT_BLOCKS = 16,
    ATTEMPT_LINKS = 32,
    ATTEMPT_REQUESTS = 8,
    ATTEMPT_CHANGES = 8,
    ATTEMPT_MEMORY = 0x10000,
    ATTEMPT_LINES = 0x2000
};

/* User memory that ends at a page nobody can reach. */
struct attempt_block {
    uint32_t size; /* at most ATTEMPT_MEMORY; all blocks together are no more than that */
    enum uma_access access;
    const uint8_t *bytes; /* what is in it at first; null: zeroes */
};

/* An address: in a block, or any. */
struct attempt_address {
    bool absolute;
    unsigned block;
    uint64_t offset; /* or the address itself */
};

/* Eight bytes of a block hold an address. */
struct attempt_link {
    struct attempt_address at, to;
};

enum attempt_type { ATTEMPT_CONTROL, ATTEMPT_READ, ATTEMPT_WRITE, ATTEMPT_CLOSE /* and open again */ };

struct attempt_request {
    enum attempt_type type;
    uint32_t code;
    struct attempt_address in, out; /* a read has only out, a write only in */
    uint32_t in_length, out_length;
};

enum attempt_what {
    ATTEMPT_UNMAP,     /* what the access is about to touch cannot be reached */
    ATTEMPT_READ_ONLY, /* or not be written */
    ATTEMPT_IN_PAGE,   /* or not be brought in: STATUS_IN_PAGE_ERROR */
    ATTEMPT_STORE      /* the first size bytes of value are put at an address */
};

/* Just before access number row, counted from 0 over the whole attempt, the memory changes. */
struct attempt_change {
    size_t row;
    enum attempt_what what;
    struct attempt_address at;
    uint64_t value;
    unsigned size;
};

struct attempt {
    const char *device;
    struct attempt_block blocks[ATTEMPT_BLOCKS];
    struct attempt_link links[ATTEMPT_LINKS];
    struct attempt_request requests[ATTEMPT_REQUESTS];
    struct attempt_change changes[ATTEMPT_CHANGES];
    unsigned block_count, link_count, request_count, change_count;
    unsigned refuse; /* this allocation, lock or mapping of the driver's, counted from 1, is refused; 0: none */
    bool name_leftovers;
    unsigned milliseconds;
};

struct attempt_reply {
    bool came; /* the request came back */
    uma_status status;
    uint64_t information;
};

struct attempt_result {
    struct case_result how;
    uma_status opened;
    struct attempt_reply replies[ATTEMPT_REQUESTS];
    uint64_t blocks[ATTEMPT_BLOCKS]; /* where they were */
    uint64_t wanted;                 /* allocations, locks and mappings the driver asked for */
    uint64_t refused_by;             /* the driver's code whose call was refused one; 0: none was */
    bool decoy_changed;              /* kernel memory that user mode must not change was written to */
    uint64_t left;                   /* things that drivers had not given back once all was closed; if it was done */
    char left_lines[ATTEMPT_LINES];  /* and all they have, a line each, if they were asked for */
    uint8_t memory[ATTEMPT_MEMORY];  /* the blocks' bytes afterwards, one block after the other; if it was done */
};

struct attempter;
/* rows: accesses that are recorded in an attempt. Starts uma_trace. */
NTSTATUS attempter_open(size_t rows, struct attempter **attempter);
void attempter_close(struct attempter *attempter);
/* False: no process was to be had, or the attempt contradicts itself. The result is valid until the next attempt. */
bool attempt_run(struct attempter *attempter, const struct attempt *attempt, const struct attempt_result **result);
