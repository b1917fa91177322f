/* device_test.c - a device's way up and down: which requests come, in which order, and what a failure does. */
#include "pnp_test.h"

static void a_device_starts_and_goes(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_node *node = driver_start();
    assert_string_equal(driver_log, "add requirements filter start capabilities state relations");
    assert_ptr_equal(pnp_driver_node(driver, 0), node);
    assert_null(pnp_driver_node(driver, 1));
    driver_log[0] = 0;
    driver_end();
    assert_string_equal(driver_log, "query-remove remove unload");
}

static void the_context_is_the_system_s(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_load();
    struct pnp_failure failure;
    behaviour.add = STATUS_UNSUCCESSFUL;
    assert_int_equal(pnp_driver_start(driver, NULL, &failure), STATUS_UNSUCCESSFUL);
    assert_ptr_equal(seen_process, PsInitialSystemProcess);
    assert_int_equal(seen_mode, KernelMode);
    driver_end();
    seen_process = NULL;
    driver_start();
    assert_ptr_equal(seen_process, PsInitialSystemProcess);
    assert_int_equal(seen_mode, KernelMode);
    assert_ptr_not_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
    driver_end();
}

static void what_the_bus_says(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    assert_int_equal(seen_capabilities.Version, 1);
    assert_int_equal(seen_capabilities.Size, sizeof(seen_capabilities));
    assert_int_equal(seen_capabilities.DeviceState[PowerSystemWorking], PowerDeviceD0);
    assert_int_equal(seen_capabilities.DeviceState[PowerSystemSleeping3], PowerDeviceD3);
    assert_true(driver_pdo->Flags & DO_BUS_ENUMERATED_DEVICE);
    assert_false(driver_pdo->Flags & DO_DEVICE_INITIALIZING);
    char name[64];
    io_device_name(driver_pdo, name, sizeof(name));
    assert_memory_equal(name, "\\Device\\0000", 12);
    assert_int_equal(driver_fdo->StackSize, 2);
    driver_end();
}

static void add_device_fails(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_failure failure;
    driver_load();
    behaviour.add = STATUS_INSUFFICIENT_RESOURCES;
    assert_int_equal(pnp_driver_start(driver, NULL, &failure), STATUS_INSUFFICIENT_RESOURCES);
    assert_string_equal(failure.step, "AddDevice");
    assert_string_equal(driver_log, "add");
    assert_null(pnp_driver_node(driver, 0));
    driver_end();
}

static void start_fails(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_failure failure;
    for (int later = 0; later < 2; later++) {
        driver_load();
        behaviour.start = STATUS_DEVICE_DOES_NOT_EXIST;
        behaviour.starts_later = later;
        assert_int_equal(pnp_driver_start(driver, NULL, &failure), STATUS_DEVICE_DOES_NOT_EXIST);
        assert_string_equal(failure.step, "IRP_MN_START_DEVICE");
        assert_string_equal(driver_log, "add requirements filter start remove");
        assert_null(pnp_driver_node(driver, 0));
        driver_end();
    }
}

static void a_failed_device_is_removed(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_failure failure;
    driver_load();
    behaviour.state = PNP_DEVICE_FAILED;
    assert_int_equal(pnp_driver_start(driver, NULL, &failure), STATUS_DEVICE_NOT_READY);
    assert_string_equal(failure.step, "IRP_MN_QUERY_PNP_DEVICE_STATE");
    assert_null(pnp_driver_node(driver, 0));
    driver_end();
}

static void a_driver_refuses_to_go(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    driver_log[0] = 0;
    behaviour.query_remove = STATUS_UNSUCCESSFUL;
    assert_int_equal(pnp_driver_remove(driver), STATUS_UNSUCCESSFUL);
    assert_string_equal(driver_log, "query-remove cancel-remove");
    assert_non_null(pnp_driver_node(driver, 0));
    behaviour.query_remove = STATUS_SUCCESS;
    driver_end();
}

static struct io_file *open_pdo(void)
{
    char name[64];
    struct io_file *file = NULL;
    io_device_name(driver_pdo, name, sizeof(name));
    assert_int_equal(io_open(name, &file), STATUS_SUCCESS);
    return file;
}

static void an_open_file_keeps_the_device(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    driver_log[0] = 0;
    struct io_file *file = open_pdo();
    assert_int_equal(pnp_driver_remove(driver), STATUS_DEVICE_BUSY);
    assert_string_equal(driver_log, "create query-remove cancel-remove");
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    driver_end();
}

static NTSTATUS opened_while_starting;

static void open_early(DEVICE_OBJECT *pdo)
{
    char name[64];
    struct io_file *file = NULL;
    io_device_name(pdo, name, sizeof(name));
    opened_while_starting = io_open(name, &file);
}

static void nobody_opens_before_the_start(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_failure failure;
    driver_load();
    behaviour.on_start = open_early;
    assert_int_equal(pnp_driver_start(driver, NULL, &failure), STATUS_SUCCESS);
    assert_int_equal(opened_while_starting, STATUS_NO_SUCH_DEVICE);
    assert_int_equal(io_close(open_pdo()), STATUS_SUCCESS);
    driver_end();
}

static void surprise(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_node *node = driver_start();
    driver_log[0] = 0;
    pnp_surprise_remove(node);
    assert_string_equal(driver_log, "surprise remove");
    assert_null(pnp_driver_node(driver, 0));
    driver_end();
}

static void a_surprise_waits_for_files(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_node *node = driver_start();
    struct io_file *file = open_pdo(), *none = NULL;
    char name[64];
    io_device_name(driver_pdo, name, sizeof(name));
    driver_log[0] = 0;
    pnp_surprise_remove(node);
    assert_string_equal(driver_log, "surprise");
    assert_int_equal(io_open(name, &none), STATUS_NO_SUCH_DEVICE);
    assert_int_equal(pnp_driver_remove(driver), STATUS_DEVICE_BUSY);
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    assert_string_equal(driver_log, "surprise cleanup close remove");
    driver_end();
}

static struct io_file *left_open;

static void close_left_open(DEVICE_OBJECT *pdo)
{
    UNREFERENCED_PARAMETER(pdo);
    assert_int_equal(io_close(left_open), STATUS_SUCCESS);
}

/* The PnP manager is busy with another device when the last file goes. */
static void a_surprise_is_not_forgotten(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_failure failure;
    struct pnp_node *first = driver_start(), *second;
    left_open = open_pdo();
    pnp_surprise_remove(first);
    behaviour.on_start = close_left_open;
    assert_int_equal(pnp_driver_start(driver, &second, &failure), STATUS_SUCCESS);
    pnp_idle_wait();
    assert_ptr_equal(pnp_driver_node(driver, 0), second);
    driver_end();
}

static void a_driver_gives_its_device_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    driver_log[0] = 0;
    IoInvalidateDeviceState(driver_pdo); /* nothing has changed */
    pnp_idle_wait();
    assert_string_equal(driver_log, "state");
    behaviour.state = PNP_DEVICE_FAILED;
    driver_log[0] = 0;
    IoInvalidateDeviceState(driver_pdo);
    pnp_idle_wait();
    assert_string_equal(driver_log, "state surprise remove");
    assert_null(pnp_driver_node(driver, 0));
    driver_end();
}

static void children_are_asked_for_again(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    driver_log[0] = 0;
    IoInvalidateDeviceRelations(driver_pdo, BusRelations);
    pnp_idle_wait();
    assert_string_equal(driver_log, "relations");
    assert_int_equal(IoSynchronousInvalidateDeviceRelations(driver_pdo, BusRelations), STATUS_SUCCESS);
    assert_string_equal(driver_log, "relations relations");
    assert_int_equal(IoSynchronousInvalidateDeviceRelations(driver_fdo, BusRelations), STATUS_INVALID_DEVICE_REQUEST);
    driver_end();
}

static NTSTATUS ejected;

static VOID NTAPI on_ejected(NTSTATUS status, PVOID context)
{
    assert_ptr_equal(context, &ejected);
    ejected = status;
}

static void ejection(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    driver_log[0] = 0;
    behaviour.query_remove = STATUS_UNSUCCESSFUL;
    assert_int_equal(IoRequestDeviceEjectEx(driver_pdo, on_ejected, &ejected, driver), STATUS_SUCCESS);
    pnp_idle_wait();
    assert_int_equal(ejected, STATUS_UNSUCCESSFUL);
    assert_int_equal(IoRequestDeviceEjectEx(driver_fdo, NULL, NULL, driver), STATUS_INVALID_DEVICE_REQUEST);
    assert_string_equal(driver_log, "query-remove cancel-remove");
    behaviour.query_remove = STATUS_SUCCESS;
    driver_log[0] = 0;
    IoRequestDeviceEject(driver_pdo);
    pnp_idle_wait();
    assert_string_equal(driver_log, "query-remove remove");
    assert_null(pnp_driver_node(driver, 0));
    driver_end();
}

static void a_device_restarts(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_node *node = driver_start();
    driver_log[0] = 0;
    assert_int_equal(pnp_restart(node), STATUS_SUCCESS);
    assert_string_equal(driver_log, "query-stop stop requirements filter start capabilities state relations");
    assert_int_equal(io_close(open_pdo()), STATUS_SUCCESS);
    behaviour.start = STATUS_UNSUCCESSFUL;
    driver_log[0] = 0;
    assert_int_equal(pnp_restart(node), STATUS_UNSUCCESSFUL);
    assert_string_equal(driver_log, "query-stop stop requirements filter start surprise remove");
    assert_null(pnp_driver_node(driver, 0));
    driver_end();
}

static void numbers_are_used_again(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_failure failure;
    struct pnp_node *first = driver_start(), *second = NULL;
    DEVICE_OBJECT *first_pdo = driver_pdo;
    assert_int_equal(pnp_driver_start(driver, &second, &failure), STATUS_SUCCESS);
    assert_ptr_not_equal(pnp_node_pdo(second), first_pdo);
    assert_ptr_equal(pnp_driver_node(driver, 0), first);
    assert_ptr_equal(pnp_driver_node(driver, 1), second);
    pnp_surprise_remove(first);
    assert_ptr_equal(pnp_driver_node(driver, 0), second);
    assert_int_equal(pnp_driver_start(driver, &first, &failure), STATUS_SUCCESS);
    assert_ptr_equal(pnp_driver_node(driver, 1), first);
    driver_end();
}

int run_device_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_starts_and_goes),
        cmocka_unit_test(the_context_is_the_system_s),
        cmocka_unit_test(what_the_bus_says),
        cmocka_unit_test(add_device_fails),
        cmocka_unit_test(start_fails),
        cmocka_unit_test(a_failed_device_is_removed),
        cmocka_unit_test(a_driver_refuses_to_go),
        cmocka_unit_test(an_open_file_keeps_the_device),
        cmocka_unit_test(nobody_opens_before_the_start),
        cmocka_unit_test(surprise),
        cmocka_unit_test(a_surprise_waits_for_files),
        cmocka_unit_test(a_surprise_is_not_forgotten),
        cmocka_unit_test(a_driver_gives_its_device_up),
        cmocka_unit_test(children_are_asked_for_again),
        cmocka_unit_test(ejection),
        cmocka_unit_test(a_device_restarts),
        cmocka_unit_test(numbers_are_used_again),
    };
    return cmocka_run_group_tests_name("devices", tests, NULL, NULL);
}
