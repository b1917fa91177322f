/*
 * timer.c - timer objects: a driver's callback when time has passed, once or periodically, at DISPATCH_LEVEL or, for
 * timers whose execution level is passive, in a system thread.
 */
#include "kmdf_deferred.h"

enum { PERIOD_MAX = 0x7FFFFFFF };

struct kmdf_timer {
    struct kmdf_deferred deferred;
    KTIMER timer;
    KDPC dpc;
    LONG period; /* ms */
    bool passive;
};

static VOID NTAPI timer_expired(PKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    struct kmdf_timer *timer = context;
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    if (timer->passive)
        kmdf_work_queue(&timer->deferred);
    else
        kmdf_deferred_call(&timer->deferred);
}

static void wait_for_callback(struct kmdf_timer *timer)
{
    KeFlushQueuedDpcs();
    if (timer->passive)
        kmdf_work_flush(&timer->deferred);
}

static void timer_cleanup(struct kmdf_object *object)
{
    struct kmdf_timer *timer = (struct kmdf_timer *)object;
    kmdf_deferred_close(&timer->deferred);
    KeCancelTimer(&timer->timer);
    KeRemoveQueueDpc(&timer->dpc);
    wait_for_callback(timer);
}

static const struct kmdf_type kmdf_timer_type = {.name = "WDFTIMER",
                                                 .size = sizeof(struct kmdf_timer),
                                                 .flags = KMDF_PARENT_REQUIRED | KMDF_EXECUTION | KMDF_PASSIVE,
                                                 .cleanup = timer_cleanup,
                                                 .runs_here = kmdf_work_runs_here};

/* The structure has grown: TolerableDelay came with 1.9, UseHighResolutionTimer with 1.13. */
static NTSTATUS check_config(const WDF_TIMER_CONFIG *config, bool passive)
{
    bool has_delay = config->Size >= __builtin_offsetof(WDF_TIMER_CONFIG, UseHighResolutionTimer);
    if (config->Size != sizeof(*config) && config->Size != __builtin_offsetof(WDF_TIMER_CONFIG, TolerableDelay) &&
        config->Size != __builtin_offsetof(WDF_TIMER_CONFIG, UseHighResolutionTimer))
        return STATUS_INFO_LENGTH_MISMATCH;
    ULONG delay = has_delay ? config->TolerableDelay : 0;
    bool fine = config->Size == sizeof(*config) && config->UseHighResolutionTimer == WdfTrue;
    if (config->Period > PERIOD_MAX || (delay > PERIOD_MAX && delay != TolerableDelayUnlimited) || (fine && delay))
        return STATUS_INVALID_PARAMETER;
    return passive && config->Period ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
}

/*
 * A timer below a device, which WdfTimerStart starts. Expiry is as exact as the host's clock, whatever TolerableDelay
 * and UseHighResolutionTimer say. STATUS_WDF_PARENT_NOT_SPECIFIED, STATUS_INVALID_DEVICE_REQUEST: the attributes'
 * parent has no device above it; STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL: AutomaticSerialization, and the lock there
 * is not for the level the callback runs at; STATUS_NOT_SUPPORTED: a periodic one that is passive. IRQL <=
 * DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfTimerCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_TIMER_CONFIG Config,
                              PWDF_OBJECT_ATTRIBUTES Attributes, WDFTIMER *Timer)
{
    struct kmdf_timer *timer;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Config);
    kmdf_require(Timer);
    *Timer = NULL;
    bool passive = Attributes && Attributes->ExecutionLevel == WdfExecutionLevelPassive;
    NTSTATUS status = check_config(Config, passive);
    if (NT_SUCCESS(status))
        status = kmdf_deferred_create(client, &kmdf_timer_type, Attributes, Config->AutomaticSerialization, passive,
                                      seh_export_caller(), (struct kmdf_deferred **)&timer);
    if (!NT_SUCCESS(status))
        return status;
    timer->deferred.callback = (ULONG_PTR)Config->EvtTimerFunc;
    timer->period = (LONG)Config->Period;
    timer->passive = passive;
    KeInitializeTimerEx(&timer->timer, NotificationTimer);
    KeInitializeDpc(&timer->dpc, timer_expired, timer);
    *Timer = (WDFTIMER)timer->deferred.object.handle;
    return STATUS_SUCCESS;
}

/* Starts it, or starts it anew. DueTime: 100 ns, negative from now, else system time. TRUE: it was in the system's
 * queue. IRQL <= DISPATCH_LEVEL. */
BOOLEAN NTAPI WdfTimerStart(PWDF_DRIVER_GLOBALS DriverGlobals, WDFTIMER Timer, LONGLONG DueTime)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_timer *timer = KMDF_GET(timer, Timer);
    LARGE_INTEGER due = {.QuadPart = DueTime};
    plat_lock_acquire(&timer->deferred.lock);
    BOOLEAN was_set = !timer->deferred.closed && KeSetTimerEx(&timer->timer, due, timer->period, &timer->dpc);
    plat_lock_release(&timer->deferred.lock);
    return was_set;
}

/* TRUE: it was in the system's queue. Wait: returns when every DPC that was queued has run, and no call of EvtTimerFunc
 * waits or runs; PASSIVE_LEVEL, not from the callback, where it tells so in a line and does not wait. Else one that is
 * due may still be called. IRQL <= DISPATCH_LEVEL. */
BOOLEAN NTAPI WdfTimerStop(PWDF_DRIVER_GLOBALS DriverGlobals, WDFTIMER Timer, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_timer *timer = KMDF_GET(timer, Timer);
    BOOLEAN was_set = KeCancelTimer(&timer->timer);
    if (Wait && kmdf_deferred_can_wait(&timer->deferred, __func__))
        wait_for_callback(timer);
    return was_set;
}

WDFOBJECT NTAPI WdfTimerGetParentObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFTIMER Timer)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(timer, Timer)->deferred.parent;
}
