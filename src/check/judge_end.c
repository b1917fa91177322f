/*
 * judge_end.c - attempts that did not come to an end: where the driver was, what that means, and whether a value that
 * changed between two fetches is to blame.
 */
#include "explore_internal.h"
#include "ke.h"
#include "seh.h"
#include <stdio.h>
#include <string.h>

/* Control went to where no code is: the stack tells nothing any more. */
static bool ran_away(const struct case_result *how)
{
    uint64_t code = how->parameters[1], address = how->parameters[3];
    return how->code == BUGCHECK_KMODE_EXCEPTION_NOT_HANDLED && !seh_image_find(code) &&
           (address == code || address == ~0ull);
}

/* An access that was going on, the culprit, the driver's frame nearest to it, the last line that touched user memory:
 * the first of these that there is. */
void judge_end_site(const struct outcome *now, struct check_site *site)
{
    const struct case_result *how = &now->result.how;
    const struct uma_trace_row *last = now->row_count ? &now->rows[now->row_count - 1] : NULL;
    bool going_on = last && last->outcome != UMA_TRACE_COMPLETE && last->outcome != UMA_TRACE_RAISED;
    if ((going_on || (last && ran_away(how))) && judge_row_site(last, site))
        return;
    if (check_code(how->culprit, site))
        return;
    for (ULONG i = 0; i < how->depth; i++)
        if (check_code(how->stack[i], site))
            return;
    for (size_t i = now->row_count; i-- > 0;)
        if (judge_row_site(&now->rows[i], site))
            return;
    *site = (struct check_site){0};
}

static bool suspect_end(const struct scenario *scenario, const struct outcome *now, struct suspicion *suspicion)
{
    if (now->result.how.end == CASE_BUGCHECK)
        return judge_bugcheck(scenario, now, suspicion);
    if (now->result.how.end != CASE_HANG)
        return false;
    *suspicion = (struct suspicion){.rule = "hang", .level = LEVEL_ERROR, .cause = "no end"};
    snprintf(suspicion->message, sizeof(suspicion->message), "A request keeps the driver in a loop or a wait");
    judge_end_site(now, &suspicion->site);
    return true;
}

void judge_end(struct judgement *judgement)
{
    struct suspicion end;
    if (!suspect_end(judgement->scenario, judgement->now, &end))
        return;
    struct suspicion *suspicion = judge_suspect(judgement, end.rule, end.level);
    if (suspicion)
        *suspicion = end;
}

/* ---- fetched twice ---- */

/* What the second fetch read, as the report calls it. */
static void name_bytes(const struct judgement *judgement, char cause[EXPLORE_TEXT])
{
    const struct attempt_change *change = &judgement->scenario->attempt.changes[0];
    const struct outcome *base = judgement->base;
    char buffer[EXPLORE_TEXT];
    uint64_t offset;
    explore_buffer_name(&judgement->scenario->attempt, &base->result,
                        base->result.blocks[change->at.block] + change->at.offset, buffer, &offset);
    snprintf(cause, EXPLORE_TEXT, "%.64s+%llu", buffer, (unsigned long long)offset);
}

static void suspect_fetch(struct judgement *judgement, const struct suspicion *consequence)
{
    char bytes[EXPLORE_TEXT], code[CHECK_NAME_MAX] = "";
    struct suspicion *suspicion = judge_suspect(judgement, "double-fetch", consequence ? LEVEL_ERROR : LEVEL_NOTE);
    if (!suspicion)
        return;
    name_bytes(judgement, bytes);
    check_site(&judgement->base->rows[judgement->scenario->row], &suspicion->site);
    if (consequence)
        explore_function(consequence->site.place, code);
    snprintf(suspicion->cause, EXPLORE_TEXT, "%s", bytes);
    if (consequence)
        snprintf(suspicion->message, sizeof(suspicion->message),
                 "%.40s is fetched twice; when it changes in between: %.24s%s%.60s", bytes, consequence->rule,
                 code[0] ? " in " : "", code);
    else
        snprintf(suspicion->message, sizeof(suspicion->message),
                 "%.40s is fetched twice, and the driver goes another way when it changes in between", bytes);
}

static bool differs(const struct judgement *judgement, const struct outcome *other)
{
    const struct scenario *scenario = judgement->scenario;
    return !outcome_alike(&scenario->attempt, judgement->now, other) ||
           (!judgement->memory_varies && other->result.how.end == CASE_DONE &&
            !outcome_memory_alike(&scenario->attempt, judgement->now, other, &scenario->attempt.changes[0]));
}

/*
 * The change is to blame for a bug check or a hang that the same value, there from the start, does not bring about. If
 * it does, the value alone is the defect. Without either, the second fetch matters if the driver went a way of its own.
 */
void judge_fetches(struct judgement *judgement)
{
    const struct scenario *scenario = judgement->scenario;
    struct suspicion now, control;
    bool ends = suspect_end(scenario, judgement->now, &now);
    if (!judgement->control || scenario->row >= judgement->base->row_count)
        return;
    if (ends && suspect_end(scenario, judgement->control, &control) && suspicion_same(&now, &control)) {
        struct suspicion *suspicion = judge_suspect(judgement, now.rule, now.level);
        if (suspicion)
            *suspicion = now;
    } else if (ends) {
        suspect_fetch(judgement, &now);
    } else if (judgement->now->result.how.end == CASE_DONE && differs(judgement, judgement->base) &&
               differs(judgement, judgement->control)) {
        suspect_fetch(judgement, NULL);
    }
}
