/*
 * lock.c - spin locks and wait locks of drivers: neither is recursive, both know who holds them.
 */
#include "kmdf.h"

struct kmdf_spinlock {
    struct kmdf_object object;
    KSPIN_LOCK lock;
    PKTHREAD holder; /* written by the holder alone */
    KIRQL irql;      /* the holder's before */
};

struct kmdf_waitlock {
    struct kmdf_object object;
    KEVENT free; /* set while nobody holds it */
    PKTHREAD holder;
};

static const struct kmdf_type kmdf_spinlock_type = {
    .name = "WDFSPINLOCK", .size = sizeof(struct kmdf_spinlock), .flags = KMDF_PARENT_ALLOWED};
static const struct kmdf_type kmdf_waitlock_type = {
    .name = "WDFWAITLOCK", .size = sizeof(struct kmdf_waitlock), .flags = KMDF_PARENT_ALLOWED};

static bool is_mine(PKTHREAD const *holder)
{
    return __atomic_load_n(holder, __ATOMIC_RELAXED) == ke_thread_current();
}

static void set_holder(PKTHREAD *holder, PKTHREAD thread)
{
    __atomic_store_n(holder, thread, __ATOMIC_RELAXED);
}

static void check_free(const struct kmdf_object *lock, PKTHREAD const *holder)
{
    if (is_mine(holder))
        kmdf_violation(KMDF_RECURSIVE_LOCK, (ULONG_PTR)lock->handle, 0, 0,
                       "the %s 0x%llx is to be acquired by the thread that holds it", lock->type->name,
                       (ULONG64)(ULONG_PTR)lock->handle);
}

static void check_held(const struct kmdf_object *lock, PKTHREAD const *holder)
{
    if (!is_mine(holder))
        kmdf_violation(KMDF_LOCK_ERROR, (ULONG_PTR)lock->handle, 1, 0,
                       "the %s 0x%llx is to be released by a thread that does not hold it", lock->type->name,
                       (ULONG64)(ULONG_PTR)lock->handle);
}

static NTSTATUS create(PWDF_DRIVER_GLOBALS globals, const struct kmdf_type *type,
                       const WDF_OBJECT_ATTRIBUTES *attributes, const char *function, struct kmdf_object **lock)
{
    struct kmdf_client *client = kmdf_client_of(globals, function);
    return kmdf_object_create(client, type, attributes, client->driver ? &client->driver->object : NULL,
                              seh_export_caller(), lock);
}

/* A spin lock, child of the driver object unless the attributes name a parent. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WdfSpinLockCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_OBJECT_ATTRIBUTES SpinLockAttributes,
                                 WDFSPINLOCK *SpinLock)
{
    struct kmdf_spinlock *lock;
    kmdf_require(SpinLock);
    *SpinLock = NULL;
    NTSTATUS status =
        create(DriverGlobals, &kmdf_spinlock_type, SpinLockAttributes, __func__, (struct kmdf_object **)&lock);
    if (!NT_SUCCESS(status))
        return status;
    KeInitializeSpinLock(&lock->lock);
    *SpinLock = KMDF_HANDLE(WDFSPINLOCK, lock);
    return STATUS_SUCCESS;
}

/* Returns at DISPATCH_LEVEL. By the thread that holds it: WDF_VIOLATION (2). IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfSpinLockAcquire(PWDF_DRIVER_GLOBALS DriverGlobals, WDFSPINLOCK SpinLock)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_spinlock *lock = KMDF_GET(spinlock, SpinLock);
    check_free(&lock->object, &lock->holder);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&lock->lock);
    lock->irql = irql;
    set_holder(&lock->holder, ke_thread_current());
}

/* Back to the IRQL before. By a thread that does not hold it: WDF_VIOLATION (0xB, handle, 1). */
VOID NTAPI WdfSpinLockRelease(PWDF_DRIVER_GLOBALS DriverGlobals, WDFSPINLOCK SpinLock)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_spinlock *lock = KMDF_GET(spinlock, SpinLock);
    check_held(&lock->object, &lock->holder);
    set_holder(&lock->holder, NULL);
    KeReleaseSpinLock(&lock->lock, lock->irql);
}

/* A wait lock, child of the driver object unless the attributes name a parent. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfWaitLockCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_OBJECT_ATTRIBUTES LockAttributes,
                                 WDFWAITLOCK *Lock)
{
    struct kmdf_waitlock *lock;
    kmdf_require(Lock);
    *Lock = NULL;
    NTSTATUS status =
        create(DriverGlobals, &kmdf_waitlock_type, LockAttributes, __func__, (struct kmdf_object **)&lock);
    if (!NT_SUCCESS(status))
        return status;
    KeInitializeEvent(&lock->free, SynchronizationEvent, TRUE);
    *Lock = KMDF_HANDLE(WDFWAITLOCK, lock);
    return STATUS_SUCCESS;
}

/*
 * Waits for the lock and returns in a critical region. Timeout: 100 ns, negative from now, 0: does not wait, NULL: for
 * ever. STATUS_TIMEOUT: it was not free in time. By the thread that holds it and without Timeout: WDF_VIOLATION (2).
 * PASSIVE_LEVEL; < DISPATCH_LEVEL if it does not wait.
 */
NTSTATUS NTAPI WdfWaitLockAcquire(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWAITLOCK Lock, PLONGLONG Timeout)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_waitlock *lock = KMDF_GET(waitlock, Lock);
    LARGE_INTEGER timeout = {.QuadPart = Timeout ? *Timeout : 0};
    if (!Timeout)
        check_free(&lock->object, &lock->holder);
    KeEnterCriticalRegion();
    NTSTATUS status = KeWaitForSingleObject(&lock->free, Executive, KernelMode, FALSE, Timeout ? &timeout : NULL);
    if (status == STATUS_TIMEOUT)
        KeLeaveCriticalRegion();
    else
        set_holder(&lock->holder, ke_thread_current());
    return status;
}

/* By a thread that does not hold it: WDF_VIOLATION (0xB, handle, 1). IRQL < DISPATCH_LEVEL. */
VOID NTAPI WdfWaitLockRelease(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWAITLOCK Lock)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_waitlock *lock = KMDF_GET(waitlock, Lock);
    check_held(&lock->object, &lock->holder);
    set_holder(&lock->holder, NULL);
    KeSetEvent(&lock->free, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
}
