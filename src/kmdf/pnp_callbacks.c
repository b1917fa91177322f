/*
 * pnp_callbacks.c - the callbacks that make a device work and stop it, in the documented order ("PnP and Power
 * Management Scenarios"): hardware, D0, queues, self-managed I/O, and back.
 */
#include "kmdf_queue.h"

/* A callback that a driver need not have. */
static NTSTATUS call(struct kmdf_device *device, void *routine, ULONG_PTR argument)
{
    return routine ? (NTSTATUS)KMDF_CALL2(routine, device->object.handle, argument) : STATUS_SUCCESS;
}
#define CALL(device, Name, argument) call(device, (void *)(device)->init->pnp.callbacks.Name, (ULONG_PTR)(argument))

static NTSTATUS worse(NTSTATUS first, NTSTATUS second)
{
    return NT_SUCCESS(first) ? second : first;
}

/* ---- D0 ---- */

/* The first time EvtDeviceSelfManagedIoInit, later ...Restart. */
static NTSTATUS start_io(struct kmdf_device *device)
{
    struct kmdf_pnp *pnp = &device->pnp;
    NTSTATUS status = pnp->io_initialized ? CALL(device, EvtDeviceSelfManagedIoRestart, 0)
                                          : CALL(device, EvtDeviceSelfManagedIoInit, 0);
    pnp->io_initialized = true; /* a failing one is cleaned up as well */
    pnp->io_started = NT_SUCCESS(status);
    return status;
}

NTSTATUS kmdf_device_power_up(struct kmdf_device *device)
{
    struct kmdf_pnp *pnp = &device->pnp;
    WDF_POWER_DEVICE_STATE from = pnp->power;
    kmdf_state_enter(device, KMDF_MACHINE_POWER, WdfDevStatePowerD0Starting);
    NTSTATUS status = CALL(device, EvtDeviceD0Entry, from);
    if (!NT_SUCCESS(status))
        return status; /* EvtDeviceD0Exit does not follow */
    kmdf_state_enter(device, KMDF_MACHINE_POWER, WdfDevStatePowerD0StartingConnectInterrupt);
    status = CALL(device, EvtDeviceD0EntryPostInterruptsEnabled, from);
    if (!NT_SUCCESS(status)) {
        CALL(device, EvtDeviceD0Exit, WdfPowerDeviceD3Final);
        return status;
    }
    pnp->power = WdfPowerDeviceD0;
    kmdf_state_enter(device, KMDF_MACHINE_POWER, WdfDevStatePowerD0StartingDmaEnable);
    kmdf_queues_power_up(device);
    kmdf_state_enter(device, KMDF_MACHINE_POWER, WdfDevStatePowerD0StartingStartSelfManagedIo);
    status = start_io(device);
    if (!NT_SUCCESS(status)) {
        kmdf_device_power_down(device, WdfPowerDeviceD3Final);
        return status;
    }
    kmdf_state_enter(device, KMDF_MACHINE_POWER, WdfDevStatePowerDecideD0State);
    kmdf_state_enter(device, KMDF_MACHINE_POWER, WdfDevStatePowerD0);
    return status;
}

NTSTATUS kmdf_device_power_down(struct kmdf_device *device, WDF_POWER_DEVICE_STATE target)
{
    struct kmdf_pnp *pnp = &device->pnp;
    NTSTATUS status = STATUS_SUCCESS;
    bool final = target == WdfPowerDeviceD3Final;
    kmdf_state_enter(device, KMDF_MACHINE_POWER, final ? WdfDevStatePowerGotoD3Stopped : WdfDevStatePowerGotoDx);
    if (pnp->io_started)
        status = CALL(device, EvtDeviceSelfManagedIoSuspend, 0);
    pnp->io_started = false;
    kmdf_queues_power_down(device);
    if (!final)
        kmdf_state_enter(device, KMDF_MACHINE_POWER, WdfDevStatePowerGotoDxIoStopped);
    status = worse(status, CALL(device, EvtDeviceD0ExitPreInterruptsDisabled, target));
    status = worse(status, CALL(device, EvtDeviceD0Exit, target));
    pnp->power = target;
    kmdf_state_enter(device, KMDF_MACHINE_POWER, final ? WdfDevStatePowerStopped : WdfDevStatePowerDx);
    return status;
}

/* ---- hardware ---- */

static void drop_resources(struct kmdf_device *device)
{
    struct kmdf_pnp *pnp = &device->pnp;
    if (pnp->raw)
        kmdf_object_delete(&pnp->raw->object);
    if (pnp->translated)
        kmdf_object_delete(&pnp->translated->object);
    pnp->raw = pnp->translated = NULL;
}

static void release_hardware(struct kmdf_device *device)
{
    struct kmdf_pnp *pnp = &device->pnp;
    if (pnp->hardware)
        CALL(device, EvtDeviceReleaseHardware, pnp->translated->object.handle);
    pnp->hardware = false;
    drop_resources(device);
}

static NTSTATUS prepare_hardware(struct kmdf_device *device)
{
    struct kmdf_pnp *pnp = &device->pnp;
    void *routine = (void *)device->init->pnp.callbacks.EvtDevicePrepareHardware;
    pnp->hardware = true; /* EvtDeviceReleaseHardware follows one that fails, too */
    return routine ? (NTSTATUS)KMDF_CALL3(routine, device->object.handle, pnp->raw->object.handle,
                                          pnp->translated->object.handle)
                   : STATUS_SUCCESS;
}

NTSTATUS kmdf_device_start(struct kmdf_device *device)
{
    NTSTATUS status = prepare_hardware(device);
    kmdf_state_enter(device, KMDF_MACHINE_POLICY, WdfDevStatePwrPolStarting);
    if (NT_SUCCESS(status))
        status = kmdf_device_power_up(device);
    kmdf_state_enter(device, KMDF_MACHINE_POLICY,
                     NT_SUCCESS(status) ? WdfDevStatePwrPolStartingSucceeded : WdfDevStatePwrPolStartingFailed);
    if (NT_SUCCESS(status))
        kmdf_state_enter(device, KMDF_MACHINE_POLICY, WdfDevStatePwrPolStarted);
    else
        release_hardware(device);
    return status;
}

void kmdf_device_stop(struct kmdf_device *device)
{
    if (device->pnp.power == WdfPowerDeviceD0)
        kmdf_device_power_down(device, WdfPowerDeviceD3Final);
    release_hardware(device);
}

/* ---- the end ---- */

void kmdf_device_purge(struct kmdf_device *device)
{
    kmdf_queues_purge(device, true);
    if (device->pnp.io_initialized)
        CALL(device, EvtDeviceSelfManagedIoFlush, 0);
}

void kmdf_device_finish(struct kmdf_device *device)
{
    kmdf_queues_purge(device, false);
    if (device->pnp.io_initialized)
        CALL(device, EvtDeviceSelfManagedIoCleanup, 0);
    device->pnp.io_initialized = false;
    kmdf_state_enter(device, KMDF_MACHINE_POWER, WdfDevStatePowerFinal);
}
