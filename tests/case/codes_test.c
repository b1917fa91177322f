/*
 * codes_test.c - control codes are found in machine code, however the compiler tells them apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check/codes.h"
#include "codes.h"
#include "lib.h"

enum { ROOM = 4096, FEW = 400 };

static const char *paths[2];
static const uint32_t all[] = {
#define ROW(function, method) CODES_OF(function, method),
    CODES_ALL(ROW)
#undef ROW
};

static bool has(const uint32_t *codes, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (codes[i] == code)
            return true;
    return false;
}

static void all_codes_are_found(void **state)
{
    static uint32_t codes[ROOM];
    char error[UMA_ERROR_MAX] = "";
    struct uma_driver *driver;
    const char *path = *state;
    if (uma_load(path, &driver, error) < 0)
        fail_msg("%s", error);
    size_t count = codes_in_image(driver->image, CODES_TYPE, codes, ROOM);
    size_t of_type = 0;
    for (size_t i = 0; i < count; i++) {
        of_type += codes[i] >> 16 == CODES_TYPE;
        assert_true(!i || codes[i - 1] < codes[i]);
    }
    print_message("%s: %zu numbers, %zu of the device's type\n", path, count, of_type);
    for (size_t i = 0; i < RTL_NUMBER_OF(all); i++)
        if (!has(codes, count, all[i]))
            fail_msg("0x%08x was not found", all[i]);
    assert_true(count < FEW);
    assert_true(codes_in_image(driver->image, CODES_TYPE, codes, 3) <= 3);
    assert_int_equal(uma_unload(driver), 0);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: test_codes codes.sys codes_plain.sys\n", stderr);
        return 2;
    }
    paths[0] = argv[1];
    paths[1] = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(all_codes_are_found, (void *)paths[0]),
        cmocka_unit_test_prestate(all_codes_are_found, (void *)paths[1]),
    };
    if (uma_start(&(struct uma_options){.size = sizeof(struct uma_options), .protect = UMA_PROTECT_NONE}) < 0)
        return 1;
    return cmocka_run_group_tests_name("codes", tests, NULL, NULL);
}
