/*
 * kmdf_collection.h - collections and strings.
 */
#pragma once
#include "kmdf.h"

struct kmdf_collection {
    struct kmdf_object object;
    struct plat_lock lock;
    struct kmdf_object **items; /* each referenced; the lock */
    ULONG count, room;
};
extern const struct kmdf_type kmdf_collection_type;

/* Adds item, with a reference that caller is told to have. STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS kmdf_collection_add(struct kmdf_collection *collection, struct kmdf_object *item, ULONG_PTR caller);
/* The item at index, or null. */
struct kmdf_object *kmdf_collection_at(struct kmdf_collection *collection, ULONG index);
/* Takes the item at index out; the reference it had there is the caller's. Null: there is none. */
struct kmdf_object *kmdf_collection_take(struct kmdf_collection *collection, ULONG index);

struct kmdf_string {
    struct kmdf_object object;
    UNICODE_STRING value; /* terminated, in pool; or all zero */
};
extern const struct kmdf_type kmdf_string_type;

/* A string object with a copy of value (null: empty), child of the driver object unless the attributes name a parent.
 */
NTSTATUS kmdf_string_create(struct kmdf_client *client, const UNICODE_STRING *value,
                            const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller, struct kmdf_string **string);
/* Replaces what string says by a copy. */
NTSTATUS kmdf_string_set(struct kmdf_string *string, const UNICODE_STRING *value);
