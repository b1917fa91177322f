/*
 * target.c - I/O targets: how they come into being, and what drivers ask of them.
 */
#include "kmdf_target.h"

#define NAME_TAG RTL_TAG('K', 'm', 'T', 'n')

static void target_cleanup(struct kmdf_object *object)
{
    struct kmdf_target *target = (struct kmdf_target *)object;
    if (target->device)
        kmdf_target_close(target, WdfIoTargetDeleted);
}

static void target_destroy(struct kmdf_object *object)
{
    struct kmdf_target *target = (struct kmdf_target *)object;
    if (target->opened.TargetDeviceName.Buffer)
        mm_heap_free(target->opened.TargetDeviceName.Buffer, NAME_TAG);
    if (target->device)
        kmdf_dereference(&target->device->object);
}

static bool target_no_delete(const struct kmdf_object *object)
{
    return ((const struct kmdf_target *)object)->kind != KMDF_TARGET_REMOTE;
}

const struct kmdf_type kmdf_target_type = {.name = "WDFIOTARGET",
                                           .size = sizeof(struct kmdf_target),
                                           .flags = KMDF_PARENT_ALLOWED | KMDF_PASSIVE,
                                           .cleanup = target_cleanup,
                                           .destroy = target_destroy,
                                           .no_delete = target_no_delete};

NTSTATUS kmdf_target_create(struct kmdf_device *device, enum kmdf_target_kind kind,
                            const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller, struct kmdf_target **created)
{
    struct kmdf_target *target;
    NTSTATUS status = kmdf_object_create(device->object.client, &kmdf_target_type, attributes, &device->object, caller,
                                         (struct kmdf_object **)&target);
    if (!NT_SUCCESS(status))
        return status;
    if (kmdf_ancestor(&target->object, &kmdf_device_type) != &device->object) {
        kmdf_object_discard(&target->object);
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    plat_lock_init(&target->lock);
    InitializeListHead(&target->waiting);
    InitializeListHead(&target->sent);
    for (int i = 0; i < KMDF_SENT_KINDS; i++)
        KeInitializeEvent(&target->idle[i], NotificationEvent, TRUE);
    target->kind = kind;
    target->state = WdfIoTargetClosed;
    kmdf_reference(&device->object, 0);
    target->device = device;
    *created = target;
    return STATUS_SUCCESS;
}

void kmdf_target_opened(struct kmdf_target *target, DEVICE_OBJECT *wdm, DEVICE_OBJECT *pdo, FILE_OBJECT *file,
                        HANDLE handle)
{
    ob_reference(wdm);
    if (file)
        ob_reference(file);
    plat_lock_acquire(&target->lock);
    target->wdm = wdm;
    target->pdo = pdo;
    target->file = file;
    target->handle = handle;
    target->state = WdfIoTargetStarted;
    plat_lock_release(&target->lock);
}

bool kmdf_target_is_open(const struct kmdf_target *target)
{
    return target->state == WdfIoTargetStarted || target->state == WdfIoTargetStopped ||
           target->state == WdfIoTargetPurged;
}

/* The device's local target, started; made at the first call. Null: no memory. */
static struct kmdf_target *local_target(struct kmdf_device *device)
{
    struct kmdf_target *target = __atomic_load_n(&device->local, __ATOMIC_ACQUIRE), *expected = NULL;
    if (target || !NT_SUCCESS(kmdf_target_create(device, KMDF_TARGET_LOCAL, NULL, device->object.caller, &target)))
        return target;
    ob_reference(device->pdo);
    kmdf_target_opened(target, device->lower, device->pdo, NULL, NULL);
    if (__atomic_compare_exchange_n(&device->local, &expected, target, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return target;
    kmdf_object_discard(&target->object);
    return expected;
}

void kmdf_device_close_target(struct kmdf_device *device)
{
    struct kmdf_target *target = __atomic_load_n(&device->local, __ATOMIC_ACQUIRE);
    if (target)
        kmdf_target_close(target, WdfIoTargetDeleted);
}

/* ---- for drivers ---- */

/* The local target: the device below, always open. NULL: there is none below a control device. IRQL <= DISPATCH_LEVEL.
 */
WDFIOTARGET NTAPI WdfDeviceGetIoTarget(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    struct kmdf_target *target = device->lower ? local_target(device) : NULL;
    return target ? KMDF_HANDLE(WDFIOTARGET, target) : NULL;
}

/*
 * A remote target, closed until WdfIoTargetOpen. STATUS_INVALID_DEVICE_REQUEST: the attributes' parent is not below
 * Device. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfIoTargetCreate(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device,
                                 PWDF_OBJECT_ATTRIBUTES IoTargetAttributes, WDFIOTARGET *IoTarget)
{
    struct kmdf_target *target;
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_device *device = KMDF_GET(device, Device);
    kmdf_require(IoTarget);
    *IoTarget = NULL;
    NTSTATUS status = kmdf_target_create(device, KMDF_TARGET_REMOTE, IoTargetAttributes, seh_export_caller(), &target);
    if (NT_SUCCESS(status))
        *IoTarget = KMDF_HANDLE(WDFIOTARGET, target);
    return status;
}

/* Closed, closed for a query-remove, started, stopped, purged; deleted once its device is. IRQL <= DISPATCH_LEVEL. */
WDF_IO_TARGET_STATE NTAPI WdfIoTargetGetState(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(target, IoTarget)->state;
}

/* The framework device that the target was made for. */
WDFDEVICE NTAPI WdfIoTargetGetDevice(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_HANDLE(WDFDEVICE, KMDF_GET(target, IoTarget)->device);
}

/* The device that requests go to; valid until the target is closed, then NULL. IRQL <= DISPATCH_LEVEL. */
PDEVICE_OBJECT NTAPI WdfIoTargetWdmGetTargetDeviceObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(target, IoTarget)->wdm;
}

/* The file object that requests carry; NULL: none. Valid until the target is closed. IRQL <= DISPATCH_LEVEL. */
PFILE_OBJECT NTAPI WdfIoTargetWdmGetTargetFileObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(target, IoTarget)->file;
}

/* The kernel handle of a target that was opened by name, until it is closed; else NULL. PASSIVE_LEVEL. */
HANDLE NTAPI WdfIoTargetWdmGetTargetFileHandle(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(target, IoTarget)->handle;
}
