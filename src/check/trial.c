/*
 * trial.c - one attempt, and what it reached.
 *
 * A place that accesses memory is told by its address and its caller's, so that an accessor's callers are told apart;
 * memory by how the request leads there, not by where it happens to be.
 */
#include "trial.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HANG_COSTS = 40, PAGE = 0x1000 };
enum key_kind { KEY_BLOCK = 1, KEY_PLACE, KEY_STATUS, KEY_END };
enum memory { MEMORY_NULL = 0x100, MEMORY_KERNEL, MEMORY_OTHER };

static uint64_t mix(uint64_t hash, uint64_t number)
{
    for (int i = 0; i < 8; i++, number >>= 8)
        hash = (hash ^ (number & 0xFF)) * 0x100000001B3;
    return hash;
}

static uint64_t start_of(enum key_kind kind)
{
    return mix(0xCBF29CE484222325, kind);
}

uint64_t trial_block_key(size_t index)
{
    return mix(start_of(KEY_BLOCK), index);
}

/* ---- limits ---- */

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

bool trials_open(struct trials *trials)
{
    trials->total = trials->coverage ? coverage_total(trials->coverage) : 0;
    trials->before = calloc(trials->total + 1, sizeof(*trials->before));
    trials->known = calloc(trials->total + 1, sizeof(*trials->known));
    trials->indexes = calloc(trials->total + 1, sizeof(*trials->indexes));
    if (!trials->before || !trials->known || !trials->indexes) {
        trials->total = 0;
        trials_close(trials);
        return false;
    }
    for (size_t i = 0; i < trials->total; i++)
        trials->before[i] = coverage_block_hit(trials->coverage, i);
    trials->forgotten = true;
    trials->deadline = trials->milliseconds ? now() + trials->milliseconds : 0;
    return true;
}

void trials_close(struct trials *trials)
{
    for (size_t i = 0; i < trials->total; i++)
        trials->known[i] = trials->known[i] || trials->before[i];
    if (trials->total)
        coverage_set(trials->coverage, trials->known);
    free(trials->before);
    free(trials->known);
    free(trials->indexes);
    trials->before = trials->known = NULL;
    trials->indexes = NULL;
}

void trials_lift_breakpoints(struct trials *trials)
{
    if (trials->total)
        coverage_lift(trials->coverage);
    trials->forgotten = true;
}

bool trials_go_on(struct trials *trials)
{
    if (trials->deadline && !trials->out_of_time)
        trials->out_of_time = now() >= trials->deadline;
    return trials->cases < trials->limit && !trials->out_of_time;
}

/* ---- what was reached ---- */

/* The block an address lies in, or right behind the end of; else block_count. */
static unsigned block_of(const struct attempt *attempt, const struct attempt_result *result, uint64_t address)
{
    for (unsigned i = 0; i < attempt->block_count; i++)
        if (address >= result->blocks[i] && address - result->blocks[i] < (uint64_t)attempt->blocks[i].size + PAGE)
            return i;
    return attempt->block_count;
}

/* How the request leads to a block: through which bytes of which other block. */
static uint64_t way_to(const struct attempt *attempt, unsigned block)
{
    for (unsigned i = 0; i < attempt->link_count; i++) {
        const struct attempt_link *link = &attempt->links[i];
        if (!link->to.absolute && link->to.block == block)
            return mix(mix(MEMORY_OTHER + 1, link->at.block), link->at.offset);
    }
    return block;
}

static uint64_t memory_of(const struct attempt *attempt, const struct attempt_result *result, uint64_t address)
{
    uint64_t low, limit;
    unsigned block = block_of(attempt, result, address);
    uma_user_range(&low, &limit);
    if (block < attempt->block_count) {
        bool behind = address - result->blocks[block] >= attempt->blocks[block].size;
        return mix(way_to(attempt, block), behind);
    }
    return address < low ? MEMORY_NULL : address >= limit ? MEMORY_KERNEL : MEMORY_OTHER;
}

/* Which words of the blocks were read, how far they were touched. */
static void note_touched(const struct attempt *attempt, const struct uma_trace_row *row, struct trial *trial)
{
    unsigned block = block_of(attempt, trial->result, row->address);
    if (block == attempt->block_count || !row->size)
        return;
    uint64_t size = attempt->blocks[block].size, first = row->address - trial->result->blocks[block];
    if (first >= size)
        return;
    uint64_t end = row->size < size - first ? first + row->size : size;
    if (end > trial->extent[block])
        trial->extent[block] = (uint32_t)end;
    for (uint64_t word = first / 8; word <= (end - 1) / 8 && word < 32; word++)
        if (row->access != UMA_TRACE_WRITE || row->how == UMA_TRACE_LOCK)
            trial->words_read[block] |= 1u << word;
}

static void take_rows(const struct attempt *attempt, struct trial *trial)
{
    struct uma_trace_row row;
    size_t count = uma_trace_count();
    for (size_t i = 0; i < count && uma_trace_row(i, &row); i++) {
        note_touched(attempt, &row, trial);
        trial->answer = mix(mix(trial->answer, row.pc[0]), row.size);
        if (row.how == UMA_TRACE_KERNEL)
            continue; /* that is the request's lengths again */
        uint64_t key = mix(mix(mix(start_of(KEY_PLACE), row.pc[0]), row.pc[1]), row.how << 8 | row.access);
        key = mix(mix(key, memory_of(attempt, trial->result, row.address)), row.outcome);
        keys_add(&trial->met, key);
        trial->shape = mix(mix(trial->shape, key), row.size);
    }
}

static void take_end(const struct attempt *attempt, struct trial *trial)
{
    const struct attempt_result *result = trial->result;
    uint64_t key = mix(start_of(KEY_END), trial->end);
    if (attempt->request_count) {
        const struct attempt_reply *last = &result->replies[attempt->request_count - 1];
        trial->status = last->came ? last->status : 0;
        trial->information = last->came ? last->information : 0;
        keys_add(&trial->met, mix(mix(start_of(KEY_STATUS), (uint32_t)trial->status), last->came));
    }
    if (trial->end != CASE_DONE)
        key = mix(mix(key, result->how.code), result->how.culprit);
    keys_add(&trial->met, key);
    trial->shape = mix(mix(trial->shape, trial->information), result->wanted);
    trial->answer = mix(mix(mix(trial->answer, (uint32_t)trial->status), trial->information), result->wanted);
    trial->answer = mix(trial->answer, key);
}

static void take_blocks(struct trials *trials, bool all_blocks, struct trial *trial)
{
    if (!trials->total)
        return;
    size_t count = coverage_new(trials->coverage, trials->indexes, trials->total);
    for (size_t i = 0; i < count; i++) {
        trials->known[trials->indexes[i]] = true;
        keys_add(&trial->reached, trial_block_key(trials->indexes[i]));
    }
    trials->forgotten = all_blocks;
    if (!all_blocks)
        coverage_settle(trials->coverage);
}

bool trial_run(struct trials *trials, const struct attempt *attempt, bool all_blocks, struct trial *trial)
{
    if (!trials_go_on(trials))
        return false;
    if (trials->total && (all_blocks || trials->forgotten))
        coverage_set(trials->coverage, all_blocks ? NULL : trials->known);
    if (!attempt_run(trials->attempter, attempt, &trial->result))
        return false;
    trial->end = trial->result->how.end;
    trials->cases += trial->end == CASE_HANG ? HANG_COSTS : 1;
    trial->status = 0;
    trial->information = trial->shape = trial->answer = 0;
    keys_clear(&trial->reached);
    keys_clear(&trial->met);
    memset(trial->words_read, 0, sizeof(trial->words_read));
    memset(trial->extent, 0, sizeof(trial->extent));
    take_rows(attempt, trial);
    take_end(attempt, trial);
    take_blocks(trials, all_blocks, trial);
    keys_add_all(&trial->reached, &trial->met);
    return true;
}

void trial_free(struct trial *trial)
{
    keys_free(&trial->reached);
    keys_free(&trial->met);
}
