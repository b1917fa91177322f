/*
 * kmdf_device.h - devices, WDFDEVICE_INIT, file objects, and the way of an IRP through the framework.
 *
 * An IRP comes in at kmdf_dispatch (dispatch.c). Create, cleanup and close are file.c's; read, write and device
 * controls become a request (kmdf_request_create), which EvtIoInCallerContext sees first if there is one, and then a
 * queue (kmdf_queue_for, kmdf_queue_insert). All other IRPs are completed as invalid.
 */
#pragma once
#include "kmdf_sync.h"

struct kmdf_queue;
struct kmdf_request;
struct kmdf_target;

/* What WDFDEVICE_INIT points at: what the driver said, until WdfDeviceCreate. In client->inits. */
struct WDFDEVICE_INIT {
    LIST_ENTRY link;
    struct kmdf_client *client;
    ULONG_PTR caller;
    bool control; /* from WdfControlDeviceInitAllocate */
    bool security_given;
    UNICODE_STRING name; /* copy in pool */
    DEVICE_TYPE device_type;
    ULONG characteristics;
    bool exclusive;
    WDF_DEVICE_IO_TYPE io_type;
    WDF_FILEOBJECT_CONFIG file_config;
    bool has_file_config;
    WDF_OBJECT_ATTRIBUTES file_attributes, request_attributes;
    bool has_file_attributes, has_request_attributes;
    PFN_WDF_IO_IN_CALLER_CONTEXT in_caller_context;
};

enum { KMDF_REQUEST_TYPES = IRP_MJ_MAXIMUM_FUNCTION + 1 };

struct kmdf_device {
    struct kmdf_object object;
    DEVICE_OBJECT *wdm;
    struct WDFDEVICE_INIT *init; /* what it was made from; the device owns it now */
    bool finished;               /* WdfControlFinishInitializing; requests come from then on */
    UNICODE_STRING link;         /* symbolic link, copy in pool */
    struct kmdf_queue *default_queue;
    struct kmdf_queue
        *queues[KMDF_REQUEST_TYPES]; /* by WdfDeviceConfigureRequestDispatching; null: the default queue */
    LIST_ENTRY files;                /* struct kmdf_file.link; kmdf_lock */
    LIST_ENTRY all_queues;           /* struct kmdf_queue.link; kmdf_lock */
    struct kmdf_sync sync;
    DEVICE_OBJECT *attached;   /* the device below, or null */
    struct kmdf_target *local; /* WdfDeviceGetIoTarget; made when asked for */
};
extern const struct kmdf_type kmdf_device_type;

/* Checks a PWDFDEVICE_INIT a driver passed. */
struct WDFDEVICE_INIT *kmdf_init_of(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init, const char *function);
void kmdf_init_free(struct WDFDEVICE_INIT *init);
/* The framework device of a WDM device object, or null if the framework did not make it. */
struct kmdf_device *kmdf_device_of_wdm(DEVICE_OBJECT *device);
/* The same with a reference, for the way of an IRP: the device may be deleted at any time. */
struct kmdf_device *kmdf_device_enter(DEVICE_OBJECT *device);

struct kmdf_file {
    struct kmdf_object object;
    struct kmdf_device *device;
    FILE_OBJECT *wdm;
    HANDLE process;  /* that opened it */
    LIST_ENTRY link; /* of the device's files; kmdf_lock */
};
extern const struct kmdf_type kmdf_file_type;
/* The file object of an open on device, or null if the device has none for it. */
struct kmdf_file *kmdf_file_find(struct kmdf_device *device, const FILE_OBJECT *file);
/* The create request of file was completed with this status. */
void kmdf_file_created(struct kmdf_file *file, NTSTATUS status);

/* What every MajorFunction of a framework driver is. */
NTSTATUS NTAPI kmdf_dispatch(DEVICE_OBJECT *Device, IRP *Irp);
NTSTATUS kmdf_file_dispatch(struct kmdf_device *device, IRP *irp, UCHAR major);
/* Completes irp with status, the framework's own answer. */
NTSTATUS kmdf_irp_complete(IRP *irp, NTSTATUS status);
