/*
 * target_ddi.c - WdfIoTargetFormatRequestFor...: what drivers fill requests with before WdfRequestSend.
 *
 * Each fails with the statuses of kmdf_request_format, leaves the request unformatted then, and is for IRQL <=
 * DISPATCH_LEVEL. A memory object that is named here is referenced until the request is formatted anew, reused,
 * completed or deleted. An offset may be NULL: the whole of the memory; so may a memory object: no bytes.
 */
#include "kmdf_target.h"

static NTSTATUS format_transfer(WDFIOTARGET target, WDFREQUEST handle, UCHAR major, WDFMEMORY memory,
                                const WDFMEMORY_OFFSET *offset, const LONGLONG *device_offset, const char *function)
{
    struct kmdf_io_format format = {.major = major, .offset = device_offset ? *device_offset : 0};
    struct kmdf_target *to = (struct kmdf_target *)kmdf_object_of(target, &kmdf_target_type, function);
    struct kmdf_request *request = kmdf_request_of(handle, function);
    NTSTATUS status = kmdf_io_memory(memory, offset, &format.io[0], function);
    return NT_SUCCESS(status) ? kmdf_request_format(to, request, &format) : status;
}

/* Memory objects and where in them. */
struct parts {
    WDFMEMORY memory[3];
    const WDFMEMORY_OFFSET *offset[3];
};

static NTSTATUS format_control(WDFIOTARGET target, WDFREQUEST handle, struct kmdf_io_format *format,
                               const struct parts *parts, const char *function)
{
    struct kmdf_target *to = (struct kmdf_target *)kmdf_object_of(target, &kmdf_target_type, function);
    struct kmdf_request *request = kmdf_request_of(handle, function);
    NTSTATUS status = STATUS_SUCCESS;
    for (int i = 0; i < 3 && NT_SUCCESS(status); i++)
        status = kmdf_io_memory(parts->memory[i], parts->offset[i], &format->io[i], function);
    return NT_SUCCESS(status) ? kmdf_request_format(to, request, format) : status;
}

/* ---- for drivers ---- */

/* A read of as many bytes as OutputBuffer names, at *DeviceOffset (NULL: 0). How the buffer goes there is up to the
 * target's device: buffered, direct or neither. */
NTSTATUS NTAPI WdfIoTargetFormatRequestForRead(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                               WDFREQUEST Request, WDFMEMORY OutputBuffer,
                                               PWDFMEMORY_OFFSET OutputBufferOffset, PLONGLONG DeviceOffset)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return format_transfer(IoTarget, Request, IRP_MJ_READ, OutputBuffer, OutputBufferOffset, DeviceOffset, __func__);
}

NTSTATUS NTAPI WdfIoTargetFormatRequestForWrite(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                                WDFREQUEST Request, WDFMEMORY InputBuffer,
                                                PWDFMEMORY_OFFSET InputBufferOffset, PLONGLONG DeviceOffset)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return format_transfer(IoTarget, Request, IRP_MJ_WRITE, InputBuffer, InputBufferOffset, DeviceOffset, __func__);
}

/* A device control. The buffers go as the code's method says: METHOD_BUFFERED copies them, out again on completion. */
NTSTATUS NTAPI WdfIoTargetFormatRequestForIoctl(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                                WDFREQUEST Request, ULONG IoctlCode, WDFMEMORY InputBuffer,
                                                PWDFMEMORY_OFFSET InputBufferOffset, WDFMEMORY OutputBuffer,
                                                PWDFMEMORY_OFFSET OutputBufferOffset)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_io_format format = {.major = IRP_MJ_DEVICE_CONTROL, .code = IoctlCode};
    struct parts parts = {{InputBuffer, OutputBuffer}, {InputBufferOffset, OutputBufferOffset}};
    return format_control(IoTarget, Request, &format, &parts, __func__);
}

NTSTATUS NTAPI WdfIoTargetFormatRequestForInternalIoctl(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                                        WDFREQUEST Request, ULONG IoctlCode, WDFMEMORY InputBuffer,
                                                        PWDFMEMORY_OFFSET InputBufferOffset, WDFMEMORY OutputBuffer,
                                                        PWDFMEMORY_OFFSET OutputBufferOffset)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_io_format format = {.major = IRP_MJ_INTERNAL_DEVICE_CONTROL, .code = IoctlCode};
    struct parts parts = {{InputBuffer, OutputBuffer}, {InputBufferOffset, OutputBufferOffset}};
    return format_control(IoTarget, Request, &format, &parts, __func__);
}

/* An internal device control whose arguments 1, 2 and 4 are the addresses of memory, NULL for none; argument 3 is the
 * code. */
NTSTATUS NTAPI WdfIoTargetFormatRequestForInternalIoctlOthers(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                                              WDFREQUEST Request, ULONG IoctlCode, WDFMEMORY OtherArg1,
                                                              PWDFMEMORY_OFFSET OtherArg1Offset, WDFMEMORY OtherArg2,
                                                              PWDFMEMORY_OFFSET OtherArg2Offset, WDFMEMORY OtherArg4,
                                                              PWDFMEMORY_OFFSET OtherArg4Offset)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_io_format format = {.major = IRP_MJ_INTERNAL_DEVICE_CONTROL, .others = true, .code = IoctlCode};
    struct parts parts = {{OtherArg1, OtherArg2, OtherArg4}, {OtherArg1Offset, OtherArg2Offset, OtherArg4Offset}};
    return format_control(IoTarget, Request, &format, &parts, __func__);
}
