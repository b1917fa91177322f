/*
 * registry.c - the act halves of the services on registry keys; the registry itself is cm's.
 */
#include "svc.h"
#include "cm.h"
#include "wdk/seh.h"

#define KEY_WOW64_FLAGS 0x0300u /* which view is asked for: there is only one */

/* Referenced until the call ends, whichever way: a callback may raise. */
static NTSTATUS key_of(struct svc_call *call, ACCESS_MASK access, struct cm_key **key)
{
    NTSTATUS status =
        ob_handle_reference((HANDLE)call->arguments[0].value, access, &cm_key_type, call->mode, (void **)key, NULL);
    call->held = *key;
    return status;
}

/* ---- opening ---- */

/* The key a name begins at, and what follows it, which points into *storage where it is not the captured name. */
static NTSTATUS find_root(const struct svc_call *call, const struct svc_attributes *object, struct cm_open *open,
                          UNICODE_STRING *storage)
{
    UNICODE_STRING path;
    *storage = (UNICODE_STRING){0};
    if (object->root) {
        NTSTATUS status = ob_handle_reference(object->root, 0, &cm_key_type, call->mode, &open->root, NULL);
        open->path = object->name;
        if (NT_SUCCESS(status) && object->name.Length && object->name.Buffer[0] == '\\') {
            ob_dereference(open->root);
            status = STATUS_OBJECT_PATH_SYNTAX_BAD;
        }
        if (status != STATUS_OBJECT_TYPE_MISMATCH)
            return status;
    }
    NTSTATUS status = svc_name_resolve(call, object, &path);
    if (!NT_SUCCESS(status))
        return status;
    status = ob_lookup(&path, &cm_key_type, &open->root, &open->path, storage);
    ob_path_free(&path);
    return status;
}

static NTSTATUS open_and_free(const struct cm_open *open, struct cm_key **key, ULONG *disposition,
                              PUNICODE_STRING storage)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        status = cm_open(open, key, disposition);
    } __finally {
        ob_path_free(storage);
    }
    return status;
}

/* Arguments 0 to 2 of every create and open are handle, access and attributes. */
static NTSTATUS open_key(struct svc_call *call, struct cm_open *open, ULONG *disposition)
{
    const struct svc_attributes *object = &call->arguments[2].object;
    UNICODE_STRING storage;
    struct cm_key *key;
    ACCESS_MASK granted;
    HANDLE handle;
    if (!object->present)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status =
        ob_access_map(&cm_key_type, (ULONG)call->arguments[1].value & ~KEY_WOW64_FLAGS, call->mode, &granted);
    if (NT_SUCCESS(status))
        status = find_root(call, object, open, &storage);
    if (!NT_SUCCESS(status))
        return status;
    open->open_link = (object->attributes & OBJ_OPENLINK) || (open->options & REG_OPTION_OPEN_LINK);
    open->access = granted;
    call->held = open->root;
    status = open_and_free(open, &key, disposition, &storage);
    if (!NT_SUCCESS(status))
        return status;
    status = ob_handle_create(key, granted, object->attributes, call->mode, &handle);
    ob_dereference(key);
    if (NT_SUCCESS(status))
        svc_set(call, 0, (ULONG_PTR)handle);
    return status;
}

NTSTATUS svc_CreateKey(struct svc_call *call)
{
    ULONG disposition;
    struct cm_open open = {
        .create = true, .options = (ULONG)call->arguments[5].value, .class = call->arguments[4].string};
    NTSTATUS status = open_key(call, &open, &disposition);
    if (NT_SUCCESS(status))
        svc_set(call, 6, disposition);
    return status;
}

NTSTATUS svc_OpenKey(struct svc_call *call)
{
    ULONG disposition;
    return open_key(call, &(struct cm_open){0}, &disposition);
}

NTSTATUS svc_OpenKeyEx(struct svc_call *call)
{
    ULONG disposition, options = (ULONG)call->arguments[3].value;
    if (options & ~(ULONG)(REG_OPTION_OPEN_LINK | REG_OPTION_BACKUP_RESTORE | REG_OPTION_DONT_VIRTUALIZE))
        return STATUS_INVALID_PARAMETER;
    return open_key(call, &(struct cm_open){.options = options}, &disposition);
}

/* ---- keys ---- */

NTSTATUS svc_DeleteKey(struct svc_call *call)
{
    struct cm_key *key;
    NTSTATUS status = key_of(call, DELETE, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_delete(key);
    return status;
}

NTSTATUS svc_RenameKey(struct svc_call *call)
{
    struct cm_key *key;
    NTSTATUS status = key_of(call, KEY_WRITE, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_rename(key, &call->arguments[1].string);
    return status;
}

NTSTATUS svc_FlushKey(struct svc_call *call)
{
    struct cm_key *key;
    NTSTATUS status = key_of(call, 0, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_flush(key);
    return status;
}

/* What a query left: as much data as fits at position, all it takes at position + 2. */
static NTSTATUS give(struct svc_call *call, ULONG position, NTSTATUS status, ULONG needed)
{
    struct svc_argument *data = &call->arguments[position];
    if (NT_SUCCESS(status) || status == STATUS_BUFFER_OVERFLOW) {
        data->bytes = needed < data->bytes ? needed : data->bytes;
        data->set = true;
    }
    if (NT_SUCCESS(status) || status == STATUS_BUFFER_OVERFLOW || status == STATUS_BUFFER_TOO_SMALL)
        svc_set(call, position + 2, needed);
    return status;
}

NTSTATUS svc_QueryKey(struct svc_call *call)
{
    struct cm_key *key;
    ULONG information = (ULONG)call->arguments[1].value, needed = 0;
    bool name_only = information == KeyNameInformation || information == KeyHandleTagsInformation;
    NTSTATUS status = key_of(call, name_only ? 0 : KEY_QUERY_VALUE, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_query(key, information, call->arguments[2].data, (ULONG)call->arguments[3].value, &needed);
    return give(call, 2, status, needed);
}

NTSTATUS svc_EnumerateKey(struct svc_call *call)
{
    struct cm_key *key;
    ULONG needed = 0;
    NTSTATUS status = key_of(call, KEY_ENUMERATE_SUB_KEYS, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_enumerate(key, (ULONG)call->arguments[1].value, (ULONG)call->arguments[2].value,
                          call->arguments[3].data, (ULONG)call->arguments[4].value, &needed);
    return give(call, 3, status, needed);
}

/* Only the last write time can be set. */
NTSTATUS svc_SetInformationKey(struct svc_call *call)
{
    struct cm_key *key;
    LONGLONG time;
    if (call->arguments[1].value != KeyWriteTimeInformation)
        return STATUS_INVALID_PARAMETER;
    if (call->arguments[3].value != sizeof(KEY_WRITE_TIME_INFORMATION))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status = key_of(call, KEY_SET_VALUE, &key);
    if (!NT_SUCCESS(status))
        return status;
    __builtin_memcpy(&time, call->arguments[2].data, sizeof(time));
    status = cm_set_write_time(key, time);
    return status;
}

/* ---- values ---- */

NTSTATUS svc_SetValueKey(struct svc_call *call)
{
    struct cm_key *key;
    NTSTATUS status = key_of(call, KEY_SET_VALUE, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_value_set(key, &call->arguments[1].string, (ULONG)call->arguments[3].value, call->arguments[4].data,
                          (ULONG)call->arguments[5].value);
    return status;
}

NTSTATUS svc_DeleteValueKey(struct svc_call *call)
{
    struct cm_key *key;
    NTSTATUS status = key_of(call, KEY_SET_VALUE, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_value_delete(key, &call->arguments[1].string);
    return status;
}

NTSTATUS svc_QueryValueKey(struct svc_call *call)
{
    struct cm_key *key;
    ULONG needed = 0;
    NTSTATUS status = key_of(call, KEY_QUERY_VALUE, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_value_query(key, &call->arguments[1].string, (ULONG)call->arguments[2].value, call->arguments[3].data,
                            (ULONG)call->arguments[4].value, &needed);
    return give(call, 3, status, needed);
}

NTSTATUS svc_EnumerateValueKey(struct svc_call *call)
{
    struct cm_key *key;
    ULONG needed = 0;
    NTSTATUS status = key_of(call, KEY_QUERY_VALUE, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_value_enumerate(key, (ULONG)call->arguments[1].value, (ULONG)call->arguments[2].value,
                                call->arguments[3].data, (ULONG)call->arguments[4].value, &needed);
    return give(call, 3, status, needed);
}

/* ---- changes ---- */

/* An alert, a user APC and the end of the thread end the wait, and so does what an APC raises: the watch, which writes
 * to this thread's stack, goes with it. */
static NTSTATUS wait_for_change(KEVENT *event, KPROCESSOR_MODE mode, const NTSTATUS *result)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        status = KeWaitForSingleObject(event, Executive, mode, TRUE, NULL);
    } __finally {
        cm_watch_cancel(result);
        if (AbnormalTermination())
            ob_dereference(event);
    }
    return status;
}

static NTSTATUS watch_and_wait(struct svc_call *call, struct cm_key *key, ULONG filter, bool tree)
{
    KEVENT *event;
    NTSTATUS result = STATUS_SUCCESS, status = ob_create(&ob_event_type, sizeof(*event), (void **)&event);
    if (!NT_SUCCESS(status))
        return status;
    KeInitializeEvent(event, NotificationEvent, FALSE);
    ob_reference(event); /* the watch's */
    status = cm_watch(key, filter, tree, event, &result);
    if (NT_SUCCESS(status)) {
        status = wait_for_change(event, call->mode, &result);
        if (status == STATUS_SUCCESS) {
            status = result;
            call->arguments[4].io = (IO_STATUS_BLOCK){.Status = status};
            call->arguments[4].set = true;
        }
    }
    ob_dereference(event);
    return status;
}

/* With Asynchronous the event is all that tells of the change: the status block says STATUS_PENDING and stays so. */
NTSTATUS svc_NotifyChangeKey(struct svc_call *call)
{
    const ULONG known =
        REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_ATTRIBUTES | REG_NOTIFY_CHANGE_LAST_SET | REG_NOTIFY_CHANGE_SECURITY;
    ULONG filter = (ULONG)call->arguments[5].value;
    bool tree = call->arguments[6].value;
    struct cm_key *key;
    KEVENT *event;
    if (!filter || (filter & ~known))
        return STATUS_INVALID_PARAMETER;
    if (call->arguments[2].value || (call->arguments[9].value && !call->arguments[1].value))
        return STATUS_NOT_SUPPORTED;
    NTSTATUS status = key_of(call, KEY_NOTIFY, &key);
    if (!NT_SUCCESS(status))
        return status;
    if (!call->arguments[9].value) {
        status = watch_and_wait(call, key, filter, tree);
    } else {
        status = ob_handle_reference((HANDLE)call->arguments[1].value, EVENT_MODIFY_STATE, &ob_event_type, call->mode,
                                     (void **)&event, NULL);
        if (NT_SUCCESS(status)) {
            KeClearEvent(event);
            status = cm_watch(key, filter, tree, event, NULL);
        }
        if (NT_SUCCESS(status)) {
            status = STATUS_PENDING;
            call->arguments[4].io = (IO_STATUS_BLOCK){.Status = status};
            call->arguments[4].set = true;
        }
    }
    return status;
}
