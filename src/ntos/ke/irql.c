/*
 * irql.c - interrupt request levels and spin locks.
 *
 * IRQL belongs to the thread (ke.h). A spin lock's word holds the owner, so that taking it twice or releasing another's
 * is a bug check instead of a hang: 0xF SPIN_LOCK_ALREADY_OWNED, 0x10 SPIN_LOCK_NOT_OWNED.
 */
#include "ke.h"
#include "arch.h"

KIRQL NTAPI KeGetCurrentIrql(VOID)
{
    return (KIRQL)arch_self()->irql;
}

/* Raises to NewIrql and returns the old level; lowering this way is bug check 9. */
KIRQL NTAPI KfRaiseIrql(KIRQL NewIrql)
{
    KIRQL old = KeGetCurrentIrql();
    if (ke_verify && (NewIrql < old || NewIrql > HIGH_LEVEL))
        ke_violation(0x30, old, NewIrql, 0, "KeRaiseIrql was asked for a level below the current one, or for none");
    if (NewIrql < old)
        ke_bugcheck_because(BUGCHECK_IRQL_NOT_GREATER_OR_EQUAL, (ULONG_PTR[4]){NewIrql, old, 0, 0},
                            "KeRaiseIrql was asked for a level below the current one");
    ke_set_irql(NewIrql);
    return old;
}

VOID NTAPI KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
    *OldIrql = KfRaiseIrql(NewIrql);
}

KIRQL NTAPI KeRaiseIrqlToDpcLevel(VOID)
{
    return KfRaiseIrql(DISPATCH_LEVEL);
}

/* Restores a level KeRaiseIrql returned; kernel APCs that waited for PASSIVE_LEVEL run. Raising this way is bug check
 * 0xA. */
VOID NTAPI KfLowerIrql(KIRQL NewIrql)
{
    KIRQL old = KeGetCurrentIrql();
    if (ke_verify && NewIrql > old)
        ke_violation(0x31, old, NewIrql, 0, "KeLowerIrql was asked for a level above the current one, or for none");
    if (NewIrql > old)
        ke_bugcheck_because(BUGCHECK_IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR[4]){NewIrql, old, 0, 0},
                            "KeLowerIrql was asked for a level above the current one");
    ke_set_irql(NewIrql);
    if (NewIrql < APC_LEVEL)
        ke_apcs_check(ke_thread_current());
}

VOID NTAPI KeLowerIrql(KIRQL NewIrql)
{
    KfLowerIrql(NewIrql);
}

/* ---- spin locks ---- */

VOID NTAPI KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    __atomic_store_n(SpinLock, 0, __ATOMIC_RELEASE);
}

static bool try_acquire(PKSPIN_LOCK lock, ULONG_PTR owner)
{
    ULONG_PTR expected = 0;
    return __atomic_compare_exchange_n(lock, &expected, owner, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void acquire(PKSPIN_LOCK lock)
{
    ULONG_PTR owner = (ULONG_PTR)arch_self()->ps_thread | 1;
    while (!try_acquire(lock, owner)) {
        bool mine = __atomic_load_n(lock, __ATOMIC_RELAXED) == owner;
        if (mine && ke_verify)
            ke_violation(0x1000, (ULONG_PTR)lock, 0, 0, "a thread takes a spin lock it already holds");
        if (mine)
            ke_bugcheck_because(BUGCHECK_SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR[4]){(ULONG_PTR)lock, 0, 0, 0},
                                "a thread takes a spin lock it already holds, which would hang for ever");
        plat_yield();
    }
}

static void release(PKSPIN_LOCK lock)
{
    ULONG_PTR self = (ULONG_PTR)arch_self()->ps_thread, owner = __atomic_load_n(lock, __ATOMIC_RELAXED);
    if (ke_verify && !owner)
        ke_violation(0x1007, (ULONG_PTR)lock, 0, 0, "a spin lock is released that nobody holds");
    if (ke_verify && owner != (self | 1))
        ke_violation(0x1004, (ULONG_PTR)lock, owner & ~(ULONG_PTR)1, self,
                     "a spin lock is released that another thread holds");
    if (!owner)
        ke_bugcheck_because(BUGCHECK_SPIN_LOCK_NOT_OWNED, (ULONG_PTR[4]){(ULONG_PTR)lock, 0, 0, 0},
                            "a spin lock is released that nobody holds");
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    KIRQL old = KeRaiseIrqlToDpcLevel();
    acquire(SpinLock);
    return old;
}

VOID NTAPI KeAcquireSpinLock(PKSPIN_LOCK SpinLock, PKIRQL OldIrql)
{
    *OldIrql = KeAcquireSpinLockRaiseToDpc(SpinLock);
}

VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    release(SpinLock);
    KfLowerIrql(NewIrql);
}

VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    acquire(SpinLock);
}

VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    release(SpinLock);
}

BOOLEAN NTAPI KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    return try_acquire(SpinLock, (ULONG_PTR)arch_self()->ps_thread | 1);
}

/* TRUE: free at this moment. */
BOOLEAN NTAPI KeTestSpinLock(PKSPIN_LOCK SpinLock)
{
    return !__atomic_load_n(SpinLock, __ATOMIC_RELAXED);
}

VOID NTAPI KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->LockQueue.Next = NULL;
    LockHandle->LockQueue.Lock = SpinLock;
    LockHandle->OldIrql = KeAcquireSpinLockRaiseToDpc(SpinLock);
}

VOID NTAPI KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeReleaseSpinLock(LockHandle->LockQueue.Lock, LockHandle->OldIrql);
}

VOID NTAPI KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->LockQueue.Next = NULL;
    LockHandle->LockQueue.Lock = SpinLock;
    acquire(SpinLock);
}

VOID NTAPI KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    release(LockHandle->LockQueue.Lock);
}
