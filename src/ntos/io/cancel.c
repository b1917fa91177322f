/*
 * cancel.c - cancelling threads' requests: one, those of a file, those of a thread that ends. IoCancelIrp is irp.c's.
 */
#include "io_internal.h"

enum { THREAD_END_MS = 2000 };

static bool cancel_held(struct io_irp *packet)
{
    IoCancelIrp(&packet->irp);
    return true;
}

void io_request_cancel(struct io_request *request)
{
    struct io_irp *packet = io_irp_hold(request->irp, request);
    if (!packet)
        return;
    cancel_held(packet);
    io_irp_drop(packet);
}

/* The packet's request, null before it was sent: until then it is its thread's alone. */
static const struct io_request *sent_request(const struct io_irp *packet)
{
    const struct io_request *request = io_irp_request(packet);
    return request && __atomic_load_n(&request->sent, __ATOMIC_ACQUIRE) ? request : NULL;
}

static bool wanted(const struct io_irp *packet, const void *context)
{
    const struct io_cancel *cancel = context;
    const struct io_request *request = sent_request(packet);
    if (!request || !request->file || (cancel->file && request->file != cancel->file) ||
        (cancel->thread && request->thread != cancel->thread) ||
        (cancel->status_block && request->status_block != cancel->status_block))
        return false;
    LONG state = __atomic_load_n(&request->state, __ATOMIC_ACQUIRE);
    return cancel->synchronous ? state == IO_SENT || state == IO_WAITED : true;
}

ULONG io_cancel(const struct io_cancel *cancel)
{
    return io_irps_sweep(wanted, cancel_held, cancel);
}

/* ---- a thread ends ---- */

/* One of the thread's that it has not waited for: it stays until the thread has run its second stage. */
static bool sent_by(const struct io_irp *packet, const void *thread)
{
    const struct io_request *request = sent_request(packet);
    return request && request->thread == thread && __atomic_load_n(&request->state, __ATOMIC_ACQUIRE) == IO_DETACHED;
}

/* The driver keeps it; whoever completes it finds that nobody wants to know. False: it was completed just now. */
static bool abandon(struct io_irp *packet)
{
    struct io_request *request = packet->request;
    PKTHREAD thread = request->thread;
    LONG detached = IO_DETACHED;
    ke_thread_reference(thread); /* for drivers that ask whose request it was */
    request->thread_held = true;
    if (__atomic_compare_exchange_n(&request->state, &detached, IO_ABANDONED, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return true;
    request->thread_held = false;
    ke_thread_release(thread);
    return false;
}

static void wait_for_requests(PKTHREAD self)
{
    LARGE_INTEGER millisecond = {.QuadPart = -10000};
    for (ULONG i = 0; i < THREAD_END_MS && self->PendingRequests; i++)
        KeDelayExecutionThread(KernelMode, FALSE, &millisecond);
}

void io_thread_ends(PKTHREAD thread)
{
    if (!thread->PendingRequests)
        return;
    io_irps_sweep(sent_by, cancel_held, thread);
    wait_for_requests(thread);
    if (!thread->PendingRequests)
        return;
    thread->PendingRequests -= (LONG)io_irps_sweep(sent_by, abandon, thread);
    io_warn(0, "a thread ended with requests that could not be cancelled");
    wait_for_requests(thread);
}
