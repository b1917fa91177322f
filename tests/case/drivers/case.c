/*
 * case.c - a driver that counts its requests, or does what nothing comes back from.
 */
#include <ntddk.h>

#include "../case.h"

static PDEVICE_OBJECT Device;
static KTIMER Timer;
static KDPC Dpc;
static KEVENT Never;
static volatile ULONG Count;
static PIRP Waiting;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_DISPATCH Open, Control;
static DRIVER_UNLOAD Unload;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID NTAPI Tick(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Complete(Waiting, STATUS_SUCCESS, 0);
}

static VOID NTAPI Work(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeWorkItem(Context);
    Complete(Waiting, STATUS_SUCCESS, 0);
}

static NTSTATUS Later(PIRP Irp, BOOLEAN ByWorkItem)
{
    LARGE_INTEGER soon = {.QuadPart = -10000};
    PIO_WORKITEM item = ByWorkItem ? IoAllocateWorkItem(Device) : NULL;

    if (ByWorkItem && !item)
        return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    IoMarkIrpPending(Irp);
    Waiting = Irp;
    if (ByWorkItem)
        IoQueueWorkItem(item, Work, DelayedWorkQueue, item);
    else
        KeSetTimer(&Timer, soon, &Dpc);
    return STATUS_PENDING;
}

static VOID LoopForEver(VOID)
{
    for (;;)
        Count = Count + 1;
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG function = stack->Parameters.DeviceIoControl.IoControlCode >> 2 & 0xFFF;
    KIRQL irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    switch (function) {
    case CASE_COUNT:
        if (stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG))
            return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
        *(PULONG)Irp->AssociatedIrp.SystemBuffer = ++Count;
        return Complete(Irp, STATUS_SUCCESS, sizeof(ULONG));
    case CASE_NULL:
        *(volatile ULONG *)(ULONG_PTR)0xFFFF800000001000 = 1;
        break;
    case CASE_LOOP:
        LoopForEver();
        break;
    case CASE_LOOP_MASKED:
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        LoopForEver();
        break;
    case CASE_WAIT:
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
        break;
    case CASE_SAYS_TIMEOUT:
        return Complete(Irp, STATUS_IO_TIMEOUT, 0);
    case CASE_LATER:
    case CASE_WORK:
        return Later(Irp, function == CASE_WORK);
    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Open(PDEVICE_OBJECT DeviceObject, PIRP Irp)
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
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Case");

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Open;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Open;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Open;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    DriverObject->DriverUnload = Unload;
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, Tick, NULL);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    return IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}
