/*
 * device_property.c - what a driver asks of its device: the properties of the registry and those of the unified model,
 * its name. The same can be asked of a device to be, by the WDFDEVICE_INIT of EvtDriverDeviceAdd.
 */
#include "kmdf_collection.h"
#include "kmdf_device.h"
#include "kmdf_memory.h"
#include "wdk/pnp.h"

/* A property of either model. */
struct asked {
    DEVICE_OBJECT *pdo;                   /* null: the device is no plug and play device */
    DEVICE_REGISTRY_PROPERTY number;      /* if data is null */
    const WDF_DEVICE_PROPERTY_DATA *data; /* of the unified model */
    DEVPROPTYPE *type;                    /* gets its type; with data */
};

static NTSTATUS query(const struct asked *asked, ULONG length, PVOID buffer, ULONG *needed)
{
    *needed = 0;
    if (!asked->pdo)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!asked->data)
        return IoGetDeviceProperty(asked->pdo, asked->number, length, buffer, needed);
    if (asked->data->Size != sizeof(*asked->data) || !asked->data->PropertyKey)
        return STATUS_INVALID_PARAMETER;
    return IoGetDevicePropertyData(asked->pdo, asked->data->PropertyKey, asked->data->Lcid, asked->data->Flags, length,
                                   buffer, needed, asked->type);
}

/* Into a memory object of the right size. The property may grow in between; an empty one has a byte of memory, as
 * there are no memory objects without. */
static NTSTATUS allocate(struct kmdf_client *client, const struct asked *asked, POOL_TYPE pool,
                         const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller, WDFMEMORY *handle)
{
    struct kmdf_memory *memory;
    ULONG needed;
    *handle = NULL;
    NTSTATUS status = query(asked, 0, NULL, &needed);
    while (status == STATUS_BUFFER_TOO_SMALL || NT_SUCCESS(status)) {
        status = kmdf_memory_create_pool(client, attributes, pool, 0, needed ? needed : 1, caller, &memory);
        if (!NT_SUCCESS(status))
            return status;
        status = query(asked, (ULONG)memory->size, memory->buffer, &needed);
        if (NT_SUCCESS(status)) {
            memory->size = needed ? needed : 1;
            *handle = KMDF_HANDLE(WDFMEMORY, memory);
            return status;
        }
        kmdf_object_discard(&memory->object);
    }
    return status;
}

/* Null if the structure is that of a control device. */
static DEVICE_OBJECT *pdo_of_init(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init, const char *function)
{
    return kmdf_init_of(globals, init, function)->pnp.pdo;
}

/* ---- properties of the registry ---- */

/*
 * *ResultLength: bytes, also with STATUS_BUFFER_TOO_SMALL. STATUS_INVALID_PARAMETER_2: no such property;
 * STATUS_INVALID_DEVICE_REQUEST: the device is no plug and play device; STATUS_OBJECT_NAME_NOT_FOUND: the device has
 * none. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceQueryProperty(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                      DEVICE_REGISTRY_PROPERTY DeviceProperty, ULONG BufferLength, PVOID PropertyBuffer,
                                      PULONG ResultLength)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    const struct asked asked = {.pdo = KMDF_GET(device, Device)->pdo, .number = DeviceProperty};
    kmdf_require(ResultLength);
    return query(&asked, BufferLength, PropertyBuffer, ResultLength);
}

/* The same in a memory object, child of the driver object unless the attributes name a parent. */
NTSTATUS NTAPI WdfDeviceAllocAndQueryProperty(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                              DEVICE_REGISTRY_PROPERTY DeviceProperty, POOL_TYPE PoolType,
                                              PWDF_OBJECT_ATTRIBUTES PropertyMemoryAttributes,
                                              WDFMEMORY *PropertyMemory)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    const struct asked asked = {.pdo = KMDF_GET(device, Device)->pdo, .number = DeviceProperty};
    kmdf_require(PropertyMemory);
    return allocate(client, &asked, PoolType, PropertyMemoryAttributes, seh_export_caller(), PropertyMemory);
}

/* STATUS_INVALID_DEVICE_REQUEST: the structure is not from EvtDriverDeviceAdd. Else as WdfDeviceQueryProperty. */
NTSTATUS NTAPI WdfFdoInitQueryProperty(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                       DEVICE_REGISTRY_PROPERTY DeviceProperty, ULONG BufferLength,
                                       PVOID PropertyBuffer, PULONG ResultLength)
{
    const struct asked asked = {.pdo = pdo_of_init(DriverGlobals, DeviceInit, __func__), .number = DeviceProperty};
    kmdf_require(ResultLength);
    return query(&asked, BufferLength, PropertyBuffer, ResultLength);
}

NTSTATUS NTAPI WdfFdoInitAllocAndQueryProperty(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                               DEVICE_REGISTRY_PROPERTY DeviceProperty, POOL_TYPE PoolType,
                                               PWDF_OBJECT_ATTRIBUTES PropertyMemoryAttributes,
                                               WDFMEMORY *PropertyMemory)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    const struct asked asked = {.pdo = pdo_of_init(DriverGlobals, DeviceInit, __func__), .number = DeviceProperty};
    kmdf_require(PropertyMemory);
    return allocate(client, &asked, PoolType, PropertyMemoryAttributes, seh_export_caller(), PropertyMemory);
}

/* ---- the unified model ---- */

/*
 * *RequiredSize: bytes, also with STATUS_BUFFER_TOO_SMALL. STATUS_INVALID_PARAMETER: the structure's Size or a key that
 * is missing; STATUS_OBJECT_NAME_NOT_FOUND: the device has no such property; STATUS_INVALID_DEVICE_REQUEST: it is no
 * plug and play device. IRQL <= APC_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceQueryPropertyEx(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                        PWDF_DEVICE_PROPERTY_DATA DeviceProperty, ULONG BufferLength,
                                        PVOID PropertyBuffer, PULONG RequiredSize, PDEVPROPTYPE Type)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    const struct asked asked = {.pdo = KMDF_GET(device, Device)->pdo, .data = DeviceProperty, .type = Type};
    kmdf_require(DeviceProperty);
    kmdf_require(RequiredSize);
    kmdf_require(Type);
    return query(&asked, BufferLength, PropertyBuffer, RequiredSize);
}

/* The same in a memory object, child of the driver object unless the attributes name a parent. */
NTSTATUS NTAPI WdfDeviceAllocAndQueryPropertyEx(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                                PWDF_DEVICE_PROPERTY_DATA DeviceProperty, POOL_TYPE PoolType,
                                                PWDF_OBJECT_ATTRIBUTES PropertyMemoryAttributes,
                                                WDFMEMORY *PropertyMemory, PDEVPROPTYPE Type)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    const struct asked asked = {.pdo = KMDF_GET(device, Device)->pdo, .data = DeviceProperty, .type = Type};
    kmdf_require(DeviceProperty);
    kmdf_require(PropertyMemory);
    kmdf_require(Type);
    return allocate(client, &asked, PoolType, PropertyMemoryAttributes, seh_export_caller(), PropertyMemory);
}

/* STATUS_INVALID_DEVICE_REQUEST: the structure is not from EvtDriverDeviceAdd. Else as WdfDeviceQueryPropertyEx. */
NTSTATUS NTAPI WdfFdoInitQueryPropertyEx(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                         PWDF_DEVICE_PROPERTY_DATA DeviceProperty, ULONG BufferLength,
                                         PVOID PropertyBuffer, PULONG ResultLength, PDEVPROPTYPE Type)
{
    const struct asked asked = {
        .pdo = pdo_of_init(DriverGlobals, DeviceInit, __func__), .data = DeviceProperty, .type = Type};
    kmdf_require(DeviceProperty);
    kmdf_require(ResultLength);
    kmdf_require(Type);
    return query(&asked, BufferLength, PropertyBuffer, ResultLength);
}

NTSTATUS NTAPI WdfFdoInitAllocAndQueryPropertyEx(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                                 PWDF_DEVICE_PROPERTY_DATA DeviceProperty, POOL_TYPE PoolType,
                                                 PWDF_OBJECT_ATTRIBUTES PropertyMemoryAttributes,
                                                 WDFMEMORY *PropertyMemory, PDEVPROPTYPE Type)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    const struct asked asked = {
        .pdo = pdo_of_init(DriverGlobals, DeviceInit, __func__), .data = DeviceProperty, .type = Type};
    kmdf_require(DeviceProperty);
    kmdf_require(PropertyMemory);
    kmdf_require(Type);
    return allocate(client, &asked, PoolType, PropertyMemoryAttributes, seh_export_caller(), PropertyMemory);
}

/* Sets a property of the unified model; Data null: the property goes. Statuses as WdfDeviceQueryPropertyEx. IRQL <=
 * APC_LEVEL. */
NTSTATUS NTAPI WdfDeviceAssignProperty(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                       PWDF_DEVICE_PROPERTY_DATA DeviceProperty, DEVPROPTYPE Type, ULONG Size,
                                       PVOID Data)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    DEVICE_OBJECT *pdo = KMDF_GET(device, Device)->pdo;
    kmdf_require(DeviceProperty);
    if (!pdo)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (DeviceProperty->Size != sizeof(*DeviceProperty) || !DeviceProperty->PropertyKey)
        return STATUS_INVALID_PARAMETER;
    return IoSetDevicePropertyData(pdo, DeviceProperty->PropertyKey, DeviceProperty->Lcid, DeviceProperty->Flags, Type,
                                   Size, Data);
}

/* ---- the name ---- */

/* The name of WdfDeviceInitAssignName, or that which the system has chosen. STATUS_INVALID_PARAMETER: the device has
 * none. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfDeviceRetrieveDeviceName(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, WDFSTRING String)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    const struct kmdf_device *device = KMDF_GET(device, Device);
    struct kmdf_string *string = KMDF_GET(string, String);
    UNICODE_STRING name;
    NTSTATUS status = ob_name_copy(device->wdm, &name);
    if (!NT_SUCCESS(status))
        return status;
    status = name.Length ? kmdf_string_set(string, &name) : STATUS_INVALID_PARAMETER;
    ob_path_free(&name);
    return status;
}
