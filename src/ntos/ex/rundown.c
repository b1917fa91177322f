/*
 * rundown.c - rundown protection: references to a thing that one thread may want to take away.
 *
 * Releasing a reference nobody took is bug check 0x139 with code 14 (an invalid reference count).
 */
#include "ex.h"
#include "park.h"
#include "rtl.h"
#include "seh.h"
#include "wdk/sync.h"

#define RUN_DOWN      ((ULONG_PTR)1)
#define ONE_REFERENCE ((ULONG_PTR)2)

/* The form kept per processor on Windows; every thread here is a processor of its own, so one count serves. */
struct _EX_RUNDOWN_REF_CACHE_AWARE {
    EX_RUNDOWN_REF common;
};

VOID NTAPI ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, 0, __ATOMIC_SEQ_CST);
}

/* After a rundown: references can be taken again. */
VOID NTAPI ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, 0, __ATOMIC_SEQ_CST);
}

/* FALSE: the thing is run down or about to be, and must not be touched. IRQL <= DISPATCH_LEVEL. */
BOOLEAN NTAPI ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG_PTR old = __atomic_load_n(&RunRef->Count, __ATOMIC_SEQ_CST);
    do {
        if (old & RUN_DOWN)
            return FALSE;
    } while (!__atomic_compare_exchange_n(&RunRef->Count, &old, old + Count * ONE_REFERENCE, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    return TRUE;
}

BOOLEAN NTAPI ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    return ExAcquireRundownProtectionEx(RunRef, 1);
}

VOID NTAPI ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG_PTR old = __atomic_load_n(&RunRef->Count, __ATOMIC_SEQ_CST);
    do {
        if (old / ONE_REFERENCE < Count)
            rtl_corrupt(RTL_CORRUPT_COUNT, RunRef, "rundown protection is released that nobody holds");
    } while (!__atomic_compare_exchange_n(&RunRef->Count, &old, old - Count * ONE_REFERENCE, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    if (old - Count * ONE_REFERENCE == RUN_DOWN)
        ex_park_wake();
}

VOID NTAPI ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ExReleaseRundownProtectionEx(RunRef, 1);
}

VOID NTAPI ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, RUN_DOWN, __ATOMIC_SEQ_CST);
}

static bool is_free(ULONG_PTR *word)
{
    return __atomic_or_fetch(word, RUN_DOWN, __ATOMIC_SEQ_CST) == RUN_DOWN;
}

/* Refuses new references and waits until the old ones are released. IRQL <= APC_LEVEL. */
VOID NTAPI ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    ex_park_until(is_free, &RunRef->Count);
}

/* ---- the cache-aware form ---- */

SIZE_T NTAPI ExSizeOfRundownProtectionCacheAware(VOID)
{
    return sizeof(struct _EX_RUNDOWN_REF_CACHE_AWARE);
}

/* For memory of ExSizeOfRundownProtectionCacheAware bytes that the driver has. */
VOID NTAPI ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, SIZE_T RunRefSize)
{
    if (RunRefSize < sizeof(*RunRefCacheAware))
        ExRaiseStatus(STATUS_INVALID_PARAMETER_2);
    *RunRefCacheAware = (struct _EX_RUNDOWN_REF_CACHE_AWARE){0};
}

PEX_RUNDOWN_REF_CACHE_AWARE NTAPI ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType, ULONG PoolTag)
{
    PEX_RUNDOWN_REF_CACHE_AWARE made =
        ExAllocatePoolWithTag(PoolType, sizeof(struct _EX_RUNDOWN_REF_CACHE_AWARE), PoolTag);
    if (made)
        *made = (struct _EX_RUNDOWN_REF_CACHE_AWARE){0};
    return made;
}

VOID NTAPI ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExFreePool(RunRefCacheAware);
}

BOOLEAN NTAPI ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    return ExAcquireRundownProtection(&RunRefCacheAware->common);
}

BOOLEAN NTAPI ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count)
{
    return ExAcquireRundownProtectionEx(&RunRefCacheAware->common, Count);
}

VOID NTAPI ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExReleaseRundownProtection(&RunRefCacheAware->common);
}

VOID NTAPI ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count)
{
    ExReleaseRundownProtectionEx(&RunRefCacheAware->common, Count);
}

VOID NTAPI ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExReInitializeRundownProtection(&RunRefCacheAware->common);
}

VOID NTAPI ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExRundownCompleted(&RunRefCacheAware->common);
}

VOID NTAPI ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExWaitForRundownProtectionRelease(&RunRefCacheAware->common);
}
