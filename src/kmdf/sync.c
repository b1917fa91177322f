/*
 * sync.c - presentation locks, and WdfObjectAcquireLock, by which drivers take them.
 */
#include "kmdf_sync.h"
#include "kmdf_queue.h"

void kmdf_sync_init(struct kmdf_sync *sync, struct kmdf_object *owner)
{
    sync->owner = owner;
    sync->passive = kmdf_execution_level(owner) == WdfExecutionLevelPassive;
    KeInitializeSpinLock(&sync->spin);
    KeInitializeEvent(&sync->free, SynchronizationEvent, TRUE);
}

struct kmdf_sync *kmdf_sync_of(struct kmdf_object *object)
{
    WDF_SYNCHRONIZATION_SCOPE scope = kmdf_synchronization_scope(object);
    struct kmdf_object *owner = scope == WdfSynchronizationScopeDevice  ? kmdf_ancestor(object, &kmdf_device_type)
                                : scope == WdfSynchronizationScopeQueue ? kmdf_ancestor(object, &kmdf_queue_type)
                                                                        : NULL;
    if (!owner)
        return NULL;
    return scope == WdfSynchronizationScopeDevice ? &((struct kmdf_device *)owner)->sync
                                                  : &((struct kmdf_queue *)owner)->own_sync;
}

bool kmdf_sync_held(const struct kmdf_sync *sync)
{
    return sync && __atomic_load_n(&sync->holder, __ATOMIC_RELAXED) == ke_thread_current();
}

void kmdf_sync_enter(struct kmdf_sync *sync)
{
    KIRQL irql = 0;
    if (!sync)
        return;
    if (kmdf_sync_held(sync))
        kmdf_violation(KMDF_RECURSIVE_LOCK, (ULONG_PTR)sync->owner->handle, 0, 0,
                       "the synchronization lock of the %s 0x%llx is to be acquired by the thread that holds it",
                       sync->owner->type->name, (ULONG64)(ULONG_PTR)sync->owner->handle);
    if (sync->passive) {
        KeEnterCriticalRegion();
        KeWaitForSingleObject(&sync->free, Executive, KernelMode, FALSE, NULL);
    } else {
        irql = KeAcquireSpinLockRaiseToDpc(&sync->spin);
    }
    sync->irql = irql;
    __atomic_store_n(&sync->holder, ke_thread_current(), __ATOMIC_RELAXED);
}

void kmdf_sync_leave(struct kmdf_sync *sync)
{
    if (!sync)
        return;
    __atomic_store_n(&sync->holder, NULL, __ATOMIC_RELAXED);
    if (sync->passive) {
        KeSetEvent(&sync->free, IO_NO_INCREMENT, FALSE);
        KeLeaveCriticalRegion();
    } else {
        KeReleaseSpinLock(&sync->spin, sync->irql);
    }
}

/* ---- for drivers ---- */

/* A device's or queue's lock, which a queue of device scope shares with its device. */
static struct kmdf_sync *lock_of(WDFOBJECT handle, const char *function)
{
    struct kmdf_object *object = kmdf_object_of(handle, NULL, function);
    struct kmdf_queue *queue = (struct kmdf_queue *)object;
    if (object->type == &kmdf_queue_type)
        return queue->sync ? queue->sync : &queue->own_sync;
    if (object->type == &kmdf_device_type)
        return &((struct kmdf_device *)object)->sync;
    kmdf_violation(KMDF_LOCK_ERROR, (ULONG_PTR)handle, 0, 0,
                   "%s was called for the %s 0x%llx; only devices and queues have a synchronization lock", function,
                   object->type->name, (ULONG64)(ULONG_PTR)handle);
}

/*
 * Takes the synchronization lock of a device or queue, which holds the event callbacks off that are under it. Returns
 * at DISPATCH_LEVEL, or, if execution there is WdfExecutionLevelPassive, at the caller's IRQL (<= APC_LEVEL) in a
 * critical region. Another object is WDF_VIOLATION (0xB, handle, 0), a lock the caller holds WDF_VIOLATION (2).
 */
VOID NTAPI WdfObjectAcquireLock(PWDF_DRIVER_GLOBALS DriverGlobals, WDFOBJECT Object)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_sync_enter(lock_of(Object, __func__));
}

/* Gives it back, and the IRQL before. A lock the caller does not hold is WDF_VIOLATION (0xB, handle, 1). */
VOID NTAPI WdfObjectReleaseLock(PWDF_DRIVER_GLOBALS DriverGlobals, WDFOBJECT Object)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_sync *sync = lock_of(Object, __func__);
    if (!kmdf_sync_held(sync))
        kmdf_violation(KMDF_LOCK_ERROR, (ULONG_PTR)Object, 1, 0,
                       "WdfObjectReleaseLock was called for the %s 0x%llx, whose lock the caller does not hold",
                       sync->owner->type->name, (ULONG64)(ULONG_PTR)Object);
    kmdf_sync_leave(sync);
}
