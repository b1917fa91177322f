/* pnp_internal.h - what the files of plug and play share. */
#pragma once
#include "pnp.h"
#include "cm.h"
#include "io_internal.h"
#include "rtl.h"
#include "seh.h"

#define PNP_TAG        RTL_TAG('P', 'n', 'p', ' ')
#define PNP_WIDE(text) ((const WCHAR *)L##text) /* the build has 16-bit wchar_t */

enum pnp_state {
    PNP_ENUMERATED, /* the PDO is there, AddDevice was not called */
    PNP_ADDED,
    PNP_STARTED,
    PNP_SURPRISED, /* gone without asking; files may still be open */
    PNP_REMOVED
};

struct pnp_node {
    LIST_ENTRY link;       /* of pnp_nodes, oldest first; pnp_lock */
    DEVICE_OBJECT *pdo;    /* what it lives and goes with; referenced while the node is in the list */
    DRIVER_OBJECT *driver; /* the function driver */
    enum pnp_state state;  /* changed by who works on devices */
    bool present;          /* on the bus: a PDO that is not deletes itself when it is removed */
    ULONG number;          /* of the instance */
    PNP_DEVICE_STATE flags;
    bool asked;      /* the bus has got the request of the PnP manager that is on its way */
    NTSTATUS answer; /* what it said */
    DEVICE_CAPABILITIES capabilities;
    DEVICE_POWER_STATE power; /* what PDO was last set to */
    LIST_ENTRY properties;    /* of property_store.c */
    char instance[32];        /* "ROOT\UMA\0000" */
};

extern struct plat_lock pnp_lock;
extern LIST_ENTRY pnp_nodes;

/* The node of a PDO that has not been removed, or null for any other device. It is valid as long as the device is. */
struct pnp_node *pnp_node_of(DEVICE_OBJECT *device);
/* The node's state, for who does not work on devices. */
static inline enum pnp_state pnp_node_state(const struct pnp_node *node)
{
    return __atomic_load_n(&node->state, __ATOMIC_ACQUIRE);
}
static inline void pnp_node_set_state(struct pnp_node *node, enum pnp_state state)
{
    __atomic_store_n(&node->state, state, __ATOMIC_RELEASE);
}
static inline void pnp_node_reference(struct pnp_node *node)
{
    ob_reference(node->pdo);
}
static inline void pnp_node_release(struct pnp_node *node)
{
    ob_dereference(node->pdo);
}

/* ---- bus.c ---- */

extern const GUID pnp_bus_type;
/* A device on the bus for driver. */
NTSTATUS pnp_bus_enumerate(DRIVER_OBJECT *driver, struct pnp_node **node);

/* ---- identity.c: what a PDO says of itself ---- */

/* The name of its driver, without a folder. */
void pnp_driver_name(const struct pnp_node *node, char *name, SIZE_T size);
/* Texts are blocks for ExFreePool, double terminated where the answer is a list. Null: no memory, or (status) nothing
 * to say. */
NTSTATUS pnp_identity(const struct pnp_node *node, BUS_QUERY_ID_TYPE type, WCHAR **text);
NTSTATUS pnp_text(const struct pnp_node *node, DEVICE_TEXT_TYPE type, WCHAR **text);
void pnp_capabilities_fill(const struct pnp_node *node, DEVICE_CAPABILITIES *capabilities);

/* ---- send.c ---- */

/* A request of IRP_MJ_PNP. parameters: the stack location's, or null. Status is STATUS_NOT_SUPPORTED until a driver
 * says something else. */
struct pnp_request {
    UCHAR minor;
    FILE_OBJECT *file;
    ULONG_PTR information;
    union {
        DEVICE_RELATION_TYPE relation;
        DEVICE_CAPABILITIES *capabilities;
        PVOID list; /* of resource requirements */
    };
};
/* Sends it to the top of the device's stack, or the node's, and waits. */
NTSTATUS pnp_send_to(DEVICE_OBJECT *device, const struct pnp_request *request, ULONG_PTR *information);
NTSTATUS pnp_send(struct pnp_node *node, const struct pnp_request *request, ULONG_PTR *information);
NTSTATUS pnp_send_minor(struct pnp_node *node, UCHAR minor);

/* ---- interface.c ---- */

/* An instance of a device interface. Its list, and what changes: pnp_lock. */
struct pnp_interface {
    LIST_ENTRY link;       /* of all, oldest first */
    LONG references;       /* one for being in the list */
    struct pnp_node *node; /* referenced */
    GUID class;
    UNICODE_STRING name; /* "\??\ROOT#UMA#0000#{class}\reference", in heap memory */
    USHORT link_bytes;   /* of the name, without the reference string */
    bool enabled;
    bool announced;        /* listeners know that it is enabled */
    LIST_ENTRY properties; /* of property_store.c */
};
enum { PNP_NAME_BYTES = 1024 };

/* "{00000000-0000-0000-0000-000000000000}", in lower case. Returns the length. */
SIZE_T pnp_guid_print(char *text, SIZE_T size, const GUID *guid);
/* The next in the list, or the first. Lock held. */
struct pnp_interface *pnp_interface_next(struct pnp_interface *after);
/* The instance of a class and reference string (no backslash first, empty for none), or null. Lock held. */
struct pnp_interface *pnp_interface_find(const struct pnp_node *node, const GUID *class, PCUNICODE_STRING reference);
/* The instance of this name ("\??\..." or "\\?\..."), referenced, or null. */
struct pnp_interface *pnp_interface_open(PCUNICODE_STRING name);
void pnp_interface_release(struct pnp_interface *instance);
/* The reference string, empty if there is none. */
UNICODE_STRING pnp_interface_reference(const struct pnp_interface *instance);
/* The node's index-th instance, enabled or not, referenced, or null. */
struct pnp_interface *pnp_interface_of(const struct pnp_node *node, ULONG index);
/* The device has started: what it has enabled is told of. It goes: all are disabled, or forgotten. */
void pnp_interfaces_started(struct pnp_node *node);
void pnp_interfaces_disable(struct pnp_node *node);
void pnp_interfaces_drop(struct pnp_node *node);
/* A copy of a name for a driver, terminated, for RtlFreeUnicodeString. */
NTSTATUS pnp_name_give(PCUNICODE_STRING name, PUNICODE_STRING copy);

/* ---- interface_name.c ---- */
/* What comes after "\\??\\" or "\\\\?\\" in a link's name; false: it begins with neither. */
bool pnp_name_without_prefix(PCUNICODE_STRING name, UNICODE_STRING *rest);
/* Gives a new instance its name. reference: without a backslash first. */
NTSTATUS pnp_interface_name(struct pnp_interface *instance, PCUNICODE_STRING reference);

/* ---- key.c ---- */

/* The device's keys Enum\\ROOT\\UMA\\000N and Control\\Class\\{...}\\000N, with what an installed device has there. */
NTSTATUS pnp_node_keys_make(const struct pnp_node *node);
/* The key in which the instance keeps what it likes; made if it is not there. */
NTSTATUS pnp_interface_key(const struct pnp_interface *instance, struct cm_key **key);
/* A text or number of the device's key Enum\\..., terminated: STATUS_OBJECT_NAME_NOT_FOUND. data: for rtl_pool. */
NTSTATUS pnp_node_value(const struct pnp_node *node, const WCHAR *name, ULONG *type, UCHAR **data, ULONG *bytes);
#define PNP_CLASS_GUID "{4d36e97d-e325-11ce-bfc1-08002be10318}" /* "System" */

/* ---- property_store.c ---- */
/* Properties that drivers have set: a list of them for each device and interface. pnp_lock. */
void pnp_properties_free(LIST_ENTRY *properties);
/* STATUS_OBJECT_NAME_NOT_FOUND, STATUS_BUFFER_TOO_SMALL; *bytes is set with either of this and success. */
NTSTATUS pnp_property_get(LIST_ENTRY *properties, const DEVPROPKEY *key, ULONG lcid, void *data, ULONG size,
                          ULONG *bytes, DEVPROPTYPE *type);
/* data null: the property goes; with LOCALE_NEUTRAL (0), in every language. */
NTSTATUS pnp_property_set(LIST_ENTRY *properties, const DEVPROPKEY *key, ULONG lcid, DEVPROPTYPE type, const void *data,
                          ULONG size);

/* ---- notify.c ---- */

enum pnp_event { PNP_QUERY_REMOVE, PNP_REMOVE_CANCELLED, PNP_REMOVE_COMPLETE };
/* Tells those who listen to the device. PNP_QUERY_REMOVE: the first status that refuses; who agreed before hears of the
 * cancellation. */
NTSTATUS pnp_notify_target(struct pnp_node *node, enum pnp_event event);
/* A copy of an event that a driver reports of its device, in heap memory, and its delivery. */
NTSTATUS pnp_custom_event_copy(DEVICE_OBJECT *pdo, const void *structure, TARGET_DEVICE_CUSTOM_NOTIFICATION **copy);
void pnp_custom_event_tell(const DEVICE_OBJECT *pdo, TARGET_DEVICE_CUSTOM_NOTIFICATION *event);

/* ---- listener.c ---- */

/* Forgets what a driver that goes has registered. */
void pnp_listeners_forget(const DRIVER_OBJECT *driver);
/* Tells of registrations that drivers have not taken back. */
void pnp_listeners_tell(io_leak_teller *tell, void *reporter);

/* ---- notify.c ---- */

/* Tells the listeners of the instance's class if they do not know yet whether it is enabled. */
void pnp_interface_announce(struct pnp_interface *instance);

/* ---- action.c ---- */

/* Work on devices, that is requests that change their state, is done by one thread at a time. Not recursive. */
void pnp_work_init(void);
void pnp_work_begin(void);
bool pnp_work_try(void);
void pnp_work_end(void);
bool pnp_work_is_mine(void);

enum pnp_action { PNP_ACT_STATE, PNP_ACT_RELATIONS, PNP_ACT_EJECT, PNP_ACT_REMOVE_UNUSED, PNP_ACT_EVENT };
/* A worker does it. STATUS_INVALID_DEVICE_REQUEST: node is null. IRQL <= DISPATCH_LEVEL. */
NTSTATUS pnp_act_later(struct pnp_node *node, enum pnp_action kind);

/* ---- device.c: work on devices ---- */

void pnp_node_query_children(struct pnp_node *node);
/* Asks for the device's state, and does what its drivers say. */
void pnp_node_check_state(struct pnp_node *node);

/* ---- remove.c: the same ---- */

/* IRP_MN_REMOVE_DEVICE; then the PDO is gone, and the bus's reference to node with it. */
void pnp_node_remove(struct pnp_node *node);
/* The device does not work: removed, by surprise if it has started. */
void pnp_node_fail(struct pnp_node *node);
/* Removes one that is gone by surprise, once no file is open on it. */
void pnp_node_remove_unused(struct pnp_node *node);
/* STATUS_DEVICE_NOT_READY: it has not started; or why it cannot go. */
NTSTATUS pnp_node_eject(struct pnp_node *node);
/* The last file on device has gone. */
void pnp_file_gone(DEVICE_OBJECT *device);
/* How many files are open on the devices of the stack. */
LONG pnp_open_files(const struct pnp_node *node);

/* ---- send.c ---- */

/* ---- verify.c: under ke_verify ---- */

/* After AddDevice: 0x243 the flags of its device. */
void pnp_verify_added(const struct pnp_node *node, ULONG_PTR routine);
/* What came of a request: 0x247 it cannot fail, 0x216, 0x22F, 0x22E a status that is not the bus's. */
void pnp_verify_answer(DEVICE_OBJECT *top, const struct pnp_node *node, UCHAR minor, NTSTATUS status);
/* A request gets to the PDO: 0x215, 0x219 it has failed already. */
void pnp_verify_arrival(DEVICE_OBJECT *pdo, IRP *irp, bool power);
/* The devices above a PDO before a removal, referenced; and what the removal has done to them: 0x21D, 0x21E not
 * detached, not deleted; 0x241, 0x242 by surprise, and detached or deleted all the same. */
struct pnp_stack {
    ULONG count;
    DEVICE_OBJECT *devices[8];
};
void pnp_verify_stack_take(const struct pnp_node *node, struct pnp_stack *stack);
void pnp_verify_stack_check(struct pnp_stack *stack, bool surprise);

/* Runs as the system process from enter to leave. */
struct pnp_context {
    KAPC_STATE before;
};
void pnp_enter_system(struct pnp_context *context);
void pnp_leave_system(struct pnp_context *context);
