/*
 * verify.c - a driver that breaks one rule that Driver Verifier holds drivers to, or does the same right.
 *
 * The control code says which (sins.def): function 0x800 + 2 * number, and one more for doing it right. Each sin is a
 * routine of that name; the line that is to be blamed has the comment HERE.
 */
#include "devices.h"
#include "handles.h"
#include "levels.h"
#include "locks.h"
#include "pages.h"
#include "pool.h"
#include "requests.h"

DRIVER_INITIALIZE DriverEntry;

static VERIFY_SIN *const Sins[] = {
#define SIN(Name, ...) Name,
#include "sins.def"
#undef SIN
};

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Device, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI DeviceControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    ULONG number = ((code >> 2) & 0xfff) - 0x800;
    VERIFY_REQUEST request = {.Device = Device, .Irp = Irp, .Wrong = !(number & 1)};
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

    if (Device == VerifyLower)
        return Succeed(Device, Irp);
    if (number / 2 < RTL_NUMBER_OF(Sins))
        status = Sins[number / 2](&request);
    if (request.Done)
        return status;
    Irp->IoStatus.Status = status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}

/* Runs Routine in a system thread and waits for its end. */
static VOID NTAPI VerifyRunThread(PKSTART_ROUTINE Routine, PVOID Context)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle;
    PVOID thread;

    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes, NULL, NULL, Routine, Context)))
        return;
    if (NT_SUCCESS(ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &thread, NULL))) {
        KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(thread);
    }
    ZwClose(handle);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    while (Driver->DeviceObject)
        IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Verify");
    PDEVICE_OBJECT device;
    NTSTATUS status = IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);

    if (!NT_SUCCESS(status))
        return status;
    status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &VerifyLower);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(device);
        return status;
    }
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        Driver->MajorFunction[i] = Succeed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    Driver->DriverUnload = Unload;
    device->StackSize = 2; /* requests are passed on to VerifyLower */
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    VerifyLower->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}
