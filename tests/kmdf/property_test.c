/* property_test.c - properties, keys, name and interface of a framework driver's device on the system's own bus. */
#include "pnp_fixture.h"
#include "pnp.h"

static const DEVPROPKEY own_key = {{1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}}, 2};
static const GUID class_guid = {0x11, 0x22, 0x33, {4, 5, 6, 7, 8, 9, 10, 11}};
static const WCHAR root[] = L"ROOT";
static NTSTATUS (*in_add)(PWDFDEVICE_INIT init);

static NTSTATUS before(PWDFDEVICE_INIT init)
{
    return in_add ? in_add(init) : STATUS_SUCCESS;
}

static void start(NTSTATUS (*before_device)(PWDFDEVICE_INIT init))
{
    fdo_load_on_bus();
    in_add = before_device;
    fdo_behaviour.before = before;
    assert_int_equal(fdo_start_on_bus(), STATUS_SUCCESS);
}

static void check_memory(WDFMEMORY memory, const void *expected, size_t bytes)
{
    size_t size = 0;
    assert_memory_equal(WdfMemoryGetBuffer(fdo_globals, memory, &size), expected, bytes);
    assert_int_equal(size, bytes);
    WdfObjectDelete(fdo_globals, memory);
}

static void test_start_and_removal(void **state)
{
    UNREFERENCED_PARAMETER(state);
    start(NULL);
    fdo_expect("prepare; D0 from 5; post from 5; io init; ");
    fdo_end_on_bus();
    fdo_expect("may go; io suspend; pre to 5; exit to 5; release; io flush; io cleanup; cleanup; destroy; ");
}

static void test_registry_properties(void **state)
{
    WCHAR name[8];
    ULONG length = 0;
    WDFMEMORY memory = NULL;
    UNREFERENCED_PARAMETER(state);
    start(NULL);
    assert_int_equal(WdfDeviceQueryProperty(fdo_globals, fdo_device, DevicePropertyEnumeratorName, 0, NULL, &length),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(length, sizeof(root));
    assert_int_equal(
        WdfDeviceQueryProperty(fdo_globals, fdo_device, DevicePropertyEnumeratorName, sizeof(name), name, &length),
        STATUS_SUCCESS);
    assert_int_equal(length, sizeof(root));
    assert_memory_equal(name, root, sizeof(root));
    assert_int_equal(WdfDeviceQueryProperty(fdo_globals, fdo_device, 4711, sizeof(name), name, &length),
                     STATUS_INVALID_PARAMETER_2);
    assert_int_equal(WdfDeviceAllocAndQueryProperty(fdo_globals, fdo_device, DevicePropertyEnumeratorName,
                                                    NonPagedPoolNx, NULL, &memory),
                     STATUS_SUCCESS);
    check_memory(memory, root, sizeof(root));
    memory = (WDFMEMORY)1;
    assert_int_equal(WdfDeviceAllocAndQueryProperty(fdo_globals, fdo_device, 4711, NonPagedPoolNx, NULL, &memory),
                     STATUS_INVALID_PARAMETER_2);
    assert_null(memory);
    fdo_end_on_bus();
}

static void test_unified_properties(void **state)
{
    WDF_DEVICE_PROPERTY_DATA data;
    DEVPROPTYPE type = 0;
    ULONG value = 0x12345678, found = 0, length = 0;
    WDFMEMORY memory = NULL;
    UNREFERENCED_PARAMETER(state);
    start(NULL);
    WDF_DEVICE_PROPERTY_DATA_INIT(&data, &own_key);
    assert_int_equal(WdfDeviceQueryPropertyEx(fdo_globals, fdo_device, &data, sizeof(found), &found, &length, &type),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(
        WdfDeviceAssignProperty(fdo_globals, fdo_device, &data, DEVPROP_TYPE_UINT32, sizeof(value), &value),
        STATUS_SUCCESS);
    assert_int_equal(WdfDeviceQueryPropertyEx(fdo_globals, fdo_device, &data, 1, &found, &length, &type),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(length, sizeof(value));
    assert_int_equal(WdfDeviceQueryPropertyEx(fdo_globals, fdo_device, &data, sizeof(found), &found, &length, &type),
                     STATUS_SUCCESS);
    assert_int_equal(found, value);
    assert_int_equal(type, DEVPROP_TYPE_UINT32);
    type = 0;
    assert_int_equal(
        WdfDeviceAllocAndQueryPropertyEx(fdo_globals, fdo_device, &data, NonPagedPoolNx, NULL, &memory, &type),
        STATUS_SUCCESS);
    assert_int_equal(type, DEVPROP_TYPE_UINT32);
    check_memory(memory, &value, sizeof(value));
    assert_int_equal(WdfDeviceAssignProperty(fdo_globals, fdo_device, &data, 0, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceQueryPropertyEx(fdo_globals, fdo_device, &data, sizeof(found), &found, &length, &type),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    data.Size--;
    assert_int_equal(WdfDeviceQueryPropertyEx(fdo_globals, fdo_device, &data, sizeof(found), &found, &length, &type),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(
        WdfDeviceAssignProperty(fdo_globals, fdo_device, &data, DEVPROP_TYPE_UINT32, sizeof(value), &value),
        STATUS_INVALID_PARAMETER);
    fdo_end_on_bus();
}

static NTSTATUS ask_before_device(PWDFDEVICE_INIT init)
{
    static const DEVPROPKEY enumerator = {
        {0xa45c254e, 0xdf1c, 0x4efd, {0x80, 0x20, 0x67, 0xd1, 0x46, 0xa8, 0x50, 0xe0}}, 24};
    WDF_DEVICE_PROPERTY_DATA data;
    WCHAR name[8];
    ULONG length;
    DEVPROPTYPE type = 0;
    WDFMEMORY memory;
    WDFKEY key;
    WDF_DEVICE_PROPERTY_DATA_INIT(&data, &enumerator);
    assert_int_equal(
        WdfFdoInitQueryProperty(fdo_globals, init, DevicePropertyEnumeratorName, sizeof(name), name, &length),
        STATUS_SUCCESS);
    assert_memory_equal(name, root, sizeof(root));
    assert_int_equal(
        WdfFdoInitAllocAndQueryProperty(fdo_globals, init, DevicePropertyEnumeratorName, NonPagedPoolNx, NULL, &memory),
        STATUS_SUCCESS);
    check_memory(memory, root, sizeof(root));
    assert_int_equal(WdfFdoInitQueryPropertyEx(fdo_globals, init, &data, sizeof(name), name, &length, &type),
                     STATUS_SUCCESS);
    assert_int_equal(type, DEVPROP_TYPE_STRING);
    assert_int_equal(WdfFdoInitAllocAndQueryPropertyEx(fdo_globals, init, &data, NonPagedPoolNx, NULL, &memory, &type),
                     STATUS_SUCCESS);
    check_memory(memory, root, sizeof(root));
    assert_int_equal(WdfFdoInitOpenRegistryKey(fdo_globals, init, PLUGPLAY_REGKEY_DEVICE, KEY_READ, NULL, &key),
                     STATUS_SUCCESS);
    WdfRegistryClose(fdo_globals, key);
    fdo_note("asked; ");
    return STATUS_SUCCESS;
}

static void test_before_the_device(void **state)
{
    UNREFERENCED_PARAMETER(state);
    start(ask_before_device);
    fdo_expect("asked; prepare; D0 from 5; post from 5; io init; ");
    fdo_end_on_bus();
}

static ULONG value_of(WDFKEY key)
{
    static const UNICODE_STRING name = {10, 10, (PWCH)L"Limit"};
    ULONG value = 0;
    WdfRegistryQueryULong(fdo_globals, key, &name, &value);
    return value;
}

static void test_keys(void **state)
{
    static const UNICODE_STRING name = {10, 10, (PWCH)L"Limit"}, map = {20, 20, (PWCH)L"SERIALCOMM"};
    WDFKEY key;
    UNREFERENCED_PARAMETER(state);
    start(NULL);
    assert_int_equal(
        WdfDeviceOpenRegistryKey(fdo_globals, fdo_device, PLUGPLAY_REGKEY_DEVICE, KEY_READ | KEY_WRITE, NULL, &key),
        STATUS_SUCCESS);
    assert_int_equal(WdfRegistryAssignULong(fdo_globals, key, &name, 77), STATUS_SUCCESS);
    WdfRegistryClose(fdo_globals, key);
    assert_int_equal(WdfDeviceOpenRegistryKey(fdo_globals, fdo_device, PLUGPLAY_REGKEY_DRIVER, KEY_READ, NULL, &key),
                     STATUS_SUCCESS);
    assert_int_equal(value_of(key), 0); /* another key */
    WdfRegistryClose(fdo_globals, key);
    assert_int_equal(WdfDeviceOpenRegistryKey(fdo_globals, fdo_device, PLUGPLAY_REGKEY_DEVICE, KEY_READ, NULL, &key),
                     STATUS_SUCCESS);
    assert_int_equal(value_of(key), 77);
    WdfRegistryClose(fdo_globals, key);
    key = (WDFKEY)1;
    assert_int_equal(WdfDeviceOpenRegistryKey(fdo_globals, fdo_device, 0x100, KEY_READ, NULL, &key),
                     STATUS_INVALID_PARAMETER);
    assert_null(key);
    assert_int_equal(WdfDeviceOpenDevicemapKey(fdo_globals, fdo_device, &map, KEY_READ | KEY_WRITE, NULL, &key),
                     STATUS_SUCCESS);
    assert_int_equal(WdfRegistryAssignULong(fdo_globals, key, &name, 3), STATUS_SUCCESS);
    WdfRegistryClose(fdo_globals, key);
    KIRQL irql = KfRaiseIrql(APC_LEVEL);
    NTSTATUS device_key =
        WdfDeviceOpenRegistryKey(fdo_globals, fdo_device, PLUGPLAY_REGKEY_DEVICE, KEY_READ, NULL, &key);
    NTSTATUS map_key = WdfDeviceOpenDevicemapKey(fdo_globals, fdo_device, &map, KEY_READ, NULL, &key);
    KeLowerIrql(irql);
    assert_int_equal(device_key, STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(map_key, STATUS_INVALID_DEVICE_REQUEST);
    fdo_end_on_bus();
}

static NTSTATUS name_device(PWDFDEVICE_INIT init)
{
    static const UNICODE_STRING name = {32, 32, (PWCH)L"\\Device\\KmdfName"};
    return WdfDeviceInitAssignName(fdo_globals, init, &name);
}

static void test_name(void **state)
{
    WDFSTRING string;
    UNICODE_STRING name;
    UNREFERENCED_PARAMETER(state);
    start(name_device);
    assert_int_equal(WdfStringCreate(fdo_globals, NULL, NULL, &string), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceRetrieveDeviceName(fdo_globals, fdo_device, string), STATUS_SUCCESS);
    WdfStringGetUnicodeString(fdo_globals, string, &name);
    assert_int_equal(name.Length, 32);
    assert_memory_equal(name.Buffer, L"\\Device\\KmdfName", 32);
    fdo_end_on_bus();
    start(NULL);
    assert_int_equal(WdfStringCreate(fdo_globals, NULL, NULL, &string), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceRetrieveDeviceName(fdo_globals, fdo_device, string), STATUS_INVALID_PARAMETER);
    fdo_end_on_bus();
}

static NTSTATUS make_interface(WDFDEVICE device)
{
    return WdfDeviceCreateDeviceInterface(fdo_globals, device, &class_guid, NULL);
}

/* It is enabled once the device has started, by the driver's word later, and no more once the device is gone. */
static void test_interface(void **state)
{
    struct pnp_interface_info info;
    UNREFERENCED_PARAMETER(state);
    fdo_load_on_bus();
    fdo_behaviour.after = make_interface;
    assert_int_equal(fdo_start_on_bus(), STATUS_SUCCESS);
    assert_true(pnp_driver_interface(fdo_driver, 0, &info));
    assert_true(info.enabled);
    WdfDeviceSetDeviceInterfaceState(fdo_globals, fdo_device, &class_guid, NULL, FALSE);
    assert_true(pnp_driver_interface(fdo_driver, 0, &info));
    assert_false(info.enabled);
    WdfDeviceSetDeviceInterfaceState(fdo_globals, fdo_device, &class_guid, NULL, TRUE);
    assert_true(pnp_driver_interface(fdo_driver, 0, &info));
    assert_true(info.enabled);
    pnp_surprise_remove(pnp_driver_node(fdo_driver, 0));
    assert_false(pnp_driver_interface(fdo_driver, 0, &info) && info.enabled);
    fdo_end_on_bus();
}

/* A start that fails leaves nothing, and the bus learns why. */
static void test_start_fails(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load_on_bus();
    fdo_behaviour.fails = "prepare";
    assert_int_equal(fdo_start_on_bus(), STATUS_UNSUCCESSFUL);
    assert_null(fdo_driver->DeviceObject);
    fdo_end_on_bus();
}

int run_property_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_and_removal),
        cmocka_unit_test(test_registry_properties),
        cmocka_unit_test(test_unified_properties),
        cmocka_unit_test(test_before_the_device),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_start_fails),
    };
    return cmocka_run_group_tests_name("properties", tests, NULL, NULL);
}
