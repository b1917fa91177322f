/*
 * learn_shrink.c - few inputs from many, and small ones from large.
 */
#include "learn_internal.h"
#include <string.h>

/* What an input must go on reaching while it is made smaller. */
struct shrink {
    struct learner *learner;
    struct learn_kept *kept;
    struct keys must;
};

/* The smaller input takes the place of the other one if it does as well. */
static bool accept(struct shrink *shrink, const struct learn_input *input)
{
    const struct trial *trial = &shrink->learner->trial;
    if (!learn_run(shrink->learner, input, true) || trial->end != shrink->kept->end ||
        trial->status != shrink->kept->status || keys_missing(&trial->reached, &shrink->must))
        return false;
    shrink->kept->input = *input;
    learn_take(shrink->learner, shrink->kept);
    return true;
}

static void drop_links(struct shrink *shrink)
{
    for (unsigned i = shrink->kept->input.link_count; i-- > 0;) {
        struct learn_input input = shrink->kept->input;
        if (i >= input.link_count)
            continue;
        learn_input_put(&input, input.links[i].block, input.links[i].offset, 0, 8);
        accept(shrink, &input);
    }
}

/* True: those bytes need not be what they are. */
static bool lower_bytes(struct shrink *shrink, unsigned block, uint32_t offset, uint32_t size)
{
    uint64_t value = learn_input_get(&shrink->kept->input, block, offset, size);
    if (learn_input_link(&shrink->kept->input, block, offset, size) < shrink->kept->input.link_count)
        return false;
    for (uint64_t lower = 0; lower < 2 && lower < value; lower++) {
        struct learn_input input = shrink->kept->input;
        learn_input_put(&input, block, offset, lower, size);
        if (accept(shrink, &input))
            return true;
    }
    return false;
}

static void lower_words(struct shrink *shrink)
{
    for (unsigned block = 0; block < shrink->kept->input.block_count; block++)
        for (uint32_t at = 0; at < learn_input_bytes(&shrink->kept->input, block); at += 8) {
            uint32_t left = learn_input_bytes(&shrink->kept->input, block) - at;
            if (lower_bytes(shrink, block, at, left < 8 ? left : 8))
                continue;
            lower_bytes(shrink, block, at, left < 4 ? left : 4);
            if (left > 4)
                lower_bytes(shrink, block, at + 4, left < 8 ? left - 4 : 4);
        }
}

static bool resize(struct shrink *shrink, unsigned block, uint32_t size)
{
    struct learn_input input = shrink->kept->input;
    if (size >= input.size[block])
        return false;
    learn_input_resize(&input, block, size);
    return accept(shrink, &input);
}

/* The least that does: what suffices is mostly a small number of words, or what was accessed. */
static void shorten(struct shrink *shrink, unsigned block)
{
    enum { FINE = 64, STEP = 8 };
    uint32_t size = 0, before = 0;
    while (size < shrink->kept->input.size[block] && !resize(shrink, block, size)) {
        before = size + 1;
        size += size < FINE ? STEP : size / 2 & ~7u;
    }
    for (size = before; size < shrink->kept->input.size[block] && size < before + STEP; size++)
        resize(shrink, block, size);
}

static void shrink_input(struct shrink *shrink)
{
    drop_links(shrink);
    lower_words(shrink);
    shorten(shrink, LEARN_IN);
    shorten(shrink, LEARN_OUT);
    for (unsigned i = LEARN_OUT + 1; i < shrink->kept->input.block_count; i++)
        resize(shrink, i, shrink->kept->extent[i]);
}

/* ---- the choice ---- */

static unsigned goodness(const struct learn_kept *kept)
{
    return kept->end != CASE_DONE ? 0 : kept->status >= 0 ? 2 : 1;
}

/* Better for what is still missing: the first is to be good, the others to bring much, but none to end badly. */
static bool is_better(const struct learn_kept *kept, size_t brings, const struct learn_kept *than, size_t than_brings,
                      bool first)
{
    unsigned good = goodness(kept), than_good = goodness(than);
    if (good != than_good && (first || !good || !than_good))
        return good > than_good;
    return brings > than_brings || (brings == than_brings && good > than_good);
}

static struct learn_kept *best(const struct learner *learner, const struct keys *covered, bool first)
{
    struct learn_kept *best = NULL;
    size_t best_brings = 0;
    for (size_t i = 0; i < learner->kept_count; i++) {
        struct learn_kept *kept = learner->kept[i];
        size_t brings = keys_missing(covered, &kept->reached);
        if (brings && (!best || is_better(kept, brings, best, best_brings, first))) {
            best = kept;
            best_brings = brings;
        }
    }
    return best;
}

unsigned learn_choose(struct learner *learner, size_t limit, struct learn_kept *chosen[LEARN_BASES])
{
    const size_t all = learner->trials.limit;
    struct keys covered = {0};
    unsigned count = 0;
    learner->trials.limit = limit;
    while (count < LEARN_BASES) {
        struct shrink shrink = {.learner = learner, .kept = best(learner, &covered, count == 0)};
        if (!shrink.kept)
            break;
        for (size_t i = 0; i < shrink.kept->reached.count; i++)
            if (!keys_has(&covered, shrink.kept->reached.of[i]))
                keys_add(&shrink.must, shrink.kept->reached.of[i]);
        shrink_input(&shrink);
        keys_add_all(&covered, &shrink.kept->reached);
        keys_free(&shrink.must);
        chosen[count++] = shrink.kept;
    }
    keys_free(&covered);
    learner->trials.limit = all;
    return count;
}
