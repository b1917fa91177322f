/*
 * queue.c - I/O queues: which requests they take, and when they present them to the driver.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

/* A thread that presents requests of a queue: what a callback completes does not have it present the next ones on top
 * of that callback. */
struct presenter {
    LIST_ENTRY link;
    PKTHREAD thread;
    bool listed;
};

static bool queue_no_delete(const struct kmdf_object *object)
{
    const struct kmdf_queue *queue = (const struct kmdf_queue *)object;
    bool chosen = queue->device->default_queue == queue;
    for (ULONG i = 0; i < KMDF_REQUEST_TYPES; i++)
        chosen |= queue->device->queues[i] == queue;
    return chosen;
}

/* Requests that still wait are cancelled. */
static void queue_cleanup(struct kmdf_object *object)
{
    struct kmdf_queue *queue = (struct kmdf_queue *)object;
    plat_lock_acquire(&queue->lock);
    queue->accepts = queue->delivers = false;
    queue->purged = true;
    plat_lock_release(&queue->lock);
    kmdf_queue_cancel_waiting(queue, NULL);
    kmdf_reserve_close(queue);
}

static void queue_destroy(struct kmdf_object *object)
{
    struct kmdf_queue *queue = (struct kmdf_queue *)object;
    if (!queue->device)
        return;
    plat_lock_acquire(&kmdf_lock);
    RemoveEntryList(&queue->link);
    plat_lock_release(&kmdf_lock);
    kmdf_reserve_free(queue);
    kmdf_dereference(&queue->device->object);
}

const struct kmdf_type kmdf_queue_type = {.name = "WDFQUEUE",
                                          .size = sizeof(struct kmdf_queue),
                                          .flags = KMDF_PARENT_ALLOWED | KMDF_EXECUTION | KMDF_SYNCHRONIZATION |
                                                   KMDF_PASSIVE,
                                          .cleanup = queue_cleanup,
                                          .destroy = queue_destroy,
                                          .no_delete = queue_no_delete};

struct kmdf_queue *kmdf_queue_for(struct kmdf_device *device, UCHAR major)
{
    struct kmdf_queue *queue = major < KMDF_REQUEST_TYPES ? device->queues[major] : NULL;
    return queue || major == IRP_MJ_CREATE ? queue : device->default_queue;
}

bool kmdf_queue_callable(const struct kmdf_queue *queue)
{
    return !kmdf_sync_held(queue->sync) && !(queue->passive && KeGetCurrentIrql() > PASSIVE_LEVEL);
}

/* ---- presenting ---- */

/* Calls the callback for the request's type, or EvtIoDefault. False: there is none for it. */
static bool call_handler(struct kmdf_queue *queue, struct kmdf_request *request)
{
    const WDF_IO_QUEUE_CONFIG *config = &queue->config;
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(request->irp);
    ULONG_PTR to = (ULONG_PTR)queue->object.handle, what = (ULONG_PTR)request->object.handle;
    PVOID control = stack->MajorFunction == IRP_MJ_DEVICE_CONTROL            ? (PVOID)config->EvtIoDeviceControl
                    : stack->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL ? (PVOID)config->EvtIoInternalDeviceControl
                                                                             : NULL;
    if (stack->MajorFunction == IRP_MJ_READ && config->EvtIoRead)
        KMDF_CALL3(config->EvtIoRead, to, what, stack->Parameters.Read.Length);
    else if (stack->MajorFunction == IRP_MJ_WRITE && config->EvtIoWrite)
        KMDF_CALL3(config->EvtIoWrite, to, what, stack->Parameters.Write.Length);
    else if (control)
        kmdf_call((ULONG_PTR)control, to, what, stack->Parameters.DeviceIoControl.OutputBufferLength,
                  stack->Parameters.DeviceIoControl.InputBufferLength, stack->Parameters.DeviceIoControl.IoControlCode);
    else if (config->EvtIoDefault)
        KMDF_CALL2(config->EvtIoDefault, to, what);
    else
        return false;
    return true;
}

/* How many requests the driver may have at a time. */
static ULONG capacity(const struct kmdf_queue *queue)
{
    switch (queue->config.DispatchType) {
    case WdfIoQueueDispatchSequential:
        return 1;
    case WdfIoQueueDispatchParallel:
        return queue->config.Settings.Parallel.NumberOfPresentedRequests;
    default:
        return 0; /* the driver fetches them */
    }
}

/* The request is the driver's from now on. The lock is held. */
static void give(struct kmdf_queue *queue, struct kmdf_request *request)
{
    InsertTailList(&queue->presented, &request->queue_link);
    queue->owned++;
    request->seen = true;
    request->state = KMDF_REQUEST_OWNED;
}

bool kmdf_queue_take(struct kmdf_queue *queue, struct kmdf_request *request)
{
    if (!kmdf_irp_cancel(request->irp, NULL))
        return false;
    RemoveEntryList(&request->queue_link);
    queue->waiting_count--;
    give(queue, request);
    return true;
}

/* The next request to present, which is the driver's from now on; null: none may be. The lock is held. */
static struct kmdf_request *next(struct kmdf_queue *queue)
{
    if (!kmdf_queue_delivers(queue) || queue->owned >= capacity(queue))
        return NULL;
    for (LIST_ENTRY *entry = queue->waiting.Flink; entry != &queue->waiting; entry = entry->Flink) {
        struct kmdf_request *request = CONTAINING_RECORD(entry, struct kmdf_request, queue_link);
        if (kmdf_queue_take(queue, request))
            return request;
    }
    return NULL;
}

/* One request. False: there was none to present. */
static bool present_next(struct kmdf_queue *queue)
{
    kmdf_sync_enter(queue->sync);
    plat_lock_acquire(&queue->lock);
    struct kmdf_request *request = next(queue);
    plat_lock_release(&queue->lock);
    bool handled = !request || call_handler(queue, request);
    kmdf_sync_leave(queue->sync);
    if (!handled)
        kmdf_request_complete(request, STATUS_INVALID_DEVICE_REQUEST, IO_NO_INCREMENT);
    return request != NULL;
}

static VOID NTAPI pump_in_worker(PVOID parameter)
{
    struct kmdf_queue *queue = parameter;
    struct kmdf_client *client = queue->object.client;
    plat_lock_acquire(&queue->lock);
    queue->worker = false;
    plat_lock_release(&queue->lock);
    kmdf_queue_pump(queue);
    kmdf_dereference(&queue->object);
    kmdf_busy_end(client);
}

static void pump_later(struct kmdf_queue *queue)
{
    plat_lock_acquire(&queue->lock);
    bool mine = !queue->worker;
    queue->worker = true;
    plat_lock_release(&queue->lock);
    if (!mine)
        return;
    kmdf_busy(queue->object.client);
    kmdf_reference(&queue->object, 0);
    queue->work = (WORK_QUEUE_ITEM){.WorkerRoutine = pump_in_worker, .Parameter = queue};
    ExQueueWorkItem(&queue->work, DelayedWorkQueue);
}

/* Makes the calling thread a presenter if there is something to present and it is none yet. */
static bool begin_presenting(struct kmdf_queue *queue, struct presenter *self)
{
    plat_lock_acquire(&queue->lock);
    bool begin = kmdf_queue_delivers(queue) && !IsListEmpty(&queue->waiting) && queue->owned < capacity(queue);
    for (LIST_ENTRY *entry = queue->presenters.Flink; begin && entry != &queue->presenters; entry = entry->Flink)
        begin = CONTAINING_RECORD(entry, struct presenter, link)->thread != self->thread;
    self->listed = begin && kmdf_queue_callable(queue);
    if (self->listed)
        InsertTailList(&queue->presenters, &self->link);
    plat_lock_release(&queue->lock);
    return begin;
}

/* A thread must not wait for a request to come that its own callback would have to return for: it presents what came
 * meanwhile when the callback has returned. */
void kmdf_queue_pump(struct kmdf_queue *queue)
{
    struct presenter self = {.thread = ke_thread_current()};
    if (!begin_presenting(queue, &self))
        return;
    if (!self.listed) {
        pump_later(queue);
        return;
    }
    while (present_next(queue))
        ;
    plat_lock_acquire(&queue->lock);
    RemoveEntryList(&self.link);
    plat_lock_release(&queue->lock);
}

/* ---- coming in ---- */

/* Requests wait that did not before: a manual queue's driver is told, if it asked for that. */
static void tell_ready(struct kmdf_queue *queue)
{
    plat_lock_acquire(&queue->lock);
    PFN_WDF_IO_QUEUE_STATE ready = kmdf_queue_delivers(queue) && queue->waiting_count ? queue->ready : NULL;
    WDFCONTEXT context = queue->ready_context;
    plat_lock_release(&queue->lock);
    if (ready)
        KMDF_CALL2(ready, queue->object.handle, context);
}

void kmdf_queue_wake(struct kmdf_queue *queue)
{
    kmdf_reference(&queue->object, 0);
    tell_ready(queue);
    kmdf_queue_pump(queue);
    kmdf_dereference(&queue->object);
}

/* A read or write of no bytes is done without the driver, unless it asked for those. */
static bool is_empty(const struct kmdf_queue *queue, const struct kmdf_request *request)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(request->irp);
    bool transfer = stack->MajorFunction == IRP_MJ_READ || stack->MajorFunction == IRP_MJ_WRITE;
    return transfer && !stack->Parameters.Read.Length && !queue->config.AllowZeroLengthRequests;
}

/* Puts it among those who wait, to be cancelled from now on. True: it was cancelled before. The lock is held. */
static bool add(struct kmdf_queue *queue, struct kmdf_request *request, bool head)
{
    if (head)
        InsertHeadList(&queue->waiting, &request->queue_link);
    else
        InsertTailList(&queue->waiting, &request->queue_link);
    queue->waiting_count++;
    request->queue = queue;
    request->state = KMDF_REQUEST_QUEUED;
    request->irp->Tail.Overlay.DriverContext[3] = request->object.handle;
    kmdf_irp_cancel(request->irp, kmdf_queue_cancel_routine);
    bool cancelled = (kmdf_irp_is_cancelled(request->irp) || queue->purged) && kmdf_irp_cancel(request->irp, NULL);
    if (cancelled)
        kmdf_queue_cancel_begin(queue, request);
    return cancelled;
}

NTSTATUS kmdf_queue_put(struct kmdf_queue *queue, struct kmdf_request *request, bool head, bool always)
{
    bool cancelled = false, first = false;
    kmdf_reference(&queue->object, 0); /* the request's */
    kmdf_reference(&queue->object, 0); /* until here is done with it */
    plat_lock_acquire(&queue->lock);
    bool accepted = queue->accepts || always;
    if (accepted) {
        first = !queue->waiting_count;
        cancelled = add(queue, request, head);
    }
    plat_lock_release(&queue->lock);
    if (!accepted)
        kmdf_dereference(&queue->object);
    else if (cancelled)
        kmdf_queue_cancel_finish(request);
    else if (first)
        tell_ready(queue);
    if (accepted)
        kmdf_queue_pump(queue);
    kmdf_dereference(&queue->object);
    return accepted ? STATUS_SUCCESS : STATUS_WDF_BUSY;
}

NTSTATUS kmdf_queue_insert(struct kmdf_queue *queue, struct kmdf_request *request)
{
    if (is_empty(queue, request)) {
        request->information = 0;
        kmdf_request_complete(request, STATUS_SUCCESS, IO_NO_INCREMENT);
        return STATUS_SUCCESS;
    }
    return kmdf_queue_put(queue, request, false, false);
}

/* ---- going ---- */

void kmdf_queue_withdraw(struct kmdf_queue *queue, struct kmdf_request *request)
{
    plat_lock_acquire(&queue->lock);
    RemoveEntryList(&request->queue_link);
    InitializeListHead(&request->queue_link);
    if (request->stop_acknowledged)
        queue->acknowledged--;
    request->stop_acknowledged = false;
    plat_lock_release(&queue->lock);
}

void kmdf_queue_left(struct kmdf_queue *queue)
{
    plat_lock_acquire(&queue->lock);
    queue->owned--;
    bool awaited = !IsListEmpty(&queue->waits);
    plat_lock_release(&queue->lock);
    kmdf_queue_pump(queue);
    if (awaited)
        kmdf_queue_state_check(queue);
    kmdf_dereference(&queue->object);
}
