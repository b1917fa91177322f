/*
 * target_sync.c - WdfIoTargetSend...Synchronously: format, send and wait in one.
 *
 * Each returns the status that the request was completed with, or why it was not sent: the statuses of
 * kmdf_request_format, STATUS_INFO_LENGTH_MISMATCH for RequestOptions->Size, STATUS_INVALID_PARAMETER for its flags or
 * a bad descriptor, STATUS_INVALID_DEVICE_STATE: the target takes nothing now, STATUS_IO_TIMEOUT. Request may be NULL:
 * the framework has one for the call; a request that a target has is STATUS_INVALID_DEVICE_REQUEST. In a stopped target
 * the request waits for WdfIoTargetStart. PASSIVE_LEVEL.
 */
#include "kmdf_target.h"

struct call {
    struct kmdf_client *client;
    struct kmdf_target *target;
    struct kmdf_request *request; /* null: the framework's */
    const WDF_REQUEST_SEND_OPTIONS *options;
    ULONG_PTR *information; /* may be null */
    struct kmdf_io_format format;
    const char *function;
};

static NTSTATUS format_and_send(const struct call *call, struct kmdf_request *request,
                                const WDF_REQUEST_SEND_OPTIONS *options)
{
    NTSTATUS status = kmdf_request_format(call->target, request, &call->format);
    if (!NT_SUCCESS(status) || !kmdf_request_send(request, call->target, options, call->function, &status))
        return status;
    if (call->information)
        *call->information = request->information;
    return request->status;
}

static NTSTATUS run(const struct call *call)
{
    struct kmdf_request *request = call->request;
    WDF_REQUEST_SEND_OPTIONS options = {.Size = sizeof(options)};
    if (call->information)
        *call->information = 0;
    if (call->options && call->options->Size != sizeof(options))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (call->options)
        options = *call->options;
    if (options.Flags & WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET)
        return STATUS_INVALID_PARAMETER;
    options.Flags |= WDF_REQUEST_SEND_OPTION_SYNCHRONOUS;
    if (request)
        return format_and_send(call, request, &options);
    NTSTATUS status = kmdf_request_make(call->client, KMDF_REQUEST_CREATED, NULL, NULL, seh_export_caller(), &request);
    if (!NT_SUCCESS(status))
        return status;
    status = format_and_send(call, request, &options);
    kmdf_object_delete(&request->object);
    return status;
}

static struct call begin(PWDF_DRIVER_GLOBALS globals, WDFIOTARGET target, WDFREQUEST request,
                         const WDF_REQUEST_SEND_OPTIONS *options, ULONG_PTR *information, const char *function)
{
    return (struct call){.client = kmdf_client_of(globals, function),
                         .target = (struct kmdf_target *)kmdf_object_of(target, &kmdf_target_type, function),
                         .request = request ? kmdf_request_of(request, function) : NULL,
                         .options = options,
                         .information = information,
                         .function = function};
}

static NTSTATUS describe(struct call *call, const WDF_MEMORY_DESCRIPTOR *first, const WDF_MEMORY_DESCRIPTOR *second,
                         const WDF_MEMORY_DESCRIPTOR *third)
{
    const WDF_MEMORY_DESCRIPTOR *descriptors[] = {first, second, third};
    NTSTATUS status = STATUS_SUCCESS;
    for (int i = 0; i < 3 && NT_SUCCESS(status); i++)
        status = kmdf_io_descriptor(descriptors[i], &call->format.io[i], call->function);
    return status;
}

/* ---- for drivers ---- */

/* *BytesRead (may be NULL): what the device says it has read. */
NTSTATUS NTAPI WdfIoTargetSendReadSynchronously(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                                WDFREQUEST Request, PWDF_MEMORY_DESCRIPTOR OutputBuffer,
                                                PLONGLONG DeviceOffset, PWDF_REQUEST_SEND_OPTIONS RequestOptions,
                                                PULONG_PTR BytesRead)
{
    struct call call = begin(DriverGlobals, IoTarget, Request, RequestOptions, BytesRead, __func__);
    call.format.major = IRP_MJ_READ;
    call.format.offset = DeviceOffset ? *DeviceOffset : 0;
    NTSTATUS status = describe(&call, OutputBuffer, NULL, NULL);
    return NT_SUCCESS(status) ? run(&call) : status;
}

NTSTATUS NTAPI WdfIoTargetSendWriteSynchronously(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                                 WDFREQUEST Request, PWDF_MEMORY_DESCRIPTOR InputBuffer,
                                                 PLONGLONG DeviceOffset, PWDF_REQUEST_SEND_OPTIONS RequestOptions,
                                                 PULONG_PTR BytesWritten)
{
    struct call call = begin(DriverGlobals, IoTarget, Request, RequestOptions, BytesWritten, __func__);
    call.format.major = IRP_MJ_WRITE;
    call.format.offset = DeviceOffset ? *DeviceOffset : 0;
    NTSTATUS status = describe(&call, InputBuffer, NULL, NULL);
    return NT_SUCCESS(status) ? run(&call) : status;
}

NTSTATUS NTAPI WdfIoTargetSendIoctlSynchronously(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                                 WDFREQUEST Request, ULONG IoctlCode,
                                                 PWDF_MEMORY_DESCRIPTOR InputBuffer,
                                                 PWDF_MEMORY_DESCRIPTOR OutputBuffer,
                                                 PWDF_REQUEST_SEND_OPTIONS RequestOptions, PULONG_PTR BytesReturned)
{
    struct call call = begin(DriverGlobals, IoTarget, Request, RequestOptions, BytesReturned, __func__);
    call.format.major = IRP_MJ_DEVICE_CONTROL;
    call.format.code = IoctlCode;
    NTSTATUS status = describe(&call, InputBuffer, OutputBuffer, NULL);
    return NT_SUCCESS(status) ? run(&call) : status;
}

NTSTATUS NTAPI WdfIoTargetSendInternalIoctlSynchronously(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                                         WDFREQUEST Request, ULONG IoctlCode,
                                                         PWDF_MEMORY_DESCRIPTOR InputBuffer,
                                                         PWDF_MEMORY_DESCRIPTOR OutputBuffer,
                                                         PWDF_REQUEST_SEND_OPTIONS RequestOptions,
                                                         PULONG_PTR BytesReturned)
{
    struct call call = begin(DriverGlobals, IoTarget, Request, RequestOptions, BytesReturned, __func__);
    call.format.major = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    call.format.code = IoctlCode;
    NTSTATUS status = describe(&call, InputBuffer, OutputBuffer, NULL);
    return NT_SUCCESS(status) ? run(&call) : status;
}

/* With arguments instead of buffers, as WdfIoTargetFormatRequestForInternalIoctlOthers. */
NTSTATUS NTAPI WdfIoTargetSendInternalIoctlOthersSynchronously(
    PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget, WDFREQUEST Request, ULONG IoctlCode,
    PWDF_MEMORY_DESCRIPTOR OtherArg1, PWDF_MEMORY_DESCRIPTOR OtherArg2, PWDF_MEMORY_DESCRIPTOR OtherArg4,
    PWDF_REQUEST_SEND_OPTIONS RequestOptions, PULONG_PTR BytesReturned)
{
    struct call call = begin(DriverGlobals, IoTarget, Request, RequestOptions, BytesReturned, __func__);
    call.format.major = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    call.format.others = true;
    call.format.code = IoctlCode;
    NTSTATUS status = describe(&call, OtherArg1, OtherArg2, OtherArg4);
    return NT_SUCCESS(status) ? run(&call) : status;
}
