/*
 * workitem.c - work items: a driver's callback in a system thread.
 */
#include "kmdf_deferred.h"

struct kmdf_workitem {
    struct kmdf_deferred deferred;
};

/* What is queued still runs. */
static void workitem_cleanup(struct kmdf_object *object)
{
    struct kmdf_deferred *deferred = (struct kmdf_deferred *)object;
    kmdf_deferred_close(deferred);
    kmdf_work_flush(deferred);
}

static const struct kmdf_type kmdf_workitem_type = {.name = "WDFWORKITEM",
                                                    .size = sizeof(struct kmdf_workitem),
                                                    .flags = KMDF_PARENT_REQUIRED | KMDF_PASSIVE,
                                                    .cleanup = workitem_cleanup,
                                                    .runs_here = kmdf_work_runs_here};

/*
 * A work item below a device, whose EvtWorkItemFunc WdfWorkItemEnqueue has a system thread call.
 * STATUS_WDF_PARENT_NOT_SPECIFIED, STATUS_INVALID_DEVICE_REQUEST: the attributes' parent has no device above it;
 * STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL: AutomaticSerialization, and the lock there is a spin lock. IRQL <=
 * DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfWorkItemCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_WORKITEM_CONFIG Config,
                                 PWDF_OBJECT_ATTRIBUTES Attributes, WDFWORKITEM *WorkItem)
{
    struct kmdf_deferred *deferred;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Config);
    kmdf_require(WorkItem);
    *WorkItem = NULL;
    if (Config->Size != sizeof(*Config))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (!Config->EvtWorkItemFunc)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = kmdf_deferred_create(client, &kmdf_workitem_type, Attributes, Config->AutomaticSerialization,
                                           true, seh_export_caller(), &deferred);
    if (!NT_SUCCESS(status))
        return status;
    deferred->callback = (ULONG_PTR)Config->EvtWorkItemFunc;
    *WorkItem = (WDFWORKITEM)deferred->object.handle;
    return STATUS_SUCCESS;
}

/* Has the callback called. Calls that are asked for before it begins are one; one asked for while it runs follows it.
 * IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfWorkItemEnqueue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWORKITEM WorkItem)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_work_queue(&KMDF_GET(workitem, WorkItem)->deferred);
}

WDFOBJECT NTAPI WdfWorkItemGetParentObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWORKITEM WorkItem)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(workitem, WorkItem)->deferred.parent;
}

/* Returns when the callback has been called for all that was enqueued before. From the callback itself it would wait
 * for ever: that is told in a line, and it returns. PASSIVE_LEVEL. */
VOID NTAPI WdfWorkItemFlush(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWORKITEM WorkItem)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_deferred *deferred = &KMDF_GET(workitem, WorkItem)->deferred;
    if (kmdf_deferred_can_wait(deferred, __func__))
        kmdf_work_flush(deferred);
}
