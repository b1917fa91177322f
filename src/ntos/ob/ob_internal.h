/* ob_internal.h - the object header, shared by the files of ob. */
#pragma once
#include "ob.h"

struct ob_header {
    _Alignas(16) const struct ob_type *type;
    LONG_PTR references;
    LONG_PTR handles;
    UNICODE_STRING name; /* in pool; guarded, like named, by ob_lock */
    LIST_ENTRY named;    /* in the name space; empty when it has no name */
};
_Static_assert(sizeof(struct ob_header) % 16 == 0, "bodies are aligned to 16");

_Static_assert(sizeof(struct ob_header) <= KE_OBJECT_ROOM, "ke leaves room for it before threads and processes");

extern struct plat_lock ob_lock;
struct ob_header *ob_header_of(const void *body);

/* A reference, unless the last one has gone already. */
bool ob_reference_alive(void *body);
/* The header of a body that does not come from ob_create, with one reference. */
void ob_adopt(void *body, const struct ob_type *type);
NTSTATUS ob_namespace_init(void);
NTSTATUS ob_handles_init(void);
NTSTATUS ob_types_init(void);
