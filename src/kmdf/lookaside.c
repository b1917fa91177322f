/*
 * lookaside.c - lists from which drivers get memory objects of one size.
 *
 * A list remembers how its buffers are to be; it keeps none of them, so that one that is used after its object was
 * deleted, or overrun, is found as any other block of pool is.
 */
#include "kmdf_memory.h"

struct kmdf_lookaside {
    struct kmdf_object object;
    SIZE_T size;
    POOL_TYPE type;
    ULONG tag;
    WDF_OBJECT_ATTRIBUTES attributes; /* of the memory objects */
    bool has_attributes;
};

static const struct kmdf_type kmdf_lookaside_type = {
    .name = "WDFLOOKASIDE", .size = sizeof(struct kmdf_lookaside), .flags = KMDF_PARENT_ALLOWED};

/*
 * A list of buffers of BufferSize bytes; memory objects it has given are not its children and may outlive it.
 * STATUS_INVALID_PARAMETER: BufferSize is 0. MemoryAttributes are checked here and used for each object, their parent
 * must outlive the list. IRQL <= APC_LEVEL.
 */
NTSTATUS NTAPI WdfLookasideListCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_OBJECT_ATTRIBUTES LookasideAttributes,
                                      size_t BufferSize, POOL_TYPE PoolType, PWDF_OBJECT_ATTRIBUTES MemoryAttributes,
                                      ULONG PoolTag, WDFLOOKASIDE *Lookaside)
{
    struct kmdf_lookaside *list;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Lookaside);
    *Lookaside = NULL;
    if (!BufferSize)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = kmdf_attributes_check(MemoryAttributes, &kmdf_memory_type, __func__);
    if (NT_SUCCESS(status))
        status = kmdf_object_create(client, &kmdf_lookaside_type, LookasideAttributes,
                                    client->driver ? &client->driver->object : NULL, seh_export_caller(),
                                    (struct kmdf_object **)&list);
    if (!NT_SUCCESS(status))
        return status;
    list->object.passive |= (PoolType & PagedPool) != 0;
    list->size = BufferSize;
    list->type = PoolType;
    list->tag = PoolTag;
    list->has_attributes = MemoryAttributes != NULL;
    if (MemoryAttributes)
        list->attributes = *MemoryAttributes;
    *Lookaside = KMDF_HANDLE(WDFLOOKASIDE, list);
    return STATUS_SUCCESS;
}

/* A memory object with a buffer of the list's size; WdfObjectDelete gives it back. IRQL <= DISPATCH_LEVEL, of paged
 * pool <= APC_LEVEL. */
NTSTATUS NTAPI WdfMemoryCreateFromLookaside(PWDF_DRIVER_GLOBALS DriverGlobals, WDFLOOKASIDE Lookaside,
                                            WDFMEMORY *Memory)
{
    struct kmdf_memory *memory;
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_lookaside *list = KMDF_GET(lookaside, Lookaside);
    kmdf_require(Memory);
    *Memory = NULL;
    NTSTATUS status = kmdf_memory_create_pool(list->object.client, list->has_attributes ? &list->attributes : NULL,
                                              list->type, list->tag, list->size, seh_export_caller(), &memory);
    if (NT_SUCCESS(status))
        *Memory = KMDF_HANDLE(WDFMEMORY, memory);
    return status;
}
