/*
 * ex.h - executive support: pool, fast and guarded mutexes, resources, lookaside lists. For ELF builds; see wdm.h.
 */
#pragma once
#include "wdk/ke.h"

typedef enum _POOL_TYPE {
    NonPagedPool = 0,
    NonPagedPoolExecute = 0,
    PagedPool = 1,
    NonPagedPoolMustSucceed = 2,
    NonPagedPoolCacheAligned = 4,
    PagedPoolCacheAligned = 5,
    NonPagedPoolNx = 512,
    NonPagedPoolNxCacheAligned = 516
} POOL_TYPE;

#define POOL_COLD_ALLOCATION             256
#define POOL_QUOTA_FAIL_INSTEAD_OF_RAISE 8
#define POOL_RAISE_IF_ALLOCATION_FAILURE 16
#define POOL_ZERO_ALLOCATION             1024

typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_REQUIRED_START    0x1ull
#define POOL_FLAG_USE_QUOTA         0x1ull
#define POOL_FLAG_UNINITIALIZED     0x2ull
#define POOL_FLAG_SESSION           0x4ull
#define POOL_FLAG_CACHE_ALIGNED     0x8ull
#define POOL_FLAG_RESERVED1         0x10ull
#define POOL_FLAG_RAISE_ON_FAILURE  0x20ull
#define POOL_FLAG_NON_PAGED         0x40ull
#define POOL_FLAG_NON_PAGED_EXECUTE 0x80ull
#define POOL_FLAG_PAGED             0x100ull
#define POOL_FLAG_RESERVED2         0x200ull
#define POOL_FLAG_RESERVED3         0x400ull
#define POOL_FLAG_REQUIRED_END      0x80000000ull
#define POOL_FLAG_OPTIONAL_START    0x100000000ull
#define POOL_FLAG_SPECIAL_POOL      0x100000000ull
#define POOL_FLAG_OPTIONAL_END      0x8000000000000000ull

typedef struct _POOL_EXTENDED_PARAMETER POOL_EXTENDED_PARAMETER, *PPOOL_EXTENDED_PARAMETER;

typedef struct _FAST_MUTEX {
    volatile LONG Count; /* 1 when free */
    PKTHREAD Owner;
    ULONG Contention;
    KEVENT Event;
    ULONG OldIrql;
} FAST_MUTEX, *PFAST_MUTEX;

typedef struct _KGUARDED_MUTEX {
    volatile LONG Count;
    PKTHREAD Owner;
    ULONG Contention;
    struct {
        DISPATCHER_HEADER Header;
    } Gate;
    union {
        struct {
            SHORT KernelApcDisable, SpecialApcDisable;
        };
        ULONG CombinedApcDisable;
    };
} KGUARDED_MUTEX, *PKGUARDED_MUTEX;

typedef struct _OWNER_ENTRY {
    ULONG_PTR OwnerThread;
    union {
        struct {
            ULONG IoPriorityBoosted : 1;
            ULONG OwnerReferenced : 1;
            ULONG OwnerCount : 30;
        };
        ULONG TableSize;
    };
} OWNER_ENTRY, *POWNER_ENTRY;

typedef struct _ERESOURCE {
    LIST_ENTRY SystemResourcesList;
    POWNER_ENTRY OwnerTable;
    SHORT ActiveCount;
    USHORT Flag;
    volatile PKSEMAPHORE SharedWaiters;
    volatile PKEVENT ExclusiveWaiters;
    OWNER_ENTRY OwnerEntry;
    ULONG ActiveEntries;
    ULONG ContentionCount;
    ULONG NumberOfSharedWaiters;
    ULONG NumberOfExclusiveWaiters;
    PVOID Reserved2;
    union {
        PVOID Address;
        ULONG_PTR CreatorBackTraceIndex;
    };
    KSPIN_LOCK SpinLock;
} ERESOURCE, *PERESOURCE;

PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                            const POOL_EXTENDED_PARAMETER *ExtendedParameters, ULONG ExtendedParametersCount);
PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes);
PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes);
PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, ULONG Priority);
PVOID NTAPI ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
VOID NTAPI ExFreePool(PVOID P);
VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag);
VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, const POOL_EXTENDED_PARAMETER *ExtendedParameters,
                       ULONG ExtendedParametersCount);

VOID NTAPI ExInitializeFastMutex(PFAST_MUTEX FastMutex);
VOID NTAPI ExAcquireFastMutex(PFAST_MUTEX FastMutex);
VOID NTAPI ExReleaseFastMutex(PFAST_MUTEX FastMutex);
BOOLEAN NTAPI ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex);
VOID NTAPI ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex);
VOID NTAPI ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex);
VOID NTAPI KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex);
VOID NTAPI KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex);
VOID NTAPI KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex);
BOOLEAN NTAPI KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex);
PLIST_ENTRY NTAPI ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock);
PLIST_ENTRY NTAPI ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock);
PLIST_ENTRY NTAPI ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock);
ULONG NTAPI ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock);

NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource);
NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource);
BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait);
BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait);
BOOLEAN NTAPI ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait);
BOOLEAN NTAPI ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait);
VOID NTAPI ExSetResourceOwnerPointer(PERESOURCE Resource, PVOID OwnerPointer);
VOID NTAPI ExReleaseResourceLite(PERESOURCE Resource);
VOID NTAPI ExReleaseResourceForThreadLite(PERESOURCE Resource, ULONG_PTR ResourceThreadId);
VOID NTAPI ExConvertExclusiveToSharedLite(PERESOURCE Resource);
BOOLEAN NTAPI ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource);
ULONG NTAPI ExIsResourceAcquiredSharedLite(PERESOURCE Resource);
ULONG NTAPI ExGetExclusiveWaiterCount(PERESOURCE Resource);
ULONG NTAPI ExGetSharedWaiterCount(PERESOURCE Resource);

/* ---- timers that the system allocates ---- */
#define EX_TIMER_HIGH_RESOLUTION 4u
#define EX_TIMER_NO_WAKE         8u
#define EX_TIMER_NOTIFICATION    0x80000000u

typedef struct _EX_TIMER *PEX_TIMER; /* opaque, waitable */
typedef VOID(NTAPI EXT_CALLBACK)(PEX_TIMER Timer, PVOID Context);
typedef EXT_CALLBACK *PEXT_CALLBACK;
typedef VOID(NTAPI EXT_DELETE_CALLBACK)(PVOID Context);
typedef EXT_DELETE_CALLBACK *PEXT_DELETE_CALLBACK;
typedef struct _EXT_DELETE_PARAMETERS {
    ULONG Version, Reserved;
    PEXT_DELETE_CALLBACK DeleteCallback;
    PVOID DeleteContext;
} EXT_DELETE_PARAMETERS, *PEXT_DELETE_PARAMETERS;

PEX_TIMER NTAPI ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes);
BOOLEAN NTAPI ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PVOID Parameters);
BOOLEAN NTAPI ExCancelTimer(PEX_TIMER Timer, PVOID Parameters);
BOOLEAN NTAPI ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters);

/* ---- with a critical region ---- */
VOID NTAPI ExEnterCriticalRegionAndAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex);
VOID NTAPI ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(PFAST_MUTEX FastMutex);
PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource);
PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource);
VOID NTAPI ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource);
