/*
 * hostile_io.h - sins with the I/O manager: requests completed wrongly or never, and objects that are shared with the
 * kernel overwritten.
 */
#pragma once
#include "hostile.h"

static BOOLEAN SinWithCompletion(enum sin Sin, HOSTILE_REQUEST *Request)
{
    PIRP irp = Request->Irp;
    switch (Sin) {
    case SIN_NEVER_COMPLETE:
        Request->Done = TRUE;
        return TRUE;
    case SIN_COMPLETE_TWICE:
        Complete(Request, STATUS_SUCCESS, 0);
        IoCompleteRequest(irp, IO_NO_INCREMENT);
        return TRUE;
    case SIN_PENDING_UNMARKED:
        Complete(Request, STATUS_SUCCESS, 0);
        Request->Status = STATUS_PENDING;
        return TRUE;
    case SIN_COMPLETE_WITH_PENDING:
        Complete(Request, STATUS_PENDING, 0);
        return TRUE;
    case SIN_HUGE_INFORMATION:
        Complete(Request, STATUS_SUCCESS, ~(ULONG_PTR)0);
        return TRUE;
    case SIN_ODD_STATUS:
        Complete(Request, (NTSTATUS)0x3FFFFFFF, 0x8000000000000000ull);
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithIrp(enum sin Sin, HOSTILE_REQUEST *Request)
{
    PIRP irp = Request->Irp;
    static IRP foreign;
    switch (Sin) {
    case SIN_IRP_ZEROED:
        RtlZeroMemory(irp, sizeof(*irp));
        return TRUE;
    case SIN_IRP_FILLED:
        RtlFillMemory(irp, sizeof(*irp), 0x41);
        return TRUE;
    case SIN_IRP_LOCATION:
        irp->CurrentLocation = 127;
        return TRUE;
    case SIN_IRP_STACK_POINTER:
        irp->Tail.Overlay.CurrentStackLocation = WILD;
        return TRUE;
    case SIN_IRP_FREED:
        IoFreeIrp(irp);
        return TRUE;
    case SIN_IRP_FOREIGN:
        foreign = *irp;
        IoCompleteRequest(&foreign, IO_NO_INCREMENT);
        return TRUE;
    case SIN_IRP_USER_BUFFER:
        irp->UserBuffer = WILD;
        irp->UserIosb = WILD;
        irp->UserEvent = WILD;
        irp->Flags = ~0u;
        return TRUE;
    case SIN_SYSTEM_BUFFER_FREED:
        ExFreePool(irp->AssociatedIrp.SystemBuffer);
        Request->Information = 8;
        return TRUE;
    case SIN_SYSTEM_BUFFER_CHANGED:
        irp->AssociatedIrp.SystemBuffer = WILD;
        Request->Information = 8;
        return TRUE;
    case SIN_COMPLETION_ROUTINE_WILD:
        Request->Stack->CompletionRoutine = WILD;
        Request->Stack->Control = SL_INVOKE_ON_SUCCESS;
        return TRUE;
    case SIN_CANCEL_ROUTINE_WILD:
        IoSetCancelRoutine(irp, WILD);
        IoMarkIrpPending(irp);
        Request->Done = TRUE;
        Request->Status = STATUS_PENDING;
        return TRUE;
    case SIN_CALL_DRIVER_SELF:
        IoCallDriver(Request->Device, irp);
        return TRUE;
    case SIN_CALL_DRIVER_WILD:
        irp->CurrentLocation = 2;
        IoCallDriver(WILD, irp);
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithDevice(enum sin Sin, HOSTILE_REQUEST *Request)
{
    PDEVICE_OBJECT device = Request->Device;
    switch (Sin) {
    case SIN_DEVICE_DELETED:
        IoDeleteDevice(device);
        return TRUE;
    case SIN_DEVICE_DELETED_TWICE:
        IoDeleteDevice(device);
        IoDeleteDevice(device);
        IoDeleteDevice(device);
        return TRUE;
    case SIN_DEVICE_DELETE_WILD:
        IoDeleteDevice(WILD);
        return TRUE;
    case SIN_DEVICE_ZEROED:
        RtlZeroMemory(device, sizeof(*device));
        return TRUE;
    case SIN_DEVICE_FILLED:
        RtlFillMemory(device, sizeof(*device), 0x41);
        return TRUE;
    case SIN_DEVICE_LIST_LOOP:
        device->NextDevice = device;
        return TRUE;
    case SIN_DEVICE_LIST_WILD:
        device->NextDevice = WILD;
        return TRUE;
    case SIN_DEVICE_ATTACH_SELF:
        device->AttachedDevice = device;
        return TRUE;
    case SIN_DEVICE_STACK_SIZE:
        device->StackSize = -1;
        device->ReferenceCount = -5;
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithDriver(enum sin Sin, HOSTILE_REQUEST *Request)
{
    PDRIVER_OBJECT driver = Request->Device->DriverObject;
    PFILE_OBJECT file = Request->Stack->FileObject;
    switch (Sin) {
    case SIN_DRIVER_ZEROED:
        RtlZeroMemory(driver, sizeof(*driver));
        return TRUE;
    case SIN_DRIVER_FILLED:
        RtlFillMemory(driver, sizeof(*driver), 0x41);
        return TRUE;
    case SIN_DRIVER_DELETED:
        for (ULONG i = 0; i < 100; i++)
            ObDereferenceObject(driver);
        return TRUE;
    case SIN_MAJOR_NULL:
        driver->MajorFunction[IRP_MJ_CLEANUP] = NULL;
        return TRUE;
    case SIN_FILE_OBJECT_FILLED:
        RtlFillMemory(file, sizeof(*file), 0x41);
        return TRUE;
    case SIN_FILE_OBJECT_DEREFERENCED:
        for (ULONG i = 0; i < 100; i++)
            ObDereferenceObject(file);
        return TRUE;
    case SIN_FOREIGN_DELETED: {
        PFILE_OBJECT other;
        PDEVICE_OBJECT device;
        UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Null");
        if (!NT_SUCCESS(IoGetDeviceObjectPointer(&name, GENERIC_READ, &other, &device)))
            return TRUE;
        IoDeleteDevice(device);
        return TRUE;
    }
    default:
        return FALSE;
    }
}

static VOID MakeName(WCHAR *Text, ULONG Number)
{
    for (ULONG i = 0; i < 8; i++, Number /= 10)
        Text[i] = (WCHAR)(L'0' + Number % 10);
}

static BOOLEAN SinWithNames(enum sin Sin, HOSTILE_REQUEST *Request)
{
    static WCHAR text[] = L"\\Device\\00000000";
    UNICODE_STRING name = {sizeof(text) - 2, sizeof(text), text}, odd, to = RTL_CONSTANT_STRING(L"\\??\\HostileB");
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\??\\HostileA");
    PDRIVER_OBJECT driver = Request->Device->DriverObject;
    PDEVICE_OBJECT device;
    ULONG made = 0;
    switch (Sin) {
    case SIN_HUGE_EXTENSION:
        for (ULONG size = 1; size; size <<= 1)
            Request->Information +=
                NT_SUCCESS(IoCreateDevice(driver, size, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device))
                    ? (IoDeleteDevice(device), 1)
                    : 0;
        if (NT_SUCCESS(IoCreateDevice(driver, ~0u, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device)))
            *(volatile UCHAR *)((PUCHAR)device->DeviceExtension + 0xfffffff0u) = 1;
        return TRUE;
    case SIN_MANY_DEVICES:
        for (; made < 3000; made++) {
            MakeName(text + 8, made);
            if (!NT_SUCCESS(IoCreateDevice(driver, 16, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device)))
                break;
        }
        Request->Information = made;
        return TRUE;
    case SIN_MANY_LINKS:
        for (; made < 3000; made++) {
            MakeName(text + 8, made);
            if (!NT_SUCCESS(IoCreateSymbolicLink(&name, &to)))
                break;
        }
        Request->Information = made;
        return TRUE;
    case SIN_LINK_LOOP:
        IoCreateSymbolicLink(&link, &to);
        IoCreateSymbolicLink(&to, &link);
        {
            PFILE_OBJECT file;
            Request->Information = (ULONG)IoGetDeviceObjectPointer(&link, GENERIC_READ, &file, &device);
        }
        return TRUE;
    case SIN_BAD_NAMES:
        odd = (UNICODE_STRING){1, 0, NULL};
        IoCreateDevice(driver, 0, &odd, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
        odd = (UNICODE_STRING){0xffff, 0, text};
        odd.Length = 3;
        IoCreateDevice(driver, 0, &odd, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
        odd.Length = 2;
        IoCreateDevice(driver, 0, &odd, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
        IoDeleteSymbolicLink(&odd);
        return TRUE;
    case SIN_NAME_WILD:
        odd = (UNICODE_STRING){0xfffe, 0xfffe, WILD};
        IoCreateDevice(driver, 0, &odd, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithRequests(enum sin Sin, HOSTILE_REQUEST *Request)
{
    return SinWithCompletion(Sin, Request) || SinWithIrp(Sin, Request) || SinWithDevice(Sin, Request) ||
           SinWithDriver(Sin, Request) || SinWithNames(Sin, Request);
}
