/*
 * kmdf_request.h - requests: a framework object around an IRP that came in, or that the driver makes for others.
 *
 * A request belongs to the framework (KMDF_REQUEST_NEW, _QUEUED), to the driver (_OWNED) or to an I/O target (_SENT);
 * kmdf_request_complete ends one that came in: its children and the request itself are disposed (locked buffers go
 * here: make them children of the request, with the undoing in their type's cleanup), then the IRP is completed, then
 * the handle dies with its last reference. A request that the driver has made ends with WdfObjectDelete or its parent;
 * it has no device, and perhaps no IRP.
 */
#pragma once
#include "kmdf_device.h"

struct kmdf_memory;
struct kmdf_target;

enum kmdf_request_state {
    KMDF_REQUEST_NEW,
    KMDF_REQUEST_QUEUED,
    KMDF_REQUEST_CANCELLING, /* taken out of its queue for that */
    KMDF_REQUEST_OWNED,
    KMDF_REQUEST_SENT,
    KMDF_REQUEST_COMPLETED
};

enum kmdf_request_origin {
    KMDF_REQUEST_RECEIVED,
    KMDF_REQUEST_CREATED, /* WdfRequestCreate: the IRP is the framework's */
    KMDF_REQUEST_OF_IRP   /* WdfRequestCreateFromIrp */
};

/* WdfRequestMarkCancelable; the IRP's cancel routine decides who may change it. */
enum kmdf_cancel_state { KMDF_NOT_CANCELABLE, KMDF_CANCELABLE, KMDF_CANCELLED };

/* Stop and purge leave requests alone that were sent whatever the target's state; closing does not. */
enum kmdf_sent_kind { KMDF_SENT, KMDF_SENT_ANYWAY, KMDF_NOT_SENT_YET, KMDF_SENT_KINDS };

/* The fields of an IRP that buffers are in. */
struct kmdf_irp_buffers {
    PVOID system, user;
    MDL *mdl;
};

/* Holds a KTIMER: a request's that was sent with a time-out once, or that asked for it. */
struct kmdf_request_timer {
    KTIMER timer;
    KDPC dpc;
};

/*
 * What a request is to be sent with, and who has it then. The sent request is held (holds) by the device, by its timer
 * while that is set, and by whoever is cancelling it; the last one to let go ends the sending: the request is the
 * driver's again, its completion routine is called.
 */
struct kmdf_send {
    PFN_WDF_REQUEST_COMPLETION_ROUTINE routine;
    WDFCONTEXT context;

    bool formatted;                        /* the next stack location is filled */
    bool replaces;                         /* the IRP's buffers, by buffers */
    struct kmdf_irp_buffers buffers, kept; /* kept: what was there, while it is sent */
    PVOID copy;                            /* the system buffer of a METHOD_BUFFERED control; ours */
    UCHAR *copy_to;                        /* where its output belongs */
    SIZE_T copy_length;
    MDL *mdl;                      /* ours */
    struct kmdf_memory *memory[3]; /* referenced */
    WDF_REQUEST_COMPLETION_PARAMS params;

    struct kmdf_target *target; /* referenced while it is sent */
    LIST_ENTRY link;            /* of the target's waiting or sent; the target's lock */
    enum kmdf_sent_kind kind;   /* the target's lock */
    ULONG round;                /* of the target's cancelling that has seen it */
    LONG holds;                 /* atomic; 0: it is not sent */
    bool timed_out;
    bool timer_set;
    KEVENT *done; /* of a synchronous sender */
    KEVENT *gone; /* of who deletes it; kmdf_lock */

    DEVICE_OBJECT *passed_to; /* referenced: where the forgotten one goes */
};

struct kmdf_request {
    struct kmdf_object object;
    enum kmdf_request_origin origin;
    struct kmdf_device *device; /* null: the driver has made it */
    IRP *irp;                   /* null once completed; of one the driver has made, perhaps */
    bool frees_irp;
    struct kmdf_file *file;
    struct kmdf_queue *queue; /* that holds or presented it, or null */
    LIST_ENTRY queue_link;    /* the queue's lock */
    enum kmdf_request_state state;
    enum kmdf_cancel_state cancel_state;
    PFN_WDF_REQUEST_CANCEL cancel;              /* EvtRequestCancel */
    bool seen;                                  /* the driver has had it, in EvtIoInCallerContext or from a queue */
    bool cancelled_on_queue;                    /* EvtIoCanceledOnQueue got it: no way back into a queue */
    bool stopping;                              /* EvtIoStop runs for it */
    bool stop_acknowledged;                     /* WdfRequestStopAcknowledge without requeuing; the queue's lock */
    ULONG stop_round;                           /* of the queue, in which EvtIoStop was called; the queue's lock */
    struct kmdf_queue *chosen;                  /* for it, by WdfDeviceWdmDispatchIrpToIoQueue; or null */
    void (*call)(struct kmdf_request *request); /* that work is for */
    WORK_QUEUE_ITEM work;
    struct kmdf_queue *work_queue; /* kept for it */
    bool create;                   /* IRP_MJ_CREATE for EvtDeviceFileCreate */
    struct kmdf_memory *memory[2]; /* of its buffers, by kmdf_direction; children, made when asked for; kmdf_lock */
    struct kmdf_queue *reserve;    /* that it is a reserved one of, or null */
    ULONG_PTR information;
    NTSTATUS status; /* of a completed one, or of its last sending */
    CCHAR boost;
    bool has_status; /* it was sent, or could not be, or is reused */
    struct kmdf_send send;
    struct kmdf_request_timer *timer; /* or null */
};
extern const struct kmdf_type kmdf_request_type;

/* A request around irp, with the attributes of the device's WdfDeviceInitSetRequestAttributes. */
NTSTATUS kmdf_request_create(struct kmdf_device *device, IRP *irp, struct kmdf_request **request);
/* For queue_reserve.c: one without an IRP; an IRP for it; the end of one that nobody has seen; the end of the IRP, and
 * what the request had of its queue (may be null) and its device. */
NTSTATUS kmdf_request_create_reserved(struct kmdf_queue *queue, ULONG_PTR caller, struct kmdf_request **request);
void kmdf_request_attach(struct kmdf_request *request, IRP *irp);
void kmdf_request_abandon(struct kmdf_request *request);
void kmdf_request_tell_sender(struct kmdf_request *request);
void kmdf_request_left(struct kmdf_queue *queue, struct kmdf_device *device);
/* Ends the request; its IRP is completed with status and information, or left to the device send.passed_to. */
void kmdf_request_end(struct kmdf_request *request);
/* Completes it; it is not in anybody's hands but the caller's. */
void kmdf_request_complete(struct kmdf_request *request, NTSTATUS status, CCHAR boost);

/* The driver did with its request what it must not: WDF_VIOLATION (0xA). */
DECLSPEC_NORETURN void kmdf_request_misused(struct kmdf_request *request, NTSTATUS status, const char *function,
                                            const char *what);
/* The stack location that the request came with; null: it has none. */
static inline IO_STACK_LOCATION *kmdf_request_stack(const struct kmdf_request *request)
{
    IRP *irp = request->irp;
    return irp && irp->CurrentLocation <= irp->StackCount ? IoGetCurrentIrpStackLocation(irp) : NULL;
}
/* Fills parameters as WdfRequestGetParameters does. */
void kmdf_request_parameters(const struct kmdf_request *request, PWDF_REQUEST_PARAMETERS parameters);
/* Calls call, which calls the driver under the locks of the request's queue: at once, or in a worker if this thread
 * must not. The request and its queue stay until then. */
void kmdf_request_call(struct kmdf_request *request, void (*call)(struct kmdf_request *request));

/* ---- request_cancel.c ---- */

/* Exchanges the IRP's cancel routine. */
static inline PDRIVER_CANCEL kmdf_irp_cancel(IRP *irp, PDRIVER_CANCEL routine)
{
    return __atomic_exchange_n(&irp->CancelRoutine, routine, __ATOMIC_ACQ_REL);
}

static inline enum kmdf_cancel_state kmdf_cancel_state_of(const struct kmdf_request *request)
{
    return __atomic_load_n(&request->cancel_state, __ATOMIC_ACQUIRE);
}

/* Somebody has cancelled the IRP. With a cancel routine exchanged before, either this or IoCancelIrp sees the other. */
static inline BOOLEAN kmdf_irp_is_cancelled(const IRP *irp)
{
    return __atomic_load_n(&irp->Cancel, __ATOMIC_SEQ_CST);
}

/* Takes a request that the driver has made cancelable in order to cancel it, unless somebody does already: its
 * EvtRequestCancel is to be called by kmdf_request_cancel_call. The lock of the request's queue is held. */
bool kmdf_request_cancel_claim(struct kmdf_request *request);
void kmdf_request_cancel_call(struct kmdf_request *request);

/* The request of a handle that a driver passed and has not completed. */
struct kmdf_request *kmdf_request_of(WDFREQUEST handle, const char *function);
#define KMDF_GET_REQUEST(handle) kmdf_request_of(handle, __func__)

/* Whether the caller is the request's EvtIoInCallerContext, which has not given it away yet. */
bool kmdf_request_in_caller_context(const struct kmdf_request *request);

enum kmdf_direction { KMDF_INPUT, KMDF_OUTPUT };
/*
 * Where the request's input or output is in system space, by the rules of WdfRequestRetrieveInputBuffer and
 * WdfRequestRetrieveOutputBuffer; minimum: bytes the driver needs.
 */
NTSTATUS kmdf_request_buffer(struct kmdf_request *request, enum kmdf_direction direction, SIZE_T minimum,
                             PVOID *address, SIZE_T *length);

/* ---- request_create.c ---- */

/* A request that the driver makes, its own, without an IRP; child of parent, or of attributes' parent. */
NTSTATUS kmdf_request_make(struct kmdf_client *client, enum kmdf_request_origin origin,
                           const WDF_OBJECT_ATTRIBUTES *attributes, struct kmdf_object *parent, ULONG_PTR caller,
                           struct kmdf_request **request);
/* What request_create.c adds to the type: the request is disposed; its memory goes. */
void kmdf_request_cleanup(struct kmdf_object *object);
void kmdf_request_destroy(struct kmdf_object *object);
bool kmdf_request_no_delete(const struct kmdf_object *object);

/* ---- request_sent.c ---- */

/* Asks whoever has the sent request to cancel it; false: nobody has, or it cannot be cancelled now. */
bool kmdf_request_cancel_sent(struct kmdf_request *request);
/* Makes the request's timer, if it has none. */
NTSTATUS kmdf_request_timer_make(struct kmdf_request *request);
/* The request is being deleted while it may be sent: cancels it and waits. PASSIVE_LEVEL, or WDF_VIOLATION. */
void kmdf_request_call_back(struct kmdf_request *request);
