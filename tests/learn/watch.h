/*
 * watch.h - a driver that is loaded, with its blocks watched and attempts to be made.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/attempt.h"
#include "check/coverage.h"
#include "lib.h"

struct watch {
    struct uma_driver *driver;
    struct coverage *coverage;
    struct attempter *attempter;
    char device[UMA_NAME_MAX]; /* its first, or empty */
};

static inline struct watch watch_begin(const char *path)
{
    struct watch watch;
    char error[UMA_ERROR_MAX];
    if (uma_load(path, &watch.driver, error) < 0)
        fail_msg("%s: %s", path, error);
    uma_driver_device(watch.driver, 0, watch.device);
    assert_int_equal(coverage_open(watch.driver, &watch.coverage), 0);
    assert_int_equal(attempter_open(4096, &watch.attempter), 0);
    return watch;
}

static inline void watch_end(struct watch *watch)
{
    attempter_close(watch->attempter);
    coverage_close(watch->coverage);
    assert_int_equal(uma_unload(watch->driver), 0);
}
