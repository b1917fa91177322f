/* pnp_internal.h - what the files of plug and play share. */
#pragma once
#include "pnp.h"
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
    LONG references;       /* one until it is removed */
    DEVICE_OBJECT *pdo;    /* referenced */
    DRIVER_OBJECT *driver; /* the function driver */
    enum pnp_state state;
    bool present; /* on the bus: a PDO that is not deletes itself when it is removed */
    ULONG number; /* of the instance */
    PNP_DEVICE_STATE flags;
    DEVICE_CAPABILITIES capabilities;
    DEVICE_POWER_STATE power; /* what PDO was last set to */
    char instance[32];        /* "ROOT\UMA\0000" */
};

extern struct plat_lock pnp_lock;
extern LIST_ENTRY pnp_nodes;

/* The node of a PDO, or null for any other device. The caller holds a reference to the device. */
struct pnp_node *pnp_node_of(const DEVICE_OBJECT *device);

/* ---- bus.c ---- */

/* A device on the bus for driver, with one reference. */
NTSTATUS pnp_bus_enumerate(DRIVER_OBJECT *driver, struct pnp_node **node);
void pnp_node_release(struct pnp_node *node);

/* ---- identity.c: what a PDO says of itself ---- */

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
    ULONG_PTR information;
    union {
        DEVICE_RELATION_TYPE relation;
        DEVICE_CAPABILITIES *capabilities;
        PVOID list; /* of resource requirements */
    };
};
/* Sends it to the top of the node's stack and waits. */
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

/* ---- key.c ---- */

/* The key in which the instance keeps what it likes is made, if it is not there. */
void pnp_interface_key_make(const struct pnp_interface *instance);

/* ---- property_store.c ---- */
void pnp_properties_free(LIST_ENTRY *properties);

/* ---- notify.c ---- */

/* Tells the listeners of the instance's class if they do not know yet whether it is enabled. */
void pnp_interface_announce(struct pnp_interface *instance);

/* ---- remove.c ---- */

/* IRP_MN_REMOVE_DEVICE; then the PDO is gone, and the bus's reference to node with it. */
void pnp_node_remove(struct pnp_node *node);
/* How many files are open on the devices of the stack. */
LONG pnp_open_files(const struct pnp_node *node);

/* Runs as the system process from enter to leave. */
struct pnp_context {
    KAPC_STATE before;
};
void pnp_enter_system(struct pnp_context *context);
void pnp_leave_system(struct pnp_context *context);
