/*
 * queue_ddi.c - WdfIoQueue...: queues as drivers make and ask for them.
 */
#include "kmdf_queue.h"

static NTSTATUS check_config(const struct kmdf_device *device, const WDF_IO_QUEUE_CONFIG *config)
{
    bool parallel = config->DispatchType == WdfIoQueueDispatchParallel;
    bool callback = config->EvtIoDefault || config->EvtIoRead || config->EvtIoWrite || config->EvtIoDeviceControl ||
                    config->EvtIoInternalDeviceControl;
    if (config->Size != sizeof(*config))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (config->DispatchType <= WdfIoQueueDispatchInvalid || config->DispatchType >= WdfIoQueueDispatchMax)
        return STATUS_INVALID_PARAMETER;
    if (parallel && !config->Settings.Parallel.NumberOfPresentedRequests)
        return STATUS_INVALID_PARAMETER;
    if (config->DispatchType != WdfIoQueueDispatchManual && !callback)
        return STATUS_WDF_NO_CALLBACK;
    if (config->DispatchType == WdfIoQueueDispatchManual && callback)
        return STATUS_INVALID_PARAMETER;
    if (config->DefaultQueue && device->default_queue)
        return STATUS_UNSUCCESSFUL;
    return STATUS_SUCCESS;
}

/* A control device has no power to manage; a filter's queues are left alone unless it says otherwise. */
static bool is_power_managed(const struct kmdf_device *device, const WDF_IO_QUEUE_CONFIG *config)
{
    if (!device->lower || config->PowerManaged == WdfFalse)
        return false;
    return config->PowerManaged == WdfTrue || !device->init->pnp.filter;
}

/*
 * A queue of Device, child of it unless QueueAttributes names another parent below it. STATUS_INFO_LENGTH_MISMATCH,
 * STATUS_WDF_NO_CALLBACK: nobody would get the requests; STATUS_UNSUCCESSFUL: there is a default queue.
 * IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfIoQueueCreate(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, PWDF_IO_QUEUE_CONFIG Config,
                                PWDF_OBJECT_ATTRIBUTES QueueAttributes, WDFQUEUE *Queue)
{
    struct kmdf_queue *queue;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(Config);
    if (Queue)
        *Queue = NULL;
    NTSTATUS status = check_config(device, Config);
    if (!NT_SUCCESS(status))
        return status;
    status = kmdf_object_create(client, &kmdf_queue_type, QueueAttributes, &device->object, seh_export_caller(),
                                (struct kmdf_object **)&queue);
    if (!NT_SUCCESS(status))
        return status;
    queue->device = device;
    kmdf_sync_init(&queue->own_sync, &queue->object);
    queue->sync = kmdf_sync_of(&queue->object);
    queue->config = *Config;
    plat_lock_init(&queue->lock);
    InitializeListHead(&queue->waiting);
    InitializeListHead(&queue->presented);
    InitializeListHead(&queue->presenters);
    InitializeListHead(&queue->waits);
    queue->accepts = queue->delivers = true;
    queue->power_managed = is_power_managed(device, Config);
    queue->passive = kmdf_execution_level(&queue->object) == WdfExecutionLevelPassive;
    kmdf_reference(&device->object, 0);
    plat_lock_acquire(&kmdf_lock);
    queue->held = queue->power_managed && !device->powered;
    InsertTailList(&device->all_queues, &queue->link);
    plat_lock_release(&kmdf_lock);
    if (kmdf_ancestor(&queue->object, &kmdf_device_type) != &device->object) {
        kmdf_object_discard(&queue->object);
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Config->DefaultQueue)
        device->default_queue = queue;
    if (Queue)
        *Queue = KMDF_HANDLE(WDFQUEUE, queue);
    return STATUS_SUCCESS;
}

WDFDEVICE NTAPI WdfIoQueueGetDevice(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_HANDLE(WDFDEVICE, KMDF_GET(queue, Queue)->device);
}

static bool presents(const struct kmdf_queue *queue, WDF_REQUEST_TYPE type)
{
    const WDF_IO_QUEUE_CONFIG *config = &queue->config;
    return config->DispatchType == WdfIoQueueDispatchManual || config->EvtIoDefault ||
           (type == WdfRequestTypeRead && config->EvtIoRead) || (type == WdfRequestTypeWrite && config->EvtIoWrite) ||
           (type == WdfRequestTypeDeviceControl && config->EvtIoDeviceControl) ||
           (type == WdfRequestTypeDeviceControlInternal && config->EvtIoInternalDeviceControl);
}

/*
 * Requests of that type go to Queue from now on: creations (which no queue gets otherwise), reads, writes, device
 * controls, internal ones. STATUS_INVALID_PARAMETER: another type; STATUS_WDF_BUSY: it has a queue;
 * STATUS_INVALID_DEVICE_REQUEST: the queue is another device's or has no callback for it. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceConfigureRequestDispatching(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, WDFQUEUE Queue,
                                                    WDF_REQUEST_TYPE RequestType)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    if (RequestType != WdfRequestTypeCreate && RequestType != WdfRequestTypeRead &&
        RequestType != WdfRequestTypeWrite && RequestType != WdfRequestTypeDeviceControl &&
        RequestType != WdfRequestTypeDeviceControlInternal)
        return STATUS_INVALID_PARAMETER;
    if (queue->device != device || !presents(queue, RequestType))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (device->queues[RequestType])
        return STATUS_WDF_BUSY;
    device->queues[RequestType] = queue;
    return STATUS_SUCCESS;
}
