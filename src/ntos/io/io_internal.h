/* io_internal.h - what the files of the I/O manager share. */
#pragma once
#include "io.h"
#include "ke.h"
#include "rtl.h"

/* ---- devices: one pool block, so that writing past the driver's extension faults ---- */
struct io_device {
    DEVICE_OBJECT object;
    DEVOBJ_EXTENSION extension; /* what object.DeviceObjectExtension points at */
    LIST_ENTRY link;            /* of all devices; io_lock */
    DEVICE_OBJECT *attached_to; /* the device below */
    ULONG_PTR caller;           /* code that created it */
    ULONG extension_size;
    bool orphaned; /* its driver is gone */
    bool deleted;  /* IoDeleteDevice was called */
};
static inline struct io_device *io_device_of(DEVICE_OBJECT *device)
{
    return CONTAINING_RECORD(device, struct io_device, object);
}

extern const struct ob_type io_device_type, io_driver_type;
extern struct plat_lock io_lock; /* the lists of devices and requests */
extern LIST_ENTRY io_devices;

/* Takes a device out of its driver's list and the name space and drops its first reference. */
void io_device_delete(DEVICE_OBJECT *device);
/* The highest device of the stack that device is in. */
DEVICE_OBJECT *io_device_top(DEVICE_OBJECT *device);

/* ---- requests ---- */

/* A request of io_open and friends: outlives the IRP, and its sender if the driver never completes it. */
struct io_request {
    LONG references; /* sender, IRP */
    KEVENT done;
    bool completed;
    bool pending_marked;
    bool direct;          /* METHOD_IN_DIRECT, METHOD_OUT_DIRECT, DO_DIRECT_IO: the output is not copied */
    KPROCESSOR_MODE mode; /* whose addresses the buffers are */
    IO_STATUS_BLOCK status;
    void *system_buffer; /* METHOD_BUFFERED and DO_BUFFERED_IO */
};

/* Stands before every IRP that IoAllocateIrp made. */
struct io_irp {
    LIST_ENTRY link; /* io_lock */
    ULONG_PTR caller;
    struct io_request *request; /* null for drivers' own IRPs */
    bool synchronous;           /* IoBuildDeviceIoControlRequest: completion finishes and frees it */
    ULONG output_length;        /* of that */
    ULONG64 reserved;
    IRP irp; /* its stack locations follow */
};
#define IO_REQUEST_TAG RTL_TAG('I', 'r', 'p', 'R')
#define IO_BUFFER_TAG  RTL_TAG('S', 'y', 's', 'B')
extern LIST_ENTRY io_irps;

/* The io_irp of an IRP that IoAllocateIrp made and nobody has freed; null for any other address. */
struct io_irp *io_irp_find(const IRP *irp);
struct io_irp *io_irp_allocate(CCHAR stack_size, ULONG_PTR caller);
void io_request_release(struct io_request *request);
/* build.c: ends an associated request, and its master with the last one. False: it is not associated. */
bool io_associated_finish(IRP *irp);

/* Sends an IRP whose next stack location is filled, as a request of mode, and waits for its end. Consumes the reference
 * to *request. */
NTSTATUS io_request_send(DEVICE_OBJECT *device, struct io_irp *irp, KPROCESSOR_MODE mode, struct io_request **request,
                         IO_STATUS_BLOCK *result);
/* A request with one reference for the sender and one for its IRP. */
NTSTATUS io_request_create(DEVICE_OBJECT *device, FILE_OBJECT *file, UCHAR major, KPROCESSOR_MODE mode,
                           struct io_irp **irp, struct io_request **request);

/*
 * mdl.c: the request's MDL, with the requestor's buffer locked for operation. What locking raises is returned, and then
 * there is no MDL.
 */
NTSTATUS io_mdl_lock(IRP *irp, ULONG_PTR address, ULONG length, LOCK_OPERATION operation, ULONG_PTR caller);
/* Unlocks and frees the request's chain of MDLs, those included that drivers have added. */
void io_mdls_release(IRP *irp);

/* ---- files ---- */
/* The handle goes: IRP_MJ_CLEANUP, then the handle's reference. */
NTSTATUS io_file_close_handle(FILE_OBJECT *file);

/* ---- leftovers: write them down before the driver's image goes, and drop that once another driver comes ---- */
void io_leaks_remember(void);
void io_leaks_forget(void);

/* ---- saying things ---- */

/* One line about a driver's mistake that is not fatal, with the place. */
void io_warn(ULONG_PTR place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "driver!Function+0x12 (file.c:34)", or a number. */
void io_place(ULONG_PTR address, char *text, SIZE_T size);
/* Bug check 0xC8 or 1 if driver code came back at another IRQL or inside a critical region. before: what they were. */
struct io_balance {
    KIRQL irql;
    SHORT kernel_apc, special_apc;
};
struct io_balance io_balance_take(void);
void io_balance_check(const struct io_balance *before, ULONG_PTR routine);
