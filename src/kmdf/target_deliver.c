/*
 * target_deliver.c - what happens to requests in a target: they wait while it is stopped, are delivered to its device,
 * and are cancelled.
 *
 * The IRP goes down with a completion routine of ours, which keeps it.
 */
#include "kmdf_target.h"

void kmdf_target_count_down(struct kmdf_target *target, enum kmdf_sent_kind kind)
{
    if (!--target->count[kind])
        KeSetEvent(&target->idle[kind], IO_NO_INCREMENT, FALSE);
}

static void count_up(struct kmdf_target *target, enum kmdf_sent_kind kind)
{
    if (!target->count[kind]++)
        KeClearEvent(&target->idle[kind]);
}

/* ---- delivering ---- */

static NTSTATUS NTAPI completed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    kmdf_sent_back(Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void deliver(struct kmdf_request *request, DEVICE_OBJECT *wdm)
{
    IRP *irp = request->irp;
    IO_STACK_LOCATION *next = IoGetNextIrpStackLocation(irp);
    next->CompletionRoutine = completed;
    next->Context = request;
    next->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    IofCallDriver(wdm, irp);
    ob_dereference(wdm);
}

/* It is to be delivered. The target's lock is held; the device gets a reference. */
static DEVICE_OBJECT *begin_delivery(struct kmdf_target *target, struct kmdf_request *request, enum kmdf_sent_kind kind)
{
    InsertTailList(&target->sent, &request->send.link);
    request->send.kind = kind;
    count_up(target, kind);
    if (target->file)
        IoGetNextIrpStackLocation(request->irp)->FileObject = target->file;
    ob_reference(target->wdm);
    return target->wdm;
}

/* ---- waiting ---- */

/* The sender of a waiting request, or who cancels it, has taken its cancel routine away. */
static VOID NTAPI cancel_waiting(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    struct kmdf_request *request = (struct kmdf_request *)kmdf_handle_find(Irp->Tail.Overlay.DriverContext[3]);
    struct kmdf_target *target = request->send.target;
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    plat_lock_acquire(&target->lock);
    RemoveEntryList(&request->send.link);
    InitializeListHead(&request->send.link);
    plat_lock_release(&target->lock);
    kmdf_sent_back_cancelled(request);
}

/* The first that waits and nobody cancels, taken out; null: there is none. The lock is held. */
static struct kmdf_request *take_waiting(struct kmdf_target *target)
{
    for (LIST_ENTRY *entry = target->waiting.Flink; entry != &target->waiting; entry = entry->Flink) {
        struct kmdf_request *request = CONTAINING_RECORD(entry, struct kmdf_request, send.link);
        if (!kmdf_irp_cancel(request->irp, NULL))
            continue;
        RemoveEntryList(&request->send.link);
        InitializeListHead(&request->send.link);
        return request;
    }
    return NULL;
}

bool kmdf_target_send_waiting(struct kmdf_target *target)
{
    DEVICE_OBJECT *wdm = NULL;
    plat_lock_acquire(&target->lock);
    struct kmdf_request *request = target->state == WdfIoTargetStarted ? take_waiting(target) : NULL;
    if (request) {
        wdm = begin_delivery(target, request, KMDF_SENT);
        kmdf_target_count_down(target, KMDF_NOT_SENT_YET);
    }
    plat_lock_release(&target->lock);
    if (request)
        deliver(request, wdm);
    return request != NULL;
}

void kmdf_target_cancel_waiting(struct kmdf_target *target)
{
    for (;;) {
        plat_lock_acquire(&target->lock);
        struct kmdf_request *request = take_waiting(target);
        plat_lock_release(&target->lock);
        if (!request)
            return;
        kmdf_sent_back_cancelled(request);
    }
}

/* Among those that wait, to be cancelled from now on. True: it was cancelled before. The lock is held. */
static bool wait_in(struct kmdf_target *target, struct kmdf_request *request)
{
    IRP *irp = request->irp;
    InsertTailList(&target->waiting, &request->send.link);
    request->send.kind = KMDF_NOT_SENT_YET;
    count_up(target, KMDF_NOT_SENT_YET);
    irp->Tail.Overlay.DriverContext[3] = request->object.handle;
    kmdf_irp_cancel(irp, cancel_waiting);
    bool cancelled = kmdf_irp_is_cancelled(irp) && kmdf_irp_cancel(irp, NULL);
    if (cancelled) {
        RemoveEntryList(&request->send.link);
        InitializeListHead(&request->send.link);
    }
    return cancelled;
}

/* Whether the target takes one now. The lock is held. */
static bool admits(const struct kmdf_target *target, bool anyway)
{
    return kmdf_target_is_open(target) && (anyway || target->state != WdfIoTargetPurged);
}

/* The timer has a hold of its own. The target's lock is held. */
static void prepare(struct kmdf_request *request, struct kmdf_target *target, const LONGLONG *timeout)
{
    struct kmdf_send *send = &request->send;
    send->target = target;
    send->round = target->round;
    send->timed_out = false;
    send->timer_set = timeout != NULL;
    __atomic_store_n(&send->holds, timeout ? 2 : 1, __ATOMIC_RELEASE);
    if (timeout)
        KeSetTimer(&request->timer->timer, (LARGE_INTEGER){.QuadPart = *timeout}, &request->timer->dpc);
}

bool kmdf_target_take(struct kmdf_request *request, struct kmdf_target *target, bool anyway, const LONGLONG *timeout)
{
    DEVICE_OBJECT *wdm = NULL;
    bool cancelled = false;
    kmdf_reference(&request->object, 0);
    kmdf_reference(&target->object, 0);
    plat_lock_acquire(&target->lock);
    bool admitted = admits(target, anyway);
    if (admitted) {
        kmdf_format_apply(request);
        prepare(request, target, timeout);
        if (anyway || target->state == WdfIoTargetStarted)
            wdm = begin_delivery(target, request, anyway ? KMDF_SENT_ANYWAY : KMDF_SENT);
        else
            cancelled = wait_in(target, request);
    }
    plat_lock_release(&target->lock);
    if (!admitted) {
        kmdf_dereference(&target->object);
        kmdf_dereference(&request->object);
    }
    if (cancelled)
        kmdf_sent_back_cancelled(request);
    else if (wdm)
        deliver(request, wdm);
    return admitted;
}

/* ---- cancelling what the device has ---- */

/* The next that this round has not seen, held; null: no more. */
static struct kmdf_request *next_sent(struct kmdf_target *target, ULONG round, bool anyway)
{
    struct kmdf_request *found = NULL;
    plat_lock_acquire(&target->lock);
    for (LIST_ENTRY *entry = target->sent.Flink; entry != &target->sent && !found; entry = entry->Flink) {
        struct kmdf_request *request = CONTAINING_RECORD(entry, struct kmdf_request, send.link);
        if (request->send.round == round || (request->send.kind == KMDF_SENT_ANYWAY && !anyway))
            continue;
        request->send.round = round;
        if (kmdf_sent_hold(&request->send))
            found = request;
    }
    plat_lock_release(&target->lock);
    return found;
}

void kmdf_target_cancel_sent(struct kmdf_target *target, bool anyway)
{
    struct kmdf_request *request;
    ULONG round = __atomic_add_fetch(&target->round, 1, __ATOMIC_RELAXED);
    while ((request = next_sent(target, round, anyway))) {
        IoCancelIrp(request->irp);
        kmdf_sent_let_go(request);
    }
}
