/* interface_test.c - device interfaces and devices' keys of a device that no bus has enumerated. */
#include "cm_test.h"
#include "wdk/io_more.h"

static void a_device_that_is_no_pdo(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static DEVICE_OBJECT device = {.Type = IO_TYPE_DEVICE};
    const GUID class = {0x12345678, 1, 2, {3}};
    UNICODE_STRING link = {2, 2, (PWCH)1}, name = text(WIDE("\\??\\Interface")), alias = {2, 2, (PWCH)1};
    SIZE_T blocks = mm_pool_bytes_in_use(MM_POOL_DRIVER);
    HANDLE key = (HANDLE)1;
    PWSTR list = NULL;
    assert_int_equal(IoRegisterDeviceInterface(&device, &class, NULL, &link), STATUS_INVALID_DEVICE_REQUEST);
    assert_null(link.Buffer);
    assert_int_equal(IoSetDeviceInterfaceState(&name, TRUE), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoSetDeviceInterfaceState(&name, FALSE), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoGetDeviceInterfaceAlias(&name, &class, &alias), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_null(alias.Buffer);
    assert_int_equal(IoGetDeviceInterfaces(&class, NULL, 0, &list), STATUS_SUCCESS);
    assert_int_equal(list[0], 0);
    ExFreePool(list);
    assert_int_equal(IoGetDeviceInterfaces(&class, &device, 0, &list), STATUS_INVALID_DEVICE_REQUEST);
    assert_null(list);
    assert_int_equal(IoOpenDeviceRegistryKey(&device, 1, KEY_READ, &key), STATUS_INVALID_DEVICE_REQUEST);
    assert_null(key);
    assert_int_equal(IoOpenDeviceInterfaceRegistryKey(&name, KEY_READ, &key), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(mm_pool_bytes_in_use(MM_POOL_DRIVER), blocks);
}

int run_interface_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_device_that_is_no_pdo)};
    return cmocka_run_group_tests_name("interfaces", tests, NULL, NULL);
}
