/* ob_internal.h - the object header, shared by the files of ob. */
#pragma once
#include "ob.h"
#include "wdk/ob_callback.h"

struct ob_header {
    _Alignas(16) const struct ob_type *type;
    LONG_PTR references;
    LONG_PTR handles;
    PEPROCESS owner; /* of an exclusive object: the process that has handles to it */
    bool exclusive;  /* OBJ_EXCLUSIVE when it was created */
    /* Guarded by ob_lock. */
    bool permanent;      /* the name stays when the last handle goes */
    bool kept;           /* permanent, and the name space holds a reference: OBJ_PERMANENT */
    UNICODE_STRING name; /* in pool */
    LIST_ENTRY named;    /* in the name space; empty when it has no name */
};
_Static_assert(sizeof(struct ob_header) % 16 == 0, "bodies are aligned to 16");

_Static_assert(sizeof(struct ob_header) <= KE_OBJECT_ROOM, "ke leaves room for it before threads and processes");

extern struct plat_lock ob_lock;
struct ob_header *ob_header_of(const void *body);

/* The header of a body that does not come from ob_create, with one reference. */
void ob_adopt(void *body, const struct ob_type *type);
/* The last handle went: so does the name, unless it is permanent or a new handle has come. */
void ob_last_handle(void *body);
/* One handle on its way past the callbacks; the caller fills all but count and told. */
enum { OB_CALLBACKS_MAX = 64 };
struct ob_notice {
    void *body;
    OB_OPERATION operation;
    bool kernel;
    PEPROCESS source, target; /* of a duplicate */
    ULONG count;
    struct {
        struct ob_registration *registration;
        const OB_OPERATION_REGISTRATION *row;
        PVOID context; /* what it left in CallContext */
    } told[OB_CALLBACKS_MAX];
};
void ob_callbacks_init(void);
/* Asks the callbacks, and returns what they leave of access. No lock may be held. */
ACCESS_MASK ob_notify(struct ob_notice *notice, ACCESS_MASK access);
/* Tells them what came of it; called after each ob_notify. */
void ob_notified(struct ob_notice *notice, NTSTATUS status, ACCESS_MASK granted);
NTSTATUS ob_namespace_init(void);
NTSTATUS ob_handles_init(void);
NTSTATUS ob_types_init(void);
