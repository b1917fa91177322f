/*
 * file.c - file objects: opening a device by name, the handle that user mode holds, closing.
 *
 * A file object lives as long as it has references. The handle holds one; when it goes the driver gets IRP_MJ_CLEANUP,
 * and IRP_MJ_CLOSE with the last reference.
 */
#include "io_internal.h"
#include "seh.h"

#define HANDLE_TAG RTL_TAG('H', 'n', 'd', 'l')
#define NAME_TAG   RTL_TAG('F', 'i', 'l', 'N')

/* IO_SECURITY_CONTEXT: everything that was asked for is granted, which is what an administrator's process gets. */
struct security_context {
    PVOID SecurityQos, AccessState;
    ACCESS_MASK DesiredAccess;
    ULONG FullCreateOptions;
};

const struct io_create io_create_default = {.access = 0x0012019F, /* generic read and write of a file */
                                            .file_attributes = FILE_ATTRIBUTE_NORMAL,
                                            .share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                            .disposition = FILE_OPEN,
                                            .options = FILE_SYNCHRONOUS_IO_NONALERT};

static NTSTATUS send_create(FILE_OBJECT *file, KPROCESSOR_MODE mode, const struct io_create *create,
                            ULONG_PTR *information)
{
    struct io_irp *packet;
    struct io_request *request;
    IO_STATUS_BLOCK result;
    struct security_context security = {.DesiredAccess = create->access, .FullCreateOptions = create->options};
    DEVICE_OBJECT *device = io_device_top(file->DeviceObject);
    NTSTATUS status = io_request_create(device, file, IRP_MJ_CREATE, mode, &packet, &request);
    if (!NT_SUCCESS(status))
        return status;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(&packet->irp);
    packet->irp.Flags = IRP_SYNCHRONOUS_API | IRP_CREATE_OPERATION;
    packet->irp.Overlay.AllocationSize.QuadPart = create->allocation;
    packet->irp.AssociatedIrp.SystemBuffer = create->ea;
    stack->Flags = create->flags | (create->attributes & OBJ_CASE_INSENSITIVE ? 0 : SL_CASE_SENSITIVE);
    stack->Parameters.Create.SecurityContext = &security;
    stack->Parameters.Create.Options = create->disposition << 24 | (create->options & 0xFFFFFF);
    stack->Parameters.Create.ShareAccess = (USHORT)create->share;
    stack->Parameters.Create.FileAttributes = (USHORT)create->file_attributes;
    stack->Parameters.Create.EaLength = create->ea_length;
    io_request_send(device, packet, mode, &request, &result);
    io_request_release(request);
    *information = result.Information;
    return result.Status;
}

static NTSTATUS send_simple(FILE_OBJECT *file, UCHAR major)
{
    struct io_irp *packet;
    struct io_request *request;
    IO_STATUS_BLOCK result;
    DEVICE_OBJECT *device = io_device_top(file->DeviceObject);
    NTSTATUS status = io_request_create(device, file, major, KernelMode, &packet, &request);
    if (!NT_SUCCESS(status))
        return status;
    packet->irp.Flags = IRP_SYNCHRONOUS_API | IRP_CLOSE_OPERATION;
    io_request_send(device, packet, KernelMode, &request, &result);
    io_request_release(request);
    return result.Status;
}

void (*io_device_unused)(DEVICE_OBJECT *device);

static void file_remove(void *body)
{
    FILE_OBJECT *file = body;
    DEVICE_OBJECT *device = file->DeviceObject;
    if (!device)
        return;
    if (__atomic_load_n(&file->Flags, __ATOMIC_RELAXED) & FO_HANDLE_CREATED) {
        ob_reference(file); /* for the driver's use of the file object during the request */
        send_simple(file, IRP_MJ_CLOSE);
    }
    if (file->FileName.Buffer)
        mm_pool_free(file->FileName.Buffer, NAME_TAG, 0);
    LONG open = __atomic_sub_fetch(&device->ReferenceCount, 1, __ATOMIC_ACQ_REL);
    if (!open && io_device_unused)
        io_device_unused(device);
    ob_dereference(device);
}

static void file_closed(void *body)
{
    FILE_OBJECT *file = body;
    send_simple(file, IRP_MJ_CLEANUP);
    __atomic_fetch_or(&file->Flags, FO_CLEANUP_COMPLETE, __ATOMIC_RELAXED);
}

/* A file's full name is its device's and its own. */
static const void *file_behind(const void *body, PUNICODE_STRING rest)
{
    const FILE_OBJECT *file = body;
    *rest = file->FileName;
    return file->DeviceObject;
}

const struct ob_type io_file_type = {.name = "File",
                                     .tag = RTL_TAG('F', 'i', 'l', 'e'),
                                     .remove = file_remove,
                                     .closed = file_closed,
                                     .behind = file_behind,
                                     .mapping = {0x120089, 0x120116, 0x1200A0, 0x1F01FF},
                                     .waitable = true,
                                     .dispatcher_offset = offsetof(FILE_OBJECT, Event)};

POBJECT_TYPE IoFileObjectType = (POBJECT_TYPE)&io_file_type;
POBJECT_TYPE IoDeviceObjectType = (POBJECT_TYPE)&io_device_type;
POBJECT_TYPE IoDriverObjectType = (POBJECT_TYPE)&io_driver_type;

/* Whether the device, or one that it stands on, is not up. Lock held. */
static bool is_unready(DEVICE_OBJECT *device)
{
    while (device && !io_device_of(device)->unready)
        device = io_device_of(device)->attached_to;
    return device != NULL;
}

/* Counts the open on the device, under the rules for exclusive and unready devices. */
static NTSTATUS device_open(DEVICE_OBJECT *device)
{
    NTSTATUS status = STATUS_SUCCESS;
    plat_lock_acquire(&io_lock);
    if ((device->Flags & DO_DEVICE_INITIALIZING) || io_device_of(device)->orphaned || io_device_of(device)->deleted ||
        is_unready(device))
        status = STATUS_NO_SUCH_DEVICE;
    else if ((device->Flags & DO_EXCLUSIVE) && __atomic_load_n(&device->ReferenceCount, __ATOMIC_ACQUIRE))
        status = STATUS_ACCESS_DENIED;
    else
        __atomic_add_fetch(&device->ReferenceCount, 1, __ATOMIC_ACQ_REL); /* file_remove does not hold the lock */
    plat_lock_release(&io_lock);
    return status;
}

static NTSTATUS file_fill(FILE_OBJECT *file, DEVICE_OBJECT *device, const UNICODE_STRING *rest,
                          const struct io_create *create)
{
    file->Type = IO_TYPE_FILE;
    file->Size = sizeof(*file);
    file->ReadAccess = (create->access & FILE_READ_DATA) != 0;
    file->WriteAccess = (create->access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    file->DeleteAccess = (create->access & DELETE) != 0;
    file->SharedRead = (create->share & FILE_SHARE_READ) != 0;
    file->SharedWrite = (create->share & FILE_SHARE_WRITE) != 0;
    file->SharedDelete = (create->share & FILE_SHARE_DELETE) != 0;
    file->RelatedFileObject = create->relative_to;
    if (create->options & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT))
        file->Flags |= FO_SYNCHRONOUS_IO;
    if (create->options & FILE_SYNCHRONOUS_IO_ALERT)
        file->Flags |= FO_ALERTABLE_IO;
    KeInitializeEvent(&file->Lock, SynchronizationEvent, FALSE);
    KeInitializeEvent(&file->Event, NotificationEvent, FALSE);
    InitializeListHead(&file->IrpList);
    if (rest->Length) {
        file->FileName.Buffer = mm_pool_allocate(rest->Length, NAME_TAG, 0, MM_POOL_KERNEL, 0);
        if (!file->FileName.Buffer)
            return STATUS_INSUFFICIENT_RESOURCES;
        file->FileName.MaximumLength = rest->Length;
        RtlCopyUnicodeString(&file->FileName, rest);
    }
    NTSTATUS status = device_open(device);
    if (NT_SUCCESS(status)) {
        ob_reference(device);
        file->DeviceObject = device;
    } else if (file->FileName.Buffer) {
        mm_pool_free(file->FileName.Buffer, NAME_TAG, 0);
    }
    return status;
}

NTSTATUS io_file_open(PCUNICODE_STRING name, KPROCESSOR_MODE mode, const struct io_create *create, FILE_OBJECT **opened,
                      ULONG_PTR *information)
{
    DEVICE_OBJECT *device;
    FILE_OBJECT *file;
    UNICODE_STRING rest, storage = {0};
    NTSTATUS status = STATUS_SUCCESS;
    if (create->relative_to) {
        rest = *name;
        device = create->relative_to->DeviceObject;
        ob_reference(device);
    } else {
        status = ob_lookup(name, &io_device_type, (void **)&device, &rest, &storage);
    }
    if (!NT_SUCCESS(status))
        return status;
    status = ob_create(&io_file_type, sizeof(*file), (void **)&file);
    if (NT_SUCCESS(status)) {
        status = file_fill(file, device, &rest, create);
        if (NT_SUCCESS(status))
            status = send_create(file, mode, create, information);
        file->RelatedFileObject = NULL; /* the driver's during the create only */
        if (NT_SUCCESS(status))
            file->Flags |= FO_HANDLE_CREATED;
        else
            ob_dereference(file);
    }
    ob_path_free(&storage);
    ob_dereference(device);
    if (NT_SUCCESS(status))
        *opened = file;
    return status;
}

NTSTATUS io_file_close_handle(FILE_OBJECT *file)
{
    NTSTATUS status = send_simple(file, IRP_MJ_CLEANUP);
    __atomic_fetch_or(&file->Flags, FO_CLEANUP_COMPLETE, __ATOMIC_RELAXED);
    ob_dereference(file);
    /* A driver without a cleanup routine answers STATUS_INVALID_DEVICE_REQUEST; the handle is closed all the same. */
    return status == STATUS_INVALID_DEVICE_REQUEST ? STATUS_SUCCESS : status;
}

/* ---- one request at a time ---- */

NTSTATUS io_file_lock(FILE_OBJECT *file, KPROCESSOR_MODE mode)
{
    NTSTATUS status = STATUS_SUCCESS;
    if (!__atomic_exchange_n(&file->Busy, TRUE, __ATOMIC_SEQ_CST))
        return status;
    __atomic_add_fetch(&file->Waiters, 1, __ATOMIC_SEQ_CST);
    while (status == STATUS_SUCCESS && __atomic_exchange_n(&file->Busy, TRUE, __ATOMIC_SEQ_CST))
        status = KeWaitForSingleObject(&file->Lock, Executive, mode,
                                       (__atomic_load_n(&file->Flags, __ATOMIC_RELAXED) & FO_ALERTABLE_IO) != 0, NULL);
    __atomic_sub_fetch(&file->Waiters, 1, __ATOMIC_SEQ_CST);
    return status;
}

void io_file_unlock(FILE_OBJECT *file)
{
    __atomic_store_n(&file->Busy, FALSE, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&file->Waiters, __ATOMIC_SEQ_CST))
        KeSetEvent(&file->Lock, IO_NO_INCREMENT, FALSE);
}

/* ---- handles of the host ---- */

NTSTATUS io_open(const char *name, struct io_file **opened)
{
    WCHAR wide[512];
    ULONG bytes;
    SIZE_T length = nt_strnlen(name, 4 * RTL_NUMBER_OF(wide));
    if (length >= RTL_NUMBER_OF(wide))
        return STATUS_NAME_TOO_LONG;
    RtlMultiByteToUnicodeN(wide, sizeof(wide), &bytes, name, (ULONG)length);
    UNICODE_STRING path = {(USHORT)bytes, (USHORT)bytes, wide};
    ULONG_PTR information;
    struct io_file *handle = mm_pool_allocate(sizeof(*handle), HANDLE_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!handle)
        return STATUS_INSUFFICIENT_RESOURCES;
    handle->mode = UserMode;
    NTSTATUS status = io_file_open(&path, UserMode, &io_create_default, &handle->object, &information);
    if (NT_SUCCESS(status))
        *opened = handle;
    else
        mm_pool_free(handle, HANDLE_TAG, 0);
    return status;
}

NTSTATUS io_close(struct io_file *handle)
{
    NTSTATUS status = io_file_close_handle(handle->object);
    mm_pool_free(handle, HANDLE_TAG, 0);
    return status;
}

FILE_OBJECT *io_file_object(struct io_file *handle)
{
    return handle->object;
}

/* ---- drivers that open devices ---- */

/* Opens the device for a driver: *FileObject is referenced, *DeviceObject the top of its stack. Dereference the file
 * object when done. */
NTSTATUS NTAPI IoGetDeviceObjectPointer(PUNICODE_STRING ObjectName, ACCESS_MASK DesiredAccess, PFILE_OBJECT *FileObject,
                                        PDEVICE_OBJECT *DeviceObject)
{
    PFILE_OBJECT file;
    ULONG_PTR information;
    struct io_create create = io_create_default;
    NTSTATUS status = ob_access_map(&io_file_type, DesiredAccess, KernelMode, &create.access);
    if (NT_SUCCESS(status))
        status = io_file_open(ObjectName, KernelMode, &create, &file, &information);
    if (!NT_SUCCESS(status))
        return status;
    *DeviceObject = io_device_top(file->DeviceObject);
    *FileObject = file;
    return status;
}

PDEVICE_OBJECT NTAPI IoGetRelatedDeviceObject(PFILE_OBJECT FileObject)
{
    return io_device_top(FileObject->DeviceObject);
}
