/*
 * trace.c - `uma trace`: the session of `uma run` with the record of accesses on; shows each request's rows once it is
 * over, or when the process must end.
 *
 * In JSON the session's own lines are dropped: the document says it all.
 */
#include "cli.h"
#include "trace.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct run_options *session;
static size_t current; /* request number */
static const struct request *current_request;
static struct uma_trace_row *rows;
static size_t *first;
static struct trace_totals totals;
static FILE *output; /* JSON: the standard output there was */

static void count_row(const struct uma_trace_row *row)
{
    bool data = row->how != UMA_TRACE_PROBE && row->how != UMA_TRACE_LOCK && row->how != UMA_TRACE_KERNEL;
    totals.accesses++;
    totals.raw += row->how == UMA_TRACE_RAW || row->how == UMA_TRACE_EXPORT;
    totals.unhandled += data && row->handler == UMA_TRACE_NO_HANDLER;
}

/* Shows and forgets what has been recorded. */
static void show(const struct outcome *outcome)
{
    size_t count = uma_trace_count(), kept = 0;
    for (size_t i = 0; i < count; i++)
        if (uma_trace_row(i, &rows[kept]))
            count_row(&rows[kept++]);
    struct trace_request request = {
        .number = current,
        .request = current_request,
        .outcome = outcome,
        .rows = rows,
        .first = first,
        .count = kept,
        .dropped = uma_trace_dropped(),
    };
    request.refetched = uma_trace_refetches(rows, kept, first);
    totals.dropped += request.dropped;
    totals.refetched += request.refetched;
    check_sites_ahead(rows, kept);
    if (session->json)
        trace_json_request(&session->plan, &request);
    else
        trace_text_request(&session->plan, &request);
    uma_trace_clear();
}

static bool begin(const struct run_options *options)
{
    const struct uma_trace_options trace = {.size = sizeof(trace), .limit = options->limit};
    session = options;
    rows = calloc(options->limit, sizeof(*rows));
    first = calloc(options->limit, sizeof(*first));
    if (!rows || !first || uma_trace_start(&trace) < 0) {
        fprintf(stderr, "uma: no memory for a record of %zu rows\n", options->limit);
        return false;
    }
    uma_trace_request(0);
    return true;
}

static void before(size_t number, const struct request *request)
{
    if (number == 1)
        show(NULL); /* DriverEntry, and the opening of the device */
    current = number;
    current_request = request;
    uma_trace_request(number);
}

static void after(size_t number, const struct request *request, const struct outcome *outcome)
{
    (void)number;
    (void)request;
    show(outcome);
    current = 0;
    current_request = NULL;
    uma_trace_request(0);
}

static void write_end(const struct uma_bugcheck *bugcheck, bool timed_out)
{
    if (!session->json) {
        trace_text_totals(&totals);
        return;
    }
    trace_json_end(output, &totals, bugcheck, timed_out);
}

static void died(const struct uma_bugcheck *bugcheck)
{
    if (!session->json && current)
        printf("#%zu did not come to an end:\n", current);
    show(NULL);
    write_end(bugcheck, !bugcheck);
}

/* From here on standard output is nobody's. */
static bool set_output_aside(void)
{
    int copy = dup(STDOUT_FILENO);
    output = copy < 0 ? NULL : fdopen(copy, "w");
    return output && freopen("/dev/null", "w", stdout);
}

int cli_trace(int argc, char **argv)
{
    static const struct run_view view = {.begin = begin, .before = before, .after = after, .died = died};
    struct run_options options;
    trace_options_parse(argc, argv, &options);
    if (options.json && !set_output_aside()) {
        fprintf(stderr, "uma: standard output: %s\n", strerror(errno));
        return CLI_UNUSABLE;
    }
    int result = run_driver(&options, &view);
    if (session && result != CLI_UNUSABLE) {
        show(NULL);
        write_end(NULL, false);
    }
    plan_free(&options.plan);
    return result;
}
