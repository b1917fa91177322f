/*
 * wait.c - dispatcher objects: events, semaphores, and waiting for them and others. Mutexes stand in mutex.c.
 *
 * One lock guards all of them. A waiter sleeps on that lock's condition and looks again whenever anything was
 * signalled: plain, and right for the handful of threads a driver has here. Order among waiters is not promised, as on
 * Windows.
 */
#include "verify.h"
#include "arch.h"
#include "seh.h"
#include "rtl.h"

struct plat_lock ke_dispatcher_lock;

void ke_dispatcher_init(DISPATCHER_HEADER *header, UCHAR type, SIZE_T size, LONG state)
{
    header->Type = type;
    header->Abandoned = 0;
    header->Size = (UCHAR)(size / sizeof(LONG));
    header->Inserted = 0;
    header->SignalState = state;
    InitializeListHead(&header->WaitListHead);
}

/* Changes the state under the lock and wakes waiters; returns the old state. */
static LONG exchange_state(DISPATCHER_HEADER *header, LONG state)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    LONG old = header->SignalState;
    header->SignalState = state;
    if (state > 0)
        plat_lock_wake_all(&ke_dispatcher_lock);
    plat_lock_release(&ke_dispatcher_lock);
    return old;
}

/* ---- events ---- */

VOID NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    ke_dispatcher_init(&Event->Header, (UCHAR)Type, sizeof(KEVENT), State != 0);
}

/* Returns the previous state. Wait TRUE promises that the caller waits at once; here that is an ordinary wait. IRQL <=
 * DISPATCH_LEVEL. */
LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(Increment);
    UNREFERENCED_PARAMETER(Wait);
    return exchange_state(&Event->Header, 1);
}

LONG NTAPI KeResetEvent(PRKEVENT Event)
{
    return exchange_state(&Event->Header, 0);
}

VOID NTAPI KeClearEvent(PRKEVENT Event)
{
    exchange_state(&Event->Header, 0);
}

LONG NTAPI KeReadStateEvent(PRKEVENT Event)
{
    return __atomic_load_n(&Event->Header.SignalState, __ATOMIC_ACQUIRE);
}

/* Sets and resets. Waiters that are asleep may miss it: the documentation warns against relying on it. */
LONG NTAPI KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    LONG old = KeSetEvent(Event, Increment, Wait);
    plat_yield();
    KeResetEvent(Event);
    return old;
}

/* ---- semaphores ---- */

VOID NTAPI KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    ke_dispatcher_init(&Semaphore->Header, SemaphoreObject, sizeof(KSEMAPHORE), Count);
    Semaphore->Limit = Limit;
}

/* Returns the previous count. Raises STATUS_SEMAPHORE_LIMIT_EXCEEDED, changing nothing, beyond the limit. */
LONG NTAPI KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(Increment);
    UNREFERENCED_PARAMETER(Wait);
    plat_lock_acquire(&ke_dispatcher_lock);
    LONG old = Semaphore->Header.SignalState;
    bool fits = Adjustment > 0 && old <= Semaphore->Limit && Adjustment <= Semaphore->Limit - old;
    if (fits) {
        Semaphore->Header.SignalState = old + Adjustment;
        plat_lock_wake_all(&ke_dispatcher_lock);
    }
    plat_lock_release(&ke_dispatcher_lock);
    if (!fits)
        seh_raise_status(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    return old;
}

LONG NTAPI KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
    return __atomic_load_n(&Semaphore->Header.SignalState, __ATOMIC_ACQUIRE);
}

/* ---- waiting ---- */

static bool is_signalled(const DISPATCHER_HEADER *header, PKTHREAD self)
{
    if (header->Type == MutantObject && ((const KMUTANT *)header)->OwnerThread == self)
        return true;
    return header->SignalState > 0;
}

/* What a satisfied wait takes from the object. True: it is a mutex whose last owner ended. */
static bool consume(DISPATCHER_HEADER *header, PKTHREAD self)
{
    switch (header->Type) {
    case SynchronizationEventObject:
    case TimerSynchronizationObject:
        header->SignalState = 0;
        break;
    case SemaphoreObject:
        header->SignalState--;
        break;
    case MutantObject:
        return ke_mutex_take((PRKMUTEX)header, self);
    default:
        break;
    }
    return false;
}

uint64_t ke_deadline(const LARGE_INTEGER *timeout)
{
    if (!timeout)
        return UINT64_MAX;
    uint64_t now = plat_time_ns(), units;
    if (timeout->QuadPart < 0) {
        units = 0 - (uint64_t)timeout->QuadPart;
    } else {
        uint64_t system_now = plat_system_time_100ns();
        units = (uint64_t)timeout->QuadPart > system_now ? (uint64_t)timeout->QuadPart - system_now : 0;
    }
    return units > (UINT64_MAX - 1 - now) / 100 ? UINT64_MAX - 1 : now + units * 100;
}

static void check_may_block(const LARGE_INTEGER *timeout, PVOID object)
{
    bool blocks = !timeout || timeout->QuadPart != 0;
    if (arch_self()->irql >= DISPATCH_LEVEL && blocks)
        ke_bugcheck_because(BUGCHECK_ATTEMPTED_SWITCH_FROM_DPC,
                            (ULONG_PTR[4]){(ULONG_PTR)ke_thread_current(), (ULONG_PTR)object, arch_self()->irql, 0},
                            "a wait at DISPATCH_LEVEL or above with a timeout other than zero");
}

/* One look at all objects. True: *status is the wait's result and what it takes has been taken. */
static bool try_satisfy(ULONG count, DISPATCHER_HEADER **objects, WAIT_TYPE type, PKTHREAD self, NTSTATUS *status)
{
    ULONG ready = 0;
    for (ULONG i = 0; i < count; i++) {
        if (!is_signalled(objects[i], self))
            continue;
        ready++;
        if (type == WaitAny) {
            *status = (NTSTATUS)((consume(objects[i], self) ? STATUS_ABANDONED_WAIT_0 : STATUS_WAIT_0) + i);
            return true;
        }
    }
    if (ready < count)
        return false;
    *status = STATUS_SUCCESS;
    for (ULONG i = 0; i < count; i++)
        if (consume(objects[i], self))
            *status = STATUS_ABANDONED_WAIT_0;
    return true;
}

/* Who waits: as what, and whether APCs of user mode and alerts end it. */
struct waiter {
    KPROCESSOR_MODE mode;
    BOOLEAN alertable;
};

static NTSTATUS wait(ULONG count, PVOID objects[], WAIT_TYPE type, struct waiter waiter, const LARGE_INTEGER *timeout)
{
    PKTHREAD self = ke_thread_current();
    uint64_t deadline = ke_deadline(timeout), now;
    NTSTATUS status = STATUS_TIMEOUT, interrupted;
    plat_lock_acquire(&ke_dispatcher_lock);
    for (;;) {
        if (self->Apcs.Kernel && ke_apc_ready(self)) { /* they interrupt the wait, which then goes on */
            plat_lock_release(&ke_dispatcher_lock);
            ke_apcs_deliver();
            plat_lock_acquire(&ke_dispatcher_lock);
        }
        if (try_satisfy(count, (DISPATCHER_HEADER **)objects, type, self, &status))
            break;
        interrupted = waiter.alertable ? ke_wait_interrupted(self, waiter.mode) : STATUS_SUCCESS;
        if (interrupted) {
            status = interrupted;
            break;
        }
        now = deadline == UINT64_MAX ? 0 : plat_time_ns();
        if (now >= deadline)
            break;
        plat_lock_wait(&ke_dispatcher_lock, deadline == UINT64_MAX ? UINT64_MAX : deadline - now);
    }
    plat_lock_release(&ke_dispatcher_lock);
    return status;
}

/*
 * STATUS_SUCCESS when signalled, STATUS_ABANDONED_WAIT_0 if it is a mutex whose last owner ended, STATUS_TIMEOUT; with
 * Alertable STATUS_ALERTED, or STATUS_USER_APC, after which the APC runs when the thread returns to user mode if
 * WaitMode is UserMode. Kernel APCs run meanwhile. IRQL <= APC_LEVEL unless Timeout is zero.
 */
NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                     PLARGE_INTEGER Timeout)
{
    UNREFERENCED_PARAMETER(WaitReason);
    LARGE_INTEGER copy, *timeout = Timeout ? (copy = *Timeout, &copy) : NULL;
    if (ke_verify)
        ke_verify_wait(Object, timeout, WaitMode);
    __atomic_load_n(&((DISPATCHER_HEADER *)Object)->Type,
                    __ATOMIC_RELAXED); /* a bad pointer faults before the lock is held */
    check_may_block(timeout, Object);
    return wait(1, &Object, WaitAll, (struct waiter){WaitMode, Alertable}, timeout);
}

/*
 * WaitAny: STATUS_WAIT_0 or STATUS_ABANDONED_WAIT_0 + index of the object; WaitAll: STATUS_SUCCESS or
 * STATUS_ABANDONED_WAIT_0; else as KeWaitForSingleObject. More objects
 * than THREAD_WAIT_OBJECTS without an array of wait blocks, or than MAXIMUM_WAIT_OBJECTS, is bug check 0xC
 * (MAXIMUM_WAIT_OBJECTS_EXCEEDED), as documented.
 */
NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KWAIT_REASON WaitReason,
                                        KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                        PKWAIT_BLOCK WaitBlockArray)
{
    UNREFERENCED_PARAMETER(WaitReason);
    if (Count > MAXIMUM_WAIT_OBJECTS || (Count > THREAD_WAIT_OBJECTS && !WaitBlockArray))
        ke_bugcheck_because(BUGCHECK_MAXIMUM_WAIT_OBJECTS_EXCEEDED, (ULONG_PTR[4]){Count, 0, 0, 0},
                            "KeWaitForMultipleObjects was given too many objects for the wait blocks it has");
    LARGE_INTEGER copy, *timeout = Timeout ? (copy = *Timeout, &copy) : NULL;
    PVOID objects[MAXIMUM_WAIT_OBJECTS];
    for (ULONG i = 0; i < Count; i++) {
        objects[i] = Object[i];
        if (ke_verify)
            ke_verify_wait(objects[i], timeout, WaitMode);
        __atomic_load_n(&((DISPATCHER_HEADER *)objects[i])->Type, __ATOMIC_RELAXED);
    }
    check_may_block(timeout, Object);
    return wait(Count, objects, WaitType, (struct waiter){WaitMode, Alertable}, timeout);
}

/* Sleeps for *Interval (negative: relative, in 100 ns). With Alertable also STATUS_ALERTED, STATUS_USER_APC. IRQL <=
 * APC_LEVEL. */
NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    KEVENT never;
    LARGE_INTEGER interval = *Interval;
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    check_may_block(&interval, Interval);
    PVOID object = &never;
    NTSTATUS status = wait(1, &object, WaitAll, (struct waiter){WaitMode, Alertable}, &interval);
    return status == STATUS_TIMEOUT ? STATUS_SUCCESS : status;
}
