/*
 * power.c - power requests of drivers, and what they tell the power manager of their devices.
 *
 * Nothing here saves power: no idle device is put to sleep by the power manager, and the system stays awake unless its
 * embedder says otherwise. Requests need no PoStartNextPowerIrp, as on Windows since Vista.
 */
#include "pnp_internal.h"
#include "wdk/ex.h"

/* A power request that a driver has asked for. */
struct power_request {
    struct io_irp *packet;
    DEVICE_OBJECT *device, *top; /* whom the driver named, and who got it; both referenced */
    POWER_STATE state;
    UCHAR minor;
    ULONG_PTR completion;
    PVOID context;
    WORK_QUEUE_ITEM item; /* for a caller above PASSIVE_LEVEL */
};

static NTSTATUS NTAPI completed(DEVICE_OBJECT *none, IRP *irp, PVOID context)
{
    struct power_request *request = context;
    UNREFERENCED_PARAMETER(none);
    if (request->completion) /* the union's four bytes are passed by value */
        seh_driver_call_5(request->completion, (ULONG_PTR)request->device, request->minor,
                          (ULONG_PTR)(ULONG)request->state.DeviceState, (ULONG_PTR)request->context,
                          (ULONG_PTR)&irp->IoStatus);
    ob_dereference(request->top);
    ob_dereference(request->device);
    mm_heap_free(request, PNP_TAG);
    IoFreeIrp(irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID NTAPI send(PVOID context)
{
    struct power_request *request = context;
    IofCallDriver(request->top, &request->packet->irp);
}

static void fill(struct power_request *request)
{
    IRP *irp = &request->packet->irp;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    stack->MajorFunction = IRP_MJ_POWER;
    stack->MinorFunction = request->minor;
    if (request->minor == IRP_MN_WAIT_WAKE) {
        stack->Parameters.WaitWake.PowerState = request->state.SystemState;
    } else {
        stack->Parameters.Power.Type = DevicePowerState;
        stack->Parameters.Power.State = request->state;
    }
    stack->CompletionRoutine = completed;
    stack->Context = request;
    stack->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
}

/*
 * Sends a device power request to the top of DeviceObject's stack. MinorFunction: IRP_MN_QUERY_POWER, IRP_MN_SET_POWER
 * (PowerState: of the device), IRP_MN_WAIT_WAKE (of the system). CompletionFunction, if not null, hears of its end.
 * *Irp, for IRP_MN_WAIT_WAKE: so that it can be cancelled. STATUS_PENDING: it was sent; STATUS_INVALID_PARAMETER_2,
 * STATUS_INSUFFICIENT_RESOURCES. IRQL <= DISPATCH_LEVEL; above PASSIVE_LEVEL a worker sends it.
 */
NTSTATUS NTAPI PoRequestPowerIrp(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE PowerState,
                                 PREQUEST_POWER_COMPLETE CompletionFunction, PVOID Context, PIRP *Irp)
{
    if (MinorFunction != IRP_MN_QUERY_POWER && MinorFunction != IRP_MN_SET_POWER && MinorFunction != IRP_MN_WAIT_WAKE)
        return STATUS_INVALID_PARAMETER_2;
    struct power_request *request = mm_heap_allocate(sizeof(*request), PNP_TAG);
    DEVICE_OBJECT *top = IoGetAttachedDeviceReference(DeviceObject);
    struct io_irp *packet = request ? io_irp_allocate(top->StackSize, seh_export_caller()) : NULL;
    if (!packet) {
        ob_dereference(top);
        if (request)
            mm_heap_free(request, PNP_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ob_reference(DeviceObject);
    *request = (struct power_request){.packet = packet,
                                      .device = DeviceObject,
                                      .top = top,
                                      .state = PowerState,
                                      .minor = MinorFunction,
                                      .completion = (ULONG_PTR)CompletionFunction,
                                      .context = Context};
    fill(request);
    if (Irp && MinorFunction == IRP_MN_WAIT_WAKE)
        *Irp = &packet->irp;
    if (KeGetCurrentIrql() == PASSIVE_LEVEL) {
        send(request);
    } else {
        request->item = (WORK_QUEUE_ITEM){.WorkerRoutine = send, .Parameter = request};
        ExQueueWorkItem(&request->item, DelayedWorkQueue);
    }
    return STATUS_PENDING;
}

NTSTATUS NTAPI PoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return IofCallDriver(DeviceObject, Irp);
}

VOID NTAPI PoStartNextPowerIrp(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
}

/* Notes the state a device is in from now on; returns the one noted before, 0 (unspecified) the first time. */
POWER_STATE NTAPI PoSetPowerState(PDEVICE_OBJECT DeviceObject, POWER_STATE_TYPE Type, POWER_STATE State)
{
    struct io_device *device = io_device_of(DeviceObject);
    LONG *noted = Type == SystemPowerState ? &device->system_power : &device->device_power;
    return (POWER_STATE){.DeviceState =
                             (DEVICE_POWER_STATE)__atomic_exchange_n(noted, State.DeviceState, __ATOMIC_RELAXED)};
}

/* ---- idle detection: devices may be as idle as they like ---- */

/* The device's idle counter; null, for a registration that both times of 0 take back. */
PULONG NTAPI PoRegisterDeviceForIdleDetection(PDEVICE_OBJECT DeviceObject, ULONG ConservationIdleTime,
                                              ULONG PerformanceIdleTime, DEVICE_POWER_STATE State)
{
    UNREFERENCED_PARAMETER(State);
    return ConservationIdleTime || PerformanceIdleTime ? &io_device_of(DeviceObject)->idle_count : NULL;
}

VOID NTAPI PoSetDeviceBusyEx(PULONG IdlePointer)
{
    __atomic_store_n(IdlePointer, 0, __ATOMIC_RELAXED);
}

VOID NTAPI PoStartDeviceBusy(PULONG IdlePointer)
{
    PoSetDeviceBusyEx(IdlePointer);
}

VOID NTAPI PoEndDeviceBusy(PULONG IdlePointer)
{
    PoSetDeviceBusyEx(IdlePointer);
}

/* ---- the system stays awake ---- */

VOID NTAPI PoSetSystemState(ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
}

VOID NTAPI PoSetSystemWake(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
}

/* StateHandle with other flags, or a new one; null: no memory. PoUnregisterSystemState gives it back. */
PVOID NTAPI PoRegisterSystemState(PVOID StateHandle, ULONG Flags)
{
    ULONG *state = StateHandle;
    if (!state)
        state = mm_pool_allocate(sizeof(*state), PNP_TAG, 0, MM_POOL_DRIVER, seh_export_caller());
    if (state)
        *state = Flags;
    return state;
}

VOID NTAPI PoUnregisterSystemState(PVOID StateHandle)
{
    mm_pool_free(StateHandle, PNP_TAG, seh_export_caller());
}
