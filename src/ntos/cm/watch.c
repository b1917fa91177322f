/*
 * watch.c - who wants to hear of changes to keys: NtNotifyChangeKey.
 */
#include "cm_internal.h"

enum { WATCHES_MAX = 1024 };

struct watch {
    LIST_ENTRY link;
    struct cm_key *key; /* not referenced: its end ends the watch */
    struct cm_node *node;
    ULONG filter;
    bool tree;
    KEVENT *event;
    NTSTATUS *result;
};

static LIST_ENTRY watches; /* cm_lock */

void cm_watch_init(void)
{
    InitializeListHead(&watches);
}

static void fire(struct watch *watch, NTSTATUS result)
{
    if (watch->result)
        *watch->result = result;
    RemoveEntryList(&watch->link);
    cm_held.watches--;
    KeSetEvent(watch->event, 0, FALSE);
    ob_dereference(watch->event);
    mm_pool_free(watch, CM_TAG, 0);
}

static bool covers(const struct watch *watch, const struct cm_node *node)
{
    if (watch->node == node)
        return true;
    while (watch->tree && node && node != watch->node)
        node = node->parent;
    return watch->tree && node;
}

void cm_changed(struct cm_node *node, ULONG filter)
{
    LIST_ENTRY *next;
    for (LIST_ENTRY *at = watches.Flink; at != &watches; at = next) {
        struct watch *watch = CONTAINING_RECORD(at, struct watch, link);
        next = at->Flink;
        if ((watch->filter & filter) && covers(watch, node))
            fire(watch, STATUS_NOTIFY_ENUM_DIR);
    }
}

void cm_watch_end(struct cm_key *key)
{
    LIST_ENTRY *next;
    plat_lock_acquire(&cm_lock);
    key->closed = true;
    for (LIST_ENTRY *at = watches.Flink; at != &watches; at = next) {
        struct watch *watch = CONTAINING_RECORD(at, struct watch, link);
        next = at->Flink;
        if (watch->key == key)
            fire(watch, STATUS_NOTIFY_CLEANUP);
    }
    plat_lock_release(&cm_lock);
}

void cm_watch_cancel(const NTSTATUS *result)
{
    LIST_ENTRY *next;
    plat_lock_acquire(&cm_lock);
    for (LIST_ENTRY *at = watches.Flink; at != &watches; at = next) {
        struct watch *watch = CONTAINING_RECORD(at, struct watch, link);
        next = at->Flink;
        if (watch->result == result)
            fire(watch, STATUS_NOTIFY_CLEANUP);
    }
    plat_lock_release(&cm_lock);
}

NTSTATUS cm_watch(struct cm_key *key, ULONG filter, bool tree, KEVENT *event, NTSTATUS *result)
{
    struct watch *watch = mm_pool_allocate(sizeof(*watch), CM_TAG, 0, MM_POOL_KERNEL, 0);
    NTSTATUS status = watch ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    plat_lock_acquire(&cm_lock);
    if (NT_SUCCESS(status) && key->node->deleted)
        status = STATUS_KEY_DELETED;
    if (NT_SUCCESS(status) && key->closed && !ob_handle_count(key)) /* nothing would ever end it */
        status = STATUS_INVALID_HANDLE;
    if (NT_SUCCESS(status) && cm_held.watches >= WATCHES_MAX)
        status = STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(status)) {
        *watch = (struct watch){
            .key = key, .node = key->node, .filter = filter, .tree = tree, .event = event, .result = result};
        InsertTailList(&watches, &watch->link);
        cm_held.watches++;
    }
    plat_lock_release(&cm_lock);
    if (NT_SUCCESS(status))
        return status;
    if (watch)
        mm_pool_free(watch, CM_TAG, 0);
    ob_dereference(event);
    return status;
}
