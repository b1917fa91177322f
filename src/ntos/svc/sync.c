/*
 * sync.c - the act halves of the services on events, mutants and semaphores, and of those that wait.
 */
#include "svc.h"
#include "wdk/seh.h"

static NTSTATUS reference(struct svc_call *call, ACCESS_MASK access, const struct ob_type *type, void **body)
{
    return ob_handle_reference((HANDLE)call->arguments[0].value, access, type, call->mode, body, NULL);
}

/* ---- events ---- */

NTSTATUS svc_CreateEvent(struct svc_call *call)
{
    KEVENT *event;
    ULONG type = (ULONG)call->arguments[3].value;
    if (type > SynchronizationEvent)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = ob_create(&ob_event_type, sizeof(*event), (void **)&event);
    if (!NT_SUCCESS(status))
        return status;
    KeInitializeEvent(event, (EVENT_TYPE)type, (BOOLEAN)call->arguments[4].value);
    return svc_object_create(call, event, 0, 1, 2);
}

NTSTATUS svc_OpenEvent(struct svc_call *call)
{
    return svc_object_open(call, &ob_event_type, 0, 1, 2);
}

static LONG pulse(PRKEVENT event)
{
    return KePulseEvent(event, 0, FALSE);
}

static LONG set(PRKEVENT event)
{
    return KeSetEvent(event, 0, FALSE);
}

static LONG reset(PRKEVENT event)
{
    return KeResetEvent(event);
}

static NTSTATUS change_event(struct svc_call *call, LONG (*change)(PRKEVENT event))
{
    void *event;
    NTSTATUS status = reference(call, EVENT_MODIFY_STATE, &ob_event_type, &event);
    if (!NT_SUCCESS(status))
        return status;
    LONG previous = change(event);
    if (call->row->count > 1)
        svc_set(call, 1, (ULONG)previous);
    ob_dereference(event);
    return status;
}

NTSTATUS svc_SetEvent(struct svc_call *call)
{
    return change_event(call, set);
}

NTSTATUS svc_ResetEvent(struct svc_call *call)
{
    return change_event(call, reset);
}

NTSTATUS svc_PulseEvent(struct svc_call *call)
{
    return change_event(call, pulse);
}

NTSTATUS svc_ClearEvent(struct svc_call *call)
{
    return change_event(call, reset);
}

/* Class 0 of a query, its argument 2: two numbers that tell fills in of the object. */
static NTSTATUS query_basic(struct svc_call *call, ACCESS_MASK access, const struct ob_type *type,
                            void (*tell)(void *body, LONG information[2]))
{
    void *body;
    struct svc_argument *out = &call->arguments[2];
    if (call->arguments[1].value != 0)
        return STATUS_INVALID_INFO_CLASS;
    if (out->bytes != 2 * sizeof(LONG))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status = reference(call, access, type, &body);
    if (!NT_SUCCESS(status))
        return status;
    tell(body, out->data);
    out->set = true;
    svc_set(call, 4, 2 * sizeof(LONG));
    ob_dereference(body);
    return status;
}

static void tell_event(void *body, LONG information[2])
{
    KEVENT *event = body;
    information[0] = event->Header.Type;
    information[1] = KeReadStateEvent(event);
}

/* EventBasicInformation: the event's type and state. */
NTSTATUS svc_QueryEvent(struct svc_call *call)
{
    return query_basic(call, EVENT_QUERY_STATE, &ob_event_type, tell_event);
}

/* ---- mutants ---- */

NTSTATUS svc_CreateMutant(struct svc_call *call)
{
    KMUTANT *mutant;
    NTSTATUS status = ob_create(&ob_mutant_type, sizeof(*mutant), (void **)&mutant);
    if (!NT_SUCCESS(status))
        return status;
    KeInitializeMutant(mutant, (BOOLEAN)call->arguments[3].value);
    return svc_object_create(call, mutant, 0, 1, 2);
}

NTSTATUS svc_OpenMutant(struct svc_call *call)
{
    return svc_object_open(call, &ob_mutant_type, 0, 1, 2);
}

/* Releasing raises where the caller does something it may not; the status of that is the service's. */
static NTSTATUS release(LONG (*action)(void *object, LONG count), void *object, LONG count, LONG *previous)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    volatile LONG old = 0;
    __try {
        old = action(object, count);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    *previous = old;
    return status;
}

static LONG release_mutant(void *object, LONG count)
{
    UNREFERENCED_PARAMETER(count);
    return KeReleaseMutex(object, FALSE);
}

static LONG release_semaphore(void *object, LONG count)
{
    return KeReleaseSemaphore(object, 0, count, FALSE);
}

NTSTATUS svc_ReleaseMutant(struct svc_call *call)
{
    void *mutant;
    LONG previous;
    NTSTATUS status = reference(call, 0, &ob_mutant_type, &mutant);
    if (!NT_SUCCESS(status))
        return status;
    status = release(release_mutant, mutant, 0, &previous);
    if (NT_SUCCESS(status))
        svc_set(call, 1, (ULONG)previous);
    ob_dereference(mutant);
    return status;
}

/* MutantBasicInformation: the count, then two BOOLEANs: owned by the caller, abandoned. */
static void tell_mutant(void *body, LONG information[2])
{
    const KMUTANT *mutant = body;
    information[0] = mutant->Header.SignalState;
    information[1] = (mutant->OwnerThread == ke_thread_current()) | mutant->Abandoned << 8;
}

NTSTATUS svc_QueryMutant(struct svc_call *call)
{
    return query_basic(call, MUTANT_QUERY_STATE, &ob_mutant_type, tell_mutant);
}

/* ---- semaphores ---- */

NTSTATUS svc_CreateSemaphore(struct svc_call *call)
{
    KSEMAPHORE *semaphore;
    LONG count = (LONG)call->arguments[3].value, limit = (LONG)call->arguments[4].value;
    if (limit <= 0 || count < 0 || count > limit)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = ob_create(&ob_semaphore_type, sizeof(*semaphore), (void **)&semaphore);
    if (!NT_SUCCESS(status))
        return status;
    KeInitializeSemaphore(semaphore, count, limit);
    return svc_object_create(call, semaphore, 0, 1, 2);
}

NTSTATUS svc_OpenSemaphore(struct svc_call *call)
{
    return svc_object_open(call, &ob_semaphore_type, 0, 1, 2);
}

NTSTATUS svc_ReleaseSemaphore(struct svc_call *call)
{
    void *semaphore;
    LONG previous, count = (LONG)call->arguments[1].value;
    if (count <= 0)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = reference(call, SEMAPHORE_MODIFY_STATE, &ob_semaphore_type, &semaphore);
    if (!NT_SUCCESS(status))
        return status;
    status = release(release_semaphore, semaphore, count, &previous);
    if (NT_SUCCESS(status))
        svc_set(call, 2, (ULONG)previous);
    ob_dereference(semaphore);
    return status;
}

static void tell_semaphore(void *body, LONG information[2])
{
    const KSEMAPHORE *semaphore = body;
    information[0] = semaphore->Header.SignalState;
    information[1] = semaphore->Limit;
}

NTSTATUS svc_QuerySemaphore(struct svc_call *call)
{
    return query_basic(call, SEMAPHORE_QUERY_STATE, &ob_semaphore_type, tell_semaphore);
}

/* ---- waits. Alertable changes nothing: no APCs are delivered ---- */

static LARGE_INTEGER *timeout_of(struct svc_argument *argument, LARGE_INTEGER *timeout)
{
    timeout->QuadPart = (LONGLONG)argument->number;
    return argument->present ? timeout : NULL;
}

NTSTATUS svc_WaitForSingleObject(struct svc_call *call)
{
    void *body;
    LARGE_INTEGER timeout;
    NTSTATUS status = reference(call, SYNCHRONIZE, NULL, &body);
    if (!NT_SUCCESS(status))
        return status;
    DISPATCHER_HEADER *header = ob_dispatcher(body);
    status = STATUS_OBJECT_TYPE_MISMATCH;
    if (header)
        status = KeWaitForSingleObject(header, UserRequest, call->mode, (BOOLEAN)call->arguments[1].value,
                                       timeout_of(&call->arguments[2], &timeout));
    ob_dereference(body);
    return status;
}

NTSTATUS svc_WaitForMultipleObjects(struct svc_call *call)
{
    void *bodies[MAXIMUM_WAIT_OBJECTS], *headers[MAXIMUM_WAIT_OBJECTS];
    KWAIT_BLOCK blocks[MAXIMUM_WAIT_OBJECTS];
    LARGE_INTEGER timeout;
    ULONG count = (ULONG)call->arguments[0].value, type = (ULONG)call->arguments[2].value, got = 0;
    const HANDLE *handles = call->arguments[1].data;
    NTSTATUS status = type > WaitAny ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
    for (; got < count && NT_SUCCESS(status); got += NT_SUCCESS(status)) {
        status = ob_handle_reference(handles[got], SYNCHRONIZE, NULL, call->mode, &bodies[got], NULL);
        if (!NT_SUCCESS(status))
            break;
        headers[got] = ob_dispatcher(bodies[got]);
        if (headers[got])
            continue;
        ob_dereference(bodies[got]);
        status = STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (NT_SUCCESS(status))
        status = KeWaitForMultipleObjects(count, headers, (WAIT_TYPE)type, UserRequest, call->mode,
                                          (BOOLEAN)call->arguments[3].value, timeout_of(&call->arguments[4], &timeout),
                                          blocks);
    while (got)
        ob_dereference(bodies[--got]);
    return status;
}

NTSTATUS svc_DelayExecution(struct svc_call *call)
{
    LARGE_INTEGER interval = {.QuadPart = (LONGLONG)call->arguments[1].number};
    return KeDelayExecutionThread(call->mode, (BOOLEAN)call->arguments[0].value, &interval);
}

/* Whether another thread got the processor is not known here, so it is never STATUS_NO_YIELD_PERFORMED. */
NTSTATUS svc_YieldExecution(struct svc_call *call)
{
    UNREFERENCED_PARAMETER(call);
    plat_yield();
    return STATUS_SUCCESS;
}

NTSTATUS svc_QueryPerformanceCounter(struct svc_call *call)
{
    LARGE_INTEGER frequency, counter = KeQueryPerformanceCounter(&frequency);
    svc_set(call, 0, (ULONG64)counter.QuadPart);
    svc_set(call, 1, (ULONG64)frequency.QuadPart);
    return STATUS_SUCCESS;
}

NTSTATUS svc_QuerySystemTime(struct svc_call *call)
{
    LARGE_INTEGER now;
    KeQuerySystemTime(&now);
    svc_set(call, 0, (ULONG64)now.QuadPart);
    return STATUS_SUCCESS;
}
