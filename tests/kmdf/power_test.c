/* power_test.c - power requests: into D0 and out of it, the system's as the owner of power policy answers them, idle
 * and wake settings. */
#include "pnp_fixture.h"

#define TO_D3   "io suspend; pre to 4; exit to 4; bus: D3; "
#define FROM_D3 "bus: D0; D0 from 4; post from 4; io restart; "

static void test_device_power(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    fdo_expect(TO_D3);
    assert_int_equal(WdfDeviceGetDevicePowerState(fdo_globals, fdo_device), WdfDevStatePowerDx);
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    fdo_expect("bus: D3; ");
    assert_int_equal(fdo_set_device_power(PowerDeviceD0), STATUS_SUCCESS);
    fdo_expect(FROM_D3);
    assert_int_equal(WdfDeviceGetDevicePowerState(fdo_globals, fdo_device), WdfDevStatePowerD0);
    assert_int_equal(fdo_set_device_power(PowerDeviceD0), STATUS_SUCCESS);
    fdo_expect("bus: D0; ");
    assert_int_equal(fdo_send_irp(IRP_MJ_POWER, IRP_MN_QUERY_POWER, NULL, NULL), STATUS_SUCCESS);
    fdo_end();
}

static void test_before_start(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(fdo_set_device_power(PowerDeviceD0), STATUS_SUCCESS);
    fdo_expect("bus: D0; ");
    fdo_end();
}

/* The device is removed from its low-power state as it is. */
static void test_remove_in_low_power(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    assert_int_equal(fdo_set_device_power(PowerDeviceD2), STATUS_SUCCESS);
    fdo_expect("io suspend; pre to 3; exit to 3; bus: D2; ");
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("release; io flush; io cleanup; bus: remove; cleanup; destroy; ");
    fdo_unload();
}

/* A driver that cannot follow does not fail the request; its device has failed. */
static void test_failures(void **state)
{
    ULONG_PTR flags;
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    fdo_record[0] = 0;
    fdo_behaviour.fails = "entry";
    assert_int_equal(fdo_set_device_power(PowerDeviceD0), STATUS_SUCCESS);
    fdo_expect("bus: D0; D0 from 4; ");
    assert_int_equal(fdo_send_irp(IRP_MJ_PNP, IRP_MN_QUERY_PNP_DEVICE_STATE, NULL, &flags), STATUS_SUCCESS);
    assert_int_equal(flags, PNP_DEVICE_FAILED);
    assert_int_equal(fdo_send(IRP_MN_SURPRISE_REMOVAL), STATUS_SUCCESS);
    fdo_expect("bus: state; surprise; release; io flush; bus: surprise; ");
    fdo_end();
}

static WORK_QUEUE_ITEM item;
static VOID NTAPI set_event(PVOID event)
{
    KeSetEvent(event, 0, FALSE);
}

/* Above PASSIVE_LEVEL a worker does it. */
static void test_at_dispatch_level(void **state)
{
    struct fdo_sent sent;
    KEVENT done;
    KIRQL irql;
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    DEVICE_OBJECT *top = IoGetAttachedDevice(fdo_pdo);
    fdo_request(&sent, IRP_MJ_POWER, 0); /* minor function 0 waits for a wake signal: passed on at once */
    KeLowerIrql(irql);
    item = (WORK_QUEUE_ITEM){.WorkerRoutine = set_event, .Parameter = &done};
    while (!__atomic_load_n(&sent.completed, __ATOMIC_SEQ_CST)) { /* each turn lets the worker do what came before */
        KeClearEvent(&done);
        ExQueueWorkItem(&item, DelayedWorkQueue);
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    }
    assert_non_null(top);
    fdo_gone(&sent, STATUS_SUCCESS);
    fdo_end();
}

/* ---- the system ---- */

static SYSTEM_POWER_STATE system_state;
static POWER_ACTION action;
static void fill_system(IO_STACK_LOCATION *stack)
{
    stack->Parameters.Power.Type = SystemPowerState;
    stack->Parameters.Power.State.SystemState = system_state;
    stack->Parameters.Power.ShutdownType = action;
}
static void set_system(SYSTEM_POWER_STATE to, POWER_ACTION why)
{
    system_state = to;
    action = why;
    assert_int_equal(fdo_send_irp(IRP_MJ_POWER, IRP_MN_SET_POWER, fill_system, NULL), STATUS_SUCCESS);
}

static void test_system_sleeps(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    assert_int_equal(WdfDeviceGetSystemPowerAction(fdo_globals, fdo_device), PowerActionNone);
    set_system(PowerSystemSleeping3, PowerActionSleep);
    fdo_expect("bus: S3; " TO_D3);
    assert_int_equal(WdfDeviceGetSystemPowerAction(fdo_globals, fdo_device), PowerActionSleep);
    set_system(PowerSystemWorking, PowerActionSleep);
    fdo_expect("bus: S0; " FROM_D3);
    assert_int_equal(WdfDeviceGetSystemPowerAction(fdo_globals, fdo_device), PowerActionNone);
    set_system(PowerSystemShutdown, PowerActionShutdown);
    fdo_expect("bus: S5; io suspend; pre to 5; exit to 5; bus: D3; ");
    fdo_end();
}

static NTSTATUS not_owner(PWDFDEVICE_INIT init)
{
    WdfDeviceInitSetPowerPolicyOwnership(fdo_globals, init, FALSE);
    return STATUS_SUCCESS;
}

static void test_not_owner(void **state)
{
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS idle;
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.before = not_owner;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    fdo_record[0] = 0;
    set_system(PowerSystemSleeping3, PowerActionSleep);
    fdo_expect("bus: S3; ");
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_INIT(&idle, IdleCannotWakeFromS0);
    assert_int_equal(WdfDeviceAssignS0IdleSettings(fdo_globals, fdo_device, &idle), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(WdfDeviceStopIdleNoTrack(fdo_globals, fdo_device, FALSE), STATUS_INVALID_DEVICE_STATE);
    fdo_end();
}

/* ---- settings ---- */

static void test_settings(void **state)
{
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS idle;
    WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS wake;
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_INIT(&idle, IdleCannotWakeFromS0);
    assert_int_equal(idle.DxState, PowerDeviceD3);
    assert_int_equal(WdfDeviceAssignS0IdleSettings(fdo_globals, fdo_device, &idle), STATUS_SUCCESS);
    idle.Size--;
    assert_int_equal(WdfDeviceAssignS0IdleSettings(fdo_globals, fdo_device, &idle), STATUS_INFO_LENGTH_MISMATCH);
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_INIT(&idle, IdleCannotWakeFromS0);
    idle.DxState = PowerDeviceD0;
    assert_int_equal(WdfDeviceAssignS0IdleSettings(fdo_globals, fdo_device, &idle), STATUS_POWER_STATE_INVALID);
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_INIT(&idle, IdleCapsInvalid);
    assert_int_equal(WdfDeviceAssignS0IdleSettings(fdo_globals, fdo_device, &idle), STATUS_INVALID_PARAMETER);
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_INIT(&idle, IdleCanWakeFromS0); /* the bus says that it cannot */
    assert_int_equal(WdfDeviceAssignS0IdleSettings(fdo_globals, fdo_device, &idle), STATUS_POWER_STATE_INVALID);
    WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS_INIT(&wake);
    assert_int_equal(WdfDeviceAssignSxWakeSettings(fdo_globals, fdo_device, &wake), STATUS_POWER_STATE_INVALID);
    wake.Size--;
    assert_int_equal(WdfDeviceAssignSxWakeSettings(fdo_globals, fdo_device, &wake), STATUS_INFO_LENGTH_MISMATCH);
    WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS_INIT(&wake);
    wake.UserControlOfWakeSettings = WakeUserControlInvalid;
    assert_int_equal(WdfDeviceAssignSxWakeSettings(fdo_globals, fdo_device, &wake), STATUS_INVALID_PARAMETER);
    fdo_end();
}

static void test_idle_references(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceStopIdleNoTrack(fdo_globals, fdo_device, FALSE), STATUS_POWER_STATE_INVALID);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    struct kmdf_device *device = (struct kmdf_device *)kmdf_handle_find(fdo_device);
    assert_int_equal(WdfDeviceStopIdleNoTrack(fdo_globals, fdo_device, TRUE), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceStopIdleActual(fdo_globals, fdo_device, TRUE, NULL, 1, "here"), STATUS_SUCCESS);
    assert_int_equal(device->pnp.idle_references, 2);
    WdfDeviceResumeIdleNoTrack(fdo_globals, fdo_device);
    WdfDeviceResumeIdleActual(fdo_globals, fdo_device, NULL, 1, "here");
    WdfDeviceResumeIdleNoTrack(fdo_globals, fdo_device); /* one too many */
    assert_int_equal(device->pnp.idle_references, 0);
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceStopIdleNoTrack(fdo_globals, fdo_device, FALSE), STATUS_PENDING);
    WdfDeviceResumeIdleNoTrack(fdo_globals, fdo_device);
    fdo_end();
}

static NTSTATUS inrush(PWDFDEVICE_INIT init)
{
    WdfDeviceInitSetPowerInrush(fdo_globals, init);
    return STATUS_SUCCESS;
}
static NTSTATUS not_pageable(PWDFDEVICE_INIT init)
{
    WdfDeviceInitSetPowerPageable(fdo_globals, init);
    WdfDeviceInitSetPowerNotPageable(fdo_globals, init);
    return STATUS_SUCCESS;
}

static void test_flags(void **state)
{
    const ULONG flags = DO_POWER_PAGABLE | DO_POWER_INRUSH;
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.before = inrush;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceWdmGetDeviceObject(fdo_globals, fdo_device)->Flags & flags, DO_POWER_INRUSH);
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_behaviour.before = not_pageable;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceWdmGetDeviceObject(fdo_globals, fdo_device)->Flags & flags, 0);
    fdo_end();
}

int run_power_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device_power),    cmocka_unit_test(test_before_start),
        cmocka_unit_test(test_failures),        cmocka_unit_test(test_remove_in_low_power),
        cmocka_unit_test(test_system_sleeps),   cmocka_unit_test(test_at_dispatch_level),
        cmocka_unit_test(test_not_owner),       cmocka_unit_test(test_settings),
        cmocka_unit_test(test_idle_references), cmocka_unit_test(test_flags),
    };
    return cmocka_run_group_tests_name("kmdf power", tests, NULL, NULL);
}
