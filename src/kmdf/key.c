/*
 * key.c - registry keys: opened, created, closed, removed.
 */
#include "kmdf_key.h"

static void key_cleanup(struct kmdf_object *object)
{
    struct kmdf_key *key = (struct kmdf_key *)object;
    if (key->handle)
        ZwClose(key->handle);
    key->handle = NULL;
}

const struct kmdf_type kmdf_key_type = {.name = "WDFKEY",
                                        .size = sizeof(struct kmdf_key),
                                        .flags = KMDF_PARENT_ALLOWED | KMDF_PASSIVE,
                                        .cleanup = key_cleanup};

struct wanted {
    HANDLE root;
    const UNICODE_STRING *name;
    ACCESS_MASK access;
    bool create;
    ULONG options;
    ULONG *disposition;
};

static NTSTATUS open_handle(const struct wanted *wanted, HANDLE *handle)
{
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
                                    .RootDirectory = wanted->root,
                                    .ObjectName = (PUNICODE_STRING)wanted->name,
                                    .Attributes = OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE};
    if (!wanted->create)
        return ZwOpenKey(handle, wanted->access, &attributes);
    return ZwCreateKey(handle, wanted->access, &attributes, 0, NULL, wanted->options, wanted->disposition);
}

static NTSTATUS open_key(struct kmdf_client *client, const struct wanted *wanted,
                         const WDF_OBJECT_ATTRIBUTES *attributes, WDFKEY *handle)
{
    struct kmdf_key *key;
    *handle = NULL;
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        return STATUS_INVALID_DEVICE_REQUEST;
    NTSTATUS status =
        kmdf_object_create(client, &kmdf_key_type, attributes, client->driver ? &client->driver->object : NULL,
                           seh_export_caller(), (struct kmdf_object **)&key);
    if (!NT_SUCCESS(status))
        return status;
    status = open_handle(wanted, &key->handle);
    if (!NT_SUCCESS(status)) {
        kmdf_object_discard(&key->object);
        return status;
    }
    *handle = KMDF_HANDLE(WDFKEY, key);
    return STATUS_SUCCESS;
}

NTSTATUS kmdf_key_create(struct kmdf_client *client, HANDLE handle, const WDF_OBJECT_ATTRIBUTES *attributes,
                         ULONG_PTR caller, WDFKEY *created)
{
    struct kmdf_key *key;
    NTSTATUS status =
        kmdf_object_create(client, &kmdf_key_type, attributes, client->driver ? &client->driver->object : NULL, caller,
                           (struct kmdf_object **)&key);
    if (!NT_SUCCESS(status)) {
        ZwClose(handle);
        return status;
    }
    key->handle = handle;
    *created = KMDF_HANDLE(WDFKEY, key);
    return status;
}

/* Opens a key below ParentKey, or, if that is NULL, by its full name. STATUS_OBJECT_NAME_NOT_FOUND,
 * STATUS_INVALID_DEVICE_REQUEST: not at PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryOpenKey(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY ParentKey, PCUNICODE_STRING KeyName,
                                  ACCESS_MASK DesiredAccess, PWDF_OBJECT_ATTRIBUTES KeyAttributes, WDFKEY *Key)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    struct wanted wanted = {
        .root = ParentKey ? KMDF_GET(key, ParentKey)->handle : NULL, .name = KeyName, .access = DesiredAccess};
    kmdf_require(KeyName);
    kmdf_require(Key);
    return open_key(client, &wanted, KeyAttributes, Key);
}

/* The same, and creates it if it is not there. CreateDisposition, which may be NULL: REG_CREATED_NEW_KEY or
 * REG_OPENED_EXISTING_KEY. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryCreateKey(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY ParentKey, PCUNICODE_STRING KeyName,
                                    ACCESS_MASK DesiredAccess, ULONG CreateOptions, PULONG CreateDisposition,
                                    PWDF_OBJECT_ATTRIBUTES KeyAttributes, WDFKEY *Key)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    struct wanted wanted = {.root = ParentKey ? KMDF_GET(key, ParentKey)->handle : NULL,
                            .name = KeyName,
                            .access = DesiredAccess,
                            .create = true,
                            .options = CreateOptions,
                            .disposition = CreateDisposition};
    kmdf_require(KeyName);
    kmdf_require(Key);
    return open_key(client, &wanted, KeyAttributes, Key);
}

/* ---- keys below the driver's own ---- */

/* Opens the key name below that of the driver's service, and creates it if it is not there. */
static NTSTATUS open_below(const struct kmdf_driver *driver, const UNICODE_STRING *name, ACCESS_MASK access,
                           const WDF_OBJECT_ATTRIBUTES *attributes, WDFKEY *key)
{
    const UNICODE_STRING *service = &driver->registry_path;
    SIZE_T length = service->Length + sizeof(WCHAR) + name->Length;
    WCHAR *path = length <= 0xFFFE ? mm_heap_allocate(length, KMDF_TAG) : NULL;
    if (!path)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(path, service->Buffer, service->Length);
    path[service->Length / sizeof(WCHAR)] = '\\';
    __builtin_memcpy(path + service->Length / sizeof(WCHAR) + 1, name->Buffer, name->Length);
    UNICODE_STRING full = {(USHORT)length, (USHORT)length, path};
    const struct wanted wanted = {.name = &full, .access = access, .create = true};
    NTSTATUS status = open_key(driver->object.client, &wanted, attributes, key);
    mm_heap_free(path, KMDF_TAG);
    return status;
}

/* The key Parameters of the driver's service, which is made if there is none. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfDriverOpenParametersRegistryKey(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDRIVER Driver,
                                                  ACCESS_MASK DesiredAccess, PWDF_OBJECT_ATTRIBUTES KeyAttributes,
                                                  WDFKEY *Key)
{
    static const UNICODE_STRING name = {20, 20, (PWCH)L"Parameters"};
    UNREFERENCED_PARAMETER(DriverGlobals);
    const struct kmdf_driver *driver = KMDF_GET(driver, Driver);
    kmdf_require(Key);
    return open_below(driver, &name, DesiredAccess, KeyAttributes, Key);
}

/* The key for what the driver writes at run time. Where it is, drivers are not told; here it is the key PersistentState
 * of the driver's service. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfDriverOpenPersistentStateRegistryKey(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDRIVER Driver,
                                                       ACCESS_MASK DesiredAccess, PWDF_OBJECT_ATTRIBUTES KeyAttributes,
                                                       WDFKEY *Key)
{
    static const UNICODE_STRING name = {30, 30, (PWCH)L"PersistentState"};
    UNREFERENCED_PARAMETER(DriverGlobals);
    const struct kmdf_driver *driver = KMDF_GET(driver, Driver);
    kmdf_require(Key);
    return open_below(driver, &name, DesiredAccess, KeyAttributes, Key);
}

/* ---- what one does with a key ---- */

/* Closes the key and deletes the object. PASSIVE_LEVEL. */
VOID NTAPI WdfRegistryClose(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_object_delete(&KMDF_GET(key, Key)->object);
}

HANDLE NTAPI WdfRegistryWdmGetHandle(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(key, Key)->handle;
}

/* Removes the key from the registry and, if that succeeds, deletes the object. STATUS_ACCESS_DENIED,
 * STATUS_CANNOT_DELETE: it has subkeys. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryRemoveKey(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_key *key = KMDF_GET(key, Key);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        return STATUS_INVALID_DEVICE_REQUEST;
    NTSTATUS status = ZwDeleteKey(key->handle);
    if (NT_SUCCESS(status))
        kmdf_object_delete(&key->object);
    return status;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryRemoveValue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_key *key = KMDF_GET(key, Key);
    kmdf_require(ValueName);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        return STATUS_INVALID_DEVICE_REQUEST;
    return ZwDeleteValueKey(key->handle, (PUNICODE_STRING)ValueName);
}
