/*
 * fileinfo.c - the act halves of the services that ask and say things of files: by handle and class, or by name.
 *
 * A few classes are the I/O manager's own and never reach a driver: access, mode, alignment, and the position of a
 * file that is read in sequence.
 */
#include "svc.h"
#include "io.h"
#include "wdk/fileinfo.h"

/* Classes with the least bytes they take, and the access that the handle must have. 0 bytes: not to be asked so. */
static const struct class_row {
    ULONG query, set;
    ACCESS_MASK query_access, set_access;
} classes[] = {
    [FileBasicInformation] = {sizeof(FILE_BASIC_INFORMATION), sizeof(FILE_BASIC_INFORMATION), FILE_READ_ATTRIBUTES,
                              FILE_WRITE_ATTRIBUTES},
    [FileStandardInformation] = {sizeof(FILE_STANDARD_INFORMATION), 0, 0, 0},
    [FileInternalInformation] = {sizeof(FILE_INTERNAL_INFORMATION), 0, 0, 0},
    [FileEaInformation] = {sizeof(FILE_EA_INFORMATION), 0, 0, 0},
    [FileAccessInformation] = {sizeof(FILE_ACCESS_INFORMATION), 0, 0, 0},
    [FileNameInformation] = {sizeof(FILE_NAME_INFORMATION), 0, 0, 0},
    [FileRenameInformation] = {0, sizeof(FILE_RENAME_INFORMATION), 0, DELETE},
    [FileDispositionInformation] = {0, sizeof(FILE_DISPOSITION_INFORMATION), 0, DELETE},
    [FilePositionInformation] = {sizeof(FILE_POSITION_INFORMATION), sizeof(FILE_POSITION_INFORMATION), 0, 0},
    [FileModeInformation] = {sizeof(FILE_MODE_INFORMATION), 0, 0, 0},
    [FileAlignmentInformation] = {sizeof(FILE_ALIGNMENT_INFORMATION), 0, 0, 0},
    [FileAllInformation] = {sizeof(FILE_ALL_INFORMATION), 0, FILE_READ_ATTRIBUTES, 0},
    [FileAllocationInformation] = {0, sizeof(FILE_ALLOCATION_INFORMATION), 0, FILE_WRITE_DATA},
    [FileEndOfFileInformation] = {0, sizeof(FILE_END_OF_FILE_INFORMATION), 0, FILE_WRITE_DATA},
    [FileAlternateNameInformation] = {sizeof(FILE_NAME_INFORMATION), 0, 0, 0},
    [FileStreamInformation] = {sizeof(FILE_STREAM_INFORMATION), 0, 0, 0},
    [FileNetworkOpenInformation] = {sizeof(FILE_NETWORK_OPEN_INFORMATION), 0, FILE_READ_ATTRIBUTES, 0},
    [FileAttributeTagInformation] = {sizeof(FILE_ATTRIBUTE_TAG_INFORMATION), 0, FILE_READ_ATTRIBUTES, 0},
};

static const struct class_row *class_row(ULONG class)
{
    static const struct class_row none;
    return class < RTL_NUMBER_OF(classes) ? &classes[class] : &none;
}

static ULONG flags_of(const FILE_OBJECT *file)
{
    return __atomic_load_n(&file->Flags, __ATOMIC_RELAXED);
}

static ULONG mode_of(const FILE_OBJECT *file)
{
    if (!(flags_of(file) & FO_SYNCHRONOUS_IO))
        return 0;
    return flags_of(file) & FO_ALERTABLE_IO ? FILE_SYNCHRONOUS_IO_ALERT : FILE_SYNCHRONOUS_IO_NONALERT;
}

/* Leaves data as argument 2's result; what it does not fill is not written. */
static void set_data(struct svc_call *call, SIZE_T bytes)
{
    struct svc_argument *data = &call->arguments[2];
    data->bytes = bytes < data->bytes ? bytes : data->bytes;
    data->set = data->bytes != 0;
}

static void set_io(struct svc_call *call, ULONG position, const IO_STATUS_BLOCK *io)
{
    call->arguments[position].io = *io;
    call->arguments[position].set = !NT_ERROR(io->Status);
}

static NTSTATUS answer_number(struct svc_call *call, ULONG64 number, SIZE_T bytes)
{
    __builtin_memcpy(call->arguments[2].data, &number, bytes);
    set_data(call, bytes);
    set_io(call, 1, &(IO_STATUS_BLOCK){.Information = bytes});
    return STATUS_SUCCESS;
}

/* What the file system left out of FileAllInformation. */
static void complete_all(struct svc_call *call, const FILE_OBJECT *file, ACCESS_MASK access)
{
    FILE_ALL_INFORMATION *all = call->arguments[2].data;
    all->AccessInformation.AccessFlags = access;
    all->PositionInformation.CurrentByteOffset = file->CurrentByteOffset;
    all->ModeInformation.Mode = mode_of(file);
    all->AlignmentInformation.AlignmentRequirement = file->DeviceObject->AlignmentRequirement;
}

static NTSTATUS query(struct svc_call *call, FILE_OBJECT *file, ACCESS_MASK access)
{
    IO_STATUS_BLOCK io;
    struct io_information information = {.major = IRP_MJ_QUERY_INFORMATION,
                                         .class = (ULONG)call->arguments[4].value,
                                         .buffer = call->arguments[2].data,
                                         .length = (ULONG)call->arguments[2].bytes};
    switch (information.class) {
    case FileAccessInformation:
        return answer_number(call, access, sizeof(ULONG));
    case FileModeInformation:
        return answer_number(call, mode_of(file), sizeof(ULONG));
    case FileAlignmentInformation:
        return answer_number(call, file->DeviceObject->AlignmentRequirement, sizeof(ULONG));
    case FilePositionInformation:
        if (!(flags_of(file) & FO_SYNCHRONOUS_IO))
            return STATUS_INVALID_PARAMETER;
        return answer_number(call, (ULONG64)file->CurrentByteOffset.QuadPart, sizeof(ULONG64));
    default:
        break;
    }
    io_information(file, call->mode, &information, &io);
    if (NT_ERROR(io.Status))
        return io.Status;
    if (information.class == FileAllInformation && io.Information >= offsetof(FILE_ALL_INFORMATION, NameInformation))
        complete_all(call, file, access);
    set_data(call, io.Information);
    set_io(call, 1, &io);
    return io.Status;
}

NTSTATUS svc_QueryInformationFile(struct svc_call *call)
{
    const struct class_row *row = class_row((ULONG)call->arguments[4].value);
    struct ob_handle_info granted;
    FILE_OBJECT *file;
    if (!row->query)
        return STATUS_INVALID_INFO_CLASS;
    if (call->arguments[2].bytes < row->query)
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, row->query_access, &io_file_type,
                                          call->mode, (void **)&file, &granted);
    if (!NT_SUCCESS(status))
        return status;
    status = query(call, file, granted.access);
    ob_dereference(file);
    return status;
}

/* ---- changes ---- */

/* A rename to another folder: that folder is opened as the target directory, which leaves the last name in its file
 * object. A name alone stays in the same folder. */
static NTSTATUS open_rename_target(struct svc_call *call, const FILE_RENAME_INFORMATION *data, FILE_OBJECT **target)
{
    ULONG_PTR ignored;
    bool path = data->RootDirectory != NULL;
    SIZE_T room = call->arguments[2].bytes - offsetof(FILE_RENAME_INFORMATION, FileName);
    if (data->FileNameLength > room || data->FileNameLength > 0xFFFE || data->FileNameLength % sizeof(WCHAR) ||
        !data->FileNameLength)
        return STATUS_INVALID_PARAMETER;
    for (SIZE_T i = 0; i < data->FileNameLength / sizeof(WCHAR); i++)
        path |= data->FileName[i] == '\\';
    *target = NULL;
    if (!path)
        return STATUS_SUCCESS;
    struct svc_attributes attributes = {
        .root = data->RootDirectory,
        .attributes = OBJ_CASE_INSENSITIVE,
        .name = {(USHORT)data->FileNameLength, (USHORT)data->FileNameLength, (PWCH)data->FileName},
        .present = true};
    struct io_create create = io_create_default;
    create.access = FILE_WRITE_DATA | SYNCHRONIZE;
    create.flags = SL_OPEN_TARGET_DIRECTORY;
    return svc_file_open(call, &attributes, &create, target, &ignored);
}

static NTSTATUS set(struct svc_call *call, FILE_OBJECT *file)
{
    IO_STATUS_BLOCK io = {0};
    FILE_OBJECT *target = NULL;
    const void *data = call->arguments[2].data;
    struct io_information information = {.major = IRP_MJ_SET_INFORMATION,
                                         .class = (ULONG)call->arguments[4].value,
                                         .buffer = call->arguments[2].data,
                                         .length = (ULONG)call->arguments[2].bytes};
    if (information.class == FilePositionInformation) {
        LONGLONG position = ((const FILE_POSITION_INFORMATION *)data)->CurrentByteOffset.QuadPart;
        if (!(flags_of(file) & FO_SYNCHRONOUS_IO) || position < 0)
            return STATUS_INVALID_PARAMETER;
        file->CurrentByteOffset.QuadPart = position;
        set_io(call, 1, &io);
        return STATUS_SUCCESS;
    }
    if (information.class == FileRenameInformation) {
        NTSTATUS status = open_rename_target(call, data, &target);
        if (!NT_SUCCESS(status))
            return status;
        information.target = target;
        information.replace = ((const FILE_RENAME_INFORMATION *)data)->ReplaceIfExists != FALSE;
    }
    io_information(file, call->mode, &information, &io);
    if (target)
        svc_file_close(target);
    set_io(call, 1, &io);
    return io.Status;
}

NTSTATUS svc_SetInformationFile(struct svc_call *call)
{
    const struct class_row *row = class_row((ULONG)call->arguments[4].value);
    FILE_OBJECT *file;
    if (!row->set)
        return STATUS_INVALID_INFO_CLASS;
    if (call->arguments[2].bytes < row->set)
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, row->set_access, &io_file_type, call->mode,
                                          (void **)&file, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = set(call, file);
    ob_dereference(file);
    return status;
}

/* ---- volumes ---- */

NTSTATUS svc_QueryVolumeInformationFile(struct svc_call *call)
{
    static const UCHAR least[] = {
        [FileFsVolumeInformation] = sizeof(FILE_FS_VOLUME_INFORMATION),
        [FileFsSizeInformation] = sizeof(FILE_FS_SIZE_INFORMATION),
        [FileFsDeviceInformation] = sizeof(FILE_FS_DEVICE_INFORMATION),
        [FileFsAttributeInformation] = sizeof(FILE_FS_ATTRIBUTE_INFORMATION),
        [FileFsFullSizeInformation] = sizeof(FILE_FS_FULL_SIZE_INFORMATION),
    };
    FILE_OBJECT *file;
    IO_STATUS_BLOCK io;
    struct io_information information = {.major = IRP_MJ_QUERY_VOLUME_INFORMATION,
                                         .class = (ULONG)call->arguments[4].value,
                                         .buffer = call->arguments[2].data,
                                         .length = (ULONG)call->arguments[2].bytes};
    if (information.class >= RTL_NUMBER_OF(least) || !least[information.class])
        return STATUS_INVALID_INFO_CLASS;
    if (information.length < least[information.class])
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status =
        ob_handle_reference((HANDLE)call->arguments[0].value, 0, &io_file_type, call->mode, (void **)&file, NULL);
    if (!NT_SUCCESS(status))
        return status;
    if (information.class == FileFsDeviceInformation) { /* the I/O manager knows every device's */
        const FILE_FS_DEVICE_INFORMATION device = {file->DeviceObject->DeviceType, file->DeviceObject->Characteristics};
        __builtin_memcpy(call->arguments[2].data, &device, sizeof(device));
        io = (IO_STATUS_BLOCK){.Information = sizeof(device)};
    } else {
        io_information(file, call->mode, &information, &io);
    }
    ob_dereference(file);
    if (!NT_ERROR(io.Status))
        set_data(call, io.Information);
    set_io(call, 1, &io);
    return io.Status;
}
