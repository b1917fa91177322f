/*
 * request.c - sending requests: the call of the driver, and the wait for those that are waited for. What a request is
 * made of is transfer.c's, how it ends finish.c's.
 */
#include "verify_io.h"
#include "wdk/seh.h"

ULONG io_pending_timeout_ms = 10000;

enum { AFTER_CANCEL_MS = 1000 };

NTSTATUS io_request_create(DEVICE_OBJECT *device, FILE_OBJECT *file, UCHAR major, KPROCESSOR_MODE mode,
                           struct io_irp **packet, struct io_request **created)
{
    struct io_request *request = mm_heap_allocate(sizeof(*request), IO_REQUEST_TAG);
    struct io_irp *irp = request ? io_irp_allocate(device->StackSize, 0) : NULL;
    if (!irp) {
        if (request)
            mm_heap_free(request, IO_REQUEST_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    request->references = 2;
    request->mode = mode;
    request->irp = &irp->irp;
    request->thread = ke_thread_current();
    request->routine = (ULONG_PTR)device->DriverObject->MajorFunction[major] + 1;
    KeInitializeEvent(&request->done, NotificationEvent, FALSE);
    irp->caller = request->routine;
    irp->irp.RequestorMode = mode;
    irp->irp.Tail.Overlay.Thread = ke_thread_current();
    irp->irp.Tail.Overlay.OriginalFileObject = file;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(&irp->irp);
    stack->MajorFunction = major;
    stack->FileObject = file;
    __atomic_store_n(&irp->request, request, __ATOMIC_RELEASE);
    *packet = irp;
    *created = request;
    return STATUS_SUCCESS;
}

/* ---- waiting ---- */

static NTSTATUS wait_done(struct io_request *request, ULONG milliseconds, BOOLEAN alertable)
{
    LARGE_INTEGER timeout = {.QuadPart = -10000ll * milliseconds};
    return KeWaitForSingleObject(&request->done, Executive, request->mode, alertable, milliseconds ? &timeout : NULL);
}

/* The sender says that it waits. False: there is nothing to wait for any more. */
static bool begin_wait(struct io_request *request)
{
    LONG sent = IO_SENT;
    return __atomic_compare_exchange_n(&request->state, &sent, IO_WAITED, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/*
 * The driver said STATUS_PENDING. An overdue request is cancelled, as is one whose sender is alerted; one that survives
 * that is abandoned and stays as a leak.
 */
static void wait_pending(struct io_request *request)
{
    BOOLEAN alertable = request->file && (__atomic_load_n(&request->file->Flags, __ATOMIC_RELAXED) & FO_ALERTABLE_IO);
    NTSTATUS status = wait_done(request, io_pending_timeout_ms, alertable);
    if (status == STATUS_SUCCESS)
        return;
    io_request_cancel(request);
    ULONG patience = status == STATUS_TIMEOUT ? AFTER_CANCEL_MS : io_pending_timeout_ms;
    if (wait_done(request, patience, FALSE) == STATUS_SUCCESS)
        return;
    if (ke_verify)
        io_verify_not_cancelled(request->irp, patience, request->routine);
    io_warn(request->routine, "a request stayed pending for %u ms and could not be cancelled", io_pending_timeout_ms);
}

/* ---- the call ---- */

/* What the documentation asks of a dispatch routine's return value. */
static void check_return(const struct io_request *request, NTSTATUS returned)
{
    bool completed = io_request_completed(request);
    ULONG_PTR routine = request->routine;
    if (ke_verify)
        io_verify_return(request, returned, routine);
    if (returned == STATUS_PENDING && completed && !request->pending_marked)
        io_warn(routine, "the dispatch routine returned STATUS_PENDING without IoMarkIrpPending");
    if (returned != STATUS_PENDING && !completed)
        io_warn(routine, "the dispatch routine returned 0x%08X without completing the request", (ULONG)returned);
    if (returned != STATUS_PENDING && completed && request->pending_marked)
        io_warn(routine, "the dispatch routine marked the request pending and returned 0x%08X", (ULONG)returned);
    else if (returned != STATUS_PENDING && completed && returned != request->status.Status)
        io_warn(routine, "the dispatch routine returned 0x%08X, but completed the request with 0x%08X", (ULONG)returned,
                (ULONG)request->status.Status);
}

/*
 * The dispatch routine raised an exception, which nobody below has handled. A request that it has neither completed nor
 * marked pending is nobody's: it goes. One that it has marked may still be completed.
 */
static void lose(struct io_request *request)
{
    LONG sent = IO_SENT;
    struct io_irp *packet = io_irp_hold(request->irp, request);
    bool open =
        __atomic_compare_exchange_n(&request->state, &sent, IO_ABANDONED, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    if (open && packet && !(IoGetCurrentIrpStackLocation(&packet->irp)->Control & SL_PENDING_RETURNED)) {
        io_mdls_release(&packet->irp);
        IoFreeIrp(&packet->irp);
        io_request_release(request);
    }
    if (packet)
        io_irp_drop(packet);
    if (request->locked)
        io_file_unlock(request->file);
    if (!open)
        io_request_release(request); /* completion's reference */
    io_request_release(request);
}

NTSTATUS io_request_call(DEVICE_OBJECT *device, struct io_irp *packet, struct io_request *request)
{
    PKTHREAD self = ke_thread_current();
    const KPROCESSOR_MODE previous = self->PreviousMode;
    volatile NTSTATUS returned = STATUS_PENDING;
    struct io_balance before = io_balance_take();
    self->PreviousMode = request->mode;
    __atomic_store_n(&request->sent, true, __ATOMIC_RELEASE);
    __try {
        returned = IofCallDriver(device, &packet->irp);
    } __finally {
        self->PreviousMode = previous;
        if (AbnormalTermination())
            lose(request);
    }
    io_balance_check(&before, request->routine - 1);
    return returned;
}

/* The sender goes on without it, unless it is complete: false, and its completion's reference is the sender's. */
static bool abandon(struct io_request *request, bool waited)
{
    LONG state = waited ? IO_WAITED : IO_SENT;
    if (__atomic_compare_exchange_n(&request->state, &state, IO_ABANDONED, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return true;
    if (waited)
        wait_done(request, 0, FALSE); /* set already, or about to be by whoever has just completed it */
    return false;
}

void io_request_wait(struct io_request *request, NTSTATUS returned, IO_STATUS_BLOCK *result)
{
    bool waited = returned == STATUS_PENDING && begin_wait(request);
    if (waited)
        wait_pending(request);
    check_return(request, returned);
    if (abandon(request, waited)) {
        *result = (IO_STATUS_BLOCK){.Status = returned == STATUS_PENDING ? STATUS_IO_TIMEOUT : returned};
        return;
    }
    *result = request->status;
    io_request_release(request); /* not the last one: the sender has its own */
}

NTSTATUS io_request_send(DEVICE_OBJECT *device, struct io_irp *packet, KPROCESSOR_MODE mode, struct io_request **sent,
                         IO_STATUS_BLOCK *result)
{
    (*sent)->mode = mode;
    io_request_wait(*sent, io_request_call(device, packet, *sent), result);
    return result->Status;
}
