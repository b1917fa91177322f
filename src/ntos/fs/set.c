/*
 * set.c - IRP_MJ_SET_INFORMATION: times, attributes, size, and whether the file is to go.
 */
#include "fs_internal.h"

static bool is_time(LONGLONG time)
{
    return time > 0;
}

/* A time of 0 or -1 stays as it is, attributes of 0 too. Of the attributes only FILE_ATTRIBUTE_READONLY is kept; the
 * host has no creation time to set. */
static NTSTATUS set_basic(const struct fs_file *file, const FILE_BASIC_INFORMATION *basic)
{
    ULONG attributes = basic->FileAttributes;
    const LARGE_INTEGER *times = &basic->CreationTime;
    for (int i = 0; i < 4; i++)
        if (times[i].QuadPart < -2)
            return STATUS_INVALID_PARAMETER;
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) && file->kind != PLAT_FILE_FOLDER)
        return STATUS_INVALID_PARAMETER;
    LONGLONG accessed = basic->LastAccessTime.QuadPart, written = basic->LastWriteTime.QuadPart;
    NTSTATUS status = STATUS_SUCCESS;
    if (is_time(accessed) || is_time(written))
        status = plat_file_set_times(file->handle, is_time(accessed) ? (uint64_t)accessed : 0,
                                     is_time(written) ? (uint64_t)written : 0);
    if (NT_SUCCESS(status) && attributes && file->kind == PLAT_FILE_PLAIN)
        status = plat_file_set_read_only(file->handle, (attributes & FILE_ATTRIBUTE_READONLY) != 0);
    return status;
}

static NTSTATUS folder_is_empty(const struct fs_file *file)
{
    struct plat_listing listing;
    const char *name;
    NTSTATUS status = plat_listing_open(file->handle, &listing);
    if (!NT_SUCCESS(status))
        return status;
    status = plat_listing_peek(&listing, &name);
    plat_listing_close(&listing);
    return status == STATUS_NO_MORE_FILES ? STATUS_SUCCESS : NT_SUCCESS(status) ? STATUS_DIRECTORY_NOT_EMPTY : status;
}

static NTSTATUS set_disposition(FILE_OBJECT *object, bool delete)
{
    struct fs_file *file = fs_open_of(object)->file;
    struct plat_file_info info;
    NTSTATUS status = plat_file_info(file->handle, &info);
    if (!NT_SUCCESS(status))
        return status;
    if (delete && (!file->parent || info.read_only))
        return STATUS_CANNOT_DELETE;
    if (delete && file->kind == PLAT_FILE_FOLDER)
        status = folder_is_empty(file);
    if (!NT_SUCCESS(status))
        return status;
    file->delete_pending = delete;
    object->DeletePending = delete;
    return status;
}

/* An allocation below the size cuts the file off; one above it is the host's own business. */
static NTSTATUS set_size(const struct fs_file *file, LONGLONG size, bool allocation)
{
    struct plat_file_info info;
    if (file->kind != PLAT_FILE_PLAIN || size < 0)
        return STATUS_INVALID_PARAMETER;
    if (!file->writable)
        return STATUS_ACCESS_DENIED;
    NTSTATUS status = plat_file_info(file->handle, &info);
    if (!NT_SUCCESS(status) || (allocation && (uint64_t)size >= info.size))
        return status;
    return plat_file_resize(file->handle, (uint64_t)size);
}

static NTSTATUS set_class(IRP *irp, IO_STACK_LOCATION *stack)
{
    const struct fs_open *open = fs_open_of(stack->FileObject);
    const void *data = irp->AssociatedIrp.SystemBuffer;
    ULONG length = stack->Parameters.SetFile.Length;
    switch (stack->Parameters.SetFile.FileInformationClass) {
    case FileBasicInformation:
        return length < sizeof(FILE_BASIC_INFORMATION) ? STATUS_INFO_LENGTH_MISMATCH : set_basic(open->file, data);
    case FileDispositionInformation:
        return length < 1 ? STATUS_INFO_LENGTH_MISMATCH : set_disposition(stack->FileObject, *(const BOOLEAN *)data);
    case FileAllocationInformation:
    case FileEndOfFileInformation:
        if (length < sizeof(LARGE_INTEGER))
            return STATUS_INFO_LENGTH_MISMATCH;
        return set_size(open->file, ((const LARGE_INTEGER *)data)->QuadPart,
                        stack->Parameters.SetFile.FileInformationClass == FileAllocationInformation);
    case FileRenameInformation:
        return fs_set_rename(open, irp, stack);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS fs_set(IRP *irp, IO_STACK_LOCATION *stack)
{
    if (fs_open_of(stack->FileObject)->volume)
        return STATUS_INVALID_PARAMETER;
    plat_lock_acquire(&fs_lock);
    NTSTATUS status = set_class(irp, stack);
    plat_lock_release(&fs_lock);
    return status;
}
