/*
 * queue_forward.c - requests of the driver's that go to another queue, or back to the one they came from.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

/* The driver has it, from a queue, and nobody can cancel it. */
static bool movable(const struct kmdf_request *request)
{
    return request->state == KMDF_REQUEST_OWNED && request->queue &&
           kmdf_cancel_state_of(request) == KMDF_NOT_CANCELABLE && !request->cancelled_on_queue;
}

/* From where it came to the end of another queue or to the head of the same. If that fails, the driver has it still. */
static NTSTATUS move(struct kmdf_request *request, struct kmdf_queue *to, bool head)
{
    struct kmdf_queue *from = request->queue;
    kmdf_queue_withdraw(from, request);
    NTSTATUS status = kmdf_queue_put(to, request, head, head);
    if (NT_SUCCESS(status)) {
        kmdf_queue_left(from);
        return status;
    }
    plat_lock_acquire(&from->lock);
    InsertTailList(&from->presented, &request->queue_link);
    plat_lock_release(&from->lock);
    return status;
}

NTSTATUS kmdf_queue_requeue(struct kmdf_request *request)
{
    return movable(request) ? move(request, request->queue, true) : STATUS_INVALID_DEVICE_REQUEST;
}

/*
 * Gives a request that came from a queue to another queue of the same device; the driver has it no more.
 * STATUS_INVALID_DEVICE_REQUEST: it did not, the queues do not fit, or the request is not the driver's or cancelable;
 * STATUS_WDF_BUSY: the queue takes none. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestForwardToIoQueue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                          WDFQUEUE DestinationQueue)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    struct kmdf_queue *to = KMDF_GET(queue, DestinationQueue);
    if (!movable(request) || request->queue == to || to->device != request->device)
        return STATUS_INVALID_DEVICE_REQUEST;
    return move(request, to, false);
}

/*
 * Puts a request back to the head of the manual queue it came from. STATUS_INVALID_DEVICE_REQUEST: that is no manual
 * one, or the request is not the driver's or cancelable. A purged queue cancels it. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestRequeue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    if (!request->queue || request->queue->config.DispatchType != WdfIoQueueDispatchManual)
        return STATUS_INVALID_DEVICE_REQUEST;
    return kmdf_queue_requeue(request);
}
