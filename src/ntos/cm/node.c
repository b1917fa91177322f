/*
 * node.c - the tree of keys: making, finding, removing nodes. Every function here wants cm_lock held.
 */
#include "cm_internal.h"

struct plat_lock cm_lock;
struct cm_counts cm_held;

struct cm_counts cm_counts(void)
{
    plat_lock_acquire(&cm_lock);
    struct cm_counts counts = cm_held;
    plat_lock_release(&cm_lock);
    return counts;
}

void cm_node_touch(struct cm_node *node)
{
    node->last_write = (LONGLONG)plat_system_time_100ns();
}

static void set_name(struct cm_node *node, const UNICODE_STRING *name)
{
    __builtin_memcpy(node->text, name->Buffer, name->Length);
    node->name = (UNICODE_STRING){name->Length, name->Length, node->text};
}

/* Puts node among its parent's subkeys, in the order of names. */
static void link_in(struct cm_node *node)
{
    LIST_ENTRY *head = &node->parent->subkeys, *at = head->Flink;
    while (at != head &&
           RtlCompareUnicodeString(&CONTAINING_RECORD(at, struct cm_node, sibling)->name, &node->name, TRUE) < 0)
        at = at->Flink;
    InsertTailList(at, &node->sibling);
    node->parent->subkey_count++;
}

static void link_out(struct cm_node *node)
{
    RemoveEntryList(&node->sibling);
    InitializeListHead(&node->sibling);
    node->parent->subkey_count--;
}

static bool copy_class(struct cm_node *node, const UNICODE_STRING *class)
{
    if (!class || !class->Length)
        return true;
    WCHAR *text = mm_pool_allocate(class->Length, CM_TAG, 0, MM_POOL_KERNEL, 0);
    if (!text)
        return false;
    __builtin_memcpy(text, class->Buffer, class->Length);
    node->class = (UNICODE_STRING){class->Length, class->Length, text};
    cm_held.bytes += class->Length;
    return true;
}

struct cm_node *cm_node_create(struct cm_node *parent, const UNICODE_STRING *name, const UNICODE_STRING *class)
{
    if (cm_held.keys >= CM_KEYS_MAX || (class && cm_held.bytes + class->Length > CM_BYTES_MAX))
        return NULL;
    struct cm_node *node = mm_pool_allocate(sizeof(*node), CM_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!node)
        return NULL;
    if (!copy_class(node, class)) {
        mm_pool_free(node, CM_TAG, 0);
        return NULL;
    }
    InitializeListHead(&node->sibling);
    InitializeListHead(&node->subkeys);
    InitializeListHead(&node->values);
    node->references = 1;
    node->parent = parent;
    set_name(node, name);
    cm_node_touch(node);
    if (parent) {
        link_in(node);
        cm_node_touch(parent);
    }
    cm_held.keys++;
    return node;
}

struct cm_node *cm_node_find(const struct cm_node *parent, const UNICODE_STRING *name)
{
    for (LIST_ENTRY *at = parent->subkeys.Flink; at != &parent->subkeys; at = at->Flink) {
        struct cm_node *node = CONTAINING_RECORD(at, struct cm_node, sibling);
        LONG order = RtlCompareUnicodeString(&node->name, name, TRUE);
        if (order >= 0)
            return order ? NULL : node;
    }
    return NULL;
}

struct cm_node *cm_node_at(const struct cm_node *parent, ULONG index)
{
    if (index >= parent->subkey_count)
        return NULL;
    LIST_ENTRY *at = parent->subkeys.Flink;
    while (index--)
        at = at->Flink;
    return CONTAINING_RECORD(at, struct cm_node, sibling);
}

void cm_node_release(struct cm_node *node)
{
    if (--node->references)
        return;
    while (!IsListEmpty(&node->values))
        cm_value_free(node, CONTAINING_RECORD(node->values.Flink, struct cm_value, link));
    if (node->class.Buffer) {
        cm_held.bytes -= node->class.Length;
        mm_pool_free(node->class.Buffer, CM_TAG, 0);
    }
    cm_held.keys--;
    mm_pool_free(node, CM_TAG, 0);
}

void cm_node_remove(struct cm_node *node)
{
    link_out(node);
    cm_node_touch(node->parent);
    node->deleted = true;
    node->parent = NULL;
    cm_node_release(node);
}

void cm_node_rename(struct cm_node *node, const UNICODE_STRING *name)
{
    link_out(node);
    set_name(node, name);
    link_in(node);
    cm_node_touch(node);
    cm_node_touch(node->parent);
}

ULONG cm_node_path(const struct cm_node *node, UCHAR *text, ULONG capacity)
{
    static const WCHAR separator = '\\';
    ULONG before = node->parent ? cm_node_path(node->parent, text, capacity) : 0;
    const struct {
        const void *from;
        ULONG bytes;
    } pieces[] = {{&separator, sizeof(separator)}, {node->text, node->name.Length}};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(pieces); i++) {
        ULONG room = before < capacity ? capacity - before : 0;
        if (room)
            __builtin_memcpy(text + before, pieces[i].from, pieces[i].bytes < room ? pieces[i].bytes : room);
        before += pieces[i].bytes;
    }
    return before;
}
