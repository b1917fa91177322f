/* ntos_test.h - what the suites of the kernel test share. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wdk/wdm.h"
#include "wdk/seh.h"
#include "cm.h"
#include "ex.h"
#include "io.h"
#include "ke.h"
#include "rtl.h"

#include <cmocka.h>

int run_rtl_tests(void);
int run_print_tests(void);
int run_pool_tests(void);
int run_wait_tests(void);
int run_probe_tests(void);
int run_io_tests(void);
int run_exports_tests(void);
int run_mdl_tests(void);
int run_mdl_misuse_tests(void);
int run_direct_tests(void);
int run_lookaside_tests(void);
int run_handle_tests(void);
int run_ob_callback_tests(void);
int run_ps_tests(void);
int run_apc_tests(void);

struct bugcheck_result {
    bool happened;
    ULONG code;
    ULONG_PTR parameters[4];
    char report[4096]; /* what went to standard error */
};
/* Runs action in a forked child; whether and how it bug-checked. */
struct bugcheck_result bugcheck_of(void (*action)(void));

/* The exception action raises, STATUS_SUCCESS if none. */
NTSTATUS exception_of(void (*action)(void *context), void *context);

/* Code that faults on purpose, which sanitizers must leave alone. */
#define HOSTILE __attribute__((noinline, no_sanitize("address", "undefined", "thread")))

#define TAG        RTL_TAG('T', 'e', 's', 't')
#define WIDE(text) ((const WCHAR *)L##text)
