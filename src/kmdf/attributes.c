/*
 * attributes.c - WDF_OBJECT_ATTRIBUTES: what is wrong with them, and what they come to for an object. The statuses are
 * those of the page "Framework Object Creation Errors".
 */
#include "kmdf.h"

SIZE_T kmdf_context_size(const WDF_OBJECT_ATTRIBUTES *attributes)
{
    if (!attributes || !attributes->ContextTypeInfo)
        return 0;
    SIZE_T given = attributes->ContextTypeInfo->ContextSize;
    return attributes->ContextSizeOverride ? attributes->ContextSizeOverride : given;
}

static NTSTATUS check_context(const WDF_OBJECT_ATTRIBUTES *attributes)
{
    const WDF_OBJECT_CONTEXT_TYPE_INFO *info = attributes->ContextTypeInfo;
    if (!info)
        return attributes->ContextSizeOverride ? STATUS_WDF_OBJECT_ATTRIBUTES_INVALID : STATUS_SUCCESS;
    if (info->Size != sizeof(*info) || (info->ContextName && !kmdf_context_size(attributes)) ||
        (attributes->ContextSizeOverride && attributes->ContextSizeOverride < info->ContextSize))
        return STATUS_WDF_OBJECT_ATTRIBUTES_INVALID;
    return STATUS_SUCCESS;
}

static NTSTATUS check_levels(const WDF_OBJECT_ATTRIBUTES *attributes, const struct kmdf_type *type)
{
    WDF_EXECUTION_LEVEL level = attributes->ExecutionLevel;
    WDF_SYNCHRONIZATION_SCOPE scope = attributes->SynchronizationScope;
    if (level <= WdfExecutionLevelInvalid || level > WdfExecutionLevelDispatch ||
        scope <= WdfSynchronizationScopeInvalid || scope > WdfSynchronizationScopeNone)
        return STATUS_WDF_OBJECT_ATTRIBUTES_INVALID;
    if (level != WdfExecutionLevelInheritFromParent && !(type->flags & KMDF_EXECUTION))
        return STATUS_WDF_EXECUTION_LEVEL_INVALID;
    if (scope != WdfSynchronizationScopeInheritFromParent && scope != WdfSynchronizationScopeNone &&
        !(type->flags & KMDF_SYNCHRONIZATION))
        return STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID;
    return STATUS_SUCCESS;
}

NTSTATUS kmdf_attributes_check(const WDF_OBJECT_ATTRIBUTES *attributes, const struct kmdf_type *type,
                               const char *function)
{
    if (!attributes)
        return type->flags & KMDF_PARENT_REQUIRED ? STATUS_WDF_PARENT_NOT_SPECIFIED : STATUS_SUCCESS;
    if (attributes->Size != sizeof(*attributes))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status = check_context(attributes);
    if (!NT_SUCCESS(status))
        return status;
    if (attributes->ParentObject && !(type->flags & (KMDF_PARENT_ALLOWED | KMDF_PARENT_REQUIRED)))
        return STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED;
    if (!attributes->ParentObject && (type->flags & KMDF_PARENT_REQUIRED))
        return STATUS_WDF_PARENT_NOT_SPECIFIED;
    if (attributes->ParentObject)
        kmdf_object_of(attributes->ParentObject, NULL, function);
    return check_levels(attributes, type);
}

/* The driver object's own defaults stand for what nobody set: any level, no synchronisation. */
WDF_EXECUTION_LEVEL kmdf_execution_level(const struct kmdf_object *object)
{
    for (; object; object = object->parent)
        if (object->execution != WdfExecutionLevelInheritFromParent)
            return object->execution;
    return WdfExecutionLevelDispatch;
}

WDF_SYNCHRONIZATION_SCOPE kmdf_synchronization_scope(const struct kmdf_object *object)
{
    for (; object; object = object->parent)
        if (object->scope != WdfSynchronizationScopeInheritFromParent)
            return object->scope;
    return WdfSynchronizationScopeNone;
}
