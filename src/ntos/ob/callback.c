/*
 * callback.c - drivers that watch handles to processes and threads being made, and take rights away from them:
 * ObRegisterCallbacks and its kin.
 *
 * Callbacks are called without any lock held, highest altitude first before a handle is made and last after it. A
 * registration whose callback runs is counted, and unregistering waits for it.
 */
#include "ob.h"
#include "ob_internal.h"
#include "rtl.h"
#include "wdk/seh.h"
#include "seh.h"

#define CALLBACK_TAG RTL_TAG('O', 'b', 'C', 'b')

struct ob_registration {
    LIST_ENTRY link; /* highest altitude first */
    UNICODE_STRING altitude;
    PVOID context;
    ULONG running;
    ULONG_PTR caller; /* code that registered it */
    USHORT count;
    OB_OPERATION_REGISTRATION operations[]; /* the altitude's text lies behind them */
};

static struct plat_lock lock;
static LIST_ENTRY registrations;
static ULONG registered; /* operations of all registrations */

void ob_callbacks_init(void)
{
    plat_lock_init(&lock);
    InitializeListHead(&registrations);
}

/* Everybody who asked for this, counted as running. */
static ULONG take_all(struct ob_notice *notice)
{
    ULONG count = 0;
    plat_lock_acquire(&lock);
    for (LIST_ENTRY *at = registrations.Flink; at != &registrations; at = at->Flink) {
        struct ob_registration *registration = CONTAINING_RECORD(at, struct ob_registration, link);
        for (USHORT i = 0; i < registration->count; i++) {
            const OB_OPERATION_REGISTRATION *row = &registration->operations[i];
            if (*row->ObjectType != (POBJECT_TYPE)ob_type_of(notice->body) || !(row->Operations & notice->operation))
                continue;
            notice->told[count].registration = registration;
            notice->told[count].row = row;
            notice->told[count++].context = NULL;
            registration->running++;
        }
    }
    plat_lock_release(&lock);
    return count;
}

static void all_done(struct ob_notice *notice)
{
    plat_lock_acquire(&lock);
    for (ULONG i = 0; i < notice->count; i++)
        if (!--notice->told[i].registration->running)
            plat_lock_wake_all(&lock);
    plat_lock_release(&lock);
    notice->count = 0;
}

static void ask(struct ob_notice *notice, ULONG index, ACCESS_MASK original, ACCESS_MASK *access)
{
    const OB_OPERATION_REGISTRATION *row = notice->told[index].row;
    OB_PRE_OPERATION_PARAMETERS parameters = {
        .DuplicateHandleInformation = {*access, original, notice->source, notice->target}};
    OB_PRE_OPERATION_INFORMATION info = {.Operation = notice->operation,
                                         .KernelHandle = notice->kernel,
                                         .Object = notice->body,
                                         .ObjectType = *row->ObjectType,
                                         .Parameters = &parameters};
    if (!row->PreOperation)
        return;
    seh_driver_call((ULONG_PTR)row->PreOperation, (ULONG_PTR)notice->told[index].registration->context,
                    (ULONG_PTR)&info, 0, 0);
    notice->told[index].context = info.CallContext;
    *access &= parameters.CreateHandleInformation.DesiredAccess; /* both structures begin with it */
}

ACCESS_MASK ob_notify(struct ob_notice *notice, ACCESS_MASK access)
{
    const struct ob_type *type = ob_type_of(notice->body);
    ACCESS_MASK allowed = access;
    notice->count = 0;
    if ((type != &ob_process_type && type != &ob_thread_type) || !__atomic_load_n(&registered, __ATOMIC_ACQUIRE))
        return access;
    notice->count = take_all(notice);
    KeEnterCriticalRegion();
    __try {
        for (ULONG i = 0; i < notice->count; i++)
            ask(notice, i, access, &allowed);
    } __finally {
        if (AbnormalTermination())
            all_done(notice);
        KeLeaveCriticalRegion();
    }
    return allowed;
}

void ob_notified(struct ob_notice *notice, NTSTATUS status, ACCESS_MASK granted)
{
    OB_POST_OPERATION_PARAMETERS parameters = {.CreateHandleInformation.GrantedAccess = granted};
    if (!notice->count)
        return;
    KeEnterCriticalRegion();
    __try {
        for (ULONG i = notice->count; i--;) {
            const OB_OPERATION_REGISTRATION *row = notice->told[i].row;
            OB_POST_OPERATION_INFORMATION info = {.Operation = notice->operation,
                                                  .KernelHandle = notice->kernel,
                                                  .Object = notice->body,
                                                  .ObjectType = *row->ObjectType,
                                                  .CallContext = notice->told[i].context,
                                                  .ReturnStatus = status,
                                                  .Parameters = NT_SUCCESS(status) ? &parameters : NULL};
            if (row->PostOperation)
                seh_driver_call((ULONG_PTR)row->PostOperation, (ULONG_PTR)notice->told[i].registration->context,
                                (ULONG_PTR)&info, 0, 0);
        }
    } __finally {
        all_done(notice);
        KeLeaveCriticalRegion();
    }
}

SIZE_T ob_callbacks_each(void (*callback)(void *context, ULONG_PTR caller), void *context)
{
    SIZE_T count = 0;
    plat_lock_acquire(&lock);
    for (LIST_ENTRY *at = registrations.Flink; at != &registrations; at = at->Flink, count++)
        callback(context, CONTAINING_RECORD(at, struct ob_registration, link)->caller);
    plat_lock_release(&lock);
    return count;
}

/* ---- registration ---- */

static bool is_valid(const OB_CALLBACK_REGISTRATION *asked)
{
    const OB_OPERATION both = OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE;
    if (asked->Version != OB_FLT_REGISTRATION_VERSION || !asked->OperationRegistrationCount || !asked->Altitude.Length)
        return false;
    for (USHORT i = 0; i < asked->OperationRegistrationCount; i++) {
        const OB_OPERATION_REGISTRATION *row = &asked->OperationRegistration[i];
        if (!row->ObjectType || (*row->ObjectType != PsProcessType && *row->ObjectType != PsThreadType) ||
            !row->Operations || (row->Operations & ~both) || (!row->PreOperation && !row->PostOperation))
            return false;
    }
    return true;
}

/* Puts it where its altitude belongs. Lock held. */
static NTSTATUS link_in(struct ob_registration *made)
{
    LIST_ENTRY *at = registrations.Flink;
    if (registered + made->count > OB_CALLBACKS_MAX)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (; at != &registrations; at = at->Flink) {
        LONG order =
            rtl_compare_altitudes(&made->altitude, &CONTAINING_RECORD(at, struct ob_registration, link)->altitude);
        if (!order)
            return STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
        if (order > 0)
            break;
    }
    InsertTailList(at, &made->link);
    __atomic_add_fetch(&registered, made->count, __ATOMIC_RELEASE);
    return STATUS_SUCCESS;
}

/*
 * STATUS_INVALID_PARAMETER: a version, type or operation that there is not, or a row without routines;
 * STATUS_FLT_INSTANCE_ALTITUDE_COLLISION: the altitude is taken. IRQL <= APC_LEVEL.
 */
NTSTATUS NTAPI ObRegisterCallbacks(POB_CALLBACK_REGISTRATION CallbackRegistration, PVOID *RegistrationHandle)
{
    const OB_CALLBACK_REGISTRATION asked = *CallbackRegistration;
    if (!is_valid(&asked))
        return STATUS_INVALID_PARAMETER;
    const SIZE_T rows = asked.OperationRegistrationCount * sizeof(*asked.OperationRegistration);
    struct ob_registration *made =
        mm_pool_allocate(sizeof(*made) + rows + asked.Altitude.Length, CALLBACK_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    made->context = asked.RegistrationContext;
    made->caller = seh_export_caller();
    made->count = asked.OperationRegistrationCount;
    __builtin_memcpy(made->operations, asked.OperationRegistration, rows);
    made->altitude = (UNICODE_STRING){asked.Altitude.Length, asked.Altitude.Length,
                                      (WCHAR *)(made->operations + asked.OperationRegistrationCount)};
    __builtin_memcpy(made->altitude.Buffer, asked.Altitude.Buffer, asked.Altitude.Length);
    plat_lock_acquire(&lock);
    NTSTATUS status = link_in(made);
    plat_lock_release(&lock);
    if (!NT_SUCCESS(status)) {
        mm_pool_free(made, CALLBACK_TAG, 0);
        return status;
    }
    *RegistrationHandle = made;
    return STATUS_SUCCESS;
}

/* Waits for calls that are under way; each handle's calls before and after it are one. IRQL <= APC_LEVEL. */
VOID NTAPI ObUnRegisterCallbacks(PVOID RegistrationHandle)
{
    struct ob_registration *registration = RegistrationHandle;
    plat_lock_acquire(&lock);
    RemoveEntryList(&registration->link);
    __atomic_sub_fetch(&registered, registration->count, __ATOMIC_RELEASE);
    while (registration->running)
        plat_lock_wait(&lock, UINT64_MAX);
    plat_lock_release(&lock);
    mm_pool_free(registration, CALLBACK_TAG, 0);
}

USHORT NTAPI ObGetFilterVersion(VOID)
{
    return OB_FLT_REGISTRATION_VERSION;
}
