/*
 * apc.c - asynchronous procedure calls and alerts: the queues of a thread, and when their routines run.
 *
 * A thread runs its own APCs, at the places where it could be interrupted: in a wait, when its IRQL falls to
 * PASSIVE_LEVEL, when it leaves a region, at the end of a service, when it queues one for itself. Code that computes
 * is not interrupted: its APCs wait for the next such place.
 */
#include "ke.h"
#include "arch.h"
#include "seh.h"
#include "rtl.h"
#include "wdk/seh.h"

enum { APC_OBJECT = 18 };

/* Index into what there is one of for each mode. */
static int by_mode(KPROCESSOR_MODE mode)
{
    return mode != KernelMode;
}

void (*ke_user_apc)(ULONG_PTR routine, const ULONG_PTR arguments[3]);

void ke_apcs_init(PKTHREAD thread)
{
    InitializeListHead(&thread->Apcs.Queue[KernelMode]);
    InitializeListHead(&thread->Apcs.Queue[UserMode]);
}

/*
 * Makes *Apc ready for KeInsertQueueApc. Without NormalRoutine it is a special kernel APC: KernelRoutine, at APC_LEVEL,
 * is all there is. With one and ApcMode KernelMode, NormalRoutine runs after it at PASSIVE_LEVEL. With UserMode,
 * NormalRoutine is user mode's code. RundownRoutine is called in place of both if the thread ends first.
 */
VOID NTAPI KeInitializeApc(PRKAPC Apc, PKTHREAD Thread, KAPC_ENVIRONMENT Environment, PKKERNEL_ROUTINE KernelRoutine,
                           PKRUNDOWN_ROUTINE RundownRoutine, PKNORMAL_ROUTINE NormalRoutine, KPROCESSOR_MODE ApcMode,
                           PVOID NormalContext)
{
    *Apc = (KAPC){.Type = APC_OBJECT,
                  .Size = sizeof(KAPC),
                  .Thread = Thread,
                  .KernelRoutine = (PVOID)KernelRoutine,
                  .RundownRoutine = (PVOID)RundownRoutine,
                  .NormalRoutine = (PVOID)NormalRoutine,
                  .NormalContext = NormalRoutine ? NormalContext : NULL,
                  .ApcStateIndex = (CCHAR)Environment,
                  .ApcMode = NormalRoutine ? ApcMode : KernelMode};
}

static bool is_special(const KAPC *apc)
{
    return apc->ApcMode == KernelMode && !apc->NormalRoutine;
}

/* Behind its like. Lock held. */
static void enqueue(struct ke_apcs *apcs, PRKAPC apc)
{
    LIST_ENTRY *queue = &apcs->Queue[by_mode(apc->ApcMode)], *before = queue;
    if (is_special(apc)) {
        before = queue->Flink;
        while (before != queue && is_special(CONTAINING_RECORD(before, KAPC, ApcListEntry)))
            before = before->Flink;
    }
    InsertTailList(before, &apc->ApcListEntry);
    apc->Inserted = TRUE;
    if (apc->ApcMode == KernelMode)
        __atomic_store_n(&apcs->Kernel, true, __ATOMIC_RELAXED);
}

/*
 * Queues *Apc for its thread, which runs it at its next chance; the calling thread's own may run before this returns.
 * FALSE: it is queued already, or the thread has ended. IRQL <= DISPATCH_LEVEL.
 */
BOOLEAN NTAPI KeInsertQueueApc(PRKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2, KPRIORITY Increment)
{
    UNREFERENCED_PARAMETER(Increment);
    PKTHREAD thread = Apc->Thread, self = ke_thread_current();
    plat_lock_acquire(&ke_dispatcher_lock);
    bool queued = !Apc->Inserted && !thread->Apcs.Closed;
    if (queued) {
        Apc->SystemArgument1 = SystemArgument1;
        Apc->SystemArgument2 = SystemArgument2;
        enqueue(&thread->Apcs, Apc);
        plat_lock_wake_all(&ke_dispatcher_lock);
    }
    plat_lock_release(&ke_dispatcher_lock);
    if (thread == self)
        ke_apcs_check(self);
    return queued;
}

/* ---- delivery ---- */

/* The oldest of mode's, no longer queued. Lock held, the queue not empty. */
static PRKAPC dequeue(struct ke_apcs *apcs, KPROCESSOR_MODE mode)
{
    PRKAPC apc = CONTAINING_RECORD(RemoveHeadList(&apcs->Queue[by_mode(mode)]), KAPC, ApcListEntry);
    apc->Inserted = FALSE;
    __atomic_store_n(&apcs->Kernel, !IsListEmpty(&apcs->Queue[KernelMode]), __ATOMIC_RELAXED);
    return apc;
}

bool ke_apc_ready(PKTHREAD self)
{
    const struct ke_apcs *apcs = &self->Apcs;
    if (IsListEmpty(&apcs->Queue[KernelMode]) || arch_self()->irql >= APC_LEVEL || self->SpecialApcDisable)
        return false;
    const KAPC *next = CONTAINING_RECORD(apcs->Queue[KernelMode].Flink, KAPC, ApcListEntry);
    return is_special(next) || (!apcs->NormalInProgress && !self->KernelApcDisable);
}

/* What is left to call once the kernel routine has had its say; routine null: nothing. */
struct normal_call {
    ULONG_PTR routine;
    ULONG_PTR arguments[3];
};

/* Calls the kernel routine, after which *apc may be gone. What it raises finds the IRQL as it was before. */
static struct normal_call call_kernel_routine(PRKAPC apc)
{
    ULONG_PTR kernel_routine = (ULONG_PTR)apc->KernelRoutine;
    struct normal_call call = {
        (ULONG_PTR)apc->NormalRoutine,
        {(ULONG_PTR)apc->NormalContext, (ULONG_PTR)apc->SystemArgument1, (ULONG_PTR)apc->SystemArgument2}};
    ke_set_irql(APC_LEVEL);
    __try {
        seh_driver_call_5(kernel_routine, (ULONG_PTR)apc, (ULONG_PTR)&call.routine, (ULONG_PTR)&call.arguments[0],
                          (ULONG_PTR)&call.arguments[1], (ULONG_PTR)&call.arguments[2]);
    } __finally {
        if (AbnormalTermination())
            ke_set_irql(PASSIVE_LEVEL);
    }
    if (arch_self()->irql != APC_LEVEL)
        ke_bugcheck_because(BUGCHECK_IRQL_UNEXPECTED_VALUE,
                            (ULONG_PTR[4]){arch_self()->irql, APC_LEVEL, kernel_routine, 0},
                            "an APC's kernel routine returned at another IRQL than it was called at");
    ke_set_irql(PASSIVE_LEVEL);
    return call;
}

static void call_normal_routine(PKTHREAD self, const struct normal_call *call)
{
    self->Apcs.NormalInProgress = true;
    __try {
        seh_driver_call(call->routine, call->arguments[0], call->arguments[1], call->arguments[2], 0);
    } __finally {
        self->Apcs.NormalInProgress = false;
    }
}

void ke_apcs_deliver(void)
{
    PKTHREAD self = ke_thread_current();
    plat_lock_acquire(&ke_dispatcher_lock);
    while (ke_apc_ready(self)) {
        PRKAPC apc = dequeue(&self->Apcs, KernelMode);
        plat_lock_release(&ke_dispatcher_lock);
        struct normal_call call = call_kernel_routine(apc);
        if (call.routine)
            call_normal_routine(self, &call);
        plat_lock_acquire(&ke_dispatcher_lock);
    }
    plat_lock_release(&ke_dispatcher_lock);
}

/* One user APC of the calling thread. False: there was none. */
static bool run_user_apc(PKTHREAD self)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    bool any = !IsListEmpty(&self->Apcs.Queue[UserMode]);
    PRKAPC apc = any ? dequeue(&self->Apcs, UserMode) : NULL;
    plat_lock_release(&ke_dispatcher_lock);
    if (!any)
        return false;
    struct normal_call call = call_kernel_routine(apc);
    if (call.routine && ke_user_apc)
        ke_user_apc(call.routine, call.arguments);
    return true;
}

void ke_apcs_return_to_user(void)
{
    PKTHREAD self = ke_thread_current();
    ke_apcs_check(self);
    if (!self->Apcs.UserPending)
        return;
    self->Apcs.UserPending = false; /* a system call that an APC makes does not run the next one by itself */
    while (run_user_apc(self))
        continue;
}

void ke_apcs_run_down(PKTHREAD self)
{
    ke_apcs_deliver();
    plat_lock_acquire(&ke_dispatcher_lock);
    self->Apcs.Closed = true;
    while (!IsListEmpty(&self->Apcs.Queue[UserMode])) {
        PRKAPC apc = dequeue(&self->Apcs, UserMode);
        plat_lock_release(&ke_dispatcher_lock);
        if (apc->RundownRoutine)
            seh_driver_call((ULONG_PTR)apc->RundownRoutine, (ULONG_PTR)apc, 0, 0, 0);
        plat_lock_acquire(&ke_dispatcher_lock);
    }
    plat_lock_release(&ke_dispatcher_lock);
}

/* ---- alerts ---- */

NTSTATUS ke_wait_interrupted(PKTHREAD self, KPROCESSOR_MODE mode)
{
    struct ke_apcs *apcs = &self->Apcs;
    for (int by = 0; by <= by_mode(mode); by++) {
        if (!apcs->Alerted[by])
            continue;
        apcs->Alerted[by] = false;
        return STATUS_ALERTED;
    }
    if (IsListEmpty(&apcs->Queue[UserMode]) || self->KernelApcDisable || self->SpecialApcDisable)
        return STATUS_SUCCESS;
    if (mode == UserMode)
        apcs->UserPending = true;
    return STATUS_USER_APC;
}

/* Ends an alertable wait of Thread in AlertMode, this one or the next. TRUE: it had been alerted before. */
BOOLEAN NTAPI KeAlertThread(PKTHREAD Thread, KPROCESSOR_MODE AlertMode)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    BOOLEAN before = Thread->Apcs.Alerted[by_mode(AlertMode)];
    Thread->Apcs.Alerted[by_mode(AlertMode)] = true;
    plat_lock_wake_all(&ke_dispatcher_lock);
    plat_lock_release(&ke_dispatcher_lock);
    return before;
}

/* Whether the calling thread was alerted, once; with UserMode its user APCs run when it returns to user mode. */
BOOLEAN NTAPI KeTestAlertThread(KPROCESSOR_MODE AlertMode)
{
    struct ke_apcs *apcs = &ke_thread_current()->Apcs;
    plat_lock_acquire(&ke_dispatcher_lock);
    BOOLEAN alerted = apcs->Alerted[by_mode(AlertMode)];
    apcs->Alerted[by_mode(AlertMode)] = false;
    if (AlertMode == UserMode && !IsListEmpty(&apcs->Queue[UserMode]))
        apcs->UserPending = true;
    plat_lock_release(&ke_dispatcher_lock);
    return alerted;
}
