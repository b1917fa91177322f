/*
 * naughty.c - a driver that does on request what drivers should not: loops, never completes, keeps memory, touches user
 * memory raw.
 */
#include <ntddk.h>
#include "ddk_missing.h"

DRIVER_INITIALIZE DriverEntry;

#define CODE(Function, Method)  CTL_CODE(FILE_DEVICE_UNKNOWN, Function, Method, FILE_ANY_ACCESS)
#define NAUGHTY_LOOP            CODE(0x900, METHOD_NEITHER)  /* 0x222403 */
#define NAUGHTY_PEND            CODE(0x901, METHOD_NEITHER)  /* 0x222407: no cancel routine */
#define NAUGHTY_WAIT            CODE(0x902, METHOD_NEITHER)  /* 0x22240b: for an event nobody sets */
#define NAUGHTY_KEEP            CODE(0x903, METHOD_NEITHER)  /* 0x22240f: 100 bytes of pool, for ever */
#define NAUGHTY_PRINT           CODE(0x904, METHOD_NEITHER)  /* 0x222413 */
#define NAUGHTY_RAW             CODE(0x905, METHOD_NEITHER)  /* 0x222417: reads each input byte directly */
#define NAUGHTY_CRASH           CODE(0x906, METHOD_NEITHER)  /* 0x22241b: writes to address 8 of nothing */
#define NAUGHTY_CANCELABLE      CODE(0x907, METHOD_NEITHER)  /* 0x22241f: pending, with a cancel routine */
#define NAUGHTY_DOUBLE          CODE(0x908, METHOD_BUFFERED) /* 0x222420: doubles each byte */
#define NAUGHTY_RELINK          CODE(0x909, METHOD_NEITHER)  /* 0x222427: a link and a device that stay */
#define NAUGHTY_RECURSE         CODE(0x90a, METHOD_NEITHER)  /* 0x22242b: until the stack is full */
#define NAUGHTY_JUMP            CODE(0x90b, METHOD_NEITHER)  /* 0x22242f: calls the input's address */
#define NAUGHTY_DOUBLE_FREE     CODE(0x90c, METHOD_NEITHER)  /* 0x222433 */
#define NAUGHTY_DOUBLE_COMPLETE CODE(0x90d, METHOD_NEITHER)  /* 0x222437 */
#define NAUGHTY_BREAK           CODE(0x90e, METHOD_NEITHER)  /* 0x22243b: int 3 */
#define NAUGHTY_FAST_FAIL       CODE(0x90f, METHOD_NEITHER)  /* 0x22243f: int 29h, code 5 */
#define NAUGHTY_RAISE           CODE(0x910, METHOD_NEITHER)  /* 0x222443: an exception nobody handles */
#define NAUGHTY_DIVIDE          CODE(0x911, METHOD_NEITHER)  /* 0x222447: by zero, caught: the status says so */
#define NAUGHTY_SCRIBBLE        CODE(0x912, METHOD_NEITHER)  /* 0x22244b: writes to its own code */
#define NAUGHTY_LOCK                                                                                                   \
    CODE(0x913, METHOD_BUFFERED) /* 0x22244c: locks and maps the user address in its input, for ever                   \
                                  */
#define NAUGHTY_UNLOCK_TWICE CODE(0x914, METHOD_BUFFERED) /* 0x222450: locks that, and unlocks it twice */

static KEVENT Never;
static BOOLEAN KeepObjects;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Device, PIRP Irp)
{
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI ReadWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PUCHAR buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG length = stack->Parameters.Read.Length;

    if (stack->MajorFunction == IRP_MJ_READ)
        for (ULONG i = 0; i < length; i++)
            buffer[i] = (UCHAR)(stack->Parameters.Read.ByteOffset.QuadPart + i);
    return Complete(Irp, STATUS_SUCCESS, length);
}

/* Unlocks: how often. */
__declspec(noinline) static VOID LockPage(PVOID UserAddress, ULONG Unlocks)
{
    PMDL mdl = IoAllocateMdl(UserAddress, 16, FALSE, FALSE, NULL);

    MmProbeAndLockPages(mdl, UserMode, IoReadAccess);
    MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    while (Unlocks--)
        MmUnlockPages(mdl);
}

__declspec(noinline) static VOID LoopForEver(volatile LONG *Counter)
{
    for (;;)
        ++*Counter;
}

__declspec(noinline) static ULONG ReadRaw(const volatile UCHAR *Bytes, ULONG Length)
{
    ULONG sum = 0;
    for (ULONG i = 0; i < Length; i++)
        sum += Bytes[i];
    return sum;
}

__declspec(noinline) static VOID WriteNowhere(volatile ULONG *Nowhere)
{
    Nowhere[2] = 1;
}

__declspec(noinline) static ULONG Recurse(volatile ULONG *Depth)
{
    volatile ULONG frame[64];
    frame[0] = ++*Depth;
    return frame[0] ? Recurse(Depth) + frame[0] : 0; /* a counter that wraps: the compiler cannot know it never does */
}

__declspec(noinline) static VOID JumpTo(PVOID Where)
{
    ((VOID(*)(VOID))Where)();
}

__declspec(noinline) static VOID FreeTwice(VOID)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 32, 'eciT');
    ExFreePoolWithTag(block, 'eciT');
    ExFreePoolWithTag(block, 'eciT');
}

__declspec(noinline) static VOID Scribble(VOID)
{
    *(volatile UCHAR *)(ULONG_PTR)Scribble = 0xc3;
}

__declspec(noinline) static LONG Divide(volatile LONG *By)
{
    return 10 / *By;
}

static VOID NTAPI Cancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Complete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS Pend(PIRP Irp, BOOLEAN Cancelable)
{
    IoMarkIrpPending(Irp);
    if (Cancelable)
        IoSetCancelRoutine(Irp, Cancel);
    return STATUS_PENDING;
}

static NTSTATUS AddObjects(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING name, link;
    PDEVICE_OBJECT device;
    RtlInitUnicodeString(&name, L"\\Device\\NaughtyTwo");
    RtlInitUnicodeString(&link, L"\\DosDevices\\NaughtyTwo");
    KeepObjects = TRUE;
    IoCreateSymbolicLink(&link, &name);
    return IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}

/* The sins that end in a bug check, or should. */
static NTSTATUS Sin(ULONG Code, PVOID Input, PIRP Irp)
{
    volatile ULONG depth = 0;
    volatile LONG zero = 0;

    switch (Code) {
    case NAUGHTY_RECURSE:
        return (NTSTATUS)Recurse(&depth);
    case NAUGHTY_JUMP:
        JumpTo(Input);
        break;
    case NAUGHTY_DOUBLE_FREE:
        FreeTwice();
        break;
    case NAUGHTY_DOUBLE_COMPLETE:
        Complete(Irp, STATUS_SUCCESS, 0);
        break;
    case NAUGHTY_BREAK:
        __asm__ volatile("int $3");
        break;
    case NAUGHTY_FAST_FAIL:
        __asm__ volatile("int $0x29" ::"c"(5));
        break;
    case NAUGHTY_RAISE:
        ExRaiseStatus(STATUS_DATA_ERROR);
        break;
    case NAUGHTY_DIVIDE:
        __try {
            return Divide(&zero);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            return GetExceptionCode();
        }
        break;
    case NAUGHTY_SCRIBBLE:
        Scribble();
        break;
    case NAUGHTY_LOCK:
    case NAUGHTY_UNLOCK_TWICE:
        LockPage(*(PVOID *)Irp->AssociatedIrp.SystemBuffer, Code == NAUGHTY_UNLOCK_TWICE ? 2 : 0);
        break;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI DeviceControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PUCHAR input = stack->Parameters.DeviceIoControl.Type3InputBuffer, system = Irp->AssociatedIrp.SystemBuffer;
    ULONG length = stack->Parameters.DeviceIoControl.InputBufferLength;
    volatile LONG counter = 0;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG_PTR information = 0;

    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case NAUGHTY_LOOP:
        LoopForEver(&counter);
        break;
    case NAUGHTY_PEND:
    case NAUGHTY_CANCELABLE:
        return Pend(Irp, stack->Parameters.DeviceIoControl.IoControlCode == NAUGHTY_CANCELABLE);
    case NAUGHTY_WAIT:
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
        break;
    case NAUGHTY_KEEP:
        ExAllocatePool2(POOL_FLAG_PAGED, 100, 'peeK');
        break;
    case NAUGHTY_PRINT:
        DbgPrint("naughty says %s\n", "hello");
        break;
    case NAUGHTY_RAW:
        __try {
            information = ReadRaw(input, length);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            status = GetExceptionCode();
        }
        break;
    case NAUGHTY_CRASH:
        WriteNowhere(NULL);
        break;
    case NAUGHTY_DOUBLE:
        information = stack->Parameters.DeviceIoControl.OutputBufferLength;
        information = information < length ? information : length;
        for (ULONG i = 0; i < information; i++)
            system[i] *= 2;
        break;
    case NAUGHTY_RELINK:
        status = AddObjects(Device->DriverObject);
        break;
    default:
        status = Sin(stack->Parameters.DeviceIoControl.IoControlCode, input, Irp);
        break;
    }
    return Complete(Irp, status, information);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    PDEVICE_OBJECT device = Driver->DeviceObject;
    if (KeepObjects)
        return;
    IoDeleteDevice(device);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    RtlInitUnicodeString(&name, L"\\Device\\Naughty");
    status = IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        Driver->MajorFunction[i] = Succeed;
    Driver->MajorFunction[IRP_MJ_READ] = ReadWrite;
    Driver->MajorFunction[IRP_MJ_WRITE] = ReadWrite;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    Driver->DriverUnload = Unload;
    device->Flags |= DO_BUFFERED_IO;
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}
