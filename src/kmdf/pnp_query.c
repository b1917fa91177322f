/*
 * pnp_query.c - requests of IRP_MJ_PNP that ask about a device or tell of its use, and what drivers say for them.
 */
#include "kmdf_device.h"

/* ---- capabilities ---- */

/* Both structures' bits, in one place. */
#define APPLY(to, from, Bit)                                                                                           \
    do {                                                                                                               \
        if ((from)->Bit != WdfUseDefault)                                                                              \
            (to)->Bit = (from)->Bit == WdfTrue;                                                                        \
    } while (0)

static void apply_pnp(const struct kmdf_device *device, DEVICE_CAPABILITIES *to)
{
    const WDF_DEVICE_PNP_CAPABILITIES *from = &device->pnp.capabilities;
    APPLY(to, from, LockSupported);
    APPLY(to, from, EjectSupported);
    APPLY(to, from, Removable);
    APPLY(to, from, DockDevice);
    APPLY(to, from, UniqueID);
    APPLY(to, from, SilentInstall);
    APPLY(to, from, SurpriseRemovalOK);
    APPLY(to, from, HardwareDisabled);
    APPLY(to, from, NoDisplayInUI);
    if (from->Address != (ULONG)-1)
        to->Address = from->Address;
    if (from->UINumber != (ULONG)-1)
        to->UINumber = from->UINumber;
}

static void apply_power(const struct kmdf_device *device, DEVICE_CAPABILITIES *to)
{
    const WDF_DEVICE_POWER_CAPABILITIES *from = &device->pnp.power_capabilities;
    APPLY(to, from, DeviceD1);
    APPLY(to, from, DeviceD2);
    APPLY(to, from, WakeFromD0);
    APPLY(to, from, WakeFromD1);
    APPLY(to, from, WakeFromD2);
    APPLY(to, from, WakeFromD3);
    for (ULONG i = 0; i < RTL_NUMBER_OF(from->DeviceState); i++)
        if (from->DeviceState[i] != PowerDeviceMaximum)
            to->DeviceState[i] = from->DeviceState[i];
    if (from->DeviceWake != PowerDeviceMaximum)
        to->DeviceWake = from->DeviceWake;
    if (from->SystemWake != PowerSystemMaximum)
        to->SystemWake = from->SystemWake;
    if (from->D1Latency != (ULONG)-1)
        to->D1Latency = from->D1Latency;
    if (from->D2Latency != (ULONG)-1)
        to->D2Latency = from->D2Latency;
    if (from->D3Latency != (ULONG)-1)
        to->D3Latency = from->D3Latency;
}

static NTSTATUS query_capabilities(struct kmdf_device *device, IRP *irp)
{
    DEVICE_CAPABILITIES *capabilities = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceCapabilities.Capabilities;
    NTSTATUS status = kmdf_irp_forward_wait(device, irp);
    if (NT_SUCCESS(status) && capabilities) {
        apply_pnp(device, capabilities);
        apply_power(device, capabilities);
        device->pnp.known = *capabilities;
    }
    return kmdf_irp_end(irp, status);
}

/* ---- state ---- */

static void apply_state(ULONG_PTR *flags, WDF_TRI_STATE said, ULONG bit)
{
    if (said == WdfTrue)
        *flags |= bit;
    else if (said == WdfFalse)
        *flags &= ~(ULONG_PTR)bit;
}

static NTSTATUS query_state(struct kmdf_device *device, IRP *irp)
{
    const WDF_DEVICE_STATE *state = &device->pnp.state;
    NTSTATUS status = kmdf_irp_forward_wait(device, irp);
    if (!NT_SUCCESS(status) && status != STATUS_NOT_SUPPORTED)
        return kmdf_irp_end(irp, status);
    ULONG_PTR *flags = &irp->IoStatus.Information;
    apply_state(flags, state->Disabled, PNP_DEVICE_DISABLED);
    apply_state(flags, state->DontDisplayInUI, PNP_DEVICE_DONT_DISPLAY_IN_UI);
    apply_state(flags, state->Failed, PNP_DEVICE_FAILED);
    apply_state(flags, state->Removed, PNP_DEVICE_REMOVED);
    apply_state(flags, state->ResourcesChanged, PNP_DEVICE_RESOURCE_REQUIREMENTS_CHANGED);
    apply_state(flags, state->NotDisableable, PNP_DEVICE_NOT_DISABLEABLE);
    if (device->pnp.failed)
        *flags |= PNP_DEVICE_FAILED;
    if (device->pnp.special_files)
        *flags |= PNP_DEVICE_NOT_DISABLEABLE;
    return kmdf_irp_end(irp, STATUS_SUCCESS);
}

/* ---- special files ---- */

static NTSTATUS notify_usage(struct kmdf_device *device, WDF_SPECIAL_FILE_TYPE type, bool in_path)
{
    PFN_WDF_DEVICE_USAGE_NOTIFICATION_EX routine = device->init->pnp.callbacks.EvtDeviceUsageNotificationEx;
    return routine ? (NTSTATUS)KMDF_CALL3(routine, device->object.handle, type, in_path) : STATUS_SUCCESS;
}

/* A file that the driver does not support is not for the device; one that it does keeps the device from being removed
 * while it is open. */
static NTSTATUS usage(struct kmdf_device *device, IRP *irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    PFN_WDF_DEVICE_USAGE_NOTIFICATION told = device->init->pnp.callbacks.EvtDeviceUsageNotification;
    WDF_SPECIAL_FILE_TYPE type = (WDF_SPECIAL_FILE_TYPE)stack->Parameters.UsageNotification.Type;
    bool in_path = stack->Parameters.UsageNotification.InPath;
    bool supported = type > WdfSpecialFileUndefined && type < WdfSpecialFileMax &&
                     (device->pnp.special_support >> type & 1 || device->init->pnp.filter);
    if (in_path && !supported)
        return kmdf_irp_end(irp, STATUS_UNSUCCESSFUL);
    NTSTATUS status = notify_usage(device, type, in_path);
    if (!NT_SUCCESS(status))
        return kmdf_irp_end(irp, status);
    irp->IoStatus.Status = STATUS_SUCCESS;
    status = kmdf_irp_forward_wait(device, irp);
    if (!NT_SUCCESS(status)) {
        notify_usage(device, type, !in_path);
        return kmdf_irp_end(irp, status);
    }
    __atomic_add_fetch(&device->pnp.special_files, in_path ? 1 : -1, __ATOMIC_SEQ_CST);
    if (told)
        KMDF_CALL3(told, device->object.handle, type, in_path);
    return kmdf_irp_end(irp, status);
}

static NTSTATUS query_relations(struct kmdf_device *device, IRP *irp)
{
    PFN_WDF_DEVICE_RELATIONS_QUERY routine = device->init->pnp.callbacks.EvtDeviceRelationsQuery;
    if (routine)
        KMDF_CALL2(routine, device->object.handle,
                   IoGetCurrentIrpStackLocation(irp)->Parameters.QueryDeviceRelations.Type);
    return kmdf_irp_forward(device, irp);
}

NTSTATUS kmdf_pnp_query(struct kmdf_device *device, IRP *irp)
{
    switch (IoGetCurrentIrpStackLocation(irp)->MinorFunction) {
    case IRP_MN_QUERY_CAPABILITIES:
        return query_capabilities(device, irp);
    case IRP_MN_QUERY_PNP_DEVICE_STATE:
        return query_state(device, irp);
    case IRP_MN_DEVICE_USAGE_NOTIFICATION:
        return usage(device, irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        return query_relations(device, irp);
    case IRP_MN_QUERY_INTERFACE:
        return kmdf_query_interface(device, irp);
    default:
        return kmdf_irp_forward(device, irp);
    }
}

/* ---- for drivers ---- */

void kmdf_pnp_invalidate(struct kmdf_device *device)
{
    if (device->pdo)
        IoInvalidateDeviceState(device->pdo);
}

/* In these a structure of the wrong size is WDF_VIOLATION. */
static void check_size(ULONG given, SIZE_T wanted, const char *function)
{
    if (given != wanted)
        kmdf_violation(KMDF_OBJECT_ERROR, 0, (ULONG_PTR)(LONG_PTR)STATUS_INFO_LENGTH_MISMATCH, 0,
                       "%s was given a structure whose Size is %u instead of %u", function, given, (ULONG)wanted);
}

/* What the driver has set. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfDeviceGetDeviceState(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, PWDF_DEVICE_STATE DeviceState)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(DeviceState);
    check_size(DeviceState->Size, sizeof(*DeviceState), __func__);
    *DeviceState = device->pnp.state;
}

/* The PnP manager is told that the state has changed. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfDeviceSetDeviceState(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, PWDF_DEVICE_STATE DeviceState)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(DeviceState);
    check_size(DeviceState->Size, sizeof(*DeviceState), __func__);
    device->pnp.state = *DeviceState;
    kmdf_pnp_invalidate(device);
}

/* The device has failed, and the PnP manager removes it. Whether the bus is to find it anew (FailedAction) makes no
 * difference: it does not. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfDeviceSetFailed(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                              WDF_DEVICE_FAILED_ACTION FailedAction)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    UNREFERENCED_PARAMETER(FailedAction);
    struct kmdf_device *device = KMDF_GET(device, Device);
    device->pnp.failed = true;
    kmdf_pnp_invalidate(device);
}

/* What the device's answer to IRP_MN_QUERY_CAPABILITIES says, in these two. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfDeviceSetPnpCapabilities(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                       PWDF_DEVICE_PNP_CAPABILITIES PnpCapabilities)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(PnpCapabilities);
    check_size(PnpCapabilities->Size, sizeof(*PnpCapabilities), __func__);
    device->pnp.capabilities = *PnpCapabilities;
}

VOID NTAPI WdfDeviceSetPowerCapabilities(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                         PWDF_DEVICE_POWER_CAPABILITIES PowerCapabilities)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(PowerCapabilities);
    check_size(PowerCapabilities->Size, sizeof(*PowerCapabilities), __func__);
    device->pnp.power_capabilities = *PowerCapabilities;
}

/* Stoppable FALSE: the framework refuses to have the device stopped or removed. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfDeviceSetStaticStopRemove(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, BOOLEAN Stoppable)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    KMDF_GET(device, Device)->pnp.pinned = !Stoppable;
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfDeviceSetSpecialFileSupport(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                          WDF_SPECIAL_FILE_TYPE FileType, BOOLEAN FileTypeIsSupported)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    if (FileType <= WdfSpecialFileUndefined || FileType >= WdfSpecialFileMax)
        return;
    ULONG bit = 1u << FileType;
    device->pnp.special_support = (device->pnp.special_support & ~bit) | (FileTypeIsSupported ? bit : 0);
}

/* Kept for the device's children; there are none. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfDeviceSetBusInformationForChildren(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                                 PPNP_BUS_INFORMATION BusInformation)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(BusInformation);
    device->pnp.bus = *BusInformation;
}
