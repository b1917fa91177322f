/*
 * resource_list.c - lists of hardware resources: what the PnP manager has assigned to a device, as objects.
 *
 * Each descriptor is a block of its own, so that the pointers that drivers get stay good while the list changes.
 */
#include "kmdf_device.h"
#include "wdk/resource.h"

#define RESOURCE_TAG RTL_TAG('K', 'm', 'R', 's')

struct kmdf_descriptor {
    CM_PARTIAL_RESOURCE_DESCRIPTOR descriptor;
};

static void resources_destroy(struct kmdf_object *object)
{
    struct kmdf_resources *resources = (struct kmdf_resources *)object;
    for (ULONG i = 0; i < resources->count; i++)
        mm_heap_free(resources->descriptors[i], RESOURCE_TAG);
    if (resources->descriptors)
        mm_heap_free(resources->descriptors, RESOURCE_TAG);
}

const struct kmdf_type kmdf_resources_type = {.name = "WDFCMRESLIST",
                                              .size = sizeof(struct kmdf_resources),
                                              .flags = KMDF_NO_DELETE,
                                              .destroy = resources_destroy};

static bool make_room(struct kmdf_resources *resources)
{
    if (resources->count < resources->room)
        return true;
    ULONG room = resources->room ? resources->room * 2 : 8;
    struct kmdf_descriptor **descriptors = mm_heap_allocate(room * sizeof(*descriptors), RESOURCE_TAG);
    if (!descriptors)
        return false;
    if (resources->descriptors) {
        __builtin_memcpy(descriptors, resources->descriptors, resources->count * sizeof(*descriptors));
        mm_heap_free(resources->descriptors, RESOURCE_TAG);
    }
    resources->descriptors = descriptors;
    resources->room = room;
    return true;
}

static NTSTATUS insert(struct kmdf_resources *resources, const CM_PARTIAL_RESOURCE_DESCRIPTOR *descriptor, ULONG index)
{
    struct kmdf_descriptor *copy = make_room(resources) ? mm_heap_allocate(sizeof(*copy), RESOURCE_TAG) : NULL;
    if (!copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    copy->descriptor = *descriptor;
    for (ULONG i = resources->count; i > index; i--)
        resources->descriptors[i] = resources->descriptors[i - 1];
    resources->descriptors[index] = copy;
    resources->count++;
    resources->changed = true;
    return STATUS_SUCCESS;
}

NTSTATUS kmdf_resources_create(struct kmdf_device *device, const CM_RESOURCE_LIST *list,
                               struct kmdf_resources **created)
{
    struct kmdf_resources *resources;
    NTSTATUS status = kmdf_object_create(device->object.client, &kmdf_resources_type, NULL, &device->object,
                                         device->object.caller, (struct kmdf_object **)&resources);
    if (!NT_SUCCESS(status))
        return status;
    const CM_PARTIAL_RESOURCE_LIST *partial = list && list->Count ? &list->List[0].PartialResourceList : NULL;
    for (ULONG i = 0; partial && i < partial->Count && NT_SUCCESS(status); i++)
        status = insert(resources, &partial->PartialDescriptors[i], resources->count);
    resources->changed = false;
    if (NT_SUCCESS(status))
        *created = resources;
    else
        kmdf_object_discard(&resources->object);
    return status;
}

CM_RESOURCE_LIST *kmdf_resources_list(const struct kmdf_resources *resources, const CM_RESOURCE_LIST *like)
{
    SIZE_T bytes = sizeof(CM_RESOURCE_LIST) + resources->count * sizeof(CM_PARTIAL_RESOURCE_DESCRIPTOR);
    CM_RESOURCE_LIST *list = mm_heap_allocate(bytes, RESOURCE_TAG);
    if (!list)
        return NULL;
    list->Count = 1;
    if (like && like->Count)
        __builtin_memcpy(&list->List[0], &like->List[0], offsetof(CM_FULL_RESOURCE_DESCRIPTOR, PartialResourceList));
    CM_PARTIAL_RESOURCE_LIST *partial = &list->List[0].PartialResourceList;
    partial->Version = partial->Revision = 1;
    partial->Count = resources->count;
    for (ULONG i = 0; i < resources->count; i++)
        partial->PartialDescriptors[i] = resources->descriptors[i]->descriptor;
    return list;
}

void kmdf_resources_list_free(CM_RESOURCE_LIST *list)
{
    mm_heap_free(list, RESOURCE_TAG);
}

/* ---- for drivers ---- */

ULONG NTAPI WdfCmResourceListGetCount(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCMRESLIST List)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(resources, List)->count;
}

/* The framework's own copy, which the driver must not change; NULL: Index is too large. IRQL <= DISPATCH_LEVEL. */
PCM_PARTIAL_RESOURCE_DESCRIPTOR NTAPI WdfCmResourceListGetDescriptor(PWDF_DRIVER_GLOBALS DriverGlobals,
                                                                     WDFCMRESLIST List, ULONG Index)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_resources *resources = KMDF_GET(resources, List);
    return Index < resources->count ? &resources->descriptors[Index]->descriptor : NULL;
}

/*
 * Puts a copy before the descriptor at Index; WDF_INSERT_AT_END or the count: at the end. STATUS_ACCESS_DENIED: the
 * list is not to be changed, as those for EvtDevicePrepareHardware; STATUS_ARRAY_BOUNDS_EXCEEDED: Index. IRQL <=
 * DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfCmResourceListInsertDescriptor(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCMRESLIST List,
                                                 PCM_PARTIAL_RESOURCE_DESCRIPTOR Descriptor, ULONG Index)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_resources *resources = KMDF_GET(resources, List);
    kmdf_require(Descriptor);
    if (!resources->changeable)
        return STATUS_ACCESS_DENIED;
    if (Index == WDF_INSERT_AT_END)
        Index = resources->count;
    return Index <= resources->count ? insert(resources, Descriptor, Index) : STATUS_ARRAY_BOUNDS_EXCEEDED;
}

/* The same, at the end. */
NTSTATUS NTAPI WdfCmResourceListAppendDescriptor(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCMRESLIST List,
                                                 PCM_PARTIAL_RESOURCE_DESCRIPTOR Descriptor)
{
    return WdfCmResourceListInsertDescriptor(DriverGlobals, List, Descriptor, WDF_INSERT_AT_END);
}

static void remove_at(struct kmdf_resources *resources, ULONG index)
{
    mm_heap_free(resources->descriptors[index], RESOURCE_TAG);
    resources->count--;
    resources->changed = true;
    for (ULONG i = index; i < resources->count; i++)
        resources->descriptors[i] = resources->descriptors[i + 1];
}

/* An index too large, and a list that is not to be changed: nothing happens. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfCmResourceListRemove(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCMRESLIST List, ULONG Index)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_resources *resources = KMDF_GET(resources, List);
    if (resources->changeable && Index < resources->count)
        remove_at(resources, Index);
}

/* Descriptor: the pointer that WdfCmResourceListGetDescriptor gave. */
VOID NTAPI WdfCmResourceListRemoveByDescriptor(PWDF_DRIVER_GLOBALS DriverGlobals, WDFCMRESLIST List,
                                               PCM_PARTIAL_RESOURCE_DESCRIPTOR Descriptor)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_resources *resources = KMDF_GET(resources, List);
    kmdf_require(Descriptor);
    for (ULONG i = 0; resources->changeable && i < resources->count; i++) {
        if (&resources->descriptors[i]->descriptor == Descriptor) {
            remove_at(resources, i);
            return;
        }
    }
}
