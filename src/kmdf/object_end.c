/*
 * object_end.c - how framework objects end: each with its children, in the documented order (docs/kmdf-objects.md),
 * whichever threads delete them.
 *
 * Deleting has two halves. Disposing goes down the tree and calls the cleanup callbacks, children's before their
 * parent's; releasing drops the reference of creation, children's first, and whoever drops the last one destroys.
 */
#include "kmdf.h"
#include "wdk/ps.h"

/* Its callbacks of cleanup must not run here. */
static bool must_wait(const struct kmdf_object *object)
{
    return (object->passive && KeGetCurrentIrql() > PASSIVE_LEVEL) ||
           (object->type->runs_here && object->type->runs_here(object));
}

/* ---- deletion ---- */

/* The lock is held. */
static void start(struct kmdf_object *object, struct kmdf_object *awaited_by, void (*then)(struct kmdf_object *object))
{
    kmdf_set_state(object, KMDF_DELETING);
    object->unfinished++; /* until its children have been gone through */
    object->awaited_by = awaited_by;
    object->then = then;
    if (awaited_by)
        awaited_by->unfinished++;
    if (then)
        kmdf_busy_locked(object->client);
}

static bool begin(struct kmdf_object *object, void (*then)(struct kmdf_object *object))
{
    plat_lock_acquire(&kmdf_lock);
    bool first = object->state == KMDF_ALIVE;
    if (first)
        start(object, object->parent, then);
    plat_lock_release(&kmdf_lock);
    return first;
}

/* The newest child nobody deletes yet, which is then being deleted; null: there is none. */
static struct kmdf_object *begin_child(struct kmdf_object *object)
{
    struct kmdf_object *found = NULL;
    plat_lock_acquire(&kmdf_lock);
    for (LIST_ENTRY *entry = object->children.Blink; entry != &object->children && !found; entry = entry->Blink) {
        struct kmdf_object *child = CONTAINING_RECORD(entry, struct kmdf_object, sibling);
        if (child->state == KMDF_ALIVE)
            found = child;
    }
    if (found)
        start(found, object, NULL);
    plat_lock_release(&kmdf_lock);
    return found;
}

static void leave_parent(struct kmdf_object *object)
{
    plat_lock_acquire(&kmdf_lock);
    RemoveEntryList(&object->sibling);
    InitializeListHead(&object->sibling);
    object->parent = NULL;
    plat_lock_release(&kmdf_lock);
}

/* One thing that object's end has waited for is over. True: it was the last, and the cleanup is the caller's to do. */
static bool was_last(struct kmdf_object *object)
{
    plat_lock_acquire(&kmdf_lock);
    bool last = !--object->unfinished && object->state == KMDF_DELETING;
    plat_lock_release(&kmdf_lock);
    return last;
}

static void clean_up(struct kmdf_object *object)
{
    if (object->type->cleanup)
        object->type->cleanup(object);
    for (struct kmdf_context *context = object->contexts; context; context = context->next)
        if (context->cleanup)
            KMDF_CALL1(context->cleanup, object->handle);
    plat_lock_acquire(&kmdf_lock);
    kmdf_set_state(object, KMDF_DISPOSED);
    plat_lock_release(&kmdf_lock);
}

static VOID NTAPI finish_deferred(PVOID parameter);

/* All children have ended: the object's own cleanup and what follows it, then the same for each parent that has waited
 * for this one last. */
static void finish(struct kmdf_object *object)
{
    for (;;) {
        if (must_wait(object)) {
            kmdf_object_defer(object, finish_deferred);
            return;
        }
        clean_up(object);
        struct kmdf_object *up = object->awaited_by;
        struct kmdf_client *client = object->client;
        void (*then)(struct kmdf_object *object) = object->then;
        if (then) {
            then(object); /* it may be gone */
            kmdf_busy_end(client);
        }
        if (!up || !was_last(up))
            return;
        object = up;
    }
}

static VOID NTAPI finish_deferred(PVOID parameter)
{
    struct kmdf_object *object = parameter;
    struct kmdf_client *client = object->client;
    finish(object);
    kmdf_busy_end(client);
}

static VOID NTAPI dispose_deferred(PVOID parameter);

/* A worker has to delete child. Above PASSIVE_LEVEL its parent's cleanup does not wait for that, as is documented. */
static void dispose_later(struct kmdf_object *child)
{
    plat_lock_acquire(&kmdf_lock);
    if (KeGetCurrentIrql() > PASSIVE_LEVEL) {
        child->parent->unfinished--; /* not to 0: who goes through the children is counted */
        RemoveEntryList(&child->sibling);
        InitializeListHead(&child->sibling);
        child->parent = child->awaited_by = NULL;
        child->then = kmdf_object_release;
        kmdf_busy_locked(child->client);
    }
    plat_lock_release(&kmdf_lock);
    kmdf_object_defer(child, dispose_deferred);
}

/*
 * Goes down the tree, and does the cleanups from the leaves up. A child that another thread is just deleting is not
 * waited for, since that thread may have to wait for something of this one: whoever finishes it goes on with its
 * parent.
 */
static void dispose(struct kmdf_object *root)
{
    struct kmdf_object *object = root;
    while (object) {
        struct kmdf_object *child = begin_child(object);
        if (child && must_wait(child)) {
            dispose_later(child);
        } else if (child) {
            object = child;
        } else {
            struct kmdf_object *up = object == root ? NULL : object->awaited_by;
            if (was_last(object))
                finish(object);
            object = up;
        }
    }
}

static VOID NTAPI dispose_deferred(PVOID parameter)
{
    struct kmdf_object *object = parameter;
    struct kmdf_client *client = object->client;
    dispose(object);
    kmdf_busy_end(client);
}

static void dispose_here_or_later(struct kmdf_object *object)
{
    if (must_wait(object))
        kmdf_object_defer(object, dispose_deferred);
    else
        dispose(object);
}

bool kmdf_object_dispose(struct kmdf_object *object, void (*then)(struct kmdf_object *object))
{
    if (!begin(object, then))
        return false;
    dispose_here_or_later(object);
    return true;
}

void kmdf_object_delete(struct kmdf_object *object)
{
    kmdf_object_dispose(object, kmdf_object_release);
}

static struct kmdf_object *newest_child(struct kmdf_object *object)
{
    plat_lock_acquire(&kmdf_lock);
    struct kmdf_object *child =
        IsListEmpty(&object->children) ? NULL : CONTAINING_RECORD(object->children.Blink, struct kmdf_object, sibling);
    plat_lock_release(&kmdf_lock);
    return child;
}

/* No child is left that somebody else releases: the object's turn came after their end. */
void kmdf_object_release(struct kmdf_object *root)
{
    struct kmdf_object *object = root;
    while (object) {
        struct kmdf_object *child = newest_child(object);
        if (child) {
            object = child;
            continue;
        }
        struct kmdf_object *up = object == root ? NULL : object->parent;
        leave_parent(object);
        kmdf_dereference(object);
        object = up;
    }
}
