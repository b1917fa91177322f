/*
 * queue_power.c - power-managed queues: they stand still while the device is not in D0. Of the requests the driver has
 * of such a queue, each goes to EvtIoStop first, and the device waits until all are completed, requeued or
 * acknowledged.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

/* ---- stopping ---- */

/* A request of the driver's that has not been told of in this round, with a reference; null: no more. */
static struct kmdf_request *next_to_tell(struct kmdf_queue *queue)
{
    struct kmdf_request *found = NULL;
    plat_lock_acquire(&queue->lock);
    for (LIST_ENTRY *entry = queue->presented.Flink; entry != &queue->presented && !found; entry = entry->Flink) {
        struct kmdf_request *request = CONTAINING_RECORD(entry, struct kmdf_request, queue_link);
        if (request->stop_round != queue->stop_round && request->state == KMDF_REQUEST_OWNED) {
            request->stop_round = queue->stop_round;
            kmdf_reference(&request->object, 0);
            found = request;
        }
    }
    plat_lock_release(&queue->lock);
    return found;
}

/* It may have been completed before the queue's lock was to be had. */
static void tell(struct kmdf_queue *queue, struct kmdf_request *request, ULONG action)
{
    kmdf_sync_enter(queue->sync);
    plat_lock_acquire(&queue->lock);
    bool there = request->queue == queue && request->state == KMDF_REQUEST_OWNED;
    if (request->cancel_state == KMDF_CANCELABLE)
        action |= WdfRequestStopRequestCancelable;
    request->stopping = there;
    plat_lock_release(&queue->lock);
    if (there)
        KMDF_CALL3(queue->config.EvtIoStop, queue->object.handle, request->object.handle, action);
    request->stopping = false;
    kmdf_sync_leave(queue->sync);
}

static void stop_requests(struct kmdf_queue *queue, ULONG action)
{
    struct kmdf_request *request;
    plat_lock_acquire(&queue->lock);
    queue->stop_round++;
    for (LIST_ENTRY *entry = queue->presented.Flink; entry != &queue->presented; entry = entry->Flink)
        CONTAINING_RECORD(entry, struct kmdf_request, queue_link)->stop_acknowledged = false;
    queue->acknowledged = 0;
    plat_lock_release(&queue->lock);
    while (queue->config.EvtIoStop && (request = next_to_tell(queue))) {
        tell(queue, request, action);
        kmdf_dereference(&request->object);
    }
    kmdf_queue_wait_stopped(queue);
}

static void hold(struct kmdf_queue *queue, bool held)
{
    plat_lock_acquire(&queue->lock);
    queue->held = held;
    plat_lock_release(&queue->lock);
}

static void set_powered(struct kmdf_device *device, bool powered)
{
    plat_lock_acquire(&kmdf_lock);
    device->powered = powered;
    plat_lock_release(&kmdf_lock);
}

void kmdf_queues_power_down(struct kmdf_device *device)
{
    struct kmdf_queue *queue = NULL;
    set_powered(device, false);
    while ((queue = kmdf_device_next_queue(device, queue))) {
        if (!queue->power_managed)
            continue;
        hold(queue, true);
        stop_requests(queue, WdfRequestStopActionSuspend);
    }
}

void kmdf_queues_purge(struct kmdf_device *device, bool managed)
{
    struct kmdf_queue *queue = NULL;
    while ((queue = kmdf_device_next_queue(device, queue))) {
        if (queue->power_managed != managed)
            continue;
        kmdf_queue_shut(queue);
        stop_requests(queue, WdfRequestStopActionPurge);
    }
}

/* ---- going on ---- */

/* A request that the driver has kept while the device slept, with a reference; null: no more. */
static struct kmdf_request *next_to_resume(struct kmdf_queue *queue)
{
    struct kmdf_request *found = NULL;
    plat_lock_acquire(&queue->lock);
    for (LIST_ENTRY *entry = queue->presented.Flink; entry != &queue->presented && !found; entry = entry->Flink) {
        struct kmdf_request *request = CONTAINING_RECORD(entry, struct kmdf_request, queue_link);
        if (!request->stop_acknowledged)
            continue;
        request->stop_acknowledged = false;
        queue->acknowledged--;
        kmdf_reference(&request->object, 0);
        found = request;
    }
    plat_lock_release(&queue->lock);
    return found;
}

static void resume(struct kmdf_queue *queue)
{
    struct kmdf_request *request;
    while ((request = next_to_resume(queue))) {
        kmdf_sync_enter(queue->sync);
        if (queue->config.EvtIoResume && request->state == KMDF_REQUEST_OWNED)
            KMDF_CALL2(queue->config.EvtIoResume, queue->object.handle, request->object.handle);
        kmdf_sync_leave(queue->sync);
        kmdf_dereference(&request->object);
    }
}

void kmdf_queues_power_up(struct kmdf_device *device)
{
    struct kmdf_queue *queue = NULL;
    set_powered(device, true);
    while ((queue = kmdf_device_next_queue(device, queue))) {
        if (!queue->power_managed)
            continue;
        resume(queue);
        hold(queue, false);
        kmdf_queue_wake(queue);
    }
}

/* ---- for drivers ---- */

/*
 * From EvtIoStop: the driver does nothing for the request until EvtIoResume; or, with Requeue, has it no more, and will
 * get it again. A call from elsewhere, or requeuing one that is cancelable, is WDF_VIOLATION (0xA). IRQL <=
 * DISPATCH_LEVEL.
 */
VOID NTAPI WdfRequestStopAcknowledge(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, BOOLEAN Requeue)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    struct kmdf_queue *queue = request->queue;
    if (!request->stopping || !queue)
        kmdf_request_misused(request, STATUS_INVALID_DEVICE_REQUEST, __func__, "for which EvtIoStop is not running");
    if (Requeue && request->cancel_state == KMDF_CANCELABLE)
        kmdf_request_misused(request, STATUS_INVALID_DEVICE_REQUEST, __func__,
                             "which is cancelable: WdfRequestUnmarkCancelable comes first");
    request->stopping = false;
    if (Requeue) {
        NTSTATUS status = kmdf_queue_requeue(request);
        if (!NT_SUCCESS(status))
            kmdf_request_misused(request, status, __func__, "which cannot be requeued");
        return;
    }
    plat_lock_acquire(&queue->lock);
    request->stop_acknowledged = true;
    queue->acknowledged++;
    plat_lock_release(&queue->lock);
    kmdf_queue_state_check(queue);
}
