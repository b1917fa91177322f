/*
 * file.c - framework file objects: one for each open of a device that asked for them, with the driver's callbacks for
 * create, cleanup and close.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

static void file_destroy(struct kmdf_object *object)
{
    struct kmdf_file *file = (struct kmdf_file *)object;
    plat_lock_acquire(&kmdf_lock);
    RemoveEntryList(&file->link);
    plat_lock_release(&kmdf_lock);
}

const struct kmdf_type kmdf_file_type = {.name = "WDFFILEOBJECT",
                                         .size = sizeof(struct kmdf_file),
                                         .flags = KMDF_EXECUTION | KMDF_NO_DELETE,
                                         .destroy = file_destroy};

struct kmdf_file *kmdf_file_find(struct kmdf_device *device, const FILE_OBJECT *wdm)
{
    struct kmdf_file *found = NULL;
    plat_lock_acquire(&kmdf_lock);
    for (LIST_ENTRY *entry = device->files.Flink; wdm && entry != &device->files && !found; entry = entry->Flink) {
        struct kmdf_file *file = CONTAINING_RECORD(entry, struct kmdf_file, link);
        if (file->wdm == wdm)
            found = file;
    }
    plat_lock_release(&kmdf_lock);
    return found;
}

static bool wants_files(const struct kmdf_device *device)
{
    WDF_FILEOBJECT_CLASS class = device->init->file_config.FileObjectClass & ~(ULONG)WdfFileObjectCanBeOptional;
    return device->init->has_file_config && class != WdfFileObjectNotRequired;
}

static NTSTATUS file_make(struct kmdf_device *device, FILE_OBJECT *wdm, struct kmdf_file **made)
{
    struct kmdf_file *file;
    const struct WDFDEVICE_INIT *init = device->init;
    ULONG_PTR caller = (ULONG_PTR)init->file_config.EvtDeviceFileCreate;
    NTSTATUS status = kmdf_object_create(device->object.client, &kmdf_file_type,
                                         init->has_file_attributes ? &init->file_attributes : NULL, &device->object,
                                         caller ? caller + 1 : init->caller, (struct kmdf_object **)&file);
    if (!NT_SUCCESS(status))
        return status;
    file->device = device;
    file->process = PsGetCurrentProcessId();
    file->wdm = wdm;
    plat_lock_acquire(&kmdf_lock);
    InsertTailList(&device->files, &file->link);
    plat_lock_release(&kmdf_lock);
    *made = file;
    return STATUS_SUCCESS;
}

void kmdf_file_created(struct kmdf_file *file, NTSTATUS status)
{
    if (!NT_SUCCESS(status)) /* neither cleanup nor close will come */
        kmdf_object_delete(&file->object);
}

/* EvtDeviceFileCreate, else the queue for creations, gets a request; file is null if the device has no such objects. */
static NTSTATUS create_by_driver(struct kmdf_device *device, struct kmdf_file *file, IRP *irp)
{
    struct kmdf_request *request;
    bool by_queue = !file || !device->init->file_config.EvtDeviceFileCreate;
    struct kmdf_queue *queue = by_queue ? device->queues[IRP_MJ_CREATE] : NULL;
    NTSTATUS status = kmdf_request_receive(device, irp, queue, &request);
    if (!NT_SUCCESS(status)) {
        if (file)
            kmdf_file_created(file, status);
        return kmdf_irp_complete(irp, status);
    }
    IoMarkIrpPending(irp);
    request->create = true;
    if (by_queue) {
        status = kmdf_queue_insert(queue, request);
        if (!NT_SUCCESS(status))
            kmdf_request_complete(request, STATUS_INVALID_DEVICE_STATE, IO_NO_INCREMENT);
        return STATUS_PENDING;
    }
    request->seen = true;
    request->state = KMDF_REQUEST_OWNED;
    KMDF_CALL3(device->init->file_config.EvtDeviceFileCreate, device->object.handle, request->object.handle,
               file->object.handle);
    return STATUS_PENDING;
}

/* Whether opens and closes go to the devices below as well. */
static bool forwards(const struct kmdf_device *device)
{
    const struct WDFDEVICE_INIT *init = device->init;
    WDF_TRI_STATE said = init->has_file_config ? init->file_config.AutoForwardCleanupClose : WdfUseDefault;
    return device->lower && (said == WdfTrue || (said == WdfUseDefault && init->pnp.filter));
}

/* The devices below decide about the open. */
static NTSTATUS create_below(struct kmdf_device *device, struct kmdf_file *file, IRP *irp)
{
    if (!file)
        return kmdf_irp_forward(device, irp);
    NTSTATUS status = kmdf_irp_forward_wait(device, irp);
    kmdf_file_created(file, status);
    return kmdf_irp_end(irp, status);
}

static NTSTATUS create(struct kmdf_device *device, IRP *irp)
{
    struct kmdf_file *file = NULL;
    NTSTATUS status = STATUS_SUCCESS;
    if (device->init->control && !device->finished)
        return kmdf_irp_complete(irp, STATUS_DEVICE_NOT_READY);
    if (wants_files(device))
        status = file_make(device, IoGetCurrentIrpStackLocation(irp)->FileObject, &file);
    bool asked = (file && device->init->file_config.EvtDeviceFileCreate) || device->queues[IRP_MJ_CREATE];
    if (NT_SUCCESS(status) && !asked && forwards(device))
        return create_below(device, file, irp);
    return NT_SUCCESS(status) && asked ? create_by_driver(device, file, irp) : kmdf_irp_complete(irp, status);
}

NTSTATUS kmdf_file_dispatch(struct kmdf_device *device, IRP *irp, UCHAR major)
{
    if (major == IRP_MJ_CREATE)
        return create(device, irp);
    struct kmdf_file *file = kmdf_file_find(device, IoGetCurrentIrpStackLocation(irp)->FileObject);
    if (file && major == IRP_MJ_CLEANUP && device->init->file_config.EvtFileCleanup)
        KMDF_CALL1(device->init->file_config.EvtFileCleanup, file->object.handle);
    if (file && major == IRP_MJ_CLEANUP)
        kmdf_device_cancel_file(device, file);
    if (file && major == IRP_MJ_CLOSE) {
        if (device->init->file_config.EvtFileClose)
            KMDF_CALL1(device->init->file_config.EvtFileClose, file->object.handle);
        kmdf_object_delete(&file->object);
    }
    return forwards(device) ? kmdf_irp_forward(device, irp) : kmdf_irp_complete(irp, STATUS_SUCCESS);
}

/* ---- for drivers ---- */

/* The framework's object for an open on Device, or NULL if there is none for it. */
WDFFILEOBJECT NTAPI WdfDeviceGetFileObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDEVICE Device, PFILE_OBJECT FileObject)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_file *file = kmdf_file_find(KMDF_GET(device, Device), FileObject);
    return file ? KMDF_HANDLE(WDFFILEOBJECT, file) : NULL;
}

/* What follows the device's name in the name that was opened; may be empty. */
PUNICODE_STRING NTAPI WdfFileObjectGetFileName(PWDF_DRIVER_GLOBALS DriverGlobals, WDFFILEOBJECT FileObject)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return &KMDF_GET(file, FileObject)->wdm->FileName;
}

/* FO_... flags. */
ULONG NTAPI WdfFileObjectGetFlags(PWDF_DRIVER_GLOBALS DriverGlobals, WDFFILEOBJECT FileObject)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(file, FileObject)->wdm->Flags;
}

WDFDEVICE NTAPI WdfFileObjectGetDevice(PWDF_DRIVER_GLOBALS DriverGlobals, WDFFILEOBJECT FileObject)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_HANDLE(WDFDEVICE, KMDF_GET(file, FileObject)->device);
}

PFILE_OBJECT NTAPI WdfFileObjectWdmGetFileObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFFILEOBJECT FileObject)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(file, FileObject)->wdm;
}

/* The process that opened the file. IRQL <= DISPATCH_LEVEL. */
ULONG NTAPI WdfFileObjectGetInitiatorProcessId(PWDF_DRIVER_GLOBALS DriverGlobals, WDFFILEOBJECT FileObject)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return (ULONG)(ULONG_PTR)KMDF_GET(file, FileObject)->process;
}
