/*
 * request_send.c - requests on their way to an I/O target: what is checked, what is forgotten, who waits.
 */
#include "kmdf_target.h"

enum { ALL_OPTIONS = 15 };

/* Nothing of it comes back: the framework's request ends here, and the IRP goes on as it came, or as it was formatted.
 * Without a location left for a copy of its own the next driver gets the same one. */
static void forget(struct kmdf_request *request, DEVICE_OBJECT *wdm)
{
    IRP *irp = request->irp;
    if (!request->send.formatted && irp->CurrentLocation > 1) {
        IO_STACK_LOCATION *next = IoGetNextIrpStackLocation(irp);
        *next = *IoGetCurrentIrpStackLocation(irp);
        next->CompletionRoutine = NULL;
        next->Control = 0;
    } else if (!request->send.formatted) {
        irp->CurrentLocation++;
        irp->Tail.Overlay.CurrentStackLocation++;
    }
    request->send.passed_to = wdm;
    kmdf_request_end(request);
}

static NTSTATUS check_forget(const struct kmdf_request *request, const struct kmdf_target *target)
{
    bool file = target->file && target->kind == KMDF_TARGET_REMOTE;
    if (request->origin != KMDF_REQUEST_RECEIVED || file || request->send.replaces ||
        (request->create && request->file))
        return STATUS_INVALID_DEVICE_REQUEST;
    return STATUS_SUCCESS;
}

/* What can be known before the request is sent. */
static NTSTATUS check(const struct kmdf_request *request, const struct kmdf_target *target,
                      const WDF_REQUEST_SEND_OPTIONS *options, ULONG flags)
{
    if (options && options->Size != sizeof(*options))
        return STATUS_INFO_LENGTH_MISMATCH;
    if ((flags & ~(ULONG)ALL_OPTIONS) ||
        ((flags & WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET) && flags != WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET))
        return STATUS_INVALID_PARAMETER;
    if (request->object.state != KMDF_ALIVE || !request->irp ||
        ((flags & WDF_REQUEST_SEND_OPTION_SYNCHRONOUS) && KeGetCurrentIrql() > PASSIVE_LEVEL))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (flags & WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET)
        return check_forget(request, target);
    return request->send.formatted ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST;
}

/* The device, referenced, and enough stack locations for it: own more than it needs, unless the sender's can be given
 * away. */
static NTSTATUS check_locations(const struct kmdf_request *request, struct kmdf_target *target, bool own,
                                DEVICE_OBJECT **wdm)
{
    plat_lock_acquire(&target->lock);
    *wdm = target->wdm;
    if (*wdm)
        ob_reference(*wdm);
    plat_lock_release(&target->lock);
    if (!*wdm)
        return STATUS_INVALID_DEVICE_STATE;
    CCHAR needed = (*wdm)->StackSize;
    if (request->irp->CurrentLocation > needed || (!own && request->irp->CurrentLocation == needed))
        return STATUS_SUCCESS;
    ob_dereference(*wdm);
    return STATUS_REQUEST_NOT_ACCEPTED;
}

static NTSTATUS send_checked(struct kmdf_request *request, struct kmdf_target *target, ULONG flags,
                             const LONGLONG *timeout)
{
    KEVENT done;
    DEVICE_OBJECT *wdm;
    bool own = !(flags & WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET) || request->send.formatted,
         wait = flags & WDF_REQUEST_SEND_OPTION_SYNCHRONOUS;
    NTSTATUS status = check_locations(request, target, own, &wdm);
    if (!NT_SUCCESS(status))
        return status;
    if (flags & WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET) {
        forget(request, wdm);
        return STATUS_SUCCESS;
    }
    ob_dereference(wdm);
    bool timer = timeout && !wait;
    if (timer && !NT_SUCCESS(status = kmdf_request_timer_make(request)))
        return status;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    request->send.done = wait ? &done : NULL;
    if (!kmdf_target_take(request, target, flags & WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE, timer ? timeout : NULL))
        return STATUS_INVALID_DEVICE_STATE;
    if (wait)
        kmdf_sent_wait(request, target, &done, timeout);
    return STATUS_SUCCESS;
}

bool kmdf_request_send(struct kmdf_request *request, struct kmdf_target *target,
                       const WDF_REQUEST_SEND_OPTIONS *options, const char *function, NTSTATUS *result)
{
    enum kmdf_request_state owned = KMDF_REQUEST_OWNED;
    bool sized = options && options->Size == sizeof(*options);
    ULONG flags = sized ? options->Flags : 0;
    const LONGLONG *timeout = (flags & WDF_REQUEST_SEND_OPTION_TIMEOUT) && options->Timeout ? &options->Timeout : NULL;
    if (kmdf_cancel_state_of(request) == KMDF_CANCELABLE)
        kmdf_request_misused(request, STATUS_SUCCESS, function,
                             "which is cancelable: WdfRequestUnmarkCancelable comes first");
    if (!__atomic_compare_exchange_n(&request->state, &owned, KMDF_REQUEST_SENT, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        kmdf_violation(KMDF_REQUEST_FATAL, 3, (ULONG_PTR)request->object.handle, 0,
                       "%s was called for the request 0x%llx, %s", function, (ULONG64)(ULONG_PTR)request->object.handle,
                       owned == KMDF_REQUEST_SENT ? "which an I/O target has" : "which is not the driver's now");
    kmdf_reference(&target->object, 0);
    NTSTATUS status = check(request, target, options, flags);
    if (NT_SUCCESS(status))
        status = send_checked(request, target, flags, timeout);
    kmdf_dereference(&target->object);
    *result = status;
    if (NT_SUCCESS(status))
        return true;
    request->status = status;
    request->has_status = true;
    __atomic_store_n(&request->state, KMDF_REQUEST_OWNED, __ATOMIC_RELEASE);
    return false;
}
