/*
 * queue_cancel.c - requests that are cancelled while they wait in a queue: one by its sender, those of a file object
 * that is closed, all when the queue is purged or deleted.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

void kmdf_queue_cancel_begin(struct kmdf_queue *queue, struct kmdf_request *request)
{
    RemoveEntryList(&request->queue_link);
    InsertTailList(&queue->presented, &request->queue_link);
    queue->waiting_count--;
    queue->owned++; /* whoever waits for the queue waits for this too */
    request->state = KMDF_REQUEST_CANCELLING;
}

static void call_cancelled_on_queue(struct kmdf_request *request)
{
    struct kmdf_queue *queue = request->queue;
    kmdf_sync_enter(queue->sync);
    request->state = KMDF_REQUEST_OWNED;
    KMDF_CALL2(queue->config.EvtIoCanceledOnQueue, queue->object.handle, request->object.handle);
    kmdf_sync_leave(queue->sync);
}

/* A driver that has had the request learns of it, if it wants to; else it never hears of it. */
void kmdf_queue_cancel_finish(struct kmdf_request *request)
{
    if (request->seen && request->queue->config.EvtIoCanceledOnQueue) {
        request->cancelled_on_queue = true;
        kmdf_request_call(request, call_cancelled_on_queue);
        return;
    }
    request->information = 0;
    kmdf_request_complete(request, STATUS_CANCELLED, IO_NO_INCREMENT);
}

/* The sender cancels one. A thread that wanted to take it meanwhile has let it stand; one that cancels all may have
 * taken it out, and leaves the rest to this one. */
VOID NTAPI kmdf_queue_cancel_routine(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    struct kmdf_request *request = (struct kmdf_request *)kmdf_handle_find(Irp->Tail.Overlay.DriverContext[3]);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    plat_lock_acquire(&request->queue->lock);
    kmdf_queue_cancel_begin(request->queue, request);
    plat_lock_release(&request->queue->lock);
    kmdf_queue_cancel_finish(request);
}

/* One of them, no more waiting; null: there is none that nobody else is cancelling. The lock is held. */
static struct kmdf_request *claim(struct kmdf_queue *queue, const struct kmdf_file *file)
{
    for (LIST_ENTRY *entry = queue->waiting.Flink; entry != &queue->waiting; entry = entry->Flink) {
        struct kmdf_request *request = CONTAINING_RECORD(entry, struct kmdf_request, queue_link);
        if ((file && request->file != file) || !kmdf_irp_cancel(request->irp, NULL))
            continue;
        kmdf_queue_cancel_begin(queue, request);
        return request;
    }
    return NULL;
}

void kmdf_queue_cancel_waiting(struct kmdf_queue *queue, const struct kmdf_file *file)
{
    for (;;) {
        plat_lock_acquire(&queue->lock);
        struct kmdf_request *request = claim(queue, file);
        plat_lock_release(&queue->lock);
        if (!request)
            return;
        kmdf_queue_cancel_finish(request);
    }
}

void kmdf_queue_cancel_presented(struct kmdf_queue *queue)
{
    for (;;) {
        struct kmdf_request *found = NULL;
        plat_lock_acquire(&queue->lock);
        for (LIST_ENTRY *entry = queue->presented.Flink; entry != &queue->presented && !found; entry = entry->Flink) {
            struct kmdf_request *request = CONTAINING_RECORD(entry, struct kmdf_request, queue_link);
            if (kmdf_request_cancel_claim(request))
                found = request;
        }
        plat_lock_release(&queue->lock);
        if (!found)
            return;
        kmdf_request_cancel_call(found);
    }
}

struct kmdf_queue *kmdf_device_next_queue(struct kmdf_device *device, struct kmdf_queue *queue)
{
    struct kmdf_queue *found = NULL;
    plat_lock_acquire(&kmdf_lock);
    LIST_ENTRY *entry = queue ? queue->link.Flink : device->all_queues.Flink;
    for (; entry != &device->all_queues && !found; entry = entry->Flink) {
        struct kmdf_queue *at = CONTAINING_RECORD(entry, struct kmdf_queue, link);
        if (at->object.state != KMDF_DESTROYED) {
            at->object.references++;
            found = at;
        }
    }
    plat_lock_release(&kmdf_lock);
    if (queue)
        kmdf_dereference(&queue->object);
    return found;
}

void kmdf_device_cancel_file(struct kmdf_device *device, const struct kmdf_file *file)
{
    struct kmdf_queue *queue = NULL;
    while ((queue = kmdf_device_next_queue(device, queue)))
        kmdf_queue_cancel_waiting(queue, file);
}
