/*
 * queue_state.c - whether a queue takes requests and whether it presents them: WdfIoQueueStart, ...Stop, ...Drain,
 * ...Purge, and those who wait until the driver has no request of the queue's any more.
 */
#include "kmdf_queue.h"

/* ---- waiting ---- */

static VOID NTAPI call_state(PVOID parameter)
{
    struct kmdf_queue_wait *wait = parameter;
    struct kmdf_queue *queue = wait->queue;
    struct kmdf_client *client = queue->object.client;
    PFN_WDF_IO_QUEUE_STATE callback = wait->callback;
    WDFCONTEXT context = wait->context;
    plat_lock_acquire(&queue->lock);
    queue->called_used = false;
    plat_lock_release(&queue->lock);
    KMDF_CALL2(callback, queue->object.handle, context);
    kmdf_dereference(&queue->object);
    kmdf_busy_end(client);
}

/* The next wait that is over, taken off; null: none. An event is set under the lock: the waiter's stack goes after. */
static struct kmdf_queue_wait *next_over(struct kmdf_queue *queue)
{
    struct kmdf_queue_wait *over = NULL;
    plat_lock_acquire(&queue->lock);
    for (LIST_ENTRY *entry = queue->waits.Flink, *after; entry != &queue->waits && !over; entry = after) {
        struct kmdf_queue_wait *wait = CONTAINING_RECORD(entry, struct kmdf_queue_wait, link);
        after = entry->Flink;
        ULONG owned = queue->owned - (wait->stopped ? queue->acknowledged : 0);
        if (owned || (wait->empty && queue->waiting_count))
            continue;
        RemoveEntryList(&wait->link);
        if (wait->callback)
            over = wait;
        else
            KeSetEvent(&wait->event, IO_NO_INCREMENT, FALSE);
    }
    plat_lock_release(&queue->lock);
    return over;
}

void kmdf_queue_state_check(struct kmdf_queue *queue)
{
    struct kmdf_queue_wait *wait;
    while ((wait = next_over(queue))) {
        if (queue->passive && KeGetCurrentIrql() > PASSIVE_LEVEL)
            ExQueueWorkItem(&wait->work, DelayedWorkQueue);
        else
            call_state(wait);
    }
}

/* Has callback called once; null: nobody wants to know. */
static void notify(struct kmdf_queue *queue, bool empty, PFN_WDF_IO_QUEUE_STATE callback, WDFCONTEXT context,
                   const char *function)
{
    struct kmdf_queue_wait *wait = &queue->called;
    if (!callback)
        return;
    kmdf_busy(queue->object.client);
    kmdf_reference(&queue->object, 0);
    plat_lock_acquire(&queue->lock);
    bool used = queue->called_used;
    if (!used) {
        *wait = (struct kmdf_queue_wait){.empty = empty, .callback = callback, .context = context, .queue = queue};
        wait->work = (WORK_QUEUE_ITEM){.WorkerRoutine = call_state, .Parameter = wait};
        queue->called_used = true;
        InsertTailList(&queue->waits, &wait->link);
    }
    plat_lock_release(&queue->lock);
    if (used)
        kmdf_violation(KMDF_QUEUE_FATAL, 0, 0, 0,
                       "%s was called for the queue 0x%llx, whose last change of state has not ended", function,
                       (ULONG64)(ULONG_PTR)queue->object.handle);
    kmdf_queue_state_check(queue);
}

static void wait_until(struct kmdf_queue *queue, bool empty, bool stopped)
{
    struct kmdf_queue_wait wait = {.empty = empty, .stopped = stopped};
    KeInitializeEvent(&wait.event, NotificationEvent, FALSE);
    plat_lock_acquire(&queue->lock);
    InsertTailList(&queue->waits, &wait.link);
    plat_lock_release(&queue->lock);
    kmdf_queue_state_check(queue);
    KeWaitForSingleObject(&wait.event, Executive, KernelMode, FALSE, NULL);
    plat_lock_acquire(&queue->lock); /* the one who set it has left */
    plat_lock_release(&queue->lock);
}

static void wait_for(struct kmdf_queue *queue, bool empty)
{
    wait_until(queue, empty, false);
}

void kmdf_queue_wait_stopped(struct kmdf_queue *queue)
{
    wait_until(queue, false, true);
}

/* ---- changing ---- */

static void set_state(struct kmdf_queue *queue, bool accepts, bool delivers, bool purged)
{
    plat_lock_acquire(&queue->lock);
    if (!queue->shut) {
        queue->accepts = accepts;
        queue->delivers = delivers;
        queue->purged = purged;
    }
    plat_lock_release(&queue->lock);
}

void kmdf_queue_shut(struct kmdf_queue *queue)
{
    set_state(queue, false, false, true);
    plat_lock_acquire(&queue->lock);
    queue->shut = true;
    plat_lock_release(&queue->lock);
    kmdf_queue_cancel_waiting(queue, NULL);
    kmdf_queue_cancel_presented(queue);
}

static void purge(struct kmdf_queue *queue, bool stop)
{
    set_state(queue, stop, !stop && queue->delivers, !stop);
    kmdf_queue_cancel_waiting(queue, NULL);
    kmdf_queue_cancel_presented(queue);
}

/* ---- for drivers ---- */

/* The queue takes requests and presents them. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfIoQueueStart(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    set_state(queue, true, true, false);
    kmdf_queue_wake(queue);
}

/* The queue takes requests and presents none. StopComplete (may be null) is called once the driver has none any more.
 * A second callback while one is due is WDF_VIOLATION (0xA), here and below. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfIoQueueStop(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE StopComplete,
                          WDFCONTEXT Context)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    set_state(queue, true, false, false);
    notify(queue, false, StopComplete, Context, __func__);
}

/* The same, and waits until the driver has none. Not from a callback that has one of the queue's. PASSIVE_LEVEL. */
VOID NTAPI WdfIoQueueStopSynchronously(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    set_state(queue, true, false, false);
    wait_for(queue, false);
}

/* The queue takes no more requests, and presents those that wait. New ones are completed with
 * STATUS_INVALID_DEVICE_STATE. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfIoQueueDrain(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE DrainComplete,
                           WDFCONTEXT Context)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    set_state(queue, false, queue->delivers, queue->purged);
    notify(queue, true, DrainComplete, Context, __func__);
}

VOID NTAPI WdfIoQueueDrainSynchronously(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    set_state(queue, false, queue->delivers, queue->purged);
    wait_for(queue, true);
}

/* The queue takes no more requests; those that wait are cancelled, as are the driver's that it has made cancelable.
 * IRQL
 * <= DISPATCH_LEVEL. */
VOID NTAPI WdfIoQueuePurge(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE PurgeComplete,
                           WDFCONTEXT Context)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    purge(queue, false);
    notify(queue, true, PurgeComplete, Context, __func__);
}

VOID NTAPI WdfIoQueuePurgeSynchronously(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    purge(queue, false);
    wait_for(queue, true);
}

/* The queue takes requests and presents none; those it has are cancelled. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfIoQueueStopAndPurge(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue,
                                  PFN_WDF_IO_QUEUE_STATE StopAndPurgeComplete, WDFCONTEXT Context)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    purge(queue, true);
    notify(queue, false, StopAndPurgeComplete, Context, __func__);
}

VOID NTAPI WdfIoQueueStopAndPurgeSynchronously(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    purge(queue, true);
    wait_for(queue, false);
}

/* What the queue does now, and how many requests wait in it and are the driver's (either pointer may be null). IRQL <=
 * DISPATCH_LEVEL. */
WDF_IO_QUEUE_STATE NTAPI WdfIoQueueGetState(PWDF_DRIVER_GLOBALS DriverGlobals, WDFQUEUE Queue, PULONG QueueRequests,
                                            PULONG DriverRequests)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(queue, Queue);
    plat_lock_acquire(&queue->lock);
    ULONG waiting = queue->waiting_count, owned = queue->owned;
    ULONG state = (queue->accepts ? WdfIoQueueAcceptRequests : 0) | (queue->delivers ? WdfIoQueueDispatchRequests : 0) |
                  (waiting ? 0 : WdfIoQueueNoRequests) | (owned ? 0 : WdfIoQueueDriverNoRequests) |
                  (queue->held ? WdfIoQueuePnpHeld : 0);
    plat_lock_release(&queue->lock);
    if (QueueRequests)
        *QueueRequests = waiting;
    if (DriverRequests)
        *DriverRequests = owned;
    return (WDF_IO_QUEUE_STATE)state;
}
