/*
 * verify_pnp.c - a plug and play driver that breaks one rule that Driver Verifier holds drivers to, or none: the value
 * Sin of its device's hardware key is the number of a row PNP_SIN of sins.def.
 */
#include <ntddk.h>
#include "ddk_missing.h"

enum {
    NO_SIN = -1,
#define SIN(Name, ...)
#define PNP_SIN(Name, ...) Name,
#include "sins.def"
#undef SIN
#undef PNP_SIN
};

struct extension {
    PDEVICE_OBJECT Below;
    BOOLEAN Detached;
};

static LONG Sin = NO_SIN;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS PassDown(struct extension *Extension, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Extension->Below, Irp);
}

/* Passes it down, and completes it with another status. */
static NTSTATUS CompleteAfterwards(struct extension *Extension, PIRP Irp, NTSTATUS Status)
{
    if (!IoForwardIrpSynchronously(Extension->Below, Irp))
        return Complete(Irp, STATUS_UNSUCCESSFUL);
    return Complete(Irp, Status);
}

/* A request of the driver's own to the bus. */
static VOID Ask(struct extension *Extension, UCHAR Minor, BOOLEAN Prepared)
{
    KEVENT event;
    IO_STATUS_BLOCK block;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, Extension->Below, NULL, 0, NULL, &event, &block);
    if (!irp)
        return;
    IoGetNextIrpStackLocation(irp)->MinorFunction = Minor;
    if (Prepared)
        irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    if (IoCallDriver(Extension->Below, irp) == STATUS_PENDING)
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    if (NT_SUCCESS(block.Status) && block.Information)
        ExFreePool((PVOID)block.Information);
}

static VOID Detach(struct extension *Extension)
{
    if (!Extension->Detached)
        IoDetachDevice(Extension->Below);
    Extension->Detached = TRUE;
}

static NTSTATUS Remove(PDEVICE_OBJECT Device, struct extension *Extension, PIRP Irp)
{
    if (Sin == FAILED_REMOVAL) {
        NTSTATUS status = CompleteAfterwards(Extension, Irp, STATUS_UNSUCCESSFUL);
        Detach(Extension);
        IoDeleteDevice(Device);
        return status;
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS status = PassDown(Extension, Irp);
    if (Sin != NOT_DETACHED)
        Detach(Extension);
    if (Sin != NOT_DETACHED && Sin != NOT_DELETED)
        IoDeleteDevice(Device);
    return status;
}

static NTSTATUS SurpriseRemoval(PDEVICE_OBJECT Device, struct extension *Extension, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS status = PassDown(Extension, Irp);
    if (Sin == DETACHED_BY_SURPRISE)
        Detach(Extension);
    UNREFERENCED_PARAMETER(Device);
    return status;
}

static NTSTATUS Start(struct extension *Extension, PIRP Irp)
{
    if (!IoForwardIrpSynchronously(Extension->Below, Irp))
        return Complete(Irp, STATUS_UNSUCCESSFUL);
    Ask(Extension, Sin == RESTRICTED_REQUEST ? IRP_MN_STOP_DEVICE : IRP_MN_QUERY_BUS_INFORMATION,
        Sin != UNPREPARED_REQUEST);
    return Complete(Irp, STATUS_SUCCESS);
}

static NTSTATUS OnPnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    struct extension *extension = Device->DeviceExtension;
    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(extension, Irp);
    case IRP_MN_REMOVE_DEVICE:
        return Remove(Device, extension, Irp);
    case IRP_MN_SURPRISE_REMOVAL:
        return SurpriseRemoval(Device, extension, Irp);
    case IRP_MN_QUERY_PNP_DEVICE_STATE:
        if (Sin == DETACHED_BY_SURPRISE) /* which this asks for */
            Irp->IoStatus.Information |= PNP_DEVICE_FAILED;
        return PassDown(extension, Irp);
    case IRP_MN_QUERY_CAPABILITIES:
        if (Sin == COMPLETED_UNTOUCHED)
            return Complete(Irp, Irp->IoStatus.Status);
        if (Sin == COMPLETED_SUCCESSFULLY)
            return Complete(Irp, STATUS_SUCCESS);
        if (Sin == MADE_UNSUPPORTED)
            return CompleteAfterwards(extension, Irp, STATUS_NOT_SUPPORTED);
        return PassDown(extension, Irp);
    case IRP_MN_QUERY_RESOURCE_REQUIREMENTS:
        if (Sin == FAILED_AND_PASSED_DOWN)
            Irp->IoStatus.Status = STATUS_UNSUCCESSFUL;
        return PassDown(extension, Irp);
    case IRP_MN_QUERY_REMOVE_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        return PassDown(extension, Irp);
    default:
        return PassDown(extension, Irp);
    }
}

static LONG ReadSin(PDEVICE_OBJECT Pdo)
{
    HANDLE key;
    ULONG length;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"Sin");
    union {
        KEY_VALUE_PARTIAL_INFORMATION Info;
        UCHAR Room[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    } value;
    LONG sin = NO_SIN;
    if (!NT_SUCCESS(IoOpenDeviceRegistryKey(Pdo, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &key)))
        return sin;
    if (NT_SUCCESS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, &value, sizeof(value), &length)))
        sin = *(LONG *)value.Info.Data;
    ZwClose(key);
    return sin;
}

static NTSTATUS AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT device;
    Sin = ReadSin(Pdo);
    NTSTATUS status =
        IoCreateDevice(DriverObject, sizeof(struct extension), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;
    ((struct extension *)device->DeviceExtension)->Below = IoAttachDeviceToDeviceStack(device, Pdo);
    device->Flags |= DO_POWER_PAGABLE;
    if (Sin != STILL_INITIALIZING)
        device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverExtension->AddDevice = AddDevice;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_PNP] = OnPnp;
    return STATUS_SUCCESS;
}
