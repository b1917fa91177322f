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
    return ZwOpenFile(Handle, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &attributes, &io, 7,
                      FILE_SYNCHRONOUS_IO_NONALERT);
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

/* Reads where the requestor says, as the requestor may. */
static NTSTATUS StoryPointer(PREVIOUS_MODE_REPLY *Reply, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG64 copy;

    if (stack->Parameters.DeviceIoControl.InputBufferLength < sizeof(PVOID))
        return STATUS_BUFFER_TOO_SMALL;
    Reply->Mode = Irp->RequestorMode;
    __try {
        CopyFromMode(&copy, *(PVOID *)Irp->AssociatedIrp.SystemBuffer, sizeof(copy), Irp->RequestorMode);
        Reply->First = STATUS_SUCCESS;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Reply->First = GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* Sends itself a request as kernel-mode callers do; its buffers are kernel memory. */
static NTSTATUS SendSelf(ULONG Story, PREVIOUS_MODE_REPLY *Inner)
{
    HANDLE handle;
    IO_STATUS_BLOCK io;
    ULONG64 value = 7;
    PVOID pointer = &value;
    NTSTATUS status = OpenSelf(OBJ_KERNEL_HANDLE, &handle);

    if (!NT_SUCCESS(status))
        return status;
    status = ZwDeviceIoControlFile(handle, NULL, NULL, NULL, &io, PREVIOUS_MODE_CODE(Story), &pointer, sizeof(pointer),
                                   Inner, sizeof(*Inner));
    ZwClose(handle);
    return status;
}

static NTSTATUS StoryResend(PREVIOUS_MODE_REPLY *Reply)
{
    PREVIOUS_MODE_REPLY inner;
    NTSTATUS status = SendSelf(STORY_POINTER, &inner);

    if (!NT_SUCCESS(status))
        return status;
    Reply->Mode = inner.Mode;
    Reply->First = inner.First;
    Reply->Second = inner.Before;
    return STATUS_SUCCESS;
}

/*
 * user -> Nt -> here -> Zw -> here -> Nt. The inner level asks an Nt service for something, which its mode answers, and
 * then meets an exception.
 */
static NTSTATUS StoryNested(PREVIOUS_MODE_REPLY *Reply)
{
    PREVIOUS_MODE_REPLY inner;
    HANDLE handle;
    NTSTATUS status;

    if (Reply->Before == UserMode) {
        RtlZeroMemory(&inner, sizeof(inner));
        status = SendSelf(STORY_NESTED, &inner);
        inner.Level[LEVEL_OUTER] = inner.Before = Reply->Before;
        inner.Level[LEVEL_OUTER_AFTER] = ExGetPreviousMode();
        *Reply = inner;
        return status;
    }
    Reply->Level[LEVEL_INNER] = ExGetPreviousMode();
    status = MakeKernelEvent(&handle);
    if (!NT_SUCCESS(status))
        return status;
    Reply->Second = NtClose(handle);
    Reply->Level[LEVEL_INNERMOST_NT] = ExGetPreviousMode();
    __try {
        ReadULongFromUser((ULONG *)&handle); /* no user address */
        Reply->First = STATUS_SUCCESS;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Reply->First = GetExceptionCode();
    }
    Reply->Level[LEVEL_INNER_AFTER] = ExGetPreviousMode();
    return STATUS_SUCCESS;
}

/* ---- an arbitrary thread ---- */

typedef struct _ARBITRARY {
    PREVIOUS_MODE_WITNESS *Witness;
    KEVENT Done[WITNESSES];
    KDPC Dpc;
    PIO_WORKITEM WorkItem;
} ARBITRARY;

static VOID Testify(PREVIOUS_MODE_WITNESS *Witness)
{
    HANDLE handle;

    Witness->Mode = ExGetPreviousMode();
    Witness->Irql = KeGetCurrentIrql();
    Witness->System = PsGetCurrentProcess() == PsInitialSystemProcess;
    Witness->Handled = STATUS_PENDING;
    if (Witness->Irql != PASSIVE_LEVEL || !NT_SUCCESS(MakeKernelEvent(&handle)))
        return;
    Witness->Handled = NtClose(handle);
    if (!NT_SUCCESS(Witness->Handled))
        ZwClose(handle);
}

static VOID NTAPI OnDpc(PKDPC Dpc, PVOID Context, PVOID First, PVOID Second)
{
    ARBITRARY *arbitrary = Context;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    Testify(&arbitrary->Witness[WITNESS_DPC]);
    KeSetEvent(&arbitrary->Done[WITNESS_DPC], IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI OnWorkItem(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    ARBITRARY *arbitrary = Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    Testify(&arbitrary->Witness[WITNESS_WORK_ITEM]);
    KeSetEvent(&arbitrary->Done[WITNESS_WORK_ITEM], IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI OnThread(PVOID Context)
{
    ARBITRARY *arbitrary = Context;

    Testify(&arbitrary->Witness[WITNESS_THREAD]);
}

static NTSTATUS RunThread(ARBITRARY *Arbitrary)
{
    HANDLE handle;
    NTSTATUS status;

    status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, OnThread, Arbitrary);
    if (!NT_SUCCESS(status))
        return status;
    status = ZwWaitForSingleObject(handle, FALSE, NULL);
    ZwClose(handle);
    return status;
}

static NTSTATUS StoryArbitrary(PREVIOUS_MODE_REPLY *Reply, PDEVICE_OBJECT DeviceObject)
{
    ARBITRARY *arbitrary;
    NTSTATUS status;
    ULONG i;

    Testify(&Reply->Witness[WITNESS_REQUEST]);
    arbitrary = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*arbitrary), POOL_TAG);
    if (!arbitrary)
        return STATUS_INSUFFICIENT_RESOURCES;
    arbitrary->Witness = Reply->Witness;
    for (i = WITNESS_DPC; i < WITNESSES; i++)
        KeInitializeEvent(&arbitrary->Done[i], NotificationEvent, FALSE);
    arbitrary->WorkItem = IoAllocateWorkItem(DeviceObject);
    if (!arbitrary->WorkItem) {
        ExFreePoolWithTag(arbitrary, POOL_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeDpc(&arbitrary->Dpc, OnDpc, arbitrary);
    KeInsertQueueDpc(&arbitrary->Dpc, NULL, NULL);
    IoQueueWorkItem(arbitrary->WorkItem, OnWorkItem, DelayedWorkQueue, arbitrary);
    for (i = WITNESS_DPC; i <= WITNESS_WORK_ITEM; i++)
        KeWaitForSingleObject(&arbitrary->Done[i], Executive, KernelMode, FALSE, NULL);
    status = RunThread(arbitrary);
    KeFlushQueuedDpcs();
    IoFreeWorkItem(arbitrary->WorkItem);
    ExFreePoolWithTag(arbitrary, POOL_TAG);
    return status;
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PREVIOUS_MODE_REPLY reply, *out = Irp->AssociatedIrp.SystemBuffer;
    NTSTATUS status;

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
    case PREVIOUS_MODE_CODE(STORY_POINTER):
        status = StoryPointer(&reply, Irp);
        break;
    case PREVIOUS_MODE_CODE(STORY_RESEND):
        status = StoryResend(&reply);
        break;
    case PREVIOUS_MODE_CODE(STORY_ARBITRARY):
        status = StoryArbitrary(&reply, DeviceObject);
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
