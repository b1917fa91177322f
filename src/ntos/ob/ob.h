/*
 * ob.h - objects: reference-counted blocks with a type and maybe a name, and the one name space they live in.
 *
 * A body is what drivers see; the header stands before it in the same pool block. Documented routines stand in
 * wdk/ob.h.
 */
#pragma once
#include "wdk/ob.h"
#include "mm.h"

struct ob_type {
    const char *name;
    ULONG tag;                  /* of the pool blocks */
    void (*remove)(void *body); /* the last reference went: release what the body holds; the block itself is ob's */
};

NTSTATUS ob_init(void);
/* A zeroed body of size bytes with one reference. */
NTSTATUS ob_create(const struct ob_type *type, SIZE_T size, void **body);
const struct ob_type *ob_type_of(const void *body);
LONG_PTR ob_reference(void *body);
LONG_PTR ob_dereference(void *body);
LONG_PTR ob_reference_count(const void *body);

/*
 * Names are full paths compared without case: "\Device\X", "\Driver\X", "\GLOBAL??\X". ob_path_normalize maps
 * \DosDevices\X,
 * \??\X, \\.\X and \\?\X to the last form. STATUS_OBJECT_PATH_SYNTAX_BAD: does not begin with a backslash.
 */
NTSTATUS ob_path_normalize(PCUNICODE_STRING name,
                           PUNICODE_STRING normalized); /* allocated; release with ob_path_free */
void ob_path_free(PUNICODE_STRING path);
/* Gives body a name; STATUS_OBJECT_NAME_COLLISION if it is taken. The name space holds no reference. */
NTSTATUS ob_insert(void *body, PCUNICODE_STRING name);
/* Takes the name away; nothing happens to an object without one. */
void ob_remove_name(void *body);
/* The name, or an empty string; valid as long as the object keeps it. */
UNICODE_STRING ob_name(const void *body);
/*
 * Finds name, following symbolic links; the part that no object has ("\Device\X\rest") comes back in *rest, which
 * points into *storage (release with ob_path_free). The object is returned referenced. type null: any.
 */
NTSTATUS ob_lookup(PCUNICODE_STRING name, const struct ob_type *type, void **body, PUNICODE_STRING rest,
                   PUNICODE_STRING storage);

/* ---- symbolic links ---- */
extern const struct ob_type ob_symbolic_link_type;
NTSTATUS ob_link_create(PCUNICODE_STRING name, PCUNICODE_STRING target, ULONG_PTR caller);
NTSTATUS ob_link_delete(PCUNICODE_STRING name);
struct ob_link_info {
    UNICODE_STRING name, target;
    ULONG_PTR caller; /* code that created it */
};
/* Calls back for each link; returns how many. callback may be null. */
SIZE_T ob_links_each(void (*callback)(void *context, const struct ob_link_info *link), void *context);
