/*
 * coverage_test.c - which blocks of a driver have run: a function whose blocks are known (drivers/paths.c), a switch, a
 * handler, threads, children; and that the driver does not notice.
 */
#include "coverage.h"
#include "paths.h"
#include "lib.h"
#include "../protect_asked.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define BLOCKS_MAX 1024u
#define WAYS       10u

static struct uma_driver *driver;
static uma_file file;
static uint64_t buffer, counted, counted_end;
static struct coverage *coverage;
static size_t found[BLOCKS_MAX];

static uint64_t ask_at(uint64_t at, uint32_t code, uint64_t way)
{
    uint64_t answer[2] = {way, 0};
    assert_true(uma_user_store(at, answer, sizeof(answer)));
    assert_int_equal(uma_ioctl(file, code, at, sizeof(answer), at, sizeof(answer)).status, 0);
    assert_true(uma_user_load(at, answer, sizeof(answer)));
    if (code == PATHS_WHERE)
        counted_end = answer[1];
    return answer[0];
}

static uint64_t ask(uint32_t code, uint64_t way)
{
    return ask_at(buffer, code, way);
}

/* Blocks that ran first in this request; every one lies in the driver and is marked as run. */
static size_t new_after(uint32_t code, uint64_t way, uint64_t answer)
{
    assert_int_equal(ask(code, way), answer);
    size_t count = coverage_new(coverage, found, BLOCKS_MAX);
    for (size_t i = 0; i < count; i++)
        assert_true(found[i] < coverage_total(coverage) && coverage_block_hit(coverage, found[i]));
    return count;
}

static size_t in_counted(size_t count)
{
    size_t inside = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t at = coverage_block(coverage, found[i]);
        inside += at >= counted && at < counted_end;
    }
    return inside;
}

static int open_coverage(void **state)
{
    (void)state;
    return coverage_open(driver, &coverage);
}

static int close_coverage(void **state)
{
    (void)state;
    coverage_close(coverage);
    return 0;
}

static void blocks_are_found_and_counted_once(void **state)
{
    size_t inside = 0;
    (void)state;
    counted = ask(PATHS_WHERE, 0);
    coverage_new(coverage, found, BLOCKS_MAX);
    for (size_t i = 0; i < coverage_total(coverage); i++) {
        uint64_t at = coverage_block(coverage, i);
        assert_true(i == 0 || at > coverage_block(coverage, i - 1));
        inside += at >= counted && at < counted_end;
    }
    assert_int_equal(inside, 5);
    assert_true(coverage_hit(coverage) > 0 && coverage_hit(coverage) < coverage_total(coverage));
}

/* The ways through Counted: three blocks, then one, then one; then nothing is new. */
static void each_way_adds_its_blocks(void **state)
{
    (void)state;
    assert_int_equal(in_counted(new_after(PATHS_COUNTED, 1, 11)), 3);
    assert_int_equal(in_counted(new_after(PATHS_COUNTED, 0, 10)), 1);
    assert_int_equal(coverage_block(coverage, found[0]), counted_end - 12);
    assert_int_equal(in_counted(new_after(PATHS_COUNTED, 2, 12)), 1);
    assert_int_equal(new_after(PATHS_COUNTED, 2, 12), 0);
    assert_int_equal(new_after(PATHS_COUNTED, 1, 11), 0);
}

static void each_case_of_a_switch_is_a_block(void **state)
{
    (void)state;
    new_after(PATHS_SWITCH, WAYS, 0); /* the default, and the way there */
    new_after(PATHS_SWITCH, 0, 100);
    for (unsigned way = 1; way < WAYS; way++)
        assert_int_equal(new_after(PATHS_SWITCH, way, 100 + way), 1);
    assert_int_equal(new_after(PATHS_SWITCH, 5, 105), 0);
    assert_int_equal(new_after(PATHS_LOOP, 0, 0) > 0, 1);
}

static void a_handler_is_a_block(void **state)
{
    (void)state;
    assert_true(new_after(PATHS_GUARDED, 0, 1) > 0);
    assert_true(new_after(PATHS_GUARDED, 1, 0xC000000D) >= 2);
    assert_int_equal(new_after(PATHS_GUARDED, 1, 0xC000000D), 0);
}

static void what_is_left_over_comes_next_time(void **state)
{
    (void)state;
    ask(PATHS_LOOP, 100);
    size_t hit = coverage_hit(coverage), count = 0;
    assert_true(hit > 10);
    while (coverage_new(coverage, &found[count], 1))
        count++;
    assert_int_equal(count, hit);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(found[i] != found[j]);
}

static void children_are_seen_and_settled(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(uma_fork_child() == 0 && ask(PATHS_COUNTED, 0) == 10 ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    size_t hit = coverage_hit(coverage);
    assert_true(hit > 2);
    assert_int_equal(in_counted(coverage_new(coverage, found, BLOCKS_MAX)), 2);
    assert_int_equal(new_after(PATHS_COUNTED, 0, 10), 0);
    assert_int_equal(coverage_hit(coverage), hit);
    coverage_settle(coverage);
    const uint8_t first = *(const volatile uint8_t *)(uintptr_t)counted;
    assert_int_equal(first, 0x85);                                                   /* test ecx, ecx */
    assert_int_equal(*(const volatile uint8_t *)(uintptr_t)(counted_end - 6), 0xCC); /* way 2 has not run */
}

/* What has run can be forgotten, or said to have run; both in the code of this process. */
static void what_has_run_can_be_set(void **state)
{
    static bool hit[BLOCKS_MAX];
    (void)state;
    const size_t first = new_after(PATHS_COUNTED, 1, 11);
    assert_true(first > 3);
    for (size_t i = 0; i < first; i++)
        hit[found[i]] = i % 2;
    coverage_set(coverage, hit);
    assert_int_equal(coverage_hit(coverage), first / 2);
    assert_int_equal(coverage_new(coverage, found, BLOCKS_MAX), 0);
    assert_int_equal(new_after(PATHS_COUNTED, 1, 11), first - first / 2);
    coverage_set(coverage, NULL);
    assert_int_equal(coverage_hit(coverage), 0);
    assert_int_equal(new_after(PATHS_COUNTED, 1, 11), first);
    coverage_set(coverage, NULL);
    coverage_lift(coverage);
    assert_int_equal(new_after(PATHS_COUNTED, 1, 11), 0);
    coverage_set(coverage, NULL);
    assert_int_equal(new_after(PATHS_COUNTED, 1, 11), first);
}

static void loop_in_thread(void *context)
{
    uint64_t *at = context;
    at[1] = ask_at(at[0], PATHS_LOOP, 1000);
}

/* Several threads meet the same breakpoints; each computes what it would without. */
static void threads_share_breakpoints(void **state)
{
    enum { THREADS = 4 };
    struct uma_thread *threads[THREADS];
    uint64_t at[THREADS][2];
    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        at[i][0] = buffer + 64 * (i + 1);
        assert_int_equal(uma_thread_start(loop_in_thread, at[i], &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        uma_thread_join(threads[i]);
        assert_int_equal(at[i][1], 1000 / WAYS * (100 * WAYS + 45));
    }
    assert_int_equal(coverage_new(coverage, found, BLOCKS_MAX), coverage_hit(coverage));
}

/* After all, the driver reads its own code as it was, and its code is not writable. */
static void nothing_stays_behind(void **state)
{
    struct coverage *own;
    (void)state;
    const uint64_t before = ask(PATHS_CHECKSUM, 0);
    UCHAR *image = driver->image->base;
    uint8_t *copy = malloc(driver->image->size), *readable = calloc(driver->image->size, 1);
    assert_true(copy && readable);
    for (size_t page = 0; page < driver->image->size; page += 4096) {
        readable[page] = plat_is_readable((ULONG_PTR)image + page, 4096);
        if (readable[page])
            memcpy(copy + page, image + page, 4096);
    }
    assert_int_equal(coverage_open(driver, &own), 0);
    assert_true(memcmp(copy + (counted - (uint64_t)(uintptr_t)image), (const void *)(uintptr_t)counted, 8) != 0);
    ask(PATHS_LOOP, 5);
    coverage_close(own);
    for (size_t page = 0; page < driver->image->size; page += 4096)
        if (readable[page] && ldr_page_protection(driver->image, (ULONG_PTR)image + page) == (PLAT_READ | PLAT_EXECUTE))
            assert_memory_equal(copy + page, image + page, 4096);
    assert_int_equal(ask(PATHS_CHECKSUM, 0), before);
    free(copy);
    free(readable);
}

static int start(const char *path)
{
    struct uma_options options = {.size = sizeof(options), .protect = protect_asked(), .timeout_seconds = 60};
    char error[UMA_ERROR_MAX] = "";
    if (uma_start(&options) < 0) {
        printf("not run: this processor does not have the protection %s\n", getenv("UMA_PROTECT"));
        return 77;
    }
    if (uma_load(path, &driver, error) < 0 || uma_open("\\Device\\Paths", &file) < 0 ||
        uma_user_alloc(4096, UMA_READ_WRITE, &buffer) < 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    counted = ask(PATHS_WHERE, 0);
    return 0;
}

#define COVERAGE_TEST(function) cmocka_unit_test_setup_teardown(function, open_coverage, close_coverage)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        COVERAGE_TEST(blocks_are_found_and_counted_once), COVERAGE_TEST(each_way_adds_its_blocks),
        COVERAGE_TEST(each_case_of_a_switch_is_a_block),  COVERAGE_TEST(a_handler_is_a_block),
        COVERAGE_TEST(what_is_left_over_comes_next_time), COVERAGE_TEST(children_are_seen_and_settled),
        COVERAGE_TEST(threads_share_breakpoints),         cmocka_unit_test(nothing_stays_behind),
        COVERAGE_TEST(what_has_run_can_be_set),
    };
    int result = start(argc > 1 ? argv[1] : "");
    return result ? result : cmocka_run_group_tests(tests, NULL, NULL);
}
