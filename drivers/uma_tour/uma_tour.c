/*
 * uma_tour.c - one device-control code per family of accessors; a request names a DDI of the family and its arguments.
 *
 * The device; what a request does is in tour_call.c.
 */
#include <ntddk.h>
#include "tour_call.h"

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

static NTSTATUS NTAPI DispatchDeviceControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG code = stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG_PTR information = 0;
    NTSTATUS status;

    if (code != TOUR_IOCTL(TOUR_FAMILY(code)))
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (stack->Parameters.DeviceIoControl.InputBufferLength < sizeof(struct tour_request))
        return Complete(Irp, STATUS_INFO_LENGTH_MISMATCH, 0);
    status = Tour(TOUR_FAMILY(code), stack->Parameters.DeviceIoControl.Type3InputBuffer, Irp->UserBuffer,
                  stack->Parameters.DeviceIoControl.OutputBufferLength, &information);
    return Complete(Irp, status, information);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\UmaTour");

    IoDeleteSymbolicLink(&link);
    IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\UmaTour");
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\UmaTour");
    PDEVICE_OBJECT device;
    NTSTATUS status;

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
