/*
 * relay_lower.c - a WDM driver that gives back its input, reversed, by every method; what it keeps, it completes when
 * that is cancelled.
 */
#include <ntddk.h>
#include "usermode_accessors.h"
#include "../relay.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_DISPATCH Dispatch;
static DRIVER_CANCEL Cancel;
static DRIVER_UNLOAD Unload;

#define TEXT_MAX 64

static ULONG Reverse(const UCHAR *Input, ULONG InputLength, UCHAR *Output, ULONG OutputLength)
{
    ULONG Length = InputLength < OutputLength ? InputLength : OutputLength;
    UCHAR Text[TEXT_MAX];
    if (Length > TEXT_MAX)
        Length = TEXT_MAX;
    for (ULONG i = 0; i < Length; i++)
        Text[i] = Input[InputLength - 1 - i];
    RtlCopyMemory(Output, Text, Length);
    return Length;
}

/* Addresses of the requestor's, user mode or kernel, are read and written as its mode allows. */
static NTSTATUS ReverseNeither(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    UCHAR Input[TEXT_MAX], Output[TEXT_MAX];
    ULONG InputLength = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG OutputLength = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    if (InputLength > TEXT_MAX)
        return STATUS_INVALID_PARAMETER;
    __try {
        CopyFromMode(Input, Stack->Parameters.DeviceIoControl.Type3InputBuffer, InputLength, Irp->RequestorMode);
        Irp->IoStatus.Information =
            Reverse(Input, InputLength, Output, OutputLength < TEXT_MAX ? OutputLength : TEXT_MAX);
        CopyToMode(Irp->UserBuffer, Output, Irp->IoStatus.Information, Irp->RequestorMode);
    } __except (UmaExceptionFilter(Irp->RequestorMode)) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    if (!NT_SUCCESS(Status))
        Irp->IoStatus.Information = 0;
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID NTAPI Cancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Complete(Irp, STATUS_CANCELLED);
}

static NTSTATUS Keep(PIRP Irp)
{
    IoMarkIrpPending(Irp);
    IoSetCancelRoutine(Irp, Cancel);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL))
        Complete(Irp, STATUS_CANCELLED);
    return STATUS_PENDING;
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG InputLength = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG OutputLength = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    UCHAR *Buffer = Irp->AssociatedIrp.SystemBuffer, *Output = Buffer;
    UNREFERENCED_PARAMETER(Device);
    Irp->IoStatus.Information = 0;
    if (Stack->MajorFunction != IRP_MJ_DEVICE_CONTROL)
        return Complete(Irp, STATUS_SUCCESS);
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case RELAY_DIRECT:
        Output = Irp->MdlAddress ? MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority) : NULL;
        /* fall through */
    case RELAY_BUFFERED:
        if (!Buffer || !Output)
            return Complete(Irp, STATUS_INVALID_PARAMETER);
        Irp->IoStatus.Information = Reverse(Buffer, InputLength, Output, OutputLength);
        return Complete(Irp, STATUS_SUCCESS);
    case RELAY_NEITHER:
        return Complete(Irp, ReverseNeither(Irp, Stack));
    case RELAY_KEEP:
        return Keep(Irp);
    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST);
    }
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\RelayLower");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        DriverObject->MajorFunction[i] = Dispatch;
    DriverObject->DriverUnload = Unload;
    return IoCreateDevice(DriverObject, 0, (PUNICODE_STRING)&Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}
