/*
 * lamp.c - a plug and play driver as the documentation wants one: a lamp without hardware, opened by its interface.
 *
 * The values FailAdd and FailStart of the device's hardware key, if they are there, are the statuses with which
 * AddDevice and IRP_MN_START_DEVICE fail.
 */
#include <ntddk.h>
#include "ddk_missing.h"
#include "lamp.h"

#define LAMP_TAG 'pmaL'

static const GUID lamp_class = {0x6f1a1b2c, 0x0f3d, 0x4c5e, {0x9a, 0x77, 0x2b, 0x1d, 0x3c, 0x4e, 0x5f, 0x60}};

struct lamp {
    PDEVICE_OBJECT Pdo, Below;
    IO_REMOVE_LOCK RemoveLock;
    UNICODE_STRING Link, SecondLink;
    BOOLEAN Enabled, Failed;
    UCHAR Brightness, Starts;
    DEVICE_POWER_STATE Power;
};

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* The status that a value of the hardware key asks for. */
static NTSTATUS AskedFor(PDEVICE_OBJECT Pdo, PCWSTR Name)
{
    HANDLE key;
    ULONG length;
    UNICODE_STRING name;
    union {
        KEY_VALUE_PARTIAL_INFORMATION Info;
        UCHAR Room[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    } value;
    NTSTATUS asked = STATUS_SUCCESS;
    if (!NT_SUCCESS(IoOpenDeviceRegistryKey(Pdo, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &key)))
        return STATUS_INTERNAL_ERROR;
    RtlInitUnicodeString(&name, Name);
    if (NT_SUCCESS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, &value, sizeof(value), &length)) &&
        value.Info.Type == REG_DWORD)
        asked = *(NTSTATUS *)value.Info.Data;
    ZwClose(key);
    return asked;
}

static VOID SetInterfaces(struct lamp *Lamp, BOOLEAN Enable)
{
    if (Lamp->Enabled == Enable)
        return;
    IoSetDeviceInterfaceState(&Lamp->Link, Enable);
    IoSetDeviceInterfaceState(&Lamp->SecondLink, Enable);
    Lamp->Enabled = Enable;
}

static NTSTATUS AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT device;
    UNICODE_STRING second = RTL_CONSTANT_STRING(L"Second");
    NTSTATUS status = IoCreateDevice(DriverObject, sizeof(struct lamp), NULL, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;
    struct lamp *lamp = device->DeviceExtension;
    lamp->Pdo = Pdo;
    lamp->Power = PowerDeviceD3;
    IoInitializeRemoveLock(&lamp->RemoveLock, LAMP_TAG, 0, 0);
    lamp->Below = IoAttachDeviceToDeviceStack(device, Pdo);
    status = IoRegisterDeviceInterface(Pdo, &lamp_class, NULL, &lamp->Link);
    if (NT_SUCCESS(status))
        status = IoRegisterDeviceInterface(Pdo, &lamp_class, &second, &lamp->SecondLink);
    if (NT_SUCCESS(status))
        status = AskedFor(Pdo, L"FailAdd");
    if (!NT_SUCCESS(status)) {
        RtlFreeUnicodeString(&lamp->Link);
        RtlFreeUnicodeString(&lamp->SecondLink);
        IoDetachDevice(lamp->Below);
        IoDeleteDevice(device);
        return status;
    }
    device->Flags |= DO_BUFFERED_IO | DO_POWER_PAGABLE;
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

/* ---- plug and play ---- */

static NTSTATUS Start(PDEVICE_OBJECT Device, struct lamp *Lamp, PIRP Irp)
{
    POWER_STATE on = {.DeviceState = PowerDeviceD0};
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    if (IoForwardIrpSynchronously(Lamp->Below, Irp))
        status = Irp->IoStatus.Status;
    if (NT_SUCCESS(status))
        status = AskedFor(Lamp->Pdo, L"FailStart");
    if (NT_SUCCESS(status)) {
        Lamp->Starts++;
        Lamp->Power = PowerDeviceD0;
        PoSetPowerState(Device, DevicePowerState, on);
        SetInterfaces(Lamp, TRUE);
    }
    return Complete(Irp, status, Irp->IoStatus.Information);
}

static NTSTATUS Remove(PDEVICE_OBJECT Device, struct lamp *Lamp, PIRP Irp)
{
    SetInterfaces(Lamp, FALSE);
    IoReleaseRemoveLockAndWait(&Lamp->RemoveLock, Irp);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    NTSTATUS status = IoCallDriver(Lamp->Below, Irp);
    RtlFreeUnicodeString(&Lamp->Link);
    RtlFreeUnicodeString(&Lamp->SecondLink);
    IoDetachDevice(Lamp->Below);
    IoDeleteDevice(Device);
    return status;
}

static NTSTATUS OnPnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    struct lamp *lamp = Device->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&lamp->RemoveLock, Irp);
    if (!NT_SUCCESS(status))
        return Complete(Irp, status, 0);
    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        status = Start(Device, lamp, Irp);
        break;
    case IRP_MN_REMOVE_DEVICE:
        return Remove(Device, lamp, Irp);
    case IRP_MN_QUERY_PNP_DEVICE_STATE:
        if (lamp->Failed)
            Irp->IoStatus.Information |= PNP_DEVICE_FAILED;
        Irp->IoStatus.Status = STATUS_SUCCESS;
        IoSkipCurrentIrpStackLocation(Irp);
        status = IoCallDriver(lamp->Below, Irp);
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        SetInterfaces(lamp, FALSE);
        /* fall through */
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        /* fall through */
    default:
        IoSkipCurrentIrpStackLocation(Irp);
        status = IoCallDriver(lamp->Below, Irp);
        break;
    }
    IoReleaseRemoveLock(&lamp->RemoveLock, Irp);
    return status;
}

/* ---- power ---- */

/* The device's request is over: so is the system's, which waited for it. */
static VOID OnDevicePower(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context, PIO_STATUS_BLOCK Block)
{
    PIRP irp = Context;
    struct lamp *lamp = IoGetCurrentIrpStackLocation(irp)->DeviceObject->DeviceExtension;
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Minor);
    UNREFERENCED_PARAMETER(State);
    irp->IoStatus.Status = Block->Status;
    PoStartNextPowerIrp(irp);
    IoCopyCurrentIrpStackLocationToNext(irp);
    PoCallDriver(lamp->Below, irp);
    IoReleaseRemoveLock(&lamp->RemoveLock, irp);
}

static NTSTATUS OnPower(PDEVICE_OBJECT Device, PIRP Irp)
{
    struct lamp *lamp = Device->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = IoAcquireRemoveLock(&lamp->RemoveLock, Irp);
    if (!NT_SUCCESS(status)) {
        PoStartNextPowerIrp(Irp);
        return Complete(Irp, status, 0);
    }
    if (stack->MinorFunction == IRP_MN_SET_POWER && stack->Parameters.Power.Type == SystemPowerState) {
        POWER_STATE device = {.DeviceState = stack->Parameters.Power.State.SystemState == PowerSystemWorking
                                                 ? PowerDeviceD0
                                                 : PowerDeviceD3};
        IoMarkIrpPending(Irp);
        status = PoRequestPowerIrp(lamp->Pdo, IRP_MN_SET_POWER, device, OnDevicePower, Irp, NULL);
        if (status != STATUS_PENDING) {
            PoStartNextPowerIrp(Irp);
            Complete(Irp, status, 0);
            IoReleaseRemoveLock(&lamp->RemoveLock, Irp);
        }
        return STATUS_PENDING;
    }
    if (stack->MinorFunction == IRP_MN_SET_POWER) {
        lamp->Power = stack->Parameters.Power.State.DeviceState;
        PoSetPowerState(Device, DevicePowerState, stack->Parameters.Power.State);
    }
    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    status = PoCallDriver(lamp->Below, Irp);
    IoReleaseRemoveLock(&lamp->RemoveLock, Irp);
    return status;
}

/* ---- files ---- */

static BOOLEAN IsSecond(PFILE_OBJECT File)
{
    UNICODE_STRING second = RTL_CONSTANT_STRING(L"\\Second");
    return RtlEqualUnicodeString(&File->FileName, &second, TRUE);
}

static NTSTATUS Control(struct lamp *Lamp, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    struct lamp_state state = {Lamp->Brightness, (UCHAR)Lamp->Power, Lamp->Starts, IsSecond(Stack->FileObject)};
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case LAMP_QUERY:
        if (Stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(state))
            return STATUS_BUFFER_TOO_SMALL;
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &state, sizeof(state));
        Irp->IoStatus.Information = sizeof(state);
        return STATUS_SUCCESS;
    case LAMP_BREAK:
        Lamp->Failed = TRUE;
        IoInvalidateDeviceState(Lamp->Pdo);
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static NTSTATUS OnFile(PDEVICE_OBJECT Device, PIRP Irp)
{
    struct lamp *lamp = Device->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    UCHAR *bytes = Irp->AssociatedIrp.SystemBuffer;
    NTSTATUS status = IoAcquireRemoveLock(&lamp->RemoveLock, Irp);
    if (!NT_SUCCESS(status))
        return Complete(Irp, status, 0);
    Irp->IoStatus.Information = 0;
    if (stack->MajorFunction == IRP_MJ_READ && stack->Parameters.Read.Length) {
        bytes[0] = lamp->Brightness;
        Irp->IoStatus.Information = 1;
    } else if (stack->MajorFunction == IRP_MJ_WRITE && stack->Parameters.Write.Length) {
        lamp->Brightness = bytes[0];
        Irp->IoStatus.Information = 1;
    } else if (stack->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        status = Control(lamp, Irp, stack);
    }
    Complete(Irp, status, Irp->IoStatus.Information);
    IoReleaseRemoveLock(&lamp->RemoveLock, Irp);
    return status;
}

static NTSTATUS OnSystemControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    struct lamp *lamp = Device->DeviceExtension;
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(lamp->Below, Irp);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const UCHAR majors[] = {IRP_MJ_CREATE, IRP_MJ_CLEANUP,        IRP_MJ_CLOSE,
                                   IRP_MJ_READ,   IRP_MJ_DEVICE_CONTROL, IRP_MJ_WRITE};
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverExtension->AddDevice = AddDevice;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_PNP] = OnPnp;
    DriverObject->MajorFunction[IRP_MJ_POWER] = OnPower;
    DriverObject->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = OnSystemControl;
    for (ULONG i = 0; i < RTL_NUMBER_OF(majors); i++)
        DriverObject->MajorFunction[majors[i]] = OnFile;
    return STATUS_SUCCESS;
}
