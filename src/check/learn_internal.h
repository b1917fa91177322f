/*
 * learn_internal.h - what the files of learn share: the inputs that were kept, and how one is tried.
 */
#pragma once
#include "constants.h"
#include "learn.h"
#include "learn_input.h"
#include "trial.h"

enum { LEARN_KEPT = 96, LEARN_NUMBERS = 160, LEARN_IMAGE = 0x2000 };

/* An input that reached something first, with all it reaches. */
struct learn_kept {
    struct learn_input input;
    struct keys reached, met;
    uint64_t shape;
    enum case_end end;
    uma_status status;
    uint64_t information;
    uint32_t words_read[LEARN_BLOCKS], extent[LEARN_BLOCKS];
    uint32_t live[LEARN_BLOCKS]; /* words that make a difference */
    unsigned stage;              /* of the search, the next one */
};

struct learner {
    const struct learn_options *options;
    struct trials trials;
    struct trial trial;     /* the last one */
    struct keys seen;       /* all that was reached */
    struct attempt attempt; /* of the last one */
    uint8_t bytes[ATTEMPT_MEMORY];
    struct learn_kept *kept[LEARN_KEPT];
    size_t kept_count, last_news; /* cases there had been then */
    unsigned hangs;               /* in this stage of an input */
    bool failed;                  /* no memory, or no processes */
    uint64_t random;
    /* What to try as values, from those that always are and from the code that was reached. */
    uint64_t numbers[LEARN_NUMBERS];
    size_t number_count;
    /* Of the driver's code: constants, and the coverage's block each is in. */
    struct code_constant constants[LEARN_IMAGE];
    size_t constant_blocks[LEARN_IMAGE], constant_count;
};

/* Runs an input; the result is in learner->trial. False: no more. */
bool learn_run(struct learner *learner, const struct learn_input *input, bool all_blocks);
/* Notes with an input what the last trial, with all blocks, showed of it. */
void learn_take(struct learner *learner, struct learn_kept *kept);
/* It reaches what the other one does, and in the same way as far as can be seen. */
bool learn_is_as(const struct trial *trial, const struct learn_kept *kept);
/* The index-th constant is in code that was reached. */
bool learn_constant_counts(const struct learner *learner, size_t index);

/* ---- learn_search.c ---- */
/* Tries inputs until limit cases have been, or nothing new comes any more. */
void learn_search(struct learner *learner, size_t limit);

/* ---- learn_shrink.c ---- */
/* The kept inputs that together reach everything, at most LEARN_BASES, each as small as it gets until limit cases have
 * been; the first of them succeeds if any does. */
unsigned learn_choose(struct learner *learner, size_t limit, struct learn_kept *chosen[LEARN_BASES]);

/* ---- learn_fields.c ---- */
/* What the words of an input mean. */
void learn_find_fields(struct learner *learner, const struct learn_kept *base, struct learned *learned);
