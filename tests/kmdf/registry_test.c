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

/* ---- lists of strings ---- */

static void assign_raw(ULONG type, const void *data, ULONG bytes)
{
    assert_int_equal(WdfRegistryAssignValue(test_globals, key, NAME("m"), type, bytes, (PVOID)data), STATUS_SUCCESS);
}

static NTSTATUS query_list(WDFCOLLECTION list)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = list;
    return WdfRegistryQueryMultiString(test_globals, key, NAME("m"), &attributes, list);
}

static void list_has(WDFCOLLECTION list, ULONG index, const UNICODE_STRING *wanted)
{
    UNICODE_STRING said;
    WdfStringGetUnicodeString(test_globals, (WDFSTRING)WdfCollectionGetItem(test_globals, list, index), &said);
    assert_int_equal(said.Length, wanted->Length);
    assert_memory_equal(said.Buffer, wanted->Buffer, wanted->Length);
}

static void test_lists(void **state)
{
    WDFCOLLECTION list;
    KIRQL irql;
    ULONG length = 0, type = 0;
    WCHAR data[8];
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfCollectionCreate(test_globals, NULL, &list), STATUS_SUCCESS);
    assert_int_equal(query_list(list), STATUS_OBJECT_NAME_NOT_FOUND);
    assign_raw(REG_SZ, L"one", 8);
    assert_int_equal(query_list(list), STATUS_OBJECT_TYPE_MISMATCH);
    assign_raw(REG_MULTI_SZ, L"", 2);
    assert_int_equal(query_list(list), STATUS_RESOURCE_DATA_NOT_FOUND);
    assign_raw(REG_MULTI_SZ, "", 0);
    assert_int_equal(query_list(list), STATUS_RESOURCE_DATA_NOT_FOUND);
    assert_int_equal(WdfRegistryAssignMultiString(test_globals, key, NAME("m"), list), STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfCollectionGetCount(test_globals, list), 0);
    assign_raw(REG_MULTI_SZ, L"one\0three\0", 22);
    assert_int_equal(query_list(list), STATUS_SUCCESS);
    assert_int_equal(WdfCollectionGetCount(test_globals, list), 2);
    assign_raw(REG_MULTI_SZ, L"x\0yy", 9); /* neither of the two terminators, and half a character */
    assert_int_equal(query_list(list), STATUS_SUCCESS);
    assert_int_equal(WdfCollectionGetCount(test_globals, list), 4); /* behind those it had */
    list_has(list, 0, NAME("one"));
    list_has(list, 1, NAME("three"));
    list_has(list, 2, NAME("x"));
    list_has(list, 3, NAME("yy"));
    for (int i = 0; i < 3; i++)
        WdfCollectionRemoveItem(test_globals, list, 1);
    assert_int_equal(WdfRegistryAssignMultiString(test_globals, key, NAME("m"), list), STATUS_SUCCESS);
    assert_int_equal(WdfRegistryQueryValue(test_globals, key, NAME("m"), sizeof(data), data, &length, &type),
                     STATUS_SUCCESS);
    assert_int_equal(type, REG_MULTI_SZ);
    assert_int_equal(length, 10);
    assert_memory_equal(data, L"one\0", 10);
    KeRaiseIrql(APC_LEVEL, &irql);
    NTSTATUS query = query_list(list), assign = WdfRegistryAssignMultiString(test_globals, key, NAME("m"), list);
    KeLowerIrql(irql);
    assert_int_equal(query, STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(assign, STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(WdfCollectionAdd(test_globals, list, list), STATUS_SUCCESS); /* no string */
    assert_int_equal(WdfRegistryAssignMultiString(test_globals, key, NAME("m"), list), STATUS_INVALID_PARAMETER);
    WdfCollectionRemove(test_globals, list, list);
}

/* The second string is too long for one: the first goes again. */
static void test_list_fails(void **state)
{
    WDFCOLLECTION list;
    static WCHAR data[0x8003] = {'a', 0};
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 2; i < RTL_NUMBER_OF(data); i++)
        data[i] = 'b';
    assert_int_equal(WdfCollectionCreate(test_globals, NULL, &list), STATUS_SUCCESS);
    assign_raw(REG_MULTI_SZ, data, sizeof(data));
    assert_int_equal(query_list(list), STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfCollectionGetCount(test_globals, list), 0);
}

/* ---- keys of the driver ---- */

static void test_driver_keys(void **state)
{
    WDFKEY state_key, again;
    ULONG number = 0;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(
        WdfDriverOpenPersistentStateRegistryKey(test_globals, test_wdf_driver, KEY_WRITE, NULL, &state_key),
        STATUS_SUCCESS);
    assert_int_equal(WdfRegistryAssignULong(test_globals, state_key, NAME("n"), 5), STATUS_SUCCESS);
    assert_int_equal(WdfRegistryQueryULong(test_globals, key, NAME("n"), &number), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(WdfDriverOpenPersistentStateRegistryKey(test_globals, test_wdf_driver, KEY_READ, NULL, &again),
                     STATUS_SUCCESS);
    assert_int_equal(WdfRegistryQueryULong(test_globals, again, NAME("n"), &number), STATUS_SUCCESS);
    assert_int_equal(number, 5);
    assert_int_equal(WdfRegistryRemoveKey(test_globals, key), STATUS_SUCCESS);
    assert_int_equal(WdfDriverOpenParametersRegistryKey(test_globals, test_wdf_driver, KEY_READ, NULL, &key),
                     STATUS_SUCCESS); /* made if it is not there */
}

int run_registry_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_keys),       LOADED(test_numbers), LOADED(test_strings),
                                       LOADED(test_memory),     LOADED(test_lists),   LOADED(test_list_fails),
                                       LOADED(test_driver_keys)};
    return cmocka_run_group_tests_name("kmdf registry keys", tests, NULL, NULL);
}
