/*
 * fs.h - the volume \Device\HarddiskVolume1 (\??\C:): a folder of the host, seen through a file system driver of the
 * kernel's own.
 */
#pragma once
#include "wdk/io.h"

/*
 * Loads the driver and names the volume; after nt_start, once. root: the host's folder, or null for an empty one that
 * is made when the volume is first used and removed when the process ends. The folder is opened now, if it is named.
 */
NTSTATUS fs_start(const char *root);

/* ---- a file's contents, for those who have a file object of the volume; any other is STATUS_INVALID_FILE_FOR_SECTION.
 * buffer: system memory. IRQL PASSIVE_LEVEL. ---- */
NTSTATUS fs_size(FILE_OBJECT *file, ULONG64 *size);
/* done: fewer than length only at the end of the file. */
NTSTATUS fs_read(FILE_OBJECT *file, ULONG64 offset, void *buffer, SIZE_T length, SIZE_T *done);
NTSTATUS fs_write(FILE_OBJECT *file, ULONG64 offset, const void *buffer, SIZE_T length, SIZE_T *done);
