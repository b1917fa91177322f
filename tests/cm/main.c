/* main.c - starts the kernel in the protection UMA_PROTECT names, runs the suites. Exit 77: this CPU lacks it. */
#include "cm_test.h"
#include "../start_kernel.h"

int main(void)
{
    int unusable = start_kernel();
    if (unusable)
        return unusable;
    return run_key_tests() + run_value_tests() + run_watch_tests() + run_table_tests() + run_callback_tests() +
                   run_race_tests()
               ? 1
               : 0;
}
