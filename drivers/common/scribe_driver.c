/*
 * scribe_driver.c - the part that is alike in all scribe drivers: one device and its link, create, close and cleanup
 * that succeed, the dispatch of the two control codes, unload. Touches no user memory; that is each driver's story.
 */
#include "scribe_driver.h"

DRIVER_INITIALIZE DriverEntry;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI DispatchOpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Buffered(PIRP Irp, PIO_STACK_LOCATION Stack, PULONG_PTR Information)
{
    SCRIBE_REQUEST request;
    SCRIBE_RESULT result;
    NTSTATUS status;

    if (Stack->Parameters.DeviceIoControl.InputBufferLength < sizeof(request))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (Stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(result))
        return STATUS_BUFFER_TOO_SMALL;
    request = *(PSCRIBE_REQUEST)Irp->AssociatedIrp.SystemBuffer;
    status = ScribeCopyBuffered(&request, &result);
    if (NT_SUCCESS(status)) {
        *(PSCRIBE_RESULT)Irp->AssociatedIrp.SystemBuffer = result;
        *Information = sizeof(result);
    }
    return status;
}

static NTSTATUS NTAPI DispatchDeviceControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG_PTR information = 0;
    NTSTATUS status;

    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_SCRIBE_COPY:
        status = ScribeCopy(stack->Parameters.DeviceIoControl.Type3InputBuffer,
                            stack->Parameters.DeviceIoControl.InputBufferLength, Irp->UserBuffer,
                            stack->Parameters.DeviceIoControl.OutputBufferLength, &information);
        break;
    case IOCTL_SCRIBE_COPY_BUFFERED:
        status = Buffered(Irp, stack, &information);
        break;
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    return Complete(Irp, status, information);
}

ULONG ScribeTransform(PUCHAR Bytes, ULONG Size, ULONG Flags)
{
    ULONG sum = 0;
    for (ULONG i = 0; i < Size; i++) {
        if ((Flags & SCRIBE_UPPER) && Bytes[i] >= 'a' && Bytes[i] <= 'z')
            Bytes[i] -= 'a' - 'A';
        sum += Bytes[i];
    }
    return sum;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING link;

    RtlInitUnicodeString(&link, ScribeLinkName);
    IoDeleteSymbolicLink(&link);
    IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name, link;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    RtlInitUnicodeString(&name, ScribeDeviceName);
    RtlInitUnicodeString(&link, ScribeLinkName);
    status = IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;
    status = IoCreateSymbolicLink(&link, &name);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(device);
        return status;
    }
    Driver->MajorFunction[IRP_MJ_CREATE] = DispatchOpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = DispatchOpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = DispatchOpenClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DispatchDeviceControl;
    Driver->DriverUnload = Unload;
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}
