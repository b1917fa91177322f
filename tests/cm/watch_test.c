/* watch_test.c - NtNotifyChangeKey: which change sets which event, and the end of a watch. */
#include "cm_test.h"

static HANDLE event;

static NTSTATUS watch(HANDLE key, ULONG filter, BOOLEAN tree)
{
    IO_STATUS_BLOCK io;
    return ZwNotifyChangeKey(key, event, NULL, NULL, &io, filter, tree, NULL, 0, TRUE);
}

static bool fired(void)
{
    LARGE_INTEGER now = {0};
    return ZwWaitForSingleObject(event, FALSE, &now) == STATUS_SUCCESS;
}

static void changes_set_the_event(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE key = scratch(), child;
    ULONG number = 1;
    assert_int_equal(watch(key, REG_NOTIFY_CHANGE_LAST_SET, FALSE), STATUS_PENDING);
    assert_false(fired());
    assert_int_equal(create_key(key, WIDE("One"), 0, &child), STATUS_SUCCESS);
    assert_int_equal(set_value(child, WIDE("V"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_false(fired()); /* another change, another key */
    assert_int_equal(set_value(key, WIDE("V"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_true(fired());
    assert_int_equal(cm_counts().watches, 0); /* a watch hears of one change */
    assert_int_equal(watch(key, REG_NOTIFY_CHANGE_LAST_SET, TRUE), STATUS_PENDING);
    assert_int_equal(set_value(child, WIDE("V"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_true(fired());
    assert_int_equal(watch(key, REG_NOTIFY_CHANGE_NAME, FALSE), STATUS_PENDING);
    assert_int_equal(ZwDeleteKey(child), STATUS_SUCCESS);
    assert_true(fired());
    ZwClose(child);
    drop(key);
}

static void closing_ends_it(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), again;
    assert_int_equal(open_key(key, WIDE(""), 0, &again), STATUS_SUCCESS);
    assert_int_equal(watch(again, REG_NOTIFY_CHANGE_NAME, FALSE), STATUS_PENDING);
    ZwClose(again);
    assert_true(fired());
    drop(key);
    check_counts(&before);
}

static void what_is_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE key = scratch();
    IO_STATUS_BLOCK io;
    assert_int_equal(watch(key, 0, FALSE), STATUS_INVALID_PARAMETER);
    assert_int_equal(watch(key, 0x80, FALSE), STATUS_INVALID_PARAMETER);
    assert_int_equal(ZwNotifyChangeKey(key, event, (PVOID)1, NULL, &io, 1, FALSE, NULL, 0, TRUE), STATUS_NOT_SUPPORTED);
    assert_int_equal(ZwNotifyChangeKey(key, key, NULL, NULL, &io, 1, FALSE, NULL, 0, TRUE),
                     STATUS_OBJECT_TYPE_MISMATCH);
    drop(key);
}

static void change_later(void *context)
{
    ULONG number = 1;
    ke_thread_attach();
    LARGE_INTEGER delay = {.QuadPart = -200000};
    KeDelayExecutionThread(KernelMode, FALSE, &delay);
    set_value(*(HANDLE *)context, WIDE("V"), REG_DWORD, &number, 4);
    ke_thread_detach();
}

static void a_synchronous_call_waits(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch();
    IO_STATUS_BLOCK io = {0};
    uint64_t thread;
    assert_int_equal(plat_thread_create(change_later, &key, &thread), STATUS_SUCCESS);
    assert_int_equal(ZwNotifyChangeKey(key, NULL, NULL, NULL, &io, REG_NOTIFY_CHANGE_LAST_SET, FALSE, NULL, 0, FALSE),
                     STATUS_NOTIFY_ENUM_DIR);
    assert_int_equal(io.Status, STATUS_NOTIFY_ENUM_DIR);
    plat_thread_join(thread);
    drop(key);
    check_counts(&before);
}

static void a_synchronous_call_ends_with_an_alert(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch();
    IO_STATUS_BLOCK io;
    KeAlertThread(ke_thread_current(), KernelMode);
    assert_int_equal(ZwNotifyChangeKey(key, NULL, NULL, NULL, &io, REG_NOTIFY_CHANGE_LAST_SET, FALSE, NULL, 0, FALSE),
                     STATUS_ALERTED);
    assert_int_equal(cm_counts().watches, 0);
    drop(key);
    check_counts(&before);
}

/* A call that had found the key when its last handle went: nothing would end its wait. */
static void a_closed_key_is_not_watched(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), again;
    void *body, *change;
    NTSTATUS result;
    assert_int_equal(open_key(key, WIDE(""), 0, &again), STATUS_SUCCESS);
    assert_int_equal(ob_handle_reference(again, 0, &cm_key_type, KernelMode, &body, NULL), STATUS_SUCCESS);
    assert_int_equal(ob_handle_reference(event, 0, &ob_event_type, KernelMode, &change, NULL), STATUS_SUCCESS);
    ZwClose(again);
    assert_int_equal(cm_watch(body, REG_NOTIFY_CHANGE_NAME, FALSE, change, &result), STATUS_INVALID_HANDLE);
    assert_int_equal(cm_counts().watches, 0);
    ob_dereference(body);
    drop(key);
    check_counts(&before);
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE);
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return ZwClose(event);
}

int run_watch_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_set_the_event),
        cmocka_unit_test(closing_ends_it),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_synchronous_call_waits),
        cmocka_unit_test(a_synchronous_call_ends_with_an_alert),
        cmocka_unit_test(a_closed_key_is_not_watched),
    };
    return cmocka_run_group_tests_name("watches", tests, set_up, tear_down);
}
