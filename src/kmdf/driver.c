/*
 * driver.c - the framework's driver object: top of a driver's tree of objects.
 */
#include "kmdf_collection.h"
#include "kmdf_device.h"

static void driver_destroy(struct kmdf_object *object)
{
    struct kmdf_driver *driver = (struct kmdf_driver *)object;
    if (driver->registry_path.Buffer)
        mm_pool_free(driver->registry_path.Buffer, KMDF_TAG, 0);
}

const struct kmdf_type kmdf_driver_type = {.name = "WDFDRIVER",
                                           .size = sizeof(struct kmdf_driver),
                                           .flags =
                                               KMDF_EXECUTION | KMDF_SYNCHRONIZATION | KMDF_PASSIVE | KMDF_NO_DELETE,
                                           .destroy = driver_destroy};

static NTSTATUS copy_path(struct kmdf_driver *driver, PCUNICODE_STRING path)
{
    USHORT length = path->Length & ~1u;
    WCHAR *copy = mm_pool_allocate(length + sizeof(WCHAR), KMDF_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(copy, path->Buffer, length);
    driver->registry_path = (UNICODE_STRING){length, (USHORT)(length + sizeof(WCHAR)), copy};
    return STATUS_SUCCESS;
}

static NTSTATUS check_config(struct kmdf_client *client, const WDF_DRIVER_CONFIG *config)
{
    if (config->Size != sizeof(*config))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (client->driver)
        return STATUS_DRIVER_INTERNAL_ERROR;
    if ((config->DriverInitFlags & WdfDriverInitNonPnpDriver) && config->EvtDriverDeviceAdd)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* The framework answers for the driver from now on. */
static void take_over(struct kmdf_driver *driver, PDRIVER_OBJECT object)
{
    const WDF_DRIVER_CONFIG *config = &driver->config;
    if (config->DriverInitFlags & WdfDriverInitNoDispatchOverride)
        return;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        object->MajorFunction[i] = kmdf_dispatch;
    if (config->EvtDriverDeviceAdd)
        object->DriverExtension->AddDevice = kmdf_add_device;
    if (!(config->DriverInitFlags & WdfDriverInitNonPnpDriver) || config->EvtDriverUnload)
        object->DriverUnload = (PDRIVER_UNLOAD)(void *)kmdf_thunk_unload;
    driver->object.client->globals.DisplaceDriverUnload = TRUE;
}

/*
 * The driver object of the calling driver; once, from DriverEntry. STATUS_DRIVER_INTERNAL_ERROR: it has one.
 * STATUS_INVALID_PARAMETER: a non-PnP driver with EvtDriverDeviceAdd. STATUS_INFO_LENGTH_MISMATCH: DriverConfig->Size.
 * A non-PnP driver without EvtDriverUnload cannot be unloaded. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfDriverCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PDRIVER_OBJECT DriverObject,
                               PCUNICODE_STRING RegistryPath, PWDF_OBJECT_ATTRIBUTES DriverAttributes,
                               PWDF_DRIVER_CONFIG DriverConfig, WDFDRIVER *Driver)
{
    struct kmdf_driver *driver;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(DriverObject);
    kmdf_require(RegistryPath);
    kmdf_require(DriverConfig);
    if (Driver)
        *Driver = NULL;
    NTSTATUS status = check_config(client, DriverConfig);
    if (!NT_SUCCESS(status))
        return status;
    status = kmdf_object_create(client, &kmdf_driver_type, DriverAttributes, NULL, seh_export_caller(),
                                (struct kmdf_object **)&driver);
    if (!NT_SUCCESS(status))
        return status;
    status = copy_path(driver, RegistryPath);
    if (!NT_SUCCESS(status)) {
        kmdf_object_discard(&driver->object);
        return status;
    }
    driver->config = *DriverConfig;
    client->driver = driver;
    client->globals.Driver = KMDF_HANDLE(WDFDRIVER, driver);
    client->globals.DriverFlags = DriverConfig->DriverInitFlags;
    if (DriverConfig->DriverPoolTag)
        client->globals.DriverTag = DriverConfig->DriverPoolTag;
    take_over(driver, DriverObject);
    if (Driver)
        *Driver = KMDF_HANDLE(WDFDRIVER, driver);
    return STATUS_SUCCESS;
}

/* DriverUnload of framework drivers: EvtDriverUnload. The objects go with WdfVersionUnbind, which the driver's entry
 * code calls next. */
VOID NTAPI kmdf_driver_unload(PDRIVER_OBJECT DriverObject)
{
    struct kmdf_client *client = kmdf_client_of_driver(DriverObject);
    if (client && client->driver && client->driver->config.EvtDriverUnload)
        KMDF_CALL1(client->driver->config.EvtDriverUnload, client->driver->object.handle);
}

void kmdf_driver_teardown(struct kmdf_client *client)
{
    struct kmdf_driver *driver = client->driver;
    client->driver = NULL;
    kmdf_idle_wait(client);
    if (driver)
        kmdf_object_delete(&driver->object);
    kmdf_idle_wait(client);
    while (!IsListEmpty(&client->inits))
        kmdf_init_free(CONTAINING_RECORD(client->inits.Flink, struct WDFDEVICE_INIT, link));
    client->globals.Driver = NULL;
}

/* The path DriverEntry was given, terminated; lives as long as the driver object. PASSIVE_LEVEL. */
PWSTR NTAPI WdfDriverGetRegistryPath(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDRIVER Driver)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(driver, Driver)->registry_path.Buffer;
}

PDRIVER_OBJECT NTAPI WdfDriverWdmGetDriverObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDRIVER Driver)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(driver, Driver)->object.client->driver_object;
}

/* The framework driver of a WDM driver object, or NULL. */
WDFDRIVER NTAPI WdfWdmDriverGetWdfDriverHandle(PWDF_DRIVER_GLOBALS DriverGlobals, PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_require(DriverObject);
    struct kmdf_client *client = kmdf_client_of_driver(DriverObject);
    return client && client->driver ? KMDF_HANDLE(WDFDRIVER, client->driver) : NULL;
}

/* Whether this framework is the version asked for or a later one of the same major version. A structure of another
 * size: FALSE. PASSIVE_LEVEL. */
BOOLEAN NTAPI WdfDriverIsVersionAvailable(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDRIVER Driver,
                                          PWDF_DRIVER_VERSION_AVAILABLE_PARAMS VersionAvailableParams)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    KMDF_GET(driver, Driver);
    kmdf_require(VersionAvailableParams);
    return VersionAvailableParams->Size == sizeof(*VersionAvailableParams) &&
           VersionAvailableParams->MajorVersion == KMDF_VERSION_MAJOR &&
           VersionAvailableParams->MinorVersion <= KMDF_VERSION_MINOR;
}

/* Has String say what framework this is, for people to read. STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfDriverRetrieveVersionString(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDRIVER Driver, WDFSTRING String)
{
    char text[32];
    WCHAR wide[32];
    UNREFERENCED_PARAMETER(DriverGlobals);
    KMDF_GET(driver, Driver);
    struct kmdf_string *string = KMDF_GET(string, String);
    SIZE_T length = rtl_print(text, sizeof(text), "KMDF %u.%u, umaccess", KMDF_VERSION_MAJOR, KMDF_VERSION_MINOR);
    for (SIZE_T i = 0; i < length; i++)
        wide[i] = (UCHAR)text[i];
    const UNICODE_STRING value = {(USHORT)(length * sizeof(WCHAR)), (USHORT)(length * sizeof(WCHAR)), wide};
    return kmdf_string_set(string, &value);
}

/* For the trace code that WPP generates; there is nobody who would begin a trace, so EvtTraceCallback is not called. */
NTSTATUS NTAPI WdfDriverRegisterTraceInfo(PWDF_DRIVER_GLOBALS DriverGlobals, PDRIVER_OBJECT DriverObject,
                                          PFN_WDF_TRACE_CALLBACK EvtTraceCallback, PVOID ControlBlock)
{
    kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(DriverObject);
    kmdf_require(EvtTraceCallback);
    kmdf_require(ControlBlock);
    return STATUS_SUCCESS;
}
