/*
 * request_sent.c - requests that an I/O target has: how they come back, by themselves, cancelled, or when their time is
 * over.
 *
 * A sent request is held by the device (or the target it waits in), by its timer, and by threads that cancel it, so
 * that the IRP is there as long as one of them may touch it; whoever lets go last gives the request back to the driver.
 */
#include "kmdf_target.h"

/* ---- coming back ---- */

/* Who deletes the request may go on. */
static void tell_gone(struct kmdf_request *request)
{
    plat_lock_acquire(&kmdf_lock);
    if (request->send.gone)
        KeSetEvent(request->send.gone, IO_NO_INCREMENT, FALSE);
    plat_lock_release(&kmdf_lock);
}

static void note_result(struct kmdf_request *request)
{
    IRP *irp = request->irp;
    if (request->send.timed_out && irp->IoStatus.Status == STATUS_CANCELLED)
        irp->IoStatus.Status = STATUS_IO_TIMEOUT;
    kmdf_format_undo(request);
    request->status = irp->IoStatus.Status;
    request->information = irp->IoStatus.Information;
    request->has_status = true;
}

/* The driver gets the request back, and may send, complete or delete it at once: what is needed later is noted first.
 * A synchronous sender's event is set under the target's lock, since it stands on that thread's stack. */
static void give_back(struct kmdf_request *request)
{
    struct kmdf_send *send = &request->send;
    struct kmdf_client *client = request->object.client;
    struct kmdf_target *target = send->target;
    enum kmdf_sent_kind kind = send->kind;
    kmdf_busy(client);
    note_result(request);
    PFN_WDF_REQUEST_COMPLETION_ROUTINE routine = send->routine;
    WDFCONTEXT context = send->context;
    WDF_REQUEST_COMPLETION_PARAMS params = send->params;
    KEVENT *done = send->done;
    WDFREQUEST handle = KMDF_HANDLE(WDFREQUEST, request);
    plat_lock_acquire(&target->lock);
    RemoveEntryList(&send->link);
    send->routine = NULL;
    send->done = NULL;
    __atomic_store_n(&request->state, KMDF_REQUEST_OWNED, __ATOMIC_RELEASE);
    if (done)
        KeSetEvent(done, IO_NO_INCREMENT, FALSE);
    plat_lock_release(&target->lock);
    if (routine && !done)
        kmdf_call((ULONG_PTR)routine, (ULONG_PTR)handle, (ULONG_PTR)target->object.handle, (ULONG_PTR)&params,
                  (ULONG_PTR)context, 0);
    plat_lock_acquire(&target->lock);
    kmdf_target_count_down(target, kind);
    plat_lock_release(&target->lock);
    tell_gone(request);
    kmdf_dereference(&request->object);
    kmdf_dereference(&target->object);
    kmdf_busy_end(client);
}

bool kmdf_sent_hold(struct kmdf_send *send)
{
    LONG holds = __atomic_load_n(&send->holds, __ATOMIC_RELAXED);
    while (holds &&
           !__atomic_compare_exchange_n(&send->holds, &holds, holds + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        ;
    return holds != 0;
}

void kmdf_sent_let_go(struct kmdf_request *request)
{
    if (!__atomic_sub_fetch(&request->send.holds, 1, __ATOMIC_ACQ_REL))
        give_back(request);
}

/* A timer that can still be stopped lets go, too. */
void kmdf_sent_back(struct kmdf_request *request)
{
    if (request->send.timer_set && KeCancelTimer(&request->timer->timer))
        kmdf_sent_let_go(request);
    kmdf_sent_let_go(request);
}

void kmdf_sent_back_cancelled(struct kmdf_request *request)
{
    request->irp->IoStatus.Status = STATUS_CANCELLED;
    request->irp->IoStatus.Information = 0;
    kmdf_sent_back(request);
}

/* ---- cancelling ---- */

bool kmdf_request_cancel_sent(struct kmdf_request *request)
{
    if (!kmdf_sent_hold(&request->send))
        return false;
    bool cancelled = IoCancelIrp(request->irp);
    kmdf_sent_let_go(request);
    return cancelled;
}

void kmdf_request_call_back(struct kmdf_request *request)
{
    KEVENT gone;
    while (__atomic_load_n(&request->state, __ATOMIC_ACQUIRE) == KMDF_REQUEST_SENT) {
        if (KeGetCurrentIrql() > PASSIVE_LEVEL)
            kmdf_violation(KMDF_REQUEST_FATAL, 3, (ULONG_PTR)request->object.handle, 0,
                           "the parent of the request 0x%llx is deleted, and an I/O target has the request",
                           (ULONG64)(ULONG_PTR)request->object.handle);
        KeInitializeEvent(&gone, NotificationEvent, FALSE);
        plat_lock_acquire(&kmdf_lock);
        request->send.gone = &gone;
        plat_lock_release(&kmdf_lock);
        kmdf_request_cancel_sent(request);
        if (__atomic_load_n(&request->state, __ATOMIC_ACQUIRE) == KMDF_REQUEST_SENT)
            KeWaitForSingleObject(&gone, Executive, KernelMode, FALSE, NULL);
        plat_lock_acquire(&kmdf_lock);
        request->send.gone = NULL;
        plat_lock_release(&kmdf_lock);
    }
}

/* ---- time-outs ---- */

/* The timer's hold keeps the IRP until here. */
static VOID NTAPI timed_out(PKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    struct kmdf_request *request = context;
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    request->send.timed_out = true;
    IoCancelIrp(request->irp);
    kmdf_sent_let_go(request);
}

NTSTATUS kmdf_request_timer_make(struct kmdf_request *request)
{
    if (request->timer)
        return STATUS_SUCCESS;
    struct kmdf_request_timer *timer = mm_heap_allocate(sizeof(*timer), KMDF_TAG);
    if (!timer)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeTimer(&timer->timer);
    KeInitializeDpc(&timer->dpc, timed_out, request);
    request->timer = timer;
    return STATUS_SUCCESS;
}

void kmdf_sent_wait(struct kmdf_request *request, struct kmdf_target *target, KEVENT *done, const LONGLONG *timeout)
{
    LARGE_INTEGER due = {.QuadPart = timeout ? *timeout : 0};
    if (KeWaitForSingleObject(done, Executive, KernelMode, FALSE, timeout ? &due : NULL) == STATUS_TIMEOUT) {
        if (kmdf_sent_hold(&request->send)) {
            request->send.timed_out = true;
            IoCancelIrp(request->irp);
            kmdf_sent_let_go(request);
        }
        KeWaitForSingleObject(done, Executive, KernelMode, FALSE, NULL);
    }
    plat_lock_acquire(&target->lock); /* the one who set it has left */
    plat_lock_release(&target->lock);
}
