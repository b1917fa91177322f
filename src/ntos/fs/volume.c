/*
 * volume.c - IRP_MJ_QUERY_VOLUME_INFORMATION: the host's file system, told as a volume.
 */
#include "fs_internal.h"

enum { SECTOR = 512 };

static const WCHAR label[] = {'u', 'm', 'a'}, system_name[] = {'N', 'T', 'F', 'S'};

/* size bytes of head and then text. STATUS_BUFFER_OVERFLOW: not all of the text fits. */
static NTSTATUS put(IRP *irp, ULONG capacity, const void *head, SIZE_T size, const WCHAR *text, SIZE_T text_bytes)
{
    UCHAR *data = irp->AssociatedIrp.SystemBuffer;
    if (capacity < size)
        return STATUS_INFO_LENGTH_MISMATCH;
    SIZE_T room = (capacity - size) & ~(SIZE_T)1, copied = text_bytes < room ? text_bytes : room;
    __builtin_memcpy(data, head, size);
    if (copied)
        __builtin_memcpy(data + size, text, copied);
    irp->IoStatus.Information = size + copied;
    return copied < text_bytes ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static ULONG sectors(const struct plat_volume_info *info)
{
    return info->unit_bytes < SECTOR ? 1 : (ULONG)(info->unit_bytes / SECTOR);
}

static NTSTATUS put_sizes(IRP *irp, ULONG capacity, const struct plat_volume_info *info, bool full)
{
    FILE_FS_SIZE_INFORMATION size = {
        {.QuadPart = (LONGLONG)info->units}, {.QuadPart = (LONGLONG)info->units_available}, sectors(info), SECTOR};
    FILE_FS_FULL_SIZE_INFORMATION all = {{.QuadPart = (LONGLONG)info->units},
                                         {.QuadPart = (LONGLONG)info->units_available},
                                         {.QuadPart = (LONGLONG)info->units_free},
                                         sectors(info),
                                         SECTOR};
    return full ? put(irp, capacity, &all, sizeof(all), NULL, 0) : put(irp, capacity, &size, sizeof(size), NULL, 0);
}

NTSTATUS fs_query_volume(IRP *irp, IO_STACK_LOCATION *stack)
{
    ULONG capacity = stack->Parameters.QueryVolume.Length;
    struct plat_volume_info info;
    NTSTATUS status = plat_file_volume(fs_root.handle, &info);
    if (!NT_SUCCESS(status))
        return status;
    FILE_FS_VOLUME_INFORMATION volume = {.VolumeCreationTime.QuadPart = (LONGLONG)info.created,
                                         .VolumeSerialNumber = info.serial,
                                         .VolumeLabelLength = sizeof(label)};
    FILE_FS_DEVICE_INFORMATION device = {FILE_DEVICE_DISK, FILE_DEVICE_IS_MOUNTED};
    FILE_FS_ATTRIBUTE_INFORMATION attribute = {.FileSystemAttributes = FILE_CASE_PRESERVED_NAMES | FILE_UNICODE_ON_DISK,
                                               .MaximumComponentNameLength = FS_NAME_MAX,
                                               .FileSystemNameLength = sizeof(system_name)};
    switch (stack->Parameters.QueryVolume.FsInformationClass) {
    case FileFsVolumeInformation:
        return put(irp, capacity, &volume, offsetof(FILE_FS_VOLUME_INFORMATION, VolumeLabel), label, sizeof(label));
    case FileFsSizeInformation:
        return put_sizes(irp, capacity, &info, false);
    case FileFsFullSizeInformation:
        return put_sizes(irp, capacity, &info, true);
    case FileFsDeviceInformation:
        return put(irp, capacity, &device, sizeof(device), NULL, 0);
    case FileFsAttributeInformation:
        return put(irp, capacity, &attribute, offsetof(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName), system_name,
                   sizeof(system_name));
    default:
        return STATUS_INVALID_PARAMETER;
    }
}
