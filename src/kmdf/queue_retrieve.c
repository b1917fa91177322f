/*
 * queue_retrieve.c - requests that the driver fetches from a queue, and how it learns that there are some.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

/* Whether requests can be fetched. */
static NTSTATUS check(const struct kmdf_queue *queue)
{
    if (queue->config.DispatchType == WdfIoQueueDispatchParallel)
        return STATUS_INVALID_DEVICE_STATE;
    return kmdf_queue_delivers(queue) ? STATUS_SUCCESS : STATUS_WDF_PAUSED;
}

static bool waits_in(const struct kmdf_request *request, const struct kmdf_queue *queue)
{
    return request->queue == queue && request->state == KMDF_REQUEST_QUEUED;
}

/* Takes the first of file's (null: of any) out for the driver. */
static NTSTATUS retrieve(struct kmdf_queue *queue, const struct kmdf_file *file, WDFREQUEST *out)
{
    *out = NULL;
    plat_lock_acquire(&queue->lock);
    NTSTATUS status = check(queue);
    bool search = NT_SUCCESS(status);
    for (LIST_ENTRY *entry = queue->waiting.Flink; search && !*out && entry != &queue->waiting; entry = entry->Flink) {
        struct kmdf_request *request = CONTAINING_RECORD(entry, struct kmdf_request, queue_link);
        if ((!file || request->file == file) && kmdf_queue_take(queue, request)) {
            *out = KMDF_HANDLE(WDFREQUEST, request);
            break;
        }
    }
    plat_lock_release(&queue->lock);
    return search && !*out ? STATUS_NO_MORE_ENTRIES : status;
}

/*
 * The first request that waits is the driver's now. STATUS_NO_MORE_ENTRIES: none waits; STATUS_WDF_PAUSED: the queue is
 * stopped, or power-managed and the device not in D0; STATUS_INVALID_DEVICE_STATE: it is a parallel one. IRQL <=
 * DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfIoQueueRetrieveNextRequest(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue, WDFREQUEST *OutRequest)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    kmdf_require(OutRequest);
    return retrieve(queue, NULL, OutRequest);
}

/* The same, of those sent by FileObject. */
NTSTATUS NTAPI WdfIoQueueRetrieveRequestByFileObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue,
                                                     WDFFILEOBJECT FileObject, WDFREQUEST *OutRequest)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    const struct kmdf_file *file = KMDF_GET(file, FileObject);
    kmdf_require(OutRequest);
    return retrieve(queue, file, OutRequest);
}

/*
 * Looks for a request that waits: the first, or the first after FoundRequest; of FileObject's if that is not null. It
 * stays where it is; *OutRequest has a reference, which the driver gives back. Parameters (may be null) as from
 * WdfRequestGetParameters. STATUS_NOT_FOUND: FoundRequest does not wait any more; STATUS_NO_MORE_ENTRIES: there is
 * none. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfIoQueueFindRequest(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue, WDFREQUEST FoundRequest,
                                     WDFFILEOBJECT FileObject, PWDF_REQUEST_PARAMETERS Parameters,
                                     WDFREQUEST *OutRequest)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    struct kmdf_request *from = FoundRequest ? KMDF_GET(request, FoundRequest) : NULL;
    const struct kmdf_file *file = FileObject ? KMDF_GET(file, FileObject) : NULL;
    kmdf_require(OutRequest);
    *OutRequest = NULL;
    if (Parameters && Parameters->Size != sizeof(*Parameters))
        return STATUS_INFO_LENGTH_MISMATCH;
    plat_lock_acquire(&queue->lock);
    bool lost = from && !waits_in(from, queue);
    LIST_ENTRY *entry = lost ? &queue->waiting : from ? from->queue_link.Flink : queue->waiting.Flink;
    for (; entry != &queue->waiting && !*OutRequest; entry = entry->Flink) {
        struct kmdf_request *request = CONTAINING_RECORD(entry, struct kmdf_request, queue_link);
        if (file && request->file != file)
            continue;
        kmdf_reference(&request->object, seh_export_caller());
        if (Parameters)
            kmdf_request_parameters(request, Parameters);
        *OutRequest = KMDF_HANDLE(WDFREQUEST, request);
    }
    plat_lock_release(&queue->lock);
    return lost ? STATUS_NOT_FOUND : *OutRequest ? STATUS_SUCCESS : STATUS_NO_MORE_ENTRIES;
}

/* A request that was found is the driver's now; the reference of finding it stays. STATUS_NOT_FOUND: it waits no more,
 * perhaps it was cancelled. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WdfIoQueueRetrieveFoundRequest(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue,
                                              WDFREQUEST FoundRequest, WDFREQUEST *OutRequest)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    struct kmdf_request *request = KMDF_GET(request, FoundRequest);
    kmdf_require(OutRequest);
    *OutRequest = NULL;
    plat_lock_acquire(&queue->lock);
    NTSTATUS status = check(queue);
    if (NT_SUCCESS(status) && (!waits_in(request, queue) || !kmdf_queue_take(queue, request)))
        status = STATUS_NOT_FOUND;
    plat_lock_release(&queue->lock);
    if (NT_SUCCESS(status))
        *OutRequest = FoundRequest;
    return status;
}

/*
 * QueueReady is called each time a request comes to the queue while none waits, and when a stopped queue that has some
 * is started; null: no more, which a stopped queue allows. STATUS_INVALID_DEVICE_REQUEST: the queue is not a manual
 * one, or has such a callback already, or none to take away. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfIoQueueReadyNotify(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue,
                                     PFN_WDF_IO_QUEUE_STATE QueueReady, WDFCONTEXT Context)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    if (queue->config.DispatchType != WdfIoQueueDispatchManual)
        return STATUS_INVALID_DEVICE_REQUEST;
    plat_lock_acquire(&queue->lock);
    bool fine = QueueReady ? !queue->ready : queue->ready && !queue->delivers;
    if (fine) {
        queue->ready = QueueReady;
        queue->ready_context = Context;
    }
    plat_lock_release(&queue->lock);
    return fine ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST;
}
