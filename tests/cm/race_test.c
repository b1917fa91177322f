/* race_test.c - two threads that create, set, enumerate and delete the same keys. */
#include "cm_test.h"

enum { ROUNDS = 10000 };

static bool is_one_of(NTSTATUS status, NTSTATUS other)
{
    return status == STATUS_SUCCESS || status == other;
}

static ULONG surprises;
static void expect(bool expected)
{
    if (!expected)
        __atomic_add_fetch(&surprises, 1, __ATOMIC_RELAXED);
}

static void round_of(HANDLE root, ULONG round)
{
    HANDLE key;
    UCHAR buffer[128];
    ULONG needed;
    WCHAR name[2] = {(WCHAR)('a' + round % 3)};
    UNICODE_STRING value = text(WIDE("V"));
    NTSTATUS status = create_key(root, name, REG_OPTION_VOLATILE, &key);
    expect(NT_SUCCESS(status));
    if (!NT_SUCCESS(status))
        return;
    expect(is_one_of(set_value(key, WIDE("V"), REG_DWORD, &round, 4), STATUS_KEY_DELETED));
    expect(is_one_of(ZwEnumerateKey(root, round % 3, KeyBasicInformation, buffer, sizeof(buffer), &needed),
                     STATUS_NO_MORE_ENTRIES));
    status = ZwQueryValueKey(key, &value, KeyValuePartialInformation, buffer, sizeof(buffer), &needed);
    expect(is_one_of(status, STATUS_KEY_DELETED));
    expect(is_one_of(ZwDeleteKey(key), STATUS_KEY_DELETED));
    expect(ZwClose(key) == STATUS_SUCCESS);
}

static void other_thread(void *context)
{
    ke_thread_attach();
    for (ULONG i = 0; i < ROUNDS; i++)
        round_of(*(HANDLE *)context, i);
    ke_thread_detach();
}

static void two_threads_ten_thousand_times(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE root = scratch();
    uint64_t thread;
    assert_int_equal(plat_thread_create(other_thread, &root, &thread), STATUS_SUCCESS);
    for (ULONG i = 0; i < ROUNDS; i++)
        round_of(root, i);
    plat_thread_join(thread);
    assert_int_equal(surprises, 0);
    drop(root);
    check_counts(&before);
}

int run_race_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_threads_ten_thousand_times)};
    return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
