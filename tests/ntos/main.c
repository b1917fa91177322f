/* main.c - starts the kernel in the protection UMA_PROTECT names, runs the suites. Exit 77: this CPU lacks that
 * protection. */
#include "ntos_test.h"
#include "../start_kernel.h"

int main(void)
{
    int unusable = start_kernel();
    if (unusable)
        return unusable;
    int failed = run_rtl_tests() + run_print_tests() + run_pool_tests() + run_wait_tests() + run_probe_tests() +
                 run_io_tests() + run_handle_tests() + run_ob_callback_tests() + run_ps_tests() + run_mdl_tests() +
                 run_mdl_misuse_tests() + run_direct_tests() + run_lookaside_tests();
    failed += run_exports_tests() + run_apc_tests();
    return failed ? 1 : 0;
}
