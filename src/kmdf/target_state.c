/*
 * target_state.c - whether a target takes requests and whether it delivers them: WdfIoTargetStart, ...Stop, ...Purge,
 * closing, and the wait for what has been sent.
 */
#include "kmdf_target.h"

/* Only an open target changes its state like that. */
static bool set_state(struct kmdf_target *target, WDF_IO_TARGET_STATE state)
{
    plat_lock_acquire(&target->lock);
    bool open = kmdf_target_is_open(target);
    if (open)
        target->state = state;
    plat_lock_release(&target->lock);
    return open;
}

/* Until the device has none of these, and their completion routines are back. */
static void wait_for(struct kmdf_target *target, enum kmdf_sent_kind kind)
{
    KeWaitForSingleObject(&target->idle[kind], Executive, KernelMode, FALSE, NULL);
    plat_lock_acquire(&target->lock); /* the one who set it has left */
    plat_lock_release(&target->lock);
}

void kmdf_target_close(struct kmdf_target *target, WDF_IO_TARGET_STATE state)
{
    if (state != WdfIoTargetClosedForQueryRemove)
        kmdf_target_unwatch(target);
    plat_lock_acquire(&target->lock);
    target->state = state;
    plat_lock_release(&target->lock);
    kmdf_target_cancel_waiting(target);
    kmdf_target_cancel_sent(target, true);
    for (int i = 0; i < KMDF_SENT_KINDS; i++)
        wait_for(target, i);
    plat_lock_acquire(&target->lock);
    DEVICE_OBJECT *wdm = target->wdm, *pdo = target->pdo;
    FILE_OBJECT *file = target->file;
    HANDLE handle = target->handle;
    target->wdm = target->pdo = NULL;
    target->file = NULL;
    target->handle = NULL;
    plat_lock_release(&target->lock);
    if (handle)
        ob_handle_close(handle, KernelMode);
    if (file)
        ob_dereference(file);
    if (pdo)
        ob_dereference(pdo);
    if (wdm)
        ob_dereference(wdm);
}

/* ---- for drivers ---- */

/* Delivers what waits and what comes. STATUS_INVALID_DEVICE_STATE: the target is not open, or its device is gone. IRQL
 * <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WdfIoTargetStart(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_target *target = KMDF_GET(target, IoTarget);
    if (!set_state(target, WdfIoTargetStarted))
        return STATUS_INVALID_DEVICE_STATE;
    kmdf_reference(&target->object, 0);
    while (kmdf_target_send_waiting(target))
        ;
    kmdf_dereference(&target->object);
    return STATUS_SUCCESS;
}

/*
 * Requests wait in the target from now on. Action: WdfIoTargetCancelSentIo cancels those that do and those the device
 * has, and waits for these; WdfIoTargetWaitForSentIoToComplete waits; WdfIoTargetLeaveSentIoPending does neither. What
 * was sent with WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE is left alone. A target that is not open stays as it is.
 * PASSIVE_LEVEL; IRQL <= DISPATCH_LEVEL to leave them pending.
 */
VOID NTAPI WdfIoTargetStop(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget, WDF_IO_TARGET_SENT_IO_ACTION Action)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_target *target = KMDF_GET(target, IoTarget);
    if (!set_state(target, WdfIoTargetStopped) || Action == WdfIoTargetLeaveSentIoPending)
        return;
    if (Action == WdfIoTargetCancelSentIo) {
        kmdf_target_cancel_waiting(target);
        kmdf_target_cancel_sent(target, false);
        wait_for(target, KMDF_NOT_SENT_YET);
    }
    wait_for(target, KMDF_SENT);
}

/*
 * The target takes no requests from now on; those that wait in it are cancelled, as is what the device has, which
 * WdfIoTargetPurgeIoAndWait also waits for. WdfIoTargetStart ends it. PASSIVE_LEVEL; IRQL <= DISPATCH_LEVEL with
 * WdfIoTargetPurgeIo.
 */
VOID NTAPI WdfIoTargetPurge(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                            WDF_IO_TARGET_PURGE_IO_ACTION Action)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_target *target = KMDF_GET(target, IoTarget);
    if (!set_state(target, WdfIoTargetPurged))
        return;
    kmdf_target_cancel_waiting(target);
    kmdf_target_cancel_sent(target, false);
    if (Action != WdfIoTargetPurgeIoAndWait)
        return;
    wait_for(target, KMDF_NOT_SENT_YET);
    wait_for(target, KMDF_SENT);
}
