/*
 * timer.c - timers and deferred procedure calls.
 *
 * One thread of the system process does both: it sleeps on the dispatcher lock until a timer is due or a DPC is queued,
 * and runs the DPCs at DISPATCH_LEVEL. It starts with the first timer or DPC, so a kernel without any has no thread but
 * its callers. A forked child has no such thread: a case that is to run in a child sets its timers there.
 */
#include "ke.h"
#include "arch.h"
#include "rtl.h"
#include "seh.h"

enum { DPC_OBJECT = 19, MEDIUM_IMPORTANCE = 1 };

/* Guarded by the dispatcher lock. */
static LIST_ENTRY timers, dpcs;
static bool started;
static bool running; /* a DPC routine is being called */

static void queue_dpc(PRKDPC dpc, PVOID first, PVOID second)
{
    dpc->SystemArgument1 = first;
    dpc->SystemArgument2 = second;
    dpc->DpcData = &dpcs;
    InsertTailList(&dpcs, &dpc->DpcListEntry);
    plat_lock_wake_all(&ke_dispatcher_lock);
}

/* Signals what is due; returns when the next timer is, UINT64_MAX if there is none. Lock held. */
static uint64_t expire_timers(void)
{
    uint64_t now = plat_time_ns(), next = UINT64_MAX;
    for (LIST_ENTRY *entry = timers.Flink, *after; entry != &timers; entry = after) {
        PKTIMER timer = CONTAINING_RECORD(entry, KTIMER, TimerListEntry);
        after = entry->Flink;
        if (timer->DueTime.QuadPart <= now) {
            timer->Header.SignalState = 1;
            plat_lock_wake_all(&ke_dispatcher_lock);
            if (timer->Dpc && !timer->Dpc->DpcData)
                queue_dpc(timer->Dpc, NULL, NULL);
            if (timer->Period) {
                timer->DueTime.QuadPart = now + timer->Period * 1000000ull;
            } else {
                RemoveEntryList(entry);
                timer->Header.Inserted = 0;
                continue;
            }
        }
        if (timer->DueTime.QuadPart < next)
            next = timer->DueTime.QuadPart;
    }
    return next;
}

/* Takes one DPC and calls it without the lock. Lock held. */
static void run_dpc(void)
{
    PRKDPC dpc = CONTAINING_RECORD(RemoveHeadList(&dpcs), KDPC, DpcListEntry);
    KDPC copy = *dpc; /* the driver may free or queue it again from here on */
    dpc->DpcData = NULL;
    running = true;
    plat_lock_release(&ke_dispatcher_lock);
    KfRaiseIrql(DISPATCH_LEVEL);
    seh_driver_call((ULONG_PTR)copy.DeferredRoutine, (ULONG_PTR)dpc, (ULONG_PTR)copy.DeferredContext,
                    (ULONG_PTR)copy.SystemArgument1, (ULONG_PTR)copy.SystemArgument2);
    if (KeGetCurrentIrql() != DISPATCH_LEVEL)
        ke_bugcheck_because(BUGCHECK_IRQL_UNEXPECTED_VALUE,
                            (ULONG_PTR[4]){KeGetCurrentIrql(), DISPATCH_LEVEL, (ULONG_PTR)copy.DeferredRoutine, 0},
                            "a DPC routine returned at another IRQL than it was called at");
    KfLowerIrql(PASSIVE_LEVEL);
    plat_lock_acquire(&ke_dispatcher_lock);
    running = false;
    plat_lock_wake_all(&ke_dispatcher_lock);
}

enum { DPCS_AT_ONCE = 256 }; /* between looks at the timers, of which there may be thousands */

static void service(void *context)
{
    UNREFERENCED_PARAMETER(context);
    if (!NT_SUCCESS(ke_thread_attach()))
        return;
    ke_thread_current()->Process = ke_thread_current()->OwnProcess = &ke_system.body;
    ke_thread_current()->SystemThread = TRUE;
    plat_lock_acquire(&ke_dispatcher_lock);
    for (;;) {
        uint64_t next = expire_timers(), now = plat_time_ns();
        bool any = !IsListEmpty(&dpcs);
        for (ULONG i = 0; i < DPCS_AT_ONCE && !IsListEmpty(&dpcs); i++)
            run_dpc();
        if (!any && next > now)
            plat_lock_wait(&ke_dispatcher_lock, next == UINT64_MAX ? UINT64_MAX : next - now);
    }
}

/* Lock held. False: no thread could be made. */
static bool start_service(void)
{
    uint64_t id;
    if (started)
        return true;
    if (!timers.Flink) {
        InitializeListHead(&timers);
        InitializeListHead(&dpcs);
    }
    started = NT_SUCCESS(plat_thread_create(service, NULL, &id));
    return started;
}

void (*ke_forked)(void);

NTSTATUS ke_fork_child(void)
{
    plat_lock_init(&ke_dispatcher_lock); /* the parent's thread may have held it */
    running = false;
    if (ke_forked)
        ke_forked();
    if (!started)
        return STATUS_SUCCESS;
    started = false;
    return start_service() ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static DECLSPEC_NORETURN void no_service(void)
{
    ke_bugcheck_because(BUGCHECK_MEMORY_MANAGEMENT, (ULONG_PTR[4]){0}, "the host gave no thread for timers and DPCs");
}

/* ---- timers ---- */

VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    __builtin_memset(Timer, 0, sizeof(*Timer));
    Timer->Header.Type = (UCHAR)(TimerNotificationObject + Type);
    Timer->Header.Size = sizeof(*Timer) / sizeof(LONG);
    InitializeListHead(&Timer->Header.WaitListHead);
}

VOID NTAPI KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

/* Lock held. TRUE: it was set. */
static BOOLEAN cancel(PKTIMER timer)
{
    if (!timer->Header.Inserted)
        return FALSE;
    RemoveEntryList(&timer->TimerListEntry);
    timer->Header.Inserted = 0;
    return TRUE;
}

/*
 * Sets Timer, resetting its state: DueTime negative is relative in 100 ns, else system time; Period in ms, 0 for once;
 * Dpc, if any, is queued at each expiry. TRUE: it was set before. IRQL <= DISPATCH_LEVEL.
 */
BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    uint64_t due = ke_deadline(&DueTime);
    plat_lock_acquire(&ke_dispatcher_lock);
    if (!start_service())
        no_service();
    BOOLEAN was_set = cancel(Timer);
    Timer->Header.SignalState = 0;
    Timer->DueTime.QuadPart = due;
    Timer->Period = (ULONG)Period;
    Timer->Dpc = Dpc;
    Timer->Header.Inserted = 1;
    InsertTailList(&timers, &Timer->TimerListEntry);
    plat_lock_wake_all(&ke_dispatcher_lock);
    plat_lock_release(&ke_dispatcher_lock);
    return was_set;
}

BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/* TRUE: it was set. A DPC that is queued already still runs. */
BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    BOOLEAN was_set = cancel(Timer);
    plat_lock_release(&ke_dispatcher_lock);
    return was_set;
}

BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer)
{
    return __atomic_load_n(&Timer->Header.SignalState, __ATOMIC_ACQUIRE) != 0;
}

/* ---- DPCs ---- */

VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    *Dpc = (KDPC){.Type = DPC_OBJECT,
                  .Importance = MEDIUM_IMPORTANCE,
                  .DeferredRoutine = DeferredRoutine,
                  .DeferredContext = DeferredContext};
}

/* FALSE: it is queued already, and the arguments of that time hold. */
BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    if (!start_service())
        no_service();
    BOOLEAN queued = !Dpc->DpcData;
    if (queued)
        queue_dpc(Dpc, SystemArgument1, SystemArgument2);
    plat_lock_release(&ke_dispatcher_lock);
    return queued;
}

/* TRUE: it was queued and will not run. */
BOOLEAN NTAPI KeRemoveQueueDpc(PRKDPC Dpc)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    BOOLEAN queued = Dpc->DpcData != NULL;
    if (queued) {
        RemoveEntryList(&Dpc->DpcListEntry);
        Dpc->DpcData = NULL;
    }
    plat_lock_release(&ke_dispatcher_lock);
    return queued;
}

static VOID NTAPI flushed(PRKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    __atomic_store_n((bool *)context, true, __ATOMIC_RELEASE);
}

/*
 * Returns when every DPC queued before has run; those that are queued meanwhile, by timers without end for instance,
 * are not waited for. IRQL PASSIVE_LEVEL.
 */
VOID NTAPI KeFlushQueuedDpcs(VOID)
{
    KDPC last;
    bool done = false;
    KeInitializeDpc(&last, flushed, &done);
    plat_lock_acquire(&ke_dispatcher_lock);
    bool idle = !started || (!running && IsListEmpty(&dpcs));
    if (!idle)
        queue_dpc(&last, NULL, NULL);
    while (!idle && !__atomic_load_n(&done, __ATOMIC_ACQUIRE))
        plat_lock_wait(&ke_dispatcher_lock, UINT64_MAX);
    plat_lock_release(&ke_dispatcher_lock);
}

/* There is one queue: importance and target change nothing. */
VOID NTAPI KeSetImportanceDpc(PRKDPC Dpc, LONG Importance)
{
    Dpc->Importance = (UCHAR)Importance;
}

VOID NTAPI KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Number);
}

/* ---- for the verifier ---- */

ULONG_PTR ke_timer_within(ULONG_PTR from, SIZE_T size)
{
    ULONG_PTR found = 0;
    plat_lock_acquire(&ke_dispatcher_lock);
    for (LIST_ENTRY *entry = timers.Flink; entry && entry != &timers && !found; entry = entry->Flink)
        if ((ULONG_PTR)entry - from < size)
            found = (ULONG_PTR)CONTAINING_RECORD(entry, KTIMER, TimerListEntry);
    plat_lock_release(&ke_dispatcher_lock);
    return found;
}

ULONG_PTR ke_dpc_within(ULONG_PTR from, SIZE_T size)
{
    ULONG_PTR found = 0;
    plat_lock_acquire(&ke_dispatcher_lock);
    for (LIST_ENTRY *entry = dpcs.Flink; entry && entry != &dpcs && !found; entry = entry->Flink)
        if ((ULONG_PTR)entry - from < size)
            found = (ULONG_PTR)CONTAINING_RECORD(entry, KDPC, DpcListEntry);
    plat_lock_release(&ke_dispatcher_lock);
    return found;
}

ULONG_PTR ke_routine_within(ULONG_PTR from, SIZE_T size, ULONG_PTR *routine)
{
    const KDPC *found = NULL;
    plat_lock_acquire(&ke_dispatcher_lock);
    for (LIST_ENTRY *entry = timers.Flink; entry && entry != &timers && !found; entry = entry->Flink) {
        const KDPC *dpc = CONTAINING_RECORD(entry, KTIMER, TimerListEntry)->Dpc;
        found = dpc && (ULONG_PTR)dpc->DeferredRoutine - from < size ? dpc : NULL;
    }
    for (LIST_ENTRY *entry = dpcs.Flink; entry && entry != &dpcs && !found; entry = entry->Flink) {
        const KDPC *dpc = CONTAINING_RECORD(entry, KDPC, DpcListEntry);
        found = (ULONG_PTR)dpc->DeferredRoutine - from < size ? dpc : NULL;
    }
    *routine = found ? (ULONG_PTR)found->DeferredRoutine : 0;
    plat_lock_release(&ke_dispatcher_lock);
    return (ULONG_PTR)found;
}
