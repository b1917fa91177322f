/* pnp_failure_test.c - starts that fail, at each point where they can, and what is undone then. */
#include "pnp_fixture.h"
#include "mm.h"
#include "wdk/pnp.h"

static void check_start(const char *fails, const char *record, const char *removal)
{
    fdo_load();
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    fdo_behaviour.fails = fails;
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_UNSUCCESSFUL);
    fdo_expect(record);
    assert_int_equal(WdfDeviceGetDevicePnpState(fdo_globals, fdo_device), WdfDevStatePnpFailedWaitForRemove);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect(removal);
    fdo_unload();
}

static void test_prepare(void **state)
{
    UNREFERENCED_PARAMETER(state);
    check_start("prepare", "bus: start; prepare; release; ", "bus: remove; cleanup; destroy; ");
}
static void test_entry(void **state)
{
    UNREFERENCED_PARAMETER(state);
    check_start("entry", "bus: start; prepare; D0 from 5; release; ", "bus: remove; cleanup; destroy; ");
}
static void test_post(void **state)
{
    UNREFERENCED_PARAMETER(state);
    check_start("post", "bus: start; prepare; D0 from 5; post from 5; exit to 5; release; ",
                "bus: remove; cleanup; destroy; ");
}
static void test_init(void **state)
{
    UNREFERENCED_PARAMETER(state);
    check_start("io init",
                "bus: start; prepare; D0 from 5; post from 5; io init; pre to 5; exit to 5; release; io flush; ",
                "io cleanup; bus: remove; cleanup; destroy; ");
}

static void test_bus(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    fdo_behaviour.bus_refuses = IRP_MN_START_DEVICE;
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_UNSUCCESSFUL);
    fdo_expect("bus: start; ");
    fdo_end();
}

/* A device that has worked fails on its second way up. */
static void test_restart(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    assert_int_equal(fdo_send(IRP_MN_STOP_DEVICE), STATUS_SUCCESS);
    fdo_record[0] = 0;
    fdo_behaviour.fails = "io restart";
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_UNSUCCESSFUL);
    fdo_expect("bus: start; prepare; D0 from 5; post from 5; io restart; pre to 5; exit to 5; release; io flush; ");
    fdo_behaviour.fails = NULL;
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("io cleanup; bus: remove; cleanup; destroy; ");
    fdo_unload();
}

/* On the way down nothing stops the framework. */
static void test_way_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    fdo_behaviour.fails = "exit";
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("io suspend; pre to 5; exit to 5; release; io flush; io cleanup; bus: remove; cleanup; destroy; ");
    fdo_unload();
}

/* ---- memory is short ---- */

static int countdown;

static bool refuse(enum mm_want want)
{
    UNREFERENCED_PARAMETER(want);
    return countdown-- == 0;
}

static VOID NTAPI state_changed(WDFDEVICE device, const WDF_DEVICE_PNP_NOTIFICATION_DATA *data)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(data);
}

static NTSTATUS NTAPI see(WDFDEVICE device, PIRP irp)
{
    irp->CurrentLocation++;
    irp->Tail.Overlay.CurrentStackLocation++;
    return WdfDeviceWdmDispatchPreprocessedIrp(fdo_globals, device, irp);
}

static NTSTATUS prepare_much(PWDFDEVICE_INIT init)
{
    UCHAR minor = IRP_MN_QUERY_CAPABILITIES;
    NTSTATUS status = WdfDeviceInitRegisterPnpStateChangeCallback(fdo_globals, init, WdfDevStatePnpStarted,
                                                                  state_changed, StateNotificationEnterState);
    return NT_SUCCESS(status)
               ? WdfDeviceInitAssignWdmIrpPreprocessCallback(fdo_globals, init, see, IRP_MJ_PNP, &minor, 1)
               : status;
}

static NTSTATUS make_much(WDFDEVICE device)
{
    static const GUID guid = {1, 2, 3, {4}};
    static INTERFACE offered = {.Size = sizeof(offered)};
    WDF_IO_QUEUE_CONFIG config;
    WDF_QUERY_INTERFACE_CONFIG query;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchManual);
    NTSTATUS status = WdfIoQueueCreate(fdo_globals, device, &config, NULL, NULL);
    WDF_QUERY_INTERFACE_CONFIG_INIT(&query, &offered, &guid, NULL);
    return NT_SUCCESS(status) ? WdfDeviceAddQueryInterface(fdo_globals, device, &query) : status;
}

/* AddDevice with each of its allocations refused in turn: it fails, and the next time all is as before. */
static void test_short_of_memory(void **state)
{
    NTSTATUS status;
    int which = 0;
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.before = prepare_much;
    fdo_behaviour.after = make_much;
    fdo_behaviour.short_of = true;
    do {
        SIZE_T kernel = mm_pool_bytes_in_use(MM_POOL_KERNEL), driver = mm_pool_bytes_in_use(MM_POOL_DRIVER);
        countdown = which++;
        mm_short = refuse;
        status = fdo_add();
        mm_short = NULL;
        if (countdown < 0)
            assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
        else
            assert_int_equal(status, STATUS_SUCCESS);
        if (NT_SUCCESS(status))
            continue;
        assert_null(fdo_pdo->AttachedDevice);
        assert_null(fdo_driver->DeviceObject);
        assert_int_equal(mm_pool_bytes_in_use(MM_POOL_KERNEL), kernel);
        assert_int_equal(mm_pool_bytes_in_use(MM_POOL_DRIVER), driver);
    } while (!NT_SUCCESS(status) && which < 100);
    assert_int_equal(status, STATUS_SUCCESS);
    assert_true(which > 5);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    fdo_end();
}

/* The same for the start; its first allocation is the IRP, the test's own. */
static void test_start_short_of_memory(void **state)
{
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    UNREFERENCED_PARAMETER(state);
    int which = 1;
    for (; !NT_SUCCESS(status) && which < 100; which++) {
        fdo_load();
        fdo_behaviour.before = prepare_much;
        fdo_behaviour.after = make_much;
        assert_int_equal(fdo_add(), STATUS_SUCCESS);
        countdown = which;
        mm_short = refuse;
        status = fdo_send(IRP_MN_START_DEVICE);
        mm_short = NULL;
        assert_int_equal(status, countdown < 0 ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS);
        assert_int_equal(WdfDeviceGetDevicePnpState(fdo_globals, fdo_device),
                         countdown < 0 ? WdfDevStatePnpFailedWaitForRemove : WdfDevStatePnpStarted);
        fdo_end();
    }
    assert_int_equal(status, STATUS_SUCCESS);
    assert_true(which > 2);
}

int run_pnp_failure_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prepare),
        cmocka_unit_test(test_entry),
        cmocka_unit_test(test_post),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_bus),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_way_down),
        cmocka_unit_test(test_short_of_memory),
        cmocka_unit_test(test_start_short_of_memory),
    };
    return cmocka_run_group_tests_name("kmdf pnp failures", tests, NULL, NULL);
}
