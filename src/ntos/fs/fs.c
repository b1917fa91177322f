/*
 * fs.c - the file system as a driver: its driver object, the volume device, the dispatch routine, and what the rest of
 * the kernel may ask of a file directly.
 */
#include "fs_internal.h"
#include "io_internal.h"

struct plat_lock fs_lock;
DEVICE_OBJECT *fs_volume;
static const char *root_path;

static const struct {
    UCHAR major;
    fs_routine *routine;
} routines[] = {
    {IRP_MJ_CREATE, fs_create},
    {IRP_MJ_CLEANUP, fs_cleanup},
    {IRP_MJ_CLOSE, fs_close},
    {IRP_MJ_READ, fs_transfer_read},
    {IRP_MJ_WRITE, fs_transfer_write},
    {IRP_MJ_FLUSH_BUFFERS, fs_flush},
    {IRP_MJ_QUERY_INFORMATION, fs_query},
    {IRP_MJ_SET_INFORMATION, fs_set},
    {IRP_MJ_DIRECTORY_CONTROL, fs_directory},
    {IRP_MJ_QUERY_VOLUME_INFORMATION, fs_query_volume},
};

/* Every request is done when this returns. A file object that IRP_MJ_CREATE has not seen gets no further than here. */
static NTSTATUS NTAPI dispatch(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;
    irp->IoStatus.Information = 0;
    bool opened = stack->FileObject && stack->FileObject->FsContext2;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(routines); i++)
        if (routines[i].major == stack->MajorFunction && (opened || stack->MajorFunction == IRP_MJ_CREATE))
            status = routines[i].routine(irp, stack);
    irp->IoStatus.Status = status;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS NTAPI driver_entry(DRIVER_OBJECT *driver, PUNICODE_STRING registry)
{
    UNREFERENCED_PARAMETER(registry);
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, (PCWSTR)L"\\Device\\HarddiskVolume1");
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(routines); i++)
        driver->MajorFunction[routines[i].major] = dispatch;
    NTSTATUS status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_DISK, FILE_DEVICE_IS_MOUNTED, FALSE, &fs_volume);
    if (!NT_SUCCESS(status))
        return status;
    io_device_of(fs_volume)->caller = IO_KERNEL_OWNED;
    fs_volume->SectorSize = 512;
    return status;
}

NTSTATUS fs_start(const char *root)
{
    DRIVER_OBJECT *driver;
    UNICODE_STRING link, device;
    plat_lock_init(&fs_lock);
    root_path = root;
    NTSTATUS status = root ? fs_root_ready() : STATUS_SUCCESS;
    if (NT_SUCCESS(status))
        status = io_driver_load((ULONG_PTR)driver_entry, NULL, 0, "HostFs", &driver);
    if (!NT_SUCCESS(status))
        return status;
    RtlInitUnicodeString(&link, (PCWSTR)L"\\??\\C:");
    RtlInitUnicodeString(&device, (PCWSTR)L"\\Device\\HarddiskVolume1");
    return ob_link_create(&link, &device, IO_KERNEL_OWNED);
}

NTSTATUS fs_root_ready(void)
{
    struct plat_file_info info;
    if (fs_root.handle >= 0)
        return STATUS_SUCCESS;
    NTSTATUS status = plat_root_open(root_path, &fs_root.handle);
    if (!NT_SUCCESS(status))
        return status;
    status = plat_file_info(fs_root.handle, &info);
    fs_root.device = info.device;
    fs_root.number = info.number;
    return status;
}

static NTSTATUS plain(FILE_OBJECT *object, struct fs_file **file)
{
    struct fs_open *open = object->DeviceObject == fs_volume ? fs_open_of(object) : NULL;
    if (!open || open->file->kind != PLAT_FILE_PLAIN)
        return STATUS_INVALID_FILE_FOR_SECTION;
    *file = open->file;
    return STATUS_SUCCESS;
}

NTSTATUS fs_size(FILE_OBJECT *object, ULONG64 *size)
{
    struct fs_file *file;
    struct plat_file_info info;
    NTSTATUS status = plain(object, &file);
    if (NT_SUCCESS(status))
        status = plat_file_info(file->handle, &info);
    if (NT_SUCCESS(status))
        *size = info.size;
    return status;
}

NTSTATUS fs_read(FILE_OBJECT *object, ULONG64 offset, void *buffer, SIZE_T length, SIZE_T *done)
{
    struct fs_file *file;
    NTSTATUS status = plain(object, &file);
    return NT_SUCCESS(status) ? plat_file_read(file->handle, offset, buffer, length, done) : status;
}

NTSTATUS fs_write(FILE_OBJECT *object, ULONG64 offset, const void *buffer, SIZE_T length, SIZE_T *done)
{
    struct fs_file *file;
    NTSTATUS status = plain(object, &file);
    return NT_SUCCESS(status) ? plat_file_write(file->handle, offset, buffer, length, done) : status;
}
