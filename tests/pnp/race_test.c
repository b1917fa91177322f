/* race_test.c - devices that go while threads open and close them, and while their drivers ask for things. */
#include "pnp_test.h"

enum { THREADS = 3, ROUNDS = 10 };

static char device_name[64];
static PVOID threads[THREADS];
static LONG opened;
static DEVICE_OBJECT *pdo;

/* Opens and closes until the device is gone. */
static void NTAPI use(PVOID context)
{
    struct io_file *file;
    UNREFERENCED_PARAMETER(context);
    while (NT_SUCCESS(io_open(device_name, &file))) {
        __atomic_add_fetch(&opened, 1, __ATOMIC_RELAXED);
        io_close(file);
    }
}

/* Asks for the device's state and children until the device is gone. */
static void NTAPI ask(PVOID context)
{
    ULONG number, length;
    UNREFERENCED_PARAMETER(context);
    while (NT_SUCCESS(IoGetDeviceProperty(pdo, DevicePropertyUINumber, sizeof(number), &number, &length))) {
        IoInvalidateDeviceState(pdo);
        IoInvalidateDeviceRelations(pdo, BusRelations);
        pnp_idle_wait();
    }
}

static void start_thread(ULONG index, PKSTART_ROUTINE routine)
{
    HANDLE handle;
    assert_int_equal(PsCreateSystemThread(&handle, 0x1FFFFF, NULL, NULL, NULL, routine, NULL), STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByHandle(handle, 0x1FFFFF, NULL, KernelMode, &threads[index], NULL),
                     STATUS_SUCCESS);
    assert_int_equal(ob_handle_close(handle, KernelMode), STATUS_SUCCESS);
}

static void join_threads(void)
{
    for (ULONG i = 0; i < THREADS; i++) {
        assert_int_equal(KeWaitForSingleObject(threads[i], Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
        ObfDereferenceObject(threads[i]);
    }
}

static void wait_for_opens(LONG count)
{
    LARGE_INTEGER millisecond = {.QuadPart = -10000};
    while (__atomic_load_n(&opened, __ATOMIC_RELAXED) < count)
        KeDelayExecutionThread(KernelMode, FALSE, &millisecond);
}

static struct pnp_node *start_round(void)
{
    struct pnp_failure failure;
    struct pnp_node *node;
    driver_load();
    behaviour.quiet = true;
    assert_int_equal(pnp_driver_start(driver, &node, &failure), STATUS_SUCCESS);
    pdo = driver_pdo;
    ob_reference(pdo);
    io_device_name(pdo, device_name, sizeof(device_name));
    opened = 0;
    return node;
}

static void end_round(void)
{
    join_threads();
    driver_end();
    ob_dereference(pdo);
}

static void pulled_out_under_use(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (ULONG round = 0; round < ROUNDS; round++) {
        struct pnp_node *node = start_round();
        for (ULONG i = 0; i < THREADS; i++)
            start_thread(i, use);
        wait_for_opens(5);
        pnp_surprise_remove(node); /* whoever closes the last file removes it */
        end_round();
    }
}

static void removed_when_it_can_be(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (ULONG round = 0; round < ROUNDS; round++) {
        NTSTATUS status;
        start_round();
        start_thread(0, use);
        start_thread(1, use);
        start_thread(2, ask);
        wait_for_opens(5);
        do
            status = pnp_driver_remove(driver);
        while (status == STATUS_DEVICE_BUSY);
        assert_int_equal(status, STATUS_SUCCESS);
        end_round();
    }
}

int run_race_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pulled_out_under_use),
                                       cmocka_unit_test(removed_when_it_can_be)};
    return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
