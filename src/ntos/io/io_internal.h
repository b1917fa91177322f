/* io_internal.h - what the files of the I/O manager share. */
#pragma once
#include "io.h"
#include "ke.h"
#include "rtl.h"

/* The caller of what the kernel itself has made: no driver's leftover. */
#define IO_KERNEL_OWNED ((ULONG_PTR) - 1)

/* ---- devices: one pool block, so that writing past the driver's extension faults ---- */
struct io_device {
    _Alignas(16) DEVICE_OBJECT object;
    DEVOBJ_EXTENSION extension; /* what object.DeviceObjectExtension points at */
    LIST_ENTRY link;            /* of all devices; io_lock */
    DEVICE_OBJECT *attached_to; /* the device below; io_lock, as object.AttachedDevice */
    ULONG_PTR caller;           /* code that created it */
    ULONG extension_size;
    LONG system_power, device_power; /* what PoSetPowerState noted */
    ULONG idle_count;                /* of PoRegisterDeviceForIdleDetection */
    void *node;                      /* of a physical device: what plug and play knows of it; goes with the device */
    bool unready;  /* the PnP manager has not started it, or removes it: it cannot be opened; io_lock */
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
/* Whether the device and those on it refuse to be opened; when this returns, who was let in before is counted. */
void io_device_set_unready(DEVICE_OBJECT *device, bool unready);
/* The lowest device of the stack that device is in, referenced. */
DEVICE_OBJECT *io_device_bottom(DEVICE_OBJECT *device);
/* The highest device of the stack that device is in. */
DEVICE_OBJECT *io_device_top(DEVICE_OBJECT *device);

/* ---- requests ---- */

/*
 * Who ends a request: its sender and its completion each leave word, once. The reference of the completion goes to the
 * sender that is still there (io_request_wait), to the second stage, or, abandoned, at once.
 */
enum io_request_state {
    IO_SENT,      /* the driver has it, the sender is in its dispatch routine */
    IO_WAITED,    /* the sender waits for `done` */
    IO_DETACHED,  /* the sender has gone on: the second stage comes to its thread as an APC */
    IO_ABANDONED, /* nobody wants to know any more */
    IO_COMPLETED
};

/* A request of a thread, to a driver: outlives the IRP, and its sender if the driver never completes it. */
struct io_request {
    LONG references; /* sender, IRP; after these the APCs of the second stage */
    LONG state;      /* enum io_request_state */
    KEVENT done;
    bool sent; /* atomic: it has been the driver's, so other threads may find and cancel it */
    bool pending_marked;
    bool direct;          /* METHOD_IN_DIRECT, METHOD_OUT_DIRECT, DO_DIRECT_IO: the output is not copied */
    bool locked;          /* the sender holds the file's lock */
    bool thread_held;     /* a reference of ke's, for one that has ended */
    KPROCESSOR_MODE mode; /* whose addresses the buffers are */
    IO_STATUS_BLOCK status;
    void *system_buffer; /* METHOD_BUFFERED and DO_BUFFERED_IO */
    IRP *irp;            /* only its address: it may be gone */
    PKTHREAD thread;     /* the sender */
    FILE_OBJECT *file;   /* referenced, or null */
    PKEVENT event;       /* referenced, or null */
    ULONG_PTR routine;   /* the dispatch routine, to be blamed */
    /* For the second stage: addresses and numbers of mode. */
    ULONG_PTR out, status_block, apc_routine, apc_context;
    ULONG out_length;
    LARGE_INTEGER lock_length; /* what IRP_MJ_LOCK_CONTROL points at */
    union {
        KAPC apc;
        WORK_QUEUE_ITEM item; /* to be freed at PASSIVE_LEVEL */
    };
};

/* Stands before every IRP that IoAllocateIrp made. */
struct io_irp {
    LIST_ENTRY link; /* of its bucket in irps.c */
    LONG references; /* one until it is freed, one for each io_irp_hold */
    ULONG sweep;     /* the last io_irps_sweep that has seen it */
    ULONG_PTR caller, freed_by;
    struct io_request *request; /* atomic; null for drivers' own IRPs */
    bool synchronous;           /* IoBuildDeviceIoControlRequest: completion finishes and frees it */
    ULONG output_length;        /* of that */
    CHAR sent;                  /* under the verifier: the lowest location it was sent to, or 0 */
    ULONG64 reserved;
    IRP irp; /* its stack locations follow */
};

/* For threads that come across another's IRP. */
static inline struct io_request *io_irp_request(const struct io_irp *packet)
{
    return __atomic_load_n(&packet->request, __ATOMIC_ACQUIRE);
}

#define IO_IRP_TAG     RTL_TAG('I', 'r', 'p', ' ')
#define IO_REQUEST_TAG RTL_TAG('I', 'r', 'p', 'R')
#define IO_BUFFER_TAG  RTL_TAG('S', 'y', 's', 'B')

/* ---- irps.c: the live ones ---- */

void io_irps_init(void);
void io_irps_add(struct io_irp *packet);
/* The io_irp of an IRP that IoAllocateIrp made and nobody has freed; null for any other address. */
struct io_irp *io_irp_find(const IRP *irp);
/* The same, and it is no longer found; its memory goes with the last hold. */
struct io_irp *io_irp_remove(const IRP *irp);
/* The IRP of this request with its memory held, completed or not, until io_irp_drop; null: it is gone. */
struct io_irp *io_irp_hold(const IRP *irp, const struct io_request *request);
void io_irp_drop(struct io_irp *packet);
/*
 * Calls back once for each live IRP that match takes, with its memory held and no lock; returns how often act said
 * true. match runs with a lock held.
 */
ULONG io_irps_sweep(bool (*match)(const struct io_irp *packet, const void *context), bool (*act)(struct io_irp *packet),
                    const void *context);
/* Calls back for each with a lock held. */
void io_irps_each(void (*callback)(const struct io_irp *packet, void *context), void *context);

struct io_irp *io_irp_allocate(CCHAR stack_size, ULONG_PTR caller);
void io_request_release(struct io_request *request);
/* build.c: ends an associated request, and its master with the last one. False: it is not associated. */
bool io_associated_finish(IRP *irp);

/* ---- request.c: sending ---- */

/* Sends an IRP whose next stack location is filled, as a request of mode, and waits for its end. Consumes the reference
 * to *request. */
NTSTATUS io_request_send(DEVICE_OBJECT *device, struct io_irp *irp, KPROCESSOR_MODE mode, struct io_request **request,
                         IO_STATUS_BLOCK *result);
/* A request with one reference for the sender and one for its IRP. */
NTSTATUS io_request_create(DEVICE_OBJECT *device, FILE_OBJECT *file, UCHAR major, KPROCESSOR_MODE mode,
                           struct io_irp **irp, struct io_request **request);
/* Calls the driver; returns what its dispatch routine returned. If that raises, what is left of the request goes, and
 * the exception goes on. */
NTSTATUS io_request_call(DEVICE_OBJECT *device, struct io_irp *packet, struct io_request *request);
/* The sender waits, if the driver returned STATUS_PENDING: the request's status, or STATUS_IO_TIMEOUT. */
void io_request_wait(struct io_request *request, NTSTATUS returned, IO_STATUS_BLOCK *result);
static inline bool io_request_completed(const struct io_request *request)
{
    return __atomic_load_n(&request->state, __ATOMIC_ACQUIRE) == IO_COMPLETED;
}

/* ---- finish.c: the second stage of completion ---- */

/* The first stage is over: leaves word, and sees that the second is done, or that the request goes. Consumes the IRP's
 * reference. IRQL <= DISPATCH_LEVEL. */
void io_request_completed_now(struct io_request *request);
/*
 * The second stage, in the sender's thread: output, status block, event, APC. at_once: the dispatch routine did not
 * return STATUS_PENDING, so that an error leaves all of them alone unless the file is synchronous. Returns the status;
 * result may be null.
 */
NTSTATUS io_request_finish(struct io_request *request, bool at_once, IO_STATUS_BLOCK *result);

/* ---- cancel.c ---- */

/* Cancels the request if it is not complete yet. */
void io_request_cancel(struct io_request *request);
/* A thread ends: what it has not waited for is cancelled, and waited for a while. */
void io_thread_ends(PKTHREAD thread);

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
/* One request at a time on a synchronous file: STATUS_SUCCESS, or an alert came first (FO_ALERTABLE_IO). */
NTSTATUS io_file_lock(FILE_OBJECT *file, KPROCESSOR_MODE mode);
void io_file_unlock(FILE_OBJECT *file);

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
