/*
 * trial.h - one attempt, and what it reached as numbers: blocks of the driver's code, places that access memory and
 * what they met there, how it ended. Equal numbers mean the same in every attempt while the driver is loaded.
 */
#pragma once
#include "attempt.h"
#include "coverage.h"
#include "keys.h"

/* How attempts are run, and how many there may be. */
struct trials {
    struct attempter *attempter;
    struct coverage *coverage; /* or null */
    size_t cases, limit;       /* those that hang count for many */
    unsigned milliseconds;     /* for all of them; 0: no limit */
    bool out_of_time;

    /* trials_open's */
    bool *before, *known; /* of each block: it had run before, and it has since */
    bool forgotten;       /* coverage knows what the last attempt ran, and no more */
    size_t total, *indexes;
    uint64_t deadline; /* by CLOCK_MONOTONIC; 0: none */
};

/* What came of an attempt. Keeps its memory for the next one. */
struct trial {
    const struct attempt_result *result; /* until the next attempt */
    struct keys reached;                 /* all of the below; blocks too, all of them or those that were new */
    struct keys met;                     /* places with what they accessed and how that ended, the status, the end */
    uint64_t shape;                      /* of met in its order, with sizes, information and allocations */
    uint64_t answer;                     /* the last request's status and information, accesses, allocations, the end */
    enum case_end end;
    uma_status status; /* of the last request */
    uint64_t information;
    /* Of each block of the attempt: words of eight bytes that were read, and bytes up to the last that was touched. */
    uint32_t words_read[ATTEMPT_BLOCKS], extent[ATTEMPT_BLOCKS];
};

/* Fills in what follows the options. False: no memory. coverage then begins anew; trials_close gives it back with all
 * that ran. */
bool trials_open(struct trials *trials);
void trials_close(struct trials *trials);
/* Leaves no breakpoint in the driver's code until the next attempt. */
void trials_lift_breakpoints(struct trials *trials);
/* There may be one more. */
bool trials_go_on(struct trials *trials);
/*
 * Runs it. all_blocks: trial->reached has every block it ran, which costs a little; else those alone that none did
 * before. False: there was no process to be had, or the limits are reached.
 */
bool trial_run(struct trials *trials, const struct attempt *attempt, bool all_blocks, struct trial *trial);
/* The block with that index is in trial->reached. */
uint64_t trial_block_key(size_t index);
void trial_free(struct trial *trial);
