/*
 * collection.c - collections: framework objects in a row, each referenced for as long as it is there.
 */
#include "kmdf_collection.h"

static void collection_cleanup(struct kmdf_object *object)
{
    struct kmdf_collection *collection = (struct kmdf_collection *)object;
    plat_lock_acquire(&collection->lock);
    struct kmdf_object **items = collection->items;
    ULONG count = collection->count;
    collection->items = NULL;
    collection->count = collection->room = 0;
    plat_lock_release(&collection->lock);
    for (ULONG i = 0; i < count; i++)
        kmdf_dereference(items[i]);
    if (items)
        mm_heap_free(items, KMDF_TAG);
}

/* What is added to a deleted one that somebody still references goes with it. */
const struct kmdf_type kmdf_collection_type = {.name = "WDFCOLLECTION",
                                               .size = sizeof(struct kmdf_collection),
                                               .flags = KMDF_PARENT_ALLOWED,
                                               .cleanup = collection_cleanup,
                                               .destroy = collection_cleanup};

/* Room for one more. The lock is held. */
static bool make_room(struct kmdf_collection *collection)
{
    if (collection->count < collection->room)
        return true;
    ULONG room = collection->room ? collection->room * 2 : 8;
    struct kmdf_object **items = room > collection->room ? mm_heap_allocate(room * sizeof(*items), KMDF_TAG) : NULL;
    if (!items)
        return false;
    if (collection->items) {
        __builtin_memcpy(items, collection->items, collection->count * sizeof(*items));
        mm_heap_free(collection->items, KMDF_TAG);
    }
    collection->items = items;
    collection->room = room;
    return true;
}

NTSTATUS kmdf_collection_add(struct kmdf_collection *collection, struct kmdf_object *item, ULONG_PTR caller)
{
    plat_lock_acquire(&collection->lock);
    bool room = make_room(collection);
    if (room) {
        kmdf_reference(item, caller);
        collection->items[collection->count++] = item;
    }
    plat_lock_release(&collection->lock);
    return room ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

struct kmdf_object *kmdf_collection_at(struct kmdf_collection *collection, ULONG index)
{
    plat_lock_acquire(&collection->lock);
    struct kmdf_object *item = index < collection->count ? collection->items[index] : NULL;
    plat_lock_release(&collection->lock);
    return item;
}

/* Takes out item, the first of it, or, if that is null, what stands at index. Null: there is none such. */
static struct kmdf_object *take(struct kmdf_collection *collection, const struct kmdf_object *item, ULONG index)
{
    struct kmdf_object *taken = NULL;
    plat_lock_acquire(&collection->lock);
    for (ULONG i = 0; item && !taken && i < collection->count; i++) {
        taken = collection->items[i] == item ? collection->items[i] : NULL;
        index = i;
    }
    if (!item && index < collection->count)
        taken = collection->items[index];
    if (taken) {
        collection->count--;
        for (ULONG i = index; i < collection->count; i++)
            collection->items[i] = collection->items[i + 1];
    }
    plat_lock_release(&collection->lock);
    return taken;
}

struct kmdf_object *kmdf_collection_take(struct kmdf_collection *collection, ULONG index)
{
    return take(collection, NULL, index);
}

static void remove_item(struct kmdf_collection *collection, const struct kmdf_object *item, ULONG index,
                        const char *function)
{
    struct kmdf_object *taken = take(collection, item, index);
    if (taken)
        kmdf_dereference(taken);
    else
        ke_verify_warn(seh_export_caller(), "%s was called for what is not in the WDFCOLLECTION 0x%llx", function,
                       (ULONG64)(ULONG_PTR)collection->object.handle);
}

/* An empty collection, child of the driver object unless the attributes name a parent. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WdfCollectionCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_OBJECT_ATTRIBUTES CollectionAttributes,
                                   WDFCOLLECTION *Collection)
{
    struct kmdf_collection *collection;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Collection);
    *Collection = NULL;
    NTSTATUS status = kmdf_object_create(client, &kmdf_collection_type, CollectionAttributes,
                                         client->driver ? &client->driver->object : NULL, seh_export_caller(),
                                         (struct kmdf_object **)&collection);
    if (!NT_SUCCESS(status))
        return status;
    plat_lock_init(&collection->lock);
    *Collection = KMDF_HANDLE(WDFCOLLECTION, collection);
    return STATUS_SUCCESS;
}

ULONG NTAPI WdfCollectionGetCount(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCOLLECTION Collection)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return __atomic_load_n(&KMDF_GET(collection, Collection)->count, __ATOMIC_RELAXED);
}

/* Adds a reference, at the end. An object may be in it several times. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WdfCollectionAdd(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCOLLECTION Collection, WDFOBJECT Object)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_collection *collection = KMDF_GET(collection, Collection);
    return kmdf_collection_add(collection, kmdf_object_of(Object, NULL, __func__), seh_export_caller());
}

/* Takes Item out, the first time it is there, and its reference away. One that is not there is told in a line. IRQL <=
 * DISPATCH_LEVEL. */
VOID NTAPI WdfCollectionRemove(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCOLLECTION Collection, WDFOBJECT Item)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_collection *collection = KMDF_GET(collection, Collection);
    remove_item(collection, kmdf_object_of(Item, NULL, __func__), 0, __func__);
}

/* The same by index from 0. */
VOID NTAPI WdfCollectionRemoveItem(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCOLLECTION Collection, ULONG Index)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    remove_item(KMDF_GET(collection, Collection), NULL, Index, __func__);
}

/* NULL: there are not that many. No reference is taken. */
WDFOBJECT NTAPI WdfCollectionGetItem(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCOLLECTION Collection, ULONG Index)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_object *item = kmdf_collection_at(KMDF_GET(collection, Collection), Index);
    return item ? item->handle : NULL;
}

WDFOBJECT NTAPI WdfCollectionGetFirstItem(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCOLLECTION Collection)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_object *item = kmdf_collection_at(KMDF_GET(collection, Collection), 0);
    return item ? item->handle : NULL;
}

WDFOBJECT NTAPI WdfCollectionGetLastItem(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCOLLECTION Collection)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_collection *collection = KMDF_GET(collection, Collection);
    plat_lock_acquire(&collection->lock);
    struct kmdf_object *item = collection->count ? collection->items[collection->count - 1] : NULL;
    plat_lock_release(&collection->lock);
    return item ? item->handle : NULL;
}
