/*
 * pnp.c - IRP_MJ_PNP of function and filter devices: starting, stopping, removing, and the questions before that.
 *
 * A request that stops something is acted on before it goes down, one that starts something after the devices below
 * have done their part.
 */
#include "kmdf_device.h"

static bool is_started(const struct kmdf_device *device)
{
    return device->pnp.stage == KMDF_STAGE_STARTED;
}

/* The framework agrees, and so may the devices below. */
static NTSTATUS pass(struct kmdf_device *device, IRP *irp)
{
    irp->IoStatus.Status = STATUS_SUCCESS;
    return kmdf_irp_forward(device, irp);
}

static NTSTATUS ask(struct kmdf_device *device, void *routine)
{
    return routine ? (NTSTATUS)KMDF_CALL1(routine, device->object.handle) : STATUS_SUCCESS;
}

/* ---- start ---- */

static NTSTATUS take_resources(struct kmdf_device *device, const IO_STACK_LOCATION *stack)
{
    struct kmdf_pnp *pnp = &device->pnp;
    PFN_WDF_DEVICE_REMOVE_ADDED_RESOURCES remove = device->init->pnp.fdo.EvtDeviceRemoveAddedResources;
    NTSTATUS status = kmdf_resources_create(device, stack->Parameters.StartDevice.AllocatedResources, &pnp->raw);
    if (NT_SUCCESS(status))
        status =
            kmdf_resources_create(device, stack->Parameters.StartDevice.AllocatedResourcesTranslated, &pnp->translated);
    if (NT_SUCCESS(status) && remove) {
        pnp->raw->changeable = pnp->translated->changeable = true;
        status = (NTSTATUS)KMDF_CALL3(remove, device->object.handle, pnp->raw->object.handle,
                                      pnp->translated->object.handle);
        pnp->raw->changeable = pnp->translated->changeable = false;
    }
    return status;
}

/* What the driver has taken out, the devices below do not see. */
static NTSTATUS start_lower(struct kmdf_device *device, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    struct kmdf_resources *resources[2] = {device->pnp.raw, device->pnp.translated};
    CM_RESOURCE_LIST **lists[2] = {&stack->Parameters.StartDevice.AllocatedResources,
                                   &stack->Parameters.StartDevice.AllocatedResourcesTranslated};
    CM_RESOURCE_LIST *before[2] = {*lists[0], *lists[1]};
    NTSTATUS status = STATUS_SUCCESS;
    for (ULONG i = 0; i < 2; i++)
        if (resources[i]->changed && !(*lists[i] = kmdf_resources_list(resources[i], before[i])))
            status = STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(status))
        status = kmdf_irp_forward_wait(device, irp);
    for (ULONG i = 0; i < 2; i++) {
        if (*lists[i] && *lists[i] != before[i])
            kmdf_resources_list_free(*lists[i]);
        *lists[i] = before[i];
    }
    return status;
}

/* A device that could not be started is as good as removed: IRP_MN_REMOVE_DEVICE is what comes next. */
static void start_failed(struct kmdf_device *device)
{
    kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpFailedOwnHardware);
    kmdf_device_stop(device);
    kmdf_device_purge(device);
    device->pnp.stage = KMDF_STAGE_SURPRISED;
    kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpFailed);
    kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpFailedWaitForRemove);
}

static NTSTATUS start(struct kmdf_device *device, IRP *irp)
{
    bool again = device->pnp.stage == KMDF_STAGE_STOPPED;
    if (!again && device->pnp.stage != KMDF_STAGE_ADDED)
        return kmdf_irp_end(irp, STATUS_INVALID_DEVICE_STATE);
    NTSTATUS status = take_resources(device, IoGetCurrentIrpStackLocation(irp));
    if (NT_SUCCESS(status))
        status = start_lower(device, irp);
    if (NT_SUCCESS(status)) {
        kmdf_state_enter(device, KMDF_MACHINE_PNP,
                         again ? WdfDevStatePnpStartingFromStopped : WdfDevStatePnpInitStarting);
        kmdf_state_enter(device, KMDF_MACHINE_PNP, again ? WdfDevStatePnpRestarting : WdfDevStatePnpHardwareAvailable);
        status = kmdf_device_start(device);
    }
    if (!NT_SUCCESS(status)) {
        start_failed(device);
        return kmdf_irp_end(irp, status);
    }
    if (!again) {
        kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpEnableInterfaces);
        kmdf_interfaces_enable(device, true);
    }
    device->pnp.stage = KMDF_STAGE_STARTED;
    kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpStarted);
    return kmdf_irp_end(irp, STATUS_SUCCESS);
}

/* ---- may it stop, may it go ---- */

struct question {
    ULONG check, ask, pending; /* states */
    void *routine;
};

/* A refusal does not reach the devices below. */
static NTSTATUS question(struct kmdf_device *device, IRP *irp, const struct question *question)
{
    struct kmdf_pnp *pnp = &device->pnp;
    if (!is_started(device))
        return pass(device, irp);
    kmdf_state_enter(device, KMDF_MACHINE_PNP, question->check);
    NTSTATUS status = pnp->pinned || pnp->special_files ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
    if (NT_SUCCESS(status)) {
        kmdf_state_enter(device, KMDF_MACHINE_PNP, question->ask);
        status = ask(device, question->routine);
    }
    if (!NT_SUCCESS(status)) {
        kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpQueryCanceled);
        kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpStarted);
        return kmdf_irp_end(irp, status);
    }
    kmdf_state_enter(device, KMDF_MACHINE_PNP, question->pending);
    return pass(device, irp);
}

static NTSTATUS query_stop(struct kmdf_device *device, IRP *irp)
{
    return question(device, irp,
                    &(struct question){WdfDevStatePnpQueryStopStaticCheck, WdfDevStatePnpQueryStopAskDriver,
                                       WdfDevStatePnpQueryStopPending,
                                       (void *)device->init->pnp.callbacks.EvtDeviceQueryStop});
}

static NTSTATUS query_remove(struct kmdf_device *device, IRP *irp)
{
    return question(device, irp,
                    &(struct question){WdfDevStatePnpQueryRemoveStaticCheck, WdfDevStatePnpQueryRemoveAskDriver,
                                       WdfDevStatePnpQueryRemovePending,
                                       (void *)device->init->pnp.callbacks.EvtDeviceQueryRemove});
}

/* The question is taken back; the devices below hear of it first. */
static NTSTATUS cancel(struct kmdf_device *device, IRP *irp, ULONG pending, ULONG state)
{
    irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS status = kmdf_irp_forward_wait(device, irp);
    if (device->pnp.states[KMDF_MACHINE_PNP] == pending) {
        kmdf_state_enter(device, KMDF_MACHINE_PNP, state);
        kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpStarted);
    }
    return kmdf_irp_end(irp, status);
}

/* ---- stop, surprise, remove ---- */

static NTSTATUS stop(struct kmdf_device *device, IRP *irp)
{
    if (is_started(device)) {
        kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpStartedStopping);
        kmdf_device_stop(device);
        device->pnp.stage = KMDF_STAGE_STOPPED;
        kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpStopped);
    }
    return pass(device, irp);
}

/* All but what IRP_MN_REMOVE_DEVICE leaves to the very end. */
static void take_down(struct kmdf_device *device)
{
    kmdf_interfaces_enable(device, false);
    kmdf_device_stop(device);
    kmdf_device_purge(device);
}

static NTSTATUS surprise(struct kmdf_device *device, IRP *irp)
{
    PFN_WDF_DEVICE_SURPRISE_REMOVAL routine = device->init->pnp.callbacks.EvtDeviceSurpriseRemoval;
    if (device->pnp.stage < KMDF_STAGE_SURPRISED) {
        kmdf_state_enter(device, KMDF_MACHINE_PNP,
                         is_started(device) ? WdfDevStatePnpSurpriseRemoveIoStarted
                                            : WdfDevStatePnpInitSurpriseRemoved);
        if (routine)
            KMDF_CALL1(routine, device->object.handle);
        take_down(device);
        device->pnp.stage = KMDF_STAGE_SURPRISED;
        kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpFailedWaitForRemove);
    }
    return pass(device, irp);
}

/* After this the device exists for those only who hold a reference. */
static NTSTATUS remove(struct kmdf_device *device, IRP *irp)
{
    if (device->pnp.stage < KMDF_STAGE_SURPRISED) {
        kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpRemovingDisableInterfaces);
        take_down(device);
    }
    kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpFdoRemoved);
    kmdf_device_finish(device);
    kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpFinal);
    kmdf_states_rest(device);
    device->pnp.stage = KMDF_STAGE_REMOVED;
    kmdf_device_close(device);
    NTSTATUS status = pass(device, irp);
    kmdf_fdo_leave(device);
    return status;
}

/* ---- the way in ---- */

static NTSTATUS change(struct kmdf_device *device, IRP *irp)
{
    switch (IoGetCurrentIrpStackLocation(irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return start(device, irp);
    case IRP_MN_QUERY_STOP_DEVICE:
        return query_stop(device, irp);
    case IRP_MN_CANCEL_STOP_DEVICE:
        return cancel(device, irp, WdfDevStatePnpQueryStopPending, WdfDevStatePnpStartedCancelStop);
    case IRP_MN_STOP_DEVICE:
        return stop(device, irp);
    case IRP_MN_QUERY_REMOVE_DEVICE:
        return query_remove(device, irp);
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        return cancel(device, irp, WdfDevStatePnpQueryRemovePending, WdfDevStatePnpStartedCancelRemove);
    case IRP_MN_SURPRISE_REMOVAL:
        return surprise(device, irp);
    default:
        return remove(device, irp);
    }
}

static bool changes(UCHAR minor)
{
    return minor <= IRP_MN_CANCEL_STOP_DEVICE || minor == IRP_MN_SURPRISE_REMOVAL;
}

/* Questions may come while a callback of the driver's, which has asked them itself, holds up a change. */
NTSTATUS kmdf_pnp_dispatch(struct kmdf_device *device, IRP *irp)
{
    if (!changes(IoGetCurrentIrpStackLocation(irp)->MinorFunction))
        return kmdf_pnp_query(device, irp);
    KeWaitForSingleObject(&device->pnp.turn, Executive, KernelMode, FALSE, NULL);
    NTSTATUS status = change(device, irp);
    kmdf_states_rest(device);
    KeSetEvent(&device->pnp.turn, IO_NO_INCREMENT, FALSE);
    return status;
}
