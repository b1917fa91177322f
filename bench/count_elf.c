/*
 * count_elf.c - stepping in a Linux process: a traced child makes the call between two breakpoints.
 */
#include "count.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const char __start_count_code[], __stop_count_code[];

#define STEPS_MAX 100000u

static COUNT_SECTION void between_breakpoints(void (*once)(uint64_t address), uint64_t address)
{
    once(address); /* warm: lazy binding and first touches are over */
    __asm__ volatile("int3" ::: "memory");
    once(address);
    __asm__ volatile("int3" ::: "memory");
}

static int in_section(uint64_t pc)
{
    return pc >= (uintptr_t)__start_count_code && pc < (uintptr_t)__stop_count_code;
}

static unsigned step_child(pid_t child)
{
    unsigned count = 0;
    int status;
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        struct user_regs_struct registers;
        if (ptrace(PTRACE_GETREGS, child, NULL, &registers) != 0)
            return 0;
        long word = ptrace(PTRACE_PEEKTEXT, child, (void *)registers.rip, NULL);
        if ((word & 0xff) == 0xCC)
            return count;
        count += !in_section(registers.rip);
        /* A fault on the way (an mprotect window opens by one) cannot be stepped through: no count. */
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child ||
            !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
            return 0;
    }
    return 0;
}

unsigned count_instructions(void (*once)(uint64_t address), uint64_t address)
{
    int status;
    unsigned count = 0;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        between_breakpoints(once, address);
        _exit(0);
    }
    if (child < 0)
        return 0;
    /* Signals on the way to the first breakpoint are the platform's own (an mprotect window opens by a fault). */
    int deliver = 0;
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        if (WSTOPSIG(status) == SIGTRAP) {
            count = step_child(child);
            break;
        }
        deliver = WSTOPSIG(status);
        ptrace(PTRACE_CONT, child, NULL, (void *)(intptr_t)deliver);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return count;
}

uint64_t count_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
