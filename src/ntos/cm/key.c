/*
 * key.c - key objects: opening and creating, deleting, renaming.
 */
#include "cm_internal.h"
#include "wdk/seh.h"

static void key_remove(void *body)
{
    struct cm_key *key = body;
    cm_watch_end(key);
    cm_callback_forget(key);
    if (!key->node)
        return;
    plat_lock_acquire(&cm_lock);
    cm_node_release(key->node);
    plat_lock_release(&cm_lock);
}

static void key_closed(void *body)
{
    REG_KEY_HANDLE_CLOSE_INFORMATION info = {.Object = body};
    struct cm_notice notice;
    cm_notify(&notice, RegNtPreKeyHandleClose, body, &info, &info.CallContext);
    cm_watch_end(body);
    cm_notified(&notice, RegNtPostKeyHandleClose, STATUS_SUCCESS);
}

const struct ob_type cm_key_type = {.name = "Key",
                                    .tag = RTL_TAG('K', 'e', 'y', ' '),
                                    .remove = key_remove,
                                    .closed = key_closed,
                                    .mapping = {KEY_READ, KEY_WRITE, KEY_EXECUTE, KEY_ALL_ACCESS}};
POBJECT_TYPE CmKeyObjectType = (POBJECT_TYPE)&cm_key_type;

/* The missing key of a walk that ended at parent. Lock held. */
static NTSTATUS make(const struct cm_open *open, struct cm_node *parent, const UNICODE_STRING *name,
                     struct cm_node **node)
{
    bool is_volatile = open->options & REG_OPTION_VOLATILE;
    if (parent->closed)
        return STATUS_INVALID_PARAMETER;
    if (parent->is_volatile && !is_volatile)
        return STATUS_CHILD_MUST_BE_VOLATILE;
    *node = cm_node_create(parent, name, &open->class);
    if (!*node)
        return STATUS_INSUFFICIENT_RESOURCES;
    (*node)->is_volatile = is_volatile;
    (*node)->is_link = open->options & REG_OPTION_CREATE_LINK;
    cm_changed(parent, REG_NOTIFY_CHANGE_NAME);
    return STATUS_SUCCESS;
}

/* Lock held. */
static NTSTATUS find_or_make(const struct cm_open *open, struct cm_node **node, ULONG *disposition)
{
    UNICODE_STRING last;
    WCHAR *storage = NULL;
    struct cm_key *root = open->root;
    bool link = open->open_link || (open->create && (open->options & REG_OPTION_CREATE_LINK));
    NTSTATUS status =
        root->node->deleted ? STATUS_KEY_DELETED : cm_walk(root->node, &open->path, link, node, &last, &storage);
    *disposition = REG_OPENED_EXISTING_KEY;
    if (NT_SUCCESS(status) && open->create && (open->options & REG_OPTION_CREATE_LINK)) {
        status = STATUS_OBJECT_NAME_COLLISION;
    } else if (status == STATUS_OBJECT_NAME_NOT_FOUND && *node && open->create) {
        *disposition = REG_CREATED_NEW_KEY;
        status = make(open, *node, &last, node);
    }
    if (storage)
        mm_pool_free(storage, CM_TAG, 0);
    return status;
}

static NTSTATUS do_open(const struct cm_open *open, struct cm_key **key, ULONG *disposition)
{
    const ULONG known = REG_OPTION_VOLATILE | REG_OPTION_CREATE_LINK | REG_OPTION_BACKUP_RESTORE |
                        REG_OPTION_OPEN_LINK | REG_OPTION_DONT_VIRTUALIZE;
    struct cm_node *node = NULL;
    *key = NULL;
    if (open->options & ~known)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = ob_create(&cm_key_type, sizeof(**key), (void **)key);
    if (!NT_SUCCESS(status))
        return status;
    plat_lock_acquire(&cm_lock);
    status = find_or_make(open, &node, disposition);
    if (NT_SUCCESS(status)) {
        node->references++;
        (*key)->node = node;
    }
    plat_lock_release(&cm_lock);
    if (!NT_SUCCESS(status)) {
        ob_dereference(*key);
        *key = NULL;
    }
    return status;
}

/* A callback that did the open itself has left a key object, referenced for us. */
static NTSTATUS take_result(void *object, struct cm_key **key)
{
    if (!object || ob_type_of(object) != &cm_key_type)
        return STATUS_INVALID_PARAMETER;
    *key = object;
    return STATUS_SUCCESS;
}

/* What a callback raises leaves no key behind. */
static NTSTATUS tell_opened(struct cm_notice *notice, bool create, NTSTATUS opened, struct cm_key **key)
{
    volatile NTSTATUS status = opened;
    __try {
        status = cm_notified(notice, create ? RegNtPostCreateKeyEx : RegNtPostOpenKeyEx, opened);
    } __finally {
        if (AbnormalTermination() && *key)
            ob_dereference(*key);
    }
    return status;
}

NTSTATUS cm_open(const struct cm_open *open, struct cm_key **key, ULONG *disposition)
{
    struct cm_open copy = *open;
    void *result = NULL;
    REG_CREATE_KEY_INFORMATION_V1 info = {.CompleteName = &copy.path,
                                          .RootObject = copy.root,
                                          .ObjectType = CmKeyObjectType,
                                          .Options = copy.options,
                                          .Class = &copy.class,
                                          .DesiredAccess = copy.access,
                                          .GrantedAccess = copy.access,
                                          .Disposition = disposition,
                                          .ResultObject = &result,
                                          .Version = 1,
                                          .RemainingName = &copy.path};
    struct cm_notice notice;
    *key = NULL;
    *disposition = REG_OPENED_EXISTING_KEY;
    NTSTATUS status =
        cm_notify(&notice, open->create ? RegNtPreCreateKeyEx : RegNtPreOpenKeyEx, copy.root, &info, &info.CallContext);
    if (notice.perform)
        status = do_open(open, key, disposition);
    else if (NT_SUCCESS(status))
        status = take_result(result, key);
    notice.object = *key;
    status = tell_opened(&notice, open->create, status, key);
    if (!NT_SUCCESS(status) && *key) {
        ob_dereference(*key);
        *key = NULL;
    }
    return NT_SUCCESS(status) && !*key ? STATUS_INVALID_PARAMETER : status;
}

NTSTATUS cm_open_path(PCUNICODE_STRING path, bool create, struct cm_key **key)
{
    void *root;
    UNICODE_STRING rest, storage;
    ULONG disposition;
    *key = NULL;
    NTSTATUS status = ob_lookup(path, &cm_key_type, &root, &rest, &storage);
    if (!NT_SUCCESS(status))
        return status;
    struct cm_open open = {.root = root, .path = rest, .create = create};
    status = cm_open(&open, key, &disposition);
    ob_path_free(&storage);
    ob_dereference(root);
    return status;
}

static NTSTATUS do_delete(struct cm_key *key)
{
    struct cm_node *node = key->node;
    NTSTATUS status = STATUS_SUCCESS;
    plat_lock_acquire(&cm_lock);
    if (node->deleted) {
        status = STATUS_KEY_DELETED;
    } else if (node->fixed || node->subkey_count) {
        status = STATUS_CANNOT_DELETE;
    } else {
        cm_changed(node->parent, REG_NOTIFY_CHANGE_NAME);
        cm_changed(node, REG_NOTIFY_CHANGE_NAME);
        cm_node_remove(node);
    }
    plat_lock_release(&cm_lock);
    return status;
}

NTSTATUS cm_delete(struct cm_key *key)
{
    REG_DELETE_KEY_INFORMATION info = {.Object = key};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreDeleteKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_delete(key);
    return cm_notified(&notice, RegNtPostDeleteKey, status);
}

static bool is_name(PCUNICODE_STRING name)
{
    if (!name->Length || name->Length > CM_KEY_NAME_MAX * sizeof(WCHAR))
        return false;
    for (USHORT i = 0; i < name->Length / sizeof(WCHAR); i++)
        if (name->Buffer[i] == '\\')
            return false;
    return true;
}

static NTSTATUS do_rename(struct cm_key *key, PCUNICODE_STRING name)
{
    struct cm_node *node = key->node;
    NTSTATUS status = STATUS_SUCCESS;
    if (!is_name(name))
        return STATUS_INVALID_PARAMETER;
    plat_lock_acquire(&cm_lock);
    struct cm_node *other = node->deleted || !node->parent ? NULL : cm_node_find(node->parent, name);
    if (node->deleted) {
        status = STATUS_KEY_DELETED;
    } else if (node->fixed) {
        status = STATUS_ACCESS_DENIED;
    } else if (other && other != node) {
        status = STATUS_OBJECT_NAME_COLLISION;
    } else {
        cm_node_rename(node, name);
        cm_changed(node->parent, REG_NOTIFY_CHANGE_NAME);
    }
    plat_lock_release(&cm_lock);
    return status;
}

NTSTATUS cm_rename(struct cm_key *key, PCUNICODE_STRING name)
{
    REG_RENAME_KEY_INFORMATION info = {.Object = key, .NewName = (PUNICODE_STRING)name};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreRenameKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_rename(key, name);
    return cm_notified(&notice, RegNtPostRenameKey, status);
}

static NTSTATUS do_set_write_time(struct cm_key *key, LONGLONG time)
{
    plat_lock_acquire(&cm_lock);
    NTSTATUS status = key->node->deleted ? STATUS_KEY_DELETED : STATUS_SUCCESS;
    if (NT_SUCCESS(status)) {
        key->node->last_write = time;
        cm_changed(key->node, REG_NOTIFY_CHANGE_ATTRIBUTES);
    }
    plat_lock_release(&cm_lock);
    return status;
}

NTSTATUS cm_set_write_time(struct cm_key *key, LONGLONG time)
{
    REG_SET_INFORMATION_KEY_INFORMATION info = {.Object = key,
                                                .KeySetInformationClass = KeyWriteTimeInformation,
                                                .KeySetInformation = &time,
                                                .KeySetInformationLength = sizeof(time)};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreSetInformationKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_set_write_time(key, time);
    return cm_notified(&notice, RegNtPostSetInformationKey, status);
}

static NTSTATUS do_flush(struct cm_key *key)
{
    plat_lock_acquire(&cm_lock);
    NTSTATUS status = key->node->deleted ? STATUS_KEY_DELETED : STATUS_SUCCESS;
    plat_lock_release(&cm_lock);
    return status;
}

NTSTATUS cm_flush(struct cm_key *key)
{
    REG_FLUSH_KEY_INFORMATION info = {.Object = key};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreFlushKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_flush(key);
    return cm_notified(&notice, RegNtPostFlushKey, status);
}
