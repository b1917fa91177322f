/*
 * touch.c - a driver that touches user memory in every way there is, each exactly as its line says.
 *
 * Assembly where the compiler could choose another instruction. Everything volatile that the optimiser might drop.
 */
#include <ntifs.h>
#include "usermode_accessors.h"
#include "../touch.h"

static volatile ULONG64 Sink;
static volatile SIZE_T Twenty = 20, Five = 5, Forty = 40;
static UCHAR Block[64];

static VOID Scalars(PUCHAR In, PUCHAR Out)
{
    Sink = ReadUCharFromUser(In);
    Sink = ReadUShortFromUser((PUSHORT)(In + 2));
    Sink = ReadULongFromUser((PULONG)(In + 4));
    Sink = ReadULong64FromUser((PULONG64)(In + 8));
    WriteUCharToUser(Out, 0x11);
    WriteUShortToUser((PUSHORT)(Out + 2), 0x2222);
    WriteULongToUser((PULONG)(Out + 4), 0x33333333);
    WriteULong64ToUser((PULONG64)(Out + 8), 0x4444444444444444);
}

static VOID Copies(PUCHAR In, PUCHAR Out)
{
    CopyFromUser(Block, In, Twenty);
    CopyToUser(Out, Block, Five);
    CopyFromUserNonTemporal(Block, In + 1, Five);
    CopyToUserNonTemporal(Out + 8, Block, Five);
    CopyToUserFromUser(Out, In, Five);
    MoveToUserFromUser(Out + 1, Out, Five);
    FillUserMemory(Out, Twenty, 0x5a);
    CopyFromUser(Block, In, Sink & 0); /* no byte, no access */
}

static VOID Strings(PUCHAR In, PUCHAR Out)
{
    Sink = StringLengthFromUser((PCHAR)In);
    Sink = WideStringLengthFromUser((PWCHAR)Out);
}

static VOID Interlocked(PUCHAR In, PUCHAR Out)
{
    Sink = (ULONG64)InterlockedOrToUser((LONG volatile *)In, 0x10);
    Sink = (ULONG64)InterlockedAndToUser((LONG volatile *)In, 0x11);
    Sink = (ULONG64)InterlockedCompareExchangeToUser((LONG volatile *)In, 7, 0x11);
    Sink = (ULONG64)InterlockedCompareExchange64ToUser((LONG64 volatile *)Out, 7, 1);
}

static VOID Families(PUCHAR In, PUCHAR Out)
{
    struct {
        ULONG64 Words[3];
    } three;
    ReadStructFromUser(&three, (volatile typeof(three) *)In);
    Sink = ReadUnicodeStringFromUser((PUNICODE_STRING)In).Length;
    WriteStructToUser((volatile typeof(three) *)Out, &three);
}

static VOID Raw(PUCHAR In, PUCHAR Out)
{
    ULONG64 value;
    __asm__ volatile("movzbl (%1), %k0" : "=r"(value) : "r"(In));
    __asm__ volatile("movl 4(%1), %k0" : "=r"(value) : "r"(In));
    __asm__ volatile("movq 8(%1), %0" : "=r"(value) : "r"(In));
    __asm__ volatile("movw %w0, 2(%1)" : : "r"(0x1234), "r"(Out) : "memory");
    __asm__ volatile("addl $5, 4(%0)" : : "r"(Out) : "memory");
    __asm__ volatile("movups (%0), %%xmm0; movups %%xmm0, 16(%1)" : : "r"(In), "r"(Out) : "xmm0", "memory");
    Sink = value;
}

static VOID RepeatMove(PUCHAR To, PUCHAR From, SIZE_T Bytes)
{
    __asm__ volatile("rep movsb" : "+D"(To), "+S"(From), "+c"(Bytes) : : "memory");
}

static VOID Repeated(PUCHAR In, PUCHAR Out)
{
    PUCHAR to = Out;
    SIZE_T count = 5;
    RepeatMove(Block, In, Twenty);
    RepeatMove(Out, In, Five);
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(0x61626364) : "memory");
}

static VOID Exports(PUCHAR In, PUCHAR Out)
{
    RtlCopyMemory(Block, In, Twenty);
    RtlCopyMemory(Out, Block, Five);
    RtlMoveMemory(Out + 1, Out, Five);
    RtlFillMemory(Out, Five, 'z');
    Sink = RtlCompareMemory(In, Block, Five);
    Sink = strlen((PCHAR)In);
    strcpy((PCHAR)Out, "abc");
}

static VOID Probes(PUCHAR In, PUCHAR Out)
{
    ProbeForRead(In, Twenty, 1);
    ProbeForWrite(Out, Twenty, 4);
}

static VOID Lock(PUCHAR Address, SIZE_T Length, LOCK_OPERATION Operation)
{
    PMDL mdl = IoAllocateMdl(Address, (ULONG)Length, FALSE, FALSE, NULL);
    if (!mdl)
        return;
    __try {
        MmProbeAndLockPages(mdl, UserMode, Operation);
        MmUnlockPages(mdl);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Sink = GetExceptionCode();
    }
    IoFreeMdl(mdl);
}

#define MUST_RAISE(Statement)                                                                                          \
    __try {                                                                                                            \
        Statement;                                                                                                     \
        DbgPrint("touch: nothing was raised at line %u\n", __LINE__);                                                  \
    } __except (EXCEPTION_EXECUTE_HANDLER) {                                                                           \
        Sink = GetExceptionCode();                                                                                     \
    }

/* In ends with its page; Out has none. */
static VOID Faults(PUCHAR In, PUCHAR Out)
{
    MUST_RAISE(Sink = ReadULongFromUser((PULONG)Out))
    MUST_RAISE(CopyFromUser(Block, In, Forty))
    MUST_RAISE(CopyToUserFromUser(Out, In, Five))
    MUST_RAISE(Sink = StringLengthFromUser((PCHAR)In))
    MUST_RAISE(InterlockedOrToUser((LONG volatile *)(In + 3), 1) /* not aligned */)
    MUST_RAISE(WriteUCharToUser(Block, 1))
    MUST_RAISE(ProbeForRead(Block, Five, 1))
    MUST_RAISE(ProbeForWrite(Out, Five, 1))
    Lock(Out, Five, IoWriteAccess);
}

static VOID RawFaults(PUCHAR In, PUCHAR Out)
{
    MUST_RAISE(Sink = *(volatile ULONG *)Out)
    MUST_RAISE(*(volatile USHORT *)Out = 1)
    MUST_RAISE(RtlCopyMemory(Block, In, Forty))
    MUST_RAISE(RepeatMove(Block, In, Forty))
    MUST_RAISE(Sink = strlen((PCHAR)In))
    MUST_RAISE(Sink = *(volatile ULONG *)(ULONG_PTR)(Sink & 0))
}

/* Each has a scope table, and no __except around the access. */
__declspec(noinline) static VOID BesideHandler(PUCHAR In)
{
    __try {
        Sink = ReadUCharFromUser(In);
    } __finally {
        Sink = ReadUCharFromUser(In + 1);
    }
    __try {
        ExRaiseStatus(STATUS_INVALID_PARAMETER);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Sink = ReadUCharFromUser(In + 2);
    }
    Sink = ReadUCharFromUser(In + 3);
}

__declspec(noinline) static VOID Irql(PUCHAR In)
{
    KIRQL before;
    KeRaiseIrql(APC_LEVEL, &before);
    Sink = ReadULongFromUser((PULONG)In);
    KeLowerIrql(before);
}

static VOID NTAPI ReadInThread(PVOID In)
{
    Sink = ReadULongFromUser((PULONG)In);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID Thread(PUCHAR In)
{
    HANDLE handle;
    if (NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ReadInThread, In))) {
        ZwWaitForSingleObject(handle, FALSE, NULL);
        ZwClose(handle);
    }
}

__declspec(noinline) static VOID Bench(PUCHAR In, BOOLEAN Accessor)
{
    for (ULONG left = ReadULongFromUser((PULONG)In); left; left--) {
        if (Accessor)
            Sink = ReadULongFromUser((PULONG)In);
        else
            Sink = *(volatile ULONG *)In;
    }
}

static VOID Guarded(ULONG Group, PUCHAR In, PUCHAR Out)
{
    static VOID (*const groups[])(PUCHAR, PUCHAR) = {
        [TOUCH_SCALARS] = Scalars,   [TOUCH_COPIES] = Copies,     [TOUCH_STRINGS] = Strings,
        [TOUCH_FAMILIES] = Families, [TOUCH_RAW] = Raw,           [TOUCH_INTERLOCKED] = Interlocked,
        [TOUCH_EXPORTS] = Exports,   [TOUCH_REPEATED] = Repeated, [TOUCH_PROBES] = Probes,
    };
    __try {
        groups[Group](In, Out);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        DbgPrint("touch: group %u raised 0x%x\n", Group, GetExceptionCode());
    }
}

static VOID Touch(ULONG Group, PUCHAR In, PUCHAR Out)
{
    switch (Group) {
    case TOUCH_LOCK:
        Lock(In, Twenty, IoReadAccess);
        Lock(Out, Five, IoModifyAccess);
        break;
    case TOUCH_FAULTS:
        Faults(In, Out);
        break;
    case TOUCH_RAW_FAULTS:
        RawFaults(In, Out);
        break;
    case TOUCH_NO_HANDLER:
        Sink = ReadULongFromUser((PULONG)In);
        RtlCopyMemory(Block, In, Five);
        break;
    case TOUCH_BESIDE_HANDLER:
        BesideHandler(In);
        break;
    case TOUCH_RAW_NO_HANDLER:
        Sink = *(volatile ULONG *)In;
        break;
    case TOUCH_IRQL:
        Irql(In);
        break;
    case TOUCH_THREAD:
        Thread(In);
        break;
    case TOUCH_BENCH_ACCESSOR:
    case TOUCH_BENCH_RAW:
        Bench(In, Group == TOUCH_BENCH_ACCESSOR);
        break;
    default:
        Guarded(Group, In, Out);
        break;
    }
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG code = stack->Parameters.DeviceIoControl.IoControlCode, group = (code >> 2 & 0xFFF) - 0x800;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    if (code == TOUCH_BUFFERED)
        Irp->IoStatus.Information = stack->Parameters.DeviceIoControl.InputBufferLength;
    else if (group < TOUCH_GROUPS)
        Touch(group, stack->Parameters.DeviceIoControl.Type3InputBuffer, Irp->UserBuffer);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Device, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Touch");
    PDEVICE_OBJECT device;
    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Driver->DriverUnload = Unload;
    return IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}
