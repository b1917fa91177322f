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

int run_power_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests_reach_the_bus),
                                       cmocka_unit_test(a_request_above_passive_level),
                                       cmocka_unit_test(states_are_noted)};
    return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
