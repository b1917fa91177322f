/*
 * kmdf_sync.h - the presentation lock: one for each device and queue, which keeps event callbacks apart as far as the
 * synchronization scope says.
 *
 * Where execution is WdfExecutionLevelPassive it is a mutex taken at PASSIVE_LEVEL, inside a critical region; else a
 * spin lock, held at DISPATCH_LEVEL. Whoever calls an event callback of queues, requests, or of a timer, DPC or work
 * item with AutomaticSerialization:
 *
 *     kmdf_sync_enter(queue->sync);
 *     ... KMDF_CALL ...
 *     kmdf_sync_leave(queue->sync);
 *
 * No framework lock may be held. A thread that has it already (kmdf_sync_held: the driver took it by
 * WdfObjectAcquireLock, or called the framework from a callback) cannot enter again: what it would present waits until
 * it has left, or goes to a DPC or work item.
 */
#pragma once
#include "kmdf.h"

struct kmdf_sync {
    struct kmdf_object *owner;
    bool passive;
    KSPIN_LOCK spin;
    KEVENT free;     /* the mutex: set while nobody has it */
    PKTHREAD holder; /* written by the holder alone */
    KIRQL irql;      /* the holder's before */
};

/* The lock of a new device or queue, once its attributes and its parent are there. */
void kmdf_sync_init(struct kmdf_sync *sync, struct kmdf_object *owner);
/* The lock that object's callbacks are under: the nearest device's, the nearest queue's, or null: none. To be asked
 * when the object is made: it goes by the parents, who are gone when it is deleted. */
struct kmdf_sync *kmdf_sync_of(struct kmdf_object *object);
/* Both may be given null, which is nothing to wait for. Entering twice is WDF_VIOLATION (2). The mutex: IRQL <=
 * APC_LEVEL. */
void kmdf_sync_enter(struct kmdf_sync *sync);
void kmdf_sync_leave(struct kmdf_sync *sync);
/* The calling thread has it. */
bool kmdf_sync_held(const struct kmdf_sync *sync);
