/*
 * embed.c - the embedding API as a host program uses it: start, load, user memory, requests, races, the decoy, unload.
 *
 * One kernel per process, so the tests share it and run in order; what must end the process runs in a child forked
 * before the start.
 */
#include "uma.h"
#include "../protect_asked.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define SCRIBE_COPY      0x222003u
#define OK               0
#define ACCESS_VIOLATION ((uma_status)0xC0000005)
#define INVALID_HANDLE   ((uma_status)0xC0000008)

struct scribe {
    uint32_t size, flags;
    uint64_t text, reply;
};

static const char *uma_safe_path, *legacy_race_path;
static struct uma_driver *driver;
static uma_file file;

static uint64_t user_copy(const void *data, size_t size)
{
    uint64_t address;
    assert_int_equal(uma_user_alloc(size, UMA_READ_WRITE, &address), OK);
    assert_true(uma_user_store(address, data, size));
    return address;
}

static struct uma_result scribe(uint64_t text, uint64_t reply, uint32_t size)
{
    struct scribe request = {.size = size, .flags = 1, .text = text, .reply = reply};
    uint64_t at = user_copy(&request, sizeof(request));
    struct uma_result result = uma_ioctl(file, SCRIBE_COPY, at, sizeof(request), 0, 0);
    assert_int_equal(uma_user_free(at, sizeof(request)), OK);
    return result;
}

/* ---- a bug check ends the process, after the callback ---- */

static size_t report_length;

static void on_output(void *context, const char *text, size_t length)
{
    (void)context;
    report_length += text[0] ? length : 0;
}

static void on_bugcheck(void *context, const struct uma_bugcheck *bugcheck)
{
    int pipe_end = *(int *)context;
    char line[UMA_PLACE_MAX + 16];
    /* The report has come before. */
    int length =
        snprintf(line, sizeof(line), "%x %s", bugcheck->code, report_length > 100 ? bugcheck->place : "unreported");
    if (write(pipe_end, line, (size_t)length) != length)
        _exit(3);
}

static void race_to_death(int pipe_end)
{
    static const uint64_t sizes[] = {16, 4096};
    const struct uma_options options = {.size = sizeof(options),
                                        .protect = protect_asked(),
                                        .debug_output = on_output,
                                        .bugcheck = on_bugcheck,
                                        .context = &pipe_end};
    char error[UMA_ERROR_MAX];
    struct scribe request = {.size = 16};
    struct uma_race *race;

    if (uma_start(&options) < 0)
        _exit(77);
    if (uma_load(legacy_race_path, &driver, error) < 0 || uma_open("\\Device\\LegacyRace", &file) < 0 ||
        uma_user_alloc(4096, UMA_READ_WRITE, &request.text) < 0 ||
        uma_user_alloc(4096, UMA_READ_WRITE, &request.reply) < 0)
        _exit(4);
    uint64_t at = user_copy(&request, sizeof(request));
    if (uma_race_start(at, 4, sizes, 2, 0, &race) < 0)
        _exit(5);
    for (int i = 0; i < 100000; i++)
        uma_ioctl(file, SCRIBE_COPY, at, sizeof(request), 0, 0);
    _exit(0);
}

static void test_bugcheck(void **state)
{
    char line[UMA_PLACE_MAX + 16] = "";
    int ends[2], status;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0)
        race_to_death(ends[1]);
    close(ends[1]);
    ssize_t got = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        return;
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(got > 0);
    /* The symbol wants llvm-symbolizer, which the PKU machine has not. */
    assert_non_null(strstr(line, access("/usr/bin/llvm-symbolizer-19", X_OK) == 0 ? "legacy_race!" : "legacy_race+"));
}

/* ---- in this process ---- */

static void test_load_errors(void **state)
{
    char error[UMA_ERROR_MAX];
    struct uma_driver *none = NULL;
    (void)state;
    assert_true(uma_load("/nowhere/x.sys", &none, error) < 0);
    assert_non_null(strstr(error, "x.sys"));
    assert_true(uma_load("/dev/null", &none, error) < 0);
    assert_true(error[0] != 0);
}

static void test_load(void **state)
{
    char error[UMA_ERROR_MAX], name[UMA_NAME_MAX];
    (void)state;
    uma_status status = uma_load(uma_safe_path, &driver, error);
    if (status < 0)
        fail_msg("%s", error);
    assert_true(uma_driver_device(driver, 0, name));
    assert_string_equal(name, "\\Device\\UmaSafe");
    assert_false(uma_driver_device(driver, 1, error));
    assert_true(uma_open("\\Device\\Nobody", &file) < 0);
    assert_int_equal(uma_ioctl(file, SCRIBE_COPY, 0, 0, 0, 0).status, INVALID_HANDLE);
    assert_int_equal(uma_close(file), INVALID_HANDLE);
    assert_int_equal(uma_open(name, &file), OK);
}

static void test_requests(void **state)
{
    char reply[6] = "";
    uint64_t low, limit, text = user_copy("hello", 5), out = user_copy(reply, sizeof(reply));
    (void)state;
    uma_user_range(&low, &limit);
    assert_int_equal(scribe(text, out, 5).status, OK);
    assert_true(uma_user_load(out, reply, 5));
    assert_string_equal(reply, "HELLO");
    assert_int_equal(scribe(text + 4096 - 5, out, 5).status, OK);
    assert_int_equal(scribe(text + 4096 - 4, out, 5).status, ACCESS_VIOLATION);
    assert_int_equal(scribe(0, out, 5).status, ACCESS_VIOLATION);
    assert_int_equal(scribe(limit - 2, out, 5).status, ACCESS_VIOLATION);
    assert_int_equal(scribe(text, UINT64_MAX - 1, 5).status, ACCESS_VIOLATION);
    assert_int_equal(uma_user_protect(out, 5, UMA_READ), OK);
    assert_int_equal(scribe(text, out, 5).status, ACCESS_VIOLATION);
    assert_int_equal(uma_user_protect(out, 5, UMA_READ_WRITE), OK);
    assert_int_equal(scribe(text, out, 5).status, OK);
    assert_int_equal(uma_user_free(out, 5), OK);
    assert_int_equal(scribe(text, out, 5).status, ACCESS_VIOLATION);
    assert_false(uma_user_load(out, reply, 5));
    assert_int_equal(uma_raw_accesses(), 0);
}

static void test_decoy(void **state)
{
    uint8_t copy[64] = {0};
    uint64_t out = user_copy(copy, sizeof(copy)), decoy = uma_decoy();
    (void)state;
    assert_int_equal(scribe(decoy, out, 64).status, ACCESS_VIOLATION);
    assert_true(uma_user_load(out, copy, sizeof(copy)));
    assert_false(uma_decoy_in(copy, sizeof(copy)));
    assert_int_equal(scribe(out, decoy, 64).status, ACCESS_VIOLATION);
    assert_false(uma_decoy_changed());
    /* The decoy is plain kernel memory to the host: this is what a leak and an overwrite look like. */
    memcpy(copy + 3, (const void *)(uintptr_t)(decoy + 1000), 8);
    assert_true(uma_decoy_in(copy, sizeof(copy)));
    ((volatile uint8_t *)(uintptr_t)decoy)[17] ^= 1;
    assert_true(uma_decoy_changed());
    assert_false(uma_decoy_changed());
    assert_int_equal(uma_user_free(out, 64), OK);
}

static void test_race(void **state)
{
    static const uint64_t values[] = {1, 2, 3};
    uint32_t seen = 0;
    uint64_t at = user_copy(&seen, sizeof(seen));
    struct uma_race *race;
    (void)state;
    assert_true(uma_race_start(at, 3, values, 3, 0, &race) < 0);
    assert_true(uma_race_start(at, 4, values, 0, 0, &race) < 0);
    assert_true(uma_race_start(8, 4, values, 3, 0, &race) < 0);
    assert_int_equal(uma_race_start(at, 4, values, 3, 5, &race), OK);
    for (int i = 0; i < 1000 && (!uma_user_load(at, &seen, 4) || seen != 2); i++)
        usleep(1000);
    assert_int_equal(uma_race_stop(race), 5);
    assert_true(uma_user_load(at, &seen, 4));
    assert_int_equal(seen, 2);
    assert_int_equal(uma_user_free(at, 4), OK);
}

static void count_line(void *context, const char *line)
{
    print_message("left behind: %s\n", line);
    ++*(size_t *)context;
}

static void test_unload(void **state)
{
    size_t lines = 0;
    (void)state;
    assert_true(uma_unload(driver) < 0); /* a file is open */
    assert_int_equal(uma_close(file), OK);
    assert_true(uma_leftovers(NULL, NULL) > 0); /* the device and the link are still there */
    assert_int_equal(uma_unload(driver), OK);
    assert_int_equal(uma_leftovers(count_line, &lines), 0);
    assert_int_equal(lines, 0);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(uma_status_name(ACCESS_VIOLATION), "STATUS_ACCESS_VIOLATION");
    assert_string_equal(uma_status_name((uma_status)0xC0FFEE00), "0xc0ffee00");
}

/* ---- user APCs ---- */

static struct {
    unsigned runs;
    uint64_t routine, sum;
    uma_status nested;
} apcs;

static void on_apc(void *context, uint64_t routine, const uint64_t arguments[3])
{
    const uint64_t now[] = {0, 0}; /* a null interval: an access violation, from a call made in the APC */
    assert_ptr_equal(context, &apcs);
    apcs.runs++;
    apcs.routine = routine;
    apcs.sum += arguments[0] + arguments[1] + arguments[2];
    apcs.nested = uma_call("NtDelayExecution", now, 2);
}

static void queue_and_wait(void *context)
{
    static const uint64_t this_thread = (uint64_t)-2;
    uint64_t queue[] = {this_thread, 0xFFFF800012345678, 1, 20, 300}, interval, delay[2] = {0};
    int64_t ms = -10000;
    (void)context;
    assert_int_equal(uma_user_alloc(4096, UMA_READ_WRITE, &interval), OK);
    assert_true(uma_user_store(interval, &ms, sizeof(ms)));
    delay[1] = interval;
    assert_int_equal(uma_call("NtQueueApcThread", queue, 5), OK);
    assert_int_equal(uma_call("NtQueueApcThread", queue, 5), OK);
    assert_int_equal(uma_call("NtDelayExecution", delay, 2), OK);
    assert_int_equal(apcs.runs, 0); /* not alertable */
    delay[0] = 1;
    assert_int_equal(uma_call("NtDelayExecution", delay, 2), 0xC0); /* STATUS_USER_APC */
    assert_int_equal(apcs.runs, 2);
    assert_int_equal(apcs.sum, 642);
    assert_true(apcs.routine == queue[1]); /* whatever number it was queued with */
    assert_int_equal(apcs.nested, ACCESS_VIOLATION);
    assert_int_equal(uma_call("NtQueueApcThread", queue, 5), OK);
    assert_int_equal(uma_call("NtTestAlert", NULL, 0), OK);
    assert_int_equal(apcs.runs, 3);
    assert_int_equal(uma_call("NtAlertThread", &this_thread, 1), OK);
    assert_int_equal(uma_call("NtDelayExecution", delay, 2), 0x101); /* STATUS_ALERTED */
    assert_int_equal(uma_call("NtTestAlert", NULL, 0), OK);
    assert_int_equal(uma_call("NtQueueApcThread", queue, 5), OK); /* goes with the thread */
    uma_user_free(interval, 4096);
}

static void test_apcs(void **state)
{
    struct uma_thread *thread;
    (void)state;
    uma_set_apc(on_apc, &apcs);
    assert_int_equal(uma_thread_start(queue_and_wait, NULL, &thread), OK);
    uma_thread_join(thread);
    assert_int_equal(apcs.runs, 3);
    uma_set_apc(NULL, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: test_embed uma_safe.sys legacy_race.sys\n", stderr);
        return 2;
    }
    uma_safe_path = argv[1];
    legacy_race_path = argv[2];
    const struct CMUnitTest before[] = {cmocka_unit_test(test_bugcheck)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_load_errors), cmocka_unit_test(test_load),
        cmocka_unit_test(test_requests), cmocka_unit_test(test_decoy),       cmocka_unit_test(test_race),
        cmocka_unit_test(test_unload),   cmocka_unit_test(test_apcs),
    };
    const struct uma_options options = {.size = sizeof(options), .protect = protect_asked(), .timeout_seconds = 30};
    int failed = cmocka_run_group_tests(before, NULL, NULL);
    uma_status status = uma_start(&options);
    if (status < 0 && protect_asked() == UMA_PROTECT_PKU) {
        puts("not run: no PKU");
        return 77;
    }
    assert_int_equal(status, OK);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
