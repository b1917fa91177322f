/*
 * pnp_init.c - what a driver says of plug and play and power before its device exists, and how a device begins with it.
 */
#include "kmdf_device.h"

#define PNP_TAG RTL_TAG('K', 'm', 'P', 'n')

void kmdf_pnp_init_begin(struct kmdf_pnp_init *init, DEVICE_OBJECT *pdo)
{
    init->pdo = pdo;
    init->owner = init->pageable = WdfUseDefault;
    init->order = WdfReleaseHardwareOrderOnFailureEarly;
    InitializeListHead(&init->state_callbacks);
}

void kmdf_pnp_init_end(struct kmdf_pnp_init *init)
{
    while (!IsListEmpty(&init->state_callbacks))
        mm_heap_free(CONTAINING_RECORD(RemoveHeadList(&init->state_callbacks), struct kmdf_state_callback, link),
                     PNP_TAG);
    for (ULONG i = 0; i < RTL_NUMBER_OF(init->preprocess); i++)
        if (init->preprocess[i])
            mm_heap_free(init->preprocess[i], PNP_TAG);
}

void kmdf_pnp_begin(struct kmdf_device *device, const struct WDFDEVICE_INIT *init)
{
    struct kmdf_pnp *pnp = &device->pnp;
    KeInitializeEvent(&pnp->turn, SynchronizationEvent, TRUE);
    KeInitializeEvent(&pnp->empty, NotificationEvent, TRUE);
    InitializeListHead(&pnp->interfaces);
    InitializeListHead(&pnp->offers);
    pnp->power = WdfPowerDeviceD3Final;
    pnp->owner = init->pnp.owner == WdfUseDefault ? init->pnp.pdo && !init->pnp.filter : init->pnp.owner == WdfTrue;
    pnp->states[KMDF_MACHINE_PNP] = WdfDevStatePnpObjectCreated;
    pnp->states[KMDF_MACHINE_POWER] = WdfDevStatePowerObjectCreated;
    pnp->states[KMDF_MACHINE_POLICY] = WdfDevStatePwrPolObjectCreated;
    for (ULONG i = 0; i < KMDF_MACHINES; i++)
        pnp->processed[i] = true;
    WDF_DEVICE_STATE_INIT(&pnp->state);
    WDF_DEVICE_PNP_CAPABILITIES_INIT(&pnp->capabilities);
    WDF_DEVICE_POWER_CAPABILITIES_INIT(&pnp->power_capabilities);
}

void kmdf_pnp_end(struct kmdf_device *device)
{
    if (!device->pnp.interfaces.Flink) /* never begun */
        return;
    kmdf_interfaces_free(device);
    kmdf_offers_free(device);
}

/* ---- for drivers ---- */

/* A structure of the wrong size is WDF_VIOLATION, here and below. */
static void check_size(ULONG given, SIZE_T wanted, const char *function)
{
    if (given != wanted)
        kmdf_violation(KMDF_OBJECT_ERROR, 0, (ULONG_PTR)(LONG_PTR)STATUS_INFO_LENGTH_MISMATCH, 0,
                       "%s was given a structure whose Size is %u instead of %u", function, given, (ULONG)wanted);
}

VOID NTAPI WdfDeviceInitSetPnpPowerEventCallbacks(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                                  PWDF_PNPPOWER_EVENT_CALLBACKS PnpPowerEventCallbacks)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(PnpPowerEventCallbacks);
    check_size(PnpPowerEventCallbacks->Size, sizeof(*PnpPowerEventCallbacks), __func__);
    init->pnp.callbacks = *PnpPowerEventCallbacks;
}

/* Wake signals do not occur here: the callbacks are kept and not called. */
VOID NTAPI WdfDeviceInitSetPowerPolicyEventCallbacks(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                                     PWDF_POWER_POLICY_EVENT_CALLBACKS PowerPolicyEventCallbacks)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(PowerPolicyEventCallbacks);
    check_size(PowerPolicyEventCallbacks->Size, sizeof(*PowerPolicyEventCallbacks), __func__);
    init->pnp.policy = *PowerPolicyEventCallbacks;
}

/* By default a function driver owns its device's power policy and a filter driver does not. */
VOID NTAPI WdfDeviceInitSetPowerPolicyOwnership(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                                BOOLEAN IsPowerPolicyOwner)
{
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->pnp.owner = IsPowerPolicyOwner ? WdfTrue : WdfFalse;
}

/* How the device's power requests may come: DO_POWER_PAGABLE, DO_POWER_INRUSH. */
VOID NTAPI WdfDeviceInitSetPowerPageable(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit)
{
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->pnp.pageable = WdfTrue;
}

VOID NTAPI WdfDeviceInitSetPowerNotPageable(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit)
{
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->pnp.pageable = WdfFalse;
}

VOID NTAPI WdfDeviceInitSetPowerInrush(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit)
{
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->pnp.inrush = true;
}

/* Makes a difference for devices with children only, and there are none of those. */
VOID NTAPI
WdfDeviceInitSetReleaseHardwareOrderOnFailure(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                              WDF_RELEASE_HARDWARE_ORDER_ON_FAILURE ReleaseHardwareOrderOnFailure)
{
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->pnp.order = ReleaseHardwareOrderOnFailure;
}

/* Each IRP then keeps the device until it is complete, wherever it has gone. */
VOID NTAPI WdfDeviceInitSetRemoveLockOptions(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                             PWDF_REMOVE_LOCK_OPTIONS Options)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(Options);
    check_size(Options->Size, sizeof(*Options), __func__);
    init->pnp.remove_lock = (Options->Flags & WDF_REMOVE_LOCK_OPTION_ACQUIRE_FOR_IO) != 0;
}

/* Notification is called for IRP_MJ_SHUTDOWN (Flags: WDF_DEVICE_SHUTDOWN_FLAGS), before the system ends. */
VOID NTAPI WdfControlDeviceInitSetShutdownNotification(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                                       PFN_WDF_DEVICE_SHUTDOWN_NOTIFICATION Notification, UCHAR Flags)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(Notification);
    init->pnp.shutdown = Notification;
    init->pnp.shutdown_flags = Flags;
}

/* The driver's minor functions of a major one, or all of them. */
static NTSTATUS set_preprocess(struct kmdf_preprocess *preprocess, PFN_WDFDEVICE_WDM_IRP_PREPROCESS callback,
                               const UCHAR *minors, ULONG count)
{
    bool had_minors = preprocess->callback && !preprocess->all;
    if (minors && count && had_minors)
        return STATUS_INVALID_DEVICE_REQUEST;
    preprocess->callback = callback;
    if (!had_minors)
        preprocess->all = !minors || !count;
    for (ULONG i = 0; minors && i < count; i++)
        preprocess->minors[minors[i]] = true;
    return STATUS_SUCCESS;
}

/*
 * EvtDeviceWdmIrpPreprocess sees IRPs of MajorFunction before the framework; MinorFunctions null: all of them. The
 * newest callback of a major function is its only one. STATUS_INVALID_PARAMETER: there is no such major function;
 * STATUS_INVALID_DEVICE_REQUEST: it has minor functions already. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceInitAssignWdmIrpPreprocessCallback(PWDF_DRIVER_GLOBALS DriverGlobals,
                                                           PWDFDEVICE_INIT DeviceInit,
                                                           PFN_WDFDEVICE_WDM_IRP_PREPROCESS EvtDeviceWdmIrpPreprocess,
                                                           UCHAR MajorFunction, PUCHAR MinorFunctions,
                                                           ULONG NumMinorFunctions)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(EvtDeviceWdmIrpPreprocess);
    if (MajorFunction > IRP_MJ_MAXIMUM_FUNCTION)
        return STATUS_INVALID_PARAMETER;
    struct kmdf_preprocess **preprocess = &init->pnp.preprocess[MajorFunction];
    if (!*preprocess)
        *preprocess = mm_heap_allocate(sizeof(**preprocess), PNP_TAG);
    return *preprocess ? set_preprocess(*preprocess, EvtDeviceWdmIrpPreprocess, MinorFunctions, NumMinorFunctions)
                       : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS add_state_callback(struct WDFDEVICE_INIT *init, enum kmdf_machine machine, ULONG state,
                                   ULONG_PTR routine, ULONG types)
{
    const ULONG first[KMDF_MACHINES] = {WdfDevStatePnpObjectCreated, WdfDevStatePowerObjectCreated,
                                        WdfDevStatePwrPolObjectCreated};
    ULONG number = state & ~0x8000u; /* a flag of states that must not touch paged memory */
    if (number < first[machine] || number > first[machine] + 0xFF || !types || (types & ~StateNotificationAllStates))
        return STATUS_INVALID_PARAMETER;
    struct kmdf_state_callback *callback = mm_heap_allocate(sizeof(*callback), PNP_TAG);
    if (!callback)
        return STATUS_INSUFFICIENT_RESOURCES;
    callback->machine = machine;
    callback->state = number;
    callback->types = types;
    callback->routine = routine;
    InsertTailList(&init->pnp.state_callbacks, &callback->link);
    return STATUS_SUCCESS;
}

/* The callback is called when the device's machine enters, has processed or leaves the state (CallbackTypes:
 * WDF_STATE_NOTIFICATION_TYPE). STATUS_INVALID_PARAMETER: state or types. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfDeviceInitRegisterPnpStateChangeCallback(
    PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit, WDF_DEVICE_PNP_STATE PnpState,
    PFN_WDF_DEVICE_PNP_STATE_CHANGE_NOTIFICATION EvtDevicePnpStateChange, ULONG CallbackTypes)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(EvtDevicePnpStateChange);
    return add_state_callback(init, KMDF_MACHINE_PNP, PnpState, (ULONG_PTR)EvtDevicePnpStateChange, CallbackTypes);
}

NTSTATUS NTAPI WdfDeviceInitRegisterPowerStateChangeCallback(
    PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit, WDF_DEVICE_POWER_STATE PowerState,
    PFN_WDF_DEVICE_POWER_STATE_CHANGE_NOTIFICATION EvtDevicePowerStateChange, ULONG CallbackTypes)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(EvtDevicePowerStateChange);
    return add_state_callback(init, KMDF_MACHINE_POWER, PowerState, (ULONG_PTR)EvtDevicePowerStateChange,
                              CallbackTypes);
}

NTSTATUS NTAPI WdfDeviceInitRegisterPowerPolicyStateChangeCallback(
    PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit, WDF_DEVICE_POWER_POLICY_STATE PowerPolicyState,
    PFN_WDF_DEVICE_POWER_POLICY_STATE_CHANGE_NOTIFICATION EvtDevicePowerPolicyStateChange, ULONG CallbackTypes)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(EvtDevicePowerPolicyStateChange);
    return add_state_callback(init, KMDF_MACHINE_POLICY, PowerPolicyState, (ULONG_PTR)EvtDevicePowerPolicyStateChange,
                              CallbackTypes);
}
