/*
 * forward.c - IRPs that go on to the device below: forgotten, or waited for.
 */
#include "kmdf_device.h"

NTSTATUS kmdf_irp_end(IRP *irp, NTSTATUS status)
{
    irp->IoStatus.Status = status;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

/* The device below sees the stack location that this one has seen. */
NTSTATUS kmdf_irp_forward(struct kmdf_device *device, IRP *irp)
{
    irp->CurrentLocation++;
    irp->Tail.Overlay.CurrentStackLocation++;
    return IofCallDriver(device->lower, irp);
}

static NTSTATUS NTAPI signal(DEVICE_OBJECT *device, IRP *irp, PVOID event)
{
    UNREFERENCED_PARAMETER(device);
    if (irp->PendingReturned)
        KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS kmdf_irp_forward_wait(struct kmdf_device *device, IRP *irp)
{
    KEVENT event;
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp), *next = IoGetNextIrpStackLocation(irp);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    __builtin_memcpy(next, stack, offsetof(IO_STACK_LOCATION, CompletionRoutine));
    next->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    next->CompletionRoutine = signal;
    next->Context = &event;
    if (IofCallDriver(device->lower, irp) == STATUS_PENDING)
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    return irp->IoStatus.Status;
}
