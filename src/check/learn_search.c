/*
 * learn_search.c - the search for inputs that reach something new.
 *
 * Each input that is kept goes through stages: every word that the driver reads becomes a pointer, all ones, and one,
 * to see which make a difference; those take all numbers in question; the lengths change; then chance puts changes
 * together. Inputs in early stages come first, among them the newest, so that what has just opened is followed at once.
 */
#include "learn_internal.h"
#include <stdlib.h>
#include <string.h>

enum { STAGE_PROBE, STAGE_NUMBERS, STAGE_LENGTHS, STAGE_CHANCE };
enum {
    ENDED_LATER = 2,  /* stages that inputs which end badly come later */
    ALWAYS_WORDS = 8, /* of the input: they count as read, since raw accesses may be invisible */
    CHANCES = 48,     /* in a round */
    HANGS = 4,        /* in a stage, that are waited for */
    IDLE = 800,       /* cases without anything new, after which there are no more */
    COUNTED = 32,     /* a constant up to this may be that of a table: all below it are tried */
    CHANGES_MAX = 4
};

static const uint64_t always[] = {0, 1, 2, 4, 8, 16, 64, 0x1000, 0xFFFFFFFF};
static const uint32_t lengths[] = {0,  1,  2,  3,  4,  6,  8,  12, 16,  20,  24,  28,  32,  36,   40,    44,
                                   48, 52, 56, 60, 64, 72, 80, 96, 112, 128, 192, 256, 512, 1024, 0x1000};

static uint32_t chance(struct learner *learner, size_t of)
{
    learner->random ^= learner->random >> 12;
    learner->random ^= learner->random << 25;
    learner->random ^= learner->random >> 27;
    return (uint32_t)((learner->random * 0x2545F4914F6CDD1D >> 32) % of);
}

/* ---- trying ---- */

static void keep(struct learner *learner, const struct learn_input *input)
{
    struct learn_kept *kept = calloc(1, sizeof(*kept));
    if (!kept) {
        learner->failed = true;
        return;
    }
    kept->input = *input;
    learn_take(learner, kept);
    learner->kept[learner->kept_count++] = kept;
}

/* Keeps it if it reaches something new. False: no more. Once too many have hung in a stage, its others are left out. */
static bool try(struct learner *learner, const struct learn_input *input, bool all_blocks)
{
    if (learner->hangs >= HANGS)
        return true;
    if (!learn_run(learner, input, all_blocks))
        return false;
    learner->hangs += learner->trial.end == CASE_HANG;
    if (!keys_missing(&learner->seen, &learner->trial.reached))
        return true;
    keys_add_all(&learner->seen, &learner->trial.reached);
    learner->last_news = learner->trials.cases;
    if (learner->kept_count == LEARN_KEPT)
        return true;
    if (!all_blocks && !learn_run(learner, input, true))
        return false;
    keep(learner, input);
    return !learner->failed;
}

/* ---- numbers ---- */

static void add_number(struct learner *learner, uint64_t number)
{
    for (size_t i = 0; i < learner->number_count; i++)
        if (learner->numbers[i] == number)
            return;
    if (learner->number_count < LEARN_NUMBERS)
        learner->numbers[learner->number_count++] = number;
}

/* Those of the code that was reached come with it: a comparison that has not been made cannot be met. */
static void find_numbers(struct learner *learner)
{
    learner->number_count = 0;
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        add_number(learner, always[i]);
    for (size_t i = 0; i < learner->constant_count; i++) {
        uint64_t value = learner->constants[i].value;
        if (!learn_constant_counts(learner, i))
            continue;
        for (uint64_t below = 0; value <= COUNTED && below < value; below++)
            add_number(learner, below);
        add_number(learner, value);
        add_number(learner, value + 1);
        add_number(learner, value - 1);
    }
}

/* ---- the stages ---- */

/* Words of a block that are worth a try, a bit for each. */
static uint32_t words_of(const struct learn_kept *kept, unsigned block)
{
    uint32_t bytes = learn_input_bytes(&kept->input, block), read = kept->words_read[block];
    if (block == LEARN_IN)
        read |= (1u << ALWAYS_WORDS) - 1;
    return read & (uint32_t)(((uint64_t)1 << (bytes + 7) / 8) - 1);
}

/* Bytes that a word has in its block. */
static uint32_t width_at(const struct learn_input *input, unsigned block, uint32_t offset)
{
    uint32_t left = learn_input_bytes(input, block) - offset;
    return left < 8 ? left : 8;
}

static bool probe_word(struct learner *learner, struct learn_kept *kept, unsigned block, unsigned word)
{
    for (unsigned way = 0; way < 3; way++) {
        struct learn_input input = kept->input;
        if (way == 0 && !learn_input_point(&input, block, 8 * word))
            continue;
        if (way > 0)
            learn_input_put(&input, block, 8 * word, way == 1 ? ~(uint64_t)0 : 1, width_at(&input, block, 8 * word));
        if (!try(learner, &input, true))
            return false;
        if (learner->hangs < HANGS && !learn_is_as(&learner->trial, kept))
            kept->live[block] |= 1u << word;
    }
    return true;
}

static bool probe(struct learner *learner, struct learn_kept *kept)
{
    for (unsigned block = 0; block < kept->input.block_count; block++)
        for (unsigned word = 0; word < 32; word++)
            if (words_of(kept, block) >> word & 1 && !probe_word(learner, kept, block, word))
                return false;
    return true;
}

static bool try_numbers(struct learner *learner, const struct learn_kept *kept, unsigned block, uint32_t offset)
{
    for (size_t i = 0; i < learner->number_count; i++) {
        struct learn_input input = kept->input;
        bool wide = learner->numbers[i] > UINT32_MAX;
        if (offset + 4 > learn_input_bytes(&input, block) || (wide && offset % 8))
            continue;
        learn_input_put(&input, block, offset, learner->numbers[i],
                        wide ? width_at(&input, block, offset) : sizeof(uint32_t));
        if (!try(learner, &input, false))
            return false;
    }
    return true;
}

static bool number_words(struct learner *learner, const struct learn_kept *kept)
{
    for (unsigned block = 0; block < kept->input.block_count; block++)
        for (unsigned word = 0; word < 32; word++)
            for (unsigned half = 0; half < 2; half++)
                if (kept->live[block] >> word & 1 && !try_numbers(learner, kept, block, 8 * word + 4 * half))
                    return false;
    return true;
}

static bool try_length(struct learner *learner, const struct learn_kept *kept, unsigned block, uint64_t length)
{
    struct learn_input input = kept->input;
    if (length > LEARN_SIZE_MAX || length == input.size[block])
        return true;
    learn_input_resize(&input, block, (uint32_t)length);
    return try(learner, &input, false);
}

static bool change_lengths(struct learner *learner, const struct learn_kept *kept)
{
    for (unsigned block = LEARN_IN; block <= LEARN_OUT; block++) {
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
            if (!try_length(learner, kept, block, lengths[i]))
                return false;
        for (size_t i = 0; i < learner->number_count; i++)
            if (!try_length(learner, kept, block, learner->numbers[i]))
                return false;
    }
    return true;
}

static uint64_t any_number(struct learner *learner)
{
    return learner->numbers[chance(learner, learner->number_count)];
}

/* One change of any kind, to a word that makes a difference as far as that is known. */
static void change_something(struct learner *learner, const struct learn_kept *kept, struct learn_input *input)
{
    unsigned block = chance(learner, input->block_count), way = chance(learner, 8);
    uint32_t bytes = learn_input_bytes(input, block), word = chance(learner, 32), width = 1u << chance(learner, 4);
    for (unsigned i = 0; i < 32 && !(kept->live[block] >> word & 1); i++)
        word = (word + 1) % 32;
    if (way == 0) {
        uint64_t number = any_number(learner);
        learn_input_resize(input, chance(learner, 2),
                           number <= LEARN_SIZE_MAX && chance(learner, 2)
                               ? (uint32_t)number
                               : lengths[chance(learner, sizeof(lengths) / sizeof(lengths[0]))]);
    } else if (8 * word >= bytes) {
        return;
    } else if (way == 1) {
        learn_input_point(input, block, 8 * word);
    } else if (way == 2) {
        uint64_t low = any_number(learner) & UINT32_MAX;
        learn_input_put(input, block, 8 * word, any_number(learner) << 32 | low, 8);
    } else {
        learn_input_put(input, block, 8 * word + chance(learner, 8 / width) * width, any_number(learner), width);
    }
}

static bool take_chances(struct learner *learner, const struct learn_kept *kept)
{
    for (unsigned i = 0; i < CHANCES; i++) {
        struct learn_input input = kept->input;
        for (unsigned changes = 1 + chance(learner, CHANGES_MAX); changes; changes--)
            change_something(learner, kept, &input);
        if (!try(learner, &input, false))
            return false;
    }
    return true;
}

static bool go_on_with(struct learner *learner, struct learn_kept *kept)
{
    find_numbers(learner);
    learner->hangs = 0;
    switch (kept->stage++) {
    case STAGE_PROBE:
        return probe(learner, kept);
    case STAGE_NUMBERS:
        return number_words(learner, kept);
    case STAGE_LENGTHS:
        return change_lengths(learner, kept);
    default:
        return take_chances(learner, kept);
    }
}

static struct learn_kept *next(const struct learner *learner)
{
    struct learn_kept *best = NULL;
    unsigned best_rank = 0;
    for (size_t i = learner->kept_count; i-- > 0;) {
        struct learn_kept *kept = learner->kept[i];
        unsigned rank = kept->stage + (kept->end == CASE_DONE ? 0 : ENDED_LATER);
        if (!best || rank < best_rank) {
            best = kept;
            best_rank = rank;
        }
    }
    return best;
}

void learn_search(struct learner *learner, size_t limit)
{
    const size_t all = learner->trials.limit;
    struct learn_input input;
    struct learn_kept *kept;
    bool more = true;
    learner->trials.limit = limit;
    for (unsigned i = 0; i < 2 && more; i++) {
        learn_input_make(&input, i ? LEARN_BYTES : 0, i ? LEARN_BYTES : 0);
        more = try(learner, &input, true);
    }
    while (more && (kept = next(learner)) &&
           (kept->stage < STAGE_CHANCE || learner->trials.cases - learner->last_news < IDLE))
        more = go_on_with(learner, kept);
    learner->trials.limit = all;
}
