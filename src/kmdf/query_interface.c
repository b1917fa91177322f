/*
 * query_interface.c - interfaces that drivers define for each other: tables of functions that one driver of a stack
 * offers and another asks for by GUID, with IRP_MN_QUERY_INTERFACE.
 */
#include "kmdf_device.h"
#include "kmdf_target.h"
#include "wdk/io_more.h"

#define QUERY_TAG RTL_TAG('K', 'm', 'Q', 'i')

struct kmdf_offer {
    LIST_ENTRY link;
    GUID type;
    bool import; /* the driver fills what the other brings */
    PFN_WDF_DEVICE_PROCESS_QUERY_INTERFACE_REQUEST process;
    USHORT size;       /* of offered; 0: the driver has none, and checks */
    INTERFACE offered; /* and what follows it */
};

/* Offers stay until the device is destroyed. */
static struct kmdf_offer *find(struct kmdf_device *device, const GUID *type)
{
    struct kmdf_offer *found = NULL;
    plat_lock_acquire(&kmdf_lock);
    LIST_ENTRY *offers = &device->pnp.offers;
    for (LIST_ENTRY *entry = offers->Flink; entry != offers && !found; entry = entry->Flink) {
        struct kmdf_offer *offer = CONTAINING_RECORD(entry, struct kmdf_offer, link);
        found = __builtin_memcmp(&offer->type, type, sizeof(*type)) ? NULL : offer;
    }
    plat_lock_release(&kmdf_lock);
    return found;
}

void kmdf_offers_free(struct kmdf_device *device)
{
    while (!IsListEmpty(&device->pnp.offers))
        mm_heap_free(CONTAINING_RECORD(RemoveHeadList(&device->pnp.offers), struct kmdf_offer, link), QUERY_TAG);
}

/* Whether what is asked for is what the driver has. An interface that is filled must have room; of one that only the
 * driver's callback fills, the driver serves older ones too. */
static bool fits(const struct kmdf_offer *offer, USHORT size, USHORT version)
{
    if (!offer->size)
        return true;
    if (offer->import)
        return size <= offer->size && version <= offer->offered.Version;
    return size >= offer->size && version == offer->offered.Version;
}

/* Drivers below may know the interface too, and see what this one made of it. */
NTSTATUS kmdf_query_interface(struct kmdf_device *device, IRP *irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    INTERFACE *asked = stack->Parameters.QueryInterface.Interface;
    const struct kmdf_offer *offer = find(device, stack->Parameters.QueryInterface.InterfaceType);
    NTSTATUS status = STATUS_SUCCESS;
    if (!offer)
        return kmdf_irp_forward(device, irp);
    if (!fits(offer, stack->Parameters.QueryInterface.Size, stack->Parameters.QueryInterface.Version))
        return kmdf_irp_end(irp, STATUS_INVALID_PARAMETER);
    if (!offer->import)
        __builtin_memcpy(asked, &offer->offered, offer->size);
    if (offer->process)
        status =
            (NTSTATUS)kmdf_call((ULONG_PTR)offer->process, (ULONG_PTR)device->object.handle, (ULONG_PTR)&offer->type,
                                (ULONG_PTR)asked, (ULONG_PTR)stack->Parameters.QueryInterface.InterfaceSpecificData, 0);
    if (!NT_SUCCESS(status))
        return status == STATUS_NOT_SUPPORTED ? kmdf_irp_forward(device, irp) : kmdf_irp_end(irp, status);
    if (asked->InterfaceReference)
        KMDF_CALL1(asked->InterfaceReference, asked->Context);
    irp->IoStatus.Status = status;
    return kmdf_irp_forward(device, irp);
}

/* ---- for drivers ---- */

static NTSTATUS check(const WDF_QUERY_INTERFACE_CONFIG *config)
{
    if (config->Size != sizeof(*config))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (!config->InterfaceType || (config->ImportInterface && !config->EvtDeviceProcessQueryInterfaceRequest))
        return STATUS_INVALID_PARAMETER;
    if (!config->Interface)
        return config->ImportInterface ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    return config->Interface->Size < sizeof(INTERFACE) ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

/*
 * The device's driver offers an interface, of which the framework keeps a copy. STATUS_INFO_LENGTH_MISMATCH;
 * STATUS_INVALID_PARAMETER: no type, no interface that could be copied, no callback for one that is imported, or a
 * second interface of the type; STATUS_INVALID_DEVICE_REQUEST: not at PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceAddQueryInterface(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                          PWDF_QUERY_INTERFACE_CONFIG InterfaceConfig)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(InterfaceConfig);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        return STATUS_INVALID_DEVICE_REQUEST;
    NTSTATUS status = check(InterfaceConfig);
    if (!NT_SUCCESS(status))
        return status;
    if (find(device, InterfaceConfig->InterfaceType))
        return STATUS_INVALID_PARAMETER;
    USHORT size = InterfaceConfig->Interface ? InterfaceConfig->Interface->Size : 0;
    struct kmdf_offer *offer = mm_heap_allocate(sizeof(*offer) + size, QUERY_TAG);
    if (!offer)
        return STATUS_INSUFFICIENT_RESOURCES;
    *offer = (struct kmdf_offer){.type = *InterfaceConfig->InterfaceType,
                                 .import = InterfaceConfig->ImportInterface,
                                 .process = InterfaceConfig->EvtDeviceProcessQueryInterfaceRequest,
                                 .size = size};
    if (size)
        __builtin_memcpy((UCHAR *)offer + offsetof(struct kmdf_offer, offered), InterfaceConfig->Interface, size);
    plat_lock_acquire(&kmdf_lock);
    InsertTailList(&device->pnp.offers, &offer->link);
    plat_lock_release(&kmdf_lock);
    return STATUS_SUCCESS;
}

/*
 * Asks the drivers of the device's stack, from its top, to fill Interface, of Size bytes. STATUS_INVALID_PARAMETER: a
 * pointer is NULL, or the device is a control device; STATUS_INSUFFICIENT_RESOURCES; what the drivers answer,
 * STATUS_NOT_SUPPORTED if none knows the interface. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfFdoQueryForInterface(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Fdo, LPCGUID InterfaceType,
                                       PINTERFACE Interface, USHORT Size, USHORT Version, PVOID InterfaceSpecificData)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    ULONG_PTR information;
    IO_STACK_LOCATION what = {.MinorFunction = IRP_MN_QUERY_INTERFACE};
    struct kmdf_device *device = KMDF_GET(device, Fdo);
    if (!InterfaceType || !Interface || !device->lower)
        return STATUS_INVALID_PARAMETER;
    what.Parameters.QueryInterface.InterfaceType = InterfaceType;
    what.Parameters.QueryInterface.Size = Size;
    what.Parameters.QueryInterface.Version = Version;
    what.Parameters.QueryInterface.Interface = Interface;
    what.Parameters.QueryInterface.InterfaceSpecificData = InterfaceSpecificData;
    DEVICE_OBJECT *top = IoGetAttachedDeviceReference(device->wdm);
    NTSTATUS status = kmdf_pnp_ask(top, &what, &information);
    ob_dereference(top);
    return status;
}
