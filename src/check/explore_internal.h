/*
 * explore_internal.h - between the plan of what is tried (explore_plan*.c), what an attempt did (explore_outcome.c),
 * the rules (judge*.c) and the report of them (explore_finding.c).
 */
#pragma once
#include "check.h"
#include "explore.h"

enum { EXPLORE_ROOM = 0x2000 /* bytes of a sender's memory behind what a request needs */, EXPLORE_TEXT = 128 };

/* ---- what is tried ---- */

enum scenario_kind {
    SCENARIO_BASE,
    SCENARIO_FAULT,   /* an access fails */
    SCENARIO_CHANGE,  /* memory changes between two fetches of it */
    SCENARIO_POINTER, /* an address is another */
    SCENARIO_LENGTH,
    SCENARIO_VALUE, /* bytes of a block are others */
    SCENARIO_REFUSE,
    SCENARIO_SEQUENCE
};

struct scenario {
    enum scenario_kind kind;
    struct attempt attempt;
    size_t row;     /* FAULT: the access; CHANGE: the later one */
    bool user_null; /* an address that user mode gave is null */
    char when[EXPLORE_TEXT], what[EXPLORE_TEXT];
    uint8_t bytes[ATTEMPT_MEMORY]; /* of a block that is not base's */
};

/* No memory is there: a driver that touches it was given the address. */
#define EXPLORE_KERNEL_ADDRESS 0xFFFFE00012345000ull
bool explore_is_given(uint64_t address);

/* What happened. Rows are copies. */
struct outcome {
    struct attempt_result result;
    struct uma_trace_row *rows;
    size_t row_count;
};
/* False: no memory. */
bool outcome_take(const struct attempt_result *result, struct outcome *outcome);
void outcome_free(struct outcome *outcome);
/* The block that holds address, and how far into it; false: none does. */
bool outcome_block(const struct attempt *attempt, const struct attempt_result *result, uint64_t address,
                   unsigned *block, uint64_t *offset);
/* The driver went the same way and answered the same. */
bool outcome_alike(const struct attempt *attempt, const struct outcome *a, const struct outcome *b);
/* It left the same in user memory. skip: bytes of a block that may differ; null: none may. */
bool outcome_memory_alike(const struct attempt *attempt, const struct outcome *a, const struct outcome *b,
                          const struct attempt_change *skip);
/* "in", "out", "in+16 ->", "kernel", or "block 2". */
void explore_buffer_name(const struct attempt *attempt, const struct attempt_result *result, uint64_t address,
                         char name[EXPLORE_TEXT], uint64_t *offset);

struct plan_word {
    size_t row;
    struct attempt_address at;
    unsigned size;
    uint64_t now;
};

/* What there is to try of a base that has been run. */
struct plan {
    const struct attempt *base;
    const struct outcome *outcome;
    uint64_t seed;
    bool changes; /* only what happens between two fetches; else only the rest */
    size_t family, index;
    struct plan_word *words; /* fetched more than once */
    size_t word_count;
};
bool plan_open(const struct attempt *base, const struct outcome *outcome, uint64_t seed, bool changes,
               struct plan *plan);
void plan_close(struct plan *plan);
/* The next in order; false: that was all. */
bool plan_next(struct plan *plan, struct scenario *scenario);

/* A family: fills scenario with its index-th. */
enum plan_step { PLAN_HERE, PLAN_NONE_HERE, PLAN_END };
enum plan_step plan_change(struct plan *plan, size_t index, struct scenario *scenario);
enum plan_step plan_value(struct plan *plan, size_t index, struct scenario *scenario);
enum plan_step plan_pointer_of_nothing(struct plan *plan, size_t index, struct scenario *scenario);
enum plan_step plan_longer(struct plan *plan, size_t index, struct scenario *scenario);
enum plan_step plan_sequence(struct plan *plan, size_t index, struct scenario *scenario);
/* Words of eight bytes or less that are read more than once; false: no memory. */
bool plan_find_words(struct plan *plan);
/* The link that covers bytes of a block; null: none. */
const struct attempt_link *plan_link_at(const struct attempt *attempt, unsigned block, uint64_t offset, uint64_t size);

/* ---- what it means ---- */

enum { SUSPICIONS = 16 };

struct suspicion {
    const char *rule;
    enum finding_level level;
    char message[256];
    char cause[EXPLORE_TEXT];
    struct check_site site; /* pc 0: nowhere */
};

struct judgement {
    const struct scenario *scenario;
    const struct outcome *base, *now;
    const struct outcome *control; /* CHANGE: the value was there from the start; else null */
    bool memory_varies;            /* user memory is not the same after each run of the base: a time, a counter */
    struct suspicion found[SUSPICIONS];
    size_t count;
};

/* All rules. */
void judge(struct judgement *judgement);
/* Room for one more; null: there is none. */
struct suspicion *judge_suspect(struct judgement *judgement, const char *rule, enum finding_level level);
bool suspicion_same(const struct suspicion *a, const struct suspicion *b);

void judge_accesses(struct judgement *judgement);  /* raw-user-access, wrong-irql by rows, unchecked-pointer by decoy */
void judge_end(struct judgement *judgement);       /* bug checks and hangs */
void judge_fetches(struct judgement *judgement);   /* double-fetch */
void judge_leftovers(struct judgement *judgement); /* leak-on-fault */
/* The rule a bug check breaks, with message and cause; false: none of ours. */
bool judge_bugcheck(const struct scenario *scenario, const struct outcome *now, struct suspicion *suspicion);
/* The driver's own line of a row; false: it is an accessor's or nobody's. */
bool judge_row_site(const struct uma_trace_row *row, struct check_site *site);
/* Where the driver was when it ended. */
void judge_end_site(const struct outcome *now, struct check_site *site);

/* Parts of a report. */
void explore_place(struct report *report, const struct check_site *site, struct finding_place *place);
const char *explore_type(enum attempt_type type);
void explore_buffers(struct report *report, const struct attempt *attempt, const struct attempt_result *result,
                     unsigned request, struct request_buffer **buffers, size_t *count);
void explore_access(struct report *report, const struct attempt *attempt, const struct outcome *outcome, size_t index,
                    struct finding_access *access);
/* What base shows of each request. failed: for each row, whether it was made to fail. */
void explore_codes(struct report *report, struct report_run *run, const struct attempt *base,
                   const struct outcome *outcome, const bool *failed);
/* Makes a finding of it. */
void explore_report(struct report *report, struct report_run *run, const struct scenario *scenario,
                    const struct outcome *now, const struct suspicion *suspicion, unsigned reproduced, unsigned tried);
/* The function of a place ("driver!Function+0x12 (...)"), or "". */
void explore_function(const char *place, char function[CHECK_NAME_MAX]);
