/* locks.h - sins with spin locks, mutexes and resources. */
#pragma once
#include "verify.h"

static KSPIN_LOCK SpinLock;

NTSTATUS NTAPI SPIN_LOCK_TWICE(PVERIFY_REQUEST Request)
{
    KIRQL old;

    KeAcquireSpinLock(&SpinLock, &old);
    if (Request->Wrong)
        KeAcquireSpinLockAtDpcLevel(&SpinLock); /* HERE */
    KeReleaseSpinLock(&SpinLock, old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SPIN_LOCK_NOT_HELD(PVERIFY_REQUEST Request)
{
    KIRQL old;

    KeRaiseIrql(DISPATCH_LEVEL, &old);
    if (!Request->Wrong)
        KeAcquireSpinLockAtDpcLevel(&SpinLock);
    KeReleaseSpinLock(&SpinLock, old); /* HERE */
    return STATUS_SUCCESS;
}

static VOID NTAPI HoldInThread(PVOID Context)
{
    KIRQL old;

    KeAcquireSpinLock(&SpinLock, &old);
    if (!*(PBOOLEAN)Context)
        KeReleaseSpinLockFromDpcLevel(&SpinLock);
    KeLowerIrql(old);
}

NTSTATUS NTAPI SPIN_LOCK_OF_ANOTHER(PVERIFY_REQUEST Request)
{
    KIRQL old;

    VerifyRunThread(HoldInThread, &Request->Wrong);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    if (!Request->Wrong)
        KeAcquireSpinLockAtDpcLevel(&SpinLock);
    KeReleaseSpinLockFromDpcLevel(&SpinLock); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SPIN_LOCK_BELOW_DISPATCH(PVERIFY_REQUEST Request)
{
    KIRQL old;

    KeRaiseIrql(Request->Wrong ? APC_LEVEL : DISPATCH_LEVEL, &old);
    KeAcquireSpinLockAtDpcLevel(&SpinLock); /* HERE */
    KeReleaseSpinLockFromDpcLevel(&SpinLock);
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SPIN_LOCK_ABOVE_DISPATCH(PVERIFY_REQUEST Request)
{
    KIRQL old, older;

    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL + 1 : PASSIVE_LEVEL, &older);
    KeAcquireSpinLock(&SpinLock, &old); /* HERE */
    KeReleaseSpinLock(&SpinLock, old);
    KeLowerIrql(older);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SPIN_LOCK_RELEASED_BELOW(PVERIFY_REQUEST Request)
{
    KIRQL old;

    KeAcquireSpinLock(&SpinLock, &old);
    if (Request->Wrong)
        KeLowerIrql(old);
    KeReleaseSpinLock(&SpinLock, old); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FAST_MUTEX_TWICE(PVERIFY_REQUEST Request)
{
    FAST_MUTEX mutex;

    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    if (Request->Wrong)
        ExAcquireFastMutex(&mutex); /* HERE */
    ExReleaseFastMutex(&mutex);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FAST_MUTEX_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    FAST_MUTEX mutex;
    KIRQL old;

    ExInitializeFastMutex(&mutex);
    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL : APC_LEVEL, &old);
    ExAcquireFastMutex(&mutex); /* HERE */
    ExReleaseFastMutex(&mutex);
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FAST_MUTEX_RELEASED_LOW(PVERIFY_REQUEST Request)
{
    FAST_MUTEX mutex;

    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    if (Request->Wrong)
        KeLowerIrql(PASSIVE_LEVEL);
    ExReleaseFastMutex(&mutex); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FAST_MUTEX_NOT_HELD(PVERIFY_REQUEST Request)
{
    FAST_MUTEX mutex;
    KIRQL old;

    ExInitializeFastMutex(&mutex);
    KeRaiseIrql(APC_LEVEL, &old);
    if (!Request->Wrong)
        ExAcquireFastMutexUnsafe(&mutex);
    ExReleaseFastMutexUnsafe(&mutex); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FAST_MUTEX_UNSAFE(PVERIFY_REQUEST Request)
{
    FAST_MUTEX mutex;

    ExInitializeFastMutex(&mutex);
    if (!Request->Wrong)
        KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&mutex); /* HERE */
    ExReleaseFastMutexUnsafe(&mutex);
    KeLeaveCriticalRegion();
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RESOURCE_WITH_APCS(PVERIFY_REQUEST Request)
{
    ERESOURCE resource;

    ExInitializeResourceLite(&resource);
    if (!Request->Wrong)
        KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&resource, TRUE); /* HERE */
    ExReleaseResourceLite(&resource);
    KeLeaveCriticalRegion();
    return ExDeleteResourceLite(&resource);
}

NTSTATUS NTAPI RESOURCE_RELEASED_WITH_APCS(PVERIFY_REQUEST Request)
{
    ERESOURCE resource;

    ExInitializeResourceLite(&resource);
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&resource, TRUE);
    if (Request->Wrong)
        KeLeaveCriticalRegion();
    ExReleaseResourceLite(&resource); /* HERE */
    KeLeaveCriticalRegion();
    return ExDeleteResourceLite(&resource);
}

NTSTATUS NTAPI RESOURCE_INITIALIZED_TWICE(PVERIFY_REQUEST Request)
{
    ERESOURCE resource;

    ExInitializeResourceLite(&resource);
    if (Request->Wrong)
        ExInitializeResourceLite(&resource); /* HERE */
    return ExDeleteResourceLite(&resource);
}

NTSTATUS NTAPI RESOURCE_NOT_INITIALIZED(PVERIFY_REQUEST Request)
{
    ERESOURCE resource;

    RtlZeroMemory(&resource, sizeof(resource));
    if (!Request->Wrong)
        ExInitializeResourceLite(&resource);
    return ExDeleteResourceLite(&resource); /* HERE */
}

NTSTATUS NTAPI RESOURCE_DELETED_WHILE_OWNED(PVERIFY_REQUEST Request)
{
    ERESOURCE resource;
    NTSTATUS status;

    ExInitializeResourceLite(&resource);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&resource, TRUE);
    if (!Request->Wrong)
        ExReleaseResourceLite(&resource);
    status = ExDeleteResourceLite(&resource); /* HERE */
    KeLeaveCriticalRegion();
    return status;
}
