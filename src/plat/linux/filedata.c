/*
 * filedata.c - the host's files once they are open: contents, size, times, attributes, and the volume they are on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "files.h"

#define EPOCH_SECONDS 11644473600ll /* from 1601 to 1970 */
#define TICKS         10000000ll

static uint64_t nt_time(const struct statx_timestamp *time)
{
    int64_t seconds = time->tv_sec + EPOCH_SECONDS;
    if (seconds < 0 || seconds > INT64_MAX / TICKS - 1)
        return 0;
    return (uint64_t)(seconds * TICKS + time->tv_nsec / 100);
}

static struct timespec host_time(uint64_t time)
{
    if (!time)
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    return (struct timespec){.tv_sec = (int64_t)(time / TICKS) - EPOCH_SECONDS,
                             .tv_nsec = (int64_t)(time % TICKS) * 100};
}

NTSTATUS files_look_at(int folder, const char *name, struct plat_file_info *info)
{
    struct statx stat;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] ? 0 : AT_EMPTY_PATH);
    if (statx(folder, name, flags, STATX_BASIC_STATS | STATX_BTIME, &stat))
        return files_status(errno);
    *info = (struct plat_file_info){
        .kind = S_ISREG(stat.stx_mode)   ? PLAT_FILE_PLAIN
                : S_ISDIR(stat.stx_mode) ? PLAT_FILE_FOLDER
                                         : PLAT_FILE_SPECIAL,
        .read_only = S_ISREG(stat.stx_mode) && !(stat.stx_mode & S_IWUSR),
        .links = stat.stx_nlink,
        .device = makedev(stat.stx_dev_major, stat.stx_dev_minor),
        .number = stat.stx_ino,
        .size = S_ISREG(stat.stx_mode) ? stat.stx_size : 0,
        .allocated = S_ISREG(stat.stx_mode) ? stat.stx_blocks * 512 : 0,
        .accessed = nt_time(&stat.stx_atime),
        .written = nt_time(&stat.stx_mtime),
        .changed = nt_time(&stat.stx_ctime),
    };
    info->created = stat.stx_mask & STATX_BTIME ? nt_time(&stat.stx_btime) : info->written;
    return STATUS_SUCCESS;
}

NTSTATUS plat_file_info(int file, struct plat_file_info *info)
{
    return files_look_at(file, "", info);
}

NTSTATUS plat_file_read(int file, uint64_t offset, void *data, SIZE_T size, SIZE_T *done)
{
    *done = 0;
    if (offset > INT64_MAX || size > INT64_MAX - offset)
        return STATUS_INVALID_PARAMETER;
    while (*done < size) {
        ssize_t count = pread(file, (char *)data + *done, size - *done, (off_t)(offset + *done));
        if (count > 0)
            *done += (SIZE_T)count;
        else if (count == 0)
            break;
        else if (errno != EINTR)
            return files_status(errno);
    }
    return STATUS_SUCCESS;
}

NTSTATUS plat_file_write(int file, uint64_t offset, const void *data, SIZE_T size, SIZE_T *done)
{
    *done = 0;
    if (offset > INT64_MAX || size > INT64_MAX - offset)
        return STATUS_INVALID_PARAMETER;
    while (*done < size) {
        ssize_t count = pwrite(file, (const char *)data + *done, size - *done, (off_t)(offset + *done));
        if (count >= 0)
            *done += (SIZE_T)count;
        else if (errno != EINTR)
            return files_status(errno);
    }
    return STATUS_SUCCESS;
}

NTSTATUS plat_file_resize(int file, uint64_t size)
{
    int result;
    if (size > INT64_MAX)
        return STATUS_INVALID_PARAMETER;
    do
        result = ftruncate(file, (off_t)size);
    while (result && errno == EINTR);
    return result ? errno == EINVAL ? STATUS_ACCESS_DENIED : files_status(errno) : STATUS_SUCCESS;
}

NTSTATUS plat_file_flush(int file)
{
    return fsync(file) ? files_status(errno) : STATUS_SUCCESS;
}

NTSTATUS plat_file_set_times(int file, uint64_t accessed, uint64_t written)
{
    const struct timespec times[2] = {host_time(accessed), host_time(written)};
    return futimens(file, times) ? files_status(errno) : STATUS_SUCCESS;
}

NTSTATUS plat_file_set_read_only(int file, bool read_only)
{
    struct stat stat;
    if (fstat(file, &stat))
        return files_status(errno);
    mode_t mode = stat.st_mode & 07777;
    mode = read_only ? mode & ~(mode_t)0222 : mode | S_IWUSR;
    return fchmod(file, mode) ? files_status(errno) : STATUS_SUCCESS;
}

NTSTATUS plat_file_volume(int file, struct plat_volume_info *info)
{
    struct statvfs volume;
    struct plat_file_info root;
    if (fstatvfs(file, &volume))
        return files_status(errno);
    NTSTATUS status = plat_file_info(file, &root);
    if (!NT_SUCCESS(status))
        return status;
    *info = (struct plat_volume_info){
        .unit_bytes = volume.f_frsize ? volume.f_frsize : PLAT_PAGE_SIZE,
        .units = volume.f_blocks,
        .units_free = volume.f_bfree,
        .units_available = volume.f_bavail,
        .serial = (uint32_t)(root.device ^ root.number ^ root.number >> 32),
        .created = root.created,
    };
    return STATUS_SUCCESS;
}
