/*
 * timer.c - timers that the system allocates: ExAllocateTimer and what goes with it.
 *
 * Each is a KTIMER with a DPC that calls the driver's routine. DPCs run one after the other in the order they were
 * queued, so a timer is freed by one more DPC, behind every use of it.
 */
#include "ex.h"
#include "rtl.h"
#include "seh.h"

#define TIMER_TAG RTL_TAG('E', 'x', 'T', 'm')

struct _EX_TIMER {
    KTIMER timer; /* first: a driver waits for it */
    KDPC dpc, delete_dpc;
    PEXT_CALLBACK callback;
    PVOID context;
    EXT_DELETE_PARAMETERS end;
    bool deleted; /* no more settings; it goes when it is not set. Guarded by the dispatcher lock */
};

static void dispose(PEX_TIMER timer)
{
    EXT_DELETE_PARAMETERS end = timer->end;
    mm_pool_free(timer, TIMER_TAG, 0);
    if (end.DeleteCallback)
        seh_driver_call((ULONG_PTR)end.DeleteCallback, (ULONG_PTR)end.DeleteContext, 0, 0, 0);
}

static VOID NTAPI delete_later(PRKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    dispose(context);
}

static VOID NTAPI expired(PRKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    PEX_TIMER timer = context;
    if (timer->callback)
        seh_driver_call((ULONG_PTR)timer->callback, (ULONG_PTR)timer, (ULONG_PTR)timer->context, 0, 0);
    plat_lock_acquire(&ke_dispatcher_lock);
    bool last = timer->deleted && !timer->timer.Header.Inserted;
    plat_lock_release(&ke_dispatcher_lock);
    if (last)
        KeInsertQueueDpc(&timer->delete_dpc, NULL, NULL);
}

/*
 * A timer that is not set; null: no memory, or an unknown attribute. With EX_TIMER_NOTIFICATION every waiter goes on
 * when it expires, else one. Callback, which may be null, is called at DISPATCH_LEVEL. IRQL <= DISPATCH_LEVEL.
 */
PEX_TIMER NTAPI ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes)
{
    const ULONG known = EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE | EX_TIMER_NOTIFICATION;
    const ULONG exclusive = EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE;
    if ((Attributes & ~known) || (Attributes & exclusive) == exclusive)
        return NULL;
    PEX_TIMER timer = mm_pool_allocate(sizeof(*timer), TIMER_TAG, MM_POOL_ZERO, MM_POOL_DRIVER, seh_export_caller());
    if (!timer)
        return NULL;
    KeInitializeTimerEx(&timer->timer, Attributes & EX_TIMER_NOTIFICATION ? NotificationTimer : SynchronizationTimer);
    KeInitializeDpc(&timer->dpc, expired, timer);
    KeInitializeDpc(&timer->delete_dpc, delete_later, timer);
    timer->callback = Callback;
    timer->context = CallbackContext;
    return timer;
}

/*
 * DueTime and Period in 100 ns, Period 0 for once, else rounded up to whole ms. Parameters change nothing: no timer is
 * delayed to save power. TRUE: it was set before, and that is cancelled. IRQL <= DISPATCH_LEVEL.
 */
BOOLEAN NTAPI ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PVOID Parameters)
{
    UNREFERENCED_PARAMETER(Parameters);
    LONGLONG ms = Period / 10000 + (Period % 10000 > 0);
    return KeSetTimerEx(&Timer->timer, (LARGE_INTEGER){.QuadPart = DueTime}, ms > 0x7FFFFFFF ? 0x7FFFFFFF : (LONG)ms,
                        &Timer->dpc);
}

/* TRUE: it was set. FALSE: it was not, or has expired, and stays signalled. */
BOOLEAN NTAPI ExCancelTimer(PEX_TIMER Timer, PVOID Parameters)
{
    UNREFERENCED_PARAMETER(Parameters);
    return KeCancelTimer(&Timer->timer);
}

/*
 * Cancel: a timer that is set is cancelled (TRUE), else it goes after its next expiry. Wait: until its callback has
 * come back, which needs Cancel (bug check 0xC7 without) and IRQL <= APC_LEVEL. Parameters, which may be null, name a
 * routine that is called when all use of the timer has ended.
 */
BOOLEAN NTAPI ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters)
{
    if (Wait && !Cancel)
        ke_bugcheck_because(BUGCHECK_TIMER_OR_DPC_INVALID, (ULONG_PTR[4]){0, (ULONG_PTR)Timer, 0, 0},
                            "ExDeleteTimer was told to wait for a timer it was told not to cancel");
    if (Parameters)
        Timer->end = *Parameters;
    BOOLEAN was_set = Cancel && KeCancelTimer(&Timer->timer);
    plat_lock_acquire(&ke_dispatcher_lock);
    Timer->deleted = !Wait;
    Timer->timer.Period = 0;
    bool set = Timer->timer.Header.Inserted;
    plat_lock_release(&ke_dispatcher_lock);
    if (Wait) {
        KeFlushQueuedDpcs();
        dispose(Timer);
    } else if (!set) {
        KeInsertQueueDpc(&Timer->delete_dpc, NULL, NULL);
    }
    return was_set;
}
