/*
 * main.c - cases in processes of their own: each way they end is told apart, and the next one finds all as it was.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "case.h"
#include "check/case.h"
#include "uma.h"
#include "../protect_asked.h"

enum { LIMIT_MS = 20000, SHORT_MS = 200, BUGCHECK_PAGE_FAULT = 0x50 };

static struct case_runner *runner;
static uma_file file;
static uint64_t memory;

struct room {
    uma_status status;
    uint32_t count;
    uint64_t user;
};

static uma_status ask(uint32_t function)
{
    return uma_ioctl(file, CASE_CODE(function), memory, 4, memory, 4).status;
}

static void send(void *context, void *shared)
{
    struct room *room = shared;
    room->status = ask(*(const uint32_t *)context);
    uma_user_load(memory, &room->count, sizeof(room->count));
}

static const struct room *room(void)
{
    return case_runner_room(runner);
}

static struct case_result run(uint32_t function, unsigned milliseconds)
{
    struct case_result result;
    assert_true(case_run(runner, send, &function, milliseconds, &result));
    return result;
}

/* Where there are no symbols the driver must do. */
static bool is_in(uint64_t address, const char *function)
{
    char place[UMA_PLACE_MAX] = "";
    uma_place(address, place, sizeof(place));
    return strchr(place, '!') ? strstr(place, function) != NULL : !strncmp(place, "case+", 5);
}

static void each_case_starts_from_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(CASE_COUNT, LIMIT_MS).end, CASE_DONE);
        assert_int_equal(room()->status, 0);
        assert_int_equal(room()->count, 1);
    }
}

static void timers_and_work_items_run(void **state)
{
    (void)state;
    assert_int_equal(run(CASE_LATER, LIMIT_MS).end, CASE_DONE);
    assert_int_equal(room()->status, 0);
    assert_int_equal(run(CASE_WORK, LIMIT_MS).end, CASE_DONE);
    assert_int_equal(room()->status, 0);
}

static void a_bug_check_is_handed_over(void **state)
{
    (void)state;
    struct case_result result = run(CASE_NULL, LIMIT_MS);
    assert_int_equal(result.end, CASE_BUGCHECK);
    assert_int_equal(result.code, BUGCHECK_PAGE_FAULT);
    assert_int_equal(result.parameters[0], 0xFFFF800000001000);
    assert_true(is_in(result.culprit, "Control"));
    assert_true(result.depth > 0 && is_in(result.stack[0], "Control"));
}

static void a_loop_is_found_where_it_is(void **state)
{
    (void)state;
    struct case_result result = run(CASE_LOOP, SHORT_MS);
    assert_int_equal(result.end, CASE_HANG);
    assert_true(is_in(result.culprit, "case!"));
    result = run(CASE_LOOP_MASKED, SHORT_MS);
    assert_int_equal(result.end, CASE_HANG);
    assert_true(is_in(result.culprit, "case!"));
}

static void a_wait_without_end_is_its_callers(void **state)
{
    (void)state;
    struct case_result result = run(CASE_WAIT, SHORT_MS);
    assert_int_equal(result.end, CASE_HANG);
    assert_true(is_in(result.culprit, "Control"));
}

/* ---- processes that do not end by themselves, or not well ---- */

static void change_memory(void *context, void *shared)
{
    struct room *mine = shared;
    const uint32_t value = 7;
    (void)context;
    uma_user_store(memory, &value, sizeof(value));
    uma_user_load(memory, &mine->count, sizeof(mine->count));
}

static void user_memory_is_the_cases_own(void **state)
{
    struct case_result result;
    const uint32_t before = 5;
    uint32_t after = 0;
    (void)state;
    assert_true(uma_user_store(memory, &before, sizeof(before)));
    assert_true(case_run(runner, change_memory, NULL, LIMIT_MS, &result));
    assert_int_equal(result.end, CASE_DONE);
    assert_int_equal(room()->count, 7);
    assert_true(uma_user_load(memory, &after, sizeof(after)));
    assert_int_equal(after, 5);
}

static void die(void *context, void *shared)
{
    (void)shared;
    if (*(int *)context < 0)
        _exit(-*(int *)context);
    signal(*(int *)context, SIG_DFL);
    raise(*(int *)context);
}

static void other_deaths_are_told(void **state)
{
    struct case_result result;
    int kill_it = SIGKILL, leave = -5;
    (void)state;
    assert_true(case_run(runner, die, &kill_it, LIMIT_MS, &result));
    assert_int_equal(result.end, CASE_DIED);
    assert_true(WIFSIGNALED(result.status) && WTERMSIG(result.status) == SIGKILL);
    assert_true(case_run(runner, die, &leave, LIMIT_MS, &result));
    assert_int_equal(result.end, CASE_DIED);
    assert_true(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 5);
}

static void sleep_deaf(void *context, void *shared)
{
    sigset_t all;
    (void)context;
    (void)shared;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;)
        pause();
}

static void one_that_hears_nothing_is_killed(void **state)
{
    struct case_result result;
    (void)state;
    assert_true(case_run(runner, sleep_deaf, NULL, SHORT_MS, &result));
    assert_int_equal(result.end, CASE_HANG);
    assert_int_equal(result.culprit, 0);
}

/* A driver that runs wild can write to all that is shared. */
static void scribble(void *context, void *shared)
{
    (void)context;
    memset((void *)((uintptr_t)shared & ~0xFFFull), 0xEE, 0x1000);
    _exit(91);
}

static void what_is_shared_is_not_believed(void **state)
{
    struct case_result result;
    (void)state;
    assert_true(case_run(runner, scribble, NULL, LIMIT_MS, &result));
    assert_int_equal(result.end, CASE_BUGCHECK);
    assert_true(result.depth <= CASE_STACK);
    assert_true(strlen(result.why) < CASE_WHY);
    a_bug_check_is_handed_over(state);
}

/* A driver may complete a request with that status by itself. */
static void a_status_alone_is_no_time_out(void **state)
{
    (void)state;
    struct uma_result result = uma_ioctl(file, CASE_CODE(CASE_SAYS_TIMEOUT), memory, 4, memory, 4);
    assert_int_equal(result.status, (uma_status)0xC00000B5);
    assert_false(result.timed_out);
}

static void no_process_is_left(void **state)
{
    (void)state;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static uma_status start(const char *driver)
{
    struct uma_options options = {.size = sizeof(options), .protect = protect_asked()};
    char error[UMA_ERROR_MAX], device[UMA_NAME_MAX];
    struct uma_driver *loaded;
    uma_status status = uma_start(&options);
    if (status < 0)
        return status;
    if (uma_load(driver, &loaded, error) < 0 || !uma_driver_device(loaded, 0, device) || uma_open(device, &file) < 0 ||
        uma_user_alloc(4096, UMA_READ_WRITE, &memory) < 0 || case_runner_open(sizeof(struct room), &runner) < 0) {
        fprintf(stderr, "%s: the driver cannot be used: %s\n", driver, error);
        exit(1);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_starts_from_the_same),
        cmocka_unit_test(timers_and_work_items_run),
        cmocka_unit_test(a_bug_check_is_handed_over),
        cmocka_unit_test(a_loop_is_found_where_it_is),
        cmocka_unit_test(a_wait_without_end_is_its_callers),
        cmocka_unit_test(user_memory_is_the_cases_own),
        cmocka_unit_test(other_deaths_are_told),
        cmocka_unit_test(one_that_hears_nothing_is_killed),
        cmocka_unit_test(what_is_shared_is_not_believed),
        cmocka_unit_test(a_status_alone_is_no_time_out),
        cmocka_unit_test(no_process_is_left),
    };
    if (argc != 2) {
        fputs("usage: test_case case.sys\n", stderr);
        return 2;
    }
    if (start(argv[1]) < 0) {
        puts("not run: this CPU does not have the protection");
        return 77;
    }
    return cmocka_run_group_tests_name("case", tests, NULL, NULL);
}
