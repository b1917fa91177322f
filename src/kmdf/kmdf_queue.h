/*
 * kmdf_queue.h - I/O queues. A queue takes requests in (kmdf_queue_insert), presents them to the driver by its dispatch
 * type (kmdf_queue_pump), and learns when the driver is done with one (kmdf_queue_withdraw, kmdf_queue_left).
 *
 *   queue.c           taking in, presenting
 *   queue_cancel.c    requests that are cancelled while they wait, or in numbers
 *   queue_state.c     stop, start, drain, purge, and who waits for that
 *   queue_retrieve.c  requests that the driver fetches
 *   queue_forward.c   requests that go to another queue or back
 *   queue_reserve.c   requests in reserve for when memory is short
 *   queue_power.c     what happens to a power-managed queue when its device leaves D0, or to any when it is removed
 *   queue_ddi.c       creation, dispatching
 *
 * A request with a queue waits in it, or is counted in owned and stands in presented. A waiting one has a cancel
 * routine; whoever takes that away (kmdf_irp_cancel) may take the request, whoever finds it gone leaves the
 * request to the canceller.
 */
#pragma once
#include "kmdf_device.h"

/* Somebody waits until nothing of the queue's is the driver's. */
struct kmdf_queue_wait {
    LIST_ENTRY link;
    bool empty;                      /* nothing may wait either */
    bool stopped;                    /* what the driver has stopped for the device's sake does not count */
    PFN_WDF_IO_QUEUE_STATE callback; /* null: event */
    WDFCONTEXT context;
    KEVENT event;
    struct kmdf_queue *queue;
    WORK_QUEUE_ITEM work;
};

struct kmdf_queue {
    struct kmdf_object object;
    struct kmdf_device *device;
    WDF_IO_QUEUE_CONFIG config;
    LIST_ENTRY link; /* of the device's queues; kmdf_lock */
    struct kmdf_sync own_sync;
    struct kmdf_sync *sync;       /* that its callbacks are under: its own, the device's, or null */
    bool passive;                 /* its callbacks run at PASSIVE_LEVEL */
    bool power_managed;           /* it presents requests only while the device is in D0 */
    struct kmdf_reserve *reserve; /* WdfIoQueueAssignForwardProgressPolicy, or null */
    WORK_QUEUE_ITEM work;         /* for what cannot be presented here and now */

    struct plat_lock lock; /* all below */
    LIST_ENTRY waiting;    /* struct kmdf_request.queue_link */
    ULONG waiting_count;
    LIST_ENTRY presented;  /* the driver's; struct kmdf_request.queue_link */
    ULONG owned;           /* presented and not yet completed, forwarded or requeued; or just being cancelled */
    bool accepts;          /* WdfIoQueueAcceptRequests */
    bool delivers;         /* WdfIoQueueDispatchRequests */
    bool purged;           /* what is put back into it is cancelled */
    bool held;             /* power-managed, and the device is not in D0 */
    bool shut;             /* the device is removed: no driver starts it again */
    ULONG acknowledged;    /* of owned: the driver has stopped them, WdfRequestStopAcknowledge */
    ULONG stop_round;      /* how often EvtIoStop has gone through them */
    bool worker;           /* work is on its way */
    LIST_ENTRY presenters; /* threads in kmdf_queue_pump */
    PFN_WDF_IO_QUEUE_STATE ready;
    WDFCONTEXT ready_context;
    LIST_ENTRY waits;              /* struct kmdf_queue_wait */
    struct kmdf_queue_wait called; /* the one wait that ends in EvtIoQueueState */
    bool called_used;
};
extern const struct kmdf_type kmdf_queue_type;

/* The queue that takes requests of this IRP_MJ_ on device, or null. */
struct kmdf_queue *kmdf_queue_for(struct kmdf_device *device, UCHAR major);
/* Puts a request, which keeps the queue alive from now on, at the end and presents what may be presented.
 * STATUS_WDF_BUSY: the queue takes none now. */
NTSTATUS kmdf_queue_insert(struct kmdf_queue *queue, struct kmdf_request *request);
/* The same at either end, of a queue that takes none as well if always is said. */
NTSTATUS kmdf_queue_put(struct kmdf_queue *queue, struct kmdf_request *request, bool head, bool always);
/* Presents requests for as long as dispatch type, state and callbacks allow; in a worker if not here. The caller has a
 * reference. */
void kmdf_queue_pump(struct kmdf_queue *queue);
/* The same, and EvtIoQueueState of WdfIoQueueReadyNotify if requests wait. */
void kmdf_queue_wake(struct kmdf_queue *queue);

/* Takes a waiting request out for the driver; false: it is being cancelled. The lock is held. */
bool kmdf_queue_take(struct kmdf_queue *queue, struct kmdf_request *request);
/* A request of the driver's is about to be completed or to go elsewhere: nobody finds it in presented any more. */
void kmdf_queue_withdraw(struct kmdf_queue *queue, struct kmdf_request *request);
/* It has, and its reference to the queue goes. */
void kmdf_queue_left(struct kmdf_queue *queue);

/* Whether the queue presents requests now. The lock is held. */
static inline bool kmdf_queue_delivers(const struct kmdf_queue *queue)
{
    return queue->delivers && !queue->held;
}

/* Callbacks of the queue can be called by this thread, at this IRQL. */
bool kmdf_queue_callable(const struct kmdf_queue *queue);

/* ---- queue_cancel.c ---- */

/* Of each waiting request. */
VOID NTAPI kmdf_queue_cancel_routine(PDEVICE_OBJECT Device, PIRP Irp);
/* Takes a waiting request out for being cancelled; kmdf_queue_cancel_finish follows. The lock is held. */
void kmdf_queue_cancel_begin(struct kmdf_queue *queue, struct kmdf_request *request);
/* Completes it, or gives it to EvtIoCanceledOnQueue. */
void kmdf_queue_cancel_finish(struct kmdf_request *request);
/* Cancels the waiting requests of file; null: all. */
void kmdf_queue_cancel_waiting(struct kmdf_queue *queue, const struct kmdf_file *file);
/* Cancels those of the driver's that it has made cancelable. */
void kmdf_queue_cancel_presented(struct kmdf_queue *queue);
/* The queue after queue on the device's list, with a reference; queue's goes. Null: the first, or no more. */
struct kmdf_queue *kmdf_device_next_queue(struct kmdf_device *device, struct kmdf_queue *queue);
/* An open of the device is closed: what waits for it in any queue is cancelled. */
void kmdf_device_cancel_file(struct kmdf_device *device, const struct kmdf_file *file);

/* ---- queue_reserve.c ---- */

/* A request for irp: a new one, or one that queue (null: there is none) has in reserve. STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS kmdf_request_receive(struct kmdf_device *device, IRP *irp, struct kmdf_queue *queue,
                              struct kmdf_request **request);
/* A request of the reserve is completed: its IRP's end, and it goes back. */
void kmdf_reserve_end(struct kmdf_request *request);
/* The queue is being deleted: so are the requests it has in reserve, later those that are in use. */
void kmdf_reserve_close(struct kmdf_queue *queue);
void kmdf_reserve_free(struct kmdf_queue *queue);

/* ---- queue_state.c ---- */

/* Something has left: tells those who wait for it. */
void kmdf_queue_state_check(struct kmdf_queue *queue);
/* Waits until the driver has none but those it has stopped. PASSIVE_LEVEL. */
void kmdf_queue_wait_stopped(struct kmdf_queue *queue);
/* The queue takes no more requests, ever, and cancels those it has. */
void kmdf_queue_shut(struct kmdf_queue *queue);

/* ---- queue_forward.c ---- */

/* Puts a request of the driver's back to the head of its queue. */
NTSTATUS kmdf_queue_requeue(struct kmdf_request *request);
