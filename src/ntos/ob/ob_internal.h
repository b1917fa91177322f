/* ob_internal.h - the object header, shared by the two files of ob. */
#pragma once
#include "ob.h"

struct ob_header {
    const struct ob_type *type;
    LONG_PTR references;
    UNICODE_STRING name; /* in pool; guarded, like named, by ob_lock */
    LIST_ENTRY named;    /* in the name space; empty when it has no name */
};
_Static_assert(sizeof(struct ob_header) % 16 == 0, "bodies are aligned to 16");

extern struct plat_lock ob_lock;
struct ob_header *ob_header_of(const void *body);
