/*
 * explore_outcome.c - what an attempt did, kept; where its addresses lie; and whether two went alike.
 */
#include "explore_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool outcome_take(const struct attempt_result *result, struct outcome *outcome)
{
    size_t count = uma_trace_count();
    outcome->result = *result;
    outcome->row_count = 0;
    outcome->rows = calloc(count ? count : 1, sizeof(outcome->rows[0]));
    if (!outcome->rows)
        return false;
    while (outcome->row_count < count && uma_trace_row(outcome->row_count, &outcome->rows[outcome->row_count]))
        outcome->row_count++;
    return true;
}

void outcome_free(struct outcome *outcome)
{
    free(outcome->rows);
    outcome->rows = NULL;
    outcome->row_count = 0;
}

bool outcome_block(const struct attempt *attempt, const struct attempt_result *result, uint64_t address,
                   unsigned *block, uint64_t *offset)
{
    for (unsigned i = 0; i < attempt->block_count; i++) {
        *offset = address - result->blocks[i];
        *block = i;
        if (result->blocks[i] && *offset < attempt->blocks[i].size)
            return true;
    }
    return false;
}

/* ---- names ---- */

static bool leads_to(const struct attempt_address *address, unsigned block)
{
    return !address->absolute && address->block == block;
}

/* The n-th request is named if there are several. */
static bool name_by_request(const struct attempt *attempt, unsigned block, char name[EXPLORE_TEXT], uint64_t *start)
{
    for (unsigned i = 0; i < attempt->request_count; i++) {
        const struct attempt_request *request = &attempt->requests[i];
        bool in = request->type != ATTEMPT_READ && request->type != ATTEMPT_CLOSE && leads_to(&request->in, block);
        bool out = (request->type == ATTEMPT_READ || request->type == ATTEMPT_CONTROL) &&
                   leads_to(&request->out, block) && (!in || request->in_length == 0);
        if (!in && !out)
            continue;
        *start = out ? request->out.offset : request->in.offset;
        snprintf(name, EXPLORE_TEXT, "%s", out ? "out" : "in");
        return true;
    }
    return false;
}

static void name_block(const struct attempt *attempt, unsigned block, char name[EXPLORE_TEXT], uint64_t *start)
{
    *start = 0;
    if (name_by_request(attempt, block, name, start))
        return;
    for (unsigned i = 0; i < attempt->link_count; i++) {
        const struct attempt_link *link = &attempt->links[i];
        char from[EXPLORE_TEXT];
        uint64_t from_start;
        if (!leads_to(&link->to, block) || !name_by_request(attempt, link->at.block, from, &from_start))
            continue;
        *start = link->to.offset;
        snprintf(name, EXPLORE_TEXT, "%.32s+%llu ->", from, (unsigned long long)(link->at.offset - from_start));
        return;
    }
    snprintf(name, EXPLORE_TEXT, "block %u", block);
}

void explore_buffer_name(const struct attempt *attempt, const struct attempt_result *result, uint64_t address,
                         char name[EXPLORE_TEXT], uint64_t *offset)
{
    unsigned block;
    uint64_t start;
    if (outcome_block(attempt, result, address, &block, offset)) {
        name_block(attempt, block, name, &start);
        *offset = *offset >= start ? *offset - start : *offset;
        return;
    }
    uint64_t low, limit;
    uma_user_range(&low, &limit);
    *offset = address < low ? address : 0;
    snprintf(name, EXPLORE_TEXT, "%s", address < low ? "null" : address < limit ? "elsewhere" : "kernel");
}

/* ---- alike ---- */

static bool rows_alike(const struct attempt *attempt, const struct outcome *a, const struct outcome *b)
{
    if (a->row_count != b->row_count)
        return false;
    for (size_t i = 0; i < a->row_count; i++) {
        const struct uma_trace_row *x = &a->rows[i], *y = &b->rows[i];
        unsigned block_x = 0, block_y = 0;
        uint64_t offset_x = 0, offset_y = 0;
        bool in_x = outcome_block(attempt, &a->result, x->address, &block_x, &offset_x);
        bool in_y = outcome_block(attempt, &b->result, y->address, &block_y, &offset_y);
        if (in_x != in_y || (in_x && (block_x != block_y || offset_x != offset_y)) || x->size != y->size ||
            x->how != y->how || x->access != y->access || x->pc[0] != y->pc[0] || x->outcome != y->outcome)
            return false;
    }
    return true;
}

static bool is_skipped(const struct attempt_change *skip, unsigned block, uint64_t offset)
{
    return skip && skip->at.block == block && offset - skip->at.offset < skip->size;
}

bool outcome_memory_alike(const struct attempt *attempt, const struct outcome *a, const struct outcome *b,
                          const struct attempt_change *skip)
{
    size_t at = 0;
    for (unsigned i = 0; i < attempt->block_count; at += attempt->blocks[i].size, i++)
        for (uint64_t k = 0; k < attempt->blocks[i].size; k++)
            if (a->result.memory[at + k] != b->result.memory[at + k] && !is_skipped(skip, i, k) &&
                !plan_link_at(attempt, i, k, 1))
                return false;
    return true;
}

bool outcome_alike(const struct attempt *attempt, const struct outcome *a, const struct outcome *b)
{
    const struct attempt_result *x = &a->result, *y = &b->result;
    if (x->how.end != y->how.end || x->how.code != y->how.code || x->opened != y->opened || x->left != y->left)
        return false;
    for (unsigned i = 0; i < attempt->request_count; i++)
        if (x->replies[i].came != y->replies[i].came || x->replies[i].status != y->replies[i].status ||
            x->replies[i].information != y->replies[i].information)
            return false;
    return rows_alike(attempt, a, b);
}
