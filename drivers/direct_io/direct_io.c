/*
 * direct_io.c - a store of 4096 bytes that is filled and read by direct I/O, and a service that locks user memory by
 * itself.
 *
 * With direct I/O the system has locked the user's buffer before the driver is called: it cannot go away, whatever user
 * mode does, and the driver reaches it at a system address. What the driver copies from there can still change under
 * its hands, so it copies once and checks the copy. A pointer that lies inside a buffer nobody has looked at: the
 * driver locks that memory itself, in user mode's name, and undoes each step it took.
 */
#include <ntddk.h>

#include "ddk_missing.h"

#define STORE_SIZE 4096
#define STORE_TAG  'rtSD'

#define DIRECT_PUT   CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_IN_DIRECT, FILE_ANY_ACCESS)  /* 0x222001 */
#define DIRECT_GET   CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_OUT_DIRECT, FILE_ANY_ACCESS) /* 0x222006 */
#define DIRECT_UPPER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)   /* 0x222008 */

/* Input of DIRECT_PUT and DIRECT_GET: where in the store. */
typedef struct _DIRECT_PLACE {
    ULONG Offset;
} DIRECT_PLACE, *PDIRECT_PLACE;

/* Input of DIRECT_UPPER: user memory whose letters are to become capitals. */
typedef struct _DIRECT_TEXT {
    PVOID Text;
    ULONG Size;
} DIRECT_TEXT, *PDIRECT_TEXT;

typedef struct _STORE {
    NPAGED_LOOKASIDE_LIST Scratch; /* blocks of STORE_SIZE bytes */
    FAST_MUTEX Lock;               /* guards Bytes */
    UCHAR Bytes[STORE_SIZE];
} STORE, *PSTORE;

static const WCHAR DeviceName[] = L"\\Device\\DirectIo";
static const WCHAR LinkName[] = L"\\DosDevices\\DirectIo";

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH OpenOrClose, ReadOrWrite, DeviceControl;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = NT_SUCCESS(Status) ? Information : 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* Moves as many bytes as the store has from Offset on between it and the locked buffer. A null Mdl has no bytes. */
static NTSTATUS Transfer(PSTORE Store, ULONGLONG Offset, PMDL Mdl, BOOLEAN Write, PULONG_PTR Moved)
{
    ULONG size = Mdl ? MmGetMdlByteCount(Mdl) : 0;
    PUCHAR buffer;

    if (Offset > STORE_SIZE)
        return STATUS_INVALID_PARAMETER;
    if (size > STORE_SIZE - Offset)
        size = (ULONG)(STORE_SIZE - Offset);
    *Moved = size;
    if (size == 0)
        return STATUS_SUCCESS;
    buffer = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    if (!buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExAcquireFastMutex(&Store->Lock);
    if (Write)
        RtlCopyMemory(Store->Bytes + Offset, buffer, size);
    else
        RtlCopyMemory(buffer, Store->Bytes + Offset, size);
    ExReleaseFastMutex(&Store->Lock);
    return STATUS_SUCCESS;
}

/* Copies locked text, which user mode may be writing to, changes the copy, and puts it back. */
static NTSTATUS ChangeLocked(PSTORE Store, PMDL Mdl)
{
    ULONG size = MmGetMdlByteCount(Mdl);
    PUCHAR bytes = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), copy;

    copy = bytes ? ExAllocateFromNPagedLookasideList(&Store->Scratch) : NULL;
    if (!copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(copy, bytes, size);
    for (ULONG i = 0; i < size; i++)
        if (copy[i] >= 'a' && copy[i] <= 'z')
            copy[i] = copy[i] - 'a' + 'A';
    RtlCopyMemory(bytes, copy, size);
    ExFreeToNPagedLookasideList(&Store->Scratch, copy);
    return STATUS_SUCCESS;
}

/* Locks the text where it is, changes it at its system address, and lets go of it. */
static NTSTATUS Upper(PSTORE Store, const DIRECT_TEXT *Text)
{
    NTSTATUS status;
    PMDL mdl;

    if (Text->Size == 0 || Text->Size > STORE_SIZE)
        return STATUS_INVALID_PARAMETER;
    mdl = IoAllocateMdl(Text->Text, Text->Size, FALSE, FALSE, NULL);
    if (!mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        MmProbeAndLockPages(mdl, UserMode, IoModifyAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        IoFreeMdl(mdl);
        return GetExceptionCode();
    }
    status = ChangeLocked(Store, mdl);
    MmUnlockPages(mdl); /* and unmaps */
    IoFreeMdl(mdl);
    return status;
}

static NTSTATUS NTAPI DeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG code = stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG length = stack->Parameters.DeviceIoControl.InputBufferLength;
    PVOID input = Irp->AssociatedIrp.SystemBuffer;
    ULONG_PTR moved = 0;
    NTSTATUS status;

    switch (code) {
    case DIRECT_PUT:
    case DIRECT_GET:
        if (length < sizeof(DIRECT_PLACE))
            return Complete(Irp, STATUS_INFO_LENGTH_MISMATCH, 0);
        status = Transfer(DeviceObject->DeviceExtension, ((PDIRECT_PLACE)input)->Offset, Irp->MdlAddress,
                          code == DIRECT_PUT, &moved);
        return Complete(Irp, status, moved);
    case DIRECT_UPPER:
        if (length < sizeof(DIRECT_TEXT))
            return Complete(Irp, STATUS_INFO_LENGTH_MISMATCH, 0);
        return Complete(Irp, Upper(DeviceObject->DeviceExtension, input), 0);
    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static NTSTATUS NTAPI ReadOrWrite(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN write = stack->MajorFunction == IRP_MJ_WRITE;
    LARGE_INTEGER offset = write ? stack->Parameters.Write.ByteOffset : stack->Parameters.Read.ByteOffset;
    ULONG_PTR moved = 0;
    NTSTATUS status =
        Transfer(DeviceObject->DeviceExtension, (ULONGLONG)offset.QuadPart, Irp->MdlAddress, write, &moved);
    return Complete(Irp, status, moved);
}

static NTSTATUS NTAPI OpenOrClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING link;

    RtlInitUnicodeString(&link, LinkName);
    IoDeleteSymbolicLink(&link);
    ExDeleteNPagedLookasideList(&((PSTORE)DriverObject->DeviceObject->DeviceExtension)->Scratch);
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name, link;
    PDEVICE_OBJECT device;
    PSTORE store;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = OpenOrClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = OpenOrClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = OpenOrClose;
    DriverObject->MajorFunction[IRP_MJ_READ] = ReadOrWrite;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = ReadOrWrite;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    DriverObject->DriverUnload = Unload;
    RtlInitUnicodeString(&name, DeviceName);
    RtlInitUnicodeString(&link, LinkName);
    status = IoCreateDevice(DriverObject, sizeof(STORE), &name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE,
                            &device);
    if (!NT_SUCCESS(status))
        return status;
    store = device->DeviceExtension;
    ExInitializeFastMutex(&store->Lock);
    ExInitializeNPagedLookasideList(&store->Scratch, NULL, NULL, POOL_NX_ALLOCATION, STORE_SIZE, STORE_TAG, 0);
    device->Flags |= DO_DIRECT_IO;
    status = IoCreateSymbolicLink(&link, &name);
    if (!NT_SUCCESS(status)) {
        ExDeleteNPagedLookasideList(&store->Scratch);
        IoDeleteDevice(device);
    }
    return status;
}
