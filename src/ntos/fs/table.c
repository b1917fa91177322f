/*
 * table.c - the files in use. Each holds the folder it is in, so that a name can be removed or changed, and a path
 * told, as long as it is open.
 */
#include "fs_internal.h"

static LIST_ENTRY files = {&files, &files};
struct fs_file fs_root = {.references = 1, .handle = -1, .kind = PLAT_FILE_FOLDER, .writable = true};

static bool same(const struct fs_file *file, const struct plat_file_info *info)
{
    return file->device == info->device && file->number == info->number;
}

static struct fs_file *find(const struct fs_file *folder, const char *host, const struct plat_file_info *info)
{
    for (LIST_ENTRY *entry = files.Flink; entry != &files; entry = entry->Flink) {
        struct fs_file *file = CONTAINING_RECORD(entry, struct fs_file, link);
        if (file->parent == folder && !file->deleted && same(file, info) && !nt_strcmp(file->name, host))
            return file;
    }
    return NULL;
}

static struct fs_file *add(struct fs_file *folder, const char *host, int handle, bool writable,
                           const struct plat_file_info *info)
{
    struct fs_file *file = mm_pool_allocate(sizeof(*file), FS_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!file)
        return NULL;
    file->parent = folder;
    folder->references++;
    file->references = 1;
    file->handle = handle;
    file->writable = writable;
    file->kind = info->kind;
    file->device = info->device;
    file->number = info->number;
    __builtin_memcpy(file->name, host, nt_strlen(host) + 1);
    InsertTailList(&files, &file->link);
    return file;
}

NTSTATUS fs_file_get(struct fs_file *folder, const char *host, const struct plat_file_info *info,
                     struct fs_file **found)
{
    int handle;
    bool writable;
    struct plat_file_info opened;
    struct fs_file *file = find(folder, host, info);
    if (file) {
        file->references++;
        *found = file;
        return STATUS_SUCCESS;
    }
    NTSTATUS status = plat_file_open(folder->handle, host, &handle, &writable, &opened);
    if (!NT_SUCCESS(status))
        return status;
    *found = add(folder, host, handle, writable, &opened);
    if (*found)
        return status;
    plat_file_close(handle);
    return STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS fs_file_make(struct fs_file *folder, const char *host, enum plat_file_kind kind, bool read_only,
                      struct fs_file **made)
{
    int handle;
    struct plat_file_info info;
    NTSTATUS status = plat_file_make(folder->handle, host, kind, read_only, &handle, &info);
    if (!NT_SUCCESS(status))
        return status;
    *made = add(folder, host, handle, true, &info);
    if (*made)
        return status;
    plat_file_remove(folder->handle, host, &info);
    plat_file_close(handle);
    return STATUS_INSUFFICIENT_RESOURCES;
}

void fs_file_release(struct fs_file *file)
{
    while (file && --file->references == 0) { /* the root's first reference stays */
        struct fs_file *parent = file->parent;
        RemoveEntryList(&file->link);
        plat_file_close(file->handle);
        mm_pool_free(file, FS_TAG, 0);
        file = parent;
    }
}

bool fs_file_busy_below(const struct fs_file *folder)
{
    for (LIST_ENTRY *entry = files.Flink; entry != &files; entry = entry->Flink) {
        const struct fs_file *file = CONTAINING_RECORD(entry, struct fs_file, link);
        for (const struct fs_file *at = file->parent; at && file->opens; at = at->parent)
            if (at == folder)
                return true;
    }
    return false;
}

/* Appends what fits and counts what there is. */
static void append(WCHAR *path, ULONG capacity, ULONG *length, const WCHAR *text, SIZE_T count)
{
    for (SIZE_T i = 0; i < count; i++, *length += sizeof(WCHAR))
        if (capacity >= sizeof(WCHAR) && *length <= capacity - sizeof(WCHAR))
            path[*length / sizeof(WCHAR)] = text[i];
}

ULONG fs_file_path(const struct fs_file *file, WCHAR *path, ULONG capacity)
{
    static const WCHAR backslash = '\\';
    WCHAR name[FS_NAME_MAX];
    SIZE_T count;
    ULONG length = 0;
    const struct fs_file *done = NULL;
    if (!file->parent)
        append(path, capacity, &length, &backslash, 1);
    while (file->parent && done != file) { /* from the root down: each time the highest that is not done yet */
        const struct fs_file *at = file;
        while (at->parent != (done ? done : &fs_root))
            at = at->parent;
        append(path, capacity, &length, &backslash, 1);
        if (fs_name_from_host(at->name, name, &count))
            append(path, capacity, &length, name, count);
        done = at;
    }
    return length;
}
