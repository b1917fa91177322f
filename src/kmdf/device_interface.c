/*
 * device_interface.c - device interfaces: by which programs find and open a device. They are registered for the
 * physical device, enabled when the device has started, disabled when it goes.
 */
#include "kmdf_collection.h"
#include "kmdf_device.h"
#include "wdk/io_more.h"

#define INTERFACE_TAG RTL_TAG('K', 'm', 'I', 'f')

struct kmdf_interface {
    LIST_ENTRY link;
    GUID class;
    UNICODE_STRING reference; /* copy, follows */
    UNICODE_STRING name;      /* symbolic link, RtlFreeUnicodeString */
    bool wanted, enabled;
};

static struct kmdf_interface *find(struct kmdf_device *device, const GUID *class, PCUNICODE_STRING reference)
{
    UNICODE_STRING wanted = reference ? *reference : (UNICODE_STRING){0};
    struct kmdf_interface *found = NULL;
    plat_lock_acquire(&kmdf_lock);
    LIST_ENTRY *all = &device->pnp.interfaces;
    for (LIST_ENTRY *entry = all->Flink; entry != all && !found; entry = entry->Flink) {
        struct kmdf_interface *interface = CONTAINING_RECORD(entry, struct kmdf_interface, link);
        if (!__builtin_memcmp(&interface->class, class, sizeof(*class)) &&
            RtlEqualUnicodeString(&interface->reference, &wanted, TRUE))
            found = interface;
    }
    plat_lock_release(&kmdf_lock);
    return found;
}

/* Interfaces stay on the list until the device is destroyed. */
static struct kmdf_interface *next(struct kmdf_device *device, struct kmdf_interface *interface)
{
    plat_lock_acquire(&kmdf_lock);
    LIST_ENTRY *entry = interface ? interface->link.Flink : device->pnp.interfaces.Flink;
    bool more = entry != &device->pnp.interfaces;
    plat_lock_release(&kmdf_lock);
    return more ? CONTAINING_RECORD(entry, struct kmdf_interface, link) : NULL;
}

static void set(struct kmdf_interface *interface, bool enable)
{
    if (interface->enabled != enable && NT_SUCCESS(IoSetDeviceInterfaceState(&interface->name, enable)))
        interface->enabled = enable;
}

void kmdf_interfaces_enable(struct kmdf_device *device, bool enable)
{
    for (struct kmdf_interface *each = next(device, NULL); each; each = next(device, each))
        set(each, enable && each->wanted);
}

void kmdf_interfaces_free(struct kmdf_device *device)
{
    while (!IsListEmpty(&device->pnp.interfaces)) {
        struct kmdf_interface *interface =
            CONTAINING_RECORD(RemoveHeadList(&device->pnp.interfaces), struct kmdf_interface, link);
        RtlFreeUnicodeString(&interface->name);
        mm_heap_free(interface, INTERFACE_TAG);
    }
}

static bool has_separator(PCUNICODE_STRING text)
{
    for (USHORT i = 0; i < text->Length / sizeof(WCHAR); i++)
        if (text->Buffer[i] == '\\' || text->Buffer[i] == '/')
            return true;
    return false;
}

/* ---- for drivers ---- */

/*
 * Registers an interface of the class, told from others of it by ReferenceString (may be null). One of a device that
 * has not started is enabled when it does; of others the driver says when. STATUS_INVALID_DEVICE_REQUEST: a control
 * device, or not at PASSIVE_LEVEL; STATUS_INVALID_PARAMETER: a separator in the string.
 */
NTSTATUS NTAPI WdfDeviceCreateDeviceInterface(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                              const GUID *InterfaceClassGUID, PCUNICODE_STRING ReferenceString)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(InterfaceClassGUID);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL || !device->pdo)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (ReferenceString && has_separator(ReferenceString))
        return STATUS_INVALID_PARAMETER;
    USHORT length = ReferenceString ? ReferenceString->Length : 0;
    struct kmdf_interface *interface = mm_heap_allocate(sizeof(*interface) + length, INTERFACE_TAG);
    if (!interface)
        return STATUS_INSUFFICIENT_RESOURCES;
    interface->class = *InterfaceClassGUID;
    interface->reference = (UNICODE_STRING){length, length, (WCHAR *)(interface + 1)};
    if (length)
        __builtin_memcpy(interface + 1, ReferenceString->Buffer, length);
    interface->wanted = device->pnp.stage == KMDF_STAGE_ADDED;
    NTSTATUS status =
        IoRegisterDeviceInterface(device->pdo, InterfaceClassGUID, (PUNICODE_STRING)ReferenceString, &interface->name);
    if (!NT_SUCCESS(status)) {
        mm_heap_free(interface, INTERFACE_TAG);
        return status;
    }
    plat_lock_acquire(&kmdf_lock);
    InsertTailList(&device->pnp.interfaces, &interface->link);
    plat_lock_release(&kmdf_lock);
    return status;
}

/* Before the device has started it says whether the interface will be enabled then; an interface that does not exist:
 * nothing happens. PASSIVE_LEVEL. */
VOID NTAPI WdfDeviceSetDeviceInterfaceState(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                            const GUID *InterfaceClassGUID, PCUNICODE_STRING ReferenceString,
                                            BOOLEAN IsInterfaceEnabled)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(InterfaceClassGUID);
    struct kmdf_interface *interface = find(device, InterfaceClassGUID, ReferenceString);
    if (!interface)
        return;
    interface->wanted = IsInterfaceEnabled;
    if (device->pnp.stage == KMDF_STAGE_STARTED || !IsInterfaceEnabled)
        set(interface, IsInterfaceEnabled);
}

VOID NTAPI WdfDeviceSetDeviceInterfaceStateEx(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                              const GUID *InterfaceClassGUID, PCUNICODE_STRING ReferenceString,
                                              BOOLEAN IsInterfaceEnabled)
{
    WdfDeviceSetDeviceInterfaceState(DriverGlobals, Device, InterfaceClassGUID, ReferenceString, IsInterfaceEnabled);
}

/* The interface's symbolic link. STATUS_OBJECT_NAME_NOT_FOUND: there is no such interface;
 * STATUS_INVALID_DEVICE_REQUEST: a control device, or not at PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfDeviceRetrieveDeviceInterfaceString(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                                      const GUID *InterfaceClassGUID, PCUNICODE_STRING ReferenceString,
                                                      WDFSTRING String)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    struct kmdf_string *string = KMDF_GET(string, String);
    kmdf_require(InterfaceClassGUID);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL || !device->pdo)
        return STATUS_INVALID_DEVICE_REQUEST;
    const struct kmdf_interface *interface = find(device, InterfaceClassGUID, ReferenceString);
    return interface ? kmdf_string_set(string, &interface->name) : STATUS_OBJECT_NAME_NOT_FOUND;
}
