/*
 * kmdf_memory.h - memory objects: a buffer and its length behind a handle, whoever owns the buffer.
 */
#pragma once
#include "kmdf.h"

enum kmdf_memory_kind {
    KMDF_MEMORY_POOL,         /* WdfMemoryCreate, WdfMemoryCreateFromLookaside: a block of its own */
    KMDF_MEMORY_PREALLOCATED, /* the driver's buffer */
    KMDF_MEMORY_REQUEST,      /* the input or output of a request */
    KMDF_MEMORY_LOCKED        /* user pages, locked and mapped until the request ends */
};

struct kmdf_memory {
    struct kmdf_object object;
    enum kmdf_memory_kind kind;
    UCHAR *buffer; /* null once the request it belongs to has ended */
    SIZE_T size;
    bool read_only; /* for WdfMemoryCopyFromBuffer */
    ULONG tag;      /* of a pool block */
    MDL *mdl;       /* of locked pages; of a request's buffer, if somebody asked for it */
};
extern const struct kmdf_type kmdf_memory_type;

/* A memory object around a buffer that is somebody else's; child of parent unless attributes name another. */
NTSTATUS kmdf_memory_create(struct kmdf_client *client, const WDF_OBJECT_ATTRIBUTES *attributes,
                            struct kmdf_object *parent, enum kmdf_memory_kind kind, ULONG_PTR caller,
                            struct kmdf_memory **memory);
/* The same with size bytes of pool of its own. tag 0: the driver's. */
NTSTATUS kmdf_memory_create_pool(struct kmdf_client *client, const WDF_OBJECT_ATTRIBUTES *attributes, POOL_TYPE type,
                                 ULONG tag, SIZE_T size, ULONG_PTR caller, struct kmdf_memory **memory);

/* An MDL for [address, +length), the framework's own; null: no memory, or more than an MDL can describe. */
MDL *kmdf_mdl_allocate(PVOID address, SIZE_T length, ULONG_PTR caller);
void kmdf_mdl_free(MDL *mdl);
/* The system address of locked pages, mapped if they are not yet; null: no MDL, or no room. */
PVOID kmdf_mdl_address(MDL *mdl);
