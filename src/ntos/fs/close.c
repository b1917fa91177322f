/*
 * close.c - the end of an open: cleanup with the last handle, where a file to be deleted goes, and close with the last
 * reference.
 */
#include "fs_internal.h"

/* The last open of a file that is to be deleted went. What the host makes impossible stays where it is. */
static void delete_now(struct fs_file *file)
{
    const struct plat_file_info which = {.kind = file->kind, .device = file->device, .number = file->number};
    if (NT_SUCCESS(plat_file_remove(file->parent->handle, file->name, &which)))
        file->deleted = true;
    file->delete_pending = file->deleted;
}

void fs_open_cleanup(FILE_OBJECT *object)
{
    struct fs_open *open = fs_open_of(object);
    plat_lock_acquire(&fs_lock);
    if (!open->cleaned) {
        struct fs_file *file = open->file;
        open->cleaned = true;
        IoRemoveShareAccess(object, &file->share);
        file->opens--;
        if (open->delete_on_close)
            file->delete_pending = true;
        if (file->delete_pending && !file->opens)
            delete_now(file);
    }
    plat_lock_release(&fs_lock);
}

NTSTATUS fs_cleanup(IRP *irp, IO_STACK_LOCATION *stack)
{
    UNREFERENCED_PARAMETER(irp);
    fs_open_cleanup(stack->FileObject);
    return STATUS_SUCCESS;
}

NTSTATUS fs_close(IRP *irp, IO_STACK_LOCATION *stack)
{
    UNREFERENCED_PARAMETER(irp);
    FILE_OBJECT *object = stack->FileObject;
    struct fs_open *open = fs_open_of(object);
    fs_open_cleanup(object); /* a file that never had a handle */
    if (open->listing) {
        plat_listing_close(open->listing);
        mm_pool_free(open->listing, FS_TAG, 0);
    }
    if (open->pattern.Buffer)
        mm_pool_free(open->pattern.Buffer, FS_TAG, 0);
    plat_lock_acquire(&fs_lock);
    fs_file_release(open->file);
    plat_lock_release(&fs_lock);
    mm_pool_free(open, FS_TAG, 0);
    object->FsContext = object->FsContext2 = object->SectionObjectPointer = NULL;
    return STATUS_SUCCESS;
}
