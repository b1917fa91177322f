/*
 * dispatch.c - the way of an IRP: from the I/O manager to the framework's part that answers it.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

NTSTATUS kmdf_irp_complete(IRP *irp, NTSTATUS status)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

/* Hands a request to the queue for it. */
static NTSTATUS enqueue(struct kmdf_device *device, struct kmdf_request *request)
{
    UCHAR major = IoGetCurrentIrpStackLocation(request->irp)->MajorFunction;
    struct kmdf_queue *queue = request->chosen ? request->chosen : kmdf_queue_for(device, major);
    return queue ? kmdf_queue_insert(queue, request) : STATUS_INVALID_DEVICE_REQUEST;
}

/* One running EvtIoInCallerContext. By handle: the callback may complete the request, and its memory be another's. */
struct caller_call {
    struct caller_call *next;
    WDFOBJECT request;
    PKTHREAD thread;
};
static struct caller_call *caller_calls; /* kmdf_lock */

static void call_in_caller_context(struct kmdf_device *device, struct kmdf_request *request)
{
    struct caller_call call = {.request = request->object.handle, .thread = ke_thread_current()};
    struct caller_call **link = &caller_calls;
    request->seen = true;
    request->state = KMDF_REQUEST_OWNED;
    plat_lock_acquire(&kmdf_lock);
    call.next = caller_calls;
    caller_calls = &call;
    plat_lock_release(&kmdf_lock);
    KMDF_CALL2(device->init->in_caller_context, device->object.handle, call.request);
    plat_lock_acquire(&kmdf_lock);
    while (*link != &call)
        link = &(*link)->next;
    *link = call.next;
    plat_lock_release(&kmdf_lock);
}

bool kmdf_request_in_caller_context(const struct kmdf_request *request)
{
    plat_lock_acquire(&kmdf_lock);
    const struct caller_call *call = caller_calls;
    while (call && (call->request != request->object.handle || call->thread != ke_thread_current()))
        call = call->next;
    plat_lock_release(&kmdf_lock);
    return call && request->state == KMDF_REQUEST_OWNED && !request->queue;
}

/* What no queue takes, the framework completes, or passes on if the device is a filter. */
NTSTATUS kmdf_dispatch_io(struct kmdf_device *device, IRP *irp, struct kmdf_queue *queue, bool in_caller)
{
    struct kmdf_request *request;
    struct kmdf_queue *taker = queue ? queue : kmdf_queue_for(device, IoGetCurrentIrpStackLocation(irp)->MajorFunction);
    in_caller = in_caller && device->init->in_caller_context;
    if (device->init->pnp.filter && !in_caller && !taker)
        return kmdf_irp_forward(device, irp);
    NTSTATUS status = kmdf_request_receive(device, irp, taker, &request);
    if (!NT_SUCCESS(status))
        return kmdf_irp_complete(irp, status);
    request->chosen = queue;
    IoMarkIrpPending(irp);
    if (in_caller) {
        call_in_caller_context(device, request);
        return STATUS_PENDING;
    }
    status = enqueue(device, request);
    if (!NT_SUCCESS(status))
        kmdf_request_complete(request, status == STATUS_WDF_BUSY ? STATUS_INVALID_DEVICE_STATE : status,
                              IO_NO_INCREMENT);
    return STATUS_PENDING;
}

static NTSTATUS shutdown(struct kmdf_device *device, IRP *irp)
{
    if (!device->init->pnp.shutdown)
        return kmdf_irp_complete(irp, STATUS_INVALID_DEVICE_REQUEST);
    KMDF_CALL1(device->init->pnp.shutdown, device->object.handle);
    return kmdf_irp_complete(irp, STATUS_SUCCESS);
}

/* Plug and play, power and WMI are for every device of a stack. What the framework has nothing to say to, a filter
 * passes on. */
static NTSTATUS dispatch_other(struct kmdf_device *device, IRP *irp, UCHAR major)
{
    if (device->lower && major == IRP_MJ_PNP)
        return kmdf_pnp_dispatch(device, irp);
    if (device->lower && major == IRP_MJ_POWER)
        return kmdf_power_dispatch(device, irp);
    if (device->lower && (device->init->pnp.filter || major == IRP_MJ_SYSTEM_CONTROL))
        return kmdf_irp_forward(device, irp);
    return major == IRP_MJ_SHUTDOWN ? shutdown(device, irp) : kmdf_irp_complete(irp, STATUS_INVALID_DEVICE_REQUEST);
}

NTSTATUS kmdf_dispatch_default(struct kmdf_device *device, IRP *irp)
{
    NTSTATUS status;
    UCHAR major = IoGetCurrentIrpStackLocation(irp)->MajorFunction;
    switch (major) {
    case IRP_MJ_CREATE:
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        return kmdf_file_dispatch(device, irp, major);
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        return kmdf_dispatch_by_driver(device, irp, &status) ? status : kmdf_dispatch_io(device, irp, NULL, true);
    default:
        return dispatch_other(device, irp, major);
    }
}

static NTSTATUS dispatch(struct kmdf_device *device, IRP *irp)
{
    NTSTATUS status;
    if (!kmdf_device_hold(device))
        return kmdf_irp_complete(irp, STATUS_DELETE_PENDING);
    if (!kmdf_device_hold_irp(device, irp))
        status = kmdf_irp_complete(irp, STATUS_DELETE_PENDING);
    else if (!kmdf_preprocess(device, irp, &status))
        status = kmdf_dispatch_default(device, irp);
    kmdf_device_let_go(device);
    return status;
}

/* The device stays until the way through the framework is at its end, whatever the driver deletes on it. */
NTSTATUS NTAPI kmdf_dispatch(DEVICE_OBJECT *Device, IRP *Irp)
{
    struct kmdf_device *device = kmdf_device_enter(Device);
    if (!device)
        return kmdf_irp_complete(Irp, STATUS_NO_SUCH_DEVICE);
    struct kmdf_client *client = device->object.client;
    kmdf_busy(client);
    NTSTATUS status = dispatch(device, Irp);
    kmdf_dereference(&device->object);
    kmdf_busy_end(client);
    return status;
}

/*
 * From EvtIoInCallerContext: the request goes to its queue as if the callback had not been.
 * STATUS_INVALID_DEVICE_REQUEST: no queue takes it, STATUS_WDF_BUSY: the queue takes none now; the driver then
 * completes it. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceEnqueueRequest(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    if (request->device != device || request->queue || request->state != KMDF_REQUEST_OWNED)
        return STATUS_INVALID_DEVICE_REQUEST;
    return enqueue(device, request);
}
