/*
 * io.h - the I/O manager inside the host: start the kernel, load and unload drivers, send requests as user mode does.
 *
 * Documented routines stand in wdk/io.h. The calls here are the "system services" of this floor: user addresses are
 * plain numbers, never dereferenced except through the accessors.
 */
#pragma once
#include "wdk/io.h"
#include "ob.h"

/* ---- the kernel ---- */

/* Starts everything from the platform up; the calling thread becomes a kernel thread. Once per process. */
NTSTATUS nt_start(const struct plat_options *options);

/* ---- drivers ---- */

/*
 * Creates the driver object of an image and calls its DriverEntry (entry, absolute) with a registry path. name: no
 * folder, no extension. On failure what the driver had created is taken down and its status returned.
 */
NTSTATUS io_driver_load(ULONG_PTR entry, PVOID image_base, SIZE_T image_size, const char *name, DRIVER_OBJECT **driver);
/*
 * Calls DriverUnload and drops the driver object. STATUS_INVALID_DEVICE_REQUEST: it has no unload routine and stays;
 * STATUS_DEVICE_BUSY: files are still open on its devices.
 */
NTSTATUS io_driver_unload(DRIVER_OBJECT *driver);
/* The index-th device of a driver in order of creation, or null. */
DEVICE_OBJECT *io_driver_device(DRIVER_OBJECT *driver, ULONG index);
/* Name of a device as UTF-8, "" if it has none. */
void io_device_name(DEVICE_OBJECT *device, char *name, SIZE_T size);

/* Calls back with one line for each device, link, request, locked or mapped range and pool block that drivers have not
 * given back; returns the count. The callback may call anything but io_leaks. */
typedef void io_leak_callback(void *context, const char *line);
SIZE_T io_leaks(io_leak_callback *callback, void *context);
/* For floors above that keep things for drivers: more is called for each report, and calls tell with each thing, as
 * "WHAT, VERB by CALLER". */
typedef void io_leak_teller(void *reporter, ULONG_PTR caller, const char *verb, const char *what);
typedef void io_leak_source(io_leak_teller *tell, void *reporter);
void io_leaks_add(io_leak_source *more);
/* Set by the floor above that wants to know: no file is open on the device any more. PASSIVE_LEVEL. */
extern void (*io_device_unused)(DEVICE_OBJECT *device);
/* The same: a device's memory goes, and with it what plug and play has in node. */
extern void (*io_device_gone)(void *node);

/* ---- files and requests ---- */

/* An open handle of the host; a caller that has a file object already makes one for the time of a call. */
struct io_file {
    FILE_OBJECT *object;
    KPROCESSOR_MODE mode; /* of its requests: whose addresses the buffers are */
};

/* What an open asks for: the arguments of NtCreateFile, captured. */
struct io_create {
    ACCESS_MASK access; /* mapped: no generic rights */
    ULONG attributes;   /* OBJ_* */
    ULONG file_attributes, share, disposition, options;
    LONGLONG allocation;
    PVOID ea; /* in pool, or null */
    ULONG ea_length;
    FILE_OBJECT *relative_to; /* the name is relative to this file, or null */
    UCHAR flags;              /* SL_OPEN_TARGET_DIRECTORY */
};
extern const struct io_create io_create_default; /* read and write, FILE_OPEN, everything shared, synchronous */

/*
 * Opens the device that name begins with and sends it IRP_MJ_CREATE; *information: what the driver says it did
 * (FILE_OPENED ...). The file is closed with ob_dereference, or, once a handle was made, with that.
 */
NTSTATUS io_file_open(PCUNICODE_STRING name, KPROCESSOR_MODE mode, const struct io_create *create, FILE_OBJECT **file,
                      ULONG_PTR *information);
extern const struct ob_type io_file_type;

/* name: "\Device\X", "\DosDevices\X", "\??\X" or "\\.\X", UTF-8. Sends IRP_MJ_CREATE. */
NTSTATUS io_open(const char *name, struct io_file **file);
/* Sends IRP_MJ_CLEANUP and, with the last reference, IRP_MJ_CLOSE. */
NTSTATUS io_close(struct io_file *file);
FILE_OBJECT *io_file_object(struct io_file *file);
/*
 * in, out: user addresses, any value. The request is waited for. Returns the final status, which also stands in result.
 * METHOD_BUFFERED input that cannot be read, or a direct buffer that cannot be locked: STATUS_ACCESS_VIOLATION, the
 * driver is not called.
 */
NTSTATUS io_device_control(struct io_file *file, ULONG code, ULONG_PTR in, ULONG in_length, ULONG_PTR out,
                           ULONG out_length, IO_STATUS_BLOCK *result);
/*
 * A transfer: what NtReadFile, NtDeviceIoControlFile and their like are asked for. Addresses are numbers of mode's.
 */
struct io_transfer {
    FILE_OBJECT *file; /* referenced; the reference is consumed */
    PKEVENT event;     /* the same, or null */
    KPROCESSOR_MODE mode;
    UCHAR major, minor;
    bool wait; /* even if the file is not synchronous */
    bool append_only;
    bool has_offset;
    LONGLONG offset;
    ULONG key, code;
    ULONG_PTR in, out;
    ULONG in_length, out_length;
    ULONG_PTR status_block; /* where the result goes once the request is complete; 0: into *result only */
    ULONG_PTR apc_routine, apc_context;
    LONGLONG lock_length;
    UCHAR flags; /* of the stack location */
};
/*
 * Sends the transfer. A synchronous file takes one request at a time, which is waited for; else STATUS_PENDING says
 * that the result comes later, in this thread. *result is that of a request that has ended. IRQL PASSIVE_LEVEL.
 */
NTSTATUS io_transfer(const struct io_transfer *transfer, IO_STATUS_BLOCK *result);

/* Which requests to cancel: null and 0 match any. synchronous: only those whose senders wait. Returns how many. */
struct io_cancel {
    FILE_OBJECT *file;
    PKTHREAD thread;
    ULONG_PTR status_block;
    bool synchronous;
};
ULONG io_cancel(const struct io_cancel *cancel);

NTSTATUS io_read(struct io_file *file, ULONG_PTR out, ULONG length, LONGLONG offset, IO_STATUS_BLOCK *result);
NTSTATUS io_write(struct io_file *file, ULONG_PTR in, ULONG length, LONGLONG offset, IO_STATUS_BLOCK *result);

/* A query or change of a file's or volume's information, and where its buffer is: always in pool. */
struct io_information {
    UCHAR major; /* IRP_MJ_QUERY_INFORMATION, IRP_MJ_SET_INFORMATION, IRP_MJ_QUERY_VOLUME_INFORMATION */
    ULONG class;
    void *buffer;
    ULONG length;
    FILE_OBJECT *target; /* of a rename: the open target directory, or null */
    BOOLEAN replace;
};
NTSTATUS io_information(FILE_OBJECT *file, KPROCESSOR_MODE mode, const struct io_information *information,
                        IO_STATUS_BLOCK *result);
/* The entries of an open directory. buffer: an address of mode's. flags: SL_RESTART_SCAN ... */
NTSTATUS io_query_directory(FILE_OBJECT *file, KPROCESSOR_MODE mode, ULONG class, PVOID buffer, ULONG length,
                            PUNICODE_STRING pattern, UCHAR flags, IO_STATUS_BLOCK *result);

/* How long a request may stay pending before it is cancelled and, failing that, abandoned with STATUS_IO_TIMEOUT. ms;
 * 0: for ever. */
extern ULONG io_pending_timeout_ms;
