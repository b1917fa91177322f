/*
 * kmdf.h - the kernel-mode driver framework: what its files share.
 *
 * How it is laid out
 *   binding, the function table   bind.c table.c table.S functions.def
 *   handles, WDF_VIOLATION        handle.c
 *   objects                       object.c object_end.c object_ddi.c attributes.c context.c leaks.c (what is left)
 *   driver, devices, files, IRPs  driver.c device*.c file.c dispatch.c preprocess.c (kmdf_device.h)
 *   plug and play, power          fdo.c pnp*.c power.c states.c resource_list.c forward.c (kmdf_pnp.h)
 *   queues                        queue*.c (kmdf_queue.h)
 *   requests                      request*.c (kmdf_request.h)
 *   I/O targets                   target*.c (kmdf_target.h)
 *   memory, user pages locked     memory*.c lookaside.c probe_lock.c (kmdf_memory.h)
 *   timers, DPCs, work items      deferred.c timer.c dpc.c workitem.c (kmdf_deferred.h)
 *   locks                         sync.c (kmdf_sync.h) lock.c
 *   collections, strings, keys    collection.c string.c key*.c (kmdf_collection.h, kmdf_key.h)
 *   WMI, the verifier's calls     wmi.c verifier.c
 *
 * How to add a function: change its row of functions.def to KMDF_DONE, define it with the prototype that
 * include/wdf/wdffuncs.h already has, check each handle first with KMDF_GET, each pointer that must not be null with
 * kmdf_require, and run kmdf_md.py. Callback types go to include/wdf/wdfcallbacks.h (then make_headers.py), INIT
 * functions to a header of the subject there.
 *
 * How to add a type of object: a structure that begins with struct kmdf_object, a struct kmdf_type, and one
 * kmdf_object_create. Its cleanup undoes what other threads may still use (timers, queues); its destroy releases
 * memory.
 *
 * Locks: kmdf_lock (short, never held over a call into a driver) guards the tree of objects, handles and references.
 * What a type keeps for itself is guarded by a lock of its own, taken before kmdf_lock if both are needed.
 */
#pragma once
#include "wdf/wdf.h"
#include "io.h"
#include "kmdf_table.h"
#include "ke.h"
#include "rtl.h"
#include "seh.h"

#define KMDF_TAG RTL_TAG('K', 'm', 'd', 'f')

/* ---- a bound driver ---- */

enum kmdf_flavour { KMDF_BIND_COPIED, KMDF_BIND_POINTER, KMDF_BIND_POINTER2 };

/* What a driver got by WdfVersionBind; globals is what it sees. */
struct kmdf_client {
    WDF_DRIVER_GLOBALS globals;
    DRIVER_OBJECT *driver_object;
    struct kmdf_driver *driver; /* null until WdfDriverCreate */
    enum kmdf_flavour flavour;
    ULONG minor;        /* of the version it was built for */
    ULONG_PTR caller;   /* that bound */
    LIST_ENTRY link;    /* of all clients; kmdf_lock */
    LIST_ENTRY objects; /* all of the driver's, by struct kmdf_object.all; kmdf_lock */
    LIST_ENTRY inits;   /* WDFDEVICE_INITs nobody has used yet; kmdf_lock */
    LONG busy;          /* threads in the framework on the driver's behalf, disposals left to workers; kmdf_lock */
    KEVENT idle;        /* set while there are none */
};

/* The client of the globals a driver passed; anything else is a bug check that names function. */
struct kmdf_client *kmdf_client_of(PWDF_DRIVER_GLOBALS globals, const char *function);
struct kmdf_client *kmdf_client_of_driver(const DRIVER_OBJECT *driver);

/* ---- what WDFLDR.SYS exports (src/ldr/wdfldr.def) ---- */

struct _WDF_BIND_INFO;
NTSTATUS NTAPI WdfVersionBind(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath,
                              struct _WDF_BIND_INFO *BindInfo, PWDF_DRIVER_GLOBALS *ComponentGlobals);
NTSTATUS NTAPI WdfVersionUnbind(PUNICODE_STRING RegistryPath, struct _WDF_BIND_INFO *BindInfo,
                                PWDF_DRIVER_GLOBALS ComponentGlobals);
NTSTATUS NTAPI WdfVersionBindClass(struct _WDF_BIND_INFO *BindInfo, PWDF_DRIVER_GLOBALS Globals, PVOID ClassBindInfo);
VOID NTAPI WdfVersionUnbindClass(struct _WDF_BIND_INFO *BindInfo, PWDF_DRIVER_GLOBALS Globals, PVOID ClassBindInfo);

/* ---- objects ---- */

struct kmdf_object;

enum kmdf_type_flags {
    KMDF_PARENT_ALLOWED = 1,  /* attributes may name a parent */
    KMDF_PARENT_REQUIRED = 2, /* and must */
    KMDF_EXECUTION = 4,       /* attributes may set ExecutionLevel */
    KMDF_SYNCHRONIZATION = 8, /* and SynchronizationScope */
    KMDF_PASSIVE = 16,        /* its callbacks of cleanup and destruction run at PASSIVE_LEVEL */
    KMDF_NO_DELETE = 32       /* WdfObjectDelete is not for it */
};

struct kmdf_type {
    const char *name; /* "WDFQUEUE" */
    SIZE_T size;      /* of the structure that begins with struct kmdf_object */
    ULONG flags;
    /* All may be null. cleanup: the object is being deleted, before the driver's EvtCleanupCallback; it may wait if the
     * type is KMDF_PASSIVE. destroy: after EvtDestroyCallback, the memory goes next. no_delete: whether this very
     * object is one that WdfObjectDelete refuses. */
    void (*cleanup)(struct kmdf_object *object);
    void (*destroy)(struct kmdf_object *object);
    bool (*no_delete)(const struct kmdf_object *object);
    /* Whether the calling thread is in a callback of the object's that its cleanup waits for: a worker deletes it then.
     * May be null. */
    bool (*runs_here)(const struct kmdf_object *object);
};

enum kmdf_state {
    KMDF_ALIVE,
    KMDF_DELETING, /* somebody has begun to delete it; cleanup callbacks may be running */
    KMDF_DISPOSED, /* they have run; the memory waits for the last reference */
    KMDF_DESTROYED /* EvtDestroyCallback runs: only the context may be looked at */
};

struct kmdf_context;

/* What every object begins with. */
struct kmdf_object {
    WDFOBJECT handle;
    const struct kmdf_type *type;
    struct kmdf_client *client;
    ULONG_PTR caller; /* driver's code that created it */
    WDF_EXECUTION_LEVEL execution;
    WDF_SYNCHRONIZATION_SCOPE scope;
    bool passive; /* callbacks of cleanup and destruction run at PASSIVE_LEVEL, by its type or the execution level */
    struct kmdf_context *contexts;
    WORK_QUEUE_ITEM deferred;

    /* kmdf_lock; state is read without it, by kmdf_state_of, where that is enough */
    enum kmdf_state state;
    LONG references;
    ULONG_PTR referenced_by; /* code that took the newest reference, or 0 */
    LIST_ENTRY all;
    struct kmdf_object *parent;
    LIST_ENTRY children; /* newest last */
    LIST_ENTRY sibling;
    ULONG unfinished;               /* children whose deletion has begun and not ended; 1 more: who goes through them */
    struct kmdf_object *awaited_by; /* the parent that counts it among them, or null */
    void (*then)(struct kmdf_object *object); /* once it is disposed; null: its parent's deletion releases it */
};

extern struct plat_lock kmdf_lock;
extern const struct kmdf_type kmdf_general_type; /* WdfObjectCreate */

/*
 * Checks attributes (may be null) against the type, makes a zeroed object of type->size with one reference and its
 * first context, as child of attributes' parent, else of parent. caller: driver's code that asked for it. On failure
 * nothing stays. The creator fills its part before it gives the handle away.
 */
NTSTATUS kmdf_object_create(struct kmdf_client *client, const struct kmdf_type *type,
                            const WDF_OBJECT_ATTRIBUTES *attributes, struct kmdf_object *parent, ULONG_PTR caller,
                            struct kmdf_object **object);
/* Undoes a creation whose later steps failed: the driver's callbacks are not called. */
void kmdf_object_discard(struct kmdf_object *object);

/*
 * Deletes: children first, each with its cleanup and EvtCleanupCallback, then the object; then the references of
 * creation go, children's first. Idempotent. Where PASSIVE_LEVEL is needed and missing, a worker does it.
 */
void kmdf_object_delete(struct kmdf_object *object);
/*
 * The two halves, for one who has something to do in between (a request: complete the IRP). The first is false if
 * somebody else is deleting it; else then is called once it is disposed, before this returns unless another thread is
 * just deleting a child, and must do the second.
 */
bool kmdf_object_dispose(struct kmdf_object *object, void (*then)(struct kmdf_object *object));
void kmdf_object_release(struct kmdf_object *object);

static inline enum kmdf_state kmdf_state_of(const struct kmdf_object *object)
{
    return __atomic_load_n(&object->state, __ATOMIC_ACQUIRE);
}

/* caller: driver's code that asked for it, 0: the framework did. */
void kmdf_reference(struct kmdf_object *object, ULONG_PTR caller);
void kmdf_dereference(struct kmdf_object *object);

/* The nearest of object and its parents that is of type, or null. */
struct kmdf_object *kmdf_ancestor(struct kmdf_object *object, const struct kmdf_type *type);
/* The levels that hold for object, inherited ones resolved. */
WDF_EXECUTION_LEVEL kmdf_execution_level(const struct kmdf_object *object);
WDF_SYNCHRONIZATION_SCOPE kmdf_synchronization_scope(const struct kmdf_object *object);

/* Between these two the client's objects may be in use: unbinding waits. IRQL <= DISPATCH_LEVEL. */
void kmdf_busy(struct kmdf_client *client);
void kmdf_busy_end(struct kmdf_client *client);
/* Waits until nobody is, disposals left to workers included. PASSIVE_LEVEL. */
void kmdf_idle_wait(struct kmdf_client *client);
/* For object.c and object_end.c: the same as kmdf_busy with kmdf_lock held; a worker calls routine for object, and ends
 * with kmdf_busy_end; object's state, with kmdf_lock held. */
void kmdf_busy_locked(struct kmdf_client *client);
void kmdf_object_defer(struct kmdf_object *object, PWORKER_THREAD_ROUTINE routine);
static inline void kmdf_set_state(struct kmdf_object *object, enum kmdf_state state)
{
    __atomic_store_n(&object->state, state, __ATOMIC_RELEASE);
}
/* Calls back, with kmdf_lock held, for each object of each client. */
void kmdf_objects_each(void (*callback)(struct kmdf_object *object, void *context), void *context);

/* ---- attributes and contexts ---- */

/* What creation checks of attributes; callers that keep them for later objects check with this at once. */
NTSTATUS kmdf_attributes_check(const WDF_OBJECT_ATTRIBUTES *attributes, const struct kmdf_type *type,
                               const char *function);

/* A context: the bytes the driver sees follow. */
struct kmdf_context {
    struct kmdf_object *object;
    struct kmdf_context *next;
    const WDF_OBJECT_CONTEXT_TYPE_INFO *type; /* its identity, not to be read through */
    PFN_WDF_OBJECT_CONTEXT_CLEANUP cleanup;
    PFN_WDF_OBJECT_CONTEXT_DESTROY destroy;
    SIZE_T size;
};
_Static_assert(sizeof(struct kmdf_context) % 16 == 0, "the driver's bytes are aligned");

SIZE_T kmdf_context_size(const WDF_OBJECT_ATTRIBUTES *attributes);
/* STATUS_OBJECT_NAME_EXISTS: the object has a context of that type; *context is that. */
NTSTATUS kmdf_context_add(struct kmdf_object *object, const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller,
                          struct kmdf_context **context);
void kmdf_contexts_free(struct kmdf_object *object);

/* ---- handles ---- */

/* A handle for object, which holds until kmdf_handle_free; null: no memory. kmdf_lock is held. */
WDFOBJECT kmdf_handle_make(struct kmdf_object *object);
void kmdf_handle_free(WDFOBJECT handle);
/* The object of a handle, of any type and in any state; null if it is none. */
struct kmdf_object *kmdf_handle_find(WDFOBJECT handle);
/*
 * The object of a handle a driver passed to function. type null: any. A null, invalid, deleted or wrong handle is bug
 * check WDF_VIOLATION that names function, handle, and what it is instead.
 */
struct kmdf_object *kmdf_object_of(WDFOBJECT handle, const struct kmdf_type *type, const char *function);

/* struct kmdf_queue *queue = KMDF_GET(queue, Queue); : of the type kmdf_queue_type, for the function it stands in */
#define KMDF_GET(kind, handle)                                                                                         \
    ((struct kmdf_##kind *)kmdf_object_of((WDFOBJECT)(handle), &kmdf_##kind##_type, __func__))
#define KMDF_HANDLE(Type, thing) ((Type)(thing)->object.handle)

/* First parameter of WDF_VIOLATION. */
enum {
    KMDF_RECURSIVE_LOCK = 2,
    KMDF_REQUEST_BUFFERS = 3,
    KMDF_NULL_PARAMETER = 4,
    KMDF_WRONG_HANDLE = 5,
    KMDF_REQUEST_FATAL = 6,
    KMDF_OBJECT_ERROR = 7,
    KMDF_QUEUE_FATAL = 0xA,
    KMDF_LOCK_ERROR = 0xB,
    KMDF_CALLBACK_IRQL = 0xE,
    KMDF_CALLBACK_REGION = 0xF
};
/* Bug check 0x10D (code, a, b, 0); culprit: the code to blame, 0: the caller of the function that is running. */
DECLSPEC_NORETURN void kmdf_violation(ULONG code, ULONG_PTR a, ULONG_PTR b, ULONG_PTR culprit, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* A parameter that must not be null. */
void kmdf_require_parameter(const void *pointer, const char *name, const char *function);
#define kmdf_require(parameter) kmdf_require_parameter(parameter, #parameter, __func__)

/* ---- calls into drivers ---- */

/* Calls an event callback; one that comes back at another IRQL or inside a critical region is WDF_VIOLATION. */
ULONG_PTR kmdf_call(ULONG_PTR routine, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d, ULONG_PTR e);
ULONG_PTR kmdf_call_7(ULONG_PTR routine, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d, ULONG_PTR e, ULONG_PTR f,
                      ULONG_PTR g);
#define KMDF_CALL1(routine, a)    kmdf_call((ULONG_PTR)(routine), (ULONG_PTR)(a), 0, 0, 0, 0)
#define KMDF_CALL2(routine, a, b) kmdf_call((ULONG_PTR)(routine), (ULONG_PTR)(a), (ULONG_PTR)(b), 0, 0, 0)
#define KMDF_CALL3(routine, a, b, c)                                                                                   \
    kmdf_call((ULONG_PTR)(routine), (ULONG_PTR)(a), (ULONG_PTR)(b), (ULONG_PTR)(c), 0, 0)

/* ---- the driver object ---- */

struct kmdf_driver {
    struct kmdf_object object;
    WDF_DRIVER_CONFIG config;
    UNICODE_STRING registry_path; /* terminated copy, in pool */
};
extern const struct kmdf_type kmdf_driver_type;
/* Deletes the driver object and all below it, and waits for it. */
void kmdf_driver_teardown(struct kmdf_client *client);

/* Entries of the driver object (thunks in table.S). */
extern char kmdf_thunk_unload[];
VOID NTAPI kmdf_driver_unload(PDRIVER_OBJECT DriverObject);

/* ---- the function table ---- */

enum { KMDF_FUNCTIONS = WdfFunctionTableNumEntries };
extern const WDFFUNC kmdf_functions[KMDF_FUNCTIONS];

/* leaks.c: has the framework's leftovers told with uma's. */
void kmdf_leaks_install(void);
