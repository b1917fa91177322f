/*
 * fdo.c - function and filter devices: from AddDevice onto the stack of the physical device, and off it.
 */
#include "kmdf_device.h"

/* ---- coming and going ---- */

/* A filter is what the device below is, as far as the I/O manager is concerned. */
static void take_over(struct kmdf_device *device, const struct kmdf_pnp_init *init)
{
    const ULONG io = DO_BUFFERED_IO | DO_DIRECT_IO, power = DO_POWER_PAGABLE | DO_POWER_INRUSH;
    DEVICE_OBJECT *wdm = device->wdm;
    if (init->filter) {
        wdm->DeviceType = device->lower->DeviceType;
        wdm->Characteristics = device->lower->Characteristics;
        wdm->Flags = (wdm->Flags & ~io) | (device->lower->Flags & io);
    }
    wdm->Flags |= device->lower->Flags & power;
    if (init->pageable == WdfTrue)
        wdm->Flags |= DO_POWER_PAGABLE;
    if (init->inrush)
        wdm->Flags |= DO_POWER_INRUSH;
    if (init->pageable == WdfFalse || (wdm->Flags & DO_POWER_INRUSH)) /* the two exclude each other */
        wdm->Flags &= ~(ULONG)DO_POWER_PAGABLE;
}

NTSTATUS kmdf_fdo_attach(struct kmdf_device *device, const struct WDFDEVICE_INIT *init)
{
    device->pdo = init->pnp.pdo;
    device->lower = IoAttachDeviceToDeviceStack(device->wdm, device->pdo);
    if (!device->lower)
        return STATUS_NO_SUCH_DEVICE;
    take_over(device, &init->pnp);
    return STATUS_SUCCESS;
}

/* The WDM device stays in memory until the framework's is gone. */
void kmdf_fdo_leave(struct kmdf_device *device)
{
    kmdf_reference(&device->object, 0);
    kmdf_device_close_target(device);
    IoDetachDevice(device->lower);
    kmdf_object_delete(&device->object);
    ob_reference(device->wdm);
    device->wdm_deleted = true;
    IoDeleteDevice(device->wdm);
    kmdf_dereference(&device->object);
}

/* Whether the driver left what it was given for its device, and has no device. */
static bool is_unused(struct kmdf_client *client, const struct WDFDEVICE_INIT *init)
{
    bool found = false;
    plat_lock_acquire(&kmdf_lock);
    for (LIST_ENTRY *entry = client->inits.Flink; entry != &client->inits && !found; entry = entry->Flink)
        found = CONTAINING_RECORD(entry, struct WDFDEVICE_INIT, link) == init;
    plat_lock_release(&kmdf_lock);
    return found;
}

/* A driver that fails takes nothing with it: the framework undoes what it has made. */
static NTSTATUS add(struct kmdf_client *client, DEVICE_OBJECT *pdo)
{
    struct kmdf_device *device = NULL;
    PFN_WDF_DRIVER_DEVICE_ADD callback = client->driver->config.EvtDriverDeviceAdd;
    struct WDFDEVICE_INIT *init = kmdf_init_allocate(client, pdo, (ULONG_PTR)callback + 1);
    if (!init)
        return STATUS_INSUFFICIENT_RESOURCES;
    init->pnp.created = &device;
    NTSTATUS status = (NTSTATUS)KMDF_CALL2(callback, client->driver->object.handle, init);
    if (is_unused(client, init))
        kmdf_init_free(init);
    if (!device)
        return status; /* a success: a filter that does not want this one */
    device->init->pnp.created = NULL;
    if (!NT_SUCCESS(status)) {
        kmdf_fdo_leave(device);
        return status;
    }
    device->wdm->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    kmdf_state_enter(device, KMDF_MACHINE_PNP, WdfDevStatePnpInit);
    kmdf_states_rest(device);
    return status;
}

NTSTATUS NTAPI kmdf_add_device(DRIVER_OBJECT *DriverObject, DEVICE_OBJECT *PhysicalDeviceObject)
{
    struct kmdf_client *client = kmdf_client_of_driver(DriverObject);
    if (!client || !client->driver)
        return STATUS_NO_SUCH_DEVICE;
    kmdf_busy(client);
    NTSTATUS status = add(client, PhysicalDeviceObject);
    kmdf_busy_end(client);
    return status;
}

/* ---- for drivers ---- */

/* The WDFDEVICE_INIT of a function or filter device; of another is WDF_VIOLATION. */
struct WDFDEVICE_INIT *kmdf_fdo_init_of(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init, const char *function)
{
    struct WDFDEVICE_INIT *found = kmdf_init_of(globals, init, function);
    if (!found->pnp.pdo)
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)init, 0, 0,
                       "%s was given the WDFDEVICE_INIT of a control device where it wants that of EvtDriverDeviceAdd",
                       function);
    return found;
}

PDEVICE_OBJECT NTAPI WdfFdoInitWdmGetPhysicalDevice(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit)
{
    return kmdf_fdo_init_of(DriverGlobals, DeviceInit, __func__)->pnp.pdo;
}

/* The device is a filter: what its driver does not want goes to the device below, whose kind of I/O it takes over. */
VOID NTAPI WdfFdoInitSetFilter(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit)
{
    kmdf_fdo_init_of(DriverGlobals, DeviceInit, __func__)->pnp.filter = true;
}

/* A structure of the wrong size is WDF_VIOLATION. */
VOID NTAPI WdfFdoInitSetEventCallbacks(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                       PWDF_FDO_EVENT_CALLBACKS FdoEventCallbacks)
{
    struct WDFDEVICE_INIT *init = kmdf_fdo_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(FdoEventCallbacks);
    if (FdoEventCallbacks->Size != sizeof(*FdoEventCallbacks))
        kmdf_violation(KMDF_OBJECT_ERROR, 0, (ULONG_PTR)(LONG_PTR)STATUS_INFO_LENGTH_MISMATCH, 0,
                       "%s was given a structure whose Size is %u", __func__, FdoEventCallbacks->Size);
    init->pnp.fdo = *FdoEventCallbacks;
}
