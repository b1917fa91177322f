/*
 * request_create.c - requests that a driver makes: empty ones, whose IRP the framework provides, and ones around an IRP
 * that it has; used again, and deleted. Sending them is request_send.c's.
 */
#include "kmdf_target.h"

NTSTATUS kmdf_request_make(struct kmdf_client *client, enum kmdf_request_origin origin,
                           const WDF_OBJECT_ATTRIBUTES *attributes, struct kmdf_object *parent, ULONG_PTR caller,
                           struct kmdf_request **made)
{
    struct kmdf_request *request;
    NTSTATUS status =
        kmdf_object_create(client, &kmdf_request_type, attributes, parent, caller, (struct kmdf_object **)&request);
    if (!NT_SUCCESS(status))
        return status;
    request->origin = origin;
    request->seen = true;
    request->state = KMDF_REQUEST_OWNED;
    *made = request;
    return STATUS_SUCCESS;
}

/* For requests of every origin. */
void kmdf_request_cleanup(struct kmdf_object *object)
{
    struct kmdf_request *request = (struct kmdf_request *)object;
    if (request->origin != KMDF_REQUEST_RECEIVED)
        kmdf_request_call_back(request);
    kmdf_format_release(request);
}

void kmdf_request_destroy(struct kmdf_object *object)
{
    struct kmdf_request *request = (struct kmdf_request *)object;
    if (request->irp && (request->origin == KMDF_REQUEST_CREATED || request->frees_irp))
        IoFreeIrp(request->irp);
    if (request->timer)
        mm_heap_free(request->timer, KMDF_TAG);
}

static DECLSPEC_NORETURN void sent_already(const struct kmdf_request *request, const char *function)
{
    kmdf_violation(KMDF_REQUEST_FATAL, 3, (ULONG_PTR)request->object.handle, 0,
                   "%s was called for the request 0x%llx, which an I/O target has", function,
                   (ULONG64)(ULONG_PTR)request->object.handle);
}

bool kmdf_request_no_delete(const struct kmdf_object *object)
{
    const struct kmdf_request *request = (const struct kmdf_request *)object;
    if (request->state == KMDF_REQUEST_SENT)
        sent_already(request, "WdfObjectDelete");
    return request->origin == KMDF_REQUEST_RECEIVED;
}

/* ---- stack locations ---- */

/* An IRP of the framework's with size locations for the drivers below. */
static NTSTATUS renew_irp(struct kmdf_request *request, CCHAR size)
{
    IRP *irp = IoAllocateIrp(size, FALSE);
    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (request->irp)
        IoFreeIrp(request->irp);
    request->irp = irp;
    request->send.formatted = false;
    return STATUS_SUCCESS;
}

NTSTATUS kmdf_request_fit(struct kmdf_request *request, struct kmdf_target *target)
{
    plat_lock_acquire(&target->lock);
    CCHAR needed = target->wdm ? target->wdm->StackSize : 0;
    plat_lock_release(&target->lock);
    if (!needed)
        return STATUS_INVALID_DEVICE_STATE;
    if (request->irp && request->irp->CurrentLocation > needed)
        return STATUS_SUCCESS;
    return request->origin == KMDF_REQUEST_CREATED ? renew_irp(request, needed) : STATUS_REQUEST_NOT_ACCEPTED;
}

/* ---- for drivers ---- */

/*
 * A request of the driver's own, child of the driver object unless RequestAttributes names a parent. IoTarget may be
 * NULL, or closed; else the request has stack locations enough for it. The driver formats and sends it, may reuse it
 * when it is back, and ends it with WdfObjectDelete; completing it is WDF_VIOLATION (0xA). IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_OBJECT_ATTRIBUTES RequestAttributes,
                                WDFIOTARGET IoTarget, WDFREQUEST *Request)
{
    struct kmdf_request *request;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    struct kmdf_target *target = IoTarget ? KMDF_GET(target, IoTarget) : NULL;
    kmdf_require(Request);
    *Request = NULL;
    NTSTATUS status = kmdf_request_make(client, KMDF_REQUEST_CREATED, RequestAttributes,
                                        client->driver ? &client->driver->object : NULL, seh_export_caller(), &request);
    if (!NT_SUCCESS(status))
        return status;
    if (target && kmdf_target_is_open(target))
        status = kmdf_request_fit(request, target);
    if (!NT_SUCCESS(status)) {
        kmdf_object_discard(&request->object);
        return status;
    }
    *Request = KMDF_HANDLE(WDFREQUEST, request);
    return STATUS_SUCCESS;
}

/*
 * The same around an IRP that the driver has allocated, or received outside the framework. RequestFreesIrp: the request
 * frees it when it goes. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestCreateFromIrp(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_OBJECT_ATTRIBUTES RequestAttributes,
                                       PIRP Irp, BOOLEAN RequestFreesIrp, WDFREQUEST *Request)
{
    struct kmdf_request *request;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Irp);
    kmdf_require(Request);
    *Request = NULL;
    NTSTATUS status = kmdf_request_make(client, KMDF_REQUEST_OF_IRP, RequestAttributes,
                                        client->driver ? &client->driver->object : NULL, seh_export_caller(), &request);
    if (!NT_SUCCESS(status))
        return status;
    request->irp = Irp;
    request->frees_irp = RequestFreesIrp != FALSE;
    *Request = KMDF_HANDLE(WDFREQUEST, request);
    return STATUS_SUCCESS;
}

/*
 * The request is as it was before it was formatted: without completion routine, its memory objects given back, with
 * ReuseParams->Status. An IRP of the framework's is as good as new. With WDF_REQUEST_REUSE_SET_NEW_IRP the request is
 * around another IRP, or none; the one before is freed if the request was to. STATUS_WDF_REQUEST_INVALID_STATE: only a
 * request of WdfRequestCreateFromIrp gets another IRP; STATUS_INVALID_PARAMETER: ReuseParams->Size or its flags. A
 * request that a target has is WDF_VIOLATION (6, 3). IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestReuse(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                               PWDF_REQUEST_REUSE_PARAMS ReuseParams)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    kmdf_require(ReuseParams);
    if (ReuseParams->Size != sizeof(*ReuseParams) || (ReuseParams->Flags & ~(ULONG)WDF_REQUEST_REUSE_SET_NEW_IRP))
        return STATUS_INVALID_PARAMETER;
    if (request->state == KMDF_REQUEST_SENT)
        sent_already(request, __func__);
    bool replace = ReuseParams->Flags & WDF_REQUEST_REUSE_SET_NEW_IRP;
    if (replace && request->origin != KMDF_REQUEST_OF_IRP)
        return STATUS_WDF_REQUEST_INVALID_STATE;
    kmdf_format_release(request);
    request->send.routine = NULL;
    if (replace) {
        if (request->irp && request->frees_irp && request->irp != ReuseParams->NewIrp)
            IoFreeIrp(request->irp);
        request->irp = ReuseParams->NewIrp;
        request->frees_irp = false;
    }
    if (request->origin == KMDF_REQUEST_CREATED && request->irp)
        IoReuseIrp(request->irp, ReuseParams->Status);
    else if (request->irp)
        request->irp->IoStatus.Status = ReuseParams->Status;
    request->status = ReuseParams->Status;
    request->has_status = true;
    return STATUS_SUCCESS;
}

/*
 * Whether the request can be sent to another target; one that WdfRequestCreate made gets the stack locations for it.
 * STATUS_REQUEST_NOT_ACCEPTED: another has not enough; STATUS_INVALID_DEVICE_STATE: the target is closed. A request
 * that a target has is WDF_VIOLATION (6, 3). IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestChangeTarget(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    struct kmdf_target *target = KMDF_GET(target, IoTarget);
    if (request->state == KMDF_REQUEST_SENT)
        sent_already(request, __func__);
    return kmdf_request_fit(request, target);
}
