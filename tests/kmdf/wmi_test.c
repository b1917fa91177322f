/* wmi_test.c - WMI providers and instances of a function driver: what can be made, asked and registered. */
#include "pnp_fixture.h"

static const GUID block = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}}, other = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 12}};
static const WDF_OBJECT_CONTEXT_TYPE_INFO type = {sizeof(type), "Data", 8, &type, NULL};

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    return 0;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_end();
    return 0;
}

static NTSTATUS create(const GUID *guid, ULONG flags, WDFWMIPROVIDER *provider)
{
    WDF_WMI_PROVIDER_CONFIG config;
    WDF_WMI_PROVIDER_CONFIG_INIT(&config, guid);
    config.Flags = flags;
    return WdfWmiProviderCreate(fdo_globals, fdo_device, &config, NULL, provider);
}

static WDFOBJECT to_delete;
static void delete_provider(void)
{
    WdfObjectDelete(fdo_globals, to_delete);
}

static void test_provider(void **state)
{
    WDF_WMI_PROVIDER_CONFIG config;
    WDFWMIPROVIDER provider, again;
    WDF_OBJECT_ATTRIBUTES attributes;
    UNREFERENCED_PARAMETER(state);
    WDF_WMI_PROVIDER_CONFIG_INIT(&config, &block);
    config.Size--;
    assert_int_equal(WdfWmiProviderCreate(fdo_globals, fdo_device, &config, NULL, &provider),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(create(&block, 8, &provider), STATUS_INVALID_PARAMETER);
    assert_int_equal(create(&block, WdfWmiProviderTracing | WdfWmiProviderExpensive, &provider),
                     STATUS_INVALID_PARAMETER);
    config.Size++;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = fdo_device;
    assert_int_equal(WdfWmiProviderCreate(fdo_globals, fdo_device, &config, &attributes, &provider),
                     STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED);
    assert_null(provider);
    assert_int_equal(create(&block, WdfWmiProviderTracing, &provider), STATUS_SUCCESS);
    assert_int_equal(create(&block, 0, &again), STATUS_OBJECT_NAME_EXISTS);
    assert_null(again);
    assert_int_equal(create(&other, 0, &again), STATUS_SUCCESS);
    assert_ptr_equal(WdfWmiProviderGetDevice(fdo_globals, provider), fdo_device);
    assert_false(WdfWmiProviderIsEnabled(fdo_globals, provider, WdfWmiEventControl));
    assert_true(WdfWmiProviderGetTracingHandle(fdo_globals, provider) == 0);
    to_delete = (WDFOBJECT)provider;
    struct bugcheck_result stop = bugcheck_of(delete_provider);
    assert_int_equal(stop.code, 0x10D);
    assert_int_equal(stop.parameters[0], 7);
}

/* A control device has no data blocks. */
static void test_control_device(void **state)
{
    static UNICODE_STRING sddl = {4, 4, (PWCH)L"D:"};
    WDF_WMI_PROVIDER_CONFIG config;
    WDFWMIPROVIDER provider;
    WDFDEVICE device;
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(fdo_globals, fdo_wdf_driver, &sddl);
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfDeviceCreate(fdo_globals, &init, NULL, &device), STATUS_SUCCESS);
    WDF_WMI_PROVIDER_CONFIG_INIT(&config, &block);
    assert_int_equal(WdfWmiProviderCreate(fdo_globals, device, &config, NULL, &provider),
                     STATUS_INVALID_DEVICE_REQUEST);
    WdfObjectDelete(fdo_globals, device);
}

static NTSTATUS NTAPI on_query(WDFWMIINSTANCE instance, ULONG size, PVOID buffer, PULONG used)
{
    UNREFERENCED_PARAMETER(instance);
    UNREFERENCED_PARAMETER(size);
    UNREFERENCED_PARAMETER(buffer);
    UNREFERENCED_PARAMETER(used);
    return STATUS_SUCCESS;
}

static void test_instance(void **state)
{
    WDF_WMI_PROVIDER_CONFIG provider_config;
    WDF_WMI_INSTANCE_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFWMIPROVIDER provider;
    WDFWMIINSTANCE instance, second;
    ULONG data = 5;
    UNREFERENCED_PARAMETER(state);
    WDF_WMI_PROVIDER_CONFIG_INIT(&provider_config, &block);
    WDF_WMI_INSTANCE_CONFIG_INIT_PROVIDER_CONFIG(&config, NULL);
#define CREATE(attributes, out) WdfWmiInstanceCreate(fdo_globals, fdo_device, &config, attributes, out)
    assert_int_equal(CREATE(NULL, &instance), STATUS_INVALID_PARAMETER);
    WDF_WMI_INSTANCE_CONFIG_INIT_PROVIDER_CONFIG(&config, &provider_config);
    config.Size--;
    assert_int_equal(CREATE(NULL, &instance), STATUS_INFO_LENGTH_MISMATCH);
    config.Size++;
    config.EvtWmiInstanceQueryInstance = on_query;
    assert_int_equal(CREATE(NULL, &instance), STATUS_SUCCESS);
    assert_ptr_equal(WdfWmiInstanceGetDevice(fdo_globals, instance), fdo_device);
    provider = WdfWmiInstanceGetProvider(fdo_globals, instance);
    assert_ptr_equal(WdfWmiProviderGetDevice(fdo_globals, provider), fdo_device);
    assert_int_equal(CREATE(NULL, &second), STATUS_OBJECT_NAME_EXISTS); /* the provider would be a second one */
    assert_null(second);
    WDF_WMI_INSTANCE_CONFIG_INIT_PROVIDER(&config, provider);
    config.Register = TRUE;
    assert_int_equal(WdfWmiInstanceCreate(fdo_globals, NULL, &config, NULL, &second), STATUS_SUCCESS);
    assert_int_equal(WdfWmiInstanceRegister(fdo_globals, second), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(WdfWmiInstanceRegister(fdo_globals, instance), STATUS_SUCCESS);
    assert_int_equal(WdfWmiInstanceRegister(fdo_globals, instance), STATUS_INVALID_DEVICE_REQUEST);
    WdfWmiInstanceDeregister(fdo_globals, instance);
    assert_int_equal(WdfWmiInstanceRegister(fdo_globals, instance), STATUS_SUCCESS);
    assert_int_equal(WdfWmiInstanceFireEvent(fdo_globals, instance, sizeof(data), &data), STATUS_SUCCESS);
    WdfObjectDelete(fdo_globals, second);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    config.UseContextForQuery = TRUE;
    assert_int_equal(CREATE(&attributes, NULL), STATUS_INVALID_PARAMETER); /* it has none */
    attributes.ContextTypeInfo = &type;
    attributes.ContextSizeOverride = 0x100000000;
    assert_int_equal(CREATE(&attributes, NULL), STATUS_INTEGER_OVERFLOW);
    attributes.ContextSizeOverride = 0;
    config.EvtWmiInstanceQueryInstance = on_query;
    assert_int_equal(CREATE(&attributes, NULL), STATUS_INVALID_PARAMETER);
    config.EvtWmiInstanceQueryInstance = NULL;
    assert_int_equal(CREATE(&attributes, NULL), STATUS_SUCCESS);
    attributes.ParentObject = fdo_device;
    assert_int_equal(CREATE(&attributes, NULL), STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED);
#undef CREATE
}

/* An instance that cannot be made leaves no provider of its own behind. */
static void test_instance_fails(void **state)
{
    WDF_WMI_PROVIDER_CONFIG provider_config;
    WDF_WMI_INSTANCE_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFWMIPROVIDER provider;
    UNREFERENCED_PARAMETER(state);
    WDF_WMI_PROVIDER_CONFIG_INIT(&provider_config, &block);
    WDF_WMI_INSTANCE_CONFIG_INIT_PROVIDER_CONFIG(&config, &provider_config);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = fdo_device;
    assert_int_equal(WdfWmiInstanceCreate(fdo_globals, fdo_device, &config, &attributes, NULL),
                     STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED);
    assert_int_equal(create(&block, 0, &provider), STATUS_SUCCESS);
}

static void test_mof(void **state)
{
    static UNICODE_STRING name = {8, 8, (PWCH)L"Data"};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfDeviceAssignMofResourceName(fdo_globals, fdo_device, &name), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceAssignMofResourceName(fdo_globals, fdo_device, &name), STATUS_INVALID_DEVICE_REQUEST);
}

int run_wmi_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_provider), LOADED(test_control_device), LOADED(test_instance),
                                       LOADED(test_instance_fails), LOADED(test_mof)};
    return cmocka_run_group_tests_name("kmdf WMI", tests, NULL, NULL);
}
