/* paths.c - a driver with ways to go: a switch, a function of known blocks, a handler, a loop. */
#include <ntddk.h>
#include "../paths.h"

ULONG NTAPI Counted(ULONG Way);
extern const UCHAR CountedEnd[];

/* Five blocks: from 0 to the jz; to the ret; from 1: to the ja; to the ret; from 2: to the ret. */
__asm__(".globl Counted\n"
        ".seh_proc Counted\n"
        "Counted:\n"
        "    .seh_endprologue\n"
        "    testl %ecx, %ecx\n"
        "    jz 1f\n"
        "    cmpl $1, %ecx\n"
        "    ja 2f\n"
        "    movl $11, %eax\n"
        "    ret\n"
        "1:  movl $10, %eax\n"
        "    ret\n"
        "2:  movl $12, %eax\n"
        "    ret\n"
        "    .seh_endproc\n"
        ".globl CountedEnd\n"
        "CountedEnd:\n");

static volatile ULONG Sink[10];

__declspec(noinline) static ULONG Switch(ULONG Way)
{
    switch (Way) {
    case 0:
        Sink[0]++;
        return 100;
    case 1:
        Sink[1] += 3;
        return 101;
    case 2:
        Sink[2] ^= 5;
        return 102;
    case 3:
        Sink[3] -= 7;
        return 103;
    case 4:
        Sink[4] |= 9;
        return 104;
    case 5:
        Sink[5] &= 11;
        return 105;
    case 6:
        Sink[6] *= 13;
        return 106;
    case 7:
        Sink[7] += 15;
        return 107;
    case 8:
        Sink[8] ^= 17;
        return 108;
    case 9:
        Sink[9] -= 19;
        return 109;
    default:
        return 0;
    }
}

__declspec(noinline) static ULONG Guarded(ULONG Raise)
{
    __try {
        if (Raise)
            ExRaiseStatus(STATUS_INVALID_PARAMETER);
        return 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

__declspec(noinline) static ULONG Loop(ULONG Times)
{
    ULONG sum = 0;
    for (ULONG i = 0; i < Times; i++)
        sum += Switch(i % 10);
    return sum;
}

__declspec(noinline) static ULONG Checksum(VOID)
{
    ULONG sum = 0;
    for (const volatile UCHAR *at = (const UCHAR *)(ULONG_PTR)Counted; at < CountedEnd; at++)
        sum = sum * 31 + *at;
    return sum;
}

static ULONG Answer(ULONG Code, ULONG Way)
{
    switch (Code) {
    case PATHS_SWITCH:
        return Switch(Way);
    case PATHS_COUNTED:
        return Counted(Way);
    case PATHS_GUARDED:
        return Guarded(Way);
    case PATHS_LOOP:
        return Loop(Way);
    default:
        return Checksum();
    }
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG code = stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG_PTR *words = Irp->AssociatedIrp.SystemBuffer;
    if (code == PATHS_WHERE) {
        words[0] = (ULONG_PTR)Counted;
        words[1] = (ULONG_PTR)CountedEnd;
    } else {
        words[0] = Answer(code, (ULONG)words[0]);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 2 * sizeof(*words);
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
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Paths");
    PDEVICE_OBJECT device;
    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Driver->DriverUnload = Unload;
    return IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}
