/*
 * directory.c - IRP_MJ_DIRECTORY_CONTROL, IRP_MN_QUERY_DIRECTORY: the names in a folder, by pattern.
 *
 * An open keeps its place and the pattern of its first query. Entries are put together in a buffer of our own, and go
 * to the requestor in one piece.
 */
#include "fs_internal.h"

enum { ANSWER_MAX = 64 * 1024 };

/* Where each class has its name and what stands before it. */
static const struct layout {
    UCHAR class;
    USHORT name, id; /* offsets; id 0: none */
} layouts[] = {
    {FileDirectoryInformation, offsetof(FILE_DIRECTORY_INFORMATION, FileName), 0},
    {FileFullDirectoryInformation, offsetof(FILE_FULL_DIR_INFORMATION, FileName), 0},
    {FileBothDirectoryInformation, offsetof(FILE_BOTH_DIR_INFORMATION, FileName), 0},
    {FileNamesInformation, offsetof(FILE_NAMES_INFORMATION, FileName), 0},
    {FileIdBothDirectoryInformation, offsetof(FILE_ID_BOTH_DIR_INFORMATION, FileName),
     offsetof(FILE_ID_BOTH_DIR_INFORMATION, FileId)},
    {FileIdFullDirectoryInformation, offsetof(FILE_ID_FULL_DIR_INFORMATION, FileName),
     offsetof(FILE_ID_FULL_DIR_INFORMATION, FileId)},
};

/* An entry found. */
struct entry {
    WCHAR name[FS_NAME_MAX];
    SIZE_T length;
    struct plat_file_info info;
};

struct answer {
    const struct layout *layout;
    UCHAR *data;
    ULONG capacity, used;
    ULONG last; /* offset of the last entry */
};

static bool matches(const struct fs_open *open, const struct entry *entry)
{
    UNICODE_STRING name = {(USHORT)(entry->length * sizeof(WCHAR)), (USHORT)(entry->length * sizeof(WCHAR)),
                           (PWCH)entry->name};
    UNICODE_STRING pattern = open->pattern;
    if (!pattern.Length || (pattern.Length == sizeof(WCHAR) && pattern.Buffer[0] == '*'))
        return true;
    if (!FsRtlDoesNameContainWildCards(&pattern))
        return RtlEqualUnicodeString(&pattern, &name, TRUE);
    return FsRtlIsNameInExpression(&pattern, &name, TRUE, NULL);
}

/* The next entry that the pattern takes, without going past it. "." and ".." come first, except in the root. */
static NTSTATUS peek(struct fs_open *open, struct entry *entry)
{
    const char *host;
    const struct fs_file *file = open->file;
    while (file->parent && open->dots < 2) {
        entry->length = open->dots + 1u;
        entry->name[0] = entry->name[1] = '.';
        NTSTATUS status = plat_file_info(open->dots ? file->parent->handle : file->handle, &entry->info);
        if (NT_SUCCESS(status) && matches(open, entry))
            return status;
        open->dots++;
    }
    for (;;) {
        NTSTATUS status = plat_listing_peek(open->listing, &host);
        if (!NT_SUCCESS(status))
            return status;
        if (fs_name_from_host(host, entry->name, &entry->length) && matches(open, entry) &&
            NT_SUCCESS(plat_file_look(file->handle, host, &entry->info)) && entry->info.kind != PLAT_FILE_SPECIAL)
            return STATUS_SUCCESS;
        plat_listing_advance(open->listing);
    }
}

static void advance(struct fs_open *open)
{
    if (open->file->parent && open->dots < 2)
        open->dots++;
    else
        plat_listing_advance(open->listing);
}

static void fill(const struct layout *layout, UCHAR *at, const struct entry *entry)
{
    const struct plat_file_info *info = &entry->info;
    ULONG bytes = (ULONG)(entry->length * sizeof(WCHAR));
    FILE_DIRECTORY_INFORMATION head = {.CreationTime.QuadPart = (LONGLONG)info->created,
                                       .LastAccessTime.QuadPart = (LONGLONG)info->accessed,
                                       .LastWriteTime.QuadPart = (LONGLONG)info->written,
                                       .ChangeTime.QuadPart = (LONGLONG)info->changed,
                                       .EndOfFile.QuadPart = (LONGLONG)info->size,
                                       .AllocationSize.QuadPart = (LONGLONG)info->allocated,
                                       .FileAttributes = fs_attributes(info),
                                       .FileNameLength = bytes};
    __builtin_memset(at, 0, layout->name);
    if (layout->class == FileNamesInformation)
        __builtin_memcpy(at + offsetof(FILE_NAMES_INFORMATION, FileNameLength), &bytes, sizeof(bytes));
    else
        __builtin_memcpy(at, &head, offsetof(FILE_DIRECTORY_INFORMATION, FileName));
    if (layout->id)
        __builtin_memcpy(at + layout->id, &info->number, sizeof(info->number));
}

/* Adds an entry behind the others. STATUS_BUFFER_OVERFLOW: it is the first, and not all of its name fits.
 * STATUS_NO_MORE_ENTRIES: there is no room behind the others. */
static NTSTATUS add(struct answer *answer, const struct entry *entry)
{
    ULONG at = answer->used ? (answer->used + 7) & ~7u : 0;
    ULONG bytes = (ULONG)(entry->length * sizeof(WCHAR)), name = answer->layout->name;
    bool first = !answer->used;
    if (at > answer->capacity || answer->capacity - at < name + (first ? 0 : bytes))
        return first ? STATUS_BUFFER_TOO_SMALL : STATUS_NO_MORE_ENTRIES;
    ULONG room = answer->capacity - at - name;
    ULONG copied = bytes < room ? bytes : room & ~1u;
    __builtin_memset(answer->data + answer->used, 0, at - answer->used);
    fill(answer->layout, answer->data + at, entry);
    __builtin_memcpy(answer->data + at + name, entry->name, copied);
    if (!first) {
        ULONG distance = at - answer->last;
        __builtin_memcpy(answer->data + answer->last, &distance, sizeof(distance));
    }
    answer->last = at;
    answer->used = at + name + copied;
    return copied < bytes ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* The first query of an open sets its pattern; a restart may change it. */
static NTSTATUS begin(struct fs_open *open, const UNICODE_STRING *pattern, bool restart)
{
    bool first = !open->listing;
    if (first) {
        struct plat_listing *listing = mm_pool_allocate(sizeof(*listing), FS_TAG, 0, MM_POOL_KERNEL, 0);
        if (!listing)
            return STATUS_INSUFFICIENT_RESOURCES;
        NTSTATUS status = plat_listing_open(open->file->handle, listing);
        if (!NT_SUCCESS(status)) {
            mm_pool_free(listing, FS_TAG, 0);
            return status;
        }
        open->listing = listing;
    }
    if (restart || first) {
        plat_listing_rewind(open->listing);
        open->dots = 0;
        open->listed = false;
    }
    if (!(restart || first) || !pattern || !pattern->Length)
        return STATUS_SUCCESS;
    WCHAR *text = mm_pool_allocate(pattern->Length, FS_TAG, 0, MM_POOL_KERNEL, 0);
    if (!text)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (SIZE_T i = 0; i < pattern->Length / sizeof(WCHAR); i++)
        text[i] = RtlUpcaseUnicodeChar(pattern->Buffer[i]);
    if (open->pattern.Buffer)
        mm_pool_free(open->pattern.Buffer, FS_TAG, 0);
    open->pattern = (UNICODE_STRING){pattern->Length, pattern->Length, text};
    return STATUS_SUCCESS;
}

static NTSTATUS collect(struct fs_open *open, struct answer *answer, bool single)
{
    struct entry entry;
    NTSTATUS status = STATUS_SUCCESS;
    while (NT_SUCCESS(status = peek(open, &entry))) {
        status = add(answer, &entry);
        if (status == STATUS_NO_MORE_ENTRIES || status == STATUS_BUFFER_TOO_SMALL)
            break;
        advance(open);
        open->listed = true;
        if (single || status != STATUS_SUCCESS)
            return status;
    }
    if (answer->used)
        return STATUS_SUCCESS;
    if (status == STATUS_NO_MORE_FILES)
        return open->listed ? STATUS_NO_MORE_FILES : STATUS_NO_SUCH_FILE;
    return status;
}

NTSTATUS fs_directory(IRP *irp, IO_STACK_LOCATION *stack)
{
    struct fs_open *open = fs_open_of(stack->FileObject);
    struct answer answer = {.capacity = stack->Parameters.QueryDirectory.Length};
    ULONG class = stack->Parameters.QueryDirectory.FileInformationClass;
    KPROCESSOR_MODE mode;
    void *user;
    if (stack->MinorFunction != IRP_MN_QUERY_DIRECTORY)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (open->file->kind != PLAT_FILE_FOLDER || open->volume)
        return STATUS_INVALID_PARAMETER;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(layouts); i++)
        if (layouts[i].class == class)
            answer.layout = &layouts[i];
    if (!answer.layout)
        return STATUS_INVALID_INFO_CLASS;
    if (answer.capacity < answer.layout->name)
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status = fs_buffer(irp, &user, &mode);
    if (!NT_SUCCESS(status))
        return status;
    answer.capacity = answer.capacity < ANSWER_MAX ? answer.capacity : ANSWER_MAX;
    answer.data = mm_pool_allocate(answer.capacity, FS_TAG, 0, MM_POOL_KERNEL, 0);
    if (!answer.data)
        return STATUS_INSUFFICIENT_RESOURCES;
    plat_lock_acquire(&fs_lock);
    status = begin(open, stack->Parameters.QueryDirectory.FileName, (stack->Flags & SL_RESTART_SCAN) != 0);
    if (NT_SUCCESS(status))
        status = collect(open, &answer, (stack->Flags & SL_RETURN_SINGLE_ENTRY) != 0);
    plat_lock_release(&fs_lock);
    if (answer.used) {
        NTSTATUS copied = fs_copy_out(user, answer.data, answer.used, mode);
        status = NT_SUCCESS(copied) ? status : copied;
        irp->IoStatus.Information = NT_SUCCESS(copied) ? answer.used : 0;
    }
    mm_pool_free(answer.data, FS_TAG, 0);
    return status;
}
