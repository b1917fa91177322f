/*
 * callback.c - callback objects: named or not, with registered functions that a notification calls one after another.
 *
 * A registration holds a reference to its object. It is not freed while a notification is in its function, which may
 * register and unregister others.
 */
#include "ex.h"
#include "ob.h"
#include "park.h"
#include "rtl.h"
#include "wdk/sync.h"

#define CALLBACK_TAG RTL_TAG('C', 'b', 'r', 'b')

struct _CALLBACK_OBJECT {
    KSPIN_LOCK lock;
    LIST_ENTRY registrations; /* lock */
    bool allows_several;
};

struct registration {
    LIST_ENTRY link;
    PCALLBACK_OBJECT object;
    PCALLBACK_FUNCTION function;
    PVOID context;
    ULONG_PTR running; /* notifications in the function */
    bool leaving;      /* no further notification may begin */
};

static const struct ob_type callback_type = {.name = "Callback", .tag = CALLBACK_TAG};

static NTSTATUS open_named(PCUNICODE_STRING name, PCALLBACK_OBJECT *object)
{
    UNICODE_STRING rest, storage;
    void *body;
    NTSTATUS status = ob_lookup(name, &callback_type, &body, &rest, &storage);
    if (!NT_SUCCESS(status))
        return status;
    bool whole = !rest.Length;
    ob_path_free(&storage);
    if (!whole) {
        ob_dereference(body);
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    *object = body;
    return STATUS_SUCCESS;
}

/*
 * Opens the callback object that ObjectAttributes names, or makes it if Create; without a name always makes one. The
 * caller dereferences it. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN Create,
                                BOOLEAN AllowMultipleCallbacks)
{
    PUNICODE_STRING name = ObjectAttributes ? ObjectAttributes->ObjectName : NULL;
    *CallbackObject = NULL;
    NTSTATUS status = name ? open_named(name, CallbackObject) : STATUS_OBJECT_NAME_NOT_FOUND;
    if (!Create || (status != STATUS_OBJECT_NAME_NOT_FOUND && status != STATUS_OBJECT_PATH_NOT_FOUND))
        return status;
    void *body;
    status = ob_create(&callback_type, sizeof(struct _CALLBACK_OBJECT), &body);
    if (!NT_SUCCESS(status))
        return status;
    PCALLBACK_OBJECT object = body;
    InitializeListHead(&object->registrations);
    object->allows_several = AllowMultipleCallbacks;
    if (name)
        status = ob_insert(object, name);
    if (!NT_SUCCESS(status)) {
        ob_dereference(object);
        return status;
    }
    *CallbackObject = object;
    return STATUS_SUCCESS;
}

/* What ExUnregisterCallback takes; null: no memory, or the object allows one function and has it. IRQL <= APC_LEVEL. */
PVOID NTAPI ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                               PVOID CallbackContext)
{
    struct registration *made = mm_pool_allocate(sizeof(*made), CALLBACK_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    KIRQL irql;
    if (!made)
        return NULL;
    made->object = CallbackObject;
    made->function = CallbackFunction;
    made->context = CallbackContext;
    KeAcquireSpinLock(&CallbackObject->lock, &irql);
    bool room = CallbackObject->allows_several || IsListEmpty(&CallbackObject->registrations);
    if (room)
        InsertTailList(&CallbackObject->registrations, &made->link);
    KeReleaseSpinLock(&CallbackObject->lock, irql);
    if (!room) {
        mm_pool_free(made, CALLBACK_TAG, 0);
        return NULL;
    }
    ob_reference(CallbackObject);
    return made;
}

static bool is_idle(ULONG_PTR *running)
{
    return !__atomic_load_n(running, __ATOMIC_SEQ_CST);
}

/* Returns once no notification is in the function any more. IRQL <= APC_LEVEL. */
VOID NTAPI ExUnregisterCallback(PVOID CallbackRegistration)
{
    struct registration *registration = CallbackRegistration;
    PCALLBACK_OBJECT object = registration->object;
    KIRQL irql;
    KeAcquireSpinLock(&object->lock, &irql);
    registration->leaving = true;
    KeReleaseSpinLock(&object->lock, irql);
    ex_park_until(is_idle, &registration->running);
    KeAcquireSpinLock(&object->lock, &irql);
    RemoveEntryList(&registration->link);
    KeReleaseSpinLock(&object->lock, irql);
    mm_pool_free(registration, CALLBACK_TAG, 0);
    ob_dereference(object);
}

/* Calls the registered functions in the order of registration, at the caller's IRQL (<= DISPATCH_LEVEL). */
VOID NTAPI ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2)
{
    PCALLBACK_OBJECT object = CallbackObject;
    KIRQL irql;
    KeAcquireSpinLock(&object->lock, &irql);
    for (PLIST_ENTRY entry = object->registrations.Flink; entry != &object->registrations;) {
        struct registration *registration = CONTAINING_RECORD(entry, struct registration, link);
        if (!registration->leaving) {
            registration->running++;
            KeReleaseSpinLock(&object->lock, irql);
            registration->function(registration->context, Argument1, Argument2);
            KeAcquireSpinLock(&object->lock, &irql);
            entry = entry->Flink; /* before the registration may go */
            __atomic_sub_fetch(&registration->running, 1, __ATOMIC_SEQ_CST);
            ex_park_wake();
        } else {
            entry = entry->Flink;
        }
    }
    KeReleaseSpinLock(&object->lock, irql);
}
