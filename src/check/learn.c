/*
 * learn.c - which requests a driver takes: the search, the choice from what it kept, and the list of them.
 */
#include "learn_internal.h"
#include <stdlib.h>
#include <string.h>

#include "lib.h"

bool learn_run(struct learner *learner, const struct learn_input *input, bool all_blocks)
{
    const struct learn_options *options = learner->options;
    memset(learner->bytes, 0, sizeof(learner->bytes));
    learner->attempt = (struct attempt){.device = options->device, .milliseconds = options->case_milliseconds};
    learn_input_attempt(input, &learner->attempt, learner->bytes);
    learner->attempt.requests[0].type = options->type;
    learner->attempt.requests[0].code = options->code;
    if (trial_run(&learner->trials, &learner->attempt, all_blocks, &learner->trial))
        return true;
    learner->failed =
        learner->failed || (learner->trials.cases < learner->trials.limit && !learner->trials.out_of_time);
    return false;
}

void learn_take(struct learner *learner, struct learn_kept *kept)
{
    const struct trial *trial = &learner->trial;
    keys_clear(&kept->reached);
    keys_clear(&kept->met);
    keys_add_all(&kept->reached, &trial->reached);
    keys_add_all(&kept->met, &trial->met);
    kept->shape = trial->shape;
    kept->end = trial->end;
    kept->status = trial->status;
    kept->information = trial->information;
    memcpy(kept->words_read, trial->words_read, sizeof(kept->words_read));
    memcpy(kept->extent, trial->extent, sizeof(kept->extent));
}

bool learn_is_as(const struct trial *trial, const struct learn_kept *kept)
{
    return trial->shape == kept->shape && keys_are_equal(&trial->reached, &kept->reached);
}

bool learn_constant_counts(const struct learner *learner, size_t index)
{
    return !learner->trials.total || learner->trials.known[learner->constant_blocks[index]];
}

/* ---- the driver's constants ---- */

/* The last block that begins at or before an address; 0 if there is none. */
static size_t block_before(const struct coverage *coverage, uint64_t pc)
{
    size_t low = 0, high = coverage_total(coverage);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (coverage_block(coverage, middle) <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}

static void find_constants(struct learner *learner)
{
    trials_lift_breakpoints(&learner->trials);
    learner->constant_count = constants_in_image(learner->options->driver->image, learner->constants, LEARN_IMAGE);
    for (size_t i = 0; i < learner->constant_count && learner->trials.total; i++)
        learner->constant_blocks[i] = block_before(learner->options->coverage, learner->constants[i].pc);
}

/* ---- the list ---- */

/* Its end and answer were told when it was kept, or made smaller. */
static bool add_base(struct learner *learner, const struct learn_kept *kept, struct learned *learned)
{
    struct learn_base *base = &learned->bases[learned->base_count];
    size_t size = 0;
    for (unsigned i = 0; i < kept->input.block_count; i++)
        size += kept->input.size[i];
    base->bytes = calloc(size + LEARN_BYTES, 1);
    if (!base->bytes)
        return false;
    base->attempt = (struct attempt){.device = learned->device, .milliseconds = learner->options->case_milliseconds};
    learn_input_attempt(&kept->input, &base->attempt, base->bytes);
    base->attempt.requests[0].type = learner->options->type;
    base->attempt.requests[0].code = learner->options->code;
    base->end = kept->end;
    base->status = kept->status;
    base->information = kept->information;
    learned->base_count++;
    return true;
}

static size_t blocks_in(const struct learner *learner, const struct keys *reached)
{
    size_t blocks = 0;
    for (size_t i = 0; i < learner->trials.total; i++)
        blocks += keys_has(reached, trial_block_key(i));
    return blocks;
}

static bool make_list(struct learner *learner, struct learned *learned)
{
    struct learn_kept *chosen[LEARN_BASES];
    struct keys reached = {0};
    unsigned count = learn_choose(learner, learner->options->cases / 6 * 5, chosen);
    bool well = true;
    if (count) {
        learned->succeeded = chosen[0]->end == CASE_DONE && chosen[0]->status >= 0;
        learned->in_length = chosen[0]->input.size[LEARN_IN];
        learned->out_length = chosen[0]->input.size[LEARN_OUT];
        learn_find_fields(learner, chosen[0], learned);
    }
    for (unsigned i = 0; i < count && well; i++) {
        keys_add_all(&reached, &chosen[i]->reached);
        well = add_base(learner, chosen[i], learned);
    }
    learned->blocks = blocks_in(learner, &reached);
    keys_free(&reached);
    return well;
}

static void free_learner(struct learner *learner)
{
    for (size_t i = 0; i < learner->kept_count; i++) {
        keys_free(&learner->kept[i]->reached);
        keys_free(&learner->kept[i]->met);
        free(learner->kept[i]);
    }
    trial_free(&learner->trial);
    keys_free(&learner->seen);
    free(learner);
}

static bool run(struct learner *learner, struct learned *learned)
{
    const struct learn_options *options = learner->options;
    learner->trials = (struct trials){.attempter = options->attempter,
                                      .coverage = options->coverage,
                                      .limit = options->cases,
                                      .milliseconds = options->milliseconds};
    learner->random = (options->seed + 1) * 0x9E3779B97F4A7C15 ^ options->code;
    if (!trials_open(&learner->trials))
        return false;
    find_constants(learner);
    learn_search(learner, options->cases / 3 * 2);
    bool well = make_list(learner, learned);
    learned->cases = learner->trials.cases;
    learned->out_of_time = learner->trials.out_of_time;
    trials_close(&learner->trials);
    return well && !learner->failed;
}

NTSTATUS learn(const struct learn_options *options, struct learned **learned)
{
    struct learner *learner = calloc(1, sizeof(*learner));
    struct learned *made = calloc(1, sizeof(*made));
    bool well = false;
    *learned = NULL;
    if (learner && made) {
        learner->options = options;
        strncpy(made->device, options->device, sizeof(made->device) - 1);
        well = run(learner, made);
    }
    if (learner)
        free_learner(learner);
    if (well)
        *learned = made;
    else if (made)
        learn_free(made);
    return well ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

void learn_free(struct learned *learned)
{
    for (unsigned i = 0; i < learned->base_count; i++)
        free(learned->bases[i].bytes);
    free(learned);
}
