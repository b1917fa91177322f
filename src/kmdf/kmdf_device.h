/*
 * kmdf_device.h - devices, WDFDEVICE_INIT, file objects, and the way of an IRP through the framework.
 *
 * An IRP comes in at kmdf_dispatch (dispatch.c). Create, cleanup and close are file.c's; read, write and device
 * controls become a request (kmdf_request_create), which EvtIoInCallerContext sees first if there is one, and then a
 * queue (kmdf_queue_for, kmdf_queue_insert); plug and play and power are pnp.c's and power.c's. What nobody here
 * handles is completed as invalid, or goes to the device below if this one is a filter.
 */
#pragma once
#include "kmdf_sync.h"
#include "kmdf_pnp.h"

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
    struct kmdf_pnp_init pnp;
};

enum { KMDF_REQUEST_TYPES = IRP_MJ_MAXIMUM_FUNCTION + 1 };

struct kmdf_device {
    struct kmdf_object object;
    DEVICE_OBJECT *wdm;
    DEVICE_OBJECT *lower, *pdo;  /* the devices below and at the bottom; null: a control device */
    struct WDFDEVICE_INIT *init; /* what it was made from; the device owns it now */
    bool finished;               /* WdfControlFinishInitializing; requests come from then on */
    bool wdm_deleted;            /* it was removed: IoDeleteDevice has been called, and wdm is referenced */
    bool powered;                /* its power-managed queues present requests; kmdf_lock */
    bool has_mof;                /* WdfDeviceAssignMofResourceName; kmdf_lock */
    UNICODE_STRING link;         /* symbolic link, copy in pool */
    struct kmdf_queue *default_queue;
    struct kmdf_queue
        *queues[KMDF_REQUEST_TYPES]; /* by WdfDeviceConfigureRequestDispatching; null: the default queue */
    LIST_ENTRY files;                /* struct kmdf_file.link; kmdf_lock */
    LIST_ENTRY all_queues;           /* struct kmdf_queue.link; kmdf_lock */
    struct kmdf_sync sync;
    struct kmdf_target *local; /* WdfDeviceGetIoTarget; made when asked for */
    struct kmdf_pnp pnp;
};
extern const struct kmdf_type kmdf_device_type;

/* Checks a PWDFDEVICE_INIT a driver passed. */
struct WDFDEVICE_INIT *kmdf_init_of(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init, const char *function);
/* pdo null: for a control device. Null: no memory. */
struct WDFDEVICE_INIT *kmdf_init_allocate(struct kmdf_client *client, DEVICE_OBJECT *pdo, ULONG_PTR caller);
void kmdf_init_free(struct WDFDEVICE_INIT *init);
/* The framework device of a WDM device object, or null if the framework did not make it. */
struct kmdf_device *kmdf_device_of_wdm(DEVICE_OBJECT *device);
/* The same with a reference, for the way of an IRP: the device may be deleted at any time. */
struct kmdf_device *kmdf_device_enter(DEVICE_OBJECT *device);

/* What waits in the device's local target, and what the device below has of it, is cancelled and waited for; nothing is
 * sent there any more. PASSIVE_LEVEL. (target.c) */
void kmdf_device_close_target(struct kmdf_device *device);

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
/* What the framework does with an IRP that no callback for IRPs has taken. */
NTSTATUS kmdf_dispatch_default(struct kmdf_device *device, IRP *irp);
/* Reads, writes and device controls: a request, for EvtIoInCallerContext (in_caller, and if the driver has it), then
 * for queue, null: the one for its type. */
NTSTATUS kmdf_dispatch_io(struct kmdf_device *device, IRP *irp, struct kmdf_queue *queue, bool in_caller);
/* Completes irp with status, the framework's own answer. */
NTSTATUS kmdf_irp_complete(IRP *irp, NTSTATUS status);
