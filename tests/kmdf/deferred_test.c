/* deferred_test.c - timers, DPCs and work items: when, where and how often their callbacks run. */
#include "kmdf_test.h"
#include <unistd.h>

static WDFDEVICE device;
static volatile LONG calls;
static volatile KIRQL level;
static volatile bool blocks;
static KEVENT proceed;
static WDFWORKITEM the_item;
static bool deletes;

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    calls = 0;
    blocks = deletes = false;
    KeInitializeEvent(&proceed, NotificationEvent, FALSE);
    return NT_SUCCESS(test_load(NULL)) ? 0 : -1;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_unload()) && !io_leaks(NULL, NULL) ? 0 : -1;
}

static LONG count(void)
{
    return __atomic_load_n(&calls, __ATOMIC_ACQUIRE);
}

static void await(LONG wanted)
{
    for (int ms = 0; count() < wanted && ms < 20000; ms++)
        usleep(1000);
    assert_true(count() >= wanted);
}

static void ran(void)
{
    level = KeGetCurrentIrql();
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELEASE);
}

static VOID NTAPI on_timer(WDFTIMER timer)
{
    assert_ptr_equal(WdfTimerGetParentObject(test_globals, timer), device);
    ran();
}
static VOID NTAPI on_dpc(WDFDPC dpc)
{
    assert_ptr_equal(WdfDpcGetParentObject(test_globals, dpc), device);
    ran();
}
static VOID NTAPI on_item(WDFWORKITEM item)
{
    assert_ptr_equal(WdfWorkItemGetParentObject(test_globals, item), device);
    bool waits = blocks; /* before anybody learns that it runs */
    ran();
    if (deletes) {
        WdfWorkItemFlush(test_globals, item); /* returns, with a line about it */
        WdfObjectDelete(test_globals, item);
    }
    if (waits)
        KeWaitForSingleObject(&proceed, Executive, KernelMode, FALSE, NULL);
}

static WDF_OBJECT_ATTRIBUTES below(WDFOBJECT parent)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = parent;
    return attributes;
}

static WDFTIMER make_timer(LONG period, WDF_EXECUTION_LEVEL execution)
{
    WDFTIMER timer;
    WDF_TIMER_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes = below(device);
    attributes.ExecutionLevel = execution;
    WDF_TIMER_CONFIG_INIT_PERIODIC(&config, on_timer, period);
    assert_int_equal(WdfTimerCreate(test_globals, &config, &attributes, &timer), STATUS_SUCCESS);
    return timer;
}
static WDFDPC make_dpc(void)
{
    WDFDPC dpc;
    WDF_DPC_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes = below(device);
    WDF_DPC_CONFIG_INIT(&config, on_dpc);
    assert_int_equal(WdfDpcCreate(test_globals, &config, &attributes, &dpc), STATUS_SUCCESS);
    return dpc;
}
static WDFWORKITEM make_item(void)
{
    WDFWORKITEM item;
    WDF_WORKITEM_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes = below(device);
    WDF_WORKITEM_CONFIG_INIT(&config, on_item);
    assert_int_equal(WdfWorkItemCreate(test_globals, &config, &attributes, &item), STATUS_SUCCESS);
    return item;
}

/* ---- creation ---- */

static NTSTATUS create_timer(WDF_OBJECT_ATTRIBUTES *attributes, ULONG size, bool callback)
{
    WDFTIMER timer;
    WDF_TIMER_CONFIG config;
    WDF_TIMER_CONFIG_INIT(&config, callback ? on_timer : NULL);
    config.Size = size ? size : config.Size;
    return WdfTimerCreate(test_globals, &config, attributes, &timer);
}
static NTSTATUS create_dpc(WDF_OBJECT_ATTRIBUTES *attributes, ULONG size, bool callback)
{
    WDFDPC dpc;
    WDF_DPC_CONFIG config;
    WDF_DPC_CONFIG_INIT(&config, callback ? on_dpc : NULL);
    config.Size = size ? size : config.Size;
    return WdfDpcCreate(test_globals, &config, attributes, &dpc);
}
static NTSTATUS create_item(WDF_OBJECT_ATTRIBUTES *attributes, ULONG size, bool callback)
{
    WDFWORKITEM item;
    WDF_WORKITEM_CONFIG config;
    WDF_WORKITEM_CONFIG_INIT(&config, callback ? on_item : NULL);
    config.Size = size ? size : config.Size;
    return WdfWorkItemCreate(test_globals, &config, attributes, &item);
}

/* The lock that AutomaticSerialization goes by must be one that the callback's level can take. */
static void test_create(void **state)
{
    static NTSTATUS (*const create[])(WDF_OBJECT_ATTRIBUTES *, ULONG, bool) = {create_timer, create_dpc, create_item};
    UNREFERENCED_PARAMETER(state);
    WDFDEVICE passive = test_control_device(WdfSynchronizationScopeDevice, WdfExecutionLevelPassive);
    WDFDEVICE dispatch = test_control_device(WdfSynchronizationScopeDevice, WdfExecutionLevelDispatch);
    WDFDEVICE none = test_control_device(WdfSynchronizationScopeNone, WdfExecutionLevelPassive);
    WDF_OBJECT_ATTRIBUTES of_driver = below(test_wdf_driver), of_nobody = below(NULL), of_passive = below(passive),
                          of_dispatch = below(dispatch), of_none = below(none);
    for (int i = 0; i < 3; i++) {
        bool item = create[i] == create_item, timer = create[i] == create_timer;
        assert_int_equal(create[i](NULL, 0, true), STATUS_WDF_PARENT_NOT_SPECIFIED);
        assert_int_equal(create[i](&of_nobody, 0, true), STATUS_WDF_PARENT_NOT_SPECIFIED);
        assert_int_equal(create[i](&of_driver, 0, true), STATUS_INVALID_DEVICE_REQUEST);
        assert_int_equal(create[i](&of_none, 4, true), STATUS_INFO_LENGTH_MISMATCH);
        assert_int_equal(create[i](&of_none, 0, true), STATUS_SUCCESS);
        assert_int_equal(create[i](&of_none, 0, false), timer ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
        assert_int_equal(create[i](&of_passive, 0, true),
                         item ? STATUS_SUCCESS : STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL);
        assert_int_equal(create[i](&of_dispatch, 0, true),
                         item ? STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL : STATUS_SUCCESS);
    }
    of_passive.ExecutionLevel = of_dispatch.ExecutionLevel = WdfExecutionLevelPassive;
    assert_int_equal(create_timer(&of_passive, 0, true), STATUS_SUCCESS);
    assert_int_equal(create_timer(&of_dispatch, 0, true), STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL);
}

static void test_timer_config(void **state)
{
    WDFTIMER timer;
    WDF_TIMER_CONFIG config;
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeNone, WdfExecutionLevelDispatch);
    WDF_OBJECT_ATTRIBUTES attributes = below(device);
    WDF_TIMER_CONFIG_INIT_PERIODIC(&config, on_timer, -1);
    assert_int_equal(WdfTimerCreate(test_globals, &config, &attributes, &timer), STATUS_INVALID_PARAMETER);
    assert_null(timer);
    WDF_TIMER_CONFIG_INIT_PERIODIC(&config, on_timer, 10);
    config.TolerableDelay = 5;
    assert_int_equal(WdfTimerCreate(test_globals, &config, &attributes, &timer), STATUS_SUCCESS);
    config.UseHighResolutionTimer = WdfTrue;
    assert_int_equal(WdfTimerCreate(test_globals, &config, &attributes, &timer), STATUS_INVALID_PARAMETER);
    config.Size = 32; /* a driver of 1.9, which has no such member */
    assert_int_equal(WdfTimerCreate(test_globals, &config, &attributes, &timer), STATUS_SUCCESS);
    config.Size = 24;
    assert_int_equal(WdfTimerCreate(test_globals, &config, &attributes, &timer), STATUS_SUCCESS);
    attributes.ExecutionLevel = WdfExecutionLevelPassive; /* "the time period must be zero" */
    assert_int_equal(WdfTimerCreate(test_globals, &config, &attributes, &timer), STATUS_NOT_SUPPORTED);
}

/* ---- timers ---- */

static void test_timer_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeNone, WdfExecutionLevelDispatch);
    WDFTIMER timer = make_timer(0, WdfExecutionLevelInheritFromParent);
    assert_false(WdfTimerStop(test_globals, timer, FALSE));
    assert_false(WdfTimerStart(test_globals, timer, WDF_REL_TIMEOUT_IN_SEC(3600)));
    assert_true(WdfTimerStart(test_globals, timer, WDF_REL_TIMEOUT_IN_SEC(3600)));
    assert_true(WdfTimerStop(test_globals, timer, TRUE));
    assert_int_equal(count(), 0);
    assert_false(WdfTimerStart(test_globals, timer, WDF_REL_TIMEOUT_IN_MS(1)));
    await(1);
    assert_int_equal(level, DISPATCH_LEVEL);
    assert_false(WdfTimerStop(test_globals, timer, TRUE)); /* it has left the queue */
    assert_int_equal(count(), 1);
    WdfTimerStart(test_globals, timer, WDF_REL_TIMEOUT_IN_SEC(3600));
    WdfObjectDelete(test_globals, timer); /* stops it */
}

static void test_timer_periodic(void **state)
{
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeNone, WdfExecutionLevelDispatch);
    WDFTIMER timer = make_timer(2, WdfExecutionLevelInheritFromParent);
    WdfTimerStart(test_globals, timer, WDF_REL_TIMEOUT_IN_MS(1));
    await(3);
    assert_true(WdfTimerStop(test_globals, timer, TRUE)); /* it stays in the queue until stopped */
    LONG at_end = count();
    usleep(20000);
    assert_int_equal(count(), at_end);
}

static void test_timer_passive(void **state)
{
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeDevice, WdfExecutionLevelPassive);
    WDFTIMER timer = make_timer(0, WdfExecutionLevelPassive);
    level = HIGH_LEVEL;
    WdfTimerStart(test_globals, timer, WDF_REL_TIMEOUT_IN_MS(1));
    await(1);
    assert_int_equal(level, PASSIVE_LEVEL);
    WdfTimerStop(test_globals, timer, TRUE);
}

/* AutomaticSerialization: the callback waits for whoever has the device's lock. */
static void test_serialized(void **state)
{
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeDevice, WdfExecutionLevelDispatch);
    WDFTIMER timer = make_timer(0, WdfExecutionLevelInheritFromParent);
    WdfObjectAcquireLock(test_globals, device);
    WdfTimerStart(test_globals, timer, 0);
    usleep(20000);
    assert_int_equal(count(), 0);
    WdfObjectReleaseLock(test_globals, device);
    await(1);
}

/* ---- DPCs ---- */

static void test_dpc(void **state)
{
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeDevice, WdfExecutionLevelDispatch);
    WDFDPC first = make_dpc(), second = make_dpc();
    assert_non_null(WdfDpcWdmGetDpc(test_globals, first));
    WdfObjectAcquireLock(test_globals, device); /* the first one runs into this, the second stays in the queue */
    assert_true(WdfDpcEnqueue(test_globals, first));
    assert_true(WdfDpcEnqueue(test_globals, second));
    assert_false(WdfDpcEnqueue(test_globals, second));
    assert_true(WdfDpcCancel(test_globals, second, FALSE));
    assert_false(WdfDpcCancel(test_globals, second, FALSE));
    assert_true(WdfDpcEnqueue(test_globals, second));
    WdfObjectReleaseLock(test_globals, device);
    await(2);
    assert_false(WdfDpcCancel(test_globals, first, TRUE)); /* it has run */
    assert_int_equal(level, DISPATCH_LEVEL);
    assert_int_equal(count(), 2);
    WdfDpcEnqueue(test_globals, first);
    WdfObjectDelete(test_globals, first);
}

/* ---- work items ---- */

static void test_work_item(void **state)
{
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeNone, WdfExecutionLevelDispatch);
    WDFWORKITEM item = make_item();
    WdfWorkItemFlush(test_globals, item); /* nothing to wait for */
    assert_int_equal(count(), 0);
    level = HIGH_LEVEL;
    blocks = true;
    WdfWorkItemEnqueue(test_globals, item);
    await(1);
    assert_int_equal(level, PASSIVE_LEVEL);
    for (int i = 0; i < 5; i++) /* of those that wait, there is one */
        WdfWorkItemEnqueue(test_globals, item);
    blocks = false;
    KeSetEvent(&proceed, 0, FALSE);
    WdfWorkItemFlush(test_globals, item);
    assert_int_equal(count(), 2);
    WdfWorkItemEnqueue(test_globals, item);
    WdfObjectDelete(test_globals, item); /* what is queued still runs */
    assert_int_equal(count(), 3);
}

static void test_work_item_deletes_itself(void **state)
{
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeNone, WdfExecutionLevelDispatch);
    deletes = true;
    the_item = make_item();
    WdfWorkItemEnqueue(test_globals, the_item);
    await(1);
    kmdf_idle_wait(kmdf_client_of(test_globals, "test"));
    assert_null(kmdf_handle_find(the_item));
}

int run_deferred_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_create),
        LOADED(test_timer_config),
        LOADED(test_timer_once),
        LOADED(test_timer_periodic),
        LOADED(test_timer_passive),
        LOADED(test_serialized),
        LOADED(test_dpc),
        LOADED(test_work_item),
        LOADED(test_work_item_deletes_itself),
    };
    return cmocka_run_group_tests_name("kmdf timers, DPCs, work items", tests, NULL, NULL);
}
