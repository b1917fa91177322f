/*
 * judge_access.c - the rules about accesses as such: user memory touched by other code than an accessor, user memory
 * touched at a level where no page can be brought in, kernel memory that user mode named; and what stays behind when an
 * access fails.
 */
#include "explore_internal.h"
#include <stdio.h>
#include <string.h>

enum { HIGHEST_LEVEL = 1 /* APC_LEVEL */ };

static bool in_user_memory(const struct uma_trace_row *row)
{
    uint64_t low, limit;
    uma_user_range(&low, &limit);
    return row->address >= low && row->address < limit;
}

static void judge_raw(struct judgement *judgement, const struct uma_trace_row *row)
{
    struct check_site site;
    const char *what = row->access & UMA_TRACE_WRITE ? "written" : "read";
    if ((row->how != UMA_TRACE_RAW && row->how != UMA_TRACE_EXPORT) || !in_user_memory(row) || !row->size ||
        !judge_row_site(row, &site))
        return;
    struct suspicion *suspicion = judge_suspect(judgement, "raw-user-access", LEVEL_WARNING);
    if (!suspicion)
        return;
    bool is_export = row->how == UMA_TRACE_EXPORT && site.name[0];
    suspicion->site = site;
    snprintf(suspicion->message, sizeof(suspicion->message), "User memory is %s by %s, outside an accessor", what,
             is_export ? site.name : "an instruction of the driver");
    snprintf(suspicion->cause, EXPLORE_TEXT, "%s by %s", what, is_export ? site.name : "instruction");
}

static void judge_level(struct judgement *judgement, const struct uma_trace_row *row)
{
    struct check_site site;
    bool touches = row->how == UMA_TRACE_ACCESSOR || row->how == UMA_TRACE_RAW || row->how == UMA_TRACE_EXPORT;
    if (!touches || row->irql <= HIGHEST_LEVEL || !in_user_memory(row) || !judge_row_site(row, &site))
        return;
    struct suspicion *suspicion = judge_suspect(judgement, "wrong-irql", LEVEL_ERROR);
    if (!suspicion)
        return;
    suspicion->site = site;
    snprintf(suspicion->message, sizeof(suspicion->message), "User memory is touched at IRQL %u", row->irql);
    snprintf(suspicion->cause, EXPLORE_TEXT, "user memory");
}

/* Kernel memory that user mode named shows in what user mode has, or was changed. Which line did it, nothing tells. */
static void judge_decoy(struct judgement *judgement)
{
    const struct attempt_result *result = &judgement->now->result;
    size_t used = 0;
    for (unsigned i = 0; i < judgement->scenario->attempt.block_count; i++)
        used += judgement->scenario->attempt.blocks[i].size;
    bool leaked = result->how.end == CASE_DONE && uma_decoy_in(result->memory, used);
    if (judgement->scenario->kind != SCENARIO_POINTER || (!leaked && !result->decoy_changed))
        return;
    struct suspicion *suspicion = judge_suspect(judgement, "unchecked-pointer", LEVEL_ERROR);
    if (!suspicion)
        return;
    snprintf(suspicion->message, sizeof(suspicion->message), "Kernel memory at an address from user mode is %s",
             result->decoy_changed ? "written to" : "read, and user mode gets to see it");
    snprintf(suspicion->cause, EXPLORE_TEXT, "%s", result->decoy_changed ? "write" : "read");
}

void judge_accesses(struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->now->row_count; i++) {
        judge_raw(judgement, &judgement->now->rows[i]);
        judge_level(judgement, &judgement->now->rows[i]);
    }
    judge_decoy(judgement);
}

void judge_leftovers(struct judgement *judgement)
{
    const struct scenario *scenario = judgement->scenario;
    const struct attempt_result *now = &judgement->now->result;
    bool fault = scenario->kind == SCENARIO_FAULT;
    struct check_site site = {0};
    if ((!fault && scenario->kind != SCENARIO_REFUSE) || now->how.end != CASE_DONE ||
        judgement->base->result.how.end != CASE_DONE || now->left <= judgement->base->result.left)
        return;
    if (fault
            ? scenario->row >= judgement->now->row_count || !judge_row_site(&judgement->now->rows[scenario->row], &site)
            : !check_code(now->refused_by, &site))
        return;
    struct suspicion *suspicion = judge_suspect(judgement, "leak-on-fault", LEVEL_ERROR);
    if (!suspicion)
        return;
    suspicion->site = site;
    snprintf(suspicion->message, sizeof(suspicion->message),
             "When this %s, the driver does not give back everything it holds",
             fault ? "access fails" : "call is refused memory");
    snprintf(suspicion->cause, EXPLORE_TEXT, "%s", fault ? "access" : "refusal");
}
