/* value_test.c - values of every type, and what each information class says in buffers of every length. */
#include "cm_test.h"

static void every_type_is_kept(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch();
    union {
        KEY_VALUE_PARTIAL_INFORMATION info;
        UCHAR bytes[64];
    } value;
    UNICODE_STRING name = text(WIDE("Any"));
    ULONG needed;
    for (ULONG type = REG_NONE; type <= REG_QWORD; type++) {
        UCHAR data[16];
        memset(data, (int)type, sizeof(data));
        assert_int_equal(set_value(key, WIDE("any"), type, data, type), STATUS_SUCCESS);
        assert_int_equal(ZwQueryValueKey(key, &name, KeyValuePartialInformation, &value, sizeof(value), &needed),
                         STATUS_SUCCESS);
        assert_int_equal(value.info.Type, type);
        assert_int_equal(value.info.DataLength, type);
        assert_memory_equal(value.info.Data, data, type);
        assert_int_equal(needed, 12 + type);
    }
    assert_int_equal(ZwDeleteValueKey(key, &name), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteValueKey(key, &name), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ZwQueryValueKey(key, &name, 0, &value, sizeof(value), &needed), STATUS_OBJECT_NAME_NOT_FOUND);
    drop(key);
    check_counts(&before);
}

/* For each class and each length: the status, the needed length, and not a byte too many. */
static void every_length_of_every_class(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch();
    static const struct {
        KEY_VALUE_INFORMATION_CLASS class;
        ULONG fixed, needed;
    } rows[] = {
        {KeyValueBasicInformation, 12, 12 + 6},        {KeyValueFullInformation, 20, 28 + 5},
        {KeyValuePartialInformation, 12, 12 + 5},      {KeyValueFullInformationAlign64, 20, 32 + 5},
        {KeyValuePartialInformationAlign64, 8, 8 + 5},
    };
    UNICODE_STRING name = text(WIDE("Abc"));
    assert_int_equal(set_value(key, WIDE("Abc"), REG_BINARY, "12345", 5), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++)
        for (ULONG length = 0; length < 64; length++) {
            UCHAR buffer[72];
            ULONG needed = 0;
            NTSTATUS wanted = length < rows[i].fixed    ? STATUS_BUFFER_TOO_SMALL
                              : length < rows[i].needed ? STATUS_BUFFER_OVERFLOW
                                                        : STATUS_SUCCESS;
            memset(buffer, 0xEE, sizeof(buffer));
            assert_int_equal(ZwQueryValueKey(key, &name, rows[i].class, buffer, length, &needed), wanted);
            assert_int_equal(needed, rows[i].needed);
            for (ULONG k = length < rows[i].fixed ? 0 : length; k < sizeof(buffer); k++)
                assert_int_equal(buffer[k], 0xEE);
            assert_int_equal(ZwEnumerateValueKey(key, 0, rows[i].class, buffer, length, &needed), wanted);
            assert_int_equal(needed, rows[i].needed);
        }
    drop(key);
    check_counts(&before);
}

static void values_enumerate_in_the_order_they_came(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch();
    union {
        KEY_VALUE_FULL_INFORMATION info;
        UCHAR bytes[64];
    } value;
    ULONG needed, numbers[] = {11, 22};
    assert_int_equal(set_value(key, WIDE("z"), REG_DWORD, &numbers[0], 4), STATUS_SUCCESS);
    assert_int_equal(set_value(key, WIDE(""), REG_DWORD, &numbers[1], 4), STATUS_SUCCESS);
    for (ULONG i = 0; i < 2; i++) {
        assert_int_equal(ZwEnumerateValueKey(key, i, KeyValueFullInformation, &value, sizeof(value), &needed),
                         STATUS_SUCCESS);
        assert_int_equal(value.info.NameLength, i ? 0 : 2);
        assert_memory_equal(value.bytes + value.info.DataOffset, &numbers[i], 4);
    }
    assert_int_equal(ZwEnumerateValueKey(key, 2, 0, &value, sizeof(value), &needed), STATUS_NO_MORE_ENTRIES);
    assert_int_equal(ZwEnumerateValueKey(key, 0, 9, &value, sizeof(value), &needed), STATUS_INVALID_PARAMETER);
    drop(key);
    check_counts(&before);
}

static void sizes_are_bounded(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch();
    static UCHAR data[CM_VALUE_MAX + 1];
    assert_int_equal(set_value(key, WIDE("big"), REG_BINARY, data, CM_VALUE_MAX + 1), STATUS_INVALID_PARAMETER);
    NTSTATUS status = STATUS_SUCCESS;
    ULONG made = 0;
    for (; made < 100 && NT_SUCCESS(status); made++) {
        WCHAR name[3] = {(WCHAR)('a' + made / 26), (WCHAR)('a' + made % 26)};
        status = set_value(key, name, REG_BINARY, data, CM_VALUE_MAX);
    }
    assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
    assert_in_range(made, 60, 65);
    drop(key);
    check_counts(&before);
}

int run_value_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_kept),
        cmocka_unit_test(every_length_of_every_class),
        cmocka_unit_test(values_enumerate_in_the_order_they_came),
        cmocka_unit_test(sizes_are_bounded),
    };
    return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
