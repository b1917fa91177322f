/*
 * kmdf_target.h - I/O targets: the devices a driver sends requests to.
 *
 *   target.c            how they come into being, what drivers ask of them
 *   target_open.c       remote ones: open, close, reopen
 *   target_state.c      start, stop, purge, and who waits for that
 *   target_pnp.c        the physical device, its properties and interfaces
 *   target_removal.c    the device is about to go
 *   target_format.c     what a request is filled with: buffers, stack location, what comes back
 *   target_ddi.c        the same for drivers: WdfIoTargetFormatRequestFor...
 *   target_sync.c       WdfIoTargetSend...Synchronously
 *   request_create.c    requests that drivers make
 *   request_send.c      sending (kmdf_request.h: struct kmdf_send)
 *   request_sent.c      completion, cancelling, time-outs
 *   target_deliver.c    requests that wait in a target and that its device has
 *   request_send_ddi.c  the same for drivers
 *
 * A request that is sent waits in its target while that is stopped, or is with the device, among sent and counted. A
 * waiting one has a cancel routine; whoever takes that away (kmdf_irp_cancel) takes the request.
 */
#pragma once
#include "kmdf_memory.h"
#include "kmdf_request.h"

enum kmdf_target_kind {
    KMDF_TARGET_LOCAL, /* the device below */
    KMDF_TARGET_REMOTE
};

struct kmdf_target {
    struct kmdf_object object;
    struct kmdf_device *device; /* referenced */
    enum kmdf_target_kind kind;
    WDF_IO_TARGET_OPEN_PARAMS opened; /* how, for a reopen; its name is a copy in pool */
    PVOID watch;                      /* of the removal of its device, or null */
    bool agreed;                      /* to that removal */

    struct plat_lock lock; /* all below */
    WDF_IO_TARGET_STATE state;
    DEVICE_OBJECT *wdm;           /* that requests go to, referenced; null while closed */
    DEVICE_OBJECT *pdo;           /* at the bottom of its stack, referenced; null: not of plug and play */
    FILE_OBJECT *file;            /* that they carry, referenced, or null */
    HANDLE handle;                /* of one that was opened by name */
    LIST_ENTRY waiting, sent;     /* struct kmdf_send.link */
    ULONG count[KMDF_SENT_KINDS]; /* of requests, until their completion routines are back */
    KEVENT idle[KMDF_SENT_KINDS]; /* set while there are none */
    ULONG round;                  /* of cancelling */
};
extern const struct kmdf_type kmdf_target_type;

/* A target of device, closed; child of it unless attributes name another parent below it. */
NTSTATUS kmdf_target_create(struct kmdf_device *device, enum kmdf_target_kind kind,
                            const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller, struct kmdf_target **target);
/* Opens: requests go to wdm and carry file (may be null); both are referenced. pdo (or null), referenced already, and
 * handle, of the file or null, are the target's from now on. */
void kmdf_target_opened(struct kmdf_target *target, DEVICE_OBJECT *wdm, DEVICE_OBJECT *pdo, FILE_OBJECT *file,
                        HANDLE handle);
/* Opens it once more as it was opened by name. PASSIVE_LEVEL. */
NTSTATUS kmdf_target_reopen(struct kmdf_target *target);
/*
 * Cancels what waits in the target and what it has sent, waits for that, and gives the device back. state: what it is
 * then, one of those of closed targets. Idempotent. PASSIVE_LEVEL.
 */
void kmdf_target_close(struct kmdf_target *target, WDF_IO_TARGET_STATE state);
/* Whether requests can be sent to it at all, in whatever state. */
bool kmdf_target_is_open(const struct kmdf_target *target);

/* ---- target_pnp.c, target_removal.c ---- */

/* The physical device of a stack, referenced, by asking its drivers; null: they know none.
 * STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. */
NTSTATUS kmdf_target_find_pdo(DEVICE_OBJECT *wdm, DEVICE_OBJECT **pdo);
/* Has the removal of the open target's device told; ends that. STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. */
NTSTATUS kmdf_target_watch(struct kmdf_target *target);
void kmdf_target_unwatch(struct kmdf_target *target);

/* ---- target_format.c ---- */

/* A buffer of a request: where, how long, and what describes it besides. */
struct kmdf_io {
    UCHAR *address;
    SIZE_T length;
    MDL *mdl; /* of a memory descriptor; address is null then until somebody asks for it */
    struct kmdf_memory *memory;
    SIZE_T offset; /* within memory */
};
/* handle null: no buffer. STATUS_INVALID_DEVICE_REQUEST: the memory has not that many bytes; STATUS_INVALID_PARAMETER:
 * it has none any more. */
NTSTATUS kmdf_io_memory(WDFMEMORY handle, const WDFMEMORY_OFFSET *offset, struct kmdf_io *io, const char *function);
/* descriptor null: no buffer. */
NTSTATUS kmdf_io_descriptor(const WDF_MEMORY_DESCRIPTOR *descriptor, struct kmdf_io *io, const char *function);

/* What a request is formatted for. */
struct kmdf_io_format {
    UCHAR major;
    bool others; /* an internal device control with arguments instead of buffers */
    ULONG code;
    LONGLONG offset;      /* of a transfer */
    struct kmdf_io io[3]; /* of a read: output; of a write: input; of a control: input, output; arguments 1, 2, 4 */
};
/*
 * Fills the request's next stack location; what goes into the IRP itself follows when it is sent. Its memory objects
 * stay until the request is formatted anew, reused, completed or deleted. STATUS_INVALID_DEVICE_REQUEST: it is sent, or
 * not the driver's; STATUS_INVALID_DEVICE_STATE: the target is closed; STATUS_REQUEST_NOT_ACCEPTED: it has not enough
 * stack locations; STATUS_INTEGER_OVERFLOW: more bytes than a request can carry; STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS kmdf_request_format(struct kmdf_target *target, struct kmdf_request *request,
                             const struct kmdf_io_format *format);
/* Puts the formatted buffers into the IRP, and back what was there; copies output to where it belongs. */
void kmdf_format_apply(struct kmdf_request *request);
void kmdf_format_undo(struct kmdf_request *request);
/* The request is not formatted any more. */
void kmdf_format_release(struct kmdf_request *request);

/* ---- request_send.c ---- */

/* Sends with options, which may be null. False: it was not sent, *status says why. A request that is sent already is
 * WDF_VIOLATION (6, 3). */
bool kmdf_request_send(struct kmdf_request *request, struct kmdf_target *target,
                       const WDF_REQUEST_SEND_OPTIONS *options, const char *function, NTSTATUS *status);
/* Whether request can get to target: its IRP has locations enough; one that the framework makes gets them. */
NTSTATUS kmdf_request_fit(struct kmdf_request *request, struct kmdf_target *target);

/* ---- request_sent.c ---- */

/* Keeps a sent request and its IRP where they are; false: nobody has it any more. The second ends that. */
bool kmdf_sent_hold(struct kmdf_send *send);
void kmdf_sent_let_go(struct kmdf_request *request);
/* The device has completed the request. */
void kmdf_sent_back(struct kmdf_request *request);
/* The request waited, is in nobody's hands but the caller's, and will not be delivered. */
void kmdf_sent_back_cancelled(struct kmdf_request *request);
/* A synchronous sender waits for done; once the time is over it cancels. timeout: null: for ever. */
void kmdf_sent_wait(struct kmdf_request *request, struct kmdf_target *target, KEVENT *done, const LONGLONG *timeout);

/* ---- target_deliver.c ---- */

/* The request, formatted, is the target's: it is delivered, waits, or comes back cancelled. anyway: whatever the state.
 * timeout (may be null): the request has a timer for it. False: the target takes none. */
bool kmdf_target_take(struct kmdf_request *request, struct kmdf_target *target, bool anyway, const LONGLONG *timeout);
/* One request of a kind less; the target's lock is held. */
void kmdf_target_count_down(struct kmdf_target *target, enum kmdf_sent_kind kind);
/* Delivers one that waited and nobody cancels; false: there is none. */
bool kmdf_target_send_waiting(struct kmdf_target *target);
/* Cancels those that wait. */
void kmdf_target_cancel_waiting(struct kmdf_target *target);
/* Asks the devices to cancel what they have. anyway: of all kinds. */
void kmdf_target_cancel_sent(struct kmdf_target *target, bool anyway);
