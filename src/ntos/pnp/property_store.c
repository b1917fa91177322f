/*
 * property_store.c - properties of the unified device property model that drivers have set: a key, a language, a type
 * and data.
 */
#include "pnp_internal.h"

enum { PROPERTY_BYTES_MAX = 0x10000 };

struct property {
    LIST_ENTRY link; /* of its device or interface; pnp_lock */
    DEVPROPKEY key;
    ULONG lcid;
    DEVPROPTYPE type;
    LONG references; /* one for being in the list */
    ULONG bytes;
    UCHAR data[];
};

static void release(struct property *property)
{
    if (!__atomic_sub_fetch(&property->references, 1, __ATOMIC_ACQ_REL))
        mm_heap_free(property, PNP_TAG);
}

static bool same_key(const DEVPROPKEY *first, const DEVPROPKEY *second)
{
    return first->pid == second->pid && __builtin_memcmp(&first->fmtid, &second->fmtid, sizeof(GUID)) == 0;
}

/* Lock held. any_language: the first that has the key. */
static struct property *find(LIST_ENTRY *properties, const DEVPROPKEY *key, ULONG lcid, bool any_language)
{
    for (LIST_ENTRY *entry = properties->Flink; entry != properties; entry = entry->Flink) {
        struct property *property = CONTAINING_RECORD(entry, struct property, link);
        if (same_key(&property->key, key) && (any_language || property->lcid == lcid))
            return property;
    }
    return NULL;
}

void pnp_properties_free(LIST_ENTRY *properties)
{
    while (!IsListEmpty(properties))
        release(CONTAINING_RECORD(RemoveHeadList(properties), struct property, link));
}

static NTSTATUS forget(LIST_ENTRY *properties, const DEVPROPKEY *key, ULONG lcid)
{
    struct property *property;
    NTSTATUS status = STATUS_OBJECT_NAME_NOT_FOUND;
    do {
        plat_lock_acquire(&pnp_lock);
        property = find(properties, key, lcid, lcid == 0);
        if (property)
            RemoveEntryList(&property->link);
        plat_lock_release(&pnp_lock);
        if (property) {
            release(property);
            status = STATUS_SUCCESS;
        }
    } while (property);
    return status;
}

NTSTATUS pnp_property_set(LIST_ENTRY *properties, const DEVPROPKEY *key, ULONG lcid, DEVPROPTYPE type, const void *data,
                          ULONG size)
{
    if (!data)
        return forget(properties, key, lcid);
    if (size > PROPERTY_BYTES_MAX)
        return STATUS_INVALID_PARAMETER;
    struct property *made = mm_heap_allocate(sizeof(*made) + size, PNP_TAG);
    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    *made = (struct property){.key = *key, .lcid = lcid, .type = type, .references = 1, .bytes = size};
    __builtin_memcpy(made->data, data, size);
    plat_lock_acquire(&pnp_lock);
    struct property *old = find(properties, key, lcid, false);
    if (old)
        RemoveEntryList(&old->link);
    InsertTailList(properties, &made->link);
    plat_lock_release(&pnp_lock);
    if (old)
        release(old);
    return STATUS_SUCCESS;
}

NTSTATUS pnp_property_get(LIST_ENTRY *properties, const DEVPROPKEY *key, ULONG lcid, void *data, ULONG size,
                          ULONG *bytes, DEVPROPTYPE *type)
{
    NTSTATUS status = STATUS_SUCCESS;
    plat_lock_acquire(&pnp_lock);
    struct property *found = find(properties, key, lcid, false);
    if (!found && lcid)
        found = find(properties, key, 0, false); /* what holds for every language */
    if (found)
        __atomic_add_fetch(&found->references, 1, __ATOMIC_RELAXED);
    plat_lock_release(&pnp_lock);
    if (!found)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    *bytes = found->bytes;
    *type = found->type;
    if (size < found->bytes)
        status = STATUS_BUFFER_TOO_SMALL;
    else if (found->bytes)
        __builtin_memcpy(data, found->data, found->bytes);
    release(found);
    return status;
}
