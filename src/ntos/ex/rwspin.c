/*
 * rwspin.c - reader-writer spin locks (EX_SPIN_LOCK), zero when free.
 *
 * Bit 31: held exclusively; bit 30: somebody spins for that, and new readers let them pass; below: the readers.
 * Releasing one that is not held that way is bug check 0x10.
 */
#include "ex.h"
#include "wdk/sync.h"

#define EXCLUSIVE 0x80000000u
#define WANTED    0x40000000u
#define READERS   0x3FFFFFFFu

static bool change(PEX_SPIN_LOCK lock, ULONG *old, ULONG new)
{
    return __atomic_compare_exchange_n((volatile ULONG *)lock, old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static ULONG value_of(PEX_SPIN_LOCK lock)
{
    return __atomic_load_n((volatile ULONG *)lock, __ATOMIC_RELAXED);
}

static DECLSPEC_NORETURN void not_held(PEX_SPIN_LOCK lock, const char *why)
{
    ke_bugcheck_because(BUGCHECK_SPIN_LOCK_NOT_OWNED, (ULONG_PTR[4]){(ULONG_PTR)lock, 0, 0, 0}, why);
}

VOID NTAPI ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    for (;;) {
        ULONG old = value_of(SpinLock);
        if (!(old & (EXCLUSIVE | WANTED)) && change(SpinLock, &old, old + 1))
            return;
        plat_yield();
    }
}

VOID NTAPI ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    for (;;) {
        ULONG old = value_of(SpinLock);
        if (!(old & ~WANTED) && change(SpinLock, &old, EXCLUSIVE))
            return;
        if (old & ~WANTED)
            change(SpinLock, &old, old | WANTED);
        plat_yield();
    }
}

/* Raise to DISPATCH_LEVEL and return the level before. */
KIRQL NTAPI ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock)
{
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
    ExAcquireSpinLockSharedAtDpcLevel(SpinLock);
    return old;
}

KIRQL NTAPI ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
    ExAcquireSpinLockExclusiveAtDpcLevel(SpinLock);
    return old;
}

VOID NTAPI ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    ULONG old = value_of(SpinLock);
    do {
        if (!(old & READERS))
            not_held(SpinLock, "a reader-writer spin lock is released that nobody shares");
    } while (!change(SpinLock, &old, old - 1));
}

VOID NTAPI ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    ULONG old = value_of(SpinLock);
    do {
        if (!(old & EXCLUSIVE))
            not_held(SpinLock, "a reader-writer spin lock is released that nobody holds exclusively");
    } while (!change(SpinLock, &old, 0));
}

VOID NTAPI ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    ExReleaseSpinLockSharedFromDpcLevel(SpinLock);
    KfLowerIrql(OldIrql);
}

VOID NTAPI ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    ExReleaseSpinLockExclusiveFromDpcLevel(SpinLock);
    KfLowerIrql(OldIrql);
}

/* From the only reader to exclusive. FALSE: there are others, or somebody waits; the lock is still shared. */
LOGICAL NTAPI ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    ULONG old = 1;
    return change(SpinLock, &old, EXCLUSIVE);
}
