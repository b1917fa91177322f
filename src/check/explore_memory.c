/*
 * explore_memory.c - what is tried with the contents of memory: words that are others from the start, words that change
 * between two fetches, requests that are longer, and requests in another order.
 */
#include "explore_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAY(text, ...) snprintf(text, EXPLORE_TEXT, __VA_ARGS__)

enum { WORD_BYTES = 4, WORDS_OF_BLOCK = 16, WORDS_OF_FETCH = 16, FILLER = 0x41 };

const struct attempt_link *plan_link_at(const struct attempt *attempt, unsigned block, uint64_t offset, uint64_t size)
{
    for (unsigned i = 0; i < attempt->link_count; i++) {
        const struct attempt_address *at = &attempt->links[i].at;
        if (!at->absolute && at->block == block && at->offset < offset + size && offset < at->offset + 8)
            return &attempt->links[i];
    }
    return NULL;
}

/* A block of a scenario gets bytes of its own: base's, then filler up to size. False: there is no room. */
static bool own_block(struct scenario *scenario, unsigned block, uint64_t size)
{
    struct attempt_block *mine = &scenario->attempt.blocks[block];
    uint64_t all = 0;
    for (unsigned i = 0; i < scenario->attempt.block_count; i++)
        all += scenario->attempt.blocks[i].size;
    if (size < mine->size || all - mine->size + size > ATTEMPT_MEMORY)
        return false;
    memset(scenario->bytes, FILLER, size);
    if (mine->bytes)
        memcpy(scenario->bytes, mine->bytes, mine->size);
    else
        memset(scenario->bytes, 0, mine->size);
    mine->bytes = scenario->bytes;
    mine->size = (uint32_t)size;
    return true;
}

/* splitmix64 */
static uint64_t random_of(uint64_t seed, uint64_t number)
{
    uint64_t x = seed + (number + 1) * 0x9E3779B97F4A7C15ull;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ x >> 27) * 0x94D049BB133111EBull;
    return x ^ x >> 31;
}

/* ---- words that are others from the start ---- */

enum plan_step plan_value(struct plan *plan, size_t index, struct scenario *scenario)
{
    static const uint32_t values[] = {0,     1,      0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x40,
                                      0x100, 0x1000, 0x10000001, 0x20000001, 0x40000001, 0xFFFFFFF0};
    enum { FIXED = RTL_NUMBER_OF(values), HIGHER = FIXED, LOWER, RANDOM, WAYS };
    size_t block = index / (WAYS * WORDS_OF_BLOCK), way = index % WAYS;
    uint64_t offset = index / WAYS % WORDS_OF_BLOCK * WORD_BYTES;
    uint32_t was, value;
    if (block >= scenario->attempt.block_count)
        return PLAN_END;
    uint32_t size = scenario->attempt.blocks[block].size;
    if (size < WORD_BYTES || offset > size - WORD_BYTES ||
        plan_link_at(plan->base, (unsigned)block, offset, WORD_BYTES) || !own_block(scenario, (unsigned)block, size))
        return PLAN_NONE_HERE;
    memcpy(&was, scenario->bytes + offset, WORD_BYTES);
    value = way < FIXED     ? values[way]
            : way == HIGHER ? was + 1
            : way == LOWER  ? was - 1
                            : (uint32_t)random_of(plan->seed, index);
    memcpy(scenario->bytes + offset, &value, WORD_BYTES);
    scenario->kind = SCENARIO_VALUE;
    /* A driver may take eight such bytes for an address: then it is user mode's. */
    uint64_t whole = value;
    if (size >= 8 && offset / 8 * 8 <= size - 8)
        memcpy(&whole, scenario->bytes + offset / 8 * 8, 8);
    scenario->user_null |= whole < 0x10000 && size >= 8;
    SAY(scenario->when, "from the start");
    SAY(scenario->what, "bytes %llu to %llu of block %zu are 0x%x instead of 0x%x", (unsigned long long)offset,
        (unsigned long long)offset + WORD_BYTES - 1, block, value, was);
    return value == was ? PLAN_NONE_HERE : PLAN_HERE;
}

/* An address and a length that is 0, which makes a probe check nothing. */
enum plan_step plan_pointer_of_nothing(struct plan *plan, size_t index, struct scenario *scenario)
{
    size_t number = index / WORDS_OF_BLOCK;
    uint64_t offset = index % WORDS_OF_BLOCK * WORD_BYTES;
    const uint32_t nothing = 0;
    if (number >= plan->base->link_count)
        return PLAN_END;
    struct attempt_link *link = &scenario->attempt.links[number];
    unsigned block = link->at.block;
    if (link->at.absolute || plan->base->blocks[block].size < offset + WORD_BYTES ||
        plan_link_at(plan->base, block, offset, WORD_BYTES) ||
        !own_block(scenario, block, plan->base->blocks[block].size) ||
        !memcmp(scenario->bytes + offset, &nothing, WORD_BYTES))
        return PLAN_NONE_HERE;
    memcpy(scenario->bytes + offset, &nothing, WORD_BYTES);
    link->to = (struct attempt_address){.absolute = true, .offset = EXPLORE_KERNEL_ADDRESS};
    scenario->kind = SCENARIO_POINTER;
    scenario->user_null = true;
    SAY(scenario->when, "from the start");
    SAY(scenario->what,
        "the pointer at byte %llu of block %u is a kernel address where nothing is, and bytes %llu to %llu are 0",
        (unsigned long long)link->at.offset, block, (unsigned long long)offset,
        (unsigned long long)offset + WORD_BYTES - 1);
    return PLAN_HERE;
}

/* ---- requests that are longer ---- */

enum plan_step plan_longer(struct plan *plan, size_t index, struct scenario *scenario)
{
    static const uint32_t more[] = {64, 0x1000};
    size_t way = index % RTL_NUMBER_OF(more), request = index / RTL_NUMBER_OF(more);
    (void)plan;
    if (request >= scenario->attempt.request_count)
        return PLAN_END;
    struct attempt_request *longer = &scenario->attempt.requests[request];
    if (longer->type == ATTEMPT_CLOSE || longer->type == ATTEMPT_READ || longer->in.absolute || !longer->in_length ||
        !own_block(scenario, longer->in.block, scenario->attempt.blocks[longer->in.block].size + more[way]))
        return PLAN_NONE_HERE;
    longer->in_length += more[way];
    scenario->kind = SCENARIO_LENGTH;
    SAY(scenario->when, "from the start");
    SAY(scenario->what, "the input of request %zu goes on for %u bytes", request + 1, more[way]);
    return PLAN_HERE;
}

/* ---- words that change between two fetches ---- */

static bool add_word(struct plan *plan, const struct plan_word *word)
{
    for (size_t i = 0; i < plan->word_count; i++)
        if (plan->words[i].row == word->row && plan->words[i].at.block == word->at.block &&
            plan->words[i].at.offset == word->at.offset)
            return true;
    if ((plan->word_count & (plan->word_count - 1)) == 0) {
        size_t room = plan->word_count ? 2 * plan->word_count : 1;
        struct plan_word *larger = realloc(plan->words, room * sizeof(*larger));
        if (!larger)
            return false;
        plan->words = larger;
    }
    plan->words[plan->word_count++] = *word;
    return true;
}

/* The bytes that two rows have in common, in words; a pointer is one. */
static bool add_words(struct plan *plan, size_t first, size_t row)
{
    const struct uma_trace_row *a = &plan->outcome->rows[first], *b = &plan->outcome->rows[row];
    uint64_t low = a->address > b->address ? a->address : b->address, offset;
    uint64_t high = a->address + a->size < b->address + b->size ? a->address + a->size : b->address + b->size;
    unsigned block;
    if (low >= high || !outcome_block(plan->base, &plan->outcome->result, low, &block, &offset))
        return true;
    for (uint64_t at = 0; at < high - low && at < WORDS_OF_FETCH * WORD_BYTES;) {
        const struct attempt_link *link = plan_link_at(plan->base, block, offset + at, 1);
        uint64_t size = link ? 8 : WORD_BYTES;
        if (size > high - low - at)
            size = high - low - at >= WORD_BYTES ? WORD_BYTES : high - low - at >= 2 ? 2 : 1;
        if (link && (size < 8 || link->at.offset != offset + at)) { /* a part of a pointer */
            at += size;
            continue;
        }
        struct plan_word word = {.row = row, .at = {.block = block, .offset = offset + at}, .size = (unsigned)size};
        const uint8_t *bytes = plan->base->blocks[block].bytes;
        if (bytes && offset + at + size <= plan->base->blocks[block].size)
            memcpy(&word.now, bytes + offset + at, size);
        if (!add_word(plan, &word))
            return false;
        at += size;
    }
    return true;
}

bool plan_find_words(struct plan *plan)
{
    size_t count = plan->outcome->row_count;
    size_t *first = calloc(count ? count : 1, sizeof(*first));
    bool well = first != NULL;
    if (well)
        uma_trace_refetches(plan->outcome->rows, count, first);
    for (size_t i = 0; well && i < count; i++)
        if (first[i] < count && plan->outcome->rows[i].how != UMA_TRACE_KERNEL)
            well = add_words(plan, first[i], i);
    free(first);
    return well;
}

void plan_close(struct plan *plan)
{
    free(plan->words);
}

enum plan_step plan_change(struct plan *plan, size_t index, struct scenario *scenario)
{
    enum { HIGHER, LOWER, ZERO, ONE, ALL_ONES, PAGE, KERNEL, WAYS };
    if (index / WAYS >= plan->word_count)
        return PLAN_END;
    const struct plan_word *word = &plan->words[index / WAYS];
    size_t way = index % WAYS;
    uint64_t mask = word->size == 8 ? ~0ull : (1ull << 8 * word->size) - 1;
    const uint64_t values[WAYS] = {word->now + 1, word->now - 1, 0, 1, ~0ull, 0x1000, EXPLORE_KERNEL_ADDRESS};
    uint64_t value = values[way] & mask;
    bool is_pointer = word->size == 8;
    if ((!is_pointer && value == (word->now & mask)) || (way == KERNEL && !is_pointer) ||
        (is_pointer && (way == HIGHER || way == LOWER)) || (way == PAGE && word->size == 1))
        return PLAN_NONE_HERE;
    scenario->kind = SCENARIO_CHANGE;
    scenario->row = word->row;
    scenario->user_null |= is_pointer && value < 0x10000;
    scenario->attempt.change_count = 1;
    scenario->attempt.changes[0] = (struct attempt_change){
        .row = word->row, .what = ATTEMPT_STORE, .at = word->at, .value = value, .size = word->size};
    SAY(scenario->when, "before access %zu, which fetches it again", word->row + 1);
    SAY(scenario->what, "bytes %llu to %llu of block %u become 0x%llx", (unsigned long long)word->at.offset,
        (unsigned long long)word->at.offset + word->size - 1, word->at.block, (unsigned long long)value);
    return PLAN_HERE;
}

/* ---- requests in another order ---- */

static void put(struct attempt *attempt, const struct attempt_request *request)
{
    attempt->requests[attempt->request_count++] = *request;
}

/* Both twice, one left out, one twice in a row, one before the other. */
enum plan_step plan_sequence(struct plan *plan, size_t index, struct scenario *scenario)
{
    const struct attempt *base = plan->base;
    struct attempt *attempt = &scenario->attempt;
    const struct attempt_request closing = {.type = ATTEMPT_CLOSE};
    size_t count = base->request_count, way = index % 3, which = index < 2 ? 0 : (index - 2) / 3;
    scenario->kind = SCENARIO_SEQUENCE;
    SAY(scenario->when, "from the start");
    if (index >= 2 && which >= count)
        return PLAN_END;
    attempt->request_count = 0;
    if (index < 2) {
        if (2 * count + 1 > ATTEMPT_REQUESTS || !count)
            return PLAN_NONE_HERE;
        for (size_t i = 0; i < 2 * count; i++) {
            if (i == count && index == 1)
                put(attempt, &closing);
            put(attempt, &base->requests[i % count]);
        }
        SAY(scenario->what, "all is sent twice%s", index ? ", the file is closed and opened between" : "");
        return PLAN_HERE;
    }
    way = (index - 2) % 3;
    if (count < 2 || (way == 1 && count + 1 > ATTEMPT_REQUESTS) || (way == 2 && which + 1 >= count))
        return PLAN_NONE_HERE;
    for (size_t i = 0; i < count; i++) {
        size_t from = way == 2 && i == which ? i + 1 : way == 2 && i == which + 1 ? i - 1 : i;
        for (unsigned k = 0; k < (i != which || way == 2 ? 1u : way == 0 ? 0u : 2u); k++)
            put(attempt, &base->requests[from]);
    }
    SAY(scenario->what, "request %zu %s", which + 1,
        way == 0   ? "is left out"
        : way == 1 ? "is sent twice"
                   : "comes after the next one");
    return PLAN_HERE;
}
