/*
 * codes.c - a driver that tells its control codes apart in each way a compiler knows.
 */
#include <ntddk.h>

#include "../codes.h"

static PDEVICE_OBJECT Device;
static volatile ULONG Sink;
static const ULONG Known[] = {
#define ROW(function, method) CODES_OF(function, method),
    CODES_TABLE(ROW)
#undef ROW
};

DRIVER_INITIALIZE DriverEntry;
static DRIVER_DISPATCH Any, Control;
static DRIVER_UNLOAD Unload;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

__declspec(noinline) static BOOLEAN IsSparse(ULONG Code)
{
    switch (Code) {
#define ROW(function, method)                                                                                          \
    case CODES_OF(function, method):                                                                                   \
        Sink = (function) * 3;                                                                                         \
        return TRUE;
        CODES_SPARSE(ROW)
#undef ROW
    }
    return FALSE;
}

__declspec(noinline) static BOOLEAN IsDense(ULONG Code)
{
    switch (Code) {
#define ROW(function, method)                                                                                          \
    case CODES_OF(function, method):                                                                                   \
        KeStallExecutionProcessor((function) & 7);                                                                     \
        Sink = (function) ^ 0x55;                                                                                      \
        return TRUE;
        CODES_DENSE(ROW)
#undef ROW
    }
    return FALSE;
}

__declspec(noinline) static BOOLEAN IsKnown(ULONG Code)
{
    ULONG i;
    for (i = 0; i < RTL_NUMBER_OF(Known); i++)
        if (Known[i] == Code)
            return TRUE;
    return FALSE;
}

__declspec(noinline) static BOOLEAN IsInChain(ULONG Code)
{
    return Code == CODES_OF(0x810, 3) || Code == CODES_OF(0x811, 3) || Code == CODES_OF(0x812, 3);
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    ULONG code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;

    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, IsSparse(code) || IsDense(code) || IsKnown(code) || IsInChain(code)
                             ? STATUS_SUCCESS
                             : STATUS_INVALID_DEVICE_REQUEST);
}

static NTSTATUS NTAPI Any(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoDeleteDevice(Device);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Codes");

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Any;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Any;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Any;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    DriverObject->DriverUnload = Unload;
    return IoCreateDevice(DriverObject, 0, &name, CODES_TYPE, 0, FALSE, &Device);
}
