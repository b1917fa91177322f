/* power_test.c - power requests of drivers. */
#include "pnp_test.h"

static struct {
    ULONG calls;
    DEVICE_OBJECT *device;
    UCHAR minor;
    DEVICE_POWER_STATE state;
    NTSTATUS status;
} told;
static KEVENT told_event;

static VOID NTAPI on_complete(DEVICE_OBJECT *device, UCHAR minor, POWER_STATE state, PVOID context,
                              IO_STATUS_BLOCK *block)
{
    assert_ptr_equal(context, &told);
    told.calls++;
    told.device = device;
    told.minor = minor;
    told.state = state.DeviceState;
    told.status = block->Status;
    KeSetEvent(&told_event, 0, FALSE);
}

static void request(UCHAR minor, DEVICE_POWER_STATE state, NTSTATUS expected)
{
    LARGE_INTEGER patience = {.QuadPart = -100000000};
    memset(&told, 0, sizeof(told));
    KeInitializeEvent(&told_event, NotificationEvent, FALSE);
    assert_int_equal(
        PoRequestPowerIrp(driver_pdo, minor, (POWER_STATE){.DeviceState = state}, on_complete, &told, NULL),
        STATUS_PENDING);
    assert_int_equal(KeWaitForSingleObject(&told_event, Executive, KernelMode, FALSE, &patience), STATUS_SUCCESS);
    assert_int_equal(told.calls, 1);
    assert_ptr_equal(told.device, driver_pdo);
    assert_int_equal(told.minor, minor);
    assert_int_equal(told.state, state);
    assert_int_equal(told.status, expected);
}

static void requests_reach_the_bus(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    request(IRP_MN_QUERY_POWER, PowerDeviceD3, STATUS_SUCCESS);
    request(IRP_MN_SET_POWER, PowerDeviceD3, STATUS_SUCCESS);
    request(IRP_MN_SET_POWER, PowerDeviceD0, STATUS_SUCCESS);
    request(IRP_MN_WAIT_WAKE, (DEVICE_POWER_STATE)PowerSystemSleeping3, STATUS_NOT_SUPPORTED);
    assert_int_equal(PoRequestPowerIrp(driver_pdo, IRP_MN_POWER_SEQUENCE, (POWER_STATE){.DeviceState = PowerDeviceD0},
                                       NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER_2);
    driver_end();
}

static void a_request_above_passive_level(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KIRQL irql;
    LARGE_INTEGER patience = {.QuadPart = -100000000};
    driver_start();
    KeInitializeEvent(&told_event, NotificationEvent, FALSE);
    irql = KfRaiseIrql(DISPATCH_LEVEL);
    assert_int_equal(PoRequestPowerIrp(driver_fdo, IRP_MN_SET_POWER, (POWER_STATE){.DeviceState = PowerDeviceD0},
                                       on_complete, &told, NULL),
                     STATUS_PENDING);
    KeLowerIrql(irql);
    assert_int_equal(KeWaitForSingleObject(&told_event, Executive, KernelMode, FALSE, &patience), STATUS_SUCCESS);
    assert_int_equal(told.status, STATUS_SUCCESS);
    driver_end();
}

static void states_are_noted(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    POWER_STATE before = PoSetPowerState(driver_fdo, DevicePowerState, (POWER_STATE){.DeviceState = PowerDeviceD0});
    assert_int_equal(before.DeviceState, PowerDeviceUnspecified);
    before = PoSetPowerState(driver_fdo, DevicePowerState, (POWER_STATE){.DeviceState = PowerDeviceD3});
    assert_int_equal(before.DeviceState, PowerDeviceD0);
    PULONG idle = PoRegisterDeviceForIdleDetection(driver_pdo, 10, 20, PowerDeviceD3);
    assert_non_null(idle);
    PoSetDeviceBusyEx(idle);
    assert_null(PoRegisterDeviceForIdleDetection(driver_pdo, 0, 0, PowerDeviceD3));
    PVOID system = PoRegisterSystemState(NULL, 1);
    assert_non_null(system);
    assert_ptr_equal(PoRegisterSystemState(system, 2), system);
    PoUnregisterSystemState(system);
    driver_end();
}

static ULONG setting_value = 7, setting_calls;

static NTSTATUS NTAPI on_setting(const GUID *setting, PVOID value, ULONG length, PVOID context)
{
    assert_int_equal(length, sizeof(ULONG));
    assert_memory_equal(setting, context, sizeof(GUID));
    setting_value = *(ULONG *)value;
    setting_calls++;
    return STATUS_SUCCESS;
}

static void settings_are_told_at_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const GUID source = {0x5d3e9a59, 0xe9d5, 0x4b00, {0xa6, 0xbd, 0xff, 0x34, 0xff, 0x51, 0x65, 0x48}};
    static const GUID nothing = {0x5d3e9a59, 0xe9d5, 0x4b00, {1}};
    PVOID handle, other;
    driver_load();
    setting_calls = 0;
    assert_int_equal(PoRegisterPowerSettingCallback(NULL, &source, on_setting, (PVOID)&source, &handle),
                     STATUS_SUCCESS);
    assert_int_equal(setting_calls, 1);
    assert_int_equal(setting_value, 0); /* PoAc */
    assert_int_equal(PoRegisterPowerSettingCallback(NULL, &nothing, on_setting, (PVOID)&nothing, &other),
                     STATUS_SUCCESS);
    assert_int_equal(setting_calls, 1);
    assert_int_equal(io_leaks(NULL, NULL), 2); /* a driver that forgets them hears of it */
    assert_int_equal(PoUnregisterPowerSettingCallback(handle), STATUS_SUCCESS);
    assert_int_equal(PoUnregisterPowerSettingCallback(other), STATUS_SUCCESS);
    driver_end();
}

int run_power_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests_reach_the_bus),
                                       cmocka_unit_test(a_request_above_passive_level),
                                       cmocka_unit_test(states_are_noted), cmocka_unit_test(settings_are_told_at_once)};
    return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
