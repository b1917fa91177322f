/*
 * value.c - the values of a key: one pool block each, with name and data behind it.
 */
#include "cm_internal.h"

struct cm_value *cm_value_find(const struct cm_node *node, const UNICODE_STRING *name)
{
    for (LIST_ENTRY *at = node->values.Flink; at != &node->values; at = at->Flink) {
        struct cm_value *value = CONTAINING_RECORD(at, struct cm_value, link);
        if (RtlEqualUnicodeString(&value->name, name, TRUE))
            return value;
    }
    return NULL;
}

struct cm_value *cm_value_at(const struct cm_node *node, ULONG index)
{
    if (index >= node->value_count)
        return NULL;
    LIST_ENTRY *at = node->values.Flink;
    while (index--)
        at = at->Flink;
    return CONTAINING_RECORD(at, struct cm_value, link);
}

void cm_value_free(struct cm_node *node, struct cm_value *value)
{
    RemoveEntryList(&value->link);
    node->value_count--;
    cm_held.values--;
    cm_held.bytes -= value->bytes + value->name.Length;
    mm_pool_free(value, CM_TAG, 0);
}

static struct cm_value *value_make(PCUNICODE_STRING name, ULONG type, const void *data, ULONG bytes)
{
    struct cm_value *value = mm_pool_allocate(sizeof(*value) + name->Length + bytes, CM_TAG, 0, MM_POOL_KERNEL, 0);
    if (!value)
        return NULL;
    WCHAR *text = (WCHAR *)(value + 1);
    *value = (struct cm_value){
        .type = type, .bytes = bytes, .name = {name->Length, name->Length, text}, .data = (UCHAR *)text + name->Length};
    if (name->Length)
        __builtin_memcpy(text, name->Buffer, name->Length);
    if (bytes)
        __builtin_memcpy(value->data, data, bytes);
    return value;
}

NTSTATUS cm_value_store(struct cm_node *node, PCUNICODE_STRING name, ULONG type, const void *data, ULONG bytes)
{
    struct cm_value *old = cm_value_find(node, name), *value;
    if (name->Length > CM_VALUE_NAME_MAX * sizeof(WCHAR) || bytes > CM_VALUE_MAX)
        return STATUS_INVALID_PARAMETER;
    if (cm_held.bytes + name->Length + bytes > CM_BYTES_MAX || (!old && cm_held.values >= CM_VALUES_MAX))
        return STATUS_INSUFFICIENT_RESOURCES;
    value = value_make(old ? &old->name : name, type, data, bytes); /* a value keeps the spelling it was made with */
    if (!value)
        return STATUS_INSUFFICIENT_RESOURCES;
    InsertTailList(old ? &old->link : &node->values, &value->link);
    node->value_count++;
    cm_held.values++;
    cm_held.bytes += value->name.Length + bytes;
    if (old)
        cm_value_free(node, old);
    cm_changed(node, REG_NOTIFY_CHANGE_LAST_SET);
    cm_node_touch(node);
    return STATUS_SUCCESS;
}

static NTSTATUS do_value_set(struct cm_key *key, PCUNICODE_STRING name, ULONG type, const void *data, ULONG bytes)
{
    plat_lock_acquire(&cm_lock);
    NTSTATUS status = key->node->deleted ? STATUS_KEY_DELETED : cm_value_store(key->node, name, type, data, bytes);
    plat_lock_release(&cm_lock);
    return status;
}

NTSTATUS cm_value_set(struct cm_key *key, PCUNICODE_STRING name, ULONG type, const void *data, ULONG bytes)
{
    REG_SET_VALUE_KEY_INFORMATION info = {
        .Object = key, .ValueName = (PUNICODE_STRING)name, .Type = type, .Data = (void *)data, .DataSize = bytes};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreSetValueKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_value_set(key, name, type, data, bytes);
    return cm_notified(&notice, RegNtPostSetValueKey, status);
}

static NTSTATUS do_value_delete(struct cm_key *key, PCUNICODE_STRING name)
{
    NTSTATUS status = STATUS_SUCCESS;
    plat_lock_acquire(&cm_lock);
    struct cm_value *value = cm_value_find(key->node, name);
    if (key->node->deleted) {
        status = STATUS_KEY_DELETED;
    } else if (!value) {
        status = STATUS_OBJECT_NAME_NOT_FOUND;
    } else {
        cm_value_free(key->node, value);
        cm_changed(key->node, REG_NOTIFY_CHANGE_LAST_SET);
        cm_node_touch(key->node);
    }
    plat_lock_release(&cm_lock);
    return status;
}

NTSTATUS cm_value_delete(struct cm_key *key, PCUNICODE_STRING name)
{
    REG_DELETE_VALUE_KEY_INFORMATION info = {.Object = key, .ValueName = (PUNICODE_STRING)name};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreDeleteValueKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_value_delete(key, name);
    return cm_notified(&notice, RegNtPostDeleteValueKey, status);
}

struct cm_copy *cm_copy_make(ULONG type, const UNICODE_STRING *name, ULONG bytes)
{
    SIZE_T size = sizeof(struct cm_copy) + name->Length + sizeof(WCHAR) + bytes + 2 * sizeof(WCHAR);
    struct cm_copy *copy = mm_pool_allocate(size, CM_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!copy)
        return NULL;
    copy->type = type;
    copy->bytes = bytes;
    copy->name = (WCHAR *)(copy + 1);
    copy->data = (UCHAR *)copy->name + name->Length + sizeof(WCHAR);
    if (name->Length)
        __builtin_memcpy(copy->name, name->Buffer, name->Length);
    return copy;
}

/* The system's hives are those below Machine. */
static bool is_trusted(const struct cm_node *node)
{
    UNICODE_STRING machine;
    RtlInitUnicodeString(&machine, (const WCHAR *)L"MACHINE");
    while (node->parent && node->parent != cm_root)
        node = node->parent;
    return RtlEqualUnicodeString(&node->name, &machine, TRUE);
}

NTSTATUS cm_value_copy(struct cm_key *key, const UNICODE_STRING *name, ULONG index, struct cm_copy **copy)
{
    NTSTATUS status = STATUS_SUCCESS;
    *copy = NULL;
    plat_lock_acquire(&cm_lock);
    const struct cm_value *value = name ? cm_value_find(key->node, name) : cm_value_at(key->node, index);
    if (key->node->deleted)
        status = STATUS_KEY_DELETED;
    else if (!value)
        status = name ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_NO_MORE_ENTRIES;
    else if (!(*copy = cm_copy_make(value->type, &value->name, value->bytes)))
        status = STATUS_INSUFFICIENT_RESOURCES;
    if (*copy) {
        (*copy)->trusted = is_trusted(key->node);
        if (value->bytes)
            __builtin_memcpy((*copy)->data, value->data, value->bytes);
    }
    plat_lock_release(&cm_lock);
    return status;
}
