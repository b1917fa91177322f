/*
 * create.c - IRP_MJ_CREATE: from a name and a disposition to an open file.
 */
#include "fs_internal.h"
#include "wdk/ob.h"

enum { HOST_RACES = 4 }; /* how often the host may make or remove the name between our look and our open */

/* IO_SECURITY_CONTEXT */
struct security_context {
    PVOID SecurityQos, AccessState;
    ACCESS_MASK DesiredAccess;
    ULONG FullCreateOptions;
};

/* What is asked for. */
struct wish {
    FILE_OBJECT *object;
    ACCESS_MASK access;
    ULONG share, options, disposition, attributes;
    bool target_directory;
};

static bool overwrites(const struct wish *wish)
{
    return wish->disposition == FILE_SUPERSEDE || wish->disposition == FILE_OVERWRITE ||
           wish->disposition == FILE_OVERWRITE_IF;
}

/* Where a name begins: the related file or the root, with the leading backslash off. */
static NTSTATUS start_of(const FILE_OBJECT *object, PUNICODE_STRING path, struct fs_file **start)
{
    const FILE_OBJECT *related = object->RelatedFileObject;
    *path = object->FileName;
    *start = &fs_root;
    bool absolute = path->Length && path->Buffer[0] == '\\';
    if (related) {
        if (absolute)
            return STATUS_INVALID_PARAMETER;
        struct fs_open *open = fs_open_of(related);
        if (!open || (open->volume && path->Length))
            return STATUS_INVALID_PARAMETER;
        *start = open->file;
        return (*start)->kind == PLAT_FILE_FOLDER || !path->Length ? STATUS_SUCCESS : STATUS_OBJECT_PATH_NOT_FOUND;
    }
    if (!path->Length)
        return STATUS_SUCCESS; /* the volume */
    if (!absolute)
        return STATUS_OBJECT_NAME_INVALID;
    path->Buffer++;
    path->Length -= sizeof(WCHAR);
    return STATUS_SUCCESS;
}

/* One folder down; *folder's reference is exchanged for the next one's. */
static NTSTATUS step_down(struct fs_file **folder, PCUNICODE_STRING name)
{
    char host[FS_HOST_NAME_MAX + 1];
    struct plat_file_info info;
    struct fs_file *next;
    NTSTATUS status = fs_name_find(*folder, name, host, &info);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND || status == STATUS_NOT_A_DIRECTORY)
        return STATUS_OBJECT_PATH_NOT_FOUND;
    if (!NT_SUCCESS(status))
        return status;
    if (info.kind == PLAT_FILE_PLAIN)
        return STATUS_OBJECT_PATH_NOT_FOUND;
    status = fs_file_get(*folder, host, &info, &next);
    if (!NT_SUCCESS(status))
        return status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_OBJECT_PATH_NOT_FOUND : status;
    fs_file_release(*folder);
    *folder = next;
    if (next->kind != PLAT_FILE_FOLDER)
        return STATUS_OBJECT_PATH_NOT_FOUND;
    return next->delete_pending ? STATUS_DELETE_PENDING : STATUS_SUCCESS;
}

/*
 * The folder that holds the last name of path, referenced, and that name; an empty name means the folder itself.
 * closed: a backslash stands behind it.
 */
static NTSTATUS walk(UNICODE_STRING path, struct fs_file *start, struct fs_file **folder, PUNICODE_STRING last,
                     bool *closed)
{
    struct fs_file *at = start;
    NTSTATUS status = STATUS_SUCCESS;
    at->references++;
    *last = (UNICODE_STRING){0};
    *closed = false;
    while (NT_SUCCESS(status) && path.Length) {
        if (last->Length)
            status = step_down(&at, last);
        if (NT_SUCCESS(status))
            status = fs_name_next(&path, last, closed);
    }
    if (NT_SUCCESS(status))
        *folder = at;
    else
        fs_file_release(at);
    return status;
}

/* Counts the open if sharing allows it. */
static NTSTATUS share(struct fs_file *file, const struct wish *wish)
{
    ACCESS_MASK added = wish->disposition == FILE_SUPERSEDE ? DELETE : overwrites(wish) ? FILE_WRITE_DATA : 0;
    if (!file->opens) {
        IoSetShareAccess(wish->access, wish->share, wish->object, &file->share);
        return STATUS_SUCCESS;
    }
    NTSTATUS status = IoCheckShareAccess(wish->access | added, wish->share, wish->object, &file->share, FALSE);
    if (NT_SUCCESS(status))
        status = IoCheckShareAccess(wish->access, wish->share, wish->object, &file->share, TRUE);
    return status;
}

/* May this file be opened so? */
static NTSTATUS allowed(const struct fs_file *file, const struct wish *wish, bool closed)
{
    struct plat_file_info info;
    bool folder = file->kind == PLAT_FILE_FOLDER;
    if (file->delete_pending)
        return STATUS_DELETE_PENDING;
    if (folder && (wish->options & FILE_NON_DIRECTORY_FILE))
        return STATUS_FILE_IS_A_DIRECTORY;
    if (folder && overwrites(wish))
        return STATUS_OBJECT_NAME_COLLISION;
    if (!folder && (wish->options & FILE_DIRECTORY_FILE))
        return STATUS_NOT_A_DIRECTORY;
    if (!folder && closed)
        return STATUS_OBJECT_NAME_INVALID;
    if (!file->parent && (wish->options & FILE_DELETE_ON_CLOSE))
        return STATUS_CANNOT_DELETE;
    if (folder)
        return STATUS_SUCCESS;
    NTSTATUS status = plat_file_info(file->handle, &info);
    if (!NT_SUCCESS(status))
        return status;
    bool writes = (wish->access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) || overwrites(wish);
    if (writes && (info.read_only || !file->writable))
        return STATUS_ACCESS_DENIED;
    return info.read_only && (wish->options & FILE_DELETE_ON_CLOSE) ? STATUS_CANNOT_DELETE : STATUS_SUCCESS;
}

/* Ties the file object to the file, whose reference it takes over. */
static NTSTATUS attach(struct fs_file *file, const struct wish *wish)
{
    struct fs_open *open = mm_pool_allocate(sizeof(*open), FS_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!open)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = share(file, wish);
    if (!NT_SUCCESS(status)) {
        mm_pool_free(open, FS_TAG, 0);
        return status;
    }
    file->opens++;
    open->file = file;
    open->delete_on_close = (wish->options & FILE_DELETE_ON_CLOSE) != 0;
    open->append_only = (wish->access & FILE_APPEND_DATA) && !(wish->access & FILE_WRITE_DATA);
    wish->object->FsContext = file;
    wish->object->FsContext2 = open;
    wish->object->SectionObjectPointer = &file->sections;
    return STATUS_SUCCESS;
}

static void detach(FILE_OBJECT *object)
{
    struct fs_open *open = fs_open_of(object);
    IoRemoveShareAccess(object, &open->file->share);
    open->file->opens--;
    mm_pool_free(open, FS_TAG, 0);
    object->FsContext = object->FsContext2 = object->SectionObjectPointer = NULL;
}

static NTSTATUS open_existing(struct fs_file *file, const struct wish *wish, bool closed, ULONG_PTR *information)
{
    *information = FILE_EXISTS;
    if (wish->disposition == FILE_CREATE)
        return file->delete_pending ? STATUS_DELETE_PENDING : STATUS_OBJECT_NAME_COLLISION;
    NTSTATUS status = allowed(file, wish, closed);
    if (NT_SUCCESS(status))
        status = attach(file, wish);
    if (!NT_SUCCESS(status))
        return status;
    *information = FILE_OPENED;
    if (!overwrites(wish))
        return status;
    status = plat_file_resize(file->handle, 0);
    if (NT_SUCCESS(status) && (wish->attributes & FILE_ATTRIBUTE_READONLY))
        status = plat_file_set_read_only(file->handle, true);
    if (!NT_SUCCESS(status))
        detach(wish->object);
    *information = wish->disposition == FILE_SUPERSEDE ? FILE_SUPERSEDED : FILE_OVERWRITTEN;
    return status;
}

static NTSTATUS make_new(struct fs_file *folder, const char *host, const struct wish *wish, bool closed,
                         struct fs_file **file, ULONG_PTR *information)
{
    bool directory = (wish->options & FILE_DIRECTORY_FILE) != 0;
    bool read_only = !directory && (wish->attributes & FILE_ATTRIBUTE_READONLY);
    *information = FILE_DOES_NOT_EXIST;
    if (wish->disposition == FILE_OPEN || wish->disposition == FILE_OVERWRITE)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (closed && !directory)
        return STATUS_OBJECT_NAME_INVALID;
    if (folder->delete_pending)
        return STATUS_DELETE_PENDING;
    if (read_only && (wish->options & FILE_DELETE_ON_CLOSE))
        return STATUS_CANNOT_DELETE;
    NTSTATUS status = fs_file_make(folder, host, directory ? PLAT_FILE_FOLDER : PLAT_FILE_PLAIN, read_only, file);
    if (NT_SUCCESS(status))
        status = attach(*file, wish);
    *information = FILE_CREATED;
    return status;
}

/* Opens or makes the last name. The host may be at work too, so what was seen may be gone: then it is looked at again.
 */
static NTSTATUS open_last(struct fs_file *folder, PCUNICODE_STRING name, const struct wish *wish, bool closed,
                          ULONG_PTR *information)
{
    NTSTATUS status = STATUS_SUCCESS;
    for (int i = 0; i < HOST_RACES; i++) {
        char host[FS_HOST_NAME_MAX + 1];
        struct plat_file_info info;
        struct fs_file *file = NULL;
        status = fs_name_find(folder, name, host, &info);
        bool exists = NT_SUCCESS(status);
        if (!exists && status != STATUS_OBJECT_NAME_NOT_FOUND)
            return status;
        if (exists)
            status = fs_file_get(folder, host, &info, &file);
        bool raced = exists ? status == STATUS_OBJECT_NAME_NOT_FOUND : false;
        if (exists && NT_SUCCESS(status)) {
            status = open_existing(file, wish, closed, information);
        } else if (!exists) {
            status = make_new(folder, host, wish, closed, &file, information);
            raced = status == STATUS_OBJECT_NAME_COLLISION && !file;
        }
        if (NT_SUCCESS(status))
            return status;
        if (file)
            fs_file_release(file);
        if (!raced)
            return status;
    }
    return status;
}

/* For a rename: opens the folder and leaves the last name in the file object. */
static NTSTATUS open_target(struct fs_file *folder, PCUNICODE_STRING name, const struct wish *wish,
                            ULONG_PTR *information)
{
    char host[FS_HOST_NAME_MAX + 1];
    struct plat_file_info info;
    NTSTATUS status = fs_name_find(folder, name, host, &info);
    if (!NT_SUCCESS(status) && status != STATUS_OBJECT_NAME_NOT_FOUND)
        return status;
    *information = NT_SUCCESS(status) ? FILE_EXISTS : FILE_DOES_NOT_EXIST;
    folder->references++;
    status = attach(folder, wish);
    if (!NT_SUCCESS(status)) {
        fs_file_release(folder);
        return status;
    }
    __builtin_memmove(wish->object->FileName.Buffer, name->Buffer, name->Length);
    wish->object->FileName.Length = name->Length;
    return status;
}

static NTSTATUS create_locked(const struct wish *wish, ULONG_PTR *information)
{
    struct fs_file *start, *folder;
    UNICODE_STRING path, last;
    bool closed;
    NTSTATUS status = fs_root_ready();
    if (NT_SUCCESS(status))
        status = start_of(wish->object, &path, &start);
    if (NT_SUCCESS(status))
        status = walk(path, start, &folder, &last, &closed);
    if (!NT_SUCCESS(status))
        return status;
    if (!last.Length) { /* the start itself: the root, a folder by its handle, or the volume */
        status = wish->target_directory ? STATUS_OBJECT_NAME_INVALID : open_existing(folder, wish, false, information);
        if (NT_SUCCESS(status)) {
            fs_open_of(wish->object)->volume = !wish->object->FileName.Length && !wish->object->RelatedFileObject;
            return status;
        }
    } else if (wish->target_directory) {
        status = open_target(folder, &last, wish, information);
    } else {
        status = open_last(folder, &last, wish, closed, information);
    }
    fs_file_release(folder);
    return status;
}

NTSTATUS fs_create(IRP *irp, IO_STACK_LOCATION *stack)
{
    const struct security_context *security = stack->Parameters.Create.SecurityContext;
    ULONG options = stack->Parameters.Create.Options;
    struct wish wish = {.object = stack->FileObject,
                        .access = security->DesiredAccess,
                        .share = stack->Parameters.Create.ShareAccess,
                        .options = options & 0xFFFFFF,
                        .disposition = options >> 24,
                        .attributes = stack->Parameters.Create.FileAttributes,
                        .target_directory = (stack->Flags & SL_OPEN_TARGET_DIRECTORY) != 0};
    if (wish.disposition > FILE_MAXIMUM_DISPOSITION)
        return STATUS_INVALID_PARAMETER;
    if ((wish.options & FILE_DIRECTORY_FILE) && (wish.options & FILE_NON_DIRECTORY_FILE))
        return STATUS_INVALID_PARAMETER;
    if ((wish.options & FILE_DIRECTORY_FILE) && overwrites(&wish))
        return STATUS_INVALID_PARAMETER;
    if (wish.options & FILE_OPEN_BY_FILE_ID)
        return STATUS_NOT_SUPPORTED;
    if (stack->Parameters.Create.EaLength)
        return STATUS_EAS_NOT_SUPPORTED;
    plat_lock_acquire(&fs_lock);
    NTSTATUS status = create_locked(&wish, &irp->IoStatus.Information);
    plat_lock_release(&fs_lock);
    return status;
}
