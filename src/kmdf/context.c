/*
 * context.c - typed contexts: the memory a driver has with an object, each in a pool block of its own, so that what
 * runs over its end faults.
 */
#include "kmdf.h"

#define CONTEXT_TAG RTL_TAG('K', 'm', 'C', 'x')

static const WDF_OBJECT_CONTEXT_TYPE_INFO *identity(const WDF_OBJECT_CONTEXT_TYPE_INFO *info)
{
    return info->UniqueType ? info->UniqueType : info;
}

static struct kmdf_context *find(const struct kmdf_object *object, const WDF_OBJECT_CONTEXT_TYPE_INFO *type)
{
    struct kmdf_context *context = object->contexts;
    while (context && context->type != type)
        context = context->next;
    return context;
}

NTSTATUS kmdf_context_add(struct kmdf_object *object, const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller,
                          struct kmdf_context **added)
{
    SIZE_T size = kmdf_context_size(attributes);
    const WDF_OBJECT_CONTEXT_TYPE_INFO *type =
        attributes->ContextTypeInfo ? identity(attributes->ContextTypeInfo) : NULL;
    if (size > (SIZE_T)-1 - sizeof(struct kmdf_context))
        return STATUS_INTEGER_OVERFLOW;
    struct kmdf_context *context =
        mm_pool_allocate(sizeof(*context) + size, CONTEXT_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, caller);
    if (!context)
        return STATUS_INSUFFICIENT_RESOURCES;
    *context = (struct kmdf_context){.object = object,
                                     .type = type,
                                     .cleanup = attributes->EvtCleanupCallback,
                                     .destroy = attributes->EvtDestroyCallback,
                                     .size = size};
    plat_lock_acquire(&kmdf_lock);
    struct kmdf_context *there = type ? find(object, type) : NULL;
    if (!there) { /* at the end: callbacks run in the order in which contexts came */
        struct kmdf_context **link = &object->contexts;
        while (*link)
            link = &(*link)->next;
        *link = context;
    }
    plat_lock_release(&kmdf_lock);
    if (there)
        mm_pool_free(context, CONTEXT_TAG, 0);
    *added = there ? there : context;
    return there ? STATUS_OBJECT_NAME_EXISTS : STATUS_SUCCESS;
}

void kmdf_contexts_free(struct kmdf_object *object)
{
    struct kmdf_context *next;
    for (struct kmdf_context *context = object->contexts; context; context = next) {
        next = context->next;
        mm_pool_free(context, CONTEXT_TAG, 0);
    }
    object->contexts = NULL;
}

/* The object's context of that type, or NULL. The one method that EvtDestroyCallback may call. IRQL: any. */
PVOID NTAPI WdfObjectGetTypedContextWorker(PWDF_DRIVER_GLOBALS DriverGlobals, WDFOBJECT Handle,
                                           PCWDF_OBJECT_CONTEXT_TYPE_INFO TypeInfo)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_object *object = kmdf_handle_find(Handle);
    if (!object)
        kmdf_object_of(Handle, NULL, __func__);
    kmdf_require(TypeInfo);
    plat_lock_acquire(&kmdf_lock);
    struct kmdf_context *context = find(object, TypeInfo);
    plat_lock_release(&kmdf_lock);
    return context ? context + 1 : NULL;
}

/*
 * Adds a context to an object that exists, with its own callbacks. STATUS_OBJECT_NAME_EXISTS, a success: there is one
 * of the type, *Context is that. ParentObject must be null and the levels inherited. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfObjectAllocateContext(PWDF_DRIVER_GLOBALS DriverGlobals, WDFOBJECT Handle,
                                        PWDF_OBJECT_ATTRIBUTES ContextAttributes, PVOID *Context)
{
    static const struct kmdf_type context_type = {.name = "context"};
    struct kmdf_context *context;
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_object *object = kmdf_object_of(Handle, NULL, __func__);
    kmdf_require(ContextAttributes);
    if (Context)
        *Context = NULL;
    NTSTATUS status = kmdf_attributes_check(ContextAttributes, &context_type, __func__);
    if (NT_SUCCESS(status) && !ContextAttributes->ContextTypeInfo)
        status = STATUS_OBJECT_NAME_INVALID;
    if (NT_SUCCESS(status) && kmdf_state_of(object) != KMDF_ALIVE)
        status = STATUS_DELETE_PENDING;
    if (NT_SUCCESS(status))
        status = kmdf_context_add(object, ContextAttributes, seh_export_caller(), &context);
    if (NT_SUCCESS(status) && Context)
        *Context = context + 1;
    return status;
}

/* The object a context belongs to. A pointer that is no context of an object is WDF_VIOLATION. IRQL: any. */
WDFOBJECT NTAPI WdfObjectContextGetObject(PWDF_DRIVER_GLOBALS DriverGlobals, PVOID ContextPointer)
{
    struct mm_pool_block block;
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_require(ContextPointer);
    const struct kmdf_context *context = (const struct kmdf_context *)ContextPointer - 1;
    if (!mm_pool_find((ULONG_PTR)context, &block) || block.address != (ULONG_PTR)context || block.tag != CONTEXT_TAG)
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)ContextPointer, 0, 0,
                       "%s was given 0x%llx, which is not the context of an object", __func__,
                       (ULONG64)(ULONG_PTR)ContextPointer);
    return context->object->handle;
}
