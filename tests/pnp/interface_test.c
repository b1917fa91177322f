/* interface_test.c - device interfaces: names, states, the links by which they are opened, and finding them. */
#include "pnp_test.h"
#include "svc.h"

static const GUID toy = {0x12345678, 0x9abc, 0xdef0, {1, 2, 3, 4, 5, 6, 7, 8}};
static const GUID other = {0x87654321, 0x9abc, 0xdef0, {1, 2, 3, 4, 5, 6, 7, 9}};

static UNICODE_STRING string(const WCHAR *text)
{
    UNICODE_STRING made;
    RtlInitUnicodeString(&made, text);
    return made;
}

static void narrow(const UNICODE_STRING *wide, char *text, ULONG size)
{
    ULONG bytes = 0;
    RtlUnicodeToMultiByteN(text, size - 1, &bytes, wide->Buffer, wide->Length);
    text[bytes] = 0;
}

static void assert_name(const UNICODE_STRING *name, const char *expected)
{
    char text[256];
    narrow(name, text, sizeof(text));
    assert_string_equal(text, expected);
}

static NTSTATUS open_name(const UNICODE_STRING *name, struct io_file **file)
{
    char text[256];
    narrow(name, text, sizeof(text));
    return io_open(text, file);
}

static UNICODE_STRING registered(const GUID *class, const WCHAR *reference)
{
    UNICODE_STRING name, text = string(reference);
    assert_int_equal(IoRegisterDeviceInterface(driver_pdo, class, reference ? &text : NULL, &name), STATUS_SUCCESS);
    return name;
}

static void a_device_that_is_no_pdo(void **state)
{
    UNREFERENCED_PARAMETER(state);
    DEVICE_OBJECT *device;
    HANDLE key = (HANDLE)1;
    PWSTR list = NULL;
    UNICODE_STRING link = {2, 2, (PWCH)1}, name = string(WIDE("\\??\\Interface")), alias = {2, 2, (PWCH)1};
    driver_start();
    device = driver_fdo;
    SIZE_T blocks = mm_pool_bytes_in_use(MM_POOL_DRIVER);
    assert_int_equal(IoRegisterDeviceInterface(device, &toy, NULL, &link), STATUS_INVALID_DEVICE_REQUEST);
    assert_null(link.Buffer);
    assert_int_equal(IoSetDeviceInterfaceState(&name, TRUE), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoSetDeviceInterfaceState(&name, FALSE), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoGetDeviceInterfaceAlias(&name, &toy, &alias), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_null(alias.Buffer);
    assert_int_equal(IoGetDeviceInterfaces(&toy, NULL, 0, &list), STATUS_SUCCESS);
    assert_int_equal(list[0], 0);
    ExFreePool(list);
    assert_int_equal(IoGetDeviceInterfaces(&toy, device, 0, &list), STATUS_INVALID_DEVICE_REQUEST);
    assert_null(list);
    assert_int_equal(IoOpenDeviceRegistryKey(device, 1, KEY_READ, &key), STATUS_INVALID_DEVICE_REQUEST);
    assert_null(key);
    assert_int_equal(IoOpenDeviceInterfaceRegistryKey(&name, KEY_READ, &key), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(mm_pool_bytes_in_use(MM_POOL_DRIVER), blocks);
    driver_end();
}

static void an_interface_is_opened_by_its_link(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct io_file *file = NULL;
    driver_start();
    UNICODE_STRING name = registered(&toy, NULL);
    assert_name(&name, "\\??\\ROOT#UMA#0000#{12345678-9abc-def0-0102-030405060708}");
    assert_int_equal(open_name(&name, &file), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoSetDeviceInterfaceState(&name, TRUE), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&name, TRUE), STATUS_OBJECT_NAME_EXISTS);
    driver_log[0] = 0;
    assert_int_equal(open_name(&name, &file), STATUS_SUCCESS);
    assert_ptr_equal(io_file_object(file)->DeviceObject, driver_pdo);
    assert_int_equal(io_file_object(file)->FileName.Length, 0);
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    assert_string_equal(driver_log, "create cleanup close");
    name.Buffer[1] = '\\'; /* as user mode has it: \\?\ */
    assert_int_equal(open_name(&name, &file), STATUS_SUCCESS);
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&name, FALSE), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&name, FALSE), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(open_name(&name, &file), STATUS_OBJECT_NAME_NOT_FOUND);
    RtlFreeUnicodeString(&name);
    driver_end();
}

static void reference_strings(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct io_file *file = NULL;
    UNICODE_STRING bad = string(WIDE("a\\b")), worse = string(WIDE("a/b")), none = {2, 2, (PWCH)1};
    driver_start();
    UNICODE_STRING first = registered(&toy, WIDE("First")), second = registered(&toy, WIDE("Second"));
    assert_name(&second, "\\??\\ROOT#UMA#0000#{12345678-9abc-def0-0102-030405060708}\\Second");
    assert_int_equal(IoSetDeviceInterfaceState(&first, TRUE), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&second, TRUE), STATUS_SUCCESS);
    assert_int_equal(open_name(&second, &file), STATUS_SUCCESS);
    assert_name(&io_file_object(file)->FileName, "\\Second");
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&first, FALSE), STATUS_SUCCESS);
    assert_int_equal(open_name(&second, &file), STATUS_SUCCESS);
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&second, FALSE), STATUS_SUCCESS);
    assert_int_equal(open_name(&second, &file), STATUS_OBJECT_PATH_NOT_FOUND); /* no link before the backslash */
    RtlFreeUnicodeString(&first);
    RtlFreeUnicodeString(&second);
    assert_int_equal(IoRegisterDeviceInterface(driver_pdo, &toy, &bad, &none), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(IoRegisterDeviceInterface(driver_pdo, &toy, &worse, &none), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(IoRegisterDeviceInterface(driver_fdo, &toy, NULL, &none), STATUS_INVALID_DEVICE_REQUEST);
    assert_null(none.Buffer);
    driver_end();
}

static ULONG count_list(const GUID *class, DEVICE_OBJECT *pdo, ULONG flags)
{
    ULONG count = 0;
    PWSTR list;
    assert_int_equal(IoGetDeviceInterfaces(class, pdo, flags, &list), STATUS_SUCCESS);
    for (PWSTR at = list; *at; count++)
        at += string(at).Length / sizeof(WCHAR) + 1;
    ExFreePool(list);
    return count;
}

static void finding_interfaces(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    UNICODE_STRING one = registered(&toy, NULL), two = registered(&toy, WIDE("Two")), alias;
    UNICODE_STRING again = registered(&toy, NULL), different = registered(&other, WIDE("Two"));
    assert_true(RtlEqualUnicodeString(&one, &again, FALSE));
    assert_int_equal(count_list(&toy, NULL, 0), 0);
    assert_int_equal(count_list(&toy, NULL, DEVICE_INTERFACE_INCLUDE_NONACTIVE), 2);
    assert_int_equal(IoSetDeviceInterfaceState(&two, TRUE), STATUS_SUCCESS);
    assert_int_equal(count_list(&toy, NULL, 0), 1);
    assert_int_equal(count_list(&toy, driver_pdo, 0), 1);
    assert_int_equal(count_list(&other, driver_pdo, 0), 0);
    assert_int_equal(IoGetDeviceInterfaceAlias(&two, &other, &alias), STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(&alias, &different, FALSE));
    RtlFreeUnicodeString(&alias);
    assert_int_equal(IoGetDeviceInterfaceAlias(&one, &other, &alias), STATUS_OBJECT_NAME_NOT_FOUND);
    RtlFreeUnicodeString(&one);
    RtlFreeUnicodeString(&two);
    RtlFreeUnicodeString(&again);
    RtlFreeUnicodeString(&different);
    driver_end(); /* which disables what is enabled still */
    assert_int_equal(count_list(&toy, NULL, DEVICE_INTERFACE_INCLUDE_NONACTIVE), 0);
}

static UNICODE_STRING early_name;
static NTSTATUS early_open;

static void enable_early(DEVICE_OBJECT *pdo)
{
    struct io_file *file;
    assert_int_equal(IoRegisterDeviceInterface(pdo, &toy, NULL, &early_name), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&early_name, TRUE), STATUS_SUCCESS);
    early_name = kept_name(&early_name);
    early_open = open_name(&early_name, &file);
}

static void enabled_while_starting(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_failure failure;
    struct io_file *file = NULL;
    driver_load();
    behaviour.on_start = enable_early;
    assert_int_equal(pnp_driver_start(driver, NULL, &failure), STATUS_SUCCESS);
    assert_int_equal(early_open, STATUS_NO_SUCH_DEVICE);
    assert_int_equal(open_name(&early_name, &file), STATUS_SUCCESS);
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    driver_end();
    assert_int_equal(open_name(&early_name, &file), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void the_key_of_an_interface(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE key, same;
    ULONG number = 7, needed;
    UNICODE_STRING value = string(WIDE("Size"));
    KEY_VALUE_PARTIAL_INFORMATION info;
    driver_start();
    UNICODE_STRING name = registered(&toy, WIDE("Ref"));
    assert_int_equal(IoOpenDeviceInterfaceRegistryKey(&name, KEY_ALL_ACCESS, &key), STATUS_SUCCESS);
    assert_int_equal(ZwSetValueKey(key, &value, 0, REG_DWORD, &number, sizeof(number)), STATUS_SUCCESS);
    assert_int_equal(IoOpenDeviceInterfaceRegistryKey(&name, KEY_READ, &same), STATUS_SUCCESS);
    assert_int_equal(ZwQueryValueKey(same, &value, KeyValuePartialInformation, &info, sizeof(info), &needed),
                     STATUS_SUCCESS);
    assert_int_equal(info.Data[0], 7);
    assert_int_equal(ZwClose(key), STATUS_SUCCESS);
    assert_int_equal(ZwClose(same), STATUS_SUCCESS);
    RtlFreeUnicodeString(&name);
    driver_end();
}

int run_interface_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_is_no_pdo), cmocka_unit_test(an_interface_is_opened_by_its_link),
        cmocka_unit_test(reference_strings),       cmocka_unit_test(finding_interfaces),
        cmocka_unit_test(enabled_while_starting),  cmocka_unit_test(the_key_of_an_interface),
    };
    return cmocka_run_group_tests_name("interfaces", tests, NULL, NULL);
}
