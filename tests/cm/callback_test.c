/* callback_test.c - registry callbacks: order, contexts, refusing, standing in, and the end of a callback. */
#include "cm_test.h"
#include "seh.h"

static struct {
    char log[128]; /* one letter per call: of the callback, upper case before and lower case after */
    REG_NOTIFY_CLASS refuse_class;
    NTSTATUS refuse, changed;
    ULONG cleanups;
    PVOID object_context;
    NTSTATUS seen_status;
} seen;

static NTSTATUS NTAPI on_registry(PVOID context, PVOID class_argument, PVOID info)
{
    REG_NOTIFY_CLASS class = (REG_NOTIFY_CLASS)(ULONG_PTR)class_argument;
    const char letter = *(const char *)context;
    SIZE_T used = strlen(seen.log);
    if (class == RegNtCallbackObjectContextCleanup) {
        seen.cleanups++;
        return STATUS_SUCCESS;
    }
    if (class == RegNtPreSetValueKey || class == RegNtPostSetValueKey)
        seen.log[used] = (char)(class == RegNtPreSetValueKey ? letter : letter + 32);
    if (class == RegNtPreSetValueKey) {
        REG_SET_VALUE_KEY_INFORMATION *before = info;
        before->CallContext = context;
        seen.object_context = before->ObjectContext;
    }
    if (class == RegNtPostSetValueKey) {
        REG_POST_OPERATION_INFORMATION *after = info;
        seen.seen_status = after->Status;
        assert_ptr_equal(after->CallContext, context);
        assert_non_null(after->PreInformation);
        if (seen.changed) {
            after->ReturnStatus = seen.changed;
            return STATUS_CALLBACK_BYPASS;
        }
    }
    return seen.refuse && class == seen.refuse_class && letter == 'B' ? seen.refuse : STATUS_SUCCESS;
}

static LARGE_INTEGER cookies[3];

static void register_all(void)
{
    UNICODE_STRING high = text(WIDE("100000")), low = text(WIDE("99999.5"));
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(CmRegisterCallback(on_registry, "C", &cookies[2]), STATUS_SUCCESS);
    assert_int_equal(CmRegisterCallbackEx(on_registry, &low, NULL, "B", &cookies[1], NULL), STATUS_SUCCESS);
    assert_int_equal(CmRegisterCallbackEx(on_registry, &high, NULL, "A", &cookies[0], NULL), STATUS_SUCCESS);
    assert_int_equal(CmRegisterCallbackEx(on_registry, &high, NULL, "A", &cookies[0], NULL),
                     STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
}

static void unregister_all(void)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(CmUnRegisterCallback(cookies[i]), STATUS_SUCCESS);
        assert_int_equal(CmUnRegisterCallback(cookies[i]), STATUS_INVALID_PARAMETER);
    }
}

static void the_highest_is_asked_first_and_told_last(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    ULONG number = 1;
    register_all();
    assert_int_equal(io_leaks(NULL, NULL), 3);
    HANDLE key = scratch();
    assert_int_equal(set_value(key, WIDE("V"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_string_equal(seen.log, "ABCcba");
    drop(key);
    unregister_all();
    assert_int_equal(io_leaks(NULL, NULL), 0);
    check_counts(&before);
}

static void a_callback_refuses_or_stands_in(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    ULONG number = 1;
    HANDLE key = scratch(), child;
    register_all();
    seen.refuse_class = RegNtPreSetValueKey;
    seen.refuse = STATUS_ACCESS_DENIED;
    assert_int_equal(set_value(key, WIDE("V"), REG_DWORD, &number, 4), STATUS_ACCESS_DENIED);
    assert_string_equal(seen.log, "ABa"); /* C never hears of it; A hears what came of it */
    assert_int_equal(seen.seen_status, STATUS_ACCESS_DENIED);
    seen.refuse = STATUS_CALLBACK_BYPASS;
    assert_int_equal(set_value(key, WIDE("V"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_int_equal(number_of(key, WIDE("V")), 0);
    seen.refuse_class = RegNtPreCreateKeyEx;
    assert_int_equal(create_key(key, WIDE("One"), 0, &child), STATUS_INVALID_PARAMETER); /* no key was given instead */
    seen.refuse = STATUS_ACCESS_DENIED;
    assert_int_equal(create_key(key, WIDE("One"), 0, &child), STATUS_ACCESS_DENIED);
    seen.refuse = STATUS_SUCCESS;
    seen.changed = STATUS_NO_MATCH;
    assert_int_equal(set_value(key, WIDE("V"), REG_DWORD, &number, 4), STATUS_NO_MATCH);
    assert_int_equal(number_of(key, WIDE("V")), 1); /* done all the same */
    unregister_all();
    drop(key);
    check_counts(&before);
}

static void contexts_stay_with_the_key_object(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    ULONG number = 1;
    HANDLE key = scratch(), again;
    PVOID object, old = (PVOID)1;
    register_all();
    assert_int_equal(ObReferenceObjectByHandle(key, 0, CmKeyObjectType, KernelMode, &object, NULL), STATUS_SUCCESS);
    assert_int_equal(CmSetCallbackObjectContext(object, &cookies[2], &number, &old), STATUS_SUCCESS);
    assert_null(old);
    assert_int_equal(set_value(key, WIDE("V"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_ptr_equal(seen.object_context, &number);
    assert_int_equal(open_key(key, WIDE(""), 0, &again), STATUS_SUCCESS);
    assert_int_equal(set_value(again, WIDE("V"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_null(seen.object_context); /* another opening */
    PVOID other;
    ULONG_PTR first_id, second_id;
    PCUNICODE_STRING name;
    UNICODE_STRING expected = text(WIDE("\\REGISTRY\\MACHINE\\SOFTWARE\\CmTest"));
    assert_int_equal(ObReferenceObjectByHandle(again, 0, CmKeyObjectType, KernelMode, &other, NULL), STATUS_SUCCESS);
    assert_int_equal(CmCallbackGetKeyObjectID(&cookies[0], object, &first_id, &name), STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(name, &expected, FALSE));
    assert_int_equal(CmCallbackGetKeyObjectIDEx(&cookies[0], other, &second_id, &name, 0), STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(name, &expected, FALSE));
    CmCallbackReleaseKeyObjectIDEx(name);
    assert_int_equal(first_id, second_id);
    assert_int_equal(CmCallbackGetKeyObjectID(&cookies[0], ke_thread_current(), &first_id, NULL),
                     STATUS_INVALID_PARAMETER);
    ObfDereferenceObject(other);
    ZwClose(again);
    ObfDereferenceObject(object);
    assert_int_equal(seen.cleanups, 0);
    drop(key);
    assert_int_equal(seen.cleanups, 1);
    key = scratch();
    assert_int_equal(ObReferenceObjectByHandle(key, 0, CmKeyObjectType, KernelMode, &object, NULL), STATUS_SUCCESS);
    assert_int_equal(CmSetCallbackObjectContext(object, &cookies[2], &number, NULL), STATUS_SUCCESS);
    unregister_all();
    assert_int_equal(seen.cleanups, 2); /* the callback's end cleans up as well */
    assert_int_equal(CmSetCallbackObjectContext(object, &cookies[2], &number, NULL), STATUS_INVALID_PARAMETER);
    ObfDereferenceObject(object);
    drop(key);
    check_counts(&before);
}

/* ---- callbacks that do what they should not ---- */

static struct {
    REG_NOTIFY_CLASS class; /* when to */
    bool raise;
    LARGE_INTEGER cookie;
    NTSTATUS unregistered;
} careless;

static NTSTATUS NTAPI be_careless(PVOID context, PVOID class_argument, PVOID info)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(info);
    if ((REG_NOTIFY_CLASS)(ULONG_PTR)class_argument != careless.class)
        return STATUS_SUCCESS;
    if (careless.raise)
        seh_raise_status(STATUS_DATA_ERROR);
    careless.unregistered = CmUnRegisterCallback(careless.cookie);
    return STATUS_SUCCESS;
}

static void what_a_callback_raises_leaves_it_unregisterable(void **state)
{
    static const REG_NOTIFY_CLASS when[] = {RegNtPreSetValueKey, RegNtPostSetValueKey};
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch();
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(when); i++) {
        UNICODE_STRING between = text(WIDE("99999.7"));
        ULONG number = 1;
        volatile NTSTATUS raised = STATUS_SUCCESS;
        register_all();
        careless.class = when[i];
        careless.raise = true;
        assert_int_equal(CmRegisterCallbackEx(be_careless, &between, NULL, NULL, &careless.cookie, NULL),
                         STATUS_SUCCESS);
        __try {
            set_value(key, WIDE("V"), REG_DWORD, &number, sizeof(number)); /* the service keeps nothing either */
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            raised = GetExceptionCode();
        }
        assert_int_equal(raised, STATUS_DATA_ERROR);
        assert_string_equal(seen.log, i ? "ABCcb" : "A");
        assert_int_equal(CmUnRegisterCallback(careless.cookie), STATUS_SUCCESS); /* would wait for ever */
        unregister_all();
    }
    drop(key);
    check_counts(&before);
}

static void a_callback_cannot_unregister_itself(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    ULONG number = 1;
    HANDLE key = scratch();
    careless.class = RegNtPreSetValueKey;
    careless.raise = false;
    assert_int_equal(CmRegisterCallback(be_careless, NULL, &careless.cookie), STATUS_SUCCESS);
    assert_int_equal(set_value(key, WIDE("V"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_int_equal(careless.unregistered, STATUS_POSSIBLE_DEADLOCK);
    assert_int_equal(CmUnRegisterCallback(careless.cookie), STATUS_SUCCESS);
    drop(key);
    check_counts(&before);
}

int run_callback_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_is_asked_first_and_told_last),
        cmocka_unit_test(a_callback_refuses_or_stands_in),
        cmocka_unit_test(contexts_stay_with_the_key_object),
        cmocka_unit_test(what_a_callback_raises_leaves_it_unregisterable),
        cmocka_unit_test(a_callback_cannot_unregister_itself),
    };
    return cmocka_run_group_tests_name("callbacks", tests, NULL, NULL);
}
