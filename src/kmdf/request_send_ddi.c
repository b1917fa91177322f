/*
 * request_send_ddi.c - WdfRequest...: what drivers do with requests they send, besides formatting them for a target.
 */
#include "kmdf_target.h"

/* The next stack location of a request that may be formatted now. */
static IO_STACK_LOCATION *next_location(struct kmdf_request *request, const char *function)
{
    ULONG64 handle = (ULONG_PTR)request->object.handle;
    if (request->state != KMDF_REQUEST_OWNED)
        kmdf_violation(
            KMDF_REQUEST_FATAL, 3, (ULONG_PTR)handle, 0, "%s was called for the request 0x%llx, %s", function, handle,
            request->state == KMDF_REQUEST_SENT ? "which an I/O target has" : "which is not the driver's now");
    if (!request->irp)
        kmdf_violation(KMDF_REQUEST_FATAL, 2, (ULONG_PTR)handle, 0,
                       "%s was called for the request 0x%llx, which has no IRP yet", function, handle);
    if (request->irp->CurrentLocation <= 1)
        kmdf_violation(KMDF_REQUEST_FATAL, 1, (ULONG_PTR)request->irp, 0,
                       "%s was called for the request 0x%llx, whose IRP has no stack location left", function, handle);
    return IoGetNextIrpStackLocation(request->irp);
}

static void format(struct kmdf_request *request, IO_STACK_LOCATION *next, const IO_STACK_LOCATION *from)
{
    kmdf_format_release(request);
    *next = *from;
    next->CompletionRoutine = NULL;
    next->Context = NULL;
    next->Control = 0;
    request->send.formatted = true;
}

/* ---- for drivers ---- */

/*
 * The request is to go on as it came, with the buffers it came with. A request that a target has is WDF_VIOLATION (6,
 * 3); one without an IRP, or that did not come from another driver, (6, 2); one without a stack location left (6, 1).
 * IRQL <= DISPATCH_LEVEL.
 */
VOID NTAPI WdfRequestFormatRequestUsingCurrentType(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    IO_STACK_LOCATION *next = next_location(request, __func__), *own = kmdf_request_stack(request);
    if (!own)
        kmdf_violation(KMDF_REQUEST_FATAL, 2, (ULONG_PTR)Request, 0,
                       "WdfRequestFormatRequestUsingCurrentType was called for the request 0x%llx, which did not come "
                       "from another driver",
                       (ULONG64)(ULONG_PTR)Request);
    format(request, next, own);
}

/* The same with a stack location of the driver's, but for its completion routine and Control. */
VOID NTAPI WdfRequestWdmFormatUsingStackLocation(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                                 PIO_STACK_LOCATION Stack)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    kmdf_require(Stack);
    format(request, next_location(request, __func__), Stack);
}

/*
 * CompletionRoutine (NULL: none) is called once when the next sending of the request is over, at IRQL <=
 * DISPATCH_LEVEL, under no lock; not for a synchronous one. IRQL <= DISPATCH_LEVEL.
 */
VOID NTAPI WdfRequestSetCompletionRoutine(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                          PFN_WDF_REQUEST_COMPLETION_ROUTINE CompletionRoutine,
                                          WDFCONTEXT CompletionContext)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    request->send.routine = CompletionRoutine;
    request->send.context = CompletionContext;
}

/* Gives the request the timer that sending it with a time-out needs, which then cannot fail for want of one. A request
 * that has one keeps it. STATUS_INSUFFICIENT_RESOURCES. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WdfRequestAllocateTimer(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return kmdf_request_timer_make(KMDF_GET_REQUEST(Request));
}

/*
 * Sends the request to the target's device, or leaves it in a stopped target. TRUE: it is sent, and it may be back
 * already; with WDF_REQUEST_SEND_OPTION_SYNCHRONOUS it is. FALSE: it is the driver's still, WdfRequestGetStatus says
 * why: STATUS_INVALID_DEVICE_STATE: the target takes none now; STATUS_REQUEST_NOT_ACCEPTED: too few stack locations;
 * STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_PARAMETER: bad options; STATUS_INVALID_DEVICE_REQUEST: it is not
 * formatted, or cannot be sent like that (a synchronous one above PASSIVE_LEVEL; one to be forgotten that the driver
 * has made, or that goes to a file object of the target's); STATUS_INSUFFICIENT_RESOURCES. A request that a target has
 * is WDF_VIOLATION (6, 3), one that is cancelable (0xA). IRQL <= DISPATCH_LEVEL.
 */
BOOLEAN NTAPI WdfRequestSend(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, WDFIOTARGET Target,
                             PWDF_REQUEST_SEND_OPTIONS Options)
{
    NTSTATUS status;
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    return kmdf_request_send(request, KMDF_GET(target, Target), Options, __func__, &status);
}

/*
 * Asks for a sent request to be cancelled; its completion routine is called then as always. FALSE: it is not sent any
 * more, or cannot be cancelled now. The driver sees to it that the request is there (WdfObjectReference). IRQL <=
 * DISPATCH_LEVEL.
 */
BOOLEAN NTAPI WdfRequestCancelSentRequest(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return kmdf_request_cancel_sent(KMDF_GET(request, Request));
}

/* What the completion routine is given, once the request is back. Params->Size must be right, else nothing is filled.
 * IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfRequestGetCompletionParams(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                         PWDF_REQUEST_COMPLETION_PARAMS Params)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    kmdf_require(Params);
    if (Params->Size == sizeof(*Params))
        *Params = request->send.params;
}
