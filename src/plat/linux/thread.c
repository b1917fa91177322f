/*
 * thread.c - host threads that run kernel and driver code: their gs block, signal stack and emergency stack.
 *
 * Owns struct plat_thread's life. What the KPCR part of the block holds is ke's.
 */
#include <asm/prctl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

#define EMERGENCY_STACK_SIZE 0x20000u /* a bug check with its stack walk and symbols runs there */
#define ROUND_UP(n)          (((n) + PLAT_PAGE_SIZE - 1) & ~(size_t)(PLAT_PAGE_SIZE - 1))

__thread struct plat_thread *plat_current;

static void find_stack(struct arch_thread *arch)
{
    pthread_attr_t attributes;
    void *low;
    size_t size, guard;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return; /* 0, 0: the stack's bounds are not known, and no fault is taken for an overflow */
    if (pthread_attr_getstack(&attributes, &low, &size) == 0 && pthread_attr_getguardsize(&attributes, &guard) == 0) {
        arch->stack_low = (ULONG_PTR)low;
        arch->stack_high = (ULONG_PTR)low + size;
    }
    pthread_attr_destroy(&attributes);
}

NTSTATUS plat_thread_attach(void)
{
    if (plat_current)
        return STATUS_SUCCESS;
    /* One mapping: arch_thread | plat_thread | scratch | guard | signal stack | guard | emergency stack. */
    size_t arch_size = ROUND_UP(sizeof(struct arch_thread)), own_size = ROUND_UP(sizeof(struct plat_thread));
    size_t signal_at = arch_size + own_size + 2 * PLAT_PAGE_SIZE;
    size_t emergency_at = signal_at + SIGNAL_STACK_SIZE + PLAT_PAGE_SIZE;
    size_t size = emergency_at + EMERGENCY_STACK_SIZE;
    UCHAR *base = plat_system_map(size, PLAT_READWRITE);
    if (!base)
        return STATUS_NO_MEMORY;
    mprotect(base + signal_at - PLAT_PAGE_SIZE, PLAT_PAGE_SIZE, PROT_NONE);
    mprotect(base + emergency_at - PLAT_PAGE_SIZE, PLAT_PAGE_SIZE, PROT_NONE);
    struct arch_thread *arch = (struct arch_thread *)base;
    struct plat_thread *thread = (struct plat_thread *)(base + arch_size);
    stack_t stack = {.ss_sp = base + signal_at, .ss_size = SIGNAL_STACK_SIZE};
    arch->self = arch;
    arch->plat = thread;
    thread->arch = arch;
    thread->mapping = base;
    thread->mapping_size = size;
    if (mprotect(base + arch_size + own_size, PLAT_PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0)
        thread->scratch = base + arch_size + own_size;
    thread->emergency_stack_top = base + size;
    thread->signal_stack = base + signal_at;
    thread->step.redirected = -1;
    find_stack(arch);
    if (sigaltstack(&stack, NULL) != 0 || syscall(SYS_arch_prctl, ARCH_SET_GS, arch) != 0) {
        plat_system_unmap(base, size);
        return STATUS_UNSUCCESSFUL;
    }
    plat_current = thread;
    host_guard_thread(thread);
    protect_thread_init();
    return STATUS_SUCCESS;
}

void plat_thread_detach(void)
{
    struct plat_thread *thread = plat_current;
    if (!thread)
        return;
    plat_window_close();
    stack_t stack = {.ss_flags = SS_DISABLE};
    host_forget_thread(thread);
    sigaltstack(&stack, NULL);
    plat_current = NULL;
    syscall(SYS_arch_prctl, ARCH_SET_GS, 0ul);
    plat_system_unmap(thread->mapping, thread->mapping_size);
}

struct start {
    void (*entry)(void *);
    void *argument;
};

static void *thread_main(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    if (!NT_SUCCESS(plat_thread_attach()))
        fault_abort("no memory to attach a new thread", 0, 0);
    start.entry(start.argument);
    plat_thread_detach();
    return NULL;
}

NTSTATUS plat_thread_create(void (*entry)(void *), void *argument, uint64_t *id)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return STATUS_NO_MEMORY;
    *start = (struct start){entry, argument};
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_main, start) != 0) {
        free(start);
        return STATUS_NO_MEMORY;
    }
    *id = (uint64_t)thread;
    return STATUS_SUCCESS;
}

void plat_thread_join(uint64_t id)
{
    pthread_join((pthread_t)id, NULL);
}

void plat_thread_forget(uint64_t id)
{
    pthread_detach((pthread_t)id);
}

uint64_t plat_thread_id(void)
{
    return (uint64_t)pthread_self();
}
