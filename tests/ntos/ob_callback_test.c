/* ob_callback_test.c - callbacks before and after handles to processes and threads are made. */
#include "ntos_test.h"
#include "wdk/ob_callback.h"
#include "wdk/seh.h"
#include "seh.h"
#include "ob.h"

enum { TERMINATE = 1, VM_READ = 0x10 };

static struct {
    char log[64]; /* a letter per call: upper case before, lower case after */
    ACCESS_MASK take, granted, original;
    ACCESS_MASK add;
    OB_OPERATION operation;
    PVOID object, source, target;
    bool kernel, raise;
    NTSTATUS status;
    PVOID context;
} seen;

static OB_PREOP_CALLBACK_STATUS NTAPI before(PVOID context, POB_PRE_OPERATION_INFORMATION info)
{
    seen.log[strlen(seen.log)] = *(const char *)context;
    seen.operation = info->Operation;
    seen.object = info->Object;
    seen.kernel = info->KernelHandle;
    info->CallContext = context;
    assert_true(ke_thread_current()->KernelApcDisable < 0);
    if (info->Operation == OB_OPERATION_HANDLE_DUPLICATE) {
        seen.source = info->Parameters->DuplicateHandleInformation.SourceProcess;
        seen.target = info->Parameters->DuplicateHandleInformation.TargetProcess;
    }
    seen.original = info->Parameters->CreateHandleInformation.OriginalDesiredAccess;
    info->Parameters->CreateHandleInformation.DesiredAccess &= ~seen.take;
    info->Parameters->CreateHandleInformation.DesiredAccess |= seen.add;
    if (seen.raise)
        seh_raise_status(STATUS_DATA_ERROR);
    return OB_PREOP_SUCCESS;
}

static VOID NTAPI after(PVOID context, POB_POST_OPERATION_INFORMATION info)
{
    seen.log[strlen(seen.log)] = (char)(*(const char *)context + 32);
    seen.context = info->CallContext;
    seen.status = info->ReturnStatus;
    seen.granted = info->Parameters->CreateHandleInformation.GrantedAccess;
}

static void ignore(void *context, ULONG_PTR caller)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(caller);
}

static OB_OPERATION_REGISTRATION both_of(POBJECT_TYPE *type)
{
    return (OB_OPERATION_REGISTRATION){type, OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE, before, after};
}

static NTSTATUS watch(const WCHAR *altitude, void *context, OB_OPERATION_REGISTRATION *rows, USHORT count,
                      PVOID *handle)
{
    OB_CALLBACK_REGISTRATION registration = {.Version = ObGetFilterVersion(),
                                             .OperationRegistrationCount = count,
                                             .RegistrationContext = context,
                                             .OperationRegistration = rows};
    RtlInitUnicodeString(&registration.Altitude, altitude);
    return ObRegisterCallbacks(&registration, handle);
}

/* A handle as user mode gets it. */
static HANDLE open(void *body, ACCESS_MASK access)
{
    HANDLE handle;
    assert_int_equal(ob_handle_create(body, access, 0, UserMode, &handle), STATUS_SUCCESS);
    return handle;
}

static NTSTATUS use(HANDLE handle, ACCESS_MASK access)
{
    PVOID body;
    NTSTATUS status = ObReferenceObjectByHandle(handle, access, NULL, UserMode, &body, NULL);
    if (NT_SUCCESS(status))
        ObfDereferenceObject(body);
    return status;
}

static void rights_are_taken_from_new_handles(void **state)
{
    UNREFERENCED_PARAMETER(state);
    OB_OPERATION_REGISTRATION rows[] = {both_of(&PsProcessType)};
    PVOID registration;
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(watch(WIDE("1000"), "A", rows, 1, &registration), STATUS_SUCCESS);
    rows[0].PreOperation = NULL; /* kept as it was */
    assert_int_equal(ob_callbacks_each(ignore, NULL), 1);
    seen.take = TERMINATE;
    seen.add = 0x8000; /* has no effect */
    HANDLE handle = open(&ke_user.body, TERMINATE | VM_READ);
    assert_string_equal(seen.log, "Aa");
    assert_int_equal(seen.operation, OB_OPERATION_HANDLE_CREATE);
    assert_ptr_equal(seen.object, &ke_user.body);
    assert_int_equal(seen.original, TERMINATE | VM_READ);
    assert_int_equal(seen.granted, VM_READ);
    assert_int_equal(seen.status, STATUS_SUCCESS);
    assert_string_equal(seen.context, "A");
    assert_false(seen.kernel);
    assert_int_equal(use(handle, VM_READ), STATUS_SUCCESS);
    assert_int_equal(use(handle, TERMINATE), STATUS_ACCESS_DENIED);
    assert_int_equal(use(handle, 0x8000), STATUS_ACCESS_DENIED);
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_SUCCESS);
    assert_int_equal(ke_thread_current()->KernelApcDisable, 0);

    HANDLE kernel;
    assert_int_equal(ob_handle_create(&ke_user.body, VM_READ, OBJ_KERNEL_HANDLE, KernelMode, &kernel), STATUS_SUCCESS);
    assert_true(seen.kernel);
    assert_int_equal(ObCloseHandle(kernel, KernelMode), STATUS_SUCCESS);

    memset(seen.log, 0, sizeof(seen.log));
    handle = open(ke_thread_current(), TERMINATE); /* nobody asked about threads */
    assert_string_equal(seen.log, "");
    assert_int_equal(use(handle, TERMINATE), STATUS_SUCCESS);
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_SUCCESS);
    ObUnRegisterCallbacks(registration);
    handle = open(&ke_user.body, TERMINATE);
    assert_string_equal(seen.log, "");
    assert_int_equal(use(handle, TERMINATE), STATUS_SUCCESS);
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_SUCCESS);
    assert_int_equal(ob_callbacks_each(ignore, NULL), 0);
}

static void the_highest_is_asked_first_and_told_last(void **state)
{
    UNREFERENCED_PARAMETER(state);
    OB_OPERATION_REGISTRATION rows[] = {both_of(&PsThreadType), both_of(&PsProcessType)};
    OB_OPERATION_REGISTRATION half[] = {both_of(&PsThreadType)};
    PVOID high, low, middle, none;
    memset(&seen, 0, sizeof(seen));
    half[0].PostOperation = NULL;
    assert_int_equal(watch(WIDE("99"), "C", rows, 2, &low), STATUS_SUCCESS);
    assert_int_equal(watch(WIDE("1000"), "A", rows, 2, &high), STATUS_SUCCESS);
    assert_int_equal(watch(WIDE("99.5"), "B", half, 1, &middle), STATUS_SUCCESS);
    assert_int_equal(watch(WIDE("01000"), "D", rows, 2, &none), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
    HANDLE handle = open(ke_thread_current(), TERMINATE);
    assert_string_equal(seen.log, "ABCca");
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_SUCCESS);
    ObUnRegisterCallbacks(high);
    ObUnRegisterCallbacks(low);
    ObUnRegisterCallbacks(middle);
}

static void duplicates_are_told_apart(void **state)
{
    UNREFERENCED_PARAMETER(state);
    OB_OPERATION_REGISTRATION rows[] = {both_of(&PsProcessType)};
    PVOID registration;
    HANDLE copy, handle = open(&ke_user.body, TERMINATE | VM_READ);
    PEPROCESS process = ke_thread_current()->Process;
    memset(&seen, 0, sizeof(seen));
    rows[0].Operations = OB_OPERATION_HANDLE_DUPLICATE;
    assert_int_equal(watch(WIDE("1"), "A", rows, 1, &registration), STATUS_SUCCESS);
    seen.take = VM_READ;
    assert_int_equal(ob_handle_duplicate(process, handle, process, 0, 0, DUPLICATE_SAME_ACCESS, UserMode, &copy),
                     STATUS_SUCCESS);
    assert_string_equal(seen.log, "Aa");
    assert_int_equal(seen.operation, OB_OPERATION_HANDLE_DUPLICATE);
    assert_ptr_equal(seen.source, process);
    assert_ptr_equal(seen.target, process);
    assert_int_equal(seen.granted, TERMINATE);
    assert_int_equal(use(copy, VM_READ), STATUS_ACCESS_DENIED);
    assert_int_equal(ObCloseHandle(copy, UserMode), STATUS_SUCCESS);
    assert_int_equal(ObCloseHandle(open(&ke_user.body, TERMINATE), UserMode), STATUS_SUCCESS);
    assert_string_equal(seen.log, "Aa"); /* creations were not asked for */
    ObUnRegisterCallbacks(registration);
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_SUCCESS);
}

static void what_a_callback_raises_leaves_it_unregisterable(void **state)
{
    UNREFERENCED_PARAMETER(state);
    OB_OPERATION_REGISTRATION rows[] = {both_of(&PsProcessType)};
    PVOID registration;
    HANDLE handle;
    volatile NTSTATUS raised = STATUS_SUCCESS;
    memset(&seen, 0, sizeof(seen));
    seen.raise = true;
    assert_int_equal(watch(WIDE("1"), "A", rows, 1, &registration), STATUS_SUCCESS);
    __try {
        ob_handle_create(&ke_user.body, TERMINATE, 0, UserMode, &handle);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        raised = GetExceptionCode();
    }
    assert_int_equal(raised, STATUS_DATA_ERROR);
    assert_int_equal(ke_thread_current()->KernelApcDisable, 0);
    ObUnRegisterCallbacks(registration); /* would wait for ever */
}

static void bad_registrations_are_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    OB_OPERATION_REGISTRATION good = both_of(&PsProcessType), bad;
    OB_CALLBACK_REGISTRATION registration = {
        .Version = 0x0200, .OperationRegistrationCount = 1, .OperationRegistration = &good};
    PVOID handle;
    RtlInitUnicodeString(&registration.Altitude, WIDE("5"));
    assert_int_equal(ObRegisterCallbacks(&registration, &handle), STATUS_INVALID_PARAMETER);
    assert_int_equal(watch(WIDE("5"), "A", &good, 0, &handle), STATUS_INVALID_PARAMETER);
    bad = both_of(&ExEventObjectType);
    assert_int_equal(watch(WIDE("5"), "A", &bad, 1, &handle), STATUS_INVALID_PARAMETER);
    bad = good;
    bad.Operations = 4;
    assert_int_equal(watch(WIDE("5"), "A", &bad, 1, &handle), STATUS_INVALID_PARAMETER);
    bad = good;
    bad.PreOperation = NULL;
    bad.PostOperation = NULL;
    assert_int_equal(watch(WIDE("5"), "A", &bad, 1, &handle), STATUS_INVALID_PARAMETER);
    assert_int_equal(ob_callbacks_each(ignore, NULL), 0);
}

int run_ob_callback_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_are_taken_from_new_handles),
        cmocka_unit_test(the_highest_is_asked_first_and_told_last),
        cmocka_unit_test(duplicates_are_told_apart),
        cmocka_unit_test(what_a_callback_raises_leaves_it_unregisterable),
        cmocka_unit_test(bad_registrations_are_refused),
    };
    return cmocka_run_group_tests_name("callbacks for handles", tests, NULL, NULL);
}
