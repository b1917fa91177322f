/*
 * device_key.c - the registry keys of a device: its hardware key, its driver's software key, and the map of devices.
 */
#include "kmdf_device.h"
#include "kmdf_key.h"
#include "wdk/pnp.h"

/* kind: PLUGPLAY_REGKEY_*. */
static NTSTATUS open_key(struct kmdf_client *client, DEVICE_OBJECT *pdo, ULONG kind, ACCESS_MASK access,
                         const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller, WDFKEY *key)
{
    HANDLE handle;
    *key = NULL;
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!pdo)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = IoOpenDeviceRegistryKey(pdo, kind, access, &handle);
    return NT_SUCCESS(status) ? kmdf_key_create(client, handle, attributes, caller, key) : status;
}

/*
 * PLUGPLAY_REGKEY_DEVICE: the subkey "Device Parameters" of the device's hardware key; PLUGPLAY_REGKEY_DRIVER: the
 * driver's software key; with PLUGPLAY_REGKEY_CURRENT_HWPROFILE those of the hardware profile.
 * STATUS_INVALID_DEVICE_REQUEST: not at PASSIVE_LEVEL; STATUS_INVALID_PARAMETER: another kind, or a control device.
 */
NTSTATUS NTAPI WdfDeviceOpenRegistryKey(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                        ULONG DeviceInstanceKeyType, ACCESS_MASK DesiredAccess,
                                        PWDF_OBJECT_ATTRIBUTES KeyAttributes, WDFKEY *Key)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(Key);
    return open_key(client, device->pdo, DeviceInstanceKeyType, DesiredAccess, KeyAttributes, seh_export_caller(), Key);
}

/* The same before there is a device. STATUS_INVALID_PARAMETER: another kind, or the structure is not from
 * EvtDriverDeviceAdd. */
NTSTATUS NTAPI WdfFdoInitOpenRegistryKey(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                         ULONG DeviceInstanceKeyType, ACCESS_MASK DesiredAccess,
                                         PWDF_OBJECT_ATTRIBUTES KeyAttributes, WDFKEY *Key)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(Key);
    return open_key(client, init->pnp.pdo, DeviceInstanceKeyType, DesiredAccess, KeyAttributes, seh_export_caller(),
                    Key);
}

/*
 * The key KeyName of \Registry\Machine\Hardware\DeviceMap, which is made, volatile, if it is not there.
 * STATUS_INVALID_DEVICE_REQUEST: not at PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceOpenDevicemapKey(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, PCUNICODE_STRING KeyName,
                                         ACCESS_MASK DesiredAccess, PWDF_OBJECT_ATTRIBUTES KeyAttributes, WDFKEY *Key)
{
    static const WCHAR path[] = L"\\Registry\\Machine\\Hardware\\DeviceMap";
    static const UNICODE_STRING map = {sizeof(path) - sizeof(WCHAR), sizeof(path), (PWCH)path};
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    UNREFERENCED_PARAMETER(KMDF_GET(device, Device));
    HANDLE parent, handle;
    kmdf_require(KeyName);
    kmdf_require(Key);
    *Key = NULL;
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        return STATUS_INVALID_DEVICE_REQUEST;
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
                                    .ObjectName = (PUNICODE_STRING)&map,
                                    .Attributes = OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE};
    NTSTATUS status = ZwOpenKey(&parent, KEY_CREATE_SUB_KEY, &attributes);
    if (!NT_SUCCESS(status))
        return status;
    attributes.RootDirectory = parent;
    attributes.ObjectName = (PUNICODE_STRING)KeyName;
    status = ZwCreateKey(&handle, DesiredAccess, &attributes, 0, NULL, REG_OPTION_VOLATILE, NULL);
    ZwClose(parent);
    return NT_SUCCESS(status) ? kmdf_key_create(client, handle, KeyAttributes, seh_export_caller(), Key) : status;
}
