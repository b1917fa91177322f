/*
 * target_removal.c - remote I/O targets whose device is about to go: the driver's query-remove callbacks, and what the
 * framework does where there is none.
 */
#include "kmdf_target.h"
#include "wdk/pnp.h"

/* Public constants of wdmguid.h: they differ in the first number only. */
#define EVENT_GUID(number) {number, 0x46f0, 0x11d0, {0xb0, 0x8f, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3f}}
static const GUID query_remove = EVENT_GUID(0xcb3a4006), remove_cancelled = EVENT_GUID(0xcb3a4007),
                  remove_complete = EVENT_GUID(0xcb3a4008);

static bool is(const GUID *event, const GUID *which)
{
    return __builtin_memcmp(event, which, sizeof(*event)) == 0;
}

static NTSTATUS tell(struct kmdf_target *target, const GUID *event)
{
    const WDF_IO_TARGET_OPEN_PARAMS callbacks = target->opened;
    if (is(event, &query_remove)) {
        NTSTATUS status = STATUS_SUCCESS;
        if (callbacks.EvtIoTargetQueryRemove)
            status = (NTSTATUS)KMDF_CALL1(callbacks.EvtIoTargetQueryRemove, target->object.handle);
        else
            kmdf_target_close(target, WdfIoTargetClosedForQueryRemove);
        target->agreed = NT_SUCCESS(status);
        return status;
    }
    if (is(event, &remove_cancelled) && target->agreed) { /* once, though reopening registers anew */
        target->agreed = false;
        if (callbacks.EvtIoTargetRemoveCanceled)
            KMDF_CALL1(callbacks.EvtIoTargetRemoveCanceled, target->object.handle);
        else if (target->state == WdfIoTargetClosedForQueryRemove)
            kmdf_target_reopen(target);
    } else if (is(event, &remove_complete)) {
        if (callbacks.EvtIoTargetRemoveComplete)
            KMDF_CALL1(callbacks.EvtIoTargetRemoveComplete, target->object.handle);
        else
            kmdf_target_close(target, WdfIoTargetDeleted);
    }
    return STATUS_SUCCESS;
}

/* Closing the target for good ends the registration, also from here. */
static NTSTATUS NTAPI notified(PVOID structure, PVOID context)
{
    const PLUGPLAY_NOTIFICATION_HEADER *header = structure;
    struct kmdf_target *target = context;
    struct kmdf_client *client = target->object.client;
    kmdf_busy(client);
    kmdf_reference(&target->object, 0);
    NTSTATUS status = tell(target, &header->Event);
    kmdf_dereference(&target->object);
    kmdf_busy_end(client);
    return status;
}

/* One that is none of plug and play is not removed. */
NTSTATUS kmdf_target_watch(struct kmdf_target *target)
{
    kmdf_target_unwatch(target);
    if (!target->pdo)
        return STATUS_SUCCESS;
    return IoRegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, target->file,
                                          target->object.client->driver_object, notified, target, &target->watch);
}

void kmdf_target_unwatch(struct kmdf_target *target)
{
    PVOID watch = __atomic_exchange_n(&target->watch, NULL, __ATOMIC_ACQ_REL);
    if (watch)
        IoUnregisterPlugPlayNotificationEx(watch);
}
