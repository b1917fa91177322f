/*
 * key.c - what the registry has of a device: its hardware key below Enum, its software key below Control\Class, and the
 * keys of its interfaces below Control\DeviceClasses. Other values and keys in them stay.
 */
#include "pnp_internal.h"
#include "wdk/cm.h"

#define CONTROL_SET "\\Registry\\Machine\\System\\CurrentControlSet\\"
enum { KEY_PATH_MAX = 640, KEPT_VALUE_MAX = 1024 };

/* The key with this path, given as UTF-8; made with all above it. */
static NTSTATUS make_key(const char *path, struct cm_key **key)
{
    WCHAR wide[KEY_PATH_MAX];
    ULONG bytes;
    SIZE_T length = nt_strlen(path);
    if (length >= KEY_PATH_MAX)
        return STATUS_NAME_TOO_LONG;
    RtlMultiByteToUnicodeN(wide, sizeof(wide), &bytes, path, (ULONG)length);
    UNICODE_STRING name = {(USHORT)bytes, (USHORT)bytes, wide};
    return cm_path_make(&name, key);
}

static void set_value(struct cm_key *key, const WCHAR *name, ULONG type, const void *data, ULONG bytes)
{
    UNICODE_STRING value;
    RtlInitUnicodeString(&value, name);
    cm_value_set(key, &value, type, data, bytes);
}

/* Bytes of a text with its terminator, or of a list with both. */
static ULONG text_bytes(const WCHAR *text, bool list)
{
    ULONG count = 0;
    do
        while (text[count++])
            ;
    while (list && text[count]);
    return (count + list) * (ULONG)sizeof(WCHAR);
}

static void set_text(struct cm_key *key, const WCHAR *name, ULONG type, NTSTATUS status, WCHAR *text)
{
    if (!NT_SUCCESS(status))
        return;
    set_value(key, name, type, text, text_bytes(text, type == REG_MULTI_SZ));
    rtl_pool.release(text);
}

static void set_narrow(struct cm_key *key, const WCHAR *name, const char *text)
{
    WCHAR wide[160];
    ULONG bytes;
    RtlMultiByteToUnicodeN(wide, sizeof(wide) - sizeof(WCHAR), &bytes, text, (ULONG)nt_strlen(text));
    wide[bytes / sizeof(WCHAR)] = 0;
    set_value(key, name, REG_SZ, wide, bytes + (ULONG)sizeof(WCHAR));
}

static void fill_hardware_key(const struct pnp_node *node, struct cm_key *key)
{
    const ULONG capabilities = 0, flags = 0;
    WCHAR *text = NULL;
    char driver[64], service[96];
    NTSTATUS status = pnp_identity(node, BusQueryHardwareIDs, &text);
    set_text(key, PNP_WIDE("HardwareID"), REG_MULTI_SZ, status, text);
    status = pnp_identity(node, BusQueryCompatibleIDs, &text);
    set_text(key, PNP_WIDE("CompatibleIDs"), REG_MULTI_SZ, status, text);
    status = pnp_text(node, DeviceTextDescription, &text);
    set_text(key, PNP_WIDE("DeviceDesc"), REG_SZ, status, text);
    status = pnp_text(node, DeviceTextLocationInformation, &text);
    set_text(key, PNP_WIDE("LocationInformation"), REG_SZ, status, text);
    set_narrow(key, PNP_WIDE("ClassGUID"), PNP_CLASS_GUID);
    set_narrow(key, PNP_WIDE("Class"), "System");
    set_narrow(key, PNP_WIDE("Mfg"), "umaccess");
    rtl_print(driver, sizeof(driver), PNP_CLASS_GUID "\\%04u", node->number);
    set_narrow(key, PNP_WIDE("Driver"), driver);
    pnp_driver_name(node, service, sizeof(service));
    set_narrow(key, PNP_WIDE("Service"), service);
    set_value(key, PNP_WIDE("Capabilities"), REG_DWORD, &capabilities, sizeof(capabilities));
    set_value(key, PNP_WIDE("ConfigFlags"), REG_DWORD, &flags, sizeof(flags));
}

NTSTATUS pnp_node_keys_make(const struct pnp_node *node)
{
    struct cm_key *key;
    char path[KEY_PATH_MAX];
    rtl_print(path, sizeof(path), CONTROL_SET "Enum\\%s", node->instance);
    NTSTATUS status = make_key(path, &key);
    if (!NT_SUCCESS(status))
        return status;
    fill_hardware_key(node, key);
    ob_dereference(key);
    rtl_print(path, sizeof(path), CONTROL_SET "Control\\Class\\" PNP_CLASS_GUID "\\%04u", node->number);
    status = make_key(path, &key);
    if (!NT_SUCCESS(status))
        return status;
    ob_dereference(key);
    return STATUS_SUCCESS;
}

NTSTATUS pnp_node_value(const struct pnp_node *node, const WCHAR *name, ULONG *type, UCHAR **data, ULONG *bytes)
{
    struct cm_key *key;
    char path[KEY_PATH_MAX];
    UNICODE_STRING value;
    union {
        KEY_VALUE_PARTIAL_INFORMATION info;
        UCHAR room[KEPT_VALUE_MAX];
    } *found = mm_heap_allocate(sizeof(*found), PNP_TAG);
    if (!found)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlInitUnicodeString(&value, name);
    rtl_print(path, sizeof(path), CONTROL_SET "Enum\\%s", node->instance);
    NTSTATUS status = make_key(path, &key);
    if (NT_SUCCESS(status)) {
        ULONG needed;
        status = cm_value_query(key, &value, KeyValuePartialInformation, found, sizeof(*found), &needed);
        ob_dereference(key);
    }
    if (NT_SUCCESS(status)) {
        *type = found->info.Type;
        *bytes = found->info.DataLength;
        *data = rtl_pool.allocate(*bytes ? *bytes : 1, PNP_TAG);
        if (*data)
            __builtin_memcpy(*data, found->info.Data, *bytes);
        else
            status = STATUS_INSUFFICIENT_RESOURCES;
    }
    mm_heap_free(found, PNP_TAG);
    return status;
}

/* ---- interfaces ---- */

/* "##?#ROOT#UMA#0000#{class}\#reference" below DeviceClasses\{class}. */
NTSTATUS pnp_interface_key(const struct pnp_interface *instance, struct cm_key **key)
{
    char path[KEY_PATH_MAX], class[40], reference[CM_KEY_NAME_MAX], device[32];
    ULONG length = 0;
    UNICODE_STRING wide = pnp_interface_reference(instance);
    pnp_guid_print(class, sizeof(class), &instance->class);
    if (wide.Length)
        RtlUnicodeToMultiByteN(reference, sizeof(reference) - 1, &length, wide.Buffer, wide.Length);
    reference[length] = 0;
    rtl_print(device, sizeof(device), "%s", instance->node->instance);
    for (SIZE_T i = 0; device[i]; i++)
        device[i] = device[i] == '\\' ? '#' : device[i];
    rtl_print(path, sizeof(path), CONTROL_SET "Control\\DeviceClasses\\%s\\##?#%s#%s\\#%s\\Device Parameters", class,
              device, class, reference);
    return make_key(path, key);
}

/* A handle of the kernel to a key, whose reference it takes. */
static NTSTATUS give_handle(struct cm_key *key, ACCESS_MASK desired, PHANDLE handle)
{
    ACCESS_MASK access;
    NTSTATUS status = ob_access_map(&cm_key_type, desired, KernelMode, &access);
    if (NT_SUCCESS(status))
        status = ob_handle_create(key, access, OBJ_KERNEL_HANDLE, KernelMode, handle);
    ob_dereference(key);
    return status;
}

/*
 * The key "Device Parameters" of an interface, in which it may keep what it likes; made if it is not there. The handle
 * is closed with ZwClose. STATUS_OBJECT_NAME_NOT_FOUND: no such interface is registered. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoOpenDeviceInterfaceRegistryKey(PUNICODE_STRING SymbolicLinkName, ACCESS_MASK DesiredAccess,
                                                PHANDLE DeviceInterfaceKey)
{
    struct cm_key *key;
    struct pnp_interface *instance = pnp_interface_open(SymbolicLinkName);
    *DeviceInterfaceKey = NULL;
    if (!instance)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS status = pnp_interface_key(instance, &key);
    pnp_interface_release(instance);
    return NT_SUCCESS(status) ? give_handle(key, DesiredAccess, DeviceInterfaceKey) : status;
}

/*
 * PLUGPLAY_REGKEY_DEVICE: the device's hardware key, its subkey "Device Parameters"; PLUGPLAY_REGKEY_DRIVER: its
 * software key; both below the current hardware profile with PLUGPLAY_REGKEY_CURRENT_HWPROFILE. The handle is closed
 * with ZwClose. STATUS_INVALID_DEVICE_REQUEST: DeviceObject is no PDO; STATUS_INVALID_PARAMETER. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoOpenDeviceRegistryKey(PDEVICE_OBJECT DeviceObject, ULONG DevInstKeyType, ACCESS_MASK DesiredAccess,
                                       PHANDLE DevInstRegKey)
{
    struct cm_key *key;
    char path[KEY_PATH_MAX];
    struct pnp_node *node = pnp_node_of(DeviceObject);
    ULONG kind = DevInstKeyType & ~(ULONG)PLUGPLAY_REGKEY_CURRENT_HWPROFILE;
    const char *profile = DevInstKeyType == kind ? "" : "Hardware Profiles\\Current\\System\\CurrentControlSet\\";
    *DevInstRegKey = NULL;
    if (!node)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (kind == PLUGPLAY_REGKEY_DEVICE)
        rtl_print(path, sizeof(path), CONTROL_SET "%sEnum\\%s\\Device Parameters", profile, node->instance);
    else if (kind == PLUGPLAY_REGKEY_DRIVER)
        rtl_print(path, sizeof(path), CONTROL_SET "%sControl\\Class\\" PNP_CLASS_GUID "\\%04u", profile, node->number);
    else
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = make_key(path, &key);
    return NT_SUCCESS(status) ? give_handle(key, DesiredAccess, DevInstRegKey) : status;
}
