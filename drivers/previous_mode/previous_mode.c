/*
 * previous_mode.c - what the documentation says of PreviousMode, done by a driver: Nt and Zw services called in a
 * user's thread with kernel handles and kernel buffers.
 */
#include <ntifs.h>
#include "ddk_missing.h"
#include "usermode_accessors.h"
#include "previous_mode.h"

#define POOL_TAG 'doMP'

static const WCHAR DeviceName[] = L"\\Device\\PreviousMode";

static NTSTATUS NTAPI Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* A write accepts everything. */
static NTSTATUS NTAPI Accept(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS, stack->MajorFunction == IRP_MJ_WRITE ? stack->Parameters.Write.Length : 0);
}

static NTSTATUS OpenSelf(ULONG Attributes, PHANDLE Handle)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;

    RtlInitUnicodeString(&name, DeviceName);
    InitializeObjectAttributes(&attributes, &name, Attributes, NULL, NULL);
    return ZwOpenFile(Handle, GENERIC_READ | GENERIC_WRITE, &attributes, &io, 7, 0);
}

static __declspec(noinline) NTSTATUS MakeKernelEvent(PHANDLE Handle)
{
    OBJECT_ATTRIBUTES attributes;

    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateEvent(Handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE);
}

static NTSTATUS StoryClose(PREVIOUS_MODE_REPLY *Reply, BOOLEAN Repair)
{
    HANDLE handle;
    NTSTATUS status = MakeKernelEvent(&handle);

    if (!NT_SUCCESS(status))
        return status;
    Reply->First = NtClose(handle); /* PreviousMode decides: a user's thread has no kernel handles */
    if (Repair)
        Reply->Second = ZwClose(handle);
    return STATUS_SUCCESS;
}

static NTSTATUS StoryWrite(PREVIOUS_MODE_REPLY *Reply)
{
    HANDLE handle;
    IO_STATUS_BLOCK io;
    PVOID buffer;
    NTSTATUS status = OpenSelf(0, &handle); /* a handle of the user's process, which both modes may use */

    if (!NT_SUCCESS(status))
        return status;
    buffer = ExAllocatePool2(POOL_FLAG_PAGED, 64, POOL_TAG);
    if (buffer) {
        Reply->First = NtWriteFile(handle, NULL, NULL, NULL, &io, buffer, 64, NULL, NULL);
        Reply->Second = ZwWriteFile(handle, NULL, NULL, NULL, &io, buffer, 64, NULL, NULL);
        ExFreePoolWithTag(buffer, POOL_TAG);
    }
    ZwClose(handle);
    return buffer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS StoryRequestor(PREVIOUS_MODE_REPLY *Reply, PIRP Irp)
{
    ULONG value, copy;

    value = 7;
    Reply->Mode = Irp->RequestorMode;
    __try {
        CopyFromMode(&copy, &value, sizeof(copy), Irp->RequestorMode);
        Reply->First = STATUS_SUCCESS;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Reply->First = GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS StoryNested(PREVIOUS_MODE_REPLY *Reply)
{
    HANDLE handle;
    IO_STATUS_BLOCK io;
    PREVIOUS_MODE_REPLY inner;
    NTSTATUS status = OpenSelf(OBJ_KERNEL_HANDLE, &handle);

    if (!NT_SUCCESS(status))
        return status;
    status = ZwDeviceIoControlFile(handle, NULL, NULL, NULL, &io, PREVIOUS_MODE_CODE(STORY_REQUESTOR), NULL, 0, &inner,
                                   sizeof(inner));
    ZwClose(handle);
    if (!NT_SUCCESS(status))
        return status;
    Reply->Mode = inner.Mode;
    Reply->First = inner.First;
    Reply->Second = inner.Before;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PREVIOUS_MODE_REPLY reply, *out = Irp->AssociatedIrp.SystemBuffer;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(reply))
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    RtlZeroMemory(&reply, sizeof(reply));
    reply.Before = ExGetPreviousMode();
    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case PREVIOUS_MODE_CODE(STORY_CLOSE):
        status = StoryClose(&reply, TRUE);
        break;
    case PREVIOUS_MODE_CODE(STORY_LEAK):
        status = StoryClose(&reply, FALSE);
        break;
    case PREVIOUS_MODE_CODE(STORY_WRITE):
        status = StoryWrite(&reply);
        break;
    case PREVIOUS_MODE_CODE(STORY_REQUESTOR):
        status = StoryRequestor(&reply, Irp);
        break;
    case PREVIOUS_MODE_CODE(STORY_NESTED):
        status = StoryNested(&reply);
        break;
    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    reply.After = ExGetPreviousMode();
    *out = reply;
    return Complete(Irp, status, NT_SUCCESS(status) ? sizeof(reply) : 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(RegistryPath);
    RtlInitUnicodeString(&name, DeviceName);
    status = IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;
    device->Flags |= DO_BUFFERED_IO;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Accept;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Accept;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Accept;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = Accept;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
