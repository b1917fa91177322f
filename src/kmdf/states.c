/*
 * states.c - the state machines of plug and play, power and power policy, as far as drivers see them: the states the
 * framework says it is in, and the callbacks for them.
 */
#include "kmdf_device.h"

/* The notification of each machine is laid out alike: Type, then CurrentState and, but for a state that has been
 * processed, NewState. */
_Static_assert(sizeof(WDF_DEVICE_PNP_NOTIFICATION_DATA) == sizeof(WDF_DEVICE_POWER_NOTIFICATION_DATA) &&
                   sizeof(WDF_DEVICE_PNP_NOTIFICATION_DATA) == sizeof(WDF_DEVICE_POWER_POLICY_NOTIFICATION_DATA),
               "one structure serves all");

static void notify(struct kmdf_device *device, enum kmdf_machine machine, ULONG state, WDF_STATE_NOTIFICATION_TYPE type,
                   ULONG from, ULONG to)
{
    const LIST_ENTRY *callbacks = &device->init->pnp.state_callbacks;
    WDF_DEVICE_PNP_NOTIFICATION_DATA data = {.Type = type};
    data.Data.EnterState.CurrentState = (WDF_DEVICE_PNP_STATE)from;
    if (type != StateNotificationPostProcessState)
        data.Data.EnterState.NewState = (WDF_DEVICE_PNP_STATE)to;
    for (const LIST_ENTRY *entry = callbacks->Flink; entry != callbacks; entry = entry->Flink) {
        const struct kmdf_state_callback *callback = CONTAINING_RECORD(entry, struct kmdf_state_callback, link);
        if (callback->machine == machine && callback->state == state && (callback->types & (ULONG)type))
            KMDF_CALL2(callback->routine, device->object.handle, &data);
    }
}

static void process(struct kmdf_device *device, enum kmdf_machine machine)
{
    ULONG state = device->pnp.states[machine];
    if (!device->pnp.processed[machine])
        notify(device, machine, state, StateNotificationPostProcessState, state, 0);
    device->pnp.processed[machine] = true;
}

void kmdf_state_enter(struct kmdf_device *device, enum kmdf_machine machine, ULONG state)
{
    ULONG from = device->pnp.states[machine];
    process(device, machine);
    notify(device, machine, from, StateNotificationLeaveState, from, state);
    notify(device, machine, state, StateNotificationEnterState, from, state);
    __atomic_store_n(&device->pnp.states[machine], state, __ATOMIC_RELEASE);
    device->pnp.processed[machine] = false;
}

void kmdf_states_rest(struct kmdf_device *device)
{
    for (enum kmdf_machine machine = 0; machine < KMDF_MACHINES; machine++)
        process(device, machine);
}

/* ---- for drivers ---- */

static ULONG state_of(WDFDEVICE handle, enum kmdf_machine machine, const char *function)
{
    const struct kmdf_device *device =
        (const struct kmdf_device *)kmdf_object_of((WDFOBJECT)handle, &kmdf_device_type, function);
    return __atomic_load_n(&device->pnp.states[machine], __ATOMIC_ACQUIRE);
}

/* The state that the machine is in or has just left, in these three; it may change at any time. IRQL <= DISPATCH_LEVEL.
 */
WDF_DEVICE_PNP_STATE NTAPI WdfDeviceGetDevicePnpState(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return (WDF_DEVICE_PNP_STATE)state_of(Device, KMDF_MACHINE_PNP, __func__);
}

WDF_DEVICE_POWER_STATE NTAPI WdfDeviceGetDevicePowerState(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return (WDF_DEVICE_POWER_STATE)state_of(Device, KMDF_MACHINE_POWER, __func__);
}

WDF_DEVICE_POWER_POLICY_STATE NTAPI WdfDeviceGetDevicePowerPolicyState(PWDF_DRIVER_GLOBALS DriverGlobals,
                                                                       WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return (WDF_DEVICE_POWER_POLICY_STATE)state_of(Device, KMDF_MACHINE_POLICY, __func__);
}
