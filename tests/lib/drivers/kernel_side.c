/*
 * kernel_side.c - a driver that hands an accessor a bad address where its own memory belongs, inside __try.
 */
#include <ntddk.h>

#include "usermode_accessors.h"
#include "../kernel_side.h"

static PDEVICE_OBJECT Device;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_DISPATCH Any, Control;
static DRIVER_UNLOAD Unload;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID Copy(const struct kernel_side *side)
{
    PVOID kernel = (PVOID)(ULONG_PTR)side->kernel, user = (PVOID)(ULONG_PTR)side->user;
    SIZE_T length = (SIZE_T)side->length;

    switch (side->which) {
    case SIDE_FROM:
        CopyFromUser(kernel, user, length);
        break;
    case SIDE_TO:
        CopyToUser(user, kernel, length);
        break;
    case SIDE_FROM_STREAM:
        CopyFromUserNonTemporal(kernel, user, length);
        break;
    case SIDE_TO_STREAM:
        CopyToUserNonTemporal(user, kernel, length);
        break;
    }
}

/* Information: the address that the exception tells, and in bit 0 whether it tells of a write. */
static LONG Note(PEXCEPTION_POINTERS Pointers, PULONG_PTR Information)
{
    *Information = Pointers->ExceptionRecord->ExceptionInformation[1] << 1 |
                   (Pointers->ExceptionRecord->ExceptionInformation[0] == 1);
    return EXCEPTION_EXECUTE_HANDLER;
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG_PTR information = 0;
    struct kernel_side side;
    NTSTATUS status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(DeviceObject);
    __try {
        CopyFromUser(&side, stack->Parameters.DeviceIoControl.Type3InputBuffer, sizeof(side));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    __try {
        Copy(&side);
    } __except (Note(GetExceptionInformation(), &information)) {
        status = GetExceptionCode();
    }
    return Complete(Irp, status, information);
}

static NTSTATUS NTAPI Any(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoDeleteDevice(Device);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\KernelSide");

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Any;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Any;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Any;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    DriverObject->DriverUnload = Unload;
    return IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}
