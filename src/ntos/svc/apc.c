/*
 * apc.c - the act halves of the services on alerts and user APCs.
 */
#include "svc.h"
#include "rtl.h"

#define APC_TAG RTL_TAG('S', 'v', 'A', 'p')

static NTSTATUS thread_of(struct svc_call *call, ACCESS_MASK access, PKTHREAD *thread)
{
    return ob_handle_reference((HANDLE)call->arguments[0].value, access, &ob_thread_type, call->mode, (void **)thread,
                               NULL);
}

NTSTATUS svc_AlertThread(struct svc_call *call)
{
    PKTHREAD thread;
    NTSTATUS status = thread_of(call, THREAD_ALERT, &thread);
    if (!NT_SUCCESS(status))
        return status;
    KeAlertThread(thread, call->mode);
    ob_dereference(thread);
    return status;
}

/* STATUS_ALERTED or STATUS_SUCCESS; the thread's user APCs run before the call comes back. */
NTSTATUS svc_TestAlert(struct svc_call *call)
{
    return KeTestAlertThread(call->mode) ? STATUS_ALERTED : STATUS_SUCCESS;
}

static VOID NTAPI free_apc(PRKAPC apc)
{
    mm_heap_free(apc, APC_TAG);
}

static VOID NTAPI deliver(PRKAPC apc, PKNORMAL_ROUTINE *routine, PVOID *context, PVOID *first, PVOID *second)
{
    UNREFERENCED_PARAMETER(routine);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    free_apc(apc);
}

/* STATUS_INVALID_HANDLE: a system thread, which has no user mode to run it in. STATUS_UNSUCCESSFUL: it has ended. */
NTSTATUS svc_QueueApcThread(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    PKTHREAD thread;
    NTSTATUS status = thread_of(call, THREAD_SET_CONTEXT, &thread);
    if (!NT_SUCCESS(status))
        return status;
    PRKAPC apc = mm_heap_allocate(sizeof(*apc), APC_TAG);
    if (PsIsSystemThread(thread)) {
        status = STATUS_INVALID_HANDLE;
    } else if (!apc) {
        status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        KeInitializeApc(apc, thread, OriginalApcEnvironment, deliver, free_apc, (PKNORMAL_ROUTINE)a[1].value, UserMode,
                        (PVOID)a[2].value);
        /* A null routine makes no kernel APC of it: the kernel routine must find the queue of user mode. */
        apc->ApcMode = UserMode;
        if (!KeInsertQueueApc(apc, (PVOID)a[3].value, (PVOID)a[4].value, 0))
            status = STATUS_UNSUCCESSFUL;
    }
    if (!NT_SUCCESS(status) && apc)
        free_apc(apc);
    ob_dereference(thread);
    return status;
}
