/*
 * deferred.c - what timers, DPCs and work items share.
 */
#include "kmdf_deferred.h"
#include "kmdf_device.h"

static VOID NTAPI work(PVOID parameter);

NTSTATUS kmdf_deferred_create(struct kmdf_client *client, const struct kmdf_type *type,
                              const WDF_OBJECT_ATTRIBUTES *attributes, bool serialized, bool passive, ULONG_PTR caller,
                              struct kmdf_deferred **created)
{
    struct kmdf_deferred *deferred;
    NTSTATUS status = kmdf_object_create(client, type, attributes, NULL, caller, (struct kmdf_object **)&deferred);
    if (!NT_SUCCESS(status))
        return status;
    plat_lock_init(&deferred->lock);
    KeInitializeEvent(&deferred->idle, NotificationEvent, TRUE);
    deferred->parent = attributes->ParentObject;
    deferred->sync = serialized ? kmdf_sync_of(&deferred->object) : NULL;
    if (!kmdf_ancestor(&deferred->object, &kmdf_device_type))
        status = STATUS_INVALID_DEVICE_REQUEST;
    else if (deferred->sync && deferred->sync->passive != passive)
        status = STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL;
    if (!NT_SUCCESS(status)) {
        kmdf_object_discard(&deferred->object);
        return status;
    }
    *created = deferred;
    return STATUS_SUCCESS;
}

void kmdf_deferred_call(struct kmdf_deferred *deferred)
{
    if (!deferred->callback)
        return;
    kmdf_sync_enter(deferred->sync);
    KMDF_CALL1(deferred->callback, deferred->object.handle);
    kmdf_sync_leave(deferred->sync);
}

bool kmdf_deferred_close(struct kmdf_deferred *deferred)
{
    plat_lock_acquire(&deferred->lock);
    bool first = !deferred->closed;
    deferred->closed = true;
    plat_lock_release(&deferred->lock);
    return first;
}

/* The item's own reference keeps the object until its worker has left. */
void kmdf_work_queue(struct kmdf_deferred *deferred)
{
    plat_lock_acquire(&deferred->lock);
    bool first = !deferred->queued && !deferred->runner && !deferred->closed;
    if (!deferred->closed)
        deferred->queued = true;
    if (first)
        KeClearEvent(&deferred->idle);
    plat_lock_release(&deferred->lock);
    if (!first)
        return;
    kmdf_busy(deferred->object.client);
    kmdf_reference(&deferred->object, 0);
    deferred->item = (WORK_QUEUE_ITEM){.WorkerRoutine = work, .Parameter = deferred};
    ExQueueWorkItem(&deferred->item, DelayedWorkQueue);
}

/* Takes a call that is asked for, or leaves the item idle. */
static bool take_call(struct kmdf_deferred *deferred)
{
    plat_lock_acquire(&deferred->lock);
    bool more = deferred->queued;
    deferred->queued = false;
    deferred->runner = more ? ke_thread_current() : NULL;
    if (!more)
        KeSetEvent(&deferred->idle, IO_NO_INCREMENT, FALSE);
    plat_lock_release(&deferred->lock);
    return more;
}

static VOID NTAPI work(PVOID parameter)
{
    struct kmdf_deferred *deferred = parameter;
    struct kmdf_client *client = deferred->object.client;
    while (take_call(deferred))
        kmdf_deferred_call(deferred);
    kmdf_dereference(&deferred->object);
    kmdf_busy_end(client);
}

bool kmdf_work_runs_here(const struct kmdf_object *object)
{
    struct kmdf_deferred *deferred = (struct kmdf_deferred *)object;
    plat_lock_acquire(&deferred->lock);
    bool own = deferred->runner == ke_thread_current();
    plat_lock_release(&deferred->lock);
    return own;
}

bool kmdf_work_flush(struct kmdf_deferred *deferred)
{
    bool own = kmdf_work_runs_here(&deferred->object);
    if (!own)
        KeWaitForSingleObject(&deferred->idle, Executive, KernelMode, FALSE, NULL);
    return !own;
}

bool kmdf_deferred_can_wait(struct kmdf_deferred *deferred, const char *function)
{
    bool own = kmdf_work_runs_here(&deferred->object);
    if (!own && KeGetCurrentIrql() == PASSIVE_LEVEL)
        return true;
    ke_verify_warn(seh_export_caller(), "%s was called to wait for the %s 0x%llx %s, where it would wait for ever",
                   function, deferred->object.type->name, (ULONG64)(ULONG_PTR)deferred->object.handle,
                   own ? "from its callback" : "above PASSIVE_LEVEL");
    return false;
}
