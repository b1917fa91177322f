/* requests.h - sins with requests that are passed on, returned and completed. */
#pragma once
#include "verify.h"

static VOID NTAPI Cancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    IoReleaseCancelSpinLock(Irp->CancelIrql);
}

/* Completion routines: the request stays its sender's. */
static NTSTATUS NTAPI Keep(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS NTAPI KeepAndRaise(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    KIRQL old;

    KeRaiseIrql(*(PBOOLEAN)Context ? APC_LEVEL : PASSIVE_LEVEL, &old);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS NTAPI KeepAndEnter(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    KeEnterCriticalRegion();
    if (!*(PBOOLEAN)Context)
        KeLeaveCriticalRegion();
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Sends the request to the lower device; Routine keeps it. */
static NTSTATUS Forward(PVERIFY_REQUEST Request, PIO_COMPLETION_ROUTINE Routine)
{
    IoCopyCurrentIrpStackLocationToNext(Request->Irp);
    IoSetCompletionRoutine(Request->Irp, Routine, &Request->Wrong, TRUE, TRUE, TRUE);
    return IoCallDriver(VerifyLower, Request->Irp);
}

static NTSTATUS CompleteWith(PVERIFY_REQUEST Request, NTSTATUS Status)
{
    Request->Done = TRUE;
    Request->Irp->IoStatus.Status = Status;
    Request->Irp->IoStatus.Information = 0;
    IoCompleteRequest(Request->Irp, IO_NO_INCREMENT);
    return Status;
}

NTSTATUS NTAPI CALL_HIGH(PVERIFY_REQUEST Request)
{
    KIRQL old;
    NTSTATUS status;

    IoSkipCurrentIrpStackLocation(Request->Irp);
    Request->Done = TRUE;
    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL + 1 : DISPATCH_LEVEL, &old);
    status = IoCallDriver(VerifyLower, Request->Irp); /* HERE */
    KeLowerIrql(old);
    return status;
}

NTSTATUS NTAPI CALL_NO_DEVICE(PVERIFY_REQUEST Request)
{
    volatile NTSTATUS status; /* so that the call is no jump */

    IoSkipCurrentIrpStackLocation(Request->Irp);
    Request->Done = TRUE;
    status = IoCallDriver(Request->Wrong ? NULL : VerifyLower, Request->Irp); /* HERE */
    return status;
}

NTSTATUS NTAPI CALL_BAD_DEVICE(PVERIFY_REQUEST Request)
{
    PDEVICE_OBJECT device = Request->Wrong ? (PDEVICE_OBJECT)Request->Device->DriverObject : VerifyLower;
    volatile NTSTATUS status; /* so that the call is no jump */

    IoSkipCurrentIrpStackLocation(Request->Irp);
    Request->Done = TRUE;
    status = IoCallDriver(device, Request->Irp); /* HERE */
    return status;
}

NTSTATUS NTAPI CALL_NO_REQUEST(PVERIFY_REQUEST Request)
{
    PIRP irp = IoAllocateIrp(1, FALSE);

    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    IoFreeIrp(irp);
    if (Request->Wrong)
        IoCallDriver(VerifyLower, irp); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI CALL_WITH_CANCEL(PVERIFY_REQUEST Request)
{
    volatile NTSTATUS status; /* so that the call is no jump */

    IoSkipCurrentIrpStackLocation(Request->Irp);
    Request->Done = TRUE;
    IoSetCancelRoutine(Request->Irp, Request->Wrong ? Cancel : NULL);
    status = IoCallDriver(VerifyLower, Request->Irp); /* HERE */
    return status;
}

NTSTATUS NTAPI CALL_BOTH_KINDS(PVERIFY_REQUEST Request)
{
    NTSTATUS status;

    IoSkipCurrentIrpStackLocation(Request->Irp);
    Request->Done = TRUE;
    VerifyLower->Flags |= DO_BUFFERED_IO | (Request->Wrong ? DO_DIRECT_IO : 0);
    status = IoCallDriver(VerifyLower, Request->Irp); /* HERE */
    VerifyLower->Flags &= ~DO_BUFFERED_IO;
    return status;
}

/* A request of the driver's own, with a location for itself and one for the lower device. */
static PIRP Build(PVOID UserBuffer)
{
    PIRP irp = IoAllocateIrp(2, FALSE);

    if (irp) {
        IoSetNextIrpStackLocation(irp);
        IoGetCurrentIrpStackLocation(irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
        irp->UserBuffer = UserBuffer;
    }
    return irp;
}

NTSTATUS NTAPI COPIED_BY_HAND(PVERIFY_REQUEST Request)
{
    PIRP irp = Build(NULL);
    PIO_STACK_LOCATION own;

    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    own = IoGetCurrentIrpStackLocation(irp);
    own->CompletionRoutine = Keep;
    own->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    if (Request->Wrong) {
        *IoGetNextIrpStackLocation(irp) = *own;
    } else {
        IoCopyCurrentIrpStackLocationToNext(irp);
        IoSetCompletionRoutine(irp, Keep, irp, TRUE, TRUE, TRUE);
    }
    IoCallDriver(VerifyLower, irp); /* HERE */
    IoFreeIrp(irp);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI COPIED_WITH_CONTROL(PVERIFY_REQUEST Request)
{
    PIRP irp = Build(NULL);
    PIO_STACK_LOCATION next;

    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    next = IoGetNextIrpStackLocation(irp);
    IoMarkIrpPending(irp);
    *next = *IoGetCurrentIrpStackLocation(irp);
    if (!Request->Wrong)
        next->Control = 0;
    IoSetCompletionRoutine(irp, Keep, irp, TRUE, TRUE, TRUE);
    next->Control |= Request->Wrong ? SL_PENDING_RETURNED : 0; /* which IoSetCompletionRoutine has overwritten */
    IoCallDriver(VerifyLower, irp);                            /* HERE */
    IoFreeIrp(irp);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI USER_ADDRESS_IN_KERNEL_REQUEST(PVERIFY_REQUEST Request)
{
    PIRP irp = Build(Request->Wrong ? (PVOID)0x20000 : NULL);

    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, Keep, irp, TRUE, TRUE, TRUE);
    IoCallDriver(VerifyLower, irp); /* HERE */
    IoFreeIrp(irp);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DISPATCH_RAISED(PVERIFY_REQUEST Request)
{
    KIRQL old;

    CompleteWith(Request, STATUS_SUCCESS);
    KeRaiseIrql(Request->Wrong ? APC_LEVEL : PASSIVE_LEVEL, &old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DISPATCH_IN_REGION(PVERIFY_REQUEST Request)
{
    KeEnterCriticalRegion();
    if (!Request->Wrong)
        KeLeaveCriticalRegion();
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RETURNED_ALL_ONES(PVERIFY_REQUEST Request)
{
    CompleteWith(Request, STATUS_SUCCESS);
    return Request->Wrong ? (NTSTATUS)-1 : STATUS_SUCCESS;
}

NTSTATUS NTAPI RETURNED_ANOTHER_STATUS(PVERIFY_REQUEST Request)
{
    CompleteWith(Request, STATUS_SUCCESS);
    return Request->Wrong ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

NTSTATUS NTAPI PENDING_NOT_MARKED(PVERIFY_REQUEST Request)
{
    if (!Request->Wrong)
        IoMarkIrpPending(Request->Irp);
    CompleteWith(Request, STATUS_SUCCESS);
    return STATUS_PENDING;
}

NTSTATUS NTAPI MARKED_NOT_PENDING(PVERIFY_REQUEST Request)
{
    BOOLEAN wrong = Request->Wrong;

    IoMarkIrpPending(Request->Irp);
    CompleteWith(Request, STATUS_SUCCESS);
    return wrong ? STATUS_SUCCESS : STATUS_PENDING;
}

NTSTATUS NTAPI NOT_COMPLETED(PVERIFY_REQUEST Request)
{
    if (!Request->Wrong)
        return STATUS_SUCCESS;
    Request->Done = TRUE;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NOT_CANCELLED(PVERIFY_REQUEST Request)
{
    IoMarkIrpPending(Request->Irp);
    if (!Request->Wrong)
        CompleteWith(Request, STATUS_SUCCESS);
    Request->Done = TRUE;
    return STATUS_PENDING;
}

NTSTATUS NTAPI COMPLETED_AS_PENDING(PVERIFY_REQUEST Request)
{
    Request->Irp->IoStatus.Status = Request->Wrong ? STATUS_PENDING : STATUS_SUCCESS;
    Request->Done = TRUE;
    IoCompleteRequest(Request->Irp, IO_NO_INCREMENT); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI COMPLETED_WITH_CANCEL(PVERIFY_REQUEST Request)
{
    IoSetCancelRoutine(Request->Irp, Cancel);
    if (!Request->Wrong)
        IoSetCancelRoutine(Request->Irp, NULL);
    Request->Irp->IoStatus.Status = STATUS_SUCCESS;
    Request->Done = TRUE;
    IoCompleteRequest(Request->Irp, IO_NO_INCREMENT); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI COMPLETED_HIGH(PVERIFY_REQUEST Request)
{
    KIRQL old;

    Request->Irp->IoStatus.Status = STATUS_SUCCESS;
    Request->Done = TRUE;
    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL + 1 : DISPATCH_LEVEL, &old);
    IoCompleteRequest(Request->Irp, IO_NO_INCREMENT); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI COMPLETED_TWICE(PVERIFY_REQUEST Request)
{
    BOOLEAN wrong = Request->Wrong;

    CompleteWith(Request, STATUS_SUCCESS);
    if (wrong)
        IoCompleteRequest(Request->Irp, IO_NO_INCREMENT); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ROUTINE_RAISED(PVERIFY_REQUEST Request)
{
    return Forward(Request, KeepAndRaise);
}

NTSTATUS NTAPI ROUTINE_IN_REGION(PVERIFY_REQUEST Request)
{
    return Forward(Request, KeepAndEnter);
}
