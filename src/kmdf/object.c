/*
 * object.c - the life of framework objects: creation, the tree they form, deletion in documented order, references.
 *
 * Deleting has two halves. Disposing goes down the tree and calls the cleanup callbacks, children's before their
 * parent's; releasing drops the reference of creation, children's first, and whoever drops the last one destroys.
 */
#include "kmdf.h"
#include "wdk/ps.h"

#define OBJECT_TAG RTL_TAG('K', 'm', 'O', 'b')

struct plat_lock kmdf_lock;

static void destroy(struct kmdf_object *object);

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

/* ---- work that waits for PASSIVE_LEVEL ---- */

void kmdf_busy(struct kmdf_client *client)
{
    plat_lock_acquire(&kmdf_lock);
    if (!client->busy++)
        KeClearEvent(&client->idle);
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

static bool must_wait(const struct kmdf_object *object)
{
    return object->passive && KeGetCurrentIrql() > PASSIVE_LEVEL;
}

/* ---- deletion ---- */

static bool begin(struct kmdf_object *object)
{
    plat_lock_acquire(&kmdf_lock);
    bool first = object->state == KMDF_ALIVE;
    if (first)
        object->state = KMDF_DELETING;
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
        found->state = KMDF_DELETING;
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

static void dispose_tree(struct kmdf_object *object);

static VOID NTAPI delete_deferred(PVOID parameter)
{
    struct kmdf_object *object = parameter;
    struct kmdf_client *client = object->client;
    dispose_tree(object);
    kmdf_object_release(object);
    kmdf_busy_end(client);
}

/* Children first. One that must wait for PASSIVE_LEVEL does so on its own, as is documented for those of requests. */
static void dispose_tree(struct kmdf_object *object)
{
    struct kmdf_object *child;
    while ((child = begin_child(object))) {
        if (must_wait(child)) {
            leave_parent(child);
            defer(child, delete_deferred);
        } else {
            dispose_tree(child);
        }
    }
    if (object->type->cleanup)
        object->type->cleanup(object);
    for (struct kmdf_context *context = object->contexts; context; context = context->next)
        if (context->cleanup)
            KMDF_CALL1(context->cleanup, object->handle);
    plat_lock_acquire(&kmdf_lock);
    object->state = KMDF_DISPOSED;
    plat_lock_release(&kmdf_lock);
}

bool kmdf_object_dispose(struct kmdf_object *object)
{
    if (!begin(object))
        return false;
    dispose_tree(object);
    return true;
}

void kmdf_object_release(struct kmdf_object *object)
{
    for (;;) {
        struct kmdf_object *child = NULL;
        plat_lock_acquire(&kmdf_lock);
        for (LIST_ENTRY *entry = object->children.Blink; entry != &object->children && !child; entry = entry->Blink)
            child = CONTAINING_RECORD(entry, struct kmdf_object, sibling);
        /* One that another thread is just deleting releases itself. */
        bool mine = child && child->state == KMDF_DISPOSED;
        plat_lock_release(&kmdf_lock);
        if (!child)
            break;
        leave_parent(child);
        if (mine)
            kmdf_object_release(child);
    }
    leave_parent(object);
    kmdf_dereference(object);
}

void kmdf_object_delete(struct kmdf_object *object)
{
    if (!begin(object))
        return;
    if (must_wait(object)) {
        defer(object, delete_deferred);
        return;
    }
    dispose_tree(object);
    kmdf_object_release(object);
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
        object->state = KMDF_DESTROYED;
    plat_lock_release(&kmdf_lock);
    if (left)
        return;
    if (state != KMDF_DISPOSED)
        kmdf_violation(KMDF_OBJECT_ERROR, (ULONG_PTR)object->handle, 0, 0,
                       "the %s 0x%llx lost its last reference by WdfObjectDereference; WdfObjectDelete deletes objects",
                       object->type->name, (ULONG64)(ULONG_PTR)object->handle);
    if (must_wait(object))
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
