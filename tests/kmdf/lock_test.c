/* lock_test.c - spin locks, wait locks, and the synchronization locks of devices and queues. */
#include "kmdf_test.h"

static WDFSPINLOCK spin;
static WDFWAITLOCK wait_lock;
static WDFDEVICE device;
static WDFQUEUE queue;
static KEVENT taken, give;

static VOID NTAPI on_default(WDFQUEUE at, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(at);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
}

static void make(WDF_SYNCHRONIZATION_SCOPE scope, WDF_EXECUTION_LEVEL level)
{
    WDF_IO_QUEUE_CONFIG config;
    device = test_control_device(scope, level);
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoDefault = on_default;
    assert_int_equal(WdfIoQueueCreate(test_globals, device, &config, NULL, &queue), STATUS_SUCCESS);
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    if (!NT_SUCCESS(test_load(NULL)))
        return -1;
    KeInitializeEvent(&taken, NotificationEvent, FALSE);
    KeInitializeEvent(&give, NotificationEvent, FALSE);
    return NT_SUCCESS(WdfSpinLockCreate(test_globals, NULL, &spin)) &&
                   NT_SUCCESS(WdfWaitLockCreate(test_globals, NULL, &wait_lock))
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_unload()) && !io_leaks(NULL, NULL) ? 0 : -1;
}

static void test_spin_lock(void **state)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(state);
    WdfSpinLockAcquire(test_globals, spin);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    WdfSpinLockRelease(test_globals, spin);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeRaiseIrql(APC_LEVEL, &irql);
    WdfSpinLockAcquire(test_globals, spin);
    WdfSpinLockRelease(test_globals, spin);
    assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
    KeLowerIrql(irql);
}

static VOID NTAPI holder(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    WdfWaitLockAcquire(test_globals, wait_lock, NULL);
    KeSetEvent(&taken, 0, FALSE);
    KeWaitForSingleObject(&give, Executive, KernelMode, FALSE, NULL);
    WdfWaitLockRelease(test_globals, wait_lock);
}

static void test_wait_lock(void **state)
{
    static WORK_QUEUE_ITEM item;
    LONGLONG none = 0, soon = WDF_REL_TIMEOUT_IN_MS(5);
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfWaitLockAcquire(test_globals, wait_lock, &none), STATUS_SUCCESS);
    assert_true(KeAreApcsDisabled()); /* in a critical region */
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    WdfWaitLockRelease(test_globals, wait_lock);
    assert_false(KeAreApcsDisabled());
    item = (WORK_QUEUE_ITEM){.WorkerRoutine = holder};
    ExQueueWorkItem(&item, DelayedWorkQueue);
    KeWaitForSingleObject(&taken, Executive, KernelMode, FALSE, NULL);
    assert_int_equal(WdfWaitLockAcquire(test_globals, wait_lock, &none), STATUS_TIMEOUT);
    assert_int_equal(WdfWaitLockAcquire(test_globals, wait_lock, &soon), STATUS_TIMEOUT);
    assert_false(KeAreApcsDisabled());
    KeSetEvent(&give, 0, FALSE);
    assert_int_equal(WdfWaitLockAcquire(test_globals, wait_lock, NULL), STATUS_SUCCESS);
    WdfWaitLockRelease(test_globals, wait_lock);
}

/* A spin lock, or a mutex in a critical region where execution is passive. */
static void test_object_lock(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make(WdfSynchronizationScopeQueue, WdfExecutionLevelDispatch);
    WdfObjectAcquireLock(test_globals, queue);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    WdfObjectAcquireLock(test_globals, device); /* another lock than the queue's */
    WdfObjectReleaseLock(test_globals, device);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    WdfObjectReleaseLock(test_globals, queue);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    make(WdfSynchronizationScopeDevice, WdfExecutionLevelPassive);
    WdfObjectAcquireLock(test_globals, device);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_true(KeAreApcsDisabled());
    WdfObjectReleaseLock(test_globals, queue); /* of device scope: the same lock */
    assert_false(KeAreApcsDisabled());
}

/* ---- WDF_VIOLATION ---- */

static void spin_twice(void)
{
    WdfSpinLockAcquire(test_globals, spin);
    WdfSpinLockAcquire(test_globals, spin);
}
static void spin_not_held(void)
{
    WdfSpinLockRelease(test_globals, spin);
}
static void wait_twice(void)
{
    WdfWaitLockAcquire(test_globals, wait_lock, NULL);
    WdfWaitLockAcquire(test_globals, wait_lock, NULL);
}
static void wait_not_held(void)
{
    WdfWaitLockRelease(test_globals, wait_lock);
}
static void object_twice(void)
{
    WdfObjectAcquireLock(test_globals, device);
    WdfObjectAcquireLock(test_globals, queue);
}
static void object_not_held(void)
{
    WdfObjectReleaseLock(test_globals, device);
}
static void object_without(void)
{
    WdfObjectAcquireLock(test_globals, spin);
}
static void wrong_kind(void)
{
    WdfSpinLockAcquire(test_globals, (WDFSPINLOCK)(PVOID)wait_lock);
}

static void test_violations(void **state)
{
    static const struct {
        void (*action)(void);
        ULONG code;
        ULONG_PTR third;
        const char *text;
    } rows[] = {
        {spin_twice, 2, 0, "the WDFSPINLOCK"},
        {spin_not_held, 0xB, 1, "by a thread that does not hold it"},
        {wait_twice, 2, 0, "the WDFWAITLOCK"},
        {wait_not_held, 0xB, 1, "by a thread that does not hold it"},
        {object_twice, 2, 0, "the synchronization lock of the WDFDEVICE"},
        {object_not_held, 0xB, 1, "whose lock the caller does not hold"},
        {object_without, 0xB, 0, "only devices and queues have a synchronization lock"},
        {wrong_kind, 5, 0, "of a WDFWAITLOCK where it wants a WDFSPINLOCK"},
    };
    UNREFERENCED_PARAMETER(state);
    make(WdfSynchronizationScopeDevice, WdfExecutionLevelDispatch);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        struct bugcheck_result result = bugcheck_of(rows[i].action);
        assert_true(result.happened);
        assert_int_equal(result.code, 0x10D);
        assert_int_equal(result.parameters[0], rows[i].code);
        assert_int_equal(result.parameters[2], rows[i].third);
        if (!strstr(result.report, rows[i].text))
            fail_msg("row %d: %s", (int)i, result.report);
    }
}

int run_lock_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_spin_lock), LOADED(test_wait_lock), LOADED(test_object_lock),
                                       LOADED(test_violations)};
    return cmocka_run_group_tests_name("kmdf locks", tests, NULL, NULL);
}
