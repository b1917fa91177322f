/* exports_tests.c - the suites of the export families drivers link without thinking. */
#include "exports_tests.h"

int run_exports_tests(void)
{
    return run_tables_tests() + run_sync_tests() + run_csq_tests() + run_library_tests() + run_build_tests() +
           run_timer_tests() + run_fsrtl_tests() + run_notify_tests() + run_oplock_tests() + run_cache_tests();
}
