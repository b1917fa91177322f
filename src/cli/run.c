/*
 * run.c - `uma run`: load a driver, send it requests, print one line for each, unload it, report what it left behind.
 *
 * The command line stands in run_options.c, the sending in send.c. Results go to standard output; the driver's own
 * output and bug checks go to standard error.
 */
#include "cli.h"
#include "device.h"
#include "run.h"
#include "wdk/ntstatus.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DUMP_BYTES 64u

static const struct run_view *viewer; /* or null */

static void say_bugcheck(void *context, const struct uma_bugcheck *bugcheck)
{
    (void)context;
    if (viewer)
        viewer->died(bugcheck);
    printf("BUGCHECK 0x%X (%#llx, %#llx, %#llx, %#llx)%s%s\n", bugcheck->code,
           (unsigned long long)bugcheck->parameters[0], (unsigned long long)bugcheck->parameters[1],
           (unsigned long long)bugcheck->parameters[2], (unsigned long long)bugcheck->parameters[3],
           bugcheck->place[0] ? " at " : "", bugcheck->place);
    fflush(stdout);
}

static void say_timeout(void *context, const char *doing, const char *place)
{
    const struct run_options *options = context;
    if (viewer)
        viewer->died(NULL);
    printf("TIMEOUT: %s did not come back within %u s; the driver is at %s\n", doing, options->timeout, place);
    fflush(stdout);
}

/* ---- one request ---- */

static void print_bytes(uint64_t address, uint64_t size)
{
    uint8_t bytes[DUMP_BYTES];
    size_t shown = size < sizeof(bytes) ? size : sizeof(bytes);
    if (!uma_user_load(address, bytes, shown)) {
        printf(" (not readable)");
        return;
    }
    for (size_t i = 0; i < shown; i++)
        printf(" %02x", bytes[i]);
    if (size > shown)
        printf(" ... (%llu more)", (unsigned long long)(size - shown));
}

/* What the request gave back: as many bytes as Information says, and never more than the buffer has. */
static void print_output(const struct request *request, const struct outcome *outcome)
{
    uint64_t size = outcome->information < request->out_length ? outcome->information : request->out_length;
    const struct buffer *buffer = request->out.buffer;
    if (!buffer || outcome->status < 0 || (buffer->bad != BAD_NO && buffer->bad != BAD_READ_ONLY))
        return;
    if (size > buffer->size - (request->out.offset < buffer->size ? request->out.offset : buffer->size))
        size = buffer->size - (request->out.offset < buffer->size ? request->out.offset : buffer->size);
    printf(" out %llu:", (unsigned long long)size);
    print_bytes(target_address(&request->out), size);
}

static void print_tally(const struct outcome *outcome)
{
    for (size_t i = 0; i < outcome->tally_count; i++)
        printf("%s %s x%llu", i ? "," : "", uma_status_name(outcome->tally[i].status),
               (unsigned long long)outcome->tally[i].count);
}

static void print_outcome(size_t number, const struct request *request, const struct outcome *outcome, unsigned timeout)
{
    printf("#%zu %s", number, request_type_names[request->type]);
    if (request->type == REQUEST_IOCTL)
        printf(" 0x%x", request->code);
    if (request->name[0])
        printf(" (%s)", request->name);
    putchar(':');
    if (request->repeat > 1)
        print_tally(outcome);
    else
        printf(" %s", uma_status_name(outcome->status));
    printf(" information %llu", (unsigned long long)outcome->information);
    print_output(request, outcome);
    if (request->race_count)
        printf(" raced by %llu stores", (unsigned long long)outcome->stores);
    putchar('\n');
    for (size_t i = 0; i < request->show_count; i++) {
        printf("   %s:", request->show[i]->name);
        print_bytes(request->show[i]->address, request->show[i]->size);
        putchar('\n');
    }
    if (outcome->leaked)
        printf("   KERNEL BYTES LEAKED to %s%s\n", outcome->leaked_to[0] ? "buffer " : "a buffer", outcome->leaked_to);
    if (outcome->overwrote)
        puts("   KERNEL MEMORY OVERWRITTEN at a kernel address that user mode gave");
    if (outcome->timed_out && outcome->status == STATUS_IO_TIMEOUT)
        puts("   NEVER COMPLETED: the driver left the request pending, not even after it was cancelled");
    else if (outcome->timed_out)
        printf("   NOT COMPLETED within %u s and cancelled\n", timeout);
    fflush(stdout);
}

/* Sends everything; the exit status. */
static int send_all(struct session *session, unsigned timeout)
{
    struct plan *plan = session->plan;
    int result = CLI_OK;
    if (plan->count && plan->requests[0].type != REQUEST_OPEN) {
        uma_status status = send_open(session);
        if (status < 0) {
            fprintf(stderr, "uma: device %s does not open: %s\n", session->device, uma_status_name(status));
            return CLI_UNUSABLE;
        }
    }
    for (size_t i = 0; result == CLI_OK && i < plan->count; i++) {
        struct outcome outcome;
        if (viewer)
            viewer->before(i + 1, &plan->requests[i]);
        if (!send_request(session, &plan->requests[i], &outcome)) {
            fprintf(stderr, "uma: request %zu: the racing thread could not be started\n", i + 1);
            return CLI_UNUSABLE;
        }
        print_outcome(i + 1, &plan->requests[i], &outcome, timeout);
        if (viewer)
            viewer->after(i + 1, &plan->requests[i], &outcome);
        result = outcome.timed_out ? CLI_FAILED : CLI_OK;
        if (outcome.status == STATUS_IO_TIMEOUT && outcome.timed_out) {
            session->stuck = true;
            return result;
        }
    }
    if (session->file) {
        uma_status status = uma_close(session->file);
        session->file = 0;
        if (status < 0)
            printf("close: %s\n", uma_status_name(status));
    }
    return result;
}

/* ---- afterwards ---- */

static void print_leftover(void *context, const char *line)
{
    (void)context;
    printf("left behind: %s\n", line);
}

static void print_raw_accesses(void)
{
    struct uma_raw_place place;
    char where[UMA_PLACE_MAX];
    unsigned long long count = uma_raw_accesses();
    if (count == 0) {
        puts("raw user accesses: none");
        return;
    }
    printf("%llu raw access%s to user memory outside an accessor (would bug-check under SMAP):\n", count,
           count == 1 ? "" : "es");
    for (size_t i = 0; uma_raw_place(i, &place); i++) {
        uma_place(place.pc, where, sizeof(where));
        printf("   %llu x %s of %u byte%s at %s\n", (unsigned long long)place.count, place.write ? "write" : "read",
               place.size, place.size == 1 ? "" : "s", where);
    }
}

static void unload_and_report(struct uma_driver *driver)
{
    uma_status status = uma_unload(driver);
    uma_end_process();
    if (status < 0)
        printf("unload: %s\n", status == STATUS_INVALID_DEVICE_REQUEST ? "the driver has no unload routine and stays"
                                                                       : uma_status_name(status));
    else if (uma_leftovers(print_leftover, NULL) == 0)
        puts("left behind: nothing");
    print_raw_accesses();
}

/* One line for the first that cannot be made. */
static bool make_presets(const struct run_options *options)
{
    for (const struct preset *preset = options->plan.presets; preset; preset = preset->next) {
        uma_status status = uma_registry_set(options->driver, preset->key, preset->name, preset->type,
                                             preset->data.bytes, preset->data.size);
        if (status < 0) {
            fprintf(stderr, "uma: registry: %s: %s\n", preset->key, uma_status_name(status));
            return false;
        }
    }
    return true;
}

static void drop_output(void *context, const char *text, size_t length)
{
    (void)context;
    (void)text;
    (void)length;
}

int run_driver(struct run_options *options, const struct run_view *view)
{
    struct uma_driver *driver;
    char error[REQUESTS_ERROR_MAX];
    const struct uma_options start = {
        .size = sizeof(start),
        .protect = options->protect,
        .stop_on_raw_access = options->smap,
        .timeout_seconds = options->timeout,
        .debug_output = options->quiet ? drop_output : NULL,
        .bugcheck = say_bugcheck,
        .timeout = say_timeout,
        .context = options,
        .verify = options->verify,
        .root = options->root,
    };
    if (options->root && access(options->root, R_OK)) {
        fprintf(stderr, "uma: --root %s: %s\n", options->root, strerror(errno));
        return CLI_UNUSABLE;
    }
    uma_status status = uma_start(&start);
    if (status == STATUS_NOT_A_DIRECTORY) {
        fprintf(stderr, "uma: --root %s: not a folder\n", options->root);
        return CLI_UNUSABLE;
    }
    if (status < 0) {
        fprintf(stderr, "uma: the kernel does not start: %s%s\n", uma_status_name(status),
                status == STATUS_NOT_SUPPORTED ? " (this processor lacks that protection; try --protect=mprotect)"
                                               : "");
        return CLI_UNUSABLE;
    }
    if (!make_presets(options) || (view && !view->begin(options)))
        return CLI_UNUSABLE;
    viewer = view;
    if (uma_load(options->driver, &driver, error) < 0) {
        fprintf(stderr, "uma: %s\n", error);
        return CLI_UNUSABLE;
    }
    struct session session = {.plan = &options->plan, .driver = driver};
    device_print(driver);
    const char *wanted = options->device ? options->device : options->plan.device;
    if (!device_choose(driver, wanted, session.device, error) && (wanted[0] || options->plan.count)) {
        fprintf(stderr, "uma: %s: %s\n", options->driver, error);
        return CLI_UNUSABLE;
    }
    if (!plan_place(&options->plan, error)) {
        fprintf(stderr, "uma: %s\n", error);
        return CLI_UNUSABLE;
    }
    int result = send_all(&session, options->timeout);
    if (result != CLI_UNUSABLE && !session.stuck)
        unload_and_report(driver);
    return result;
}

int cli_run(int argc, char **argv)
{
    struct run_options options;
    run_options_parse(argc, argv, &options);
    int result = run_driver(&options, NULL);
    plan_free(&options.plan);
    return result;
}
