/*
 * cm.h - the registry: keys in memory, below \Registry in the name space.
 *
 * A node is a key as it stands in the tree; a key object (type Key) is one opening of it. Every call takes captured
 * kernel values and is atomic: one lock guards the tree. IRQL PASSIVE_LEVEL throughout.
 */
#pragma once
#include "wdk/cm.h"
#include "ob.h"

/* What the registry holds at most: a driver that fills it gets STATUS_INSUFFICIENT_RESOURCES, and the pool survives. */
enum { CM_KEYS_MAX = 4096, CM_VALUES_MAX = 8192, CM_BYTES_MAX = 64 << 20 };
/* Of one element. Characters, characters, bytes. */
enum { CM_KEY_NAME_MAX = 255, CM_VALUE_NAME_MAX = 16383, CM_VALUE_MAX = 1 << 20 };

struct cm_key; /* the body of a key object */
extern const struct ob_type cm_key_type;

/* Makes the tree and what a driver expects to find in it. After ob. */
NTSTATUS cm_init(void);
/*
 * The key of a driver about to be loaded, Services\name, with ImagePath, Type, Start, ErrorControl and a subkey
 * Parameters. What is there already stays as it is.
 */
NTSTATUS cm_service_create(PCUNICODE_STRING name);

/* ---- keys ---- */

struct cm_open {
    void *root;          /* struct cm_key that path is relative to */
    UNICODE_STRING path; /* leading and doubled backslashes do not count */
    bool create;
    bool open_link;       /* the last key is wanted itself, although it is a symbolic link */
    ULONG options;        /* REG_OPTION_*; with create */
    ACCESS_MASK access;   /* what callbacks are told */
    UNICODE_STRING class; /* with create */
};
/*
 * One more opening, with one reference. disposition: REG_CREATED_NEW_KEY or REG_OPENED_EXISTING_KEY.
 * STATUS_OBJECT_NAME_NOT_FOUND: a key is missing; with create, one before the last. STATUS_KEY_DELETED: root is.
 * STATUS_CHILD_MUST_BE_VOLATILE, STATUS_OBJECT_NAME_COLLISION (a link is to be created where something is),
 * STATUS_INVALID_PARAMETER (a name above 255 characters, unknown options, a key directly below Machine or User).
 */
NTSTATUS cm_open(const struct cm_open *open, struct cm_key **key, ULONG *disposition);
/* The same by full name ("\Registry\..."). STATUS_OBJECT_TYPE_MISMATCH: the name is not in the registry. */
NTSTATUS cm_open_path(PCUNICODE_STRING path, bool create, struct cm_key **key);
/* The same, and all that is missing above it is made as well. */
NTSTATUS cm_path_make(PCUNICODE_STRING path, struct cm_key **key);
/* STATUS_CANNOT_DELETE: it has subkeys, or the system needs it. */
NTSTATUS cm_delete(struct cm_key *key);
/* STATUS_OBJECT_NAME_COLLISION, STATUS_INVALID_PARAMETER (a path), STATUS_ACCESS_DENIED (the system needs it). */
NTSTATUS cm_rename(struct cm_key *key, PCUNICODE_STRING name);
NTSTATUS cm_set_write_time(struct cm_key *key, LONGLONG time);
NTSTATUS cm_flush(struct cm_key *key);

/* ---- values ---- */

NTSTATUS cm_value_set(struct cm_key *key, PCUNICODE_STRING name, ULONG type, const void *data, ULONG bytes);
NTSTATUS cm_value_delete(struct cm_key *key, PCUNICODE_STRING name);

/* ---- queries: class, buffer, its length, and the bytes all of it takes ----
 * STATUS_BUFFER_TOO_SMALL: not even the fixed part fits, nothing is written; STATUS_BUFFER_OVERFLOW: what fits is
 * written; STATUS_INVALID_PARAMETER: no such class. Enumerations: STATUS_NO_MORE_ENTRIES.
 */
NTSTATUS cm_query(struct cm_key *key, ULONG information, void *buffer, ULONG length, ULONG *needed);
NTSTATUS cm_enumerate(struct cm_key *key, ULONG index, ULONG information, void *buffer, ULONG length, ULONG *needed);
NTSTATUS cm_value_query(struct cm_key *key, PCUNICODE_STRING name, ULONG information, void *buffer, ULONG length,
                        ULONG *needed);
NTSTATUS cm_value_enumerate(struct cm_key *key, ULONG index, ULONG information, void *buffer, ULONG length,
                            ULONG *needed);

/* ---- watches ---- */

/*
 * Sets event at the next change that filter (REG_NOTIFY_CHANGE_*) names, in key or, with tree, below it; or when the
 * opening's last handle goes. Consumes a reference to event in any case. once the event is set *result, if not null,
 * is STATUS_NOTIFY_ENUM_DIR or STATUS_NOTIFY_CLEANUP. STATUS_INVALID_HANDLE: the last handle has gone already.
 */
NTSTATUS cm_watch(struct cm_key *key, ULONG filter, bool tree, KEVENT *event, NTSTATUS *result);
/* The watch that has this result, if there still is one, ends: nothing writes to *result any more. */
void cm_watch_cancel(const NTSTATUS *result);

/* Calls back for each registered callback with the code that registered it; returns how many. */
SIZE_T cm_callbacks_each(void (*callback)(void *context, ULONG_PTR caller), void *context);

/* What the registry holds. */
struct cm_counts {
    ULONG keys, values, watches;
    SIZE_T bytes;
};
struct cm_counts cm_counts(void);
