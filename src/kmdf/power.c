/*
 * power.c - IRP_MJ_POWER of function and filter devices, and what drivers say of idling and waking.
 *
 * The owner of power policy answers a system power request with a device power request to its own stack. Devices do not
 * go to sleep by themselves: idle settings are kept, idle references counted.
 */
#include "kmdf_device.h"
#include "wdk/ps.h"

/* ---- device power ---- */

/* The driver cannot refuse a power request; its device has failed if it could not follow. */
static void check(struct kmdf_device *device, NTSTATUS status)
{
    if (NT_SUCCESS(status))
        return;
    device->pnp.failed = true;
    kmdf_pnp_invalidate(device);
}

static WDF_POWER_DEVICE_STATE target_of(const struct kmdf_device *device, DEVICE_POWER_STATE state)
{
    bool off = device->pnp.action >= PowerActionShutdown && device->pnp.action <= PowerActionShutdownOff;
    return state == PowerDeviceD3 && off ? WdfPowerDeviceD3Final : (WDF_POWER_DEVICE_STATE)state;
}

static NTSTATUS set_device(struct kmdf_device *device, IRP *irp, DEVICE_POWER_STATE state)
{
    struct kmdf_pnp *pnp = &device->pnp;
    bool started = pnp->stage == KMDF_STAGE_STARTED;
    if (state > PowerDeviceD0 && state < PowerDeviceMaximum) {
        if (started && pnp->power == WdfPowerDeviceD0)
            check(device, kmdf_device_power_down(device, target_of(device, state)));
        irp->IoStatus.Status = STATUS_SUCCESS;
        return kmdf_irp_forward(device, irp);
    }
    irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS status = kmdf_irp_forward_wait(device, irp);
    if (NT_SUCCESS(status) && started && state == PowerDeviceD0 && pnp->power != WdfPowerDeviceD0)
        check(device, kmdf_device_power_up(device));
    return kmdf_irp_end(irp, status);
}

static NTSTATUS set_device_in_turn(struct kmdf_device *device, IRP *irp, DEVICE_POWER_STATE state)
{
    KeWaitForSingleObject(&device->pnp.turn, Executive, KernelMode, FALSE, NULL);
    NTSTATUS status = set_device(device, irp, state);
    kmdf_states_rest(device);
    KeSetEvent(&device->pnp.turn, IO_NO_INCREMENT, FALSE);
    return status;
}

/* ---- system power ---- */

static VOID NTAPI device_done(DEVICE_OBJECT *pdo, UCHAR minor, POWER_STATE state, PVOID event, IO_STATUS_BLOCK *result)
{
    UNREFERENCED_PARAMETER(pdo);
    UNREFERENCED_PARAMETER(minor);
    UNREFERENCED_PARAMETER(state);
    UNREFERENCED_PARAMETER(result);
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
}

/* The state that the bus says a device can have at most while the system sleeps so. */
static DEVICE_POWER_STATE device_state_for(const struct kmdf_device *device, SYSTEM_POWER_STATE state)
{
    if (state == PowerSystemWorking)
        return PowerDeviceD0;
    return state < PowerSystemMaximum && device->pnp.known.DeviceState[state] > PowerDeviceD0
               ? device->pnp.known.DeviceState[state]
               : PowerDeviceD3;
}

/* The device follows the system before the request is complete. */
static NTSTATUS set_system(struct kmdf_device *device, IRP *irp, const IO_STACK_LOCATION *stack)
{
    KEVENT done;
    struct kmdf_pnp *pnp = &device->pnp;
    SYSTEM_POWER_STATE state = stack->Parameters.Power.State.SystemState;
    POWER_STATE wanted = {.DeviceState = device_state_for(device, state)};
    pnp->action = stack->Parameters.Power.ShutdownType;
    irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS status = kmdf_irp_forward_wait(device, irp);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    if (NT_SUCCESS(status) && pnp->owner && pnp->stage == KMDF_STAGE_STARTED &&
        NT_SUCCESS(PoRequestPowerIrp(device->pdo, IRP_MN_SET_POWER, wanted, device_done, &done, NULL)))
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    if (state == PowerSystemWorking)
        pnp->action = PowerActionNone;
    return kmdf_irp_end(irp, status);
}

/* ---- the way in ---- */

static NTSTATUS dispatch(struct kmdf_device *device, IRP *irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    if (stack->MinorFunction != IRP_MN_SET_POWER)
        return kmdf_irp_forward(device, irp);
    if (stack->Parameters.Power.Type == DevicePowerState)
        return set_device_in_turn(device, irp, stack->Parameters.Power.State.DeviceState);
    return set_system(device, irp, stack);
}

struct later {
    WORK_QUEUE_ITEM item;
    struct kmdf_device *device;
    IRP *irp;
};

static VOID NTAPI dispatch_later(PVOID parameter)
{
    struct later later = *(struct later *)parameter;
    struct kmdf_client *client = later.device->object.client;
    mm_heap_free(parameter, KMDF_TAG);
    dispatch(later.device, later.irp);
    kmdf_device_let_go(later.device);
    kmdf_dereference(&later.device->object);
    kmdf_busy_end(client);
}

/* Devices whose power must not be paged get their requests at DISPATCH_LEVEL; the callbacks want PASSIVE_LEVEL. */
NTSTATUS kmdf_power_dispatch(struct kmdf_device *device, IRP *irp)
{
    if (KeGetCurrentIrql() == PASSIVE_LEVEL)
        return dispatch(device, irp);
    struct later *later = mm_heap_allocate(sizeof(*later), KMDF_TAG);
    if (!later)
        return kmdf_irp_end(irp, STATUS_INSUFFICIENT_RESOURCES);
    *later = (struct later){{.WorkerRoutine = dispatch_later, .Parameter = later}, device, irp};
    IoMarkIrpPending(irp);
    kmdf_busy(device->object.client);
    kmdf_reference(&device->object, 0);
    kmdf_device_hold(device); /* the caller has it: it cannot be closed */
    ExQueueWorkItem(&later->item, DelayedWorkQueue);
    return STATUS_PENDING;
}

/* ---- for drivers ---- */

/* Why the system's power state changes, until it works again: PowerActionNone if it does not. IRQL <= DISPATCH_LEVEL.
 */
POWER_ACTION NTAPI WdfDeviceGetSystemPowerAction(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(device, Device)->pnp.action;
}

static bool is_tri_state(WDF_TRI_STATE value)
{
    return value == WdfFalse || value == WdfTrue || value == WdfUseDefault;
}

static bool wakes(const struct kmdf_device *device)
{
    const DEVICE_CAPABILITIES *known = &device->pnp.known;
    return known->DeviceWake > PowerDeviceUnspecified && known->DeviceWake < PowerDeviceMaximum;
}

static NTSTATUS check_idle(const struct kmdf_device *device, const WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS *settings)
{
    if (settings->Size != sizeof(*settings))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (settings->IdleCaps < IdleCannotWakeFromS0 || settings->IdleCaps > IdleUsbSelectiveSuspend ||
        settings->UserControlOfIdleSettings < IdleDoNotAllowUserControl ||
        settings->UserControlOfIdleSettings > IdleAllowUserControl || !is_tri_state(settings->Enabled) ||
        !is_tri_state(settings->PowerUpIdleDeviceOnSystemWake) || !is_tri_state(settings->ExcludeD3Cold) ||
        settings->IdleTimeoutType > SystemManagedIdleTimeoutWithHint)
        return STATUS_INVALID_PARAMETER;
    if (settings->DxState == PowerDeviceUnspecified || settings->DxState > PowerDeviceMaximum)
        return STATUS_INVALID_PARAMETER;
    if (settings->DxState == PowerDeviceD0)
        return STATUS_POWER_STATE_INVALID;
    if (!device->pnp.owner)
        return STATUS_INVALID_DEVICE_REQUEST;
    return settings->IdleCaps == IdleCannotWakeFromS0 || wakes(device) ? STATUS_SUCCESS : STATUS_POWER_STATE_INVALID;
}

/*
 * Checked and kept: the device stays in D0 all the same. STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_PARAMETER,
 * STATUS_INVALID_DEVICE_REQUEST: the driver does not own the device's power policy; STATUS_POWER_STATE_INVALID: DxState
 * is D0, or the device is to wake itself, which the bus says it cannot. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceAssignS0IdleSettings(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                             PWDF_DEVICE_POWER_POLICY_IDLE_SETTINGS Settings)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(Settings);
    NTSTATUS status = check_idle(device, Settings);
    if (NT_SUCCESS(status))
        device->pnp.idle = *Settings;
    return status;
}

/* The same for waking the system, which no device here can: STATUS_POWER_STATE_INVALID unless its bus says otherwise.
 */
NTSTATUS NTAPI WdfDeviceAssignSxWakeSettings(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                             PWDF_DEVICE_POWER_POLICY_WAKE_SETTINGS Settings)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(Settings);
    if (Settings->Size != sizeof(*Settings))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (Settings->DxState == PowerDeviceUnspecified || Settings->DxState > PowerDeviceMaximum ||
        Settings->UserControlOfWakeSettings < WakeDoNotAllowUserControl ||
        Settings->UserControlOfWakeSettings > WakeAllowUserControl || !is_tri_state(Settings->Enabled))
        return STATUS_INVALID_PARAMETER;
    if (!device->pnp.owner)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Settings->DxState == PowerDeviceD0 || !wakes(device))
        return STATUS_POWER_STATE_INVALID;
    device->pnp.wake = *Settings;
    return STATUS_SUCCESS;
}

/* A device in D0 stays there; one that is powered down with the system is not raised by this. */
static NTSTATUS stop_idle(struct kmdf_device *device)
{
    if (!device->pnp.owner)
        return STATUS_INVALID_DEVICE_STATE;
    if (device->pnp.stage != KMDF_STAGE_STARTED && device->pnp.power != WdfPowerDeviceD0)
        return STATUS_POWER_STATE_INVALID;
    plat_lock_acquire(&kmdf_lock);
    device->pnp.idle_references++;
    plat_lock_release(&kmdf_lock);
    return device->pnp.power == WdfPowerDeviceD0 ? STATUS_SUCCESS : STATUS_PENDING;
}

static void resume_idle(struct kmdf_device *device, const char *function)
{
    plat_lock_acquire(&kmdf_lock);
    bool counted = device->pnp.idle_references > 0;
    if (counted)
        device->pnp.idle_references--;
    plat_lock_release(&kmdf_lock);
    if (!counted && ke_verify)
        ke_verify_warn(seh_export_caller(), "%s was called more often than WdfDeviceStopIdle has succeeded", function);
}

/*
 * The device stays in D0 until the driver's WdfDeviceResumeIdle. STATUS_PENDING: it is not there now, and will be when
 * the system works; STATUS_INVALID_DEVICE_STATE: the driver does not own the device's power policy;
 * STATUS_POWER_STATE_INVALID: the device is not started. PASSIVE_LEVEL with WaitForD0, else IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceStopIdleNoTrack(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, BOOLEAN WaitForD0)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    UNREFERENCED_PARAMETER(WaitForD0);
    return stop_idle(KMDF_GET(device, Device));
}

VOID NTAPI WdfDeviceResumeIdleNoTrack(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    resume_idle(KMDF_GET(device, Device), __func__);
}

/* What newer drivers call for the two. Tag, Line and File are their notes. */
NTSTATUS NTAPI WdfDeviceStopIdleActual(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, BOOLEAN WaitForD0,
                                       PVOID Tag, LONG Line, PCCH File)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    UNREFERENCED_PARAMETER(WaitForD0);
    UNREFERENCED_PARAMETER(Tag);
    UNREFERENCED_PARAMETER(Line);
    UNREFERENCED_PARAMETER(File);
    return stop_idle(KMDF_GET(device, Device));
}

VOID NTAPI WdfDeviceResumeIdleActual(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, PVOID Tag, LONG Line,
                                     PCCH File)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    UNREFERENCED_PARAMETER(Tag);
    UNREFERENCED_PARAMETER(Line);
    UNREFERENCED_PARAMETER(File);
    resume_idle(KMDF_GET(device, Device), __func__);
}
