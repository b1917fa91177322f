/*
 * query.c - IRP_MJ_QUERY_INFORMATION: what is known of an open file.
 *
 * The position, the mode, the access and the alignment are the I/O manager's; in FileAllInformation it fills them in.
 */
#include "fs_internal.h"

ULONG fs_attributes(const struct plat_file_info *info)
{
    if (info->kind == PLAT_FILE_FOLDER)
        return FILE_ATTRIBUTE_DIRECTORY;
    return FILE_ATTRIBUTE_ARCHIVE | (info->read_only ? FILE_ATTRIBUTE_READONLY : 0);
}

/* The answer under construction. */
struct answer {
    const struct fs_open *open;
    struct plat_file_info info;
    UCHAR *data;
    ULONG capacity, used;
};

static LARGE_INTEGER large(uint64_t value)
{
    return (LARGE_INTEGER){.QuadPart = (LONGLONG)value};
}

static NTSTATUS put(struct answer *answer, const void *data, SIZE_T size)
{
    if (answer->capacity < size)
        return STATUS_INFO_LENGTH_MISMATCH;
    __builtin_memcpy(answer->data, data, size);
    answer->used = (ULONG)size;
    return STATUS_SUCCESS;
}

static FILE_BASIC_INFORMATION basic(const struct plat_file_info *info)
{
    FILE_BASIC_INFORMATION made;
    __builtin_memset(&made, 0, sizeof(made)); /* what lies between its fields goes to the caller as well */
    made.CreationTime = large(info->created);
    made.LastAccessTime = large(info->accessed);
    made.LastWriteTime = large(info->written);
    made.ChangeTime = large(info->changed);
    made.FileAttributes = fs_attributes(info);
    return made;
}

static FILE_STANDARD_INFORMATION standard(const struct answer *answer)
{
    FILE_STANDARD_INFORMATION made;
    __builtin_memset(&made, 0, sizeof(made));
    made.AllocationSize = large(answer->info.allocated);
    made.EndOfFile = large(answer->info.size);
    made.DeletePending = answer->open->file->delete_pending;
    made.Directory = answer->info.kind == PLAT_FILE_FOLDER;
    made.NumberOfLinks = made.Directory ? 1 : answer->info.links;
    made.NumberOfLinks -= made.DeletePending && made.NumberOfLinks;
    return made;
}

/* The name's length, and as much of it as fits at offset. STATUS_BUFFER_OVERFLOW: not all of it. */
static NTSTATUS put_name(struct answer *answer, ULONG offset)
{
    const ULONG text = offset + (ULONG)offsetof(FILE_NAME_INFORMATION, FileName);
    if (answer->capacity < text)
        return STATUS_INFO_LENGTH_MISMATCH;
    ULONG room = (answer->capacity - text) & ~1u;
    ULONG length = fs_file_path(answer->open->file, (WCHAR *)(answer->data + text), room);
    __builtin_memcpy(answer->data + offset, &length, sizeof(length));
    answer->used = text + (length < room ? length : room);
    return length <= room ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

static NTSTATUS put_all(struct answer *answer)
{
    FILE_ALL_INFORMATION all;
    if (answer->capacity < sizeof(all))
        return STATUS_INFO_LENGTH_MISMATCH;
    __builtin_memset(&all, 0, sizeof(all));
    all.BasicInformation = basic(&answer->info);
    all.StandardInformation = standard(answer);
    all.InternalInformation.IndexNumber = large(answer->info.number);
    __builtin_memcpy(answer->data, &all, offsetof(FILE_ALL_INFORMATION, NameInformation));
    return put_name(answer, offsetof(FILE_ALL_INFORMATION, NameInformation));
}

/* The one stream a file has, the unnamed one. */
static NTSTATUS put_stream(struct answer *answer)
{
    static const WCHAR name[] = {':', ':', '$', 'D', 'A', 'T', 'A'};
    UCHAR made[offsetof(FILE_STREAM_INFORMATION, StreamName) + sizeof(name)];
    FILE_STREAM_INFORMATION head = {.StreamNameLength = sizeof(name),
                                    .StreamSize = large(answer->info.size),
                                    .StreamAllocationSize = large(answer->info.allocated)};
    if (answer->info.kind == PLAT_FILE_FOLDER)
        return STATUS_SUCCESS;
    __builtin_memcpy(made, &head, offsetof(FILE_STREAM_INFORMATION, StreamName));
    __builtin_memcpy(made + offsetof(FILE_STREAM_INFORMATION, StreamName), name, sizeof(name));
    return answer->capacity < sizeof(made) ? STATUS_BUFFER_OVERFLOW : put(answer, made, sizeof(made));
}

static NTSTATUS put_network(struct answer *answer)
{
    const struct plat_file_info *info = &answer->info;
    FILE_NETWORK_OPEN_INFORMATION made;
    __builtin_memset(&made, 0, sizeof(made));
    made.CreationTime = large(info->created);
    made.LastAccessTime = large(info->accessed);
    made.LastWriteTime = large(info->written);
    made.ChangeTime = large(info->changed);
    made.AllocationSize = large(info->allocated);
    made.EndOfFile = large(info->size);
    made.FileAttributes = fs_attributes(info);
    return put(answer, &made, sizeof(made));
}

static NTSTATUS answer_class(struct answer *answer, ULONG class)
{
    FILE_BASIC_INFORMATION times = basic(&answer->info);
    FILE_STANDARD_INFORMATION sizes = standard(answer);
    LARGE_INTEGER number = large(answer->info.number);
    FILE_ATTRIBUTE_TAG_INFORMATION tag = {.FileAttributes = times.FileAttributes};
    ULONG none = 0;
    switch (class) {
    case FileBasicInformation:
        return put(answer, &times, sizeof(times));
    case FileStandardInformation:
        return put(answer, &sizes, sizeof(sizes));
    case FileInternalInformation:
        return put(answer, &number, sizeof(number));
    case FileEaInformation:
        return put(answer, &none, sizeof(none));
    case FileNameInformation:
        return put_name(answer, 0);
    case FileAllInformation:
        return put_all(answer);
    case FileAlternateNameInformation:
        return STATUS_OBJECT_NAME_NOT_FOUND; /* no file has a short name */
    case FileStreamInformation:
        return put_stream(answer);
    case FileNetworkOpenInformation:
        return put_network(answer);
    case FileAttributeTagInformation:
        return put(answer, &tag, sizeof(tag));
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS fs_query(IRP *irp, IO_STACK_LOCATION *stack)
{
    struct answer answer = {.open = fs_open_of(stack->FileObject),
                            .data = irp->AssociatedIrp.SystemBuffer,
                            .capacity = stack->Parameters.QueryFile.Length};
    if (answer.open->volume)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = plat_file_info(answer.open->file->handle, &answer.info);
    if (!NT_SUCCESS(status))
        return status;
    plat_lock_acquire(&fs_lock);
    status = answer_class(&answer, stack->Parameters.QueryFile.FileInformationClass);
    plat_lock_release(&fs_lock);
    irp->IoStatus.Information = answer.used;
    return status;
}
