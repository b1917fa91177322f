/*
 * finish.c - the second stage of completion, and the end of a request.
 *
 * It runs in the thread that sent the request: in the sender itself if that has waited or the driver was done at once,
 * else as a special kernel APC. Only there is the requestor's memory written, by accessors: what a bad address raises
 * is a status.
 */
#include "io_internal.h"
#include "trace.h"
#include "usermode_accessors.h"
#include "wdk/seh.h"

/* ---- the end ---- */

/* IRQL PASSIVE_LEVEL: the file's last reference sends IRP_MJ_CLOSE. */
static VOID NTAPI destroy(PVOID context)
{
    struct io_request *request = context;
    if (request->system_buffer)
        mm_pool_free(request->system_buffer, IO_BUFFER_TAG, 0);
    if (request->event)
        ob_dereference(request->event);
    if (request->file)
        ob_dereference(request->file);
    if (request->thread_held)
        ke_thread_release(request->thread);
    mm_heap_free(request, IO_REQUEST_TAG);
}

void io_request_release(struct io_request *request)
{
    if (__atomic_sub_fetch(&request->references, 1, __ATOMIC_ACQ_REL))
        return;
    if (KeGetCurrentIrql() == PASSIVE_LEVEL) {
        destroy(request);
        return;
    }
    request->item = (WORK_QUEUE_ITEM){.WorkerRoutine = destroy, .Parameter = request};
    ExQueueWorkItem(&request->item, DelayedWorkQueue);
}

/* ---- the requestor's memory ---- */

static NTSTATUS copy_out(ULONG_PTR to, const void *from, SIZE_T length, KPROCESSOR_MODE mode)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        if (mode != KernelMode)
            trace_begin(TRACE_COPY_OUT, 0, to, length, NULL);
        CopyToMode((void *)to, from, length, mode);
        if (mode != KernelMode)
            trace_done();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

/* Copies what the driver says it produced, never more than the user's buffer takes. Errors (not warnings) copy nothing.
 */
static NTSTATUS give_back(const struct io_request *request)
{
    NTSTATUS status = request->status.Status;
    if (NT_ERROR(status) || !request->out_length || !(request->system_buffer || request->direct))
        return status;
    ULONG_PTR length = request->status.Information;
    if (length > request->out_length) {
        io_warn(request->routine, "the driver says it returned %llu bytes into a buffer of %u", (ULONG64)length,
                request->out_length);
        length = request->out_length;
    }
    if (request->direct) /* the driver wrote to the buffer itself */
        return status;
    NTSTATUS copied = copy_out(request->out, request->system_buffer, length, request->mode);
    return NT_SUCCESS(copied) ? status : copied;
}

/* ---- the sender's APC routine ---- */

static struct io_request *request_of(PRKAPC apc)
{
    return CONTAINING_RECORD(apc, struct io_request, apc);
}

/* Nothing of the request is needed any more; what may call drivers happens at PASSIVE_LEVEL. */
static void release_in_apc(struct io_request *request)
{
    ke_set_irql(PASSIVE_LEVEL);
    io_request_release(request);
    ke_set_irql(APC_LEVEL);
}

static VOID NTAPI apc_delivered(PRKAPC apc, PKNORMAL_ROUTINE *routine, PVOID *context, PVOID *first, PVOID *second)
{
    UNREFERENCED_PARAMETER(routine);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    release_in_apc(request_of(apc));
}

static VOID NTAPI apc_run_down(PRKAPC apc)
{
    io_request_release(request_of(apc));
}

/* The routine gets its context, the status block's address and 0: in user mode, or for a driver's request in kernel
 * mode. */
static void queue_apc(struct io_request *request)
{
    if (!request->apc_routine)
        return;
    __atomic_add_fetch(&request->references, 1, __ATOMIC_RELAXED);
    KeInitializeApc(&request->apc, request->thread, OriginalApcEnvironment, apc_delivered, apc_run_down,
                    (PKNORMAL_ROUTINE)request->apc_routine, request->mode, (PVOID)request->apc_context);
    if (!KeInsertQueueApc(&request->apc, (PVOID)request->status_block, NULL, 0))
        io_request_release(request);
}

/* ---- the stage ---- */

NTSTATUS io_request_finish(struct io_request *request, bool at_once, IO_STATUS_BLOCK *result)
{
    FILE_OBJECT *file = request->file;
    bool synchronous = file && (__atomic_load_n(&file->Flags, __ATOMIC_RELAXED) & FO_SYNCHRONOUS_IO);
    IO_STATUS_BLOCK block = {.Status = give_back(request), .Information = request->status.Information};
    if (result)
        *result = block;
    NTSTATUS status = block.Status, written = STATUS_SUCCESS;
    bool failed = NT_ERROR(status);
    if (request->status_block && !(failed && (at_once || synchronous)))
        written = copy_out(request->status_block, &block, sizeof(block), request->mode);
    if (failed && at_once && !synchronous)
        return status;
    if (request->event)
        KeSetEvent(request->event, IO_NO_INCREMENT, FALSE);
    else if (file)
        KeSetEvent(&file->Event, IO_NO_INCREMENT, FALSE);
    if (!failed || !at_once)
        queue_apc(request);
    return NT_SUCCESS(written) ? status : written;
}

static VOID NTAPI second_stage(PRKAPC apc, PKNORMAL_ROUTINE *routine, PVOID *context, PVOID *first, PVOID *second)
{
    UNREFERENCED_PARAMETER(routine);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    struct io_request *request = request_of(apc);
    request->thread->PendingRequests--;
    io_request_finish(request, false, NULL);
    release_in_apc(request);
}

void io_request_completed_now(struct io_request *request)
{
    LONG before = __atomic_exchange_n(&request->state, IO_COMPLETED, __ATOMIC_ACQ_REL);
    if (before == IO_WAITED)
        KeSetEvent(&request->done, IO_NO_INCREMENT, FALSE);
    if (before == IO_WAITED || before == IO_SENT)
        return; /* the sender has this reference now: what ends with the request, ends before the sender goes on */
    if (before == IO_ABANDONED) {
        io_request_release(request);
        return;
    }
    KeInitializeApc(&request->apc, request->thread, OriginalApcEnvironment, second_stage, NULL, NULL, KernelMode, NULL);
    KeInsertQueueApc(&request->apc, NULL, NULL, IO_NO_INCREMENT);
}
