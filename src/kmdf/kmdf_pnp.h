/*
 * kmdf_pnp.h - plug and play and power: function and filter devices, which stand in a stack above a physical device.
 *
 *   fdo.c               AddDevice, attaching and going; WdfFdo...
 *   pnp.c               IRP_MJ_PNP: which request does what
 *   pnp_callbacks.c     the sequences of callbacks that make a device work and stop it
 *   pnp_init.c          what a driver says of all this in a WDFDEVICE_INIT
 *   pnp_query.c         requests that only ask or tell: capabilities, state, usage
 *   power.c             IRP_MJ_POWER; idle and wake settings, idle references
 *   states.c            the three state machines as drivers see them
 *   queue_power.c       power-managed queues
 *   resource_list.c     WDFCMRESLIST
 *   device_interface.c  device interfaces
 *   device_property.c   properties and registry keys of a device
 *   preprocess.c        IRPs that drivers see before the framework, or direct to queues; remove locks
 *   forward.c           IRPs for the device below
 *
 * PnP and power requests of a device come one at a time (pnp.turn); what they change is written by them alone. The
 * physical device's driver ends a request before the framework acts on its way up: the thread waits for it.
 */
#pragma once
#include "kmdf.h"
#include "wdk/pnp.h"
#include "wdk/resource.h"

struct kmdf_device;
struct kmdf_queue;
struct kmdf_resources;
struct WDFDEVICE_INIT;

/* WdfDeviceInitAssignWdmIrpPreprocessCallback for one major function. */
struct kmdf_preprocess {
    PFN_WDFDEVICE_WDM_IRP_PREPROCESS callback;
    bool all; /* whatever the minor function is */
    bool minors[256];
};

/* WdfDeviceConfigureWdmIrpDispatchCallback for one major function. */
struct kmdf_irp_dispatch {
    PFN_WDFDEVICE_WDM_IRP_DISPATCH callback;
    WDFCONTEXT context;
};

enum kmdf_machine { KMDF_MACHINE_PNP, KMDF_MACHINE_POWER, KMDF_MACHINE_POLICY, KMDF_MACHINES };

/* WdfDeviceInitRegister...StateChangeCallback. */
struct kmdf_state_callback {
    LIST_ENTRY link;
    enum kmdf_machine machine;
    ULONG state, types;
    ULONG_PTR routine;
};

/* What a WDFDEVICE_INIT knows of it. */
struct kmdf_pnp_init {
    DEVICE_OBJECT *pdo; /* null: a control device */
    bool filter;
    struct kmdf_device **created; /* during EvtDriverDeviceAdd: tells what WdfDeviceCreate made of it */
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_POWER_POLICY_EVENT_CALLBACKS policy;
    WDF_FDO_EVENT_CALLBACKS fdo;
    WDF_TRI_STATE owner, pageable; /* WdfUseDefault: nothing was said */
    bool inrush, remove_lock;
    WDF_RELEASE_HARDWARE_ORDER_ON_FAILURE order;
    LIST_ENTRY state_callbacks; /* struct kmdf_state_callback.link */
    struct kmdf_preprocess *preprocess[IRP_MJ_MAXIMUM_FUNCTION + 1];
    PFN_WDF_DEVICE_SHUTDOWN_NOTIFICATION shutdown;
    UCHAR shutdown_flags;
};

enum kmdf_stage {
    KMDF_STAGE_ADDED,     /* not started yet, or a start that failed has been undone */
    KMDF_STAGE_STARTED,   /* in D0 or, by a power request, below */
    KMDF_STAGE_STOPPED,   /* for new resources */
    KMDF_STAGE_SURPRISED, /* gone without asking, or failed; IRP_MN_REMOVE_DEVICE is still to come */
    KMDF_STAGE_REMOVED
};

/* Of a device with a physical one below; a control device has none of it in use. */
struct kmdf_pnp {
    KEVENT turn; /* set while no PnP or power request is at work */
    enum kmdf_stage stage;
    WDF_POWER_DEVICE_STATE power;    /* that the driver was last told of */
    bool hardware;                   /* EvtDevicePrepareHardware was called, EvtDeviceReleaseHardware not yet */
    bool io_initialized, io_started; /* self-managed I/O: ...Init was called; it is running */
    bool owner;                      /* of power policy */
    POWER_ACTION action;             /* of the system power request at work */
    struct kmdf_resources *raw, *translated;
    ULONG states[KMDF_MACHINES];
    bool processed[KMDF_MACHINES];
    LONG special_files;      /* open on the device */
    ULONG64 special_support; /* bit by WDF_SPECIAL_FILE_TYPE */
    LONG pinned;             /* WdfDeviceSetStaticStopRemove(FALSE) */
    bool failed;             /* WdfDeviceSetFailed */
    WDF_DEVICE_STATE state;
    WDF_DEVICE_PNP_CAPABILITIES capabilities;
    WDF_DEVICE_POWER_CAPABILITIES power_capabilities;
    DEVICE_CAPABILITIES known; /* what the stack has said */
    PNP_BUS_INFORMATION bus;
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS idle;
    WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS wake;
    LONG idle_references;  /* kmdf_lock */
    LIST_ENTRY interfaces; /* struct kmdf_interface.link; kmdf_lock */
    LIST_ENTRY offers;     /* struct kmdf_offer.link; kmdf_lock */
    LONG inside;           /* IRPs that hold the device's remove lock; kmdf_lock */
    bool closing;          /* no more get it; kmdf_lock */
    KEVENT empty;          /* set while inside is 0 */
    struct kmdf_irp_dispatch dispatch[IRP_MJ_MAXIMUM_FUNCTION + 1];
};

/* ---- fdo.c ---- */

/* DriverExtension->AddDevice of a driver with EvtDriverDeviceAdd. */
NTSTATUS NTAPI kmdf_add_device(DRIVER_OBJECT *DriverObject, DEVICE_OBJECT *PhysicalDeviceObject);
/* The device is put on the stack of its physical device, with what it takes over from there. */
NTSTATUS kmdf_fdo_attach(struct kmdf_device *device, const struct WDFDEVICE_INIT *init);
/* It leaves the stack, and is deleted with its WDM device. */
void kmdf_fdo_leave(struct kmdf_device *device);
struct WDFDEVICE_INIT *kmdf_fdo_init_of(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init, const char *function);

/* ---- pnp_init.c ---- */

void kmdf_pnp_init_begin(struct kmdf_pnp_init *init, DEVICE_OBJECT *pdo);
void kmdf_pnp_init_end(struct kmdf_pnp_init *init);
/* A new device's part. */
void kmdf_pnp_begin(struct kmdf_device *device, const struct WDFDEVICE_INIT *init);
void kmdf_pnp_end(struct kmdf_device *device);

/* ---- pnp.c, pnp_query.c, power.c ---- */

NTSTATUS kmdf_pnp_dispatch(struct kmdf_device *device, IRP *irp);
NTSTATUS kmdf_power_dispatch(struct kmdf_device *device, IRP *irp);
/* Requests that ask or tell without changing what the device does. */
NTSTATUS kmdf_pnp_query(struct kmdf_device *device, IRP *irp);
/* The PnP manager is to ask for the device's state. */
void kmdf_pnp_invalidate(struct kmdf_device *device);

/* ---- pnp_callbacks.c ---- */

/* EvtDevicePrepareHardware, then power up. On failure all of it is undone; the driver's status. */
NTSTATUS kmdf_device_start(struct kmdf_device *device);
/* Undoes it, as far as it was done. */
void kmdf_device_stop(struct kmdf_device *device);
/* Requests are purged and self-managed I/O flushed: nothing comes from the device any more. */
void kmdf_device_purge(struct kmdf_device *device);
/* What is left before the device is deleted. */
void kmdf_device_finish(struct kmdf_device *device);
/* Into D0 and out of it. A driver whose way up fails has been powered down again. */
NTSTATUS kmdf_device_power_up(struct kmdf_device *device);
NTSTATUS kmdf_device_power_down(struct kmdf_device *device, WDF_POWER_DEVICE_STATE target);

/* ---- states.c ---- */

void kmdf_state_enter(struct kmdf_device *device, enum kmdf_machine machine, ULONG state);
/* All machines have done what their states wanted. */
void kmdf_states_rest(struct kmdf_device *device);

/* ---- queue_power.c ---- */

/* Queues of the device that are power-managed are to stand still, or to go on. */
void kmdf_queues_power_down(struct kmdf_device *device);
void kmdf_queues_power_up(struct kmdf_device *device);
/* The queues take no more requests, and those they have end; managed: of the power-managed ones, or of the others. */
void kmdf_queues_purge(struct kmdf_device *device, bool managed);

/* ---- resource_list.c ---- */

struct kmdf_resources {
    struct kmdf_object object;
    bool changeable; /* by the driver */
    bool changed;
    ULONG count, room;
    struct kmdf_descriptor **descriptors;
};
extern const struct kmdf_type kmdf_resources_type;
/* The first full descriptor of list (null: nothing) as an object, child of the device. */
NTSTATUS kmdf_resources_create(struct kmdf_device *device, const CM_RESOURCE_LIST *list,
                               struct kmdf_resources **resources);
/* What resources say as a list of the kernel's, of the bus that like (may be null) is of; null: no memory. */
CM_RESOURCE_LIST *kmdf_resources_list(const struct kmdf_resources *resources, const CM_RESOURCE_LIST *like);
void kmdf_resources_list_free(CM_RESOURCE_LIST *list);

/* ---- device_interface.c ---- */

void kmdf_interfaces_enable(struct kmdf_device *device, bool enable);
void kmdf_interfaces_free(struct kmdf_device *device);

/* ---- query_interface.c, target_pnp.c ---- */

/* IRP_MN_QUERY_INTERFACE. */
NTSTATUS kmdf_query_interface(struct kmdf_device *device, IRP *irp);
void kmdf_offers_free(struct kmdf_device *device);
/* Sends a PnP request that only asks, with the parameters of what, and waits. STATUS_NOT_SUPPORTED: nobody answers.
 * PASSIVE_LEVEL. */
NTSTATUS kmdf_pnp_ask(DEVICE_OBJECT *wdm, const IO_STACK_LOCATION *what, ULONG_PTR *information);

/* ---- preprocess.c ---- */

/* Whether the driver sees the IRP first; then *status is what its callback returned. */
bool kmdf_preprocess(struct kmdf_device *device, IRP *irp, NTSTATUS *status);
bool kmdf_dispatch_by_driver(struct kmdf_device *device, IRP *irp, NTSTATUS *status);
/* The lock that keeps a device until IRPs have left it. False: it is going. */
bool kmdf_device_hold(struct kmdf_device *device);
/* The same until irp is complete, if the driver wants that (WdfDeviceInitSetRemoveLockOptions); else true. */
bool kmdf_device_hold_irp(struct kmdf_device *device, IRP *irp);
void kmdf_device_let_go(struct kmdf_device *device);
/* Waits until all but the caller have left; nobody gets in any more. */
void kmdf_device_close(struct kmdf_device *device);

/* Stack locations that this needs beyond those of the devices below. */
CCHAR kmdf_extra_stack(const struct WDFDEVICE_INIT *init);

/* ---- forward.c ---- */

/* Passes irp to the device below and forgets it. */
NTSTATUS kmdf_irp_forward(struct kmdf_device *device, IRP *irp);
/* Passes it and waits for its end; the IRP is the framework's again. PASSIVE_LEVEL. */
NTSTATUS kmdf_irp_forward_wait(struct kmdf_device *device, IRP *irp);
/* Completes it with status, and leaves IoStatus.Information. */
NTSTATUS kmdf_irp_end(IRP *irp, NTSTATUS status);
