/*
 * target_pnp.c - I/O targets as devices of plug and play: the physical device, its properties, the interfaces its
 * drivers offer.
 */
#include "kmdf_target.h"
#include "wdk/io_more.h"
#include "wdk/pnp.h"

NTSTATUS kmdf_pnp_ask(DEVICE_OBJECT *wdm, const IO_STACK_LOCATION *what, ULONG_PTR *information)
{
    KEVENT event;
    IO_STATUS_BLOCK result = {.Status = STATUS_NOT_SUPPORTED};
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IRP *irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, wdm, NULL, 0, NULL, &event, &result);
    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    stack->MinorFunction = what->MinorFunction;
    stack->Parameters = what->Parameters;
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    if (IofCallDriver(wdm, irp) == STATUS_PENDING)
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    *information = result.Information;
    return result.Status;
}

NTSTATUS kmdf_target_find_pdo(DEVICE_OBJECT *wdm, DEVICE_OBJECT **pdo)
{
    ULONG_PTR list = 0;
    IO_STACK_LOCATION what = {.MinorFunction = IRP_MN_QUERY_DEVICE_RELATIONS};
    what.Parameters.QueryDeviceRelations.Type = TargetDeviceRelation;
    *pdo = NULL;
    NTSTATUS status = kmdf_pnp_ask(wdm, &what, &list);
    DEVICE_RELATIONS *relations = (DEVICE_RELATIONS *)list;
    if (status == STATUS_INSUFFICIENT_RESOURCES)
        return status;
    if (!NT_SUCCESS(status) || !relations || !plat_is_readable(list, sizeof(*relations)))
        return STATUS_SUCCESS; /* or a driver that says yes to everything */
    *pdo = relations->Count ? relations->Objects[0] : NULL;
    rtl_pool.release(relations);
    return STATUS_SUCCESS;
}

/* ---- for drivers ---- */

/* NULL: the target is closed, or its device is none of plug and play. Valid until it is closed. IRQL <= DISPATCH_LEVEL.
 */
PDEVICE_OBJECT NTAPI WdfIoTargetWdmGetTargetPhysicalDevice(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(target, IoTarget)->pdo;
}

/* As IoGetDeviceProperty of that device. STATUS_INVALID_DEVICE_REQUEST: there is none; STATUS_BUFFER_TOO_SMALL:
 * *ResultLength is what it takes; STATUS_INVALID_PARAMETER_2: no such property. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfIoTargetQueryTargetProperty(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                              DEVICE_REGISTRY_PROPERTY DeviceProperty, ULONG BufferLength,
                                              PVOID PropertyBuffer, PULONG ResultLength)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_target *target = KMDF_GET(target, IoTarget);
    kmdf_require(ResultLength);
    *ResultLength = 0;
    if (!target->pdo)
        return STATUS_INVALID_DEVICE_REQUEST;
    return IoGetDeviceProperty(target->pdo, DeviceProperty, BufferLength, PropertyBuffer, ResultLength);
}

/* The same in a memory object, child of the driver object unless PropertyMemoryAttributes names a parent.
 * PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfIoTargetAllocAndQueryTargetProperty(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                                      DEVICE_REGISTRY_PROPERTY DeviceProperty, POOL_TYPE PoolType,
                                                      PWDF_OBJECT_ATTRIBUTES PropertyMemoryAttributes,
                                                      WDFMEMORY *PropertyMemory)
{
    ULONG length = 0;
    struct kmdf_memory *memory;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    struct kmdf_target *target = KMDF_GET(target, IoTarget);
    kmdf_require(PropertyMemory);
    *PropertyMemory = NULL;
    if (!target->pdo)
        return STATUS_INVALID_DEVICE_REQUEST;
    NTSTATUS status = IoGetDeviceProperty(target->pdo, DeviceProperty, 0, NULL, &length);
    while (status == STATUS_BUFFER_TOO_SMALL) { /* it may grow meanwhile */
        status = kmdf_memory_create_pool(client, PropertyMemoryAttributes, PoolType, 0, length, seh_export_caller(),
                                         &memory);
        if (!NT_SUCCESS(status))
            return status;
        status = IoGetDeviceProperty(target->pdo, DeviceProperty, (ULONG)memory->size, memory->buffer, &length);
        if (NT_SUCCESS(status))
            *PropertyMemory = KMDF_HANDLE(WDFMEMORY, memory);
        else
            kmdf_object_discard(&memory->object);
    }
    return status;
}

/*
 * IRP_MN_QUERY_INTERFACE to the target's device: whoever of its drivers knows InterfaceType fills Interface, of Size
 * bytes. STATUS_INVALID_PARAMETER: a pointer is NULL; STATUS_INVALID_DEVICE_STATE: the target is closed;
 * STATUS_INSUFFICIENT_RESOURCES; what the drivers answer, STATUS_NOT_SUPPORTED if none does. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfIoTargetQueryForInterface(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                                            LPCGUID InterfaceType, PINTERFACE Interface, USHORT Size, USHORT Version,
                                            PVOID InterfaceSpecificData)
{
    ULONG_PTR information;
    IO_STACK_LOCATION what = {.MinorFunction = IRP_MN_QUERY_INTERFACE};
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_target *target = KMDF_GET(target, IoTarget);
    if (!InterfaceType || !Interface)
        return STATUS_INVALID_PARAMETER;
    plat_lock_acquire(&target->lock);
    DEVICE_OBJECT *wdm = target->wdm;
    if (wdm)
        ob_reference(wdm);
    plat_lock_release(&target->lock);
    if (!wdm)
        return STATUS_INVALID_DEVICE_STATE;
    what.Parameters.QueryInterface.InterfaceType = InterfaceType;
    what.Parameters.QueryInterface.Size = Size;
    what.Parameters.QueryInterface.Version = Version;
    what.Parameters.QueryInterface.Interface = Interface;
    what.Parameters.QueryInterface.InterfaceSpecificData = InterfaceSpecificData;
    NTSTATUS status = kmdf_pnp_ask(wdm, &what, &information);
    ob_dereference(wdm);
    return status;
}
