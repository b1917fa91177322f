/*
 * discover_test.c - devices, interfaces, control codes, reads and writes of drivers that nobody tells about.
 */
#include "watch.h"

#include "check/discover.h"
#include "../case/codes.h"

enum { LIMIT_MS = 500 /* a request that is left pending takes as long */, CASES = 4000 };

static struct discovery *discover_all(const struct watch *watch, bool quick)
{
    const struct discover_options options = {.driver = watch->driver,
                                             .attempter = watch->attempter,
                                             .coverage = watch->coverage,
                                             .quick = quick,
                                             .cases = CASES,
                                             .case_milliseconds = LIMIT_MS};
    struct discovery *found;
    assert_int_equal(discover(&options, &found), 0);
    return found;
}

static void check_codes(const struct discover_device *device, const uint32_t *codes, size_t count)
{
    for (unsigned i = 0; i < device->code_count; i++) {
        size_t at = 0;
        while (at < count && codes[at] != device->codes[i])
            at++;
        if (at == count)
            fail_msg("0x%08x is none of the driver's", device->codes[i]);
        assert_true(i == 0 || device->codes[i - 1] < device->codes[i]);
    }
    assert_int_equal(device->code_count, count);
    assert_int_equal(device->left_out, 0);
}

static void check_safe(const char *path, bool quick)
{
    struct watch watch = watch_begin(path);
    struct discovery *found = discover_all(&watch, quick);
    assert_int_equal(found->count, 1);
    assert_string_equal(found->devices[0].name, "\\Device\\UmaSafe");
    assert_int_equal(found->devices[0].type_count, 1);
    assert_int_equal(found->devices[0].types[0], 0x22);
    assert_false(found->devices[0].reads || found->devices[0].writes);
    check_codes(&found->devices[0], (const uint32_t[]){0x222003, 0x222004}, 2);
    free(found);
    assert_true(coverage_hit(watch.coverage) > 0);
    watch_end(&watch);
}

static void the_codes_of_a_driver(void **state)
{
    check_safe(*state, true);
}

static void the_codes_of_a_driver_among_all_of_its_type(void **state)
{
    check_safe(*state, false);
}

static void many_codes_however_they_are_compiled(void **state)
{
    static const uint32_t all[] = {
#define ROW(function, method) CODES_OF(function, method),
        CODES_ALL(ROW)
#undef ROW
    };
    struct watch watch = watch_begin(*state);
    struct discovery *found = discover_all(&watch, true);
    assert_int_equal(found->count, 1);
    check_codes(&found->devices[0], all, sizeof(all) / sizeof(all[0]));
    free(found);
    watch_end(&watch);
}

static void reads_and_writes(void **state)
{
    struct watch watch = watch_begin(*state);
    struct discovery *found = discover_all(&watch, true);
    assert_int_equal(found->count, 1);
    assert_true(found->devices[0].reads && found->devices[0].writes);
    check_codes(&found->devices[0], (const uint32_t[]){0x222000, 0x222008}, 2);
    free(found);
    watch_end(&watch);
}

static void a_device_without_a_name_by_its_interface(void **state)
{
    struct watch watch = watch_begin(*state);
    struct uma_interface interface;
    struct discovery *found = discover_all(&watch, true);
    assert_true(uma_driver_interface(watch.driver, 0, &interface));
    assert_int_equal(found->count, 1);
    assert_string_equal(found->devices[0].name, interface.link);
    free(found);
    watch_end(&watch);
}

static void codes_that_need_another_one_first(void **state)
{
    struct watch watch = watch_begin(*state);
    struct discovery *found = discover_all(&watch, true);
    assert_int_equal(found->count, 1);
    check_codes(&found->devices[0], (const uint32_t[]){0x222000, 0x222004, 0x222008}, 3);
    free(found);
    watch_end(&watch);
}

int main(int argc, char **argv)
{
    const bool full = argc == 3 && !strcmp(argv[1], "--full");
    if (argc != 6 && !full) {
        fputs("usage: test_discover --full uma_safe.sys, or uma_safe.sys codes.sys kmdf_echo.sys kmdf_template.sys "
              "wdm_session.sys\n",
              stderr);
        return 2;
    }
    const struct CMUnitTest slow[] = {
        cmocka_unit_test_prestate(the_codes_of_a_driver_among_all_of_its_type, argv[2]),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(the_codes_of_a_driver, argv[1]),
        cmocka_unit_test_prestate(many_codes_however_they_are_compiled, argv[2]),
        cmocka_unit_test_prestate(reads_and_writes, argv[3]),
        cmocka_unit_test_prestate(a_device_without_a_name_by_its_interface, full ? argv[2] : argv[4]),
        cmocka_unit_test_prestate(codes_that_need_another_one_first, full ? argv[2] : argv[5]),
    };
    if (uma_start(&(struct uma_options){.size = sizeof(struct uma_options), .protect = UMA_PROTECT_NONE}) < 0)
        return 1;
    return full ? cmocka_run_group_tests_name("discover all", slow, NULL, NULL)
                : cmocka_run_group_tests_name("discover", tests, NULL, NULL);
}
