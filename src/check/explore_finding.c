/*
 * explore_finding.c - a suspicion that was seen again becomes a finding: the requests, what was done to them, the
 * accesses up to the point. No address of this process gets into it.
 */
#include "explore_internal.h"
#include <string.h>

enum { STEPS = 24 };

/* ---- requests ---- */

static void add_requests(struct report *report, const struct attempt *attempt, const struct attempt_result *result,
                         struct finding *finding)
{
    for (unsigned i = 0; i < attempt->request_count; i++) {
        const struct attempt_request *sent = &attempt->requests[i];
        struct finding_request *request =
            report_append(report, &finding->requests, &finding->request_count, sizeof(*request));
        request->type = report_text(report, explore_type(sent->type));
        request->device = report_text(report, attempt->device);
        request->code = sent->type == ATTEMPT_CONTROL ? sent->code : 0;
        request->in_length = sent->in_length;
        request->out_length = sent->out_length;
        explore_buffers(report, attempt, result, i, &request->buffers, &request->buffer_count);
    }
}

/* ---- steps ---- */

static void add_step(struct report *report, const struct scenario *scenario, const struct outcome *now, size_t index,
                     struct finding *finding)
{
    const struct uma_trace_row *row = &now->rows[index];
    struct finding_step *step = report_append(report, &finding->steps, &finding->step_count, sizeof(*step));
    struct finding_access *access = report_allocate(report, 1, sizeof(*access));
    bool injected = (scenario->kind == SCENARIO_FAULT || scenario->kind == SCENARIO_CHANGE) && scenario->row == index;
    explore_access(report, &scenario->attempt, now, index, access);
    step->access = access;
    step->place = access->place;
    step->message =
        report_format(report, "%s: %s of %llu bytes at %s+%llu%s", access->by, access_kind_names[access->kind],
                      (unsigned long long)row->size, access->buffer, (unsigned long long)access->offset,
                      row->outcome == UMA_TRACE_RAISED    ? " raises an exception"
                      : row->outcome == UMA_TRACE_STOPPED ? " stops the kernel"
                                                          : "");
    step->injected = injected ? report_text(report, scenario->what) : NULL;
}

static void add_steps(struct report *report, const struct scenario *scenario, const struct outcome *now,
                      const struct suspicion *suspicion, struct finding *finding)
{
    size_t first = now->row_count > STEPS ? now->row_count - STEPS : 0;
    for (size_t i = first; i < now->row_count; i++)
        add_step(report, scenario, now, i, finding);
    struct finding_step *last = report_append(report, &finding->steps, &finding->step_count, sizeof(*last));
    last->message = report_text(report, suspicion->message);
    explore_place(report, &suspicion->site, &last->place);
}

/* What another way has shown already is reported once, as the worst that was seen. */
static void join_known(struct report_run *run)
{
    struct finding *newest = &run->findings[run->finding_count - 1];
    for (size_t i = 0; i + 1 < run->finding_count; i++) {
        if (strcmp(run->findings[i].fingerprint, newest->fingerprint))
            continue;
        if (newest->level > run->findings[i].level)
            run->findings[i] = *newest;
        run->finding_count--;
        return;
    }
}

void explore_report(struct report *report, struct report_run *run, const struct scenario *scenario,
                    const struct outcome *now, const struct suspicion *suspicion, unsigned reproduced, unsigned tried)
{
    struct finding *finding = report_append(report, &run->findings, &run->finding_count, sizeof(*finding));
    finding->rule = report_text(report, suspicion->rule);
    finding->level = suspicion->level;
    finding->message = report_text(report, suspicion->message);
    finding->cause = report_text(report, suspicion->cause);
    finding->reproduced = reproduced;
    finding->tried = tried;
    explore_place(report, &suspicion->site, &finding->place);
    add_requests(report, &scenario->attempt, &now->result, finding);
    if (scenario->kind != SCENARIO_BASE) {
        struct finding_injection *injection =
            report_append(report, &finding->schedule, &finding->schedule_count, sizeof(*injection));
        injection->when = report_text(report, scenario->when);
        injection->what = report_text(report, scenario->what);
    }
    add_steps(report, scenario, now, suspicion, finding);
    finding_identify(report, run, finding);
    join_known(run);
}
