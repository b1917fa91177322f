/*
 * start_thread.c - threads that the kernel makes: a host thread with the identity of a process, and its end.
 *
 * thread.c adopts host threads that exist already. A thread made here may end itself anywhere in its routine.
 */
#include "ke.h"
#include "arch.h"
#include "seh.h"
#include "rtl.h"

struct start {
    PKTHREAD thread;
    void (*routine)(void *context);
    void *context;
    NTSTATUS adopted;
    KEVENT running;
};

/* Where ke_thread_exit goes: the frame of the thread's first function, which is alive as long as the thread. */
struct ke_exit {
    void *jump[5];
};

static __attribute__((noinline)) void run(PKTHREAD self, void (*routine)(void *context), void *context)
{
    struct ke_exit exit;
    self->Exit = &exit;
    if (!__builtin_setjmp(exit.jump))
        routine(context);
}

static void thread_main(void *argument)
{
    struct start *start = argument;
    PKTHREAD self = start->thread;
    void (*routine)(void *context) = start->routine;
    void *context = start->context;
    NTSTATUS status = start->adopted = ke_thread_adopt(self);
    KeSetEvent(&start->running, 0, FALSE); /* start is gone from here on */
    if (!NT_SUCCESS(status))
        return;
    run(self, routine, context);
    ke_thread_current()->Exit = NULL;
    ke_thread_detach();
}

NTSTATUS ke_thread_start(PEPROCESS process, void (*routine)(void *context), void *context, ULONG_PTR caller,
                         PKTHREAD *started, uint64_t *host)
{
    struct start start = {.routine = routine, .context = context};
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    start.thread = ke_thread_create(process);
    if (!start.thread)
        return status;
    start.thread->StartCaller = caller;
    KeInitializeEvent(&start.running, NotificationEvent, FALSE);
    ke_thread_reference(start.thread);
    if (!NT_SUCCESS(plat_thread_create(thread_main, &start, host))) {
        ke_thread_release(start.thread);
        ke_thread_release(start.thread);
        return status;
    }
    KeWaitForSingleObject(&start.running, Executive, KernelMode, FALSE, NULL);
    if (!NT_SUCCESS(start.adopted)) {
        plat_thread_join(*host);
        ke_thread_release(start.thread);
        ke_thread_release(start.thread);
        return start.adopted;
    }
    *started = start.thread;
    return STATUS_SUCCESS;
}

bool ke_thread_exit(NTSTATUS status)
{
    PKTHREAD self = ke_thread_current();
    struct ke_exit *exit = self->Exit;
    if (!exit)
        return false;
    self->ExitStatus = status;
    if (arch_self()->irql != PASSIVE_LEVEL)
        ke_bugcheck_because(BUGCHECK_IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR[4]){arch_self()->irql, PASSIVE_LEVEL, 0, 0},
                            "a thread ends above PASSIVE_LEVEL");
    __builtin_longjmp(exit->jump, 1); /* the frames in between hold nothing that must run: the thread's own record of
                                         exception frames goes with it in ke_thread_detach */
}
