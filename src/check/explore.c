/*
 * explore.c - runs what is planned, has it judged, tries again what looks like a finding, and reports it.
 */
#include "explore.h"
#include "explore_internal.h"
#include <stdlib.h>
#include <string.h>

enum { REPLAYS = 3 };

struct explorer {
    struct attempter *attempter;
    const struct explore_options *options;
    struct report *report;
    struct report_run *run;
    struct scenario scenario; /* being tried */
    struct judgement judgement;
    struct outcome base, now, control;
    struct suspicion *known; /* reported, or seen and not seen again */
    size_t known_count, tried;
    bool *failed; /* for each row of the base, whether it was made to fail */
};

static bool run_attempt(struct explorer *explorer, const struct attempt *attempt, struct outcome *outcome)
{
    const struct attempt_result *result;
    outcome_free(outcome);
    explorer->run->cases++;
    return attempt_run(explorer->attempter, attempt, &result) && outcome_take(result, outcome);
}

/* ---- judging ---- */

static bool is_known(const struct explorer *explorer, const struct suspicion *suspicion)
{
    for (size_t i = 0; i < explorer->known_count; i++) {
        const struct suspicion *known = &explorer->known[i];
        bool nowhere = !suspicion->site.pc && !strcmp(suspicion->rule, known->rule);
        bool milder = !strcmp(suspicion->rule, known->rule) && suspicion->level < known->level;
        struct suspicion same = *suspicion;
        same.level = known->level;
        if (nowhere || (suspicion_same(&same, known) && (milder || suspicion->level == known->level)))
            return true;
    }
    return false;
}

static bool remember(struct explorer *explorer, const struct suspicion *suspicion)
{
    struct suspicion *larger = realloc(explorer->known, (explorer->known_count + 1) * sizeof(explorer->known[0]));
    if (!larger)
        return false;
    explorer->known = larger;
    explorer->known[explorer->known_count++] = *suspicion;
    return true;
}

/* The value of a change is there from the start. */
static bool run_control(struct explorer *explorer)
{
    struct attempt attempt = explorer->scenario.attempt;
    attempt.changes[0].row = 0;
    return run_attempt(explorer, &attempt, &explorer->control);
}

/* Runs the scenario and judges it. */
static bool try_scenario(struct explorer *explorer)
{
    bool change = explorer->scenario.kind == SCENARIO_CHANGE;
    struct judgement *judgement = &explorer->judgement;
    judgement->scenario = &explorer->scenario;
    judgement->base = &explorer->base;
    judgement->now = &explorer->now;
    judgement->control = change ? &explorer->control : NULL;
    if (!run_attempt(explorer, &explorer->scenario.attempt, &explorer->now) || (change && !run_control(explorer)))
        return false;
    judge(judgement);
    size_t row = explorer->scenario.row;
    if (explorer->scenario.kind == SCENARIO_FAULT && row < explorer->now.row_count)
        explorer->failed[row] |= explorer->now.rows[row].outcome == UMA_TRACE_RAISED;
    return true;
}

static bool is_found(const struct judgement *judgement, const struct suspicion *suspicion)
{
    for (size_t i = 0; i < judgement->count; i++)
        if (suspicion_same(&judgement->found[i], suspicion))
            return true;
    return false;
}

/* Tries the scenario again for what is new in it; what shows every time is reported. */
static bool replay(struct explorer *explorer)
{
    struct suspicion fresh[SUSPICIONS];
    unsigned again[SUSPICIONS] = {0}, replays = explorer->options->replays;
    size_t count = 0;
    for (size_t i = 0; i < explorer->judgement.count; i++)
        if (!is_known(explorer, &explorer->judgement.found[i]))
            fresh[count++] = explorer->judgement.found[i];
    if (!count)
        return true;
    replays = replays > REPLAYS ? replays : REPLAYS;
    for (unsigned n = 0; n < replays; n++) {
        if (!try_scenario(explorer))
            return false;
        for (size_t i = 0; i < count; i++)
            again[i] += is_found(&explorer->judgement, &fresh[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (!remember(explorer, &fresh[i]))
            return false;
        if (again[i] == replays)
            explore_report(explorer->report, explorer->run, &explorer->scenario, &explorer->now, &fresh[i], again[i],
                           replays);
    }
    return true;
}

/* ---- the plan ---- */

static bool budget_is_spent(struct explorer *explorer)
{
    return explorer->options->budget && ++explorer->tried > explorer->options->budget;
}

/* base has been run. */
static bool run_plan(struct explorer *explorer, const struct attempt *base, bool changes)
{
    struct plan plan;
    bool well = plan_open(base, &explorer->base, explorer->options->seed, changes, &plan);
    while (well && plan_next(&plan, &explorer->scenario) && !budget_is_spent(explorer))
        well = try_scenario(explorer) && replay(explorer);
    plan_close(&plan);
    return well;
}

/* Runs it twice: what differs without a cause says nothing about causes. */
static bool run_base(struct explorer *explorer, const struct attempt *base)
{
    struct outcome first = {0};
    if (!run_attempt(explorer, base, &explorer->base))
        return false;
    check_sites_ahead(explorer->base.rows, explorer->base.row_count);
    bool well = run_attempt(explorer, base, &first) && outcome_alike(base, &explorer->base, &first);
    explorer->judgement.memory_varies = well && !outcome_memory_alike(base, &explorer->base, &first, NULL);
    outcome_free(&first);
    return well;
}

static bool explore_base(struct explorer *explorer, const struct attempt *base)
{
    explorer->failed = calloc(explorer->base.row_count + 1, sizeof(explorer->failed[0]));
    if (!explorer->failed)
        return false;
    memset(&explorer->scenario, 0, offsetof(struct scenario, bytes));
    explorer->scenario.attempt = *base;
    bool well = try_scenario(explorer) && replay(explorer) && run_plan(explorer, base, false);
    explore_codes(explorer->report, explorer->run, base, &explorer->base, explorer->failed);
    return well;
}

/* The same with more memory of the sender's behind each block: a driver that takes too much finds it. */
static bool explore_changes(struct explorer *explorer, const struct attempt *base)
{
    struct attempt roomy = *base;
    uint8_t *bytes = calloc(ATTEMPT_BLOCKS, ATTEMPT_MEMORY);
    uint64_t all = 0;
    if (!bytes)
        return false;
    for (unsigned i = 0; i < base->block_count; i++)
        all += base->blocks[i].size;
    for (unsigned i = 0; i < base->block_count && all + EXPLORE_ROOM <= ATTEMPT_MEMORY; i++) {
        uint8_t *mine = bytes + (size_t)i * ATTEMPT_MEMORY;
        memset(mine, 0x41, ATTEMPT_MEMORY);
        if (base->blocks[i].bytes)
            memcpy(mine, base->blocks[i].bytes, base->blocks[i].size);
        else
            memset(mine, 0, base->blocks[i].size);
        roomy.blocks[i].bytes = mine;
        roomy.blocks[i].size += EXPLORE_ROOM;
        all += EXPLORE_ROOM;
    }
    bool well = run_base(explorer, &roomy) && run_plan(explorer, &roomy, true);
    free(bytes);
    return well;
}

bool explore(struct attempter *attempter, const struct attempt *base, const struct explore_options *options,
             struct report *report, struct report_run *run)
{
    struct explorer *explorer = calloc(1, sizeof(*explorer));
    if (!explorer)
        return false;
    explorer->attempter = attempter;
    explorer->options = options;
    explorer->report = report;
    explorer->run = run;
    bool well = run_base(explorer, base) && explore_base(explorer, base) && explore_changes(explorer, base);
    free(explorer->failed);
    outcome_free(&explorer->base);
    outcome_free(&explorer->now);
    outcome_free(&explorer->control);
    free(explorer->known);
    free(explorer);
    return well;
}
