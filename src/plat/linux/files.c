/*
 * files.c - names of the host's files: opening, making, removing and renaming them below a root.
 *
 * Every call gives Linux one name below an open folder, so there is no path that somebody could change while it is
 * walked. openat2 forbids links and ways up besides; where it is missing, one name that is neither "." nor ".." and
 * O_NOFOLLOW come to the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"

#define KEPT_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

NTSTATUS files_status(int error)
{
    static const struct {
        int error;
        NTSTATUS status;
    } rows[] = {
        {ENOENT, STATUS_OBJECT_NAME_NOT_FOUND},
        {EEXIST, STATUS_OBJECT_NAME_COLLISION},
        {ENOTDIR, STATUS_NOT_A_DIRECTORY},
        {EISDIR, STATUS_FILE_IS_A_DIRECTORY},
        {EACCES, STATUS_ACCESS_DENIED},
        {EPERM, STATUS_ACCESS_DENIED},
        {ELOOP, STATUS_ACCESS_DENIED},
        {EXDEV, STATUS_NOT_SAME_DEVICE},
        {ENXIO, STATUS_ACCESS_DENIED},
        {ETXTBSY, STATUS_ACCESS_DENIED},
        {EBADF, STATUS_ACCESS_DENIED},
        {EROFS, STATUS_MEDIA_WRITE_PROTECTED},
        {ENOSPC, STATUS_DISK_FULL},
        {EDQUOT, STATUS_DISK_FULL},
        {EFBIG, STATUS_DISK_FULL},
        {ENAMETOOLONG, STATUS_OBJECT_NAME_INVALID},
        {EILSEQ, STATUS_OBJECT_NAME_INVALID},
        {EMFILE, STATUS_TOO_MANY_OPENED_FILES},
        {ENFILE, STATUS_TOO_MANY_OPENED_FILES},
        {ENOMEM, STATUS_INSUFFICIENT_RESOURCES},
        {ENOTEMPTY, STATUS_DIRECTORY_NOT_EMPTY},
        {EINVAL, STATUS_INVALID_PARAMETER},
        {EIO, STATUS_IO_DEVICE_ERROR},
        {EBUSY, STATUS_SHARING_VIOLATION},
        {ESTALE, STATUS_FILE_INVALID},
        {EOPNOTSUPP, STATUS_NOT_SUPPORTED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].error == error)
            return rows[i].status;
    return STATUS_UNEXPECTED_IO_ERROR;
}

static bool good_name(const char *name)
{
    return name[0] && strcmp(name, ".") && strcmp(name, "..") && !strchr(name, '/');
}

static bool openat2_works(int folder)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC};
    int file = (int)syscall(SYS_openat2, folder, ".", &how, sizeof(how));
    if (file >= 0)
        close(file);
    return file >= 0;
}

int files_open_at(int folder, const char *name, int flags, mode_t mode)
{
    static _Atomic(bool) missing;
    struct open_how how = {.flags = (uint64_t)(flags | KEPT_FLAGS),
                           .mode = mode,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
    int file;
    do {
        file = missing ? -1 : (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
        if (file < 0 && !missing && (errno == ENOSYS || errno == EPERM)) {
            int error = errno; /* some sandboxes refuse every openat2 with EPERM */
            missing = error == ENOSYS || !openat2_works(folder);
            errno = error;
        }
        if (file < 0 && missing)
            file = openat(folder, name, flags | KEPT_FLAGS, mode);
    } while (file < 0 && (errno == EAGAIN || errno == EINTR));
    return file;
}

/* Opens for reading and writing, or for reading where that is all there is. */
static int open_data(int folder, const char *name, enum plat_file_kind kind, bool *writable)
{
    int file = -1;
    *writable = kind == PLAT_FILE_FOLDER;
    if (kind == PLAT_FILE_FOLDER)
        return files_open_at(folder, name, O_RDONLY | O_DIRECTORY, 0);
    file = files_open_at(folder, name, O_RDWR, 0);
    *writable = file >= 0;
    if (file < 0 && (errno == EACCES || errno == EPERM || errno == EROFS || errno == ETXTBSY))
        file = files_open_at(folder, name, O_RDONLY, 0);
    return file;
}

NTSTATUS plat_file_open(int folder, const char *name, int *opened, bool *writable, struct plat_file_info *info)
{
    struct plat_file_info before;
    for (int tries = 0; tries < 8; tries++) {
        NTSTATUS status = plat_file_look(folder, name, &before);
        if (!NT_SUCCESS(status))
            return status;
        if (before.kind == PLAT_FILE_SPECIAL)
            return STATUS_ACCESS_DENIED; /* not even opened: that alone may do something */
        int file = open_data(folder, name, before.kind, writable);
        if (file < 0 && (errno == ENOTDIR || errno == EISDIR || errno == ELOOP))
            continue; /* it is something else by now */
        if (file < 0)
            return files_status(errno);
        status = plat_file_info(file, info);
        if (NT_SUCCESS(status) && info->device == before.device && info->number == before.number) {
            *opened = file;
            return status;
        }
        plat_file_close(file); /* the host put something else there meanwhile */
    }
    return STATUS_ACCESS_DENIED;
}

NTSTATUS plat_file_make(int folder, const char *name, enum plat_file_kind kind, bool read_only, int *made,
                        struct plat_file_info *info)
{
    bool writable;
    if (!good_name(name))
        return STATUS_OBJECT_NAME_INVALID;
    if (kind == PLAT_FILE_FOLDER) {
        if (mkdirat(folder, name, 0777))
            return files_status(errno);
        return plat_file_open(folder, name, made, &writable, info);
    }
    int file = files_open_at(folder, name, O_RDWR | O_CREAT | O_EXCL, read_only ? 0444 : 0666);
    if (file < 0)
        return files_status(errno);
    NTSTATUS status = plat_file_info(file, info);
    if (NT_SUCCESS(status))
        *made = file;
    else
        plat_file_close(file);
    return status;
}

void plat_file_close(int file)
{
    close(file);
}

NTSTATUS plat_file_look(int folder, const char *name, struct plat_file_info *info)
{
    return good_name(name) ? files_look_at(folder, name, info) : STATUS_OBJECT_NAME_INVALID;
}

NTSTATUS plat_file_remove(int folder, const char *name, const struct plat_file_info *info)
{
    struct plat_file_info now;
    NTSTATUS status = plat_file_look(folder, name, &now);
    if (!NT_SUCCESS(status))
        return status;
    if (now.device != info->device || now.number != info->number)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (unlinkat(folder, name, info->kind == PLAT_FILE_FOLDER ? AT_REMOVEDIR : 0))
        return errno == EEXIST ? STATUS_DIRECTORY_NOT_EMPTY : files_status(errno);
    return STATUS_SUCCESS;
}

NTSTATUS plat_file_rename(int folder, const char *name, int new_folder, const char *new_name, bool replace)
{
    if (!good_name(name) || !good_name(new_name))
        return STATUS_OBJECT_NAME_INVALID;
    if (syscall(SYS_renameat2, folder, name, new_folder, new_name, replace ? 0 : RENAME_NOREPLACE) == 0)
        return STATUS_SUCCESS;
    if (errno == EINVAL) /* below itself, or a file system that knows no flags: nothing is replaced by mistake */
        return STATUS_ACCESS_DENIED;
    return files_status(errno);
}
