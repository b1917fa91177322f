/*
 * request.c - requests: made around an IRP, asked about, completed.
 */
#include "kmdf_queue.h"
#include "kmdf_target.h"

const struct kmdf_type kmdf_request_type = {.name = "WDFREQUEST",
                                            .size = sizeof(struct kmdf_request),
                                            .flags = KMDF_PARENT_ALLOWED,
                                            .cleanup = kmdf_request_cleanup,
                                            .destroy = kmdf_request_destroy,
                                            .no_delete = kmdf_request_no_delete};

static NTSTATUS make(struct kmdf_device *device, ULONG_PTR caller, struct kmdf_request **request)
{
    const struct WDFDEVICE_INIT *init = device->init;
    NTSTATUS status = kmdf_object_create(device->object.client, &kmdf_request_type,
                                         init->has_request_attributes ? &init->request_attributes : NULL, NULL, caller,
                                         (struct kmdf_object **)request);
    if (NT_SUCCESS(status)) {
        (*request)->device = device;
        InitializeListHead(&(*request)->queue_link);
    }
    return status;
}

/* What is the driver's, its context and children, stays as it is. */
void kmdf_request_attach(struct kmdf_request *request, IRP *irp)
{
    kmdf_reference(&request->device->object, 0);
    request->irp = irp;
    request->file = kmdf_file_find(request->device, IoGetCurrentIrpStackLocation(irp)->FileObject);
    request->queue = request->chosen = NULL;
    request->stopping = request->stop_acknowledged = false;
    request->stop_round = 0;
    request->cancel_state = KMDF_NOT_CANCELABLE;
    request->seen = request->cancelled_on_queue = request->create = request->has_status = false;
    request->send = (struct kmdf_send){.routine = NULL};
    request->information = 0;
    request->status = STATUS_SUCCESS;
    __atomic_store_n(&request->state, KMDF_REQUEST_NEW, __ATOMIC_RELEASE);
}

NTSTATUS kmdf_request_create(struct kmdf_device *device, IRP *irp, struct kmdf_request **request)
{
    NTSTATUS status = make(device, device->object.caller, request);
    if (NT_SUCCESS(status))
        kmdf_request_attach(*request, irp);
    return status;
}

NTSTATUS kmdf_request_create_reserved(struct kmdf_queue *queue, ULONG_PTR caller, struct kmdf_request **request)
{
    NTSTATUS status = make(queue->device, caller, request);
    if (NT_SUCCESS(status)) {
        (*request)->state = KMDF_REQUEST_COMPLETED;
        (*request)->reserve = queue;
    }
    return status;
}

void kmdf_request_abandon(struct kmdf_request *request)
{
    struct kmdf_device *device = request->device;
    request->irp = NULL;
    __atomic_store_n(&request->state, KMDF_REQUEST_COMPLETED, __ATOMIC_RELEASE);
    kmdf_object_delete(&request->object);
    kmdf_dereference(&device->object);
}

struct kmdf_request *kmdf_request_of(WDFREQUEST handle, const char *function)
{
    struct kmdf_request *request = (struct kmdf_request *)kmdf_object_of(handle, &kmdf_request_type, function);
    if (request->state == KMDF_REQUEST_COMPLETED)
        kmdf_violation(KMDF_REQUEST_FATAL, 2, (ULONG_PTR)handle, 0,
                       "%s was called for the request 0x%llx, which has been completed", function,
                       (ULONG64)(ULONG_PTR)handle);
    return request;
}

/* The input or output that the driver, or an I/O target, has not let go of. */
static void check_buffers(const struct kmdf_request *request)
{
    ULONG_PTR left = 0;
    plat_lock_acquire(&kmdf_lock);
    for (ULONG i = 0; i < RTL_NUMBER_OF(request->memory); i++)
        if (request->memory[i])
            left += (ULONG_PTR)(request->memory[i]->object.references - 1);
    plat_lock_release(&kmdf_lock);
    if (left)
        kmdf_violation(KMDF_REQUEST_BUFFERS, (ULONG_PTR)request->object.handle, left, 0,
                       "the request 0x%llx is completed, and %llu references to its buffers are left",
                       (ULONG64)(ULONG_PTR)request->object.handle, (ULONG64)left);
}

/* The request is disposed: the sender learns of its end, or the IRP goes to whom it is left to. */
void kmdf_request_tell_sender(struct kmdf_request *request)
{
    IRP *irp = request->irp;
    DEVICE_OBJECT *passed_to = request->send.passed_to;
    struct kmdf_file *opened = request->create ? request->file : NULL;
    if (passed_to) {
        request->irp = NULL;
        IofCallDriver(passed_to, irp);
        ob_dereference(passed_to);
        return;
    }
    irp->IoStatus.Status = request->status;
    irp->IoStatus.Information = request->information;
    request->irp = NULL;
    if (opened)
        kmdf_file_created(opened, request->status);
    IofCompleteRequest(irp, request->boost);
}

void kmdf_request_left(struct kmdf_queue *queue, struct kmdf_device *device)
{
    if (queue)
        kmdf_queue_left(queue);
    kmdf_dereference(&device->object);
}

static void disposed(struct kmdf_object *object)
{
    struct kmdf_request *request = (struct kmdf_request *)object;
    struct kmdf_queue *queue = request->queue;
    struct kmdf_device *device = request->device;
    kmdf_request_tell_sender(request);
    request->queue = NULL;
    kmdf_object_release(object);
    kmdf_request_left(queue, device);
}

/*
 * A request of the framework's making has no parent, as is documented: a device that is deleted under it takes nothing
 * away from the driver, which still owns it, and stays until then by the request's reference; so does its queue.
 *
 * What waits for the request's end is disposed before the sender learns of it: its buffers are unlocked then.
 */
void kmdf_request_complete(struct kmdf_request *request, NTSTATUS status, CCHAR boost)
{
    kmdf_format_release(request);
    check_buffers(request);
    request->status = status;
    request->boost = boost;
    kmdf_request_end(request);
}

void kmdf_request_end(struct kmdf_request *request)
{
    if (request->queue)
        kmdf_queue_withdraw(request->queue, request);
    __atomic_store_n(&request->state, KMDF_REQUEST_COMPLETED, __ATOMIC_RELEASE);
    if (request->reserve)
        kmdf_reserve_end(request);
    else
        kmdf_object_dispose(&request->object, disposed);
}

static VOID NTAPI call_in_worker(PVOID parameter)
{
    struct kmdf_request *request = parameter;
    struct kmdf_queue *queue = request->work_queue;
    struct kmdf_client *client = request->object.client;
    request->call(request);
    kmdf_dereference(&request->object);
    if (queue)
        kmdf_dereference(&queue->object);
    kmdf_busy_end(client);
}

void kmdf_request_call(struct kmdf_request *request, void (*call)(struct kmdf_request *request))
{
    struct kmdf_queue *queue = request->queue;
    bool here =
        queue ? kmdf_queue_callable(queue) : !request->device->sync.passive || KeGetCurrentIrql() == PASSIVE_LEVEL;
    kmdf_busy(request->object.client);
    kmdf_reference(&request->object, 0);
    if (queue)
        kmdf_reference(&queue->object, 0);
    request->call = call;
    request->work_queue = queue;
    request->work = (WORK_QUEUE_ITEM){.WorkerRoutine = call_in_worker, .Parameter = request};
    if (here)
        call_in_worker(request);
    else
        ExQueueWorkItem(&request->work, DelayedWorkQueue);
}

void kmdf_request_misused(struct kmdf_request *request, NTSTATUS status, const char *function, const char *what)
{
    WDF_QUEUE_FATAL_ERROR_DATA data = {.Queue = request->queue ? KMDF_HANDLE(WDFQUEUE, request->queue) : NULL,
                                       .Request = KMDF_HANDLE(WDFREQUEST, request),
                                       .Status = status};
    kmdf_violation(KMDF_QUEUE_FATAL, (ULONG_PTR)&data, 0, 0, "%s was called for the request 0x%llx, %s", function,
                   (ULONG64)(ULONG_PTR)request->object.handle, what);
}

/* ---- for drivers ---- */

/* What the sender would get beyond its buffer: the I/O manager copies that many bytes of buffered requests. */
static void check_information(const struct kmdf_request *request, NTSTATUS status, const char *function)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(request->irp);
    bool control =
        stack->MajorFunction == IRP_MJ_DEVICE_CONTROL || stack->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL;
    bool buffered = control ? METHOD_FROM_CTL_CODE(stack->Parameters.DeviceIoControl.IoControlCode) == METHOD_BUFFERED
                            : stack->MajorFunction == IRP_MJ_READ && (request->device->wdm->Flags & DO_BUFFERED_IO);
    WDF_REQUEST_FATAL_ERROR_INFORMATION_LENGTH_MISMATCH_DATA data = {
        .Request = KMDF_HANDLE(WDFREQUEST, request),
        .Irp = request->irp,
        .OutputBufferLength =
            control ? stack->Parameters.DeviceIoControl.OutputBufferLength : stack->Parameters.Read.Length,
        .Information = request->information,
        .MajorFunction = stack->MajorFunction};
    if (buffered && NT_SUCCESS(status) && data.Information > data.OutputBufferLength)
        kmdf_violation(KMDF_REQUEST_FATAL, 4, (ULONG_PTR)&data, 0,
                       "%s: the request 0x%llx says that %llu bytes were written, its buffer has %u", function,
                       (ULONG64)(ULONG_PTR)data.Request, (ULONG64)data.Information, data.OutputBufferLength);
}

/* Two threads that complete one request at once: one of them finds it completed. */
static void complete(WDFREQUEST handle, NTSTATUS status, const ULONG_PTR *information, CCHAR boost,
                     const char *function)
{
    struct kmdf_request *request = kmdf_request_of(handle, function);
    enum kmdf_request_state owned = KMDF_REQUEST_OWNED;
    if (request->origin != KMDF_REQUEST_RECEIVED)
        kmdf_request_misused(request, status, function, "which the driver has made: WdfObjectDelete ends it");
    if (kmdf_cancel_state_of(request) == KMDF_CANCELABLE)
        kmdf_request_misused(request, status, function, "which is cancelable: WdfRequestUnmarkCancelable comes first");
    if (!__atomic_compare_exchange_n(&request->state, &owned, KMDF_REQUEST_COMPLETED, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        kmdf_violation(KMDF_REQUEST_FATAL, 2, (ULONG_PTR)handle, 0, "%s was called for the request 0x%llx, %s",
                       function, (ULONG64)(ULONG_PTR)handle,
                       owned == KMDF_REQUEST_SENT ? "which an I/O target has" : "which is not the driver's now");
    if (information)
        request->information = *information;
    check_information(request, status, function);
    kmdf_request_complete(request, status, boost);
}

/* Ends the request; the driver must not touch it or its buffers afterwards. A request completed twice is WDF_VIOLATION.
 * IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfRequestComplete(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, NTSTATUS Status)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    complete(Request, Status, NULL, IO_NO_INCREMENT, __func__);
}

VOID NTAPI WdfRequestCompleteWithInformation(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, NTSTATUS Status,
                                             ULONG_PTR Information)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    complete(Request, Status, &Information, IO_NO_INCREMENT, __func__);
}

VOID NTAPI WdfRequestCompleteWithPriorityBoost(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, NTSTATUS Status,
                                               CCHAR PriorityBoost)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    complete(Request, Status, NULL, PriorityBoost, __func__);
}
