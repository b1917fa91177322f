/*
 * attempt_test.c - hostile sessions with the scribe drivers: every access made to fail, every allocation refused,
 * memory that changes between two accesses, kernel addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/attempt.h"
#include "uma.h"
#include "../protect_asked.h"

#define ACCESS_VIOLATION       ((uma_status)0xC0000005)
#define IN_PAGE_ERROR          ((uma_status)0xC0000006)
#define INSUFFICIENT_RESOURCES ((uma_status)0xC000009A)

enum { COPY = 0x222003, UPPER = 1, TEXT = 16, LIMIT_MS = 20000, ROWS = 4096 };
enum { REQUEST_BLOCK, TEXT_BLOCK, REPLY_BLOCK, RESULT_BLOCK, BLOCKS };

struct scribe_request {
    uint32_t size, flags;
    uint64_t text, reply;
};

static struct attempter *attempter;
static const struct scribe_request request = {.size = TEXT, .flags = UPPER};
static const uint8_t text[TEXT] = "0123456789abcde";
static char safe[UMA_NAME_MAX], race[UMA_NAME_MAX];

static struct attempt good(const char *device)
{
    return (struct attempt){
        .device = device,
        .block_count = BLOCKS,
        .blocks = {{sizeof(request), UMA_READ_WRITE, (const uint8_t *)&request},
                   {TEXT, UMA_READ_WRITE, text},
                   {TEXT, UMA_READ_WRITE, NULL},
                   {8, UMA_READ_WRITE, NULL}},
        .link_count = 2,
        .links = {{.at = {.block = REQUEST_BLOCK, .offset = 8}, .to = {.block = TEXT_BLOCK}},
                  {.at = {.block = REQUEST_BLOCK, .offset = 16}, .to = {.block = REPLY_BLOCK}}},
        .request_count = 1,
        .requests = {{.type = ATTEMPT_CONTROL,
                      .code = COPY,
                      .in = {.block = REQUEST_BLOCK},
                      .out = {.block = RESULT_BLOCK},
                      .in_length = sizeof(request),
                      .out_length = 8}},
        .milliseconds = LIMIT_MS,
    };
}

static const struct attempt_result *run(const struct attempt *attempt)
{
    const struct attempt_result *result;
    assert_true(attempt_run(attempter, attempt, &result));
    return result;
}

/* It ended well, with this status, and the driver gave everything back. */
static const struct attempt_result *run_to(const struct attempt *attempt, uma_status status)
{
    const struct attempt_result *result = run(attempt);
    assert_int_equal(result->how.end, CASE_DONE);
    assert_int_equal(result->opened, 0);
    assert_true(result->replies[0].came);
    assert_int_equal(result->replies[0].status, status);
    assert_int_equal(result->left, 0);
    return result;
}

static const uint8_t *reply_of(const struct attempt_result *result)
{
    return result->memory + sizeof(request) + TEXT;
}

static void a_good_request_is_answered(void **state)
{
    struct attempt attempt = good(safe);
    (void)state;
    const struct attempt_result *result = run_to(&attempt, 0);
    assert_memory_equal(reply_of(result), "0123456789ABCDE", TEXT);
    assert_int_equal(result->replies[0].information, 8);
    assert_true(result->wanted >= 1);
    assert_true(uma_trace_count() >= 4);
    assert_false(result->decoy_changed);
}

static void each_access_can_be_made_to_fail(void **state)
{
    struct attempt attempt = good(safe);
    (void)state;
    run_to(&attempt, 0);
    size_t rows = uma_trace_count();
    attempt.change_count = 1;
    for (size_t row = 0; row < rows; row++) {
        struct uma_trace_row met;
        attempt.changes[0] = (struct attempt_change){.row = row, .what = ATTEMPT_UNMAP};
        run_to(&attempt, ACCESS_VIOLATION);
        assert_int_equal(uma_trace_count(), row + 1);
        assert_true(uma_trace_row(row, &met));
        assert_int_equal(met.outcome, UMA_TRACE_RAISED);
    }
}

static void each_page_can_be_lost(void **state)
{
    struct attempt attempt = good(safe);
    (void)state;
    run_to(&attempt, 0);
    size_t rows = uma_trace_count();
    attempt.change_count = 1;
    for (size_t row = 0; row < rows; row++) {
        attempt.changes[0] = (struct attempt_change){.row = row, .what = ATTEMPT_IN_PAGE};
        run_to(&attempt, IN_PAGE_ERROR);
        assert_int_equal(uma_trace_count(), row + 1);
    }
}

static void what_is_written_can_be_made_read_only(void **state)
{
    struct attempt attempt = good(safe);
    size_t rows, writes = 0;
    (void)state;
    run_to(&attempt, 0);
    rows = uma_trace_count();
    attempt.change_count = 1;
    for (size_t row = 0; row < rows; row++) {
        struct uma_trace_row met;
        attempt.changes[0] = (struct attempt_change){.row = row, .what = ATTEMPT_READ_ONLY};
        const struct attempt_result *result = run(&attempt);
        assert_int_equal(result->how.end, CASE_DONE);
        assert_true(uma_trace_row(row, &met));
        bool writes_here = met.access != UMA_TRACE_READ;
        assert_int_equal(met.outcome, writes_here ? UMA_TRACE_RAISED : UMA_TRACE_COMPLETE);
        writes += writes_here;
    }
    assert_true(writes >= 2);
}

static void each_allocation_can_be_refused(void **state)
{
    struct attempt attempt = good(safe);
    (void)state;
    char place[UMA_PLACE_MAX];
    const struct attempt_result *result = run_to(&attempt, 0);
    uint64_t wanted = result->wanted;
    assert_int_equal(result->refused_by, 0);
    for (attempt.refuse = 1; attempt.refuse <= wanted; attempt.refuse++) {
        uma_place(run_to(&attempt, INSUFFICIENT_RESOURCES)->refused_by, place, sizeof(place));
        assert_true(strstr(place, "uma_safe!") || strstr(place, "uma_safe+")); /* without symbols */
    }
}

/* The size changes before each access in turn: before it is read it counts, afterwards it does not. */
static void memory_changes_between_accesses(void **state)
{
    struct attempt attempt = good(safe);
    size_t rows, before = 0;
    (void)state;
    run_to(&attempt, 0);
    rows = uma_trace_count();
    attempt.change_count = 1;
    for (size_t row = 0; row < rows; row++) {
        attempt.changes[0] = (struct attempt_change){
            .row = row, .what = ATTEMPT_STORE, .at = {.block = REQUEST_BLOCK}, .value = 4, .size = 4};
        const struct attempt_result *result = run_to(&attempt, 0);
        bool counts = !memcmp(reply_of(result), "0123\0\0\0\0\0\0\0\0\0\0\0", TEXT);
        assert_true(counts || !memcmp(reply_of(result), "0123456789ABCDE", TEXT));
        before += counts;
    }
    assert_true(before >= 1 && before < rows);
}

static void kernel_addresses_reach_who_does_not_check(void **state)
{
    struct attempt attempt = good(safe);
    (void)state;
    attempt.links[1].to = (struct attempt_address){.absolute = true, .offset = uma_decoy()};
    assert_false(run_to(&attempt, ACCESS_VIOLATION)->decoy_changed);
    attempt.device = race;
    assert_true(run_to(&attempt, 0)->decoy_changed);
    attempt = good(race);
    attempt.links[0].to = (struct attempt_address){.absolute = true, .offset = uma_decoy()};
    attempt.blocks[REQUEST_BLOCK].bytes = (const uint8_t *)&(struct scribe_request){.size = TEXT};
    assert_true(uma_decoy_in(reply_of(run_to(&attempt, 0)), TEXT));
    assert_false(uma_decoy_changed()); /* that was in the attempt's process */
}

static void leftovers_are_named(void **state)
{
    struct attempt attempt = good(safe);
    (void)state;
    attempt.name_leftovers = true;
    assert_true(strstr(run_to(&attempt, 0)->left_lines, "device") != NULL);
}

static void several_requests_in_a_session(void **state)
{
    struct attempt attempt = good(safe);
    (void)state;
    attempt.request_count = 3;
    attempt.requests[1] = (struct attempt_request){.type = ATTEMPT_CLOSE};
    attempt.requests[2] = attempt.requests[0];
    const struct attempt_result *result = run_to(&attempt, 0);
    assert_true(result->replies[1].came && result->replies[2].came);
    assert_int_equal(result->replies[2].status, 0);
}

static void contradictions_are_not_run(void **state)
{
    const struct attempt_result *result;
    struct attempt attempt = good(safe);
    (void)state;
    attempt.blocks[0].size = ATTEMPT_MEMORY;
    assert_false(attempt_run(attempter, &attempt, &result));
    attempt = good(safe);
    attempt.links[0].at.offset = 20;
    assert_false(attempt_run(attempter, &attempt, &result));
    attempt = good(safe);
    attempt.requests[0].in.block = BLOCKS;
    assert_false(attempt_run(attempter, &attempt, &result));
    attempt = good(safe);
    attempt.change_count = 1;
    attempt.changes[0] = (struct attempt_change){.what = ATTEMPT_STORE, .at = {.offset = 20}, .size = 8};
    assert_false(attempt_run(attempter, &attempt, &result));
}

static void load(const char *path, char device[UMA_NAME_MAX])
{
    char error[UMA_ERROR_MAX] = "it has no device";
    struct uma_driver *driver;
    if (uma_load(path, &driver, error) < 0 || !uma_driver_device(driver, 0, device)) {
        fprintf(stderr, "%s: %s\n", path, error);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_request_is_answered),
        cmocka_unit_test(each_access_can_be_made_to_fail),
        cmocka_unit_test(each_page_can_be_lost),
        cmocka_unit_test(what_is_written_can_be_made_read_only),
        cmocka_unit_test(each_allocation_can_be_refused),
        cmocka_unit_test(memory_changes_between_accesses),
        cmocka_unit_test(kernel_addresses_reach_who_does_not_check),
        cmocka_unit_test(leftovers_are_named),
        cmocka_unit_test(several_requests_in_a_session),
        cmocka_unit_test(contradictions_are_not_run),
    };
    struct uma_options options = {.size = sizeof(options), .protect = protect_asked()};
    if (argc != 3) {
        fputs("usage: test_attempt uma_safe.sys legacy_race.sys\n", stderr);
        return 2;
    }
    if (uma_start(&options) < 0) {
        puts("not run: this CPU does not have the protection");
        return 77;
    }
    load(argv[1], safe);
    load(argv[2], race);
    if (attempter_open(ROWS, &attempter) < 0)
        return 1;
    int failed = cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
    attempter_close(attempter);
    return failed;
}
