/*
 * object.c - the life of framework objects: creation, references, destruction. How they are deleted is in
 * object_end.c.
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

/* ---- work that cannot be done here and now ---- */

void kmdf_busy_locked(struct kmdf_client *client)
{
    if (!client->busy++)
        KeClearEvent(&client->idle);
}

void kmdf_busy(struct kmdf_client *client)
{
    plat_lock_acquire(&kmdf_lock);
    kmdf_busy_locked(client);
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

void kmdf_object_defer(struct kmdf_object *object, PWORKER_THREAD_ROUTINE routine)
{
    kmdf_busy(object->client);
    object->deferred = (WORK_QUEUE_ITEM){.WorkerRoutine = routine, .Parameter = object};
    ExQueueWorkItem(&object->deferred, DelayedWorkQueue);
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
        kmdf_set_state(object, KMDF_DESTROYED);
    plat_lock_release(&kmdf_lock);
    if (left)
        return;
    if (state != KMDF_DISPOSED)
        kmdf_violation(KMDF_OBJECT_ERROR, (ULONG_PTR)object->handle, 0, 0,
                       "the %s 0x%llx lost its last reference by WdfObjectDereference; WdfObjectDelete deletes objects",
                       object->type->name, (ULONG64)(ULONG_PTR)object->handle);
    if (object->passive && KeGetCurrentIrql() > PASSIVE_LEVEL)
        kmdf_object_defer(object, destroy_deferred);
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
