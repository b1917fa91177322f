/*
 * judge.c - turns what happened in an attempt into suspicions: asks every rule. The rules are in judge_*.c.
 */
#include "explore_internal.h"
#include <stdio.h>
#include <string.h>

void explore_function(const char *place, char function[CHECK_NAME_MAX])
{
    const char *start = strchr(place, '!');
    size_t length = start ? strcspn(++start, "+ ") : 0;
    length = length < CHECK_NAME_MAX ? length : CHECK_NAME_MAX - 1;
    memcpy(function, start ? start : place, length);
    function[length] = 0;
}

bool judge_row_site(const struct uma_trace_row *row, struct check_site *site)
{
    struct check_site code;
    check_site(row, site);
    return site->pc && check_code(site->pc, &code);
}

/* As finding_identify tells findings apart: not by the line, by the code's address only if there is no function. */
bool suspicion_same(const struct suspicion *a, const struct suspicion *b)
{
    char x[CHECK_NAME_MAX], y[CHECK_NAME_MAX];
    explore_function(a->site.place, x);
    explore_function(b->site.place, y);
    return !strcmp(a->rule, b->rule) && !strcmp(x, y) && !strcmp(a->cause, b->cause) &&
           (x[0] || a->site.pc == b->site.pc);
}

struct suspicion *judge_suspect(struct judgement *judgement, const char *rule, enum finding_level level)
{
    if (judgement->count == SUSPICIONS)
        return NULL;
    struct suspicion *suspicion = &judgement->found[judgement->count++];
    *suspicion = (struct suspicion){.rule = rule, .level = level};
    return suspicion;
}

/* Of several alike the first stays. */
static void drop_repeated(struct judgement *judgement)
{
    size_t kept = 0;
    for (size_t i = 0; i < judgement->count; i++) {
        bool again = false;
        for (size_t k = 0; k < kept; k++)
            again = again || suspicion_same(&judgement->found[k], &judgement->found[i]);
        if (!again)
            judgement->found[kept++] = judgement->found[i];
    }
    judgement->count = kept;
}

void judge(struct judgement *judgement)
{
    judgement->count = 0;
    judge_accesses(judgement);
    if (judgement->scenario->kind == SCENARIO_CHANGE)
        judge_fetches(judgement);
    else
        judge_end(judgement);
    judge_leftovers(judgement);
    drop_repeated(judgement);
}
