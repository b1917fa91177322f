/* devices.h - sins with requests as memory, and with devices. */
#pragma once
#include "verify.h"

NTSTATUS NTAPI FREED_OF_THREAD(PVERIFY_REQUEST Request)
{
    KEVENT event;
    IO_STATUS_BLOCK io;
    PIRP irp;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(0x222003, VerifyLower, NULL, 0, NULL, 0, FALSE, &event, &io);
    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Request->Wrong)
        IoFreeIrp(irp); /* HERE */
    else if (IoCallDriver(VerifyLower, irp) == STATUS_PENDING)
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FREED_IN_USE(PVERIFY_REQUEST Request)
{
    if (Request->Wrong)
        IoFreeIrp(Request->Irp); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FREED_NO_REQUEST(PVERIFY_REQUEST Request)
{
    PIRP irp = IoAllocateIrp(1, FALSE);

    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    IoFreeIrp(irp);
    if (Request->Wrong)
        IoFreeIrp(irp); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FREED_AS_POOL(PVERIFY_REQUEST Request)
{
    PIRP irp = IoAllocateIrp(1, FALSE);

    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Request->Wrong)
        ExFreePool(irp); /* HERE */
    else
        IoFreeIrp(irp);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI INITIALIZED_ALLOCATED(PVERIFY_REQUEST Request)
{
    PIRP irp = IoAllocateIrp(1, FALSE);

    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Request->Wrong)
        IoInitializeIrp(irp, IoSizeOfIrp(1), 1); /* HERE */
    else
        IoReuseIrp(irp, STATUS_SUCCESS);
    IoFreeIrp(irp);
    return STATUS_SUCCESS;
}

static NTSTATUS Create(PVERIFY_REQUEST Request, PDEVICE_OBJECT *Device)
{
    return IoCreateDevice(Request->Device->DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, Device);
}

NTSTATUS NTAPI DELETED_TWICE(PVERIFY_REQUEST Request)
{
    PDEVICE_OBJECT device;
    NTSTATUS status = Create(Request, &device);

    if (!NT_SUCCESS(status))
        return status;
    ObReferenceObject(device);
    IoDeleteDevice(device);
    if (Request->Wrong)
        IoDeleteDevice(device); /* HERE */
    ObDereferenceObject(device);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DELETED_WHILE_ATTACHED(PVERIFY_REQUEST Request)
{
    PDEVICE_OBJECT device, lower;
    NTSTATUS status = Create(Request, &device);

    if (!NT_SUCCESS(status))
        return status;
    lower = IoAttachDeviceToDeviceStack(device, VerifyLower);
    if (!Request->Wrong)
        IoDetachDevice(lower);
    IoDeleteDevice(device); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DETACHED_TWICE(PVERIFY_REQUEST Request)
{
    PDEVICE_OBJECT device, lower;
    NTSTATUS status = Create(Request, &device);

    if (!NT_SUCCESS(status))
        return status;
    lower = IoAttachDeviceToDeviceStack(device, VerifyLower);
    IoDetachDevice(lower);
    if (Request->Wrong)
        IoDetachDevice(lower); /* HERE */
    IoDeleteDevice(device);
    return STATUS_SUCCESS;
}
