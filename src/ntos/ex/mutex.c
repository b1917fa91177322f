/*
 * mutex.c - fast and guarded mutexes, and lists under a spin lock.
 *
 * Count is 1 when free and falls with each thread that wants the mutex; a waiter sleeps on a synchronization event.
 * Taking one that the thread holds would hang for ever on Windows; here it is bug check 0xC4, like releasing one it
 * does not hold: the codes are those of Driver Verifier's deadlock detection.
 */
#include "ex.h"
#include "arch.h"
#include "rtl.h"
#include "verify.h"

static void take(volatile LONG *count, PKTHREAD *owner, ULONG *contention, PRKEVENT event)
{
    PKTHREAD self = ke_thread_current();
    if (__atomic_load_n(owner, __ATOMIC_RELAXED) == self)
        ke_violation(0x1000, (ULONG_PTR)count, 0, 0,
                     "a thread takes a mutex it already holds, which would hang for ever");
    if (__atomic_sub_fetch(count, 1, __ATOMIC_ACQUIRE) != 0) {
        __atomic_add_fetch(contention, 1, __ATOMIC_RELAXED);
        KeWaitForSingleObject(event, Executive, KernelMode, FALSE, NULL);
    }
    __atomic_store_n(owner, self, __ATOMIC_RELAXED);
}

static void give(volatile LONG *count, PKTHREAD *owner, PRKEVENT event)
{
    PKTHREAD self = ke_thread_current(), holder = __atomic_load_n(owner, __ATOMIC_RELAXED);
    if (holder != self)
        ke_violation(holder ? 0x1004 : 0x1007, (ULONG_PTR)count, (ULONG_PTR)holder, holder ? (ULONG_PTR)self : 0,
                     "a thread releases a mutex it does not hold");
    __atomic_store_n(owner, (PKTHREAD)NULL, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(count, 1, __ATOMIC_RELEASE) <= 0)
        KeSetEvent(event, 0, FALSE);
}

static bool try_take(volatile LONG *count, PKTHREAD *owner)
{
    LONG expected = 1;
    if (!__atomic_compare_exchange_n(count, &expected, 0, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(owner, ke_thread_current(), __ATOMIC_RELAXED);
    return true;
}

/* ---- fast mutexes ---- */

VOID NTAPI ExInitializeFastMutex(PFAST_MUTEX FastMutex)
{
    FastMutex->Count = 1;
    FastMutex->Owner = NULL;
    FastMutex->Contention = 0;
    KeInitializeEvent(&FastMutex->Event, SynchronizationEvent, FALSE);
}

/* Waits for the mutex and raises to APC_LEVEL. IRQL <= APC_LEVEL. */
VOID NTAPI ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL old = KfRaiseIrql(APC_LEVEL);
    take(&FastMutex->Count, &FastMutex->Owner, &FastMutex->Contention, &FastMutex->Event);
    FastMutex->OldIrql = old;
}

VOID NTAPI ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL old = (KIRQL)FastMutex->OldIrql;
    give(&FastMutex->Count, &FastMutex->Owner, &FastMutex->Event);
    KfLowerIrql(old);
}

BOOLEAN NTAPI ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL old = KfRaiseIrql(APC_LEVEL);
    if (!try_take(&FastMutex->Count, &FastMutex->Owner)) {
        KfLowerIrql(old);
        return FALSE;
    }
    FastMutex->OldIrql = old;
    return TRUE;
}

/* The unsafe forms leave the IRQL alone: the caller has disabled APCs. */
VOID NTAPI ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    if (ke_verify)
        ke_verify_apcs_disabled(0x39, FastMutex, "a fast mutex is acquired \"unsafe\" while APCs are not disabled");
    take(&FastMutex->Count, &FastMutex->Owner, &FastMutex->Contention, &FastMutex->Event);
}

VOID NTAPI ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    if (ke_verify)
        ke_verify_apcs_disabled(0x3A, FastMutex, "a fast mutex is released \"unsafe\" while APCs are not disabled");
    give(&FastMutex->Count, &FastMutex->Owner, &FastMutex->Event);
}

/* ---- guarded mutexes: the same with a guarded region. Their gate is used as a synchronization event ---- */

VOID NTAPI KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    *Mutex = (KGUARDED_MUTEX){.Count = 1};
    KeInitializeEvent((PRKEVENT)&Mutex->Gate, SynchronizationEvent, FALSE);
}

VOID NTAPI KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    KeEnterGuardedRegion();
    take(&Mutex->Count, &Mutex->Owner, &Mutex->Contention, (PRKEVENT)&Mutex->Gate);
}

VOID NTAPI KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    give(&Mutex->Count, &Mutex->Owner, (PRKEVENT)&Mutex->Gate);
    KeLeaveGuardedRegion();
}

BOOLEAN NTAPI KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    KeEnterGuardedRegion();
    if (try_take(&Mutex->Count, &Mutex->Owner))
        return TRUE;
    KeLeaveGuardedRegion();
    return FALSE;
}

/* ---- lists under a spin lock, at any IRQL. Each returns the neighbour or entry, null when the list was empty ---- */

static KIRQL lock_list(PKSPIN_LOCK lock)
{
    KIRQL old = KeGetCurrentIrql();
    if (old < DISPATCH_LEVEL)
        KfRaiseIrql(DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(lock);
    return old;
}

static void unlock_list(PKSPIN_LOCK lock, KIRQL old)
{
    KeReleaseSpinLockFromDpcLevel(lock);
    KfLowerIrql(old);
}

PLIST_ENTRY NTAPI ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    KIRQL old = lock_list(Lock);
    PLIST_ENTRY first = IsListEmpty(ListHead) ? NULL : ListHead->Flink;
    InsertHeadList(ListHead, ListEntry);
    unlock_list(Lock, old);
    return first;
}

PLIST_ENTRY NTAPI ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    KIRQL old = lock_list(Lock);
    PLIST_ENTRY last = IsListEmpty(ListHead) ? NULL : ListHead->Blink;
    InsertTailList(ListHead, ListEntry);
    unlock_list(Lock, old);
    return last;
}

PLIST_ENTRY NTAPI ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    KIRQL old = lock_list(Lock);
    PLIST_ENTRY entry = IsListEmpty(ListHead) ? NULL : RemoveHeadList(ListHead);
    unlock_list(Lock, old);
    return entry;
}

/* Returns the value before the addition. */
ULONG NTAPI ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
    KIRQL old = lock_list(Lock);
    ULONG before = *Addend;
    *Addend = before + Increment;
    unlock_list(Lock, old);
    return before;
}
