/*
 * hostile.c - a driver that does on request what no driver should: its entry, its dispatch, its unload.
 *
 * The control code says which sin (sins.def); the low two bits of the code choose the method, so that a sin can be had
 * with a system buffer or without.
 */
#include "hostile_cpu.h"
#include "hostile_io.h"
#include "hostile_use.h"

DRIVER_INITIALIZE DriverEntry;

static UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\Hostile");

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Device, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI DeviceControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG code = stack->Parameters.DeviceIoControl.IoControlCode;
    HOSTILE_REQUEST request = {.Device = Device, .Irp = Irp, .Stack = stack, .Status = STATUS_SUCCESS};
    enum sin sin = (enum sin)(((code >> 2) & 0xfff) - 0x800);

    request.Input = stack->Parameters.DeviceIoControl.Type3InputBuffer;
    request.InputLength = stack->Parameters.DeviceIoControl.InputBufferLength;
    if (!SinWithProcessor(sin, &request) && !SinWithRequests(sin, &request) && !SinWithRoutines(sin, &request))
        request.Status = STATUS_INVALID_DEVICE_REQUEST;
    if (request.Done)
        return request.Status;
    Irp->IoStatus.Status = request.Status;
    Irp->IoStatus.Information = request.Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return request.Status;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    if (UnloadSin != SIN_COUNT)
        SinAtUnload(Driver);
    if (UnloadSin != SIN_UNLOAD_KEEPS_DEVICE && Driver->DeviceObject)
        IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT device;
    NTSTATUS status = IoCreateDevice(Driver, 64, &DeviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        Driver->MajorFunction[i] = Succeed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    Driver->DriverUnload = Unload;
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}
