/*
 * request_cancel.c - requests that the driver has and lets others cancel: WdfRequestMarkCancelable and its relatives.
 *
 * The IRP's cancel routine says who comes first. The canceller takes it away with the intention to call
 * EvtRequestCancel; WdfRequestUnmarkCancelable takes it away, or finds it gone and leaves the request to
 * EvtRequestCancel.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

static void set_state(struct kmdf_request *request, enum kmdf_cancel_state state)
{
    __atomic_store_n(&request->cancel_state, state, __ATOMIC_RELEASE);
}

static void call_cancel(struct kmdf_request *request)
{
    struct kmdf_sync *sync = request->queue ? request->queue->sync : NULL;
    kmdf_sync_enter(sync);
    KMDF_CALL1(request->cancel, request->object.handle);
    kmdf_sync_leave(sync);
}

void kmdf_request_cancel_call(struct kmdf_request *request)
{
    kmdf_request_call(request, call_cancel);
    kmdf_dereference(&request->object);
}

bool kmdf_request_cancel_claim(struct kmdf_request *request)
{
    if (kmdf_cancel_state_of(request) != KMDF_CANCELABLE || !kmdf_irp_cancel(request->irp, NULL))
        return false;
    kmdf_reference(&request->object, 0);
    set_state(request, KMDF_CANCELLED);
    return true;
}

static VOID NTAPI cancel_routine(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    struct kmdf_request *request = (struct kmdf_request *)kmdf_handle_find(Irp->Tail.Overlay.DriverContext[3]);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    kmdf_reference(&request->object, 0);
    set_state(request, KMDF_CANCELLED);
    kmdf_request_cancel_call(request);
}

/* Under the cancel lock: once it is released, the request may be completed at any time. */
static NTSTATUS mark(struct kmdf_request *request, PFN_WDF_REQUEST_CANCEL cancel)
{
    KIRQL irql;
    if (request->state != KMDF_REQUEST_OWNED || request->origin != KMDF_REQUEST_RECEIVED ||
        kmdf_cancel_state_of(request) == KMDF_CANCELABLE)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (kmdf_cancel_state_of(request) == KMDF_CANCELLED)
        return STATUS_CANCELLED;
    IoAcquireCancelSpinLock(&irql);
    bool cancelled = kmdf_irp_is_cancelled(request->irp);
    if (!cancelled) {
        request->cancel = cancel;
        set_state(request, KMDF_CANCELABLE);
        request->irp->Tail.Overlay.DriverContext[3] = request->object.handle;
        kmdf_irp_cancel(request->irp, cancel_routine);
    }
    IoReleaseCancelSpinLock(irql);
    return cancelled ? STATUS_CANCELLED : STATUS_SUCCESS;
}

/* ---- for drivers ---- */

/*
 * Lets others cancel a request that the driver owns: EvtRequestCancel is called once, at any time until
 * WdfRequestUnmarkCancelable has returned success, with the lock of the queue's synchronization scope.
 * STATUS_CANCELLED: it has been cancelled, EvtRequestCancel is not called; STATUS_INVALID_DEVICE_REQUEST: the request
 * is not the driver's or is cancelable already. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestMarkCancelableEx(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                          PFN_WDF_REQUEST_CANCEL EvtRequestCancel)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    kmdf_require(EvtRequestCancel);
    return mark(request, EvtRequestCancel);
}

/* The same, but for a request that has been cancelled EvtRequestCancel is called before this returns, or, if the caller
 * holds the lock, after it has been released. A request that cannot be marked is WDF_VIOLATION (0xA). */
VOID NTAPI WdfRequestMarkCancelable(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                    PFN_WDF_REQUEST_CANCEL EvtRequestCancel)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    kmdf_require(EvtRequestCancel);
    NTSTATUS status = mark(request, EvtRequestCancel);
    if (status == STATUS_INVALID_DEVICE_REQUEST)
        kmdf_request_misused(request, status, __func__, "which is not the driver's now or is cancelable already");
    if (status == STATUS_CANCELLED) {
        kmdf_reference(&request->object, 0);
        request->cancel = EvtRequestCancel;
        set_state(request, KMDF_CANCELLED);
        kmdf_request_cancel_call(request);
    }
}

/*
 * EvtRequestCancel will not be called any more. STATUS_CANCELLED: it is or will be, and completes the request;
 * STATUS_INVALID_PARAMETER: the request is not cancelable; STATUS_INVALID_DEVICE_REQUEST: it is not the driver's. IRQL
 * <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestUnmarkCancelable(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    if (request->state != KMDF_REQUEST_OWNED)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (kmdf_cancel_state_of(request) == KMDF_NOT_CANCELABLE)
        return STATUS_INVALID_PARAMETER;
    if (kmdf_cancel_state_of(request) == KMDF_CANCELLED || !kmdf_irp_cancel(request->irp, NULL))
        return STATUS_CANCELLED;
    set_state(request, KMDF_NOT_CANCELABLE);
    return STATUS_SUCCESS;
}

/* Whether somebody wants the request cancelled; for drivers that ask instead of having EvtRequestCancel called. IRQL <=
 * DISPATCH_LEVEL. */
BOOLEAN NTAPI WdfRequestIsCanceled(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    IRP *irp = KMDF_GET_REQUEST(Request)->irp;
    return irp && kmdf_irp_is_cancelled(irp);
}
