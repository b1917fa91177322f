/*
 * regions.c - fast mutexes and executive resources taken together with a critical region, and left together.
 */
#include "ex.h"

/* The mutex is taken with normal kernel APCs disabled, at the caller's IRQL. IRQL <= APC_LEVEL, as for all here. */
VOID NTAPI ExEnterCriticalRegionAndAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(FastMutex);
}

VOID NTAPI ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(PFAST_MUTEX FastMutex)
{
    ExReleaseFastMutexUnsafe(FastMutex);
    KeLeaveCriticalRegion();
}

/* Waits. Returns null: no thread here has the window data that it may point to. */
PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(Resource, TRUE);
    return NULL;
}

PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(Resource, TRUE);
    return NULL;
}

VOID NTAPI ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
    ExReleaseResourceLite(Resource);
    KeLeaveCriticalRegion();
}
