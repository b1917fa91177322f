/*
 * object.c - the life of framework objects: creation, the tree they form, deletion in documented order, references.
 *
 * Deleting has two halves. Disposing goes down the tree and calls the cleanup callbacks, children's before their
 * parent's; releasing drops the reference of creation, children's first, and whoever drops the last one destroys. The
 * rules are those of docs/kmdf-objects.md.
 */
#include "kmdf.h"
#include "wdk/ps.h"

#define OBJECT_TAG RTL_TAG('K', 'm', 'O', 'b')

struct plat_lock kmdf_lock;

static void destroy(struct kmdf_object *object);

/* The lock is held. */
static void set_state(struct kmdf_object *object, enum kmdf_state state)
{
    __atomic_store_n(&object->state, state, __ATOMIC_RELEASE);
}

/* ---- creation ---- */

static NTSTATUS insert(struct kmdf_object *object, struct kmdf_object *parent)
{
    NTSTATUS status = STATUS_SUCCESS;
    plat_lock_acquire(&kmdf_lock);
    if (parent && parent->state != KMDF_ALIVE)
        status = STATUS_DELETE_PENDING;
    else if (!(object->handle = kmdf_handle_make(object)))
        status = STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(status)) {
        InsertTailList(&object->client->objects, &object->all);
        object->parent = parent;
        object->passive =
            (object->type->flags & KMDF_PASSIVE) || kmdf_execution_level(object) == WdfExecutionLevelPassive;
        if (parent)
            InsertTailList(&parent->children, &object->sibling);
    }
    plat_lock_release(&kmdf_lock);
    return status;
}

NTSTATUS kmdf_object_create(struct kmdf_client *client, const struct kmdf_type *type,
                            const WDF_OBJECT_ATTRIBUTES *attributes, struct kmdf_object *parent, ULONG_PTR caller,
                            struct kmdf_object **created)
{
    struct kmdf_context *context;
    NTSTATUS status = kmdf_attributes_check(attributes, type, type->name);
    if (!NT_SUCCESS(status))
        return status;
    struct kmdf_object *object = mm_heap_allocate(type->size, OBJECT_TAG);
    if (!object)
        return STATUS_INSUFFICIENT_RESOURCES;
    object->type = type;
    object->client = client;
    object->caller = caller;
    object->references = 1;
    object->execution = attributes ? attributes->ExecutionLevel : WdfExecutionLevelInheritFromParent;
    object->scope = attributes ? attributes->SynchronizationScope : WdfSynchronizationScopeInheritFromParent;
    InitializeListHead(&object->children);
    InitializeListHead(&object->sibling);
    if (attributes && attributes->ParentObject)
        parent = kmdf_handle_find(attributes->ParentObject);
    if (attributes)
        status = kmdf_context_add(object, attributes, caller, &context);
    if (NT_SUCCESS(status))
        status = insert(object, parent);
    if (!NT_SUCCESS(status)) {
        kmdf_contexts_free(object);
        mm_heap_free(object, OBJECT_TAG);
        return status;
    }
    *created = object;
    return STATUS_SUCCESS;
}

void kmdf_object_discard(struct kmdf_object *object)
{
    for (struct kmdf_context *context = object->contexts; context; context = context->next) {
        context->cleanup = NULL;
        context->destroy = NULL;
    }
    kmdf_object_delete(object);
}

/* ---- work that cannot be done here and now ---- */

static void busy_locked(struct kmdf_client *client)
{
    if (!client->busy++)
        KeClearEvent(&client->idle);
}

void kmdf_busy(struct kmdf_client *client)
{
    plat_lock_acquire(&kmdf_lock);
    busy_locked(client);
    plat_lock_release(&kmdf_lock);
}

/* The event is set under the lock: whoever sees it set may free the client at once. */
void kmdf_busy_end(struct kmdf_client *client)
{
    plat_lock_acquire(&kmdf_lock);
    if (!--client->busy)
        KeSetEvent(&client->idle, 0, FALSE);
    plat_lock_release(&kmdf_lock);
}

void kmdf_idle_wait(struct kmdf_client *client)
{
    KeWaitForSingleObject(&client->idle, Executive, KernelMode, FALSE, NULL);
    plat_lock_acquire(&kmdf_lock); /* the one who set it has left */
    plat_lock_release(&kmdf_lock);
}

static void defer(struct kmdf_object *object, PWORKER_THREAD_ROUTINE routine)
{
    kmdf_busy(object->client);
    object->deferred = (WORK_QUEUE_ITEM){.WorkerRoutine = routine, .Parameter = object};
    ExQueueWorkItem(&object->deferred, DelayedWorkQueue);
}

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
    set_state(object, KMDF_DELETING);
    object->unfinished++; /* until its children have been gone through */
    object->awaited_by = awaited_by;
    object->then = then;
    if (awaited_by)
        awaited_by->unfinished++;
    if (then)
        busy_locked(object->client);
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
    set_state(object, KMDF_DISPOSED);
    plat_lock_release(&kmdf_lock);
}

static VOID NTAPI finish_deferred(PVOID parameter);

/* All children have ended: the object's own cleanup and what follows it, then the same for each parent that has waited
 * for this one last. */
static void finish(struct kmdf_object *object)
{
    for (;;) {
        if (must_wait(object)) {
            defer(object, finish_deferred);
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
        busy_locked(child->client);
    }
    plat_lock_release(&kmdf_lock);
    defer(child, dispose_deferred);
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
        defer(object, dispose_deferred);
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

/* ---- references ---- */

void kmdf_reference(struct kmdf_object *object, ULONG_PTR caller)
{
    plat_lock_acquire(&kmdf_lock);
    object->references++;
    if (caller)
        object->referenced_by = caller;
    plat_lock_release(&kmdf_lock);
}

static VOID NTAPI destroy_deferred(PVOID parameter)
{
    struct kmdf_object *object = parameter;
    struct kmdf_client *client = object->client;
    destroy(object);
    kmdf_busy_end(client);
}

void kmdf_dereference(struct kmdf_object *object)
{
    plat_lock_acquire(&kmdf_lock);
    LONG left = --object->references;
    enum kmdf_state state = object->state;
    if (!left && state == KMDF_DISPOSED)
        set_state(object, KMDF_DESTROYED);
    plat_lock_release(&kmdf_lock);
    if (left)
        return;
    if (state != KMDF_DISPOSED)
        kmdf_violation(KMDF_OBJECT_ERROR, (ULONG_PTR)object->handle, 0, 0,
                       "the %s 0x%llx lost its last reference by WdfObjectDereference; WdfObjectDelete deletes objects",
                       object->type->name, (ULONG64)(ULONG_PTR)object->handle);
    if (object->passive && KeGetCurrentIrql() > PASSIVE_LEVEL)
        defer(object, destroy_deferred);
    else
        destroy(object);
}

static void destroy(struct kmdf_object *object)
{
    for (struct kmdf_context *context = object->contexts; context; context = context->next)
        if (context->destroy)
            KMDF_CALL1(context->destroy, object->handle);
    if (object->type->destroy)
        object->type->destroy(object);
    plat_lock_acquire(&kmdf_lock);
    kmdf_handle_free(object->handle);
    RemoveEntryList(&object->all);
    plat_lock_release(&kmdf_lock);
    kmdf_contexts_free(object);
    mm_heap_free(object, OBJECT_TAG);
}

struct kmdf_object *kmdf_ancestor(struct kmdf_object *object, const struct kmdf_type *type)
{
    while (object && object->type != type)
        object = object->parent;
    return object;
}
