/* property_test.c - properties and keys of devices. */
#include "pnp_test.h"
#include "svc.h"

static const GUID toy = {0x12345678, 0x9abc, 0xdef0, {1, 2, 3, 4, 5, 6, 7, 8}};
static const DEVPROPKEY mine = {{0x12345678, 0x9abc, 0xdef0, {9, 2, 3, 4, 5, 6, 7, 8}}, 2};
static const DEVPROPKEY instance_id = {{0x78c34fc8, 0x104a, 0x4aca, {0x9e, 0xa4, 0x52, 0x4d, 0x52, 0x99, 0x6e, 0x57}},
                                       256};
static const DEVPROPKEY service = {{0xa45c254e, 0xdf1c, 0x4efd, {0x80, 0x20, 0x67, 0xd1, 0x46, 0xa8, 0x50, 0xe0}}, 6};

static void assert_text(const WCHAR *wide, ULONG bytes, const char *expected)
{
    char text[256];
    ULONG length;
    assert_int_equal(wide[bytes / sizeof(WCHAR) - 1], 0);
    RtlUnicodeToMultiByteN(text, sizeof(text) - 1, &length, wide, bytes);
    text[length] = 0;
    assert_string_equal(text, expected);
}

static void assert_property(DEVICE_REGISTRY_PROPERTY property, const char *expected)
{
    WCHAR text[128];
    ULONG length = 0, needed = 0;
    assert_int_equal(IoGetDeviceProperty(driver_pdo, property, 0, NULL, &needed), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(IoGetDeviceProperty(driver_pdo, property, sizeof(text), text, &length), STATUS_SUCCESS);
    assert_int_equal(length, needed);
    assert_text(text, length, expected);
}

static void what_the_system_knows(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG number = 0, length;
    char name[64];
    driver_start();
    io_device_name(driver_pdo, name, sizeof(name));
    assert_property(DevicePropertyPhysicalDeviceObjectName, name);
    assert_property(DevicePropertyHardwareID, "ROOT\\Toy"); /* the first of two */
    assert_property(DevicePropertyDeviceDescription, "Toy device");
    assert_property(DevicePropertyEnumeratorName, "ROOT");
    assert_property(DevicePropertyClassName, "System");
    assert_property(DevicePropertyDriverKeyName, "{4d36e97d-e325-11ce-bfc1-08002be10318}\\0000");
    assert_int_equal(IoGetDeviceProperty(driver_pdo, DevicePropertyUINumber, sizeof(number), &number, &length),
                     STATUS_SUCCESS);
    assert_int_equal(length, 4);
    assert_int_equal(number, 0);
    assert_int_equal(IoGetDeviceProperty(driver_pdo, DevicePropertyFriendlyName, 0, NULL, &length),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoGetDeviceProperty(driver_pdo, (DEVICE_REGISTRY_PROPERTY)99, 0, NULL, &length),
                     STATUS_INVALID_PARAMETER_2);
    assert_int_equal(IoGetDeviceProperty(driver_fdo, DevicePropertyUINumber, 4, &number, &length),
                     STATUS_INVALID_DEVICE_REQUEST);
    driver_end();
}

static void lists_end_twice(void **state)
{
    UNREFERENCED_PARAMETER(state);
    WCHAR text[128];
    ULONG length;
    driver_start();
    assert_int_equal(IoGetDeviceProperty(driver_pdo, DevicePropertyHardwareID, sizeof(text), text, &length),
                     STATUS_SUCCESS);
    assert_int_equal(length, (sizeof("ROOT\\Toy") + sizeof("ROOT\\UMA") + 1) * sizeof(WCHAR));
    assert_int_equal(text[length / sizeof(WCHAR) - 2], 0);
    driver_end();
}

static void the_unified_model(void **state)
{
    UNREFERENCED_PARAMETER(state);
    WCHAR text[64];
    ULONG value = 5, back = 0, length;
    DEVPROPTYPE type;
    driver_start();
    assert_int_equal(IoGetDevicePropertyData(driver_pdo, &instance_id, 0, 0, sizeof(text), text, &length, &type),
                     STATUS_SUCCESS);
    assert_int_equal(type, DEVPROP_TYPE_STRING);
    assert_text(text, length, "ROOT\\UMA\\0000");
    assert_int_equal(IoGetDevicePropertyData(driver_pdo, &service, 0, 0, sizeof(text), text, &length, &type),
                     STATUS_SUCCESS);
    assert_text(text, length, "Toy");
    assert_int_equal(IoGetDevicePropertyData(driver_pdo, &mine, 0, 0, 4, &back, &length, &type),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(type, DEVPROP_TYPE_EMPTY);
    assert_int_equal(IoSetDevicePropertyData(driver_pdo, &mine, 0, 0, DEVPROP_TYPE_UINT32, 4, &value), STATUS_SUCCESS);
    value = 6;
    assert_int_equal(IoSetDevicePropertyData(driver_pdo, &mine, 1033, 0, DEVPROP_TYPE_UINT32, 4, &value),
                     STATUS_SUCCESS);
    assert_int_equal(IoGetDevicePropertyData(driver_pdo, &mine, 0, 0, 3, &back, &length, &type),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(length, 4);
    assert_int_equal(IoGetDevicePropertyData(driver_pdo, &mine, 0, 0, 4, &back, &length, &type), STATUS_SUCCESS);
    assert_int_equal(back, 5);
    assert_int_equal(type, DEVPROP_TYPE_UINT32);
    assert_int_equal(IoGetDevicePropertyData(driver_pdo, &mine, 1033, 0, 4, &back, &length, &type), STATUS_SUCCESS);
    assert_int_equal(back, 6);
    assert_int_equal(IoGetDevicePropertyData(driver_pdo, &mine, 1031, 0, 4, &back, &length, &type), STATUS_SUCCESS);
    assert_int_equal(back, 5); /* the one for every language */
    assert_int_equal(IoSetDevicePropertyData(driver_pdo, &mine, 0, 0, 0, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(IoGetDevicePropertyData(driver_pdo, &mine, 1033, 0, 4, &back, &length, &type),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    driver_end();
}

static void properties_of_an_interface(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG value = 5, back = 0, length;
    DEVPROPTYPE type;
    UNICODE_STRING name;
    driver_start();
    assert_int_equal(IoRegisterDeviceInterface(driver_pdo, &toy, NULL, &name), STATUS_SUCCESS);
    assert_int_equal(IoGetDeviceInterfacePropertyData(&name, &mine, 0, 0, 4, &back, &length, &type),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoSetDeviceInterfacePropertyData(&name, &mine, 0, 0, DEVPROP_TYPE_UINT32, 4, &value),
                     STATUS_SUCCESS);
    assert_int_equal(IoGetDeviceInterfacePropertyData(&name, &mine, 0, 0, 4, &back, &length, &type), STATUS_SUCCESS);
    assert_int_equal(back, 5);
    RtlFreeUnicodeString(&name);
    driver_end();
}

static void keys_of_a_device(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const ULONG kinds[] = {PLUGPLAY_REGKEY_DEVICE, PLUGPLAY_REGKEY_DRIVER,
                                  PLUGPLAY_REGKEY_DEVICE | PLUGPLAY_REGKEY_CURRENT_HWPROFILE};
    UNICODE_STRING value;
    RtlInitUnicodeString(&value, WIDE("Kind"));
    driver_start();
    for (ULONG i = 0; i < RTL_NUMBER_OF(kinds); i++) {
        HANDLE key;
        assert_int_equal(IoOpenDeviceRegistryKey(driver_pdo, kinds[i], KEY_ALL_ACCESS, &key), STATUS_SUCCESS);
        assert_int_equal(ZwSetValueKey(key, &value, 0, REG_DWORD, (PVOID)&kinds[i], 4), STATUS_SUCCESS);
        assert_int_equal(ZwClose(key), STATUS_SUCCESS);
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(kinds); i++) { /* each is a key of its own */
        HANDLE key;
        ULONG needed;
        KEY_VALUE_PARTIAL_INFORMATION info;
        assert_int_equal(IoOpenDeviceRegistryKey(driver_pdo, kinds[i], KEY_READ, &key), STATUS_SUCCESS);
        assert_int_equal(ZwQueryValueKey(key, &value, KeyValuePartialInformation, &info, sizeof(info), &needed),
                         STATUS_SUCCESS);
        assert_int_equal(info.Data[0], kinds[i]);
        assert_int_equal(ZwClose(key), STATUS_SUCCESS);
    }
    HANDLE none;
    assert_int_equal(IoOpenDeviceRegistryKey(driver_pdo, 3, KEY_READ, &none), STATUS_INVALID_PARAMETER);
    assert_int_equal(IoOpenDeviceRegistryKey(driver_fdo, 1, KEY_READ, &none), STATUS_INVALID_DEVICE_REQUEST);
    driver_end();
}

int run_property_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_system_knows), cmocka_unit_test(lists_end_twice),
        cmocka_unit_test(the_unified_model),     cmocka_unit_test(properties_of_an_interface),
        cmocka_unit_test(keys_of_a_device),
    };
    return cmocka_run_group_tests_name("properties", tests, NULL, NULL);
}
