/* pnp_test.c - a device's life: added, started, stopped for new resources, removed, gone by surprise; the order of the
 * callbacks. */
#include "pnp_fixture.h"

#define UP       "prepare; D0 from 5; post from 5; io init; "
#define DOWN     "io suspend; pre to 5; exit to 5; release; "
#define THE_REST "io flush; io cleanup; "

static void test_add(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    DEVICE_OBJECT *wdm = WdfDeviceWdmGetDeviceObject(fdo_globals, fdo_device);
    assert_ptr_equal(fdo_pdo->AttachedDevice, wdm);
    assert_ptr_equal(WdfDeviceWdmGetAttachedDevice(fdo_globals, fdo_device), fdo_pdo);
    assert_ptr_equal(WdfDeviceWdmGetPhysicalDevice(fdo_globals, fdo_device), fdo_pdo);
    assert_int_equal(wdm->StackSize, fdo_pdo->StackSize + 1);
    assert_int_equal(wdm->Flags & (DO_DEVICE_INITIALIZING | DO_BUFFERED_IO | DO_DIRECT_IO | DO_POWER_PAGABLE),
                     DO_BUFFERED_IO | DO_POWER_PAGABLE);
    assert_int_equal(wdm->DeviceType, FILE_DEVICE_UNKNOWN);
    assert_int_equal(WdfDeviceGetDevicePnpState(fdo_globals, fdo_device), WdfDevStatePnpInit);
    fdo_expect("");
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("bus: remove; cleanup; destroy; ");
    fdo_unload();
}

static NTSTATUS fail_before(PWDFDEVICE_INIT init)
{
    UNREFERENCED_PARAMETER(init);
    return STATUS_INSUFFICIENT_RESOURCES;
}
static NTSTATUS fail_after(WDFDEVICE device)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
    assert_int_equal(WdfIoQueueCreate(fdo_globals, device, &config, NULL, NULL), STATUS_SUCCESS);
    return STATUS_ACCESS_DENIED;
}
static NTSTATUS succeed(PWDFDEVICE_INIT init)
{
    UNREFERENCED_PARAMETER(init);
    return STATUS_SUCCESS;
}

static void test_add_fails(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.before = fail_before;
    assert_int_equal(fdo_add(), STATUS_INSUFFICIENT_RESOURCES);
    fdo_behaviour.before = succeed;
    fdo_behaviour.no_device = true; /* a driver that does not want this device */
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_null(fdo_pdo->AttachedDevice);
    fdo_behaviour.no_device = false;
    fdo_behaviour.after = fail_after;
    assert_int_equal(fdo_add(), STATUS_ACCESS_DENIED);
    fdo_expect("cleanup; destroy; ");
    assert_null(fdo_pdo->AttachedDevice);
    fdo_behaviour.after = NULL;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    fdo_end();
}

static void test_start_and_remove(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    fdo_expect("bus: start; " UP);
    assert_int_equal(WdfDeviceGetDevicePnpState(fdo_globals, fdo_device), WdfDevStatePnpStarted);
    assert_int_equal(WdfDeviceGetDevicePowerState(fdo_globals, fdo_device), WdfDevStatePowerD0);
    assert_int_equal(WdfDeviceGetDevicePowerPolicyState(fdo_globals, fdo_device), WdfDevStatePwrPolStarted);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_INVALID_DEVICE_STATE);
    fdo_expect("");
    assert_int_equal(fdo_send(IRP_MN_QUERY_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("may go; bus: query remove; ");
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect(DOWN THE_REST "bus: remove; cleanup; destroy; ");
    fdo_unload();
}

static void test_stop_and_restart(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    assert_int_equal(fdo_send(IRP_MN_QUERY_STOP_DEVICE), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceGetDevicePnpState(fdo_globals, fdo_device), WdfDevStatePnpQueryStopPending);
    assert_int_equal(fdo_send(IRP_MN_CANCEL_STOP_DEVICE), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceGetDevicePnpState(fdo_globals, fdo_device), WdfDevStatePnpStarted);
    fdo_expect("may stop; bus: query stop; bus: cancel stop; ");
    assert_int_equal(fdo_send(IRP_MN_QUERY_STOP_DEVICE), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_STOP_DEVICE), STATUS_SUCCESS);
    fdo_expect("may stop; bus: query stop; " DOWN "bus: stop; ");
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    fdo_expect("bus: start; prepare; D0 from 5; post from 5; io restart; ");
    assert_int_equal(fdo_send(IRP_MN_STOP_DEVICE), STATUS_SUCCESS);
    fdo_record[0] = 0;
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect(THE_REST "bus: remove; cleanup; destroy; ");
    fdo_unload();
}

static void test_surprise(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    assert_int_equal(fdo_send(IRP_MN_SURPRISE_REMOVAL), STATUS_SUCCESS);
    fdo_expect("surprise; " DOWN "io flush; bus: surprise; ");
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("io cleanup; bus: remove; cleanup; destroy; ");
    fdo_unload();
}

static void test_surprise_in_low_power(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    fdo_expect("io suspend; pre to 4; exit to 4; bus: D3; ");
    assert_int_equal(fdo_send(IRP_MN_SURPRISE_REMOVAL), STATUS_SUCCESS);
    fdo_expect("surprise; release; io flush; bus: surprise; ");
    fdo_end();
}

static void test_surprise_before_start(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_SURPRISE_REMOVAL), STATUS_SUCCESS);
    fdo_expect("surprise; bus: surprise; ");
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("bus: remove; cleanup; destroy; ");
    fdo_unload();
}

/* The driver refuses, in each of the ways that there are. */
static void test_refusals(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    fdo_behaviour.fails = "may go";
    assert_int_equal(fdo_send(IRP_MN_QUERY_REMOVE_DEVICE), STATUS_UNSUCCESSFUL);
    assert_int_equal(fdo_send(IRP_MN_CANCEL_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("may go; bus: cancel remove; ");
    fdo_behaviour.fails = "may stop";
    assert_int_equal(fdo_send(IRP_MN_QUERY_STOP_DEVICE), STATUS_UNSUCCESSFUL);
    fdo_expect("may stop; ");
    fdo_behaviour.fails = NULL;
    WdfDeviceSetStaticStopRemove(fdo_globals, fdo_device, FALSE);
    assert_int_equal(fdo_send(IRP_MN_QUERY_REMOVE_DEVICE), STATUS_UNSUCCESSFUL);
    assert_int_equal(fdo_send(IRP_MN_QUERY_STOP_DEVICE), STATUS_UNSUCCESSFUL);
    fdo_expect("");
    WdfDeviceSetStaticStopRemove(fdo_globals, fdo_device, TRUE);
    assert_int_equal(fdo_send(IRP_MN_QUERY_REMOVE_DEVICE), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_CANCEL_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("may go; bus: query remove; bus: cancel remove; ");
    fdo_end();
}

/* ---- the machines ---- */

static VOID NTAPI pnp_state(WDFDEVICE device, const WDF_DEVICE_PNP_NOTIFICATION_DATA *data)
{
    UNREFERENCED_PARAMETER(device);
    if (data->Type == StateNotificationPostProcessState)
        fdo_note("processed %x; ", data->Data.PostProcessState.CurrentState);
    else
        fdo_note("%s %x %x; ", data->Type == StateNotificationEnterState ? "enter" : "leave",
                 data->Data.EnterState.CurrentState, data->Data.EnterState.NewState);
}
static VOID NTAPI power_state(WDFDEVICE device, const WDF_DEVICE_POWER_NOTIFICATION_DATA *data)
{
    UNREFERENCED_PARAMETER(device);
    fdo_note("power %x to %x; ", data->Data.EnterState.CurrentState, data->Data.EnterState.NewState);
}
static VOID NTAPI policy_state(WDFDEVICE device, const WDF_DEVICE_POWER_POLICY_NOTIFICATION_DATA *data)
{
    UNREFERENCED_PARAMETER(device);
    fdo_note("policy %x to %x; ", data->Data.EnterState.CurrentState, data->Data.EnterState.NewState);
}

static NTSTATUS watch_states(PWDFDEVICE_INIT init)
{
    assert_int_equal(WdfDeviceInitRegisterPnpStateChangeCallback(fdo_globals, init, WdfDevStatePnpStarted, pnp_state,
                                                                 StateNotificationAllStates),
                     STATUS_SUCCESS);
    assert_int_equal(WdfDeviceInitRegisterPowerStateChangeCallback(fdo_globals, init, WdfDevStatePowerD0, power_state,
                                                                   StateNotificationEnterState),
                     STATUS_SUCCESS);
    assert_int_equal(WdfDeviceInitRegisterPowerPolicyStateChangeCallback(fdo_globals, init, WdfDevStatePwrPolStarted,
                                                                         policy_state, StateNotificationEnterState),
                     STATUS_SUCCESS);
    assert_int_equal(
        WdfDeviceInitRegisterPnpStateChangeCallback(fdo_globals, init, WdfDevStatePnpStarted, pnp_state, 8),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfDeviceInitRegisterPnpStateChangeCallback(fdo_globals, init, WdfDevStatePnpInvalid, pnp_state,
                                                                 StateNotificationEnterState),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfDeviceInitRegisterPowerStateChangeCallback(fdo_globals, init,
                                                                   (WDF_DEVICE_POWER_STATE)WdfDevStatePnpStarted,
                                                                   power_state, StateNotificationEnterState),
                     STATUS_INVALID_PARAMETER);
    return STATUS_SUCCESS;
}

static void test_states(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.before = watch_states;
    fdo_behaviour.quiet = true;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    fdo_expect("bus: start; power 313 to 307; policy 502 to 565; enter 109 119; processed 119; ");
    assert_int_equal(fdo_send(IRP_MN_STOP_DEVICE), STATUS_SUCCESS);
    fdo_expect("leave 119 120; bus: stop; ");
    fdo_end();
}

int run_pnp_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_add_fails),
        cmocka_unit_test(test_start_and_remove),
        cmocka_unit_test(test_stop_and_restart),
        cmocka_unit_test(test_surprise),
        cmocka_unit_test(test_surprise_in_low_power),
        cmocka_unit_test(test_surprise_before_start),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_states),
    };
    return cmocka_run_group_tests_name("kmdf pnp", tests, NULL, NULL);
}
