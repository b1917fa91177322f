/*
 * property.c - what drivers ask of a device: the properties of its registry key, its place on the bus, and those of the
 * unified model, of which a driver can set more.
 */
#include "pnp_internal.h"
#include "wdk/cm.h"
#include "wdk/ex.h"

/* An answer: data in pool, for rtl_pool. */
struct answer {
    DEVPROPTYPE type;
    UCHAR *data;
    ULONG bytes;
};

static NTSTATUS answer_bytes(struct answer *answer, DEVPROPTYPE type, const void *data, ULONG bytes)
{
    *answer = (struct answer){type, rtl_pool.allocate(bytes, PNP_TAG), bytes};
    if (!answer->data)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(answer->data, data, bytes);
    return STATUS_SUCCESS;
}

static NTSTATUS answer_number(struct answer *answer, ULONG number)
{
    return answer_bytes(answer, DEVPROP_TYPE_UINT32, &number, sizeof(number));
}

static NTSTATUS answer_text(struct answer *answer, const char *text)
{
    WCHAR wide[160];
    ULONG bytes;
    RtlMultiByteToUnicodeN(wide, sizeof(wide) - sizeof(WCHAR), &bytes, text, (ULONG)nt_strlen(text));
    wide[bytes / sizeof(WCHAR)] = 0;
    return answer_bytes(answer, DEVPROP_TYPE_STRING, wide, bytes + (ULONG)sizeof(WCHAR));
}

/* A value of the device's hardware key. */
static NTSTATUS answer_value(struct answer *answer, const struct pnp_node *node, const WCHAR *name)
{
    ULONG type = 0;
    NTSTATUS status = pnp_node_value(node, name, &type, &answer->data, &answer->bytes);
    answer->type = type == REG_MULTI_SZ ? DEVPROP_TYPE_STRING_LIST
                   : type == REG_DWORD  ? DEVPROP_TYPE_UINT32
                                        : DEVPROP_TYPE_STRING;
    return status;
}

static NTSTATUS answer_object_name(struct answer *answer, const struct pnp_node *node)
{
    char name[64];
    io_device_name(node->pdo, name, sizeof(name));
    return answer_text(answer, name);
}

/* Which properties are values of the hardware key, and their numbers in the unified model. */
static const struct {
    DEVICE_REGISTRY_PROPERTY property;
    ULONG pid; /* of DEVPKEY_Device_* */
    const WCHAR *value;
} values[] = {
    {DevicePropertyDeviceDescription, 2, PNP_WIDE("DeviceDesc")},
    {DevicePropertyHardwareID, 3, PNP_WIDE("HardwareID")},
    {DevicePropertyCompatibleIDs, 4, PNP_WIDE("CompatibleIDs")},
    {DevicePropertyClassName, 9, PNP_WIDE("Class")},
    {DevicePropertyClassGuid, 10, PNP_WIDE("ClassGUID")},
    {DevicePropertyDriverKeyName, 11, PNP_WIDE("Driver")},
    {DevicePropertyManufacturer, 13, PNP_WIDE("Mfg")},
    {DevicePropertyFriendlyName, 14, PNP_WIDE("FriendlyName")},
    {DevicePropertyLocationInformation, 15, PNP_WIDE("LocationInformation")},
};

static NTSTATUS find_property(const struct pnp_node *node, DEVICE_REGISTRY_PROPERTY property, struct answer *answer)
{
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(values); i++)
        if (values[i].property == property)
            return answer_value(answer, node, values[i].value);
    switch (property) {
    case DevicePropertyPhysicalDeviceObjectName:
        return answer_object_name(answer, node);
    case DevicePropertyEnumeratorName:
        return answer_text(answer, "ROOT");
    case DevicePropertyBusTypeGuid:
        return answer_bytes(answer, DEVPROP_TYPE_GUID, &pnp_bus_type, sizeof(pnp_bus_type));
    case DevicePropertyLegacyBusType:
        return answer_number(answer, Internal);
    case DevicePropertyBusNumber:
        return answer_number(answer, 0);
    case DevicePropertyAddress:
    case DevicePropertyUINumber:
        return answer_number(answer, node->number);
    case DevicePropertyInstallState: /* InstallStateInstalled */
        return answer_number(answer, 0);
    case DevicePropertyRemovalPolicy: /* RemovalPolicyExpectSurpriseRemoval */
        return answer_number(answer, 3);
    case DevicePropertyBootConfiguration: /* there are no resources */
    case DevicePropertyBootConfigurationTranslated:
    case DevicePropertyResourceRequirements:
    case DevicePropertyAllocatedResources:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    default:
        return STATUS_INVALID_PARAMETER_2;
    }
}

/* Copies an answer and frees it. */
static NTSTATUS give(NTSTATUS status, struct answer *answer, void *buffer, ULONG size, ULONG *needed)
{
    if (!NT_SUCCESS(status))
        return status;
    *needed = answer->bytes;
    if (size < answer->bytes)
        status = STATUS_BUFFER_TOO_SMALL;
    else if (answer->bytes)
        __builtin_memcpy(buffer, answer->data, answer->bytes);
    rtl_pool.release(answer->data);
    return status;
}

/*
 * Texts are UTF-16 and terminated, lists end with two terminators. *ResultLength: bytes, also with
 * STATUS_BUFFER_TOO_SMALL. STATUS_INVALID_DEVICE_REQUEST: DeviceObject is no PDO; STATUS_INVALID_PARAMETER_2: no such
 * property; STATUS_OBJECT_NAME_NOT_FOUND: the device has none. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoGetDeviceProperty(PDEVICE_OBJECT DeviceObject, DEVICE_REGISTRY_PROPERTY DeviceProperty,
                                   ULONG BufferLength, PVOID PropertyBuffer, PULONG ResultLength)
{
    struct answer answer = {0};
    struct pnp_node *node = pnp_node_of(DeviceObject);
    *ResultLength = 0;
    if (!node)
        return STATUS_INVALID_DEVICE_REQUEST;
    return give(find_property(node, DeviceProperty, &answer), &answer, PropertyBuffer, BufferLength, ResultLength);
}

/* ---- the unified model ---- */

static const GUID device_properties = {0xa45c254e, 0xdf1c, 0x4efd, {0x80, 0x20, 0x67, 0xd1, 0x46, 0xa8, 0x50, 0xe0}};
static const GUID instance_properties = {0x78c34fc8, 0x104a, 0x4aca, {0x9e, 0xa4, 0x52, 0x4d, 0x52, 0x99, 0x6e, 0x57}};

/* What the system itself says of a device. */
static NTSTATUS find_system_property(const struct pnp_node *node, const DEVPROPKEY *key, struct answer *answer)
{
    if (__builtin_memcmp(&key->fmtid, &instance_properties, sizeof(GUID)) == 0 && key->pid == 256)
        return answer_text(answer, node->instance);
    if (__builtin_memcmp(&key->fmtid, &device_properties, sizeof(GUID)) != 0)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(values); i++)
        if (values[i].pid == key->pid)
            return answer_value(answer, node, values[i].value);
    switch (key->pid) {
    case 6:
        return answer_value(answer, node, PNP_WIDE("Service"));
    case 16:
        return answer_object_name(answer, node);
    case 18:
    case 30:
        return answer_number(answer, node->number);
    case 21:
        return answer_bytes(answer, DEVPROP_TYPE_GUID, &pnp_bus_type, sizeof(pnp_bus_type));
    case 24:
        return answer_text(answer, "ROOT");
    default:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
}

/*
 * A property that a driver has set, or one of the system's own (DEVPKEY_Device_*). *RequiredSize: bytes, also with
 * STATUS_BUFFER_TOO_SMALL. STATUS_OBJECT_NAME_NOT_FOUND: the device has none; STATUS_INVALID_DEVICE_REQUEST: Pdo is no
 * PDO. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoGetDevicePropertyData(PDEVICE_OBJECT Pdo, const DEVPROPKEY *PropertyKey, ULONG Lcid, ULONG Flags,
                                       ULONG Size, PVOID Data, PULONG RequiredSize, PDEVPROPTYPE Type)
{
    struct answer answer = {0};
    struct pnp_node *node = pnp_node_of(Pdo);
    UNREFERENCED_PARAMETER(Flags);
    *RequiredSize = 0;
    *Type = DEVPROP_TYPE_EMPTY;
    if (!node)
        return STATUS_INVALID_DEVICE_REQUEST;
    NTSTATUS status = pnp_property_get(&node->properties, PropertyKey, Lcid, Data, Size, RequiredSize, Type);
    if (status != STATUS_OBJECT_NAME_NOT_FOUND)
        return status;
    status = find_system_property(node, PropertyKey, &answer);
    if (NT_SUCCESS(status))
        *Type = answer.type;
    return give(status, &answer, Data, Size, RequiredSize);
}

/*
 * Data null: the property goes, with LOCALE_NEUTRAL in every language. It lives as long as the device. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoSetDevicePropertyData(PDEVICE_OBJECT Pdo, const DEVPROPKEY *PropertyKey, ULONG Lcid, ULONG Flags,
                                       DEVPROPTYPE Type, ULONG Size, PVOID Data)
{
    struct pnp_node *node = pnp_node_of(Pdo);
    UNREFERENCED_PARAMETER(Flags);
    if (!node)
        return STATUS_INVALID_DEVICE_REQUEST;
    return pnp_property_set(&node->properties, PropertyKey, Lcid, Type, Data, Size);
}

/* The same for an interface, which has what was set only. STATUS_OBJECT_NAME_NOT_FOUND: it has none, or there is no
 * such interface. */
NTSTATUS NTAPI IoGetDeviceInterfacePropertyData(PUNICODE_STRING SymbolicLinkName, const DEVPROPKEY *PropertyKey,
                                                ULONG Lcid, ULONG Flags, ULONG Size, PVOID Data, PULONG RequiredSize,
                                                PDEVPROPTYPE Type)
{
    UNREFERENCED_PARAMETER(Flags);
    struct pnp_interface *instance = pnp_interface_open(SymbolicLinkName);
    *RequiredSize = 0;
    *Type = DEVPROP_TYPE_EMPTY;
    if (!instance)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS status = pnp_property_get(&instance->properties, PropertyKey, Lcid, Data, Size, RequiredSize, Type);
    pnp_interface_release(instance);
    return status;
}

NTSTATUS NTAPI IoSetDeviceInterfacePropertyData(PUNICODE_STRING SymbolicLinkName, const DEVPROPKEY *PropertyKey,
                                                ULONG Lcid, ULONG Flags, DEVPROPTYPE Type, ULONG Size, PVOID Data)
{
    UNREFERENCED_PARAMETER(Flags);
    struct pnp_interface *instance = pnp_interface_open(SymbolicLinkName);
    if (!instance)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS status = pnp_property_set(&instance->properties, PropertyKey, Lcid, Type, Data, Size);
    pnp_interface_release(instance);
    return status;
}
