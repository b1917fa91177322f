/* main.c - starts the kernel in the protection UMA_PROTECT names, runs the suites. Exit 77: this CPU lacks it. */
#include "pnp_test.h"
#include "../start_kernel.h"

int main(void)
{
    int unusable = start_kernel();
    if (unusable)
        return unusable;
    if (!NT_SUCCESS(pnp_start()))
        return 1;
    return run_device_tests() + run_interface_tests() + run_notify_tests() + run_property_tests() + run_power_tests() +
                   run_race_tests()
               ? 1
               : 0;
}
