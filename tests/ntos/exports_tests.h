/* exports_tests.h - one suite per family of exports. */
#pragma once
#include "ntos_test.h"

int run_tables_tests(void);
int run_sync_tests(void);
int run_csq_tests(void);
int run_library_tests(void);
int run_build_tests(void);
int run_timer_tests(void);
int run_fsrtl_tests(void);
int run_notify_tests(void);
int run_oplock_tests(void);
int run_cache_tests(void);
