/* main.c - starts the kernel in the protection UMA_PROTECT names, runs the suites. Exit 77: this CPU lacks it. */
#include "svc_test.h"
#include "../start_kernel.h"

int main(void)
{
    int unusable = start_kernel();
    if (unusable)
        return unusable;
    if (!NT_SUCCESS(fs_start(NULL)))
        return 1;
    int failed = run_pointer_tests() + run_story_tests() + run_object_tests() + run_wait_tests();
    failed += run_memory_tests() + run_section_tests() + run_process_tests() + run_async_tests();
    failed += run_memory_race_tests() + run_hostile_tests();
    return failed ? 1 : 0;
}
