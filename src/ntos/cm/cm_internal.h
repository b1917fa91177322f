/* cm_internal.h - nodes and values, shared by the files of cm. Everything in them is guarded by cm_lock. */
#pragma once
#include "cm.h"
#include "ke.h"
#include "rtl.h"

#define CM_TAG RTL_TAG('C', 'm', ' ', ' ')

struct cm_value {
    LIST_ENTRY link; /* of its node, oldest first */
    ULONG type, bytes;
    UNICODE_STRING name; /* both lie behind the structure */
    UCHAR *data;
};

struct cm_node {
    LIST_ENTRY sibling; /* in the parent's subkeys, by name */
    struct cm_node *parent;
    LIST_ENTRY subkeys, values;
    ULONG subkey_count, value_count;
    LONGLONG last_write;  /* 100 ns since 1601 */
    SIZE_T references;    /* key objects, and one for being in the tree */
    UNICODE_STRING class; /* in pool */
    bool is_volatile, is_link, deleted;
    bool fixed;  /* cannot be deleted or renamed */
    bool closed; /* takes no new subkeys */
    UNICODE_STRING name;
    WCHAR text[CM_KEY_NAME_MAX + 1];
};

struct cm_key {
    struct cm_node *node;
    bool closed;               /* its last handle went, once; cm_lock */
    UNICODE_STRING *told_name; /* what CmCallbackGetKeyObjectID gave out, in pool; the callbacks' lock */
};

extern struct plat_lock cm_lock;
extern struct cm_counts cm_held; /* cm_lock */

/* ---- node.c ---- */
/* A node in parent's subkeys (null: the root), or null: no memory, or too many. */
struct cm_node *cm_node_create(struct cm_node *parent, const UNICODE_STRING *name, const UNICODE_STRING *class);
struct cm_node *cm_node_find(const struct cm_node *parent, const UNICODE_STRING *name);
struct cm_node *cm_node_at(const struct cm_node *parent, ULONG index);
void cm_node_release(struct cm_node *node);
/* Takes it out of the tree; openings remain and say STATUS_KEY_DELETED. */
void cm_node_remove(struct cm_node *node);
void cm_node_rename(struct cm_node *node, const UNICODE_STRING *name);
void cm_node_touch(struct cm_node *node);
/* Bytes of "\REGISTRY\...", copied to text as far as capacity goes. */
ULONG cm_node_path(const struct cm_node *node, UCHAR *text, ULONG capacity);

/* ---- value.c ---- */
struct cm_value *cm_value_find(const struct cm_node *node, const UNICODE_STRING *name);
struct cm_value *cm_value_at(const struct cm_node *node, ULONG index);
void cm_value_free(struct cm_node *node, struct cm_value *value);
/* Makes or replaces; for callers that hold cm_lock. */
NTSTATUS cm_value_store(struct cm_node *node, PCUNICODE_STRING name, ULONG type, const void *data, ULONG bytes);

/* ---- parse.c ---- */
extern struct cm_node *cm_root;
/*
 * Follows path from node from. Found: STATUS_SUCCESS. STATUS_OBJECT_NAME_NOT_FOUND with *found set: only the last name
 * is missing there, and it comes back in *last (at most 255 characters), which points into path or *storage.
 */
NTSTATUS cm_walk(struct cm_node *from, const UNICODE_STRING *path, bool open_link, struct cm_node **found,
                 UNICODE_STRING *last, WCHAR **storage);

/* A value as it was, with text ended by a zero: one pool block of tag CM_TAG. */
struct cm_copy {
    ULONG type, bytes;
    bool trusted; /* in a hive that only the system writes */
    WCHAR *name;
    UCHAR *data; /* two zero characters behind it */
};
/* An empty one; data is zeroed. Null: no memory. */
struct cm_copy *cm_copy_make(ULONG type, const UNICODE_STRING *name, ULONG bytes);
/* By name, or by index where name is null. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_NO_MORE_ENTRIES. */
NTSTATUS cm_value_copy(struct cm_key *key, const UNICODE_STRING *name, ULONG index, struct cm_copy **copy);

/* ---- relative.c ---- */
/* The key that an Rtl routine's caller means, referenced. What reading Path raises goes to the caller. */
NTSTATUS cm_relative_open(ULONG relative_to, PCWSTR path, bool create, struct cm_key **key);

/* ---- callback.c ---- */
enum { CM_CALLBACKS_MAX = 32 };
/* One operation on its way past the callbacks. */
struct cm_notice {
    void *object, *before; /* the key, and what the callbacks were told before */
    ULONG count;           /* callbacks that were told, and let it pass */
    bool perform;          /* none refused it, or did it itself */
    struct {
        struct callback *callback;
        void *context; /* what it left in CallContext */
    } told[CM_CALLBACKS_MAX];
};
void cm_callback_init(void);
/*
 * Tells every callback what is about to happen. contexts: CallContext and ObjectContext in info. Returns the status of
 * the operation if it is not to be performed. No lock may be held.
 */
NTSTATUS cm_notify(struct cm_notice *notice, REG_NOTIFY_CLASS class, void *object, void *info, void **contexts);
/* Tells those that let it pass what came of it; returns the status it now has. */
NTSTATUS cm_notified(struct cm_notice *notice, REG_NOTIFY_CLASS class, NTSTATUS status);
/* The key object goes: its contexts are cleaned up. */
void cm_callback_forget(struct cm_key *key);

/* ---- watch.c ---- */
void cm_watch_init(void);
/* Something that filter names has changed in node. */
void cm_changed(struct cm_node *node, ULONG filter);
/* The opening's last handle went, or it did itself. */
void cm_watch_end(struct cm_key *key);

/* ---- preset.c ---- */
NTSTATUS cm_preset(void);
