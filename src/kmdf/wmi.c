/*
 * wmi.c - WMI providers and instances: what a driver offers to Windows Management Instrumentation.
 *
 * There is no WMI here, and so nobody who would ask: providers and instances are made, registered and asked about as
 * documented, no provider is ever enabled, no instance's callback is called, and events go nowhere.
 */
#include "kmdf_device.h"

struct kmdf_wmiprovider {
    struct kmdf_object object;
    struct kmdf_device *device;
    GUID guid;
};

struct kmdf_wmiinstance {
    struct kmdf_object object;
    struct kmdf_wmiprovider *provider;
    bool registered; /* kmdf_lock */
};

static const struct kmdf_type kmdf_wmiprovider_type = {
    .name = "WDFWMIPROVIDER", .size = sizeof(struct kmdf_wmiprovider), .flags = KMDF_NO_DELETE};
static const struct kmdf_type kmdf_wmiinstance_type = {.name = "WDFWMIINSTANCE",
                                                       .size = sizeof(struct kmdf_wmiinstance)};

/* ---- providers ---- */

static NTSTATUS check_provider(const struct kmdf_device *device, const WDF_WMI_PROVIDER_CONFIG *config)
{
    if (config->Size != sizeof(*config))
        return STATUS_INFO_LENGTH_MISMATCH;
    if ((config->Flags & ~(ULONG)WdfWmiProviderValidFlags) ||
        ((config->Flags & WdfWmiProviderTracing) && config->Flags != WdfWmiProviderTracing))
        return STATUS_INVALID_PARAMETER;
    return device->init->control ? STATUS_INVALID_DEVICE_REQUEST : STATUS_SUCCESS;
}

/* kmdf_lock is held. */
static bool has_provider(const struct kmdf_device *device, const struct kmdf_wmiprovider *except, const GUID *guid)
{
    const LIST_ENTRY *children = &device->object.children;
    for (const LIST_ENTRY *entry = children->Flink; entry != children; entry = entry->Flink) {
        const struct kmdf_object *child = CONTAINING_RECORD(entry, struct kmdf_object, sibling);
        const struct kmdf_wmiprovider *provider = (const struct kmdf_wmiprovider *)child;
        if (child->type == &kmdf_wmiprovider_type && provider != except &&
            !__builtin_memcmp(&provider->guid, guid, sizeof(*guid)))
            return true;
    }
    return false;
}

/* Of two that are made at once for one data block, at most one stays. */
static NTSTATUS make_provider(struct kmdf_device *device, const WDF_WMI_PROVIDER_CONFIG *config,
                              const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller, struct kmdf_wmiprovider **made)
{
    struct kmdf_wmiprovider *provider;
    NTSTATUS status = check_provider(device, config);
    if (NT_SUCCESS(status))
        status = kmdf_object_create(device->object.client, &kmdf_wmiprovider_type, attributes, &device->object, caller,
                                    (struct kmdf_object **)&provider);
    if (!NT_SUCCESS(status))
        return status;
    provider->device = device;
    plat_lock_acquire(&kmdf_lock);
    provider->guid = config->Guid;
    bool exists = has_provider(device, provider, &config->Guid);
    plat_lock_release(&kmdf_lock);
    if (exists) {
        kmdf_object_discard(&provider->object);
        return STATUS_OBJECT_NAME_EXISTS;
    }
    *made = provider;
    return STATUS_SUCCESS;
}

/*
 * A provider of a data block, child of Device, which must not be a control device (STATUS_INVALID_DEVICE_REQUEST). The
 * framework deletes it with the device. STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_PARAMETER: bad flags;
 * STATUS_OBJECT_NAME_EXISTS, which is no error: the device has one for the block, and *WmiProvider is NULL. IRQL <=
 * DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfWmiProviderCreate(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                    PWDF_WMI_PROVIDER_CONFIG WmiProviderConfig,
                                    PWDF_OBJECT_ATTRIBUTES ProviderAttributes, WDFWMIPROVIDER *WmiProvider)
{
    struct kmdf_wmiprovider *provider = NULL;
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(WmiProviderConfig);
    kmdf_require(WmiProvider);
    NTSTATUS status = make_provider(device, WmiProviderConfig, ProviderAttributes, seh_export_caller(), &provider);
    *WmiProvider = provider ? KMDF_HANDLE(WDFWMIPROVIDER, provider) : NULL;
    return status;
}

WDFDEVICE NTAPI WdfWmiProviderGetDevice(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWMIPROVIDER WmiProvider)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_HANDLE(WDFDEVICE, KMDF_GET(wmiprovider, WmiProvider)->device);
}

/* Never: there is nobody who would enable it. */
BOOLEAN NTAPI WdfWmiProviderIsEnabled(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWMIPROVIDER WmiProvider,
                                      WDF_WMI_PROVIDER_CONTROL ProviderControl)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    UNREFERENCED_PARAMETER(ProviderControl);
    KMDF_GET(wmiprovider, WmiProvider);
    return FALSE;
}

/* 0: there is no trace. */
ULONGLONG NTAPI WdfWmiProviderGetTracingHandle(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWMIPROVIDER WmiProvider)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    KMDF_GET(wmiprovider, WmiProvider);
    return 0;
}

/* ---- instances ---- */

static NTSTATUS check_instance(const WDF_WMI_INSTANCE_CONFIG *config, const WDF_OBJECT_ATTRIBUTES *attributes)
{
    if (config->Size != sizeof(*config))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (!config->Provider && !config->ProviderConfig)
        return STATUS_INVALID_PARAMETER;
    if (!config->UseContextForQuery)
        return STATUS_SUCCESS;
    if (config->EvtWmiInstanceQueryInstance || config->EvtWmiInstanceSetInstance || config->EvtWmiInstanceSetItem)
        return STATUS_INVALID_PARAMETER; /* the context is the data, and it is for reading */
    if (kmdf_context_size(attributes) > 0xFFFFFFFF)
        return STATUS_INTEGER_OVERFLOW;
    return kmdf_context_size(attributes) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static NTSTATUS make_instance(struct kmdf_wmiprovider *provider, const WDF_WMI_INSTANCE_CONFIG *config,
                              const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller, WDFWMIINSTANCE *handle)
{
    struct kmdf_wmiinstance *instance;
    NTSTATUS status = kmdf_object_create(provider->object.client, &kmdf_wmiinstance_type, attributes, &provider->object,
                                         caller, (struct kmdf_object **)&instance);
    if (!NT_SUCCESS(status))
        return status;
    instance->provider = provider;
    instance->registered = config->Register;
    if (handle)
        *handle = KMDF_HANDLE(WDFWMIINSTANCE, instance);
    return status;
}

/*
 * An instance of a provider, its child: of InstanceConfig->Provider (Device is not looked at), or of a new one that
 * InstanceConfig->ProviderConfig describes, with the statuses of WdfWmiProviderCreate. Instance may be NULL.
 * STATUS_INFO_LENGTH_MISMATCH; STATUS_INVALID_PARAMETER: neither of the two, or UseContextForQuery without a context or
 * with callbacks for the data; STATUS_INTEGER_OVERFLOW: that context is 4 GB or more. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfWmiInstanceCreate(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                    PWDF_WMI_INSTANCE_CONFIG InstanceConfig, PWDF_OBJECT_ATTRIBUTES InstanceAttributes,
                                    WDFWMIINSTANCE *Instance)
{
    struct kmdf_wmiprovider *provider = NULL;
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_require(InstanceConfig);
    if (Instance)
        *Instance = NULL;
    NTSTATUS status = check_instance(InstanceConfig, InstanceAttributes);
    if (!NT_SUCCESS(status))
        return status;
    ULONG_PTR caller = seh_export_caller();
    if (InstanceConfig->Provider)
        provider = KMDF_GET(wmiprovider, InstanceConfig->Provider);
    else
        status = make_provider(KMDF_GET(device, Device), InstanceConfig->ProviderConfig, NULL, caller, &provider);
    if (!provider)
        return status;
    status = make_instance(provider, InstanceConfig, InstanceAttributes, caller, Instance);
    if (!NT_SUCCESS(status) && !InstanceConfig->Provider)
        kmdf_object_discard(&provider->object);
    return status;
}

/* True: it was not what it is to be. */
static bool set_registered(struct kmdf_wmiinstance *instance, bool registered)
{
    plat_lock_acquire(&kmdf_lock);
    bool changed = instance->registered != registered;
    instance->registered = registered;
    plat_lock_release(&kmdf_lock);
    return changed;
}

/* STATUS_INVALID_DEVICE_REQUEST: it is registered. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WdfWmiInstanceRegister(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWMIINSTANCE WmiInstance)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return set_registered(KMDF_GET(wmiinstance, WmiInstance), true) ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST;
}

VOID NTAPI WdfWmiInstanceDeregister(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWMIINSTANCE WmiInstance)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    set_registered(KMDF_GET(wmiinstance, WmiInstance), false);
}

WDFDEVICE NTAPI WdfWmiInstanceGetDevice(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWMIINSTANCE WmiInstance)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_HANDLE(WDFDEVICE, KMDF_GET(wmiinstance, WmiInstance)->provider->device);
}

WDFWMIPROVIDER NTAPI WdfWmiInstanceGetProvider(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWMIINSTANCE WmiInstance)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_HANDLE(WDFWMIPROVIDER, KMDF_GET(wmiinstance, WmiInstance)->provider);
}

/* Nobody listens: the event is gone. IRQL <= APC_LEVEL. */
NTSTATUS NTAPI WdfWmiInstanceFireEvent(PWDF_DRIVER_GLOBALS DriverGlobals, WDFWMIINSTANCE WmiInstance,
                                       ULONG EventDataSize, PVOID EventData)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    UNREFERENCED_PARAMETER(EventDataSize);
    UNREFERENCED_PARAMETER(EventData);
    KMDF_GET(wmiinstance, WmiInstance);
    return STATUS_SUCCESS;
}

/* For the device's data blocks; nobody reads it. STATUS_INVALID_DEVICE_REQUEST: it has one. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfDeviceAssignMofResourceName(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                              PCUNICODE_STRING MofResourceName)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(MofResourceName);
    plat_lock_acquire(&kmdf_lock);
    bool first = !device->has_mof;
    device->has_mof = true;
    plat_lock_release(&kmdf_lock);
    return first ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST;
}
