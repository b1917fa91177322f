/*
 * bench_io.c - the least a driver does for a request: it completes it. One control code locks and unlocks a user buffer
 * many times instead, so that only that is timed.
 */
#include <ntifs.h>
#include "ddk_missing.h"
#include "usermode_accessors.h"
#include "bench_io.h"

static const WCHAR DeviceName[] = L"\\Device\\BenchIo";

static NTSTATUS NTAPI Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI Accept(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS);
}

static NTSTATUS LockMany(const BENCH_LOCK *Lock)
{
    NTSTATUS status = STATUS_SUCCESS;
    ULONG i;
    PMDL mdl = IoAllocateMdl((PVOID)Lock->Address, Lock->Bytes, FALSE, FALSE, NULL);

    if (!mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        for (i = 0; i < Lock->Times; i++) {
            MmProbeAndLockPages(mdl, UserMode, IoWriteAccess);
            MmUnlockPages(mdl);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    IoFreeMdl(mdl);
    return status;
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = STATUS_SUCCESS;
    BENCH_LOCK lock;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (stack->Parameters.DeviceIoControl.IoControlCode != BENCH_LOCK_CODE)
        return Complete(Irp, STATUS_SUCCESS);
    __try {
        CopyFromUser(&lock, stack->Parameters.DeviceIoControl.Type3InputBuffer, sizeof(lock));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return Complete(Irp, NT_SUCCESS(status) ? LockMany(&lock) : status);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name;
    PDEVICE_OBJECT device;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Accept;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Accept;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Accept;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    DriverObject->DriverUnload = Unload;
    RtlInitUnicodeString(&name, DeviceName);
    return IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}
