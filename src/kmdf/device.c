/*
 * device.c - framework devices: creation from a WDFDEVICE_INIT, links, and their WDM side.
 */
#include "kmdf_queue.h"

#define LINK_TAG RTL_TAG('K', 'm', 'L', 'k')

/* What stands in the WDM device's extension. */
struct extension {
    WDFOBJECT handle;
};

/* A device that was never removed leaves its stack here. */
static void delete_wdm(struct kmdf_device *device)
{
    if (device->lower)
        IoDetachDevice(device->lower);
    IoDeleteDevice(device->wdm);
}

static void device_destroy(struct kmdf_object *object)
{
    struct kmdf_device *device = (struct kmdf_device *)object;
    if (device->link.Buffer) {
        IoDeleteSymbolicLink(&device->link);
        mm_heap_free(device->link.Buffer, LINK_TAG);
    }
    if (device->wdm)
        __atomic_store_n(&((struct extension *)device->wdm->DeviceExtension)->handle, NULL, __ATOMIC_RELEASE);
    if (device->wdm && device->wdm_deleted)
        ob_dereference(device->wdm);
    else if (device->wdm)
        delete_wdm(device);
    kmdf_pnp_end(device);
    if (device->init)
        kmdf_init_free(device->init);
}

static bool device_no_delete(const struct kmdf_object *object)
{
    return !((const struct kmdf_device *)object)->init->control;
}

const struct kmdf_type kmdf_device_type = {.name = "WDFDEVICE",
                                           .size = sizeof(struct kmdf_device),
                                           .flags = KMDF_EXECUTION | KMDF_SYNCHRONIZATION | KMDF_PASSIVE,
                                           .destroy = device_destroy,
                                           .no_delete = device_no_delete};

/* kmdf_lock is held: an object that is found there is not freed before it is released. */
static struct kmdf_device *find(DEVICE_OBJECT *wdm)
{
    if (wdm->DriverObject->MajorFunction[IRP_MJ_CREATE] != kmdf_dispatch || !wdm->DeviceExtension)
        return NULL;
    WDFOBJECT handle = __atomic_load_n(&((struct extension *)wdm->DeviceExtension)->handle, __ATOMIC_ACQUIRE);
    struct kmdf_object *object = kmdf_handle_find(handle);
    if (!object || object->type != &kmdf_device_type || object->state == KMDF_DESTROYED)
        return NULL;
    return ((struct kmdf_device *)object)->wdm == wdm ? (struct kmdf_device *)object : NULL;
}

struct kmdf_device *kmdf_device_of_wdm(DEVICE_OBJECT *wdm)
{
    plat_lock_acquire(&kmdf_lock);
    struct kmdf_device *device = find(wdm);
    plat_lock_release(&kmdf_lock);
    return device;
}

struct kmdf_device *kmdf_device_enter(DEVICE_OBJECT *wdm)
{
    plat_lock_acquire(&kmdf_lock);
    struct kmdf_device *device = find(wdm);
    if (device)
        device->object.references++;
    plat_lock_release(&kmdf_lock);
    return device;
}

static NTSTATUS make_wdm(struct kmdf_device *device, struct WDFDEVICE_INIT *init)
{
    if (init->security_given && !init->name.Length)
        return STATUS_INVALID_SECURITY_DESCR;
    NTSTATUS status = IoCreateDevice(init->client->driver_object, sizeof(struct extension), &init->name,
                                     init->device_type, init->characteristics, init->exclusive, &device->wdm);
    if (!NT_SUCCESS(status))
        return status;
    ((struct extension *)device->wdm->DeviceExtension)->handle = device->object.handle;
    if (init->io_type == WdfDeviceIoBuffered)
        device->wdm->Flags |= DO_BUFFERED_IO;
    else if (init->io_type == WdfDeviceIoDirect || init->io_type == WdfDeviceIoBufferedOrDirect)
        device->wdm->Flags |= DO_DIRECT_IO;
    if (init->pnp.pdo)
        status = kmdf_fdo_attach(device, init);
    device->wdm->StackSize = (CCHAR)(device->wdm->StackSize + kmdf_extra_stack(init));
    return status;
}

/*
 * A device as *DeviceInit describes it, child of the driver object. On success *DeviceInit is NULL; on failure it stays
 * the driver's. STATUS_INVALID_SECURITY_DESCR: security without a name; STATUS_OBJECT_NAME_COLLISION: the name is
 * taken. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfDeviceCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT *DeviceInit,
                               PWDF_OBJECT_ATTRIBUTES DeviceAttributes, WDFDEVICE *Device)
{
    struct kmdf_device *device;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(DeviceInit);
    kmdf_require(Device);
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, *DeviceInit, __func__);
    *Device = NULL;
    NTSTATUS status = kmdf_object_create(client, &kmdf_device_type, DeviceAttributes, &client->driver->object,
                                         seh_export_caller(), (struct kmdf_object **)&device);
    if (!NT_SUCCESS(status))
        return status;
    InitializeListHead(&device->files);
    InitializeListHead(&device->all_queues);
    kmdf_sync_init(&device->sync, &device->object);
    kmdf_pnp_begin(device, init);
    status = make_wdm(device, init);
    if (!NT_SUCCESS(status)) {
        kmdf_object_discard(&device->object);
        return status;
    }
    plat_lock_acquire(&kmdf_lock);
    RemoveEntryList(&init->link);
    InitializeListHead(&init->link);
    device->init = init;
    plat_lock_release(&kmdf_lock);
    if (init->pnp.created)
        *init->pnp.created = device;
    *DeviceInit = NULL;
    *Device = KMDF_HANDLE(WDFDEVICE, device);
    return STATUS_SUCCESS;
}

/* The control device takes requests from now on. */
VOID NTAPI WdfControlFinishInitializing(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    device->finished = true;
    device->wdm->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
}

/* One link for a device, which goes with it. STATUS_INVALID_DEVICE_STATE: the device has no name, or a link. */
NTSTATUS NTAPI WdfDeviceCreateSymbolicLink(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                           PCUNICODE_STRING SymbolicLinkName)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(SymbolicLinkName);
    UNICODE_STRING name = ob_name(device->wdm), link = *SymbolicLinkName;
    if (!name.Length || device->link.Buffer)
        return STATUS_INVALID_DEVICE_STATE;
    if (!link.Length)
        return STATUS_INVALID_PARAMETER;
    link.Buffer = mm_heap_allocate(link.Length, LINK_TAG);
    if (!link.Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(link.Buffer, SymbolicLinkName->Buffer, link.Length);
    link.MaximumLength = link.Length;
    NTSTATUS status = IoCreateSymbolicLink(&link, &name);
    if (NT_SUCCESS(status))
        device->link = link;
    else
        mm_heap_free(link.Buffer, LINK_TAG);
    return status;
}

PDEVICE_OBJECT NTAPI WdfDeviceWdmGetDeviceObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(device, Device)->wdm;
}

/* The device below; a control device has none. */
PDEVICE_OBJECT NTAPI WdfDeviceWdmGetAttachedDevice(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(device, Device)->lower;
}

/* The physical device of the stack; a control device has none. */
PDEVICE_OBJECT NTAPI WdfDeviceWdmGetPhysicalDevice(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(device, Device)->pdo;
}

/* The framework device of a WDM device object, or NULL if it is none of the calling driver's. */
WDFDEVICE NTAPI WdfWdmDeviceGetWdfDeviceHandle(PWDF_DRIVER_GLOBALS DriverGlobals, PDEVICE_OBJECT DeviceObject)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(DeviceObject);
    struct kmdf_device *device = kmdf_device_of_wdm(DeviceObject);
    return device && device->object.client == client ? KMDF_HANDLE(WDFDEVICE, device) : NULL;
}

WDFDRIVER NTAPI WdfDeviceGetDriver(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_driver *driver = KMDF_GET(device, Device)->object.client->driver;
    return driver ? KMDF_HANDLE(WDFDRIVER, driver) : NULL;
}

ULONG NTAPI WdfDeviceGetCharacteristics(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(device, Device)->wdm->Characteristics;
}

VOID NTAPI WdfDeviceSetCharacteristics(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, ULONG DeviceCharacteristics)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    KMDF_GET(device, Device)->wdm->Characteristics = DeviceCharacteristics;
}

ULONG NTAPI WdfDeviceGetAlignmentRequirement(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(device, Device)->wdm->AlignmentRequirement;
}

VOID NTAPI WdfDeviceSetAlignmentRequirement(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                            ULONG AlignmentRequirement)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    KMDF_GET(device, Device)->wdm->AlignmentRequirement = AlignmentRequirement;
}

/* The queue that takes what no other queue of the device was chosen for, or NULL. */
WDFQUEUE NTAPI WdfDeviceGetDefaultQueue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET(device, Device)->default_queue;
    return queue ? KMDF_HANDLE(WDFQUEUE, queue) : NULL;
}
