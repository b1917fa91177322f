/*
 * preprocess.c - IRPs that a driver sees before the framework does, or directs to a queue itself; the lock that keeps a
 * device while IRPs are in it.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

/* ---- the remove lock ---- */

bool kmdf_device_hold(struct kmdf_device *device)
{
    struct kmdf_pnp *pnp = &device->pnp;
    plat_lock_acquire(&kmdf_lock);
    bool open = !pnp->closing;
    if (open && !pnp->inside++)
        KeClearEvent(&pnp->empty);
    plat_lock_release(&kmdf_lock);
    return open;
}

/* The event is set under the lock: whoever waits may free the device. */
void kmdf_device_let_go(struct kmdf_device *device)
{
    struct kmdf_pnp *pnp = &device->pnp;
    plat_lock_acquire(&kmdf_lock);
    if (!--pnp->inside)
        KeSetEvent(&pnp->empty, IO_NO_INCREMENT, FALSE);
    plat_lock_release(&kmdf_lock);
}

/* The caller's own goes, so that the count can fall to 0, and comes again. */
void kmdf_device_close(struct kmdf_device *device)
{
    struct kmdf_pnp *pnp = &device->pnp;
    plat_lock_acquire(&kmdf_lock);
    pnp->closing = true;
    plat_lock_release(&kmdf_lock);
    kmdf_device_let_go(device);
    KeWaitForSingleObject(&pnp->empty, Executive, KernelMode, FALSE, NULL);
    plat_lock_acquire(&kmdf_lock);
    pnp->inside++;
    plat_lock_release(&kmdf_lock);
}

static NTSTATUS NTAPI left(DEVICE_OBJECT *wdm, IRP *irp, PVOID context)
{
    struct kmdf_device *device = context;
    UNREFERENCED_PARAMETER(wdm);
    if (irp->PendingReturned)
        IoMarkIrpPending(irp);
    kmdf_device_let_go(device);
    kmdf_dereference(&device->object);
    return STATUS_SUCCESS;
}

/* The stack location after this one becomes the current one. */
static void next_location(struct kmdf_device *device, IRP *irp)
{
    if (irp->CurrentLocation <= 1)
        ke_bugcheck_because(BUGCHECK_NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR[4]){(ULONG_PTR)irp, 0, 0, 0},
                            "a preprocessed request came back to the framework without a stack location left");
    irp->CurrentLocation--;
    irp->Tail.Overlay.CurrentStackLocation--;
    irp->Tail.Overlay.CurrentStackLocation->DeviceObject = device->wdm;
}

bool kmdf_device_hold_irp(struct kmdf_device *device, IRP *irp)
{
    UCHAR major = IoGetCurrentIrpStackLocation(irp)->MajorFunction;
    if (!device->init->pnp.remove_lock || major == IRP_MJ_PNP || major == IRP_MJ_POWER)
        return true;
    if (!kmdf_device_hold(device))
        return false;
    kmdf_reference(&device->object, 0);
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp), *next = stack - 1;
    __builtin_memcpy(next, stack, offsetof(IO_STACK_LOCATION, CompletionRoutine));
    next->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    next->CompletionRoutine = left;
    next->Context = device;
    next_location(device, irp);
    return true;
}

CCHAR kmdf_extra_stack(const struct WDFDEVICE_INIT *init)
{
    CCHAR extra = init->pnp.remove_lock && init->pnp.pdo ? 1 : 0;
    for (ULONG i = 0; i < RTL_NUMBER_OF(init->pnp.preprocess); i++)
        if (init->pnp.preprocess[i])
            return (CCHAR)(extra + 1);
    return extra;
}

/* ---- before the framework ---- */

bool kmdf_preprocess(struct kmdf_device *device, IRP *irp, NTSTATUS *status)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    const struct kmdf_preprocess *preprocess = device->init->pnp.preprocess[stack->MajorFunction];
    if (!preprocess || !(preprocess->all || preprocess->minors[stack->MinorFunction]))
        return false;
    *status = (NTSTATUS)KMDF_CALL2(preprocess->callback, device->object.handle, irp);
    return true;
}

/* The context of a dispatch is the IRP: it says that WdfDeviceWdmDispatchIrp is called for what the callback got. */
bool kmdf_dispatch_by_driver(struct kmdf_device *device, IRP *irp, NTSTATUS *status)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    const struct kmdf_irp_dispatch *dispatch = &device->pnp.dispatch[stack->MajorFunction];
    bool control =
        stack->MajorFunction == IRP_MJ_DEVICE_CONTROL || stack->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL;
    if (!dispatch->callback)
        return false;
    *status =
        (NTSTATUS)kmdf_call_7((ULONG_PTR)dispatch->callback, (ULONG_PTR)device->object.handle, stack->MajorFunction,
                              stack->MinorFunction, control ? stack->Parameters.DeviceIoControl.IoControlCode : 0,
                              (ULONG_PTR)dispatch->context, (ULONG_PTR)irp, (ULONG_PTR)irp);
    return true;
}

/* ---- for drivers ---- */

/*
 * From EvtDeviceWdmIrpPreprocess: the framework goes on with the IRP. The driver has called
 * IoSkipCurrentIrpStackLocation or IoCopyCurrentIrpStackLocationToNext, and returns what this returns. IRQL <=
 * DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceWdmDispatchPreprocessedIrp(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(Irp);
    next_location(device, Irp);
    return kmdf_dispatch_default(device, Irp);
}

/*
 * EvtDeviceWdmIrpDispatch sees each read, write or (internal) device control of that kind before it becomes a request.
 * STATUS_INVALID_PARAMETER: MajorFunction is another one. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceConfigureWdmIrpDispatchCallback(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                                        WDFDRIVER Driver, UCHAR MajorFunction,
                                                        PFN_WDFDEVICE_WDM_IRP_DISPATCH EvtDeviceWdmIrpDispatch,
                                                        WDFCONTEXT DriverContext)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(EvtDeviceWdmIrpDispatch);
    if (Driver)
        KMDF_GET(driver, Driver);
    if (MajorFunction != IRP_MJ_READ && MajorFunction != IRP_MJ_WRITE && MajorFunction != IRP_MJ_DEVICE_CONTROL &&
        MajorFunction != IRP_MJ_INTERNAL_DEVICE_CONTROL)
        return STATUS_INVALID_PARAMETER;
    device->pnp.dispatch[MajorFunction].context = DriverContext;
    __atomic_store_n(&device->pnp.dispatch[MajorFunction].callback, EvtDeviceWdmIrpDispatch, __ATOMIC_RELEASE);
    return STATUS_SUCCESS;
}

/* From EvtDeviceWdmIrpDispatch: the framework does with the IRP what it would have done without the callback. A
 * DispatchContext that is not the IRP's is WDF_VIOLATION. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WdfDeviceWdmDispatchIrp(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, PIRP Irp,
                                       WDFCONTEXT DispatchContext)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(Irp);
    if (DispatchContext != Irp)
        kmdf_violation(KMDF_OBJECT_ERROR, (ULONG_PTR)Device, (ULONG_PTR)Irp, 0,
                       "%s was called for an IRP that EvtDeviceWdmIrpDispatch did not get with that DispatchContext",
                       __func__);
    return kmdf_dispatch_io(device, Irp, NULL, true);
}

/*
 * From EvtDeviceWdmIrpPreprocess (Flags: WDF_DISPATCH_IRP_TO_IO_QUEUE_PREPROCESSED_IRP) or EvtDeviceWdmIrpDispatch: the
 * IRP becomes a request of Queue, which EvtIoInCallerContext sees first only if Flags say so. The driver returns what
 * this returns. A queue of another device is WDF_VIOLATION. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceWdmDispatchIrpToIoQueue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, PIRP Irp,
                                                WDFQUEUE Queue, ULONG Flags)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    kmdf_require(Irp);
    if (queue->device != device)
        kmdf_violation(KMDF_OBJECT_ERROR, (ULONG_PTR)Device, (ULONG_PTR)Queue, 0,
                       "%s was given a queue of another device", __func__);
    if (Flags & WDF_DISPATCH_IRP_TO_IO_QUEUE_PREPROCESSED_IRP)
        next_location(device, Irp);
    return kmdf_dispatch_io(device, Irp, queue,
                            (Flags & WDF_DISPATCH_IRP_TO_IO_QUEUE_INVOKE_INCALLERCTX_CALLBACK) != 0);
}
