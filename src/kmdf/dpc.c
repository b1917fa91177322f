/*
 * dpc.c - DPC objects: a driver's callback at DISPATCH_LEVEL.
 */
#include "kmdf_deferred.h"

struct kmdf_dpc {
    struct kmdf_deferred deferred;
    KDPC dpc;
};

static VOID NTAPI dpc_routine(PKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    kmdf_deferred_call(context);
}

/* A call that waits is dropped, one that runs is waited for. */
static void dpc_cleanup(struct kmdf_object *object)
{
    struct kmdf_dpc *dpc = (struct kmdf_dpc *)object;
    kmdf_deferred_close(&dpc->deferred);
    KeRemoveQueueDpc(&dpc->dpc);
    KeFlushQueuedDpcs();
}

static const struct kmdf_type kmdf_dpc_type = {.name = "WDFDPC",
                                               .size = sizeof(struct kmdf_dpc),
                                               .flags = KMDF_PARENT_REQUIRED | KMDF_PASSIVE,
                                               .cleanup = dpc_cleanup};

/*
 * A DPC below a device. STATUS_WDF_PARENT_NOT_SPECIFIED, STATUS_INVALID_DEVICE_REQUEST: the attributes' parent has no
 * device above it; STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL: AutomaticSerialization, and the lock there is for
 * PASSIVE_LEVEL. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfDpcCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_DPC_CONFIG Config,
                            PWDF_OBJECT_ATTRIBUTES Attributes, WDFDPC *Dpc)
{
    struct kmdf_dpc *dpc;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Config);
    kmdf_require(Dpc);
    *Dpc = NULL;
    if (Config->Size != sizeof(*Config))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (!Config->EvtDpcFunc)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = kmdf_deferred_create(client, &kmdf_dpc_type, Attributes, Config->AutomaticSerialization, false,
                                           seh_export_caller(), (struct kmdf_deferred **)&dpc);
    if (!NT_SUCCESS(status))
        return status;
    dpc->deferred.callback = (ULONG_PTR)Config->EvtDpcFunc;
    KeInitializeDpc(&dpc->dpc, dpc_routine, dpc);
    *Dpc = (WDFDPC)dpc->deferred.object.handle;
    return STATUS_SUCCESS;
}

/* Queues EvtDpcFunc. FALSE: it is queued already, or the object is being deleted. Any IRQL. */
BOOLEAN NTAPI WdfDpcEnqueue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDPC Dpc)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_dpc *dpc = KMDF_GET(dpc, Dpc);
    plat_lock_acquire(&dpc->deferred.lock);
    BOOLEAN queued = !dpc->deferred.closed && KeInsertQueueDpc(&dpc->dpc, NULL, NULL);
    plat_lock_release(&dpc->deferred.lock);
    return queued;
}

/* TRUE: it was queued and will not run. Wait: returns when EvtDpcFunc does not run; PASSIVE_LEVEL, above which it tells
 * so in a line and does not wait. */
BOOLEAN NTAPI WdfDpcCancel(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDPC Dpc, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_dpc *dpc = KMDF_GET(dpc, Dpc);
    BOOLEAN queued = KeRemoveQueueDpc(&dpc->dpc);
    if (Wait && !queued && kmdf_deferred_can_wait(&dpc->deferred, __func__))
        KeFlushQueuedDpcs();
    return queued;
}

WDFOBJECT NTAPI WdfDpcGetParentObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDPC Dpc)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(dpc, Dpc)->deferred.parent;
}

PKDPC NTAPI WdfDpcWdmGetDpc(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDPC Dpc)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return &KMDF_GET(dpc, Dpc)->dpc;
}
