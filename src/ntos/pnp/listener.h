/* listener.h - registrations of IoRegisterPlugPlayNotification: listener.c keeps them, notify.c knows the events. */
#pragma once
#include "pnp_internal.h"

struct pnp_listener {
    LIST_ENTRY link;        /* of all, oldest first, until the last reference goes; pnp_lock */
    LONG references;        /* one for being registered, one for each use; pnp_lock */
    bool leaving;           /* no more calls begin; pnp_lock */
    ULONG_PTR running, own; /* calls that run; how many of them the thread that leaves is in itself */
    IO_NOTIFICATION_EVENT_CATEGORY category;
    GUID class;                /* of interfaces */
    DEVICE_OBJECT *target;     /* a PDO, referenced, or null */
    FILE_OBJECT *file;         /* what the driver named it with */
    DRIVER_OBJECT *driver;     /* referenced */
    ULONG_PTR routine, caller; /* caller: the code that registered it */
    PVOID context;
};

/* Adds a copy of it, with a reference for being registered and one for the caller. */
NTSTATUS pnp_listener_add(const struct pnp_listener *listener, struct pnp_listener **added);
void pnp_listener_release(struct pnp_listener *listener);
/* The next (first, after null) that wants takes, referenced; after's reference goes. */
struct pnp_listener *pnp_listener_next(struct pnp_listener *after,
                                       bool (*wants)(const struct pnp_listener *listener, const void *subject),
                                       const void *subject);
/* Calls its routine as the system process; STATUS_SUCCESS if it is leaving. No lock may be held. */
NTSTATUS pnp_listener_call(struct pnp_listener *listener, void *notification);
/* No more calls begin; waits for those that run in other threads. Gives the registration's reference back. */
void pnp_listener_leave(struct pnp_listener *listener);
/* An address that pnp_listener_add gave and that is still registered. */
bool pnp_listener_is(const void *address);
