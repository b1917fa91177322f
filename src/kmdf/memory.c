/*
 * memory.c - memory objects: how they come into being, and how their buffers go.
 *
 * A block of pool goes with the last reference to its object; what a request lends (its buffers, locked user pages)
 * goes when the object is disposed, which is before the sender learns that the request has ended.
 */
#include "kmdf_memory.h"

#define MDL_TAG RTL_TAG('M', 'd', 'l', ' ')
#define MDL_MAX (0xFFFFFFFFull - PAGE_SIZE)

static void memory_cleanup(struct kmdf_object *object)
{
    struct kmdf_memory *memory = (struct kmdf_memory *)object;
    if (memory->kind != KMDF_MEMORY_REQUEST && memory->kind != KMDF_MEMORY_LOCKED)
        return;
    if (memory->kind == KMDF_MEMORY_LOCKED && memory->mdl)
        MmUnlockPages(memory->mdl); /* and unmaps */
    if (memory->mdl)
        kmdf_mdl_free(memory->mdl);
    memory->mdl = NULL;
    memory->buffer = NULL;
    memory->size = 0;
}

static void memory_destroy(struct kmdf_object *object)
{
    struct kmdf_memory *memory = (struct kmdf_memory *)object;
    if (memory->kind == KMDF_MEMORY_POOL && memory->buffer)
        mm_pool_free(memory->buffer, memory->tag, 0);
}

static bool memory_no_delete(const struct kmdf_object *object)
{
    return ((const struct kmdf_memory *)object)->kind == KMDF_MEMORY_REQUEST;
}

const struct kmdf_type kmdf_memory_type = {.name = "WDFMEMORY",
                                           .size = sizeof(struct kmdf_memory),
                                           .flags = KMDF_PARENT_ALLOWED,
                                           .cleanup = memory_cleanup,
                                           .destroy = memory_destroy,
                                           .no_delete = memory_no_delete};

NTSTATUS kmdf_memory_create(struct kmdf_client *client, const WDF_OBJECT_ATTRIBUTES *attributes,
                            struct kmdf_object *parent, enum kmdf_memory_kind kind, ULONG_PTR caller,
                            struct kmdf_memory **memory)
{
    struct kmdf_object *object;
    NTSTATUS status = kmdf_object_create(client, &kmdf_memory_type, attributes, parent, caller, &object);
    if (!NT_SUCCESS(status))
        return status;
    *memory = (struct kmdf_memory *)object;
    (*memory)->kind = kind;
    return STATUS_SUCCESS;
}

NTSTATUS kmdf_memory_create_pool(struct kmdf_client *client, const WDF_OBJECT_ATTRIBUTES *attributes, POOL_TYPE type,
                                 ULONG tag, SIZE_T size, ULONG_PTR caller, struct kmdf_memory **created)
{
    struct kmdf_memory *memory;
    struct kmdf_object *parent = client->driver ? &client->driver->object : NULL;
    ULONG flags = type & PagedPool ? MM_POOL_PAGED : 0;
    NTSTATUS status = kmdf_memory_create(client, attributes, parent, KMDF_MEMORY_POOL, caller, &memory);
    if (!NT_SUCCESS(status))
        return status;
    memory->object.passive |= (type & PagedPool) != 0;
    memory->tag = tag ? tag : client->globals.DriverTag;
    memory->size = size;
    if (type & NonPagedPoolCacheAligned)
        flags |= MM_POOL_CACHE_ALIGNED;
    memory->buffer = mm_pool_allocate(size, memory->tag, flags, MM_POOL_KERNEL, caller);
    if (!memory->buffer) {
        kmdf_object_discard(&memory->object);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *created = memory;
    return STATUS_SUCCESS;
}

MDL *kmdf_mdl_allocate(PVOID address, SIZE_T length, ULONG_PTR caller)
{
    if (length > MDL_MAX)
        return NULL;
    MDL *mdl = mm_pool_allocate(MmSizeOfMdl(address, length), MDL_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, caller);
    return mdl ? MmCreateMdl(mdl, address, length) : NULL;
}

void kmdf_mdl_free(MDL *mdl)
{
    mm_pool_free(mdl, MDL_TAG, 0);
}
