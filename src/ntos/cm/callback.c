/*
 * callback.c - drivers that watch and filter what is done to keys: CmRegisterCallback and its kin.
 *
 * Callbacks are called without any lock held, highest altitude first before an operation and last after it. One that
 * runs is counted, and unregistering waits for it. What one raises goes on to the operation's caller; the counts are
 * as before then.
 */
#include "cm_internal.h"
#include "wdk/seh.h"
#include "seh.h"

struct callback {
    LIST_ENTRY link; /* highest altitude first */
    PEX_CALLBACK_FUNCTION function;
    PVOID context;
    LONGLONG cookie;
    UNICODE_STRING altitude; /* in pool; empty: below all others */
    ULONG running;
    ULONG_PTR caller; /* code that registered it */
};

/* What a callback remembers about a key object. */
struct object_context {
    LIST_ENTRY link;
    struct cm_key *key;
    struct callback *callback;
    PVOID context;
};

/* A thread inside a callback; on its stack. */
struct visit {
    LIST_ENTRY link;
    const struct callback *callback;
    PKTHREAD thread;
};

static struct plat_lock lock; /* callbacks, contexts, visits, told names */
static LIST_ENTRY callbacks, contexts, visits;
static ULONG registered;
static LONGLONG last_cookie;

void cm_callback_init(void)
{
    plat_lock_init(&lock);
    InitializeListHead(&callbacks);
    InitializeListHead(&contexts);
    InitializeListHead(&visits);
}

static NTSTATUS call(const struct callback *callback, REG_NOTIFY_CLASS class, void *info)
{
    struct visit visit = {.callback = callback, .thread = ke_thread_current()};
    volatile NTSTATUS status = STATUS_SUCCESS;
    plat_lock_acquire(&lock);
    InsertTailList(&visits, &visit.link);
    plat_lock_release(&lock);
    __try {
        status = (NTSTATUS)seh_driver_call((ULONG_PTR)callback->function, (ULONG_PTR)callback->context, class,
                                           (ULONG_PTR)info, 0);
    } __finally {
        plat_lock_acquire(&lock);
        RemoveEntryList(&visit.link);
        plat_lock_release(&lock);
    }
    return status;
}

/* Does this thread run it? Lock held. */
static bool is_visited(const struct callback *callback)
{
    for (const LIST_ENTRY *at = visits.Flink; at != &visits; at = at->Flink) {
        const struct visit *visit = CONTAINING_RECORD(at, struct visit, link);
        if (visit->callback == callback && visit->thread == ke_thread_current())
            return true;
    }
    return false;
}

static void done_running(struct callback *callback)
{
    plat_lock_acquire(&lock);
    if (!--callback->running)
        plat_lock_wake_all(&lock);
    plat_lock_release(&lock);
}

/* Lock held. */
static struct object_context *find_context(const struct cm_key *key, const struct callback *callback)
{
    for (LIST_ENTRY *at = contexts.Flink; at != &contexts; at = at->Flink) {
        struct object_context *entry = CONTAINING_RECORD(at, struct object_context, link);
        if (entry->key == key && entry->callback == callback)
            return entry;
    }
    return NULL;
}

static PVOID context_of(const struct cm_key *key, const struct callback *callback)
{
    plat_lock_acquire(&lock);
    const struct object_context *entry = find_context(key, callback);
    PVOID context = entry ? entry->context : NULL;
    plat_lock_release(&lock);
    return context;
}

/* Everybody that is registered now, counted as running. */
static ULONG take_all(struct cm_notice *notice)
{
    ULONG count = 0;
    plat_lock_acquire(&lock);
    for (LIST_ENTRY *at = callbacks.Flink; at != &callbacks; at = at->Flink, count++) {
        notice->told[count].callback = CONTAINING_RECORD(at, struct callback, link);
        notice->told[count].callback->running++;
    }
    plat_lock_release(&lock);
    return count;
}

static void all_done_running(const struct cm_notice *notice, ULONG count)
{
    while (count--)
        done_running(notice->told[count].callback);
}

NTSTATUS cm_notify(struct cm_notice *notice, REG_NOTIFY_CLASS class, void *object, void *info, void **fields)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    notice->object = object;
    notice->before = info;
    notice->count = 0;
    notice->perform = true;
    volatile ULONG count = 0;
    if (__atomic_load_n(&registered, __ATOMIC_ACQUIRE))
        count = take_all(notice);
    __try {
        for (ULONG i = 0; i < count && notice->perform; i++) {
            fields[0] = NULL;
            fields[1] = context_of(object, notice->told[i].callback);
            status = call(notice->told[i].callback, class, info);
            notice->told[i].context = fields[0];
            notice->perform = NT_SUCCESS(status);
            notice->count += notice->perform;
        }
    } __finally {
        if (AbnormalTermination())
            notice->count = 0;
        for (ULONG i = notice->count; i < count; i++)
            done_running(notice->told[i].callback);
    }
    return status == STATUS_CALLBACK_BYPASS ? STATUS_SUCCESS : status;
}

NTSTATUS cm_notified(struct cm_notice *notice, REG_NOTIFY_CLASS class, NTSTATUS status)
{
    volatile NTSTATUS now = status;
    volatile ULONG rest = notice->count;
    notice->count = 0;
    __try {
        for (; rest; rest--) {
            struct callback *callback = notice->told[rest - 1].callback;
            REG_POST_OPERATION_INFORMATION info = {.Object = notice->object,
                                                   .Status = now,
                                                   .PreInformation = notice->before,
                                                   .ReturnStatus = now,
                                                   .CallContext = notice->told[rest - 1].context,
                                                   .ObjectContext = context_of(notice->object, callback)};
            if (call(callback, class, &info) == STATUS_CALLBACK_BYPASS)
                now = info.ReturnStatus;
            done_running(callback);
        }
    } __finally {
        all_done_running(notice, rest); /* none, unless one raised */
    }
    return now;
}

/* Takes a context that matches out of the list; null if none does. key or callback may be null: any. */
static struct object_context *take_context(const struct cm_key *key, const struct callback *callback)
{
    struct object_context *found = NULL;
    plat_lock_acquire(&lock);
    for (LIST_ENTRY *at = contexts.Flink; at != &contexts && !found; at = at->Flink) {
        struct object_context *entry = CONTAINING_RECORD(at, struct object_context, link);
        if ((!key || entry->key == key) && (!callback || entry->callback == callback))
            found = entry;
    }
    if (found) {
        RemoveEntryList(&found->link);
        found->callback->running++;
    }
    plat_lock_release(&lock);
    return found;
}

static void clean_contexts(const struct cm_key *key, const struct callback *callback)
{
    struct object_context *entry;
    while ((entry = take_context(key, callback))) {
        REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION info = {.Object = entry->key, .ObjectContext = entry->context};
        __try {
            call(entry->callback, RegNtCallbackObjectContextCleanup, &info);
        } __finally {
            done_running(entry->callback);
            mm_pool_free(entry, CM_TAG, 0);
        }
    }
}

void cm_callback_forget(struct cm_key *key)
{
    clean_contexts(key, NULL);
    if (key->told_name)
        mm_pool_free(key->told_name, CM_TAG, 0);
}

/* ---- registration ---- */

/* Puts it where its altitude belongs. Lock held. */
static NTSTATUS link_in(struct callback *callback)
{
    LIST_ENTRY *at = callbacks.Flink;
    if (registered >= CM_CALLBACKS_MAX)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (; at != &callbacks; at = at->Flink) {
        LONG order =
            rtl_compare_altitudes(&callback->altitude, &CONTAINING_RECORD(at, struct callback, link)->altitude);
        if (!order && callback->altitude.Length)
            return STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
        if (order > 0)
            break;
    }
    callback->cookie = ++last_cookie;
    InsertTailList(at, &callback->link);
    __atomic_add_fetch(&registered, 1, __ATOMIC_RELEASE);
    return STATUS_SUCCESS;
}

static NTSTATUS register_callback(PEX_CALLBACK_FUNCTION function, const UNICODE_STRING *altitude, PVOID context,
                                  PLARGE_INTEGER cookie)
{
    struct callback *callback =
        mm_pool_allocate(sizeof(*callback) + altitude->Length, CM_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!callback)
        return STATUS_INSUFFICIENT_RESOURCES;
    callback->function = function;
    callback->context = context;
    callback->caller = seh_export_caller();
    callback->altitude = (UNICODE_STRING){altitude->Length, altitude->Length, (WCHAR *)(callback + 1)};
    if (altitude->Length)
        __builtin_memcpy(callback + 1, altitude->Buffer, altitude->Length);
    plat_lock_acquire(&lock);
    NTSTATUS status = link_in(callback);
    LONGLONG made = callback->cookie;
    plat_lock_release(&lock);
    if (NT_SUCCESS(status))
        cookie->QuadPart = made;
    else
        mm_pool_free(callback, CM_TAG, 0);
    return status;
}

SIZE_T cm_callbacks_each(void (*callback)(void *context, ULONG_PTR caller), void *context)
{
    SIZE_T count = 0;
    plat_lock_acquire(&lock);
    for (LIST_ENTRY *at = callbacks.Flink; at != &callbacks; at = at->Flink, count++)
        callback(context, CONTAINING_RECORD(at, struct callback, link)->caller);
    plat_lock_release(&lock);
    return count;
}

/* A callback without an altitude: below all that have one. IRQL <= APC_LEVEL. */
NTSTATUS NTAPI CmRegisterCallback(PEX_CALLBACK_FUNCTION Function, PVOID Context, PLARGE_INTEGER Cookie)
{
    return register_callback(Function, &(UNICODE_STRING){0}, Context, Cookie);
}

/* STATUS_FLT_INSTANCE_ALTITUDE_COLLISION: the altitude is taken. */
NTSTATUS NTAPI CmRegisterCallbackEx(PEX_CALLBACK_FUNCTION Function, PCUNICODE_STRING Altitude, PVOID Driver,
                                    PVOID Context, PLARGE_INTEGER Cookie, PVOID Reserved)
{
    const UNICODE_STRING altitude = *Altitude;
    UNREFERENCED_PARAMETER(Driver);
    if (Reserved || !altitude.Length || altitude.Length > 256 * sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    return register_callback(Function, &altitude, Context, Cookie);
}

/* Lock held. */
static struct callback *find(LONGLONG cookie)
{
    for (LIST_ENTRY *at = callbacks.Flink; at != &callbacks; at = at->Flink)
        if (CONTAINING_RECORD(at, struct callback, link)->cookie == cookie)
            return CONTAINING_RECORD(at, struct callback, link);
    return NULL;
}

static void wait_until_idle(const struct callback *callback)
{
    plat_lock_acquire(&lock);
    while (callback->running)
        plat_lock_wait(&lock, UINT64_MAX);
    plat_lock_release(&lock);
}

/*
 * Waits for calls that are under way. STATUS_INVALID_PARAMETER: no such. STATUS_POSSIBLE_DEADLOCK: the caller is the
 * callback itself, which the documentation forbids; it stays registered.
 */
NTSTATUS NTAPI CmUnRegisterCallback(LARGE_INTEGER Cookie)
{
    plat_lock_acquire(&lock);
    struct callback *callback = find(Cookie.QuadPart);
    NTSTATUS status = !callback              ? STATUS_INVALID_PARAMETER
                      : is_visited(callback) ? STATUS_POSSIBLE_DEADLOCK
                                             : STATUS_SUCCESS;
    if (NT_SUCCESS(status)) {
        RemoveEntryList(&callback->link);
        __atomic_sub_fetch(&registered, 1, __ATOMIC_RELEASE);
    }
    plat_lock_release(&lock);
    if (!NT_SUCCESS(status))
        return status;
    wait_until_idle(callback);
    clean_contexts(NULL, callback);
    wait_until_idle(callback);
    mm_pool_free(callback, CM_TAG, 0);
    return STATUS_SUCCESS;
}

VOID NTAPI CmGetCallbackVersion(PULONG Major, PULONG Minor)
{
    if (Major)
        *Major = 1;
    if (Minor)
        *Minor = 1;
}

/* ---- what a callback asks about a key ---- */

/* The string and its text, in one block. */
static NTSTATUS full_name(const struct cm_key *key, UNICODE_STRING **name)
{
    NTSTATUS status = STATUS_KEY_DELETED;
    *name = NULL;
    plat_lock_acquire(&cm_lock);
    if (!key->node->deleted) {
        ULONG bytes = cm_node_path(key->node, NULL, 0);
        status = bytes > MAXUSHORT ? STATUS_NAME_TOO_LONG : STATUS_SUCCESS;
        if (NT_SUCCESS(status))
            *name = mm_pool_allocate(sizeof(**name) + bytes, CM_TAG, 0, MM_POOL_KERNEL, 0);
        if (NT_SUCCESS(status) && !*name)
            status = STATUS_INSUFFICIENT_RESOURCES;
        if (*name) {
            **name = (UNICODE_STRING){(USHORT)bytes, (USHORT)bytes, (WCHAR *)(*name + 1)};
            cm_node_path(key->node, (UCHAR *)(*name + 1), bytes);
        }
    }
    plat_lock_release(&cm_lock);
    return status;
}

/* ObjectID is one for all openings of a key. ObjectName stays as long as the key object. Both may be null. */
NTSTATUS NTAPI CmCallbackGetKeyObjectID(PLARGE_INTEGER Cookie, PVOID Object, PULONG_PTR ObjectID,
                                        PCUNICODE_STRING *ObjectName)
{
    struct cm_key *key = Object;
    UNICODE_STRING *name, *spare = NULL;
    UNREFERENCED_PARAMETER(Cookie);
    if (!key || ob_type_of(key) != &cm_key_type)
        return STATUS_INVALID_PARAMETER;
    if (ObjectName) {
        NTSTATUS status = full_name(key, &name);
        if (!NT_SUCCESS(status))
            return status;
        plat_lock_acquire(&lock);
        if (key->told_name)
            spare = name;
        else
            key->told_name = name;
        name = key->told_name;
        plat_lock_release(&lock);
        if (spare)
            mm_pool_free(spare, CM_TAG, 0);
        *ObjectName = name;
    }
    if (ObjectID)
        *ObjectID = (ULONG_PTR)key->node;
    return STATUS_SUCCESS;
}

/* The name is the caller's, until CmCallbackReleaseKeyObjectIDEx. Flags: none. */
NTSTATUS NTAPI CmCallbackGetKeyObjectIDEx(PLARGE_INTEGER Cookie, PVOID Object, PULONG_PTR ObjectID,
                                          PCUNICODE_STRING *ObjectName, ULONG Flags)
{
    struct cm_key *key = Object;
    UNICODE_STRING *name = NULL;
    UNREFERENCED_PARAMETER(Cookie);
    if (Flags || !key || ob_type_of(key) != &cm_key_type)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = ObjectName ? full_name(key, &name) : STATUS_SUCCESS;
    if (!NT_SUCCESS(status))
        return status;
    if (ObjectName)
        *ObjectName = name;
    if (ObjectID)
        *ObjectID = (ULONG_PTR)key->node;
    return status;
}

VOID NTAPI CmCallbackReleaseKeyObjectIDEx(PCUNICODE_STRING ObjectName)
{
    if (ObjectName)
        mm_pool_free((void *)ObjectName, CM_TAG, seh_export_caller());
}

/* NewContext null takes the context away. OldContext, which may be null, receives the one before. */
NTSTATUS NTAPI CmSetCallbackObjectContext(PVOID Object, PLARGE_INTEGER Cookie, PVOID NewContext, PVOID *OldContext)
{
    const LONGLONG cookie = Cookie->QuadPart;
    if (!Object || ob_type_of(Object) != &cm_key_type)
        return STATUS_INVALID_PARAMETER;
    struct object_context *spare =
        mm_pool_allocate(sizeof(*spare), CM_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, seh_export_caller());
    PVOID old = NULL;
    if (!spare)
        return STATUS_INSUFFICIENT_RESOURCES;
    plat_lock_acquire(&lock);
    struct callback *callback = find(cookie);
    struct object_context *entry = callback ? find_context(Object, callback) : NULL;
    old = entry ? entry->context : NULL;
    if (entry && NewContext) {
        entry->context = NewContext;
    } else if (entry) {
        RemoveEntryList(&entry->link);
    } else if (callback && NewContext) {
        *spare = (struct object_context){.key = Object, .callback = callback, .context = NewContext};
        InsertTailList(&contexts, &spare->link);
        spare = NULL;
    }
    plat_lock_release(&lock);
    if (entry && !NewContext)
        mm_pool_free(entry, CM_TAG, 0);
    if (spare)
        mm_pool_free(spare, CM_TAG, 0);
    if (callback && OldContext)
        *OldContext = old;
    return callback ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}
