/*
 * rename.c - FileRenameInformation: a new name, in the same folder or in the one that the I/O manager has opened as
 * the target. Both are below the root, so the file stays there.
 */
#include "fs_internal.h"

/* The new name: in the same folder the request's text, else what the open of the target directory left. */
static NTSTATUS new_name(const struct fs_file *file, const FILE_RENAME_INFORMATION *data, ULONG length,
                         const FILE_OBJECT *target, struct fs_file **folder, PUNICODE_STRING name)
{
    bool closed;
    if (target) {
        if (target->DeviceObject != fs_volume || !target->FsContext2)
            return STATUS_NOT_SAME_DEVICE;
        *folder = fs_open_of(target)->file;
        *name = target->FileName;
        return (*folder)->kind == PLAT_FILE_FOLDER ? STATUS_SUCCESS : STATUS_NOT_A_DIRECTORY;
    }
    const ULONG head = (ULONG)offsetof(FILE_RENAME_INFORMATION, FileName);
    if (length < head || data->FileNameLength > length - head || data->FileNameLength % sizeof(WCHAR) ||
        data->FileNameLength > FS_NAME_MAX * sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    UNICODE_STRING text = {(USHORT)data->FileNameLength, (USHORT)data->FileNameLength, (PWCH)data->FileName};
    *folder = file->parent;
    NTSTATUS status = fs_name_next(&text, name, &closed);
    return NT_SUCCESS(status) && closed ? STATUS_OBJECT_NAME_INVALID : status;
}

/* May what has the new name now go? */
static NTSTATUS may_replace(struct fs_file *folder, const char *host, const struct plat_file_info *info, bool replace)
{
    struct fs_file *old;
    if (!replace)
        return STATUS_OBJECT_NAME_COLLISION;
    if (info->kind != PLAT_FILE_PLAIN || info->read_only)
        return STATUS_ACCESS_DENIED;
    NTSTATUS status = fs_file_get(folder, host, info, &old);
    if (!NT_SUCCESS(status))
        return status;
    status = old->opens ? STATUS_ACCESS_DENIED : status;
    fs_file_release(old);
    return status;
}

static void move_to(struct fs_file *file, struct fs_file *folder, const char *host)
{
    struct fs_file *before = file->parent;
    folder->references++;
    file->parent = folder;
    __builtin_memcpy(file->name, host, nt_strlen(host) + 1);
    fs_file_release(before);
}

NTSTATUS fs_set_rename(const struct fs_open *open, IRP *irp, IO_STACK_LOCATION *stack)
{
    struct fs_file *file = open->file, *folder;
    UNICODE_STRING name;
    char found[FS_HOST_NAME_MAX + 1], wanted[FS_HOST_NAME_MAX + 1];
    struct plat_file_info info;
    if (!file->parent)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = new_name(file, irp->AssociatedIrp.SystemBuffer, stack->Parameters.SetFile.Length,
                               stack->Parameters.SetFile.FileObject, &folder, &name);
    if (!NT_SUCCESS(status))
        return status;
    if (file->delete_pending || folder->delete_pending)
        return STATUS_DELETE_PENDING;
    if (file->kind == PLAT_FILE_FOLDER && fs_file_busy_below(file))
        return STATUS_ACCESS_DENIED;
    if (!fs_name_to_host(name.Buffer, name.Length / sizeof(WCHAR), wanted))
        return STATUS_OBJECT_NAME_INVALID;
    bool replace = false;
    status = fs_name_find(folder, &name, found, &info);
    if (NT_SUCCESS(status) && folder == file->parent && !nt_strcmp(found, file->name)) {
        status = STATUS_SUCCESS; /* its own name, perhaps in other case */
    } else if (NT_SUCCESS(status)) {
        replace = true;
        status = may_replace(folder, found, &info, stack->Parameters.SetFile.ReplaceIfExists);
        if (NT_SUCCESS(status) && nt_strcmp(found, wanted)) /* it goes under the name it has */
            status = plat_file_remove(folder->handle, found, &info);
    } else if (status == STATUS_OBJECT_NAME_NOT_FOUND) {
        status = STATUS_SUCCESS;
    }
    if (!NT_SUCCESS(status) || (folder == file->parent && !nt_strcmp(wanted, file->name)))
        return status;
    status = plat_file_rename(file->parent->handle, file->name, folder->handle, wanted, replace);
    if (NT_SUCCESS(status))
        move_to(file, folder, wanted);
    return status;
}
