/*
 * queue_reserve.c - guaranteed forward progress: requests that a queue has in reserve, for IRPs that there is no memory
 * for.
 *
 * A request in reserve has no IRP and counts as completed, so that nothing but its context and its children can be
 * used. It takes an IRP, and comes back when that is completed; it ends with its queue.
 */
#include "kmdf_memory.h"
#include "kmdf_queue.h"
#include "kmdf_request.h"

struct kmdf_reserve {
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy;
    LIST_ENTRY free; /* struct kmdf_request.queue_link; the queue's lock */
    bool closed;     /* the queue is being deleted */
};

#define RESERVE_TAG RTL_TAG('K', 'm', 'R', 's')

/* ---- taking and giving back ---- */

static struct kmdf_request *take(struct kmdf_queue *queue)
{
    struct kmdf_request *request = NULL;
    plat_lock_acquire(&queue->lock);
    if (!IsListEmpty(&queue->reserve->free))
        request = CONTAINING_RECORD(RemoveHeadList(&queue->reserve->free), struct kmdf_request, queue_link);
    plat_lock_release(&queue->lock);
    if (request)
        InitializeListHead(&request->queue_link);
    return request;
}

/* Into the reserve; a request of a queue that is being deleted goes. */
static void put(struct kmdf_queue *queue, struct kmdf_request *request)
{
    plat_lock_acquire(&queue->lock);
    bool kept = !queue->reserve->closed;
    if (kept)
        InsertTailList(&queue->reserve->free, &request->queue_link);
    plat_lock_release(&queue->lock);
    if (!kept)
        kmdf_object_delete(&request->object);
}

/* What was made for the IRP: memory objects of its buffers, locked user memory. The driver's own children stay. */
static void delete_buffers(struct kmdf_request *request)
{
    struct kmdf_object *found;
    do {
        found = NULL;
        plat_lock_acquire(&kmdf_lock);
        LIST_ENTRY *children = &request->object.children;
        for (LIST_ENTRY *entry = children->Flink; entry != children && !found; entry = entry->Flink) {
            struct kmdf_object *child = CONTAINING_RECORD(entry, struct kmdf_object, sibling);
            enum kmdf_memory_kind kind =
                child->type == &kmdf_memory_type ? ((struct kmdf_memory *)child)->kind : KMDF_MEMORY_POOL;
            bool made = kind == KMDF_MEMORY_REQUEST || kind == KMDF_MEMORY_LOCKED;
            found = made && child->state == KMDF_ALIVE ? child : NULL;
        }
        for (ULONG i = 0; i < RTL_NUMBER_OF(request->memory); i++)
            request->memory[i] = NULL;
        plat_lock_release(&kmdf_lock);
        if (found)
            kmdf_object_delete(found);
    } while (found);
}

void kmdf_reserve_end(struct kmdf_request *request)
{
    struct kmdf_client *client = request->object.client;
    struct kmdf_queue *reserve = request->reserve, *queue = request->queue;
    struct kmdf_device *device = request->device;
    kmdf_busy(client);
    delete_buffers(request);
    kmdf_request_tell_sender(request);
    request->queue = NULL;
    put(reserve, request);
    kmdf_request_left(queue, device);
    kmdf_dereference(&reserve->object);
    kmdf_busy_end(client);
}

void kmdf_reserve_close(struct kmdf_queue *queue)
{
    struct kmdf_request *request;
    if (!queue->reserve)
        return;
    plat_lock_acquire(&queue->lock);
    queue->reserve->closed = true;
    plat_lock_release(&queue->lock);
    while ((request = take(queue)))
        kmdf_object_delete(&request->object);
}

void kmdf_reserve_free(struct kmdf_queue *queue)
{
    if (queue->reserve)
        mm_heap_free(queue->reserve, RESERVE_TAG);
}

/* ---- for an IRP that comes in ---- */

/* At PASSIVE_LEVEL in a critical region, as is documented of these callbacks. */
static NTSTATUS call(struct kmdf_queue *queue, PVOID callback, const void *parameter)
{
    bool passive = KeGetCurrentIrql() == PASSIVE_LEVEL;
    if (passive)
        KeEnterCriticalRegion();
    NTSTATUS status = (NTSTATUS)KMDF_CALL2(callback, queue->object.handle, parameter);
    if (passive)
        KeLeaveCriticalRegion();
    return status;
}

/* Whether the policy has an IRP use the reserve. */
static bool is_for(struct kmdf_queue *queue, const IRP *irp)
{
    const WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY *policy = &queue->reserve->policy;
    switch (policy->ForwardProgressReservedPolicy) {
    case WdfIoForwardProgressReservedPolicyAlwaysUseReservedRequest:
        return true;
    case WdfIoForwardProgressReservedPolicyPagingIO:
        return (irp->Flags & (IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO)) != 0;
    default:
        return call(queue,
                    (PVOID)
                        policy->ForwardProgressReservePolicySettings.Policy.ExaminePolicy.EvtIoWdmIrpForForwardProgress,
                    irp) == (NTSTATUS)WdfIoForwardProgressActionUseReservedRequest;
    }
}

/* The driver gets what it needs for a request that is no reserved one. */
static NTSTATUS allocate_resources(struct kmdf_queue *queue, struct kmdf_request *request)
{
    PVOID callback = (PVOID)queue->reserve->policy.EvtIoAllocateRequestResources;
    return callback ? call(queue, callback, request->object.handle) : STATUS_SUCCESS;
}

NTSTATUS kmdf_request_receive(struct kmdf_device *device, IRP *irp, struct kmdf_queue *queue,
                              struct kmdf_request **made)
{
    NTSTATUS status = kmdf_request_create(device, irp, made);
    if (!queue || !queue->reserve)
        return status;
    if (NT_SUCCESS(status)) {
        status = allocate_resources(queue, *made);
        if (NT_SUCCESS(status))
            return status;
        kmdf_request_abandon(*made);
    }
    struct kmdf_request *request = is_for(queue, irp) ? take(queue) : NULL;
    if (!request)
        return status;
    kmdf_reference(&queue->object, 0);
    kmdf_request_attach(request, irp);
    *made = request;
    return STATUS_SUCCESS;
}

/* ---- for drivers ---- */

static NTSTATUS check_policy(const WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY *policy)
{
    WDF_IO_FORWARD_PROGRESS_RESERVED_POLICY kind = policy->ForwardProgressReservedPolicy;
    if (policy->Size != sizeof(*policy))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (!policy->TotalForwardProgressRequests || kind <= WdfIoForwardProgressInvalidPolicy ||
        kind > WdfIoForwardProgressReservedPolicyPagingIO)
        return STATUS_INVALID_PARAMETER;
    if (kind == WdfIoForwardProgressReservedPolicyUseExamine &&
        !policy->ForwardProgressReservePolicySettings.Policy.ExaminePolicy.EvtIoWdmIrpForForwardProgress)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* One more request in reserve, for which the driver allocates what it needs. */
static NTSTATUS add(struct kmdf_queue *queue, ULONG_PTR caller)
{
    struct kmdf_request *request;
    PVOID callback = (PVOID)queue->reserve->policy.EvtIoAllocateResourcesForReservedRequest;
    NTSTATUS status = kmdf_request_create_reserved(queue, caller, &request);
    if (!NT_SUCCESS(status))
        return status;
    if (callback)
        status = (NTSTATUS)KMDF_CALL2(callback, queue->object.handle, request->object.handle);
    if (NT_SUCCESS(status))
        put(queue, request);
    else
        kmdf_object_delete(&request->object);
    return status;
}

/*
 * Creates requests in reserve for Queue, each with the attributes of WdfDeviceInitSetRequestAttributes, and has
 * EvtIoAllocateResourcesForReservedRequest (may be null) called for each. From then on an IRP for the queue that there
 * is no memory for, or whose EvtIoAllocateRequestResources (may be null) fails, takes one of them if the policy says so
 * and one is left; else it is completed with that failure. STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_PARAMETER;
 * STATUS_INVALID_DEVICE_REQUEST: the queue has a reserve; STATUS_INSUFFICIENT_RESOURCES; what the callback returned:
 * then nothing stays. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfIoQueueAssignForwardProgressPolicy(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue,
                                                     PWDF_IO_QUEUE_FORWARD_PROGRESS_POLICY ForwardProgressPolicy)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    kmdf_require(ForwardProgressPolicy);
    NTSTATUS status = check_policy(ForwardProgressPolicy);
    if (!NT_SUCCESS(status))
        return status;
    if (queue->reserve)
        return STATUS_INVALID_DEVICE_REQUEST;
    struct kmdf_reserve *reserve = mm_heap_allocate(sizeof(*reserve), RESERVE_TAG);
    if (!reserve)
        return STATUS_INSUFFICIENT_RESOURCES;
    reserve->policy = *ForwardProgressPolicy;
    InitializeListHead(&reserve->free);
    queue->reserve = reserve;
    for (ULONG i = 0; NT_SUCCESS(status) && i < reserve->policy.TotalForwardProgressRequests; i++)
        status = add(queue, seh_export_caller());
    if (!NT_SUCCESS(status)) {
        kmdf_reserve_close(queue);
        queue->reserve = NULL;
        mm_heap_free(reserve, RESERVE_TAG);
    }
    return status;
}

/* Whether the request is one that its queue had in reserve. IRQL <= DISPATCH_LEVEL. */
BOOLEAN NTAPI WdfRequestIsReserved(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(request, Request)->reserve != NULL;
}
