/*
 * pushlock.c - push locks: one word, shared by many or held by one. Waiters sleep (park.h).
 *
 * The word: bit 0 held exclusively, bit 1 somebody waits to hold it so (new sharers wait behind them), from bit 2 up
 * the number of sharers. It has no owner, as on Windows, so taking it twice hangs there and here. Releasing one that is
 * not held that way is bug check 0x139 with code 14. The caller has disabled APCs. Flags are not looked at.
 */
#include "ex.h"
#include "park.h"
#include "rtl.h"
#include "wdk/sync.h"

#define EXCLUSIVE ((ULONG_PTR)1)
#define WANTED    ((ULONG_PTR)2)
#define ONE_SHARE ((ULONG_PTR)4)

static bool change(ULONG_PTR *word, ULONG_PTR *old, ULONG_PTR new)
{
    return __atomic_compare_exchange_n(word, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool take_exclusive(ULONG_PTR *word)
{
    ULONG_PTR old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    for (;;) {
        bool free = !(old & ~WANTED);
        if (change(word, &old, free ? EXCLUSIVE : old | WANTED))
            return free;
    }
}

static bool take_shared(ULONG_PTR *word)
{
    ULONG_PTR old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    do {
        if (old & (EXCLUSIVE | WANTED))
            return false;
    } while (!change(word, &old, old + ONE_SHARE));
    return true;
}

VOID NTAPI ExInitializePushLock(PEX_PUSH_LOCK PushLock)
{
    __atomic_store_n(PushLock, 0, __ATOMIC_SEQ_CST);
}

/* IRQL <= APC_LEVEL. */
VOID NTAPI ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ex_park_until(take_exclusive, PushLock);
}

VOID NTAPI ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ex_park_until(take_shared, PushLock);
}

/* Those who wait ask again for themselves, so WANTED goes with the holder. */
VOID NTAPI ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ULONG_PTR old = __atomic_exchange_n(PushLock, 0, __ATOMIC_SEQ_CST);
    if (!(old & EXCLUSIVE))
        rtl_corrupt(RTL_CORRUPT_COUNT, PushLock, "a push lock is released that nobody holds exclusively");
    ex_park_wake();
}

VOID NTAPI ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ULONG_PTR old = __atomic_load_n(PushLock, __ATOMIC_SEQ_CST), new;
    do {
        if (old < ONE_SHARE || old & EXCLUSIVE)
            rtl_corrupt(RTL_CORRUPT_COUNT, PushLock, "a push lock is released that nobody shares");
        new = old - ONE_SHARE;
        if (new == WANTED)
            new = 0;
    } while (!change(PushLock, &old, new));
    if (!new)
        ex_park_wake();
}

/* Whichever way it is held. */
VOID NTAPI ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    if (__atomic_load_n(PushLock, __ATOMIC_SEQ_CST) & EXCLUSIVE)
        ExReleasePushLockExclusiveEx(PushLock, Flags);
    else
        ExReleasePushLockSharedEx(PushLock, Flags);
}
