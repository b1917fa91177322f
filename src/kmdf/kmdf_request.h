/*
 * kmdf_request.h - requests: a framework object around an IRP that came in.
 *
 * A request belongs to the framework (KMDF_REQUEST_NEW, _QUEUED) or to the driver (_OWNED); kmdf_request_complete ends
 * it: its children and the request itself are disposed (locked buffers go here: make them children of the request, with
 * the undoing in their type's cleanup), then the IRP is completed, then the handle dies with its last reference.
 */
#pragma once
#include "kmdf_device.h"

struct kmdf_memory;

enum kmdf_request_state {
    KMDF_REQUEST_NEW,
    KMDF_REQUEST_QUEUED,
    KMDF_REQUEST_CANCELLING, /* taken out of its queue for that */
    KMDF_REQUEST_OWNED,
    KMDF_REQUEST_COMPLETED
};

/* WdfRequestMarkCancelable; the IRP's cancel routine decides who may change it. */
enum kmdf_cancel_state { KMDF_NOT_CANCELABLE, KMDF_CANCELABLE, KMDF_CANCELLED };

struct kmdf_request {
    struct kmdf_object object;
    struct kmdf_device *device;
    IRP *irp; /* null once completed */
    struct kmdf_file *file;
    struct kmdf_queue *queue; /* that holds or presented it, or null */
    LIST_ENTRY queue_link;    /* the queue's lock */
    enum kmdf_request_state state;
    enum kmdf_cancel_state cancel_state;
    PFN_WDF_REQUEST_CANCEL cancel;              /* EvtRequestCancel */
    bool seen;                                  /* the driver has had it, in EvtIoInCallerContext or from a queue */
    bool cancelled_on_queue;                    /* EvtIoCanceledOnQueue got it: no way back into a queue */
    void (*call)(struct kmdf_request *request); /* that work is for */
    WORK_QUEUE_ITEM work;
    struct kmdf_queue *work_queue; /* kept for it */
    bool create;                   /* IRP_MJ_CREATE for EvtDeviceFileCreate */
    struct kmdf_memory *memory[2]; /* of its buffers, by kmdf_direction; children, made when asked for; kmdf_lock */
    ULONG_PTR information;
    NTSTATUS status; /* of a completed one */
    CCHAR boost;
};
extern const struct kmdf_type kmdf_request_type;

/* A request around irp, with the attributes of the device's WdfDeviceInitSetRequestAttributes. */
NTSTATUS kmdf_request_create(struct kmdf_device *device, IRP *irp, struct kmdf_request **request);
/* Ends it; it is not in anybody's hands but the caller's. */
void kmdf_request_complete(struct kmdf_request *request, NTSTATUS status, CCHAR boost);

/* The driver did with its request what it must not: WDF_VIOLATION (0xA). */
DECLSPEC_NORETURN void kmdf_request_misused(struct kmdf_request *request, NTSTATUS status, const char *function,
                                            const char *what);
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
