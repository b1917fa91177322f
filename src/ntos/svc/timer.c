/*
 * timer.c - timer objects: the act halves of their services, and the APC of the thread that set one.
 *
 * A timer without an APC routine is a plain KTIMER. With one its expiry queues a DPC, and that the APC, which holds a
 * reference of the timer until it is delivered or run down.
 */
#include "svc.h"
#include "rtl.h"

#define TIMER_QUERY_STATE  1u
#define TIMER_MODIFY_STATE 2u

struct timer {
    KTIMER timer;
    KDPC dpc;
    struct plat_lock lock;
    /* Guarded by lock. */
    PKTHREAD thread;  /* that set it with a routine; referenced */
    bool had_routine; /* ever: its DPC may still be on its way */
    PKNORMAL_ROUTINE routine;
    PVOID context;
    KPROCESSOR_MODE mode;
    ULONG setting; /* counts settings and cancellations: an APC of an older one does nothing */
    KAPC apc;
    bool apc_out; /* queued, or about to be delivered: it must not be made anew */
    ULONG apc_setting;
};

static void apc_done(struct timer *timer)
{
    plat_lock_acquire(&timer->lock);
    timer->apc_out = false;
    plat_lock_release(&timer->lock);
    ob_dereference(timer);
}

static VOID NTAPI run_down(PRKAPC apc)
{
    apc_done(CONTAINING_RECORD(apc, struct timer, apc));
}

static VOID NTAPI deliver(PRKAPC apc, PKNORMAL_ROUTINE *routine, PVOID *context, PVOID *first, PVOID *second)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    struct timer *timer = CONTAINING_RECORD(apc, struct timer, apc);
    plat_lock_acquire(&timer->lock);
    if (timer->apc_setting != timer->setting)
        *routine = NULL; /* cancelled since */
    plat_lock_release(&timer->lock);
    apc_done(timer);
}

/* The APC's second and third arguments are the time of the expiry, low and high half. */
static VOID NTAPI expired(PRKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    struct timer *timer = context;
    LARGE_INTEGER now;
    KeQuerySystemTime(&now);
    if (!ob_reference_alive(timer))
        return;
    plat_lock_acquire(&timer->lock);
    bool queued = timer->thread && !timer->apc_out;
    if (queued) {
        KeInitializeApc(&timer->apc, timer->thread, OriginalApcEnvironment, deliver, run_down, timer->routine,
                        timer->mode, timer->context);
        timer->apc_setting = timer->setting;
        queued = KeInsertQueueApc(&timer->apc, (PVOID)(ULONG_PTR)now.LowPart, (PVOID)(ULONG_PTR)(ULONG)now.HighPart, 0);
        timer->apc_out = queued;
    }
    plat_lock_release(&timer->lock);
    if (!queued)
        ob_dereference(timer);
}

static void remove(void *body)
{
    struct timer *timer = body;
    KeCancelTimer(&timer->timer);
    if (!timer->had_routine)
        return;
    KeRemoveQueueDpc(&timer->dpc);
    if (KeGetCurrentIrql() < DISPATCH_LEVEL)
        KeFlushQueuedDpcs();
    if (timer->thread)
        ob_dereference(timer->thread);
}

static const struct ob_type timer_type = {.name = "Timer",
                                          .tag = RTL_TAG('T', 'i', 'm', 'e'),
                                          .remove = remove,
                                          .mapping = {0x20001, 0x20002, 0x120000, 0x1F0003},
                                          .waitable = true};

NTSTATUS svc_CreateTimer(struct svc_call *call)
{
    struct timer *timer;
    ULONG type = (ULONG)call->arguments[3].value;
    if (type > SynchronizationTimer)
        return STATUS_INVALID_PARAMETER_4;
    NTSTATUS status = ob_create(&timer_type, sizeof(*timer), (void **)&timer);
    if (!NT_SUCCESS(status))
        return status;
    plat_lock_init(&timer->lock);
    KeInitializeTimerEx(&timer->timer, (TIMER_TYPE)type);
    KeInitializeDpc(&timer->dpc, expired, timer);
    return svc_object_create(call, timer, 0, 1, 2);
}

NTSTATUS svc_OpenTimer(struct svc_call *call)
{
    return svc_object_open(call, &timer_type, 0, 1, 2);
}

static NTSTATUS reference(struct svc_call *call, ACCESS_MASK access, struct timer **timer)
{
    return ob_handle_reference((HANDLE)call->arguments[0].value, access, &timer_type, call->mode, (void **)timer, NULL);
}

/* A setting or cancellation: APCs of what was before are void. routine null: none. */
static void begin_setting(struct timer *timer, const struct svc_call *call, PKNORMAL_ROUTINE routine, PVOID context)
{
    PKTHREAD self = routine ? ke_thread_current() : NULL;
    if (self)
        ob_reference(self);
    plat_lock_acquire(&timer->lock);
    PKTHREAD before = timer->thread;
    timer->thread = self;
    timer->had_routine |= routine != NULL;
    timer->routine = routine;
    timer->context = context;
    timer->mode = call->mode;
    timer->setting++;
    plat_lock_release(&timer->lock);
    if (before)
        ob_dereference(before);
}

/*
 * PreviousState: whether the timer was signalled. Period in ms, 0 for once. ResumeTimer is STATUS_TIMER_RESUME_IGNORED,
 * a success: nothing here sleeps. STATUS_INVALID_PARAMETER_6: the period is negative.
 */
NTSTATUS svc_SetTimer(struct svc_call *call)
{
    struct timer *timer;
    LARGE_INTEGER due = {.QuadPart = (LONGLONG)call->arguments[1].number};
    LONG period = (LONG)call->arguments[5].value;
    PKNORMAL_ROUTINE routine = (PKNORMAL_ROUTINE)call->arguments[2].value;
    if (period < 0)
        return STATUS_INVALID_PARAMETER_6;
    NTSTATUS status = reference(call, TIMER_MODIFY_STATE, &timer);
    if (!NT_SUCCESS(status))
        return status;
    KeCancelTimer(&timer->timer);
    svc_set(call, 6, KeReadStateTimer(&timer->timer));
    begin_setting(timer, call, routine, (PVOID)call->arguments[3].value);
    KeSetTimerEx(&timer->timer, due, period, routine ? &timer->dpc : NULL);
    ob_dereference(timer);
    return call->arguments[4].value ? STATUS_TIMER_RESUME_IGNORED : STATUS_SUCCESS;
}

/* The timer's state stays as it is, and is told. */
NTSTATUS svc_CancelTimer(struct svc_call *call)
{
    struct timer *timer;
    NTSTATUS status = reference(call, TIMER_MODIFY_STATE, &timer);
    if (!NT_SUCCESS(status))
        return status;
    KeCancelTimer(&timer->timer);
    begin_setting(timer, call, NULL, NULL);
    svc_set(call, 1, KeReadStateTimer(&timer->timer));
    ob_dereference(timer);
    return status;
}

/* Class 0, TimerBasicInformation: time that remains in 100 ns, negative or 0 once it has passed, and the state. */
NTSTATUS svc_QueryTimer(struct svc_call *call)
{
    struct {
        LARGE_INTEGER remaining;
        BOOLEAN signalled;
    } information;
    struct svc_argument *out = &call->arguments[2];
    struct timer *timer;
    if (call->arguments[1].value != 0)
        return STATUS_INVALID_INFO_CLASS;
    if (out->bytes != sizeof(information))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status = reference(call, TIMER_QUERY_STATE, &timer);
    if (!NT_SUCCESS(status))
        return status;
    __builtin_memset(&information, 0, sizeof(information)); /* with its padding, which goes to user mode */
    information.remaining.QuadPart = ((LONGLONG)timer->timer.DueTime.QuadPart - (LONGLONG)plat_time_ns()) / 100;
    information.signalled = KeReadStateTimer(&timer->timer);
    __builtin_memcpy(out->data, &information, sizeof(information));
    out->set = true;
    svc_set(call, 4, sizeof(information));
    ob_dereference(timer);
    return status;
}
