/*
 * host.c - what belongs to the host and driver code can reach all the same: the bases of fs and gs, the selectors, the
 * flags, and Linux's own system calls.
 *
 * Linux leaves all of them to any code of the process, while the C library and the kernel's exports cannot run without
 * them. Each signal begins here: the thread is found by its signal stack, not by its registers, and what is wrong is
 * put right. System calls from below the host program are refused by the kernel (syscall user dispatch) and come back
 * as SIGSYS; where the kernel lacks that, a driver's own system call reaches Linux.
 */
#include <asm/prctl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON           1
#endif
#define THREADS_MAX    1024 /* threads beyond it run, but are not put right */
#define HOST_CODE_END  0x800000000000ull
#define FLAG_ALIGNMENT 0x40000
#define SELECTORS      0x002b000000000033ll /* ss and cs of a 64-bit process, as REG_CSGSFS packs them */
#define SELECTORS_MASK 0xffff00000000ffffll

/* Kept apart from the threads' own blocks, which driver code has in its gs. signal_stack 0: the row is free. */
static struct host_thread {
    _Atomic(ULONG_PTR) signal_stack;
    ULONG_PTR fs_base, gs_base;
} threads[THREADS_MAX];
static _Atomic(unsigned) threads_end;

/* Not the C library's: that one stores errno through fs. */
static inline long raw_syscall(long number, long first, long second)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second) : "rcx", "r11", "memory");
    return result;
}

void host_guard_system_calls(void)
{
    prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, LAYOUT_SYSTEM_ARENA_END,
          HOST_CODE_END - LAYOUT_SYSTEM_ARENA_END, 0ul);
}

void host_guard_thread(const struct plat_thread *thread)
{
    host_guard_system_calls();
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        ULONG_PTR none = 0;
        if (!atomic_compare_exchange_strong(&threads[i].signal_stack, &none, (ULONG_PTR)thread->signal_stack))
            continue;
        raw_syscall(SYS_arch_prctl, ARCH_GET_FS, (long)&threads[i].fs_base);
        threads[i].gs_base = (ULONG_PTR)thread->arch;
        unsigned end = atomic_load(&threads_end);
        while (end <= i && !atomic_compare_exchange_weak(&threads_end, &end, i + 1))
            ;
        return;
    }
}

void host_forget_thread(const struct plat_thread *thread)
{
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        ULONG_PTR expected = (ULONG_PTR)thread->signal_stack;
        atomic_compare_exchange_strong(&threads[i].signal_stack, &expected, 0);
    }
}

/* No thread-local variable may be touched before the base of fs is right again. */
NO_ASAN enum host_state host_put_right(ucontext_t *uc)
{
    const struct host_thread *thread = NULL;
    ULONG_PTR here = (ULONG_PTR)__builtin_frame_address(0), base = 0, stack = 0;
    enum host_state state = HOST_FINE;
    for (unsigned i = 0; i < atomic_load(&threads_end) && !thread; i++) {
        stack = atomic_load(&threads[i].signal_stack);
        if (stack && here - stack < SIGNAL_STACK_SIZE)
            thread = &threads[i];
    }
    if (!thread || !thread->gs_base)
        return HOST_FINE;
    if (raw_syscall(SYS_arch_prctl, ARCH_GET_FS, (long)&base) == 0 && base != thread->fs_base) {
        raw_syscall(SYS_arch_prctl, ARCH_SET_FS, (long)thread->fs_base);
        state = HOST_SPOILT;
    }
    if (raw_syscall(SYS_arch_prctl, ARCH_GET_GS, (long)&base) == 0 && base != thread->gs_base) {
        raw_syscall(SYS_arch_prctl, ARCH_SET_GS, (long)thread->gs_base);
        state = HOST_SPOILT;
    }
    if ((ULONG_PTR)uc->uc_mcontext.gregs[REG_RSP] - stack >= SIGNAL_STACK_SIZE)
        return state;
    return state == HOST_SPOILT ? HOST_AGAIN : HOST_IN_HANDLER;
}

void host_segments(ucontext_t *uc)
{
    greg_t *selectors = &uc->uc_mcontext.gregs[REG_CSGSFS];
    *selectors = (*selectors & ~SELECTORS_MASK) | SELECTORS;
}

bool host_clear_alignment_check(ucontext_t *uc)
{
    greg_t *flags = &uc->uc_mcontext.gregs[REG_EFL];
    if (!(*flags & FLAG_ALIGNMENT))
        return false;
    *flags &= ~(greg_t)FLAG_ALIGNMENT;
    return true;
}

void host_give_up(ULONG_PTR pc, ULONG_PTR address)
{
    static const char digits[] = "0123456789abcdef";
    char line[] =
        "uma: the driver has damaged the program itself: a fault in the fault handler at pc 0x________________, "
        "address 0x________________\n";
    char *at = strchr(line, '_'), *next = strrchr(line, '_') - 15;
    for (int i = 0; i < 16; i++) {
        at[i] = digits[pc >> (60 - 4 * i) & 15];
        next[i] = digits[address >> (60 - 4 * i) & 15];
    }
    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
        _exit(1);
    _exit(1);
}
