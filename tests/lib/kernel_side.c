/*
 * kernel_side.c - an accessor's kernel side that is a bad address below the user limit (null, most of all) raises in
 * the driver, as any access of its own does there, whichever instruction of the copy met it; and the window is closed
 * again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_side.h"
#include "uma.h"
#include "../protect_asked.h"

#define ACCESS_VIOLATION ((uma_status)0xC0000005)

enum { PAGES = 0x10000, LARGE = 0x8000 };

static uma_file file;
static uint64_t user, request;

static struct uma_result ask(unsigned which, uint64_t kernel, uint64_t length)
{
    const struct kernel_side side = {.kernel = kernel, .user = user, .length = length, .which = which};
    assert_true(uma_user_store(request, &side, sizeof(side)));
    return uma_ioctl(file, KERNEL_SIDE_CODE, request, sizeof(side), 0, 0);
}

static bool writes(unsigned which)
{
    return which == SIDE_FROM || which == SIDE_FROM_STREAM;
}

/* The exception's address lies within the bytes that were to be copied, and it tells the direction. */
static void expect_raised(unsigned which, uint64_t kernel, uint64_t length)
{
    struct uma_result result = ask(which, kernel, length);
    if (result.status != ACCESS_VIOLATION)
        fail_msg("%u, %llu bytes: %s", which, (unsigned long long)length, uma_status_name(result.status));
    assert_int_equal(result.information & 1, writes(which));
    assert_true(result.information >> 1 >= kernel && result.information >> 1 < kernel + length);
}

static void null_raises_at_every_length(void **state)
{
    (void)state;
    for (unsigned which = 0; which < SIDES; which++)
        for (uint64_t length = 1; length <= LARGE; length += length < 300 ? 1 : length / 3)
            expect_raised(which, 0, length);
}

static void an_unmapped_user_address_raises(void **state)
{
    uint64_t low, limit;
    (void)state;
    uma_user_range(&low, &limit);
    for (unsigned which = 0; which < SIDES; which++)
        for (uint64_t length = 1; length < 600; length += 7)
            expect_raised(which, limit - LARGE, length);
}

/* The window was closed each time: what the driver does by itself is still seen, or refused, as before. */
static void no_window_stays_open(void **state)
{
    (void)state;
    assert_int_equal(uma_raw_accesses(), 0);
    assert_int_equal(ask(SIDE_FROM, 0, 0).status, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_raises_at_every_length),
        cmocka_unit_test(an_unmapped_user_address_raises),
        cmocka_unit_test(no_window_stays_open),
    };
    struct uma_options options = {.size = sizeof(options), .protect = protect_asked()};
    char error[UMA_ERROR_MAX], device[UMA_NAME_MAX];
    struct uma_driver *driver;
    if (argc != 2) {
        fputs("usage: test_kernel_side kernel_side.sys\n", stderr);
        return 2;
    }
    if (uma_start(&options) < 0) {
        puts("not run: this CPU does not have the protection");
        return 77;
    }
    if (uma_load(argv[1], &driver, error) < 0 || !uma_driver_device(driver, 0, device) || uma_open(device, &file) < 0 ||
        uma_user_alloc(PAGES, UMA_READ_WRITE, &user) < 0 || uma_user_alloc(PAGES, UMA_READ_WRITE, &request) < 0)
        return 1;
    return cmocka_run_group_tests_name("kernel side", tests, NULL, NULL);
}
