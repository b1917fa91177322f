/* registry_test.c - registry keys of the framework: opening, values as types, and how keys end. */
#include "kmdf_test.h"

#define NAME(text) (&(UNICODE_STRING){sizeof(L##text) - 2, sizeof(L##text), (PWCH)L##text})

static WDFKEY key;

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    if (!NT_SUCCESS(test_load(NULL)) || !NT_SUCCESS(cm_service_create(NAME("KmdfTest"))))
        return -1;
    return NT_SUCCESS(WdfDriverOpenParametersRegistryKey(test_globals, test_wdf_driver, KEY_ALL_ACCESS, NULL, &key))
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_unload()) && !io_leaks(NULL, NULL) ? 0 : -1;
}

static void test_keys(void **state)
{
    WDFKEY child, again;
    ULONG disposition = 0;
    KIRQL irql;
    UNREFERENCED_PARAMETER(state);
    assert_non_null(WdfRegistryWdmGetHandle(test_globals, key));
    assert_int_equal(WdfRegistryOpenKey(test_globals, key, NAME("Child"), KEY_READ, NULL, &child),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_null(child);
    assert_int_equal(WdfRegistryCreateKey(test_globals, key, NAME("Child"), KEY_ALL_ACCESS, REG_OPTION_VOLATILE,
                                          &disposition, NULL, &child),
                     STATUS_SUCCESS);
    assert_int_equal(disposition, REG_CREATED_NEW_KEY);
    assert_int_equal(WdfRegistryCreateKey(test_globals, key, NAME("Child"), KEY_ALL_ACCESS, REG_OPTION_VOLATILE,
                                          &disposition, NULL, &again),
                     STATUS_SUCCESS);
    assert_int_equal(disposition, REG_OPENED_EXISTING_KEY);
    WdfRegistryClose(test_globals, again);
    assert_int_equal(WdfRegistryRemoveKey(test_globals, key), STATUS_CANNOT_DELETE); /* it has a subkey */
    assert_int_equal(WdfRegistryRemoveKey(test_globals, child), STATUS_SUCCESS);
    assert_null(kmdf_handle_find(child)); /* the object goes with the key */
    assert_int_equal(WdfRegistryOpenKey(test_globals, key, NAME("Child"), KEY_READ, NULL, &child),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(WdfRegistryOpenKey(test_globals, NULL, NAME("\\Registry\\Machine"), KEY_READ, NULL, &child),
                     STATUS_SUCCESS);
    KeRaiseIrql(APC_LEVEL, &irql);
    NTSTATUS status = WdfRegistryOpenKey(test_globals, key, NAME("Child"), KEY_READ, NULL, &again);
    NTSTATUS value_status = WdfRegistryAssignULong(test_globals, key, NAME("n"), 1);
    KeLowerIrql(irql);
    assert_int_equal(status, STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(value_status, STATUS_INVALID_DEVICE_REQUEST);
}

static void test_numbers(void **state)
{
    ULONG number = 0, length = 0, type = 0;
    UCHAR small[2];
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfRegistryQueryULong(test_globals, key, NAME("n"), &number), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(WdfRegistryAssignULong(test_globals, key, NAME("n"), 0x12345678), STATUS_SUCCESS);
    assert_int_equal(WdfRegistryQueryULong(test_globals, key, NAME("n"), &number), STATUS_SUCCESS);
    assert_int_equal(number, 0x12345678);
    assert_int_equal(WdfRegistryQueryValue(test_globals, key, NAME("n"), 0, NULL, &length, &type), STATUS_SUCCESS);
    assert_int_equal(length, 4);
    assert_int_equal(type, REG_DWORD);
    length = 0;
    assert_int_equal(WdfRegistryQueryValue(test_globals, key, NAME("n"), 2, small, &length, NULL),
                     STATUS_BUFFER_OVERFLOW);
    assert_int_equal(length, 4);
    assert_int_equal(WdfRegistryQueryUnicodeString(test_globals, key, NAME("n"), NULL, NULL),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(WdfRegistryRemoveValue(test_globals, key, NAME("n")), STATUS_SUCCESS);
    assert_int_equal(WdfRegistryRemoveValue(test_globals, key, NAME("n")), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void test_strings(void **state)
{
    WCHAR room[8] = {0};
    UNICODE_STRING out = {0, 10, room}, said;
    USHORT bytes = 0;
    ULONG number, length = 0;
    WDFSTRING string;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfRegistryAssignUnicodeString(test_globals, key, NAME("s"), NAME("seven")), STATUS_SUCCESS);
    WdfRegistryQueryValue(test_globals, key, NAME("s"), 0, NULL, &length, NULL);
    assert_int_equal(length, 12); /* with the terminator */
    assert_int_equal(WdfRegistryQueryULong(test_globals, key, NAME("s"), &number), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(WdfRegistryQueryUnicodeString(test_globals, key, NAME("s"), &bytes, NULL), STATUS_SUCCESS);
    assert_int_equal(bytes, 12);
    bytes = 0;
    assert_int_equal(WdfRegistryQueryUnicodeString(test_globals, key, NAME("s"), &bytes, &out), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(bytes, 12);
    out.MaximumLength = 12;
    assert_int_equal(WdfRegistryQueryUnicodeString(test_globals, key, NAME("s"), NULL, &out), STATUS_SUCCESS);
    assert_int_equal(out.Length, 10);
    assert_memory_equal(room, L"seven", 12);
    assert_int_equal(WdfStringCreate(test_globals, NULL, NULL, &string), STATUS_SUCCESS);
    assert_int_equal(WdfRegistryQueryString(test_globals, key, NAME("s"), string), STATUS_SUCCESS);
    WdfStringGetUnicodeString(test_globals, string, &said);
    assert_int_equal(said.Length, 10);
    assert_int_equal(WdfRegistryAssignString(test_globals, key, NAME("t"), string), STATUS_SUCCESS);
    assert_int_equal(WdfRegistryQueryUnicodeString(test_globals, key, NAME("t"), &bytes, NULL), STATUS_SUCCESS);
    assert_int_equal(bytes, 12);
}

static void test_memory(void **state)
{
    UCHAR data[600];
    WDFMEMORY memory;
    size_t size = 0;
    ULONG type = 0, length = 0;
    WDFMEMORY_OFFSET part = {2, 8}, outside = {599, 2}, wraps = {8, (size_t)-4};
    UNREFERENCED_PARAMETER(state);
    for (ULONG i = 0; i < sizeof(data); i++)
        data[i] = (UCHAR)i;
    assert_int_equal(WdfRegistryAssignValue(test_globals, key, NAME("b"), REG_BINARY, sizeof(data), data),
                     STATUS_SUCCESS);
    assert_int_equal(WdfRegistryQueryMemory(test_globals, key, NAME("b"), NonPagedPool, NULL, &memory, &type),
                     STATUS_SUCCESS);
    assert_int_equal(type, REG_BINARY);
    assert_memory_equal(WdfMemoryGetBuffer(test_globals, memory, &size), data, sizeof(data));
    assert_int_equal(size, sizeof(data));
    assert_int_equal(WdfRegistryAssignMemory(test_globals, key, NAME("c"), REG_BINARY, memory, &part), STATUS_SUCCESS);
    assert_int_equal(WdfRegistryQueryValue(test_globals, key, NAME("c"), sizeof(data), data, &length, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(length, 8);
    assert_int_equal(data[0], 2);
    assert_int_equal(WdfRegistryAssignMemory(test_globals, key, NAME("c"), REG_BINARY, memory, &outside),
                     STATUS_INVALID_BUFFER_SIZE);
    assert_int_equal(WdfRegistryAssignMemory(test_globals, key, NAME("c"), REG_BINARY, memory, &wraps),
                     STATUS_INTEGER_OVERFLOW);
    assert_int_equal(WdfRegistryAssignMemory(test_globals, key, NAME("c"), REG_BINARY, memory, NULL), STATUS_SUCCESS);
    WdfRegistryQueryValue(test_globals, key, NAME("c"), 0, NULL, &length, NULL);
    assert_int_equal(length, sizeof(data));
}

int run_registry_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_keys), LOADED(test_numbers), LOADED(test_strings),
                                       LOADED(test_memory)};
    return cmocka_run_group_tests_name("kmdf registry keys", tests, NULL, NULL);
}
