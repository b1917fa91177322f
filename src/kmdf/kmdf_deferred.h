/*
 * kmdf_deferred.h - what timers, DPCs and work items share: a parent with a device above it, a callback under the
 * presentation lock if the driver wants that, and work that a system thread does.
 */
#pragma once
#include "kmdf_sync.h"
#include "wdk/ps.h"

struct kmdf_deferred {
    struct kmdf_object object;
    WDFOBJECT parent;
    ULONG_PTR callback;     /* may be 0 */
    struct kmdf_sync *sync; /* null: AutomaticSerialization is off or has nothing to go by */
    struct plat_lock lock;  /* all below, and what else the type has */
    bool closed;            /* it is being deleted: nothing starts any more */

    WORK_QUEUE_ITEM item;
    bool queued;     /* the callback is to be called */
    PKTHREAD runner; /* the worker that has the item */
    KEVENT idle;     /* set while it is neither queued nor run */
};

/*
 * Makes one as the attributes say. STATUS_INVALID_DEVICE_REQUEST: no device above the parent;
 * STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL: serialized, and the lock is not for callbacks at this level.
 */
NTSTATUS kmdf_deferred_create(struct kmdf_client *client, const struct kmdf_type *type,
                              const WDF_OBJECT_ATTRIBUTES *attributes, bool serialized, bool passive, ULONG_PTR caller,
                              struct kmdf_deferred **created);
/* Calls the callback with the object's handle. */
void kmdf_deferred_call(struct kmdf_deferred *deferred);
/* False from the first call on. */
bool kmdf_deferred_close(struct kmdf_deferred *deferred);

/* Has a worker call the callback; one call for all that were asked for before it begins. IRQL <= DISPATCH_LEVEL. */
void kmdf_work_queue(struct kmdf_deferred *deferred);
/* Returns when no call is waiting or running. False: the calling thread is the one that runs it. PASSIVE_LEVEL. */
bool kmdf_work_flush(struct kmdf_deferred *deferred);
/* The calling thread is in the callback: for struct kmdf_type.runs_here. */
bool kmdf_work_runs_here(const struct kmdf_object *object);
/*
 * Whether the calling thread can wait for the callback: it is at PASSIVE_LEVEL and not in the callback. If not, a line
 * says that function, which the driver called, would have waited for ever.
 */
bool kmdf_deferred_can_wait(struct kmdf_deferred *deferred, const char *function);
