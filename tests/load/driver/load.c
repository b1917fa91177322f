/*
 * load.c - four devices for the load test: every way of describing a buffer, every way of completing a request.
 *
 * A request is answered at once, waits in its device's cancel-safe queue until the device's timer runs a DPC, or goes
 * to a work item, or stays in the queue until it is cancelled. What is in locked or system buffers is answered when the
 * request is completed; memory of METHOD_NEITHER is reached while the caller's thread is here, through the accessors.
 */
#include <ntddk.h>

#include "usermode_accessors.h"
#include "../load.h"

typedef struct _LOAD_DEVICE {
    IO_CSQ Queue;
    KSPIN_LOCK Lock; /* guards Waiting */
    LIST_ENTRY Waiting;
    KTIMER Timer;
    KDPC Dpc;
} LOAD_DEVICE, *PLOAD_DEVICE;

static volatile LONG64 In, Out, Pended, Finished, Cancelled;
static PDEVICE_OBJECT Devices[LOAD_DEVICES];

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH Open, Cleanup, Request;
static IO_WORKITEM_ROUTINE Work;
static KDEFERRED_ROUTINE Tick;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = NT_SUCCESS(Status) ? Information : 0;
    InterlockedIncrement64(&Out);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* ---- answers ---- */

static PVOID Locked(PIRP Irp, PULONG Size)
{
    *Size = Irp->MdlAddress ? MmGetMdlByteCount(Irp->MdlAddress) : 0;
    return *Size ? MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority) : NULL;
}

/* A read or write of a device that has the buffer in kernel memory. */
static ULONG_PTR AnswerTransfer(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG size = Stack->Parameters.Read.Length;
    PUCHAR buffer = Irp->MdlAddress ? Locked(Irp, &size) : Irp->AssociatedIrp.SystemBuffer;
    if (buffer && Stack->MajorFunction == IRP_MJ_READ)
        RtlFillMemory(buffer, size, LOAD_READ_FILL);
    return buffer ? size : 0;
}

/* A control whose buffers are in kernel memory; bytes answered. */
static ULONG_PTR AnswerControl(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG in = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG out = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    PULONG64 input = Irp->AssociatedIrp.SystemBuffer, output = input;
    ULONG method = Stack->Parameters.DeviceIoControl.IoControlCode & 3, i, sum = 0;

    if (method != METHOD_BUFFERED)
        output = Locked(Irp, &out);
    if (method == METHOD_IN_DIRECT) { /* user mode may be writing to these bytes */
        for (i = 0; output && i < out; i++)
            sum += ((volatile UCHAR *)output)[i];
        return sum & 0;
    }
    if (in < LOAD_ANSWER || out < LOAD_ANSWER || !input || !output)
        return 0;
    *output = ~*input;
    return LOAD_ANSWER;
}

static ULONG_PTR Answer(PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    return stack->MajorFunction == IRP_MJ_DEVICE_CONTROL ? AnswerControl(Irp, stack) : AnswerTransfer(Irp, stack);
}

/* METHOD_NEITHER, or a device of neither kind of I/O: the buffers are the caller's addresses. */
static NTSTATUS AnswerUser(PIRP Irp, PIO_STACK_LOCATION Stack, PULONG_PTR Information)
{
    BOOLEAN control = Stack->MajorFunction == IRP_MJ_DEVICE_CONTROL;
    ULONG in = control ? Stack->Parameters.DeviceIoControl.InputBufferLength : 0;
    ULONG out = control ? Stack->Parameters.DeviceIoControl.OutputBufferLength : Stack->Parameters.Read.Length;
    UCHAR copy[64];

    *Information = 0;
    __try {
        if (control && in >= LOAD_ANSWER && out >= LOAD_ANSWER) {
            ULONG64 value = ReadULong64FromMode(Stack->Parameters.DeviceIoControl.Type3InputBuffer, Irp->RequestorMode);
            WriteULong64ToMode(Irp->UserBuffer, ~value, Irp->RequestorMode);
            *Information = LOAD_ANSWER;
        } else if (Stack->MajorFunction == IRP_MJ_READ) {
            FillUserMemory(Irp->UserBuffer, out, LOAD_READ_FILL);
            *Information = out;
        } else if (Stack->MajorFunction == IRP_MJ_WRITE) {
            CopyFromMode(copy, Irp->UserBuffer, out < sizeof(copy) ? out : sizeof(copy), Irp->RequestorMode);
            *Information = out;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* ---- the cancel-safe queue ---- */

static PLOAD_DEVICE Of(PIO_CSQ Csq)
{
    return CONTAINING_RECORD(Csq, LOAD_DEVICE, Queue);
}

static VOID NTAPI Insert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&Of(Csq)->Waiting, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

/* A request waits to be cancelled: the DPC leaves it alone. */
static BOOLEAN Stays(PIRP Irp)
{
    return Irp->Tail.Overlay.DriverContext[0] != NULL;
}

/* Context: the file whose requests are wanted, or null for all that the DPC completes. */
static PIRP NTAPI Peek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    PLIST_ENTRY head = &Of(Csq)->Waiting, entry = Irp ? Irp->Tail.Overlay.ListEntry.Flink : head->Flink;

    for (; entry != head; entry = entry->Flink) {
        PIRP next = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        if (Context ? IoGetCurrentIrpStackLocation(next)->FileObject == Context : !Stays(next))
            return next;
    }
    return NULL;
}

static VOID NTAPI Acquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&Of(Csq)->Lock, Irql);
}

static VOID NTAPI Release(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&Of(Csq)->Lock, Irql);
}

static VOID NTAPI CompleteCancelled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    InterlockedIncrement64(&Cancelled);
    Complete(Irp, STATUS_CANCELLED, 0);
}

/* ---- completing later ---- */

static VOID Finish(PIRP Irp)
{
    InterlockedIncrement64(&Finished);
    Complete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
}

static VOID NTAPI Tick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PLOAD_DEVICE device = Context;
    PIRP irp;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    while ((irp = IoCsqRemoveNextIrp(&device->Queue, NULL)) != NULL)
        Finish(irp);
}

static VOID NTAPI Work(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PIRP irp = Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeWorkItem(irp->Tail.Overlay.DriverContext[0]);
    Finish(irp);
}

static NTSTATUS Later(PDEVICE_OBJECT DeviceObject, PIRP Irp, ULONG Function)
{
    BOOLEAN ByWorkItem = Function == LOAD_WORK;
    PIO_WORKITEM item = ByWorkItem ? IoAllocateWorkItem(DeviceObject) : NULL;

    if (ByWorkItem && !item)
        return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    InterlockedIncrement64(&Pended);
    if (ByWorkItem) {
        IoMarkIrpPending(Irp);
        Irp->Tail.Overlay.DriverContext[0] = item;
        IoQueueWorkItem(item, Work, DelayedWorkQueue, Irp);
    } else {
        Irp->Tail.Overlay.DriverContext[0] = Function == LOAD_STAYS ? Irp : NULL;
        IoCsqInsertIrp(&((PLOAD_DEVICE)DeviceObject->DeviceExtension)->Queue, Irp, NULL); /* marks it pending */
    }
    return STATUS_PENDING;
}

/* ---- dispatch ---- */

static NTSTATUS Counts(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    struct load_counts *counts = Irp->AssociatedIrp.SystemBuffer;

    if (Stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(*counts))
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    counts->in = In - 1; /* without this request */
    counts->out = Out;
    counts->pended = Pended;
    counts->finished = Finished;
    counts->cancelled = Cancelled;
    return Complete(Irp, STATUS_SUCCESS, sizeof(*counts));
}

static NTSTATUS NTAPI Request(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN control = stack->MajorFunction == IRP_MJ_DEVICE_CONTROL;
    ULONG code = control ? stack->Parameters.DeviceIoControl.IoControlCode : 0;
    ULONG function = control ? code >> 2 & 0xFFF : DeviceObject == Devices[3] ? LOAD_DPC : LOAD_NOW;
    BOOLEAN user = control ? (code & 3) == METHOD_NEITHER : DeviceObject == Devices[2];
    ULONG_PTR information = 0;
    NTSTATUS status = STATUS_SUCCESS;

    InterlockedIncrement64(&In);
    if (code == LOAD_COUNTS)
        return Counts(Irp, stack);
    if (function < LOAD_NOW || function >= LOAD_NOW + LOAD_FUNCTIONS)
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (user)
        status = AnswerUser(Irp, stack, &information);
    else
        information = Answer(Irp);
    if (function == LOAD_NOW)
        return Complete(Irp, status, information);
    Irp->IoStatus.Status = status;
    Irp->IoStatus.Information = NT_SUCCESS(status) ? information : 0;
    return Later(DeviceObject, Irp, function);
}

static NTSTATUS NTAPI Open(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    InterlockedIncrement64(&In);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* The last handle is gone: what waits of this file is cancelled. */
static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_CSQ queue = &((PLOAD_DEVICE)DeviceObject->DeviceExtension)->Queue;
    PIRP waiting;

    InterlockedIncrement64(&In);
    while ((waiting = IoCsqRemoveNextIrp(queue, IoGetCurrentIrpStackLocation(Irp)->FileObject)) != NULL)
        CompleteCancelled(queue, waiting);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    ULONG i;

    UNREFERENCED_PARAMETER(DriverObject);
    for (i = 0; i < LOAD_DEVICES; i++)
        if (Devices[i])
            KeCancelTimer(&((PLOAD_DEVICE)Devices[i]->DeviceExtension)->Timer);
    KeFlushQueuedDpcs();
    for (i = 0; i < LOAD_DEVICES; i++)
        if (Devices[i])
            IoDeleteDevice(Devices[i]);
}

static NTSTATUS Start(PDRIVER_OBJECT DriverObject, ULONG Index)
{
    static const ULONG flags[LOAD_DEVICES] = {DO_BUFFERED_IO, DO_DIRECT_IO, 0, DO_BUFFERED_IO};
    WCHAR text[] = L"\\Device\\Load0";
    LARGE_INTEGER due = {.QuadPart = -10000};
    UNICODE_STRING name;
    PLOAD_DEVICE device;
    NTSTATUS status;

    text[12] = (WCHAR)(L'0' + Index);
    RtlInitUnicodeString(&name, text);
    status = IoCreateDevice(DriverObject, sizeof(LOAD_DEVICE), &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Devices[Index]);
    if (!NT_SUCCESS(status))
        return status;
    Devices[Index]->Flags |= flags[Index];
    device = Devices[Index]->DeviceExtension;
    InitializeListHead(&device->Waiting);
    KeInitializeSpinLock(&device->Lock);
    IoCsqInitialize(&device->Queue, Insert, Remove, Peek, Acquire, Release, CompleteCancelled);
    KeInitializeTimerEx(&device->Timer, SynchronizationTimer);
    KeInitializeDpc(&device->Dpc, Tick, device);
    KeSetTimerEx(&device->Timer, due, 1, &device->Dpc);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS status = STATUS_SUCCESS;
    ULONG i;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Open;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Open;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
    DriverObject->MajorFunction[IRP_MJ_READ] = Request;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = Request;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Request;
    DriverObject->DriverUnload = Unload;
    for (i = 0; i < LOAD_DEVICES && NT_SUCCESS(status); i++)
        status = Start(DriverObject, i);
    if (!NT_SUCCESS(status))
        Unload(DriverObject);
    return status;
}
