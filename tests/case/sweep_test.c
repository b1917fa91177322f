/*
 * sweep_test.c - of many control codes the ones a driver knows are found, and those that stop the system are survived.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "case.h"
#include "check/codes.h"
#include "check/sweep.h"
#include "codes.h"
#include "lib.h"

enum { ROOM = 4096, LIMIT_MS = 20000, SHORT_MS = 300, FUNCTIONS = 0x100, METHODS = 4 };

static const uint32_t all[] = {
#define ROW(function, method) CODES_OF(function, method),
    CODES_ALL(ROW)
#undef ROW
};

static struct uma_driver *load(const char *path, char device[UMA_NAME_MAX])
{
    char error[UMA_ERROR_MAX] = "it has no device";
    struct uma_driver *driver;
    if (uma_load(path, &driver, error) < 0 || !uma_driver_device(driver, 0, device))
        fail_msg("%s: %s", path, error);
    return driver;
}

/* The codes of the image and those of one type, functions 0x800 to 0x8FF. */
static size_t fill(const struct uma_driver *driver, uint16_t type, struct sweep_reply *replies)
{
    static uint32_t codes[ROOM];
    size_t count = 0, found = codes_in_image(driver->image, type, codes, ROOM - FUNCTIONS * METHODS);
    for (size_t i = 0; i < found; i++)
        replies[count++].code = codes[i];
    for (uint32_t i = 0; i < FUNCTIONS * METHODS; i++)
        replies[count++].code = (uint32_t)type << 16 | 0x2000 | i;
    return count;
}

static bool is_one(uint32_t code)
{
    for (size_t i = 0; i < RTL_NUMBER_OF(all); i++)
        if (all[i] == code)
            return true;
    return false;
}

static void exactly_the_known_ones_are_found(void **state)
{
    static struct sweep_reply replies[ROOM];
    static bool known[ROOM];
    char device[UMA_NAME_MAX];
    struct uma_driver *driver = load(*state, device);
    struct coverage *coverage;
    assert_int_equal(coverage_open(driver, &coverage), 0);
    size_t count = fill(driver, CODES_TYPE, replies);
    struct sweep_options options = {
        .device = device, .in_length = 64, .out_length = 64, .coverage = coverage, .milliseconds = LIMIT_MS};
    assert_true(sweep_codes(&options, replies, count));
    sweep_known(replies, count, known);
    for (size_t i = 0; i < count; i++) {
        if (is_one(replies[i].code) && !known[i])
            fail_msg("0x%08x was not found", replies[i].code);
        if (known[i] && !is_one(replies[i].code) && replies[i].status == 0)
            fail_msg("0x%08x is none of the driver's", replies[i].code);
        assert_false(replies[i].ended);
    }
    coverage_close(coverage);
    assert_int_equal(uma_unload(driver), 0);
}

static void codes_that_end_the_process_are_told(void **state)
{
    struct sweep_reply replies[24] = {0};
    bool known[24];
    char device[UMA_NAME_MAX];
    struct uma_driver *driver = load(*state, device);
    for (uint32_t i = 0; i < RTL_NUMBER_OF(replies); i++)
        replies[i].code = CASE_CODE(CASE_COUNT + i);
    struct sweep_options options = {.device = device, .in_length = 4, .out_length = 4, .milliseconds = SHORT_MS};
    assert_true(sweep_codes(&options, replies, RTL_NUMBER_OF(replies)));
    size_t found = sweep_known(replies, RTL_NUMBER_OF(replies), known);
    assert_true(known[0] && !replies[0].ended);
    assert_true(known[1] && replies[1].ended && replies[1].how == CASE_BUGCHECK);
    for (int i = 2; i <= 4; i++)
        assert_true(known[i] && replies[i].ended && replies[i].how == CASE_HANG);
    assert_true(known[5] && known[6] && known[7] && !replies[5].ended && !replies[6].ended && !replies[7].ended);
    assert_int_equal(found, 8);
    assert_int_equal(uma_unload(driver), 0);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: test_sweep codes.sys codes_plain.sys case.sys\n", stderr);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(exactly_the_known_ones_are_found, argv[1]),
        cmocka_unit_test_prestate(exactly_the_known_ones_are_found, argv[2]),
        cmocka_unit_test_prestate(codes_that_end_the_process_are_told, argv[3]),
    };
    if (uma_start(&(struct uma_options){.size = sizeof(struct uma_options), .protect = UMA_PROTECT_NONE}) < 0)
        return 1;
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
