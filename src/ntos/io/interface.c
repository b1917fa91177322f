/*
 * interface.c - device interfaces and devices' keys: what the documentation promises where no device is a physical
 * device object, since no bus enumerates any here.
 */
#include "io_internal.h"
#include "wdk/io_more.h"

/* STATUS_INVALID_DEVICE_REQUEST: PhysicalDeviceObject is no PDO; SymbolicLinkName is then empty. */
NTSTATUS NTAPI IoRegisterDeviceInterface(PDEVICE_OBJECT PhysicalDeviceObject, const GUID *InterfaceClassGuid,
                                         PUNICODE_STRING ReferenceString, PUNICODE_STRING SymbolicLinkName)
{
    UNREFERENCED_PARAMETER(PhysicalDeviceObject);
    UNREFERENCED_PARAMETER(InterfaceClassGuid);
    UNREFERENCED_PARAMETER(ReferenceString);
    *SymbolicLinkName = (UNICODE_STRING){0};
    return STATUS_INVALID_DEVICE_REQUEST;
}

/* STATUS_OBJECT_NAME_NOT_FOUND: no such interface is registered, let alone enabled. */
NTSTATUS NTAPI IoSetDeviceInterfaceState(PUNICODE_STRING SymbolicLinkName, BOOLEAN Enable)
{
    UNREFERENCED_PARAMETER(SymbolicLinkName);
    UNREFERENCED_PARAMETER(Enable);
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

/* *SymbolicLinkList: an empty list, one zero character, which the caller frees with ExFreePool. */
NTSTATUS NTAPI IoGetDeviceInterfaces(const GUID *InterfaceClassGuid, PDEVICE_OBJECT PhysicalDeviceObject, ULONG Flags,
                                     PWSTR *SymbolicLinkList)
{
    UNREFERENCED_PARAMETER(InterfaceClassGuid);
    UNREFERENCED_PARAMETER(Flags);
    *SymbolicLinkList = NULL;
    if (PhysicalDeviceObject)
        return STATUS_INVALID_DEVICE_REQUEST;
    WCHAR *list = rtl_pool.allocate(sizeof(*list), RTL_STRING_TAG);
    if (!list)
        return STATUS_INSUFFICIENT_RESOURCES;
    *list = 0;
    *SymbolicLinkList = list;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoGetDeviceInterfaceAlias(PUNICODE_STRING SymbolicLinkName, const GUID *AliasInterfaceClassGuid,
                                         PUNICODE_STRING AliasSymbolicLinkName)
{
    UNREFERENCED_PARAMETER(SymbolicLinkName);
    UNREFERENCED_PARAMETER(AliasInterfaceClassGuid);
    *AliasSymbolicLinkName = (UNICODE_STRING){0};
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

NTSTATUS NTAPI IoOpenDeviceInterfaceRegistryKey(PUNICODE_STRING SymbolicLinkName, ACCESS_MASK DesiredAccess,
                                                PHANDLE DeviceInterfaceKey)
{
    UNREFERENCED_PARAMETER(SymbolicLinkName);
    UNREFERENCED_PARAMETER(DesiredAccess);
    *DeviceInterfaceKey = NULL;
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

/* STATUS_INVALID_DEVICE_REQUEST: DeviceObject is no PDO. */
NTSTATUS NTAPI IoOpenDeviceRegistryKey(PDEVICE_OBJECT DeviceObject, ULONG DevInstKeyType, ACCESS_MASK DesiredAccess,
                                       PHANDLE DevInstRegKey)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(DevInstKeyType);
    UNREFERENCED_PARAMETER(DesiredAccess);
    *DevInstRegKey = NULL;
    return STATUS_INVALID_DEVICE_REQUEST;
}
