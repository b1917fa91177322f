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
 * given back; returns the count. */
typedef void io_leak_callback(void *context, const char *line);
SIZE_T io_leaks(io_leak_callback *callback, void *context);

/* ---- files and requests ---- */

/* An open handle of the host; a caller that has a file object already makes one for the time of a call. */
struct io_file {
    FILE_OBJECT *object;
    KPROCESSOR_MODE mode; /* of its requests: whose addresses the buffers are */
};

/* The same as io_open, for a counted name and a mode. The file is closed with ob_dereference, or, once a handle was
 * made, with that. */
NTSTATUS io_file_open(PCUNICODE_STRING name, KPROCESSOR_MODE mode, FILE_OBJECT **file);
extern const struct ob_type io_file_type;

/* name: "\Device\X", "\DosDevices\X", "\??\X" or "\\.\X", UTF-8. Sends IRP_MJ_CREATE. */
NTSTATUS io_open(const char *name, struct io_file **file);
/* Sends IRP_MJ_CLEANUP and, with the last reference, IRP_MJ_CLOSE. */
NTSTATUS io_close(struct io_file *file);
FILE_OBJECT *io_file_object(struct io_file *file);
/*
 * in, out: user addresses, any value. Returns the final status, which also stands in result. METHOD_BUFFERED input that
 * cannot be read, or a direct buffer that cannot be locked: STATUS_ACCESS_VIOLATION, the driver is not called.
 */
NTSTATUS io_device_control(struct io_file *file, ULONG code, ULONG_PTR in, ULONG in_length, ULONG_PTR out,
                           ULONG out_length, IO_STATUS_BLOCK *result);
NTSTATUS io_read(struct io_file *file, ULONG_PTR out, ULONG length, LONGLONG offset, IO_STATUS_BLOCK *result);
NTSTATUS io_write(struct io_file *file, ULONG_PTR in, ULONG length, LONGLONG offset, IO_STATUS_BLOCK *result);

/* How long a request may stay pending before it is cancelled and, failing that, abandoned with STATUS_IO_TIMEOUT. ms;
 * 0: for ever. */
extern ULONG io_pending_timeout_ms;
