/*
 * fs_internal.h - what the files of the file system share: a file (of the host, open once), an open of it, and the
 * requests.
 *
 * fs_lock guards the table of files and everything done to names. It is never held while user memory is touched or a
 * request completed.
 */
#pragma once
#include "fs.h"
#include "mm.h"
#include "rtl.h"
#include "wdk/fileinfo.h"
#include "wdk/fsrtl.h"
#include "wdk/rtl_more.h"

#define FS_TAG RTL_TAG('F', 's', 'H', 'o')

enum {
    FS_NAME_MAX = 255,                  /* UTF-16 units in a name, as NTFS has it */
    FS_HOST_NAME_MAX = 3 * FS_NAME_MAX, /* the same in UTF-8, without the zero */
    FS_PATH_MAX = 32767                 /* UTF-16 units in a path */
};

/* A file or folder under one of its names, as long as somebody has it open or has something open below it. */
struct fs_file {
    LIST_ENTRY link; /* of all but the root */
    struct fs_file *parent;
    LONG references;
    int handle;    /* of the host */
    bool writable; /* the host lets us write */
    bool delete_pending;
    bool deleted;
    ULONG opens; /* that have not been cleaned up */
    SHARE_ACCESS share;
    SECTION_OBJECT_POINTERS sections;
    enum plat_file_kind kind;
    uint64_t device, number; /* which file of the host */
    char name[FS_HOST_NAME_MAX + 1];
};

/* FILE_OBJECT.FsContext2: one open. FsContext is the file. */
struct fs_open {
    struct fs_file *file;
    bool cleaned, delete_on_close, append_only;
    bool volume; /* "\??\C:" itself */
    /* a walk through the folder */
    struct plat_listing *listing;
    UNICODE_STRING pattern; /* in upper case, in pool */
    bool listed;            /* an entry was found */
    UCHAR dots;             /* of "." and "..": how many have been passed */
};

extern struct plat_lock fs_lock;
extern struct fs_file fs_root;
extern DEVICE_OBJECT *fs_volume;

static inline struct fs_open *fs_open_of(const FILE_OBJECT *file)
{
    return file->FsContext2;
}

/* ---- names.c ---- */

/* A name NTFS takes: 1 to FS_NAME_MAX units, no control character, none of "*:<>?/\| and neither "." nor "..". */
bool fs_name_good(const WCHAR *name, SIZE_T length);
/* False: no UTF-8 stands for it, or too much. */
bool fs_name_to_host(const WCHAR *name, SIZE_T length, char host[FS_HOST_NAME_MAX + 1]);
/* False: the host's name is none that NTFS takes; such files are not seen. */
bool fs_name_from_host(const char *host, WCHAR name[FS_NAME_MAX], SIZE_T *length);
/*
 * Takes the next name off path, without the backslash behind it. STATUS_OBJECT_NAME_INVALID. closed: a backslash was
 * there.
 */
NTSTATUS fs_name_next(PUNICODE_STRING path, PUNICODE_STRING name, bool *closed);
/*
 * The name that folder has for name, whatever its case: the same spelling first, else any other. fs_lock held.
 * STATUS_OBJECT_NAME_NOT_FOUND: host is the name to make it under.
 */
NTSTATUS fs_name_find(const struct fs_file *folder, PCUNICODE_STRING name, char host[FS_HOST_NAME_MAX + 1],
                      struct plat_file_info *info);

/* ---- table.c; fs_lock held ---- */

/* Opens the host's folder if that has not been done. */
NTSTATUS fs_root_ready(void);
/* The file of a name that fs_name_find has found, referenced. */
NTSTATUS fs_file_get(struct fs_file *folder, const char *host, const struct plat_file_info *info,
                     struct fs_file **file);
NTSTATUS fs_file_make(struct fs_file *folder, const char *host, enum plat_file_kind kind, bool read_only,
                      struct fs_file **file);
void fs_file_release(struct fs_file *file);
/* True if something below folder is open. */
bool fs_file_busy_below(const struct fs_file *folder);
/* The path from the root, "\" first; length in bytes. Writes no more than fits in capacity bytes. */
ULONG fs_file_path(const struct fs_file *file, WCHAR *path, ULONG capacity);

/* ---- the requests; each returns the status and leaves Information in irp->IoStatus ---- */
typedef NTSTATUS fs_routine(IRP *irp, IO_STACK_LOCATION *stack);
fs_routine fs_create, fs_cleanup, fs_close, fs_transfer_read, fs_transfer_write, fs_flush, fs_query, fs_set,
    fs_directory, fs_query_volume;
/* The cleanup of an open that had none; takes fs_lock. */
void fs_open_cleanup(FILE_OBJECT *file);
NTSTATUS fs_set_rename(const struct fs_open *open, IRP *irp, IO_STACK_LOCATION *stack);

ULONG fs_attributes(const struct plat_file_info *info);
/* Copies to the requestor's buffer; a fault is the status. */
NTSTATUS fs_copy_out(void *to, const void *from, SIZE_T length, KPROCESSOR_MODE mode);
/* Where a request's buffer is, and whose address that is. */
NTSTATUS fs_buffer(IRP *irp, void **buffer, KPROCESSOR_MODE *mode);
