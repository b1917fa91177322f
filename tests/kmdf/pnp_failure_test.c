/* pnp_failure_test.c - starts that fail, at each point where they can, and what is undone then. */
#include "pnp_fixture.h"

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

int run_pnp_failure_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prepare),  cmocka_unit_test(test_entry), cmocka_unit_test(test_post),
        cmocka_unit_test(test_init),     cmocka_unit_test(test_bus),   cmocka_unit_test(test_restart),
        cmocka_unit_test(test_way_down),
    };
    return cmocka_run_group_tests_name("kmdf pnp failures", tests, NULL, NULL);
}
