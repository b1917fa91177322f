/* query_interface_test.c - interfaces that drivers of a stack define for each other. */
#include "pnp_fixture.h"
#include "wdk/pnp.h"

static const GUID type = {7, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}}, other = {8, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};

struct lamp_interface {
    INTERFACE header;
    ULONG brightness;
};

static VOID NTAPI reference(PVOID context)
{
    fdo_note("reference %u; ", (unsigned)(ULONG_PTR)context);
}

static VOID NTAPI dereference(PVOID context)
{
    fdo_note("dereference %u; ", (unsigned)(ULONG_PTR)context);
}

static struct lamp_interface offered;
static NTSTATUS answer;

static NTSTATUS NTAPI process(WDFDEVICE device, GUID *asked, PINTERFACE exposed, PVOID data)
{
    struct lamp_interface *lamp = (struct lamp_interface *)exposed;
    assert_ptr_equal(device, fdo_device);
    assert_memory_equal(asked, &type, sizeof(type));
    fdo_note("process %u %u; ", lamp->brightness, (unsigned)(ULONG_PTR)data);
    lamp->brightness++;
    return answer;
}

static void configure(WDF_QUERY_INTERFACE_CONFIG *config, bool import)
{
    offered = (struct lamp_interface){{sizeof(offered), 2, (PVOID)5, reference, dereference}, 40};
    answer = STATUS_SUCCESS;
    WDF_QUERY_INTERFACE_CONFIG_INIT(config, &offered.header, &type, import ? process : NULL);
    config->ImportInterface = import;
}

static NTSTATUS ask(struct lamp_interface *lamp, USHORT size, USHORT version)
{
    return WdfFdoQueryForInterface(fdo_globals, fdo_device, &type, &lamp->header, size, version, (PVOID)3);
}

static void test_one_way(void **state)
{
    WDF_QUERY_INTERFACE_CONFIG config;
    struct lamp_interface lamp = {.brightness = 1};
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    assert_int_equal(ask(&lamp, sizeof(lamp), 2), STATUS_NOT_SUPPORTED);
    configure(&config, false);
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_SUCCESS);
    offered.brightness = 99; /* the framework has a copy */
    assert_int_equal(ask(&lamp, sizeof(lamp) - 1, 2), STATUS_INVALID_PARAMETER);
    assert_int_equal(ask(&lamp, sizeof(lamp), 1), STATUS_INVALID_PARAMETER);
    assert_int_equal(lamp.brightness, 1);
    fdo_record[0] = 0;
    assert_int_equal(ask(&lamp, sizeof(lamp), 2), STATUS_SUCCESS);
    assert_int_equal(lamp.brightness, 40);
    assert_ptr_equal(lamp.header.Context, (PVOID)5);
    assert_non_null(strstr(fdo_record, "reference 5; "));
    assert_int_equal(WdfFdoQueryForInterface(fdo_globals, fdo_device, &other, &lamp.header, sizeof(lamp), 2, NULL),
                     STATUS_NOT_SUPPORTED);
    fdo_end();
}

static void test_callback_modifies(void **state)
{
    WDF_QUERY_INTERFACE_CONFIG config;
    struct lamp_interface lamp = {.brightness = 1};
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    configure(&config, false);
    config.EvtDeviceProcessQueryInterfaceRequest = process;
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_SUCCESS);
    assert_int_equal(ask(&lamp, sizeof(lamp), 2), STATUS_SUCCESS);
    assert_non_null(strstr(fdo_record, "process 40 3; reference 5; "));
    assert_int_equal(lamp.brightness, 41);
    fdo_end();
}

/* The callback sees what the other driver brings; what it does not serve, those below may. */
static void test_two_ways(void **state)
{
    WDF_QUERY_INTERFACE_CONFIG config;
    struct lamp_interface lamp = {.brightness = 7};
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    configure(&config, true);
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_SUCCESS);
    assert_int_equal(ask(&lamp, sizeof(lamp), 3), STATUS_INVALID_PARAMETER);
    assert_int_equal(ask(&lamp, sizeof(lamp) + 1, 2), STATUS_INVALID_PARAMETER);
    assert_int_equal(ask(&lamp, sizeof(lamp), 1), STATUS_SUCCESS);
    assert_int_equal(lamp.brightness, 8);
    answer = STATUS_NOT_SUPPORTED;
    assert_int_equal(ask(&lamp, sizeof(lamp), 2), STATUS_NOT_SUPPORTED);
    answer = STATUS_ACCESS_DENIED;
    assert_int_equal(ask(&lamp, sizeof(lamp), 2), STATUS_ACCESS_DENIED);
    fdo_end();
}

static void test_refused(void **state)
{
    WDF_QUERY_INTERFACE_CONFIG config;
    struct lamp_interface lamp = {0};
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    configure(&config, false);
    config.Size--;
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_INFO_LENGTH_MISMATCH);
    configure(&config, false);
    config.InterfaceType = NULL;
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_INVALID_PARAMETER);
    configure(&config, false);
    config.Interface = NULL;
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_INVALID_PARAMETER);
    configure(&config, false);
    config.ImportInterface = TRUE;
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_INVALID_PARAMETER);
    configure(&config, false);
    offered.header.Size = sizeof(INTERFACE) - 1;
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_INVALID_PARAMETER);
    KIRQL irql = KfRaiseIrql(APC_LEVEL);
    NTSTATUS status = WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config);
    KeLowerIrql(irql);
    assert_int_equal(status, STATUS_INVALID_DEVICE_REQUEST);
    configure(&config, false);
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceAddQueryInterface(fdo_globals, fdo_device, &config), STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfFdoQueryForInterface(fdo_globals, fdo_device, NULL, &lamp.header, sizeof(lamp), 2, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfFdoQueryForInterface(fdo_globals, fdo_device, &type, NULL, sizeof(lamp), 2, NULL),
                     STATUS_INVALID_PARAMETER);
    fdo_end();
}

int run_query_interface_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_way),
        cmocka_unit_test(test_callback_modifies),
        cmocka_unit_test(test_two_ways),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("interfaces between drivers", tests, NULL, NULL);
}
