/*
 * listener.c - who wants to hear of plug and play events, and how their routines are called: without a lock, as the
 * system process. A registration stays in memory while one of its calls runs.
 */
#include "listener.h"
#include "park.h"

/* A call that runs, on its thread's stack. */
struct call {
    LIST_ENTRY link; /* of calls; pnp_lock */
    const struct pnp_listener *listener;
    PKTHREAD thread;
};

static LIST_ENTRY listeners = {&listeners, &listeners};
static LIST_ENTRY calls = {&calls, &calls};

static struct pnp_listener *listener_at(LIST_ENTRY *entry)
{
    return CONTAINING_RECORD(entry, struct pnp_listener, link);
}

NTSTATUS pnp_listener_add(const struct pnp_listener *listener, struct pnp_listener **added)
{
    struct pnp_listener *made = mm_heap_allocate(sizeof(*made), PNP_TAG);
    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    *made = *listener;
    made->references = 2;
    ob_reference(made->driver);
    if (made->target)
        ob_reference(made->target);
    plat_lock_acquire(&pnp_lock);
    InsertTailList(&listeners, &made->link);
    plat_lock_release(&pnp_lock);
    *added = made;
    return STATUS_SUCCESS;
}

void pnp_listener_release(struct pnp_listener *listener)
{
    plat_lock_acquire(&pnp_lock);
    bool last = --listener->references == 0;
    if (last)
        RemoveEntryList(&listener->link);
    plat_lock_release(&pnp_lock);
    if (!last)
        return;
    if (listener->target)
        ob_dereference(listener->target);
    ob_dereference(listener->driver);
    mm_heap_free(listener, PNP_TAG);
}

struct pnp_listener *pnp_listener_next(struct pnp_listener *after,
                                       bool (*wants)(const struct pnp_listener *listener, const void *subject),
                                       const void *subject)
{
    struct pnp_listener *found = NULL;
    plat_lock_acquire(&pnp_lock);
    for (LIST_ENTRY *entry = after ? after->link.Flink : listeners.Flink; entry != &listeners && !found;
         entry = entry->Flink)
        if (!listener_at(entry)->leaving && wants(listener_at(entry), subject))
            found = listener_at(entry);
    if (found)
        found->references++;
    plat_lock_release(&pnp_lock);
    if (after)
        pnp_listener_release(after);
    return found;
}

static bool call_begin(struct pnp_listener *listener, struct call *call)
{
    plat_lock_acquire(&pnp_lock);
    bool begins = !listener->leaving;
    if (begins) {
        __atomic_add_fetch(&listener->running, 1, __ATOMIC_SEQ_CST);
        InsertTailList(&calls, &call->link);
    }
    plat_lock_release(&pnp_lock);
    return begins;
}

static void call_end(struct pnp_listener *listener, struct call *call)
{
    plat_lock_acquire(&pnp_lock);
    RemoveEntryList(&call->link);
    plat_lock_release(&pnp_lock);
    __atomic_sub_fetch(&listener->running, 1, __ATOMIC_SEQ_CST);
    ex_park_wake();
}

NTSTATUS pnp_listener_call(struct pnp_listener *listener, void *notification)
{
    struct call call = {.listener = listener, .thread = ke_thread_current()};
    struct pnp_context context;
    struct io_balance before = io_balance_take();
    if (!call_begin(listener, &call))
        return STATUS_SUCCESS;
    pnp_enter_system(&context);
    NTSTATUS status =
        (NTSTATUS)seh_driver_call(listener->routine, (ULONG_PTR)notification, (ULONG_PTR)listener->context, 0, 0);
    pnp_leave_system(&context);
    call_end(listener, &call);
    io_balance_check(&before, listener->routine);
    return status;
}

/* Only the leaving thread's own calls are left. */
static bool is_idle(ULONG_PTR *running)
{
    const struct pnp_listener *listener = CONTAINING_RECORD(running, struct pnp_listener, running);
    return __atomic_load_n(running, __ATOMIC_SEQ_CST) == listener->own;
}

void pnp_listener_leave(struct pnp_listener *listener)
{
    PKTHREAD self = ke_thread_current();
    plat_lock_acquire(&pnp_lock);
    bool left = listener->leaving;
    listener->leaving = true;
    for (LIST_ENTRY *entry = calls.Flink; entry != &calls && !left; entry = entry->Flink) {
        const struct call *call = CONTAINING_RECORD(entry, struct call, link);
        listener->own += call->listener == listener && call->thread == self;
    }
    plat_lock_release(&pnp_lock);
    if (left)
        return;
    ex_park_until(is_idle, &listener->running);
    pnp_listener_release(listener);
}

bool pnp_listener_is(const void *address)
{
    bool found = false;
    plat_lock_acquire(&pnp_lock);
    for (LIST_ENTRY *entry = listeners.Flink; entry != &listeners && !found; entry = entry->Flink)
        found = listener_at(entry) == address && !listener_at(entry)->leaving;
    plat_lock_release(&pnp_lock);
    return found;
}

/* ---- drivers that go ---- */

static bool of_driver(const struct pnp_listener *listener, const void *driver)
{
    return listener->driver == driver;
}

void pnp_listeners_forget(const DRIVER_OBJECT *driver)
{
    struct pnp_listener *listener = NULL;
    while ((listener = pnp_listener_next(listener, of_driver, driver)) != NULL)
        pnp_listener_leave(listener);
}

static bool any(const struct pnp_listener *listener, const void *nothing)
{
    UNREFERENCED_PARAMETER(nothing);
    return listener->caller != 0;
}

void pnp_listeners_tell(io_leak_teller *tell, void *reporter)
{
    struct pnp_listener *listener = NULL;
    while ((listener = pnp_listener_next(listener, any, NULL)) != NULL)
        tell(reporter, listener->caller, "registered", "plug and play notification");
}
