/*
 * demo_case.c - one case of the demonstration, in a child process: start, load, send, unload; the result goes through a
 * pipe.
 */
#include "demo.h"
#include "send.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    int pipe;
    struct demo_result result;
};

static void report(struct child *child)
{
    ssize_t written = write(child->pipe, &child->result, sizeof(child->result));
    (void)written; /* the parent takes a missing result for a crash */
}

/* "legacy_race!CopyText (legacy_race.c:28)" of "legacy_race!CopyText+0x1b (/some/where/legacy_race.c:28)". */
static void shorten_place(const char *place, char *text, size_t size)
{
    const char *plus = strchr(place, '+'), *bracket = strchr(place, '('), *file = bracket;
    if (!bracket) {
        snprintf(text, size, "%s", place);
        return;
    }
    for (const char *c = bracket; *c; c++)
        if (*c == '/' || *c == '\\')
            file = c;
    size_t name = (size_t)((plus && plus < bracket ? plus : bracket) - place);
    while (name > 0 && place[name - 1] == ' ')
        name--;
    snprintf(text, size, "%.*s (%s", (int)name, place, file + 1);
}

/* The table has one cell for a case: what drivers print and the bug check's report do not fit. */
static void drop_output(void *context, const char *text, size_t length)
{
    (void)context;
    (void)text;
    (void)length;
}

static void on_bugcheck(void *context, const struct uma_bugcheck *bugcheck)
{
    struct child *child = context;
    char place[UMA_PLACE_MAX];
    shorten_place(bugcheck->place, place, sizeof(place));
    child->result.end = DEMO_BUGCHECK;
    child->result.raw = uma_raw_accesses();
    snprintf(child->result.text, sizeof(child->result.text), "BUGCHECK 0x%X%s%.300s", bugcheck->code,
             place[0] ? " at " : "", place);
    report(child);
}

static void on_timeout(void *context, const char *doing, const char *place)
{
    struct child *child = context;
    char where[UMA_PLACE_MAX];
    shorten_place(place, where, sizeof(where));
    child->result.end = DEMO_TIMEOUT;
    snprintf(child->result.text, sizeof(child->result.text), "HANGS: %s at %.300s", doing, where);
    report(child);
}

static void unusable(struct child *child, const char *why)
{
    child->result.end = DEMO_UNUSABLE;
    snprintf(child->result.text, sizeof(child->result.text), "not run: %.300s", why);
    report(child);
    _exit(0);
}

/* What all repetitions of a request came back with, most telling first. */
static void describe(struct demo_result *result, const struct outcome *outcome)
{
    size_t length = strlen(result->text);
    for (size_t i = 0; i < outcome->tally_count; i++) {
        const char *name = outcome->tally[i].status == 0 ? "ok" : uma_status_name(outcome->tally[i].status);
        int added = snprintf(result->text + length, sizeof(result->text) - length, "%s%s", length ? ", " : "", name);
        length += (size_t)added;
        if (length >= sizeof(result->text))
            return;
    }
    if (outcome->leaked && result->end == DEMO_ANSWERED) {
        result->end = DEMO_LEAKED;
        snprintf(result->text, sizeof(result->text), "LEAKED KERNEL BYTES");
    }
    if (outcome->overwrote) {
        result->end = DEMO_OVERWROTE;
        snprintf(result->text, sizeof(result->text), "OVERWROTE KERNEL MEMORY");
    }
}

static void child_main(struct child *child, const char *path, const char *requests, bool smap)
{
    struct plan plan;
    struct session session = {.plan = &plan};
    struct uma_driver *driver;
    struct outcome outcome;
    char error[REQUESTS_ERROR_MAX], device[UMA_NAME_MAX];
    const struct uma_options options = {
        .size = sizeof(options),
        .stop_on_raw_access = smap,
        .timeout_seconds = 20,
        .debug_output = drop_output,
        .bugcheck = on_bugcheck,
        .timeout = on_timeout,
        .context = child,
    };

    if (!requests_read(requests, &plan, error))
        unusable(child, error);
    uma_status status = uma_start(&options);
    if (status < 0)
        unusable(child, uma_status_name(status));
    if (uma_load(path, &driver, error) < 0)
        unusable(child, error);
    session.driver = driver;
    if (!uma_driver_device(driver, 0, device))
        unusable(child, "the driver has no device with a name");
    snprintf(session.device, sizeof(session.device), "%s", device);
    if (!plan_place(&plan, error))
        unusable(child, error);
    status = send_open(&session);
    if (status < 0)
        unusable(child, uma_status_name(status));
    for (size_t i = 0; i < plan.count; i++) {
        if (!send_request(&session, &plan.requests[i], &outcome))
            unusable(child, "no racing thread");
        describe(&child->result, &outcome);
    }
    uma_close(session.file);
    uma_unload(driver);
    child->result.raw = uma_raw_accesses();
    child->result.left_behind = uma_leftovers(NULL, NULL);
    report(child);
}

void demo_run_case(const char *driver, const char *requests, bool smap, struct demo_result *result)
{
    int ends[2];
    memset(result, 0, sizeof(*result));
    result->end = DEMO_UNUSABLE;
    snprintf(result->text, sizeof(result->text), "not run: no child process");
    if (pipe(ends) != 0)
        return;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct child child = {.pipe = ends[1]};
        close(ends[0]);
        child_main(&child, driver, requests, smap);
        _exit(0);
    }
    close(ends[1]);
    struct demo_result read_back;
    int status = 0;
    ssize_t got = pid > 0 ? read(ends[0], &read_back, sizeof(read_back)) : 0;
    close(ends[0]);
    if (pid > 0)
        waitpid(pid, &status, 0);
    if (got == (ssize_t)sizeof(read_back))
        *result = read_back;
    else if (pid > 0)
        snprintf(result->text, sizeof(result->text), "not run: the case's process ended without a word (%s %d)",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}
