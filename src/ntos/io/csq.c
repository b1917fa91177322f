/*
 * csq.c - cancel-safe queues: a driver's queue of requests, of which each is either removed or cancelled, never both.
 *
 * While a request is queued, DriverContext[3] points at its IO_CSQ_IRP_CONTEXT, or at the queue if the driver gave
 * none; the first field of both says which. Whoever clears the request's cancel routine owns the request: the one who
 * removes it does so under the queue's lock; the canceller comes with it cleared already.
 */
#include "io_internal.h"
#include "wdk/csq.h"

NTSTATUS NTAPI IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP CsqInsertIrp, PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                               PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp, PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                               PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                               PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    *Csq = (IO_CSQ){.Type = IO_TYPE_CSQ,
                    .CsqInsertIrp = CsqInsertIrp,
                    .CsqRemoveIrp = CsqRemoveIrp,
                    .CsqPeekNextIrp = CsqPeekNextIrp,
                    .CsqAcquireLock = CsqAcquireLock,
                    .CsqReleaseLock = CsqReleaseLock,
                    .CsqCompleteCanceledIrp = CsqCompleteCanceledIrp};
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX CsqInsertIrp, PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                                 PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp, PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                                 PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                                 PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    IoCsqInitialize(Csq, (PIO_CSQ_INSERT_IRP)(PVOID)CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock,
                    CsqReleaseLock, CsqCompleteCanceledIrp);
    Csq->Type = IO_TYPE_CSQ_EX;
    return STATUS_SUCCESS;
}

static PVOID *mark_of(PIRP irp)
{
    return &irp->Tail.Overlay.DriverContext[3];
}

static PDRIVER_CANCEL swap_cancel_routine(PIRP irp, PDRIVER_CANCEL routine)
{
    return __atomic_exchange_n(&irp->CancelRoutine, routine, __ATOMIC_SEQ_CST);
}

/* The request is out of every queue; its context, if any, must not find it again. */
static void forget(PIRP irp)
{
    PIO_CSQ_IRP_CONTEXT context = *mark_of(irp);
    if (context && context->Type == IO_TYPE_CSQ_IRP_CONTEXT)
        context->Irp = NULL;
    *mark_of(irp) = NULL;
}

static VOID NTAPI cancel(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    PIO_CSQ csq = *mark_of(irp);
    KIRQL irql;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    if (csq->Type == IO_TYPE_CSQ_IRP_CONTEXT)
        csq = ((PIO_CSQ_IRP_CONTEXT)(PVOID)csq)->Csq;
    csq->CsqAcquireLock(csq, &irql);
    csq->CsqRemoveIrp(csq, irp);
    forget(irp);
    csq->CsqReleaseLock(csq, irql);
    csq->CsqCompleteCanceledIrp(csq, irp);
}

static NTSTATUS insert(PIO_CSQ csq, PIRP irp, PVOID insert_context)
{
    if (csq->Type == IO_TYPE_CSQ_EX)
        return ((PIO_CSQ_INSERT_IRP_EX)(PVOID)csq->CsqInsertIrp)(csq, irp, insert_context);
    csq->CsqInsertIrp(csq, irp);
    return STATUS_SUCCESS;
}

/* Under the queue's lock. True: the caller completes the request, which was cancelled before. */
static bool make_cancelable(PIO_CSQ csq, PIRP irp)
{
    swap_cancel_routine(irp, cancel);
    if (!__atomic_load_n(&irp->Cancel, __ATOMIC_SEQ_CST) || !swap_cancel_routine(irp, NULL))
        return false;
    csq->CsqRemoveIrp(csq, irp);
    forget(irp);
    return true;
}

/*
 * Queues Irp and marks it pending. A request cancelled before is completed by CsqCompleteCanceledIrp instead. Returns
 * what the driver's CsqInsertIrpEx does; if that is an error, the request is not queued and still the caller's. IRQL <=
 * DISPATCH_LEVEL.
 */
NTSTATUS NTAPI IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context, PVOID InsertContext)
{
    KIRQL irql;
    if (Context)
        *Context = (IO_CSQ_IRP_CONTEXT){IO_TYPE_CSQ_IRP_CONTEXT, Irp, Csq};
    Csq->CsqAcquireLock(Csq, &irql);
    *mark_of(Irp) = Context ? (PVOID)Context : (PVOID)Csq;
    NTSTATUS status = insert(Csq, Irp, InsertContext);
    bool canceled = false;
    if (NT_SUCCESS(status)) {
        IoMarkIrpPending(Irp);
        canceled = make_cancelable(Csq, Irp);
    } else {
        forget(Irp);
    }
    Csq->CsqReleaseLock(Csq, irql);
    if (canceled)
        Csq->CsqCompleteCanceledIrp(Csq, Irp);
    return status;
}

VOID NTAPI IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    IoCsqInsertIrpEx(Csq, Irp, Context, NULL);
}

/* The next request that CsqPeekNextIrp finds for PeekContext and nobody is cancelling; null: none. */
PIRP NTAPI IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext)
{
    KIRQL irql;
    Csq->CsqAcquireLock(Csq, &irql);
    PIRP irp = Csq->CsqPeekNextIrp(Csq, NULL, PeekContext);
    while (irp && !swap_cancel_routine(irp, NULL))
        irp = Csq->CsqPeekNextIrp(Csq, irp, PeekContext);
    if (irp) {
        Csq->CsqRemoveIrp(Csq, irp);
        forget(irp);
    }
    Csq->CsqReleaseLock(Csq, irql);
    return irp;
}

/* The request that was queued with Context; null: it was removed or cancelled. */
PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
    KIRQL irql;
    Csq->CsqAcquireLock(Csq, &irql);
    PIRP irp = Context->Irp;
    if (irp && swap_cancel_routine(irp, NULL)) {
        Csq->CsqRemoveIrp(Csq, irp);
        forget(irp);
    } else {
        irp = NULL;
    }
    Csq->CsqReleaseLock(Csq, irql);
    return irp;
}
