/*
 * end_of_use_test.c - objects that are deleted while something of theirs is in use: a callback that runs, a request
 * that is completed. docs/kmdf-objects.md lists the rules.
 */
#include "kmdf_test.h"
#include "wdk/ps.h"

static KEVENT inside, proceed;
static WDFDEVICE device;
static WDFOBJECT to_delete;
static bool blocks, stops;

static void wait_for_all(void)
{
    kmdf_idle_wait(kmdf_client_of(test_globals, "test"));
}

static void reset(void)
{
    KeInitializeEvent(&inside, SynchronizationEvent, FALSE);
    KeInitializeEvent(&proceed, NotificationEvent, FALSE);
    to_delete = NULL;
    blocks = stops = false;
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    reset();
    if (!NT_SUCCESS(test_load(NULL)))
        return -1;
    device = test_control_device(WdfSynchronizationScopeNone, WdfExecutionLevelDispatch);
    return 0;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_unload()) && !io_leaks(NULL, NULL) ? 0 : -1;
}

static VOID NTAPI cleanup_item(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    test_note("cleanup; ");
}
static VOID NTAPI cleanup_parent(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    test_note("cleanup parent; ");
}

static WDF_OBJECT_ATTRIBUTES below(WDFOBJECT parent, PFN_WDF_OBJECT_CONTEXT_CLEANUP cleanup)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = parent;
    attributes.EvtCleanupCallback = cleanup;
    return attributes;
}

static WDFOBJECT make_parent(WDFOBJECT above)
{
    WDFOBJECT object;
    WDF_OBJECT_ATTRIBUTES attributes = below(above, cleanup_parent);
    assert_int_equal(WdfObjectCreate(test_globals, &attributes, &object), STATUS_SUCCESS);
    return object;
}

/* ---- work items and passive timers: cleanup comes after the callback has returned ---- */

static void in_callback(void)
{
    if (to_delete)
        WdfObjectDelete(test_globals, to_delete);
    if (blocks) {
        KeSetEvent(&inside, 0, FALSE);
        KeWaitForSingleObject(&proceed, Executive, KernelMode, FALSE, NULL);
    }
    test_note("returns; ");
}
static VOID NTAPI on_item(WDFWORKITEM item)
{
    if (stops)
        WdfWorkItemFlush(test_globals, item); /* a line, and it returns */
    in_callback();
}
static VOID NTAPI on_timer(WDFTIMER timer)
{
    if (stops)
        assert_false(WdfTimerStop(test_globals, timer, TRUE)); /* a line, and it returns */
    in_callback();
    if (stops)
        KeSetEvent(&inside, 0, FALSE);
}
static VOID NTAPI on_dpc(WDFDPC dpc)
{
    assert_false(WdfDpcCancel(test_globals, dpc, TRUE)); /* a line, and it returns */
    KeSetEvent(&inside, 0, FALSE);
}

static WDFOBJECT start_item(WDFOBJECT parent)
{
    WDFWORKITEM item;
    WDF_WORKITEM_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes = below(parent, cleanup_item);
    WDF_WORKITEM_CONFIG_INIT(&config, on_item);
    assert_int_equal(WdfWorkItemCreate(test_globals, &config, &attributes, &item), STATUS_SUCCESS);
    if (to_delete == parent && parent == device) /* itself is meant */
        to_delete = (WDFOBJECT)item;
    WdfWorkItemEnqueue(test_globals, item);
    return (WDFOBJECT)item;
}

static WDFTIMER start_timer(WDFOBJECT parent, WDF_EXECUTION_LEVEL level)
{
    WDFTIMER timer;
    WDF_TIMER_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes = below(parent, cleanup_item);
    attributes.ExecutionLevel = level;
    WDF_TIMER_CONFIG_INIT(&config, on_timer);
    assert_int_equal(WdfTimerCreate(test_globals, &config, &attributes, &timer), STATUS_SUCCESS);
    if (to_delete == parent && parent == device)
        to_delete = (WDFOBJECT)timer;
    WdfTimerStart(test_globals, timer, 0);
    return timer;
}

static void delete_while_it_runs(WDFOBJECT object)
{
    KIRQL irql;
    KeWaitForSingleObject(&inside, Executive, KernelMode, FALSE, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &irql); /* so that this thread need not wait */
    WdfObjectDelete(test_globals, object);
    KeLowerIrql(irql);
    assert_string_equal(test_record, "");
    KeSetEvent(&proceed, 0, FALSE);
    wait_for_all();
    assert_string_equal(test_record, "returns; cleanup; ");
}

static void test_item_is_waited_for(void **state)
{
    UNREFERENCED_PARAMETER(state);
    blocks = true;
    delete_while_it_runs(start_item(device));
}

static void test_timer_is_waited_for(void **state)
{
    UNREFERENCED_PARAMETER(state);
    blocks = true;
    delete_while_it_runs((WDFOBJECT)start_timer(device, WdfExecutionLevelPassive));
}

static void test_item_deletes_itself(void **state)
{
    UNREFERENCED_PARAMETER(state);
    to_delete = device;
    WDFOBJECT item = start_item(device);
    wait_for_all();
    assert_string_equal(test_record, "returns; cleanup; ");
    assert_null(kmdf_handle_find(item));
}

static void test_item_deletes_its_parent(void **state)
{
    UNREFERENCED_PARAMETER(state);
    to_delete = make_parent(device);
    start_item(to_delete);
    wait_for_all();
    assert_string_equal(test_record, "returns; cleanup; cleanup parent; ");
}

static void test_timer_deletes_itself(void **state)
{
    UNREFERENCED_PARAMETER(state);
    to_delete = device;
    blocks = true; /* the test must not look before the timer has expired */
    start_timer(device, WdfExecutionLevelPassive);
    KeWaitForSingleObject(&inside, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&proceed, 0, FALSE);
    wait_for_all();
    assert_string_equal(test_record, "returns; cleanup; ");
}

/* ---- who would wait for himself is told so ---- */

static void test_stop_from_the_callback(void **state)
{
    UNREFERENCED_PARAMETER(state);
    WDFDPC dpc;
    WDF_DPC_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes = below(device, NULL);
    stops = true;
    start_timer(device, WdfExecutionLevelInheritFromParent); /* at DISPATCH_LEVEL */
    KeWaitForSingleObject(&inside, Executive, KernelMode, FALSE, NULL);
    start_timer(device, WdfExecutionLevelPassive);
    KeWaitForSingleObject(&inside, Executive, KernelMode, FALSE, NULL);
    start_item(device);
    WDF_DPC_CONFIG_INIT(&config, on_dpc);
    assert_int_equal(WdfDpcCreate(test_globals, &config, &attributes, &dpc), STATUS_SUCCESS);
    WdfDpcEnqueue(test_globals, dpc);
    KeWaitForSingleObject(&inside, Executive, KernelMode, FALSE, NULL);
}

/* Waiting for a timer waits for every DPC that is queued or runs. */
static LONG dpcs;
static VOID NTAPI on_slow_dpc(WDFDPC dpc)
{
    UNREFERENCED_PARAMETER(dpc);
    KeSetEvent(&inside, 0, FALSE);
    for (int i = 0; i < 2000; i++) /* long enough for a timer that does not wait to be seen */
        plat_yield();
    __atomic_add_fetch(&dpcs, 1, __ATOMIC_RELEASE);
}
static VOID NTAPI never(WDFTIMER timer)
{
    UNREFERENCED_PARAMETER(timer);
}

static void test_stop_waits_for_dpcs(void **state)
{
    WDFDPC dpc[2];
    WDFTIMER timer;
    WDF_DPC_CONFIG config;
    WDF_TIMER_CONFIG timer_config;
    WDF_OBJECT_ATTRIBUTES attributes = below(device, NULL);
    UNREFERENCED_PARAMETER(state);
    dpcs = 0;
    WDF_DPC_CONFIG_INIT(&config, on_slow_dpc);
    WDF_TIMER_CONFIG_INIT(&timer_config, never);
    assert_int_equal(WdfTimerCreate(test_globals, &timer_config, &attributes, &timer), STATUS_SUCCESS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(WdfDpcCreate(test_globals, &config, &attributes, &dpc[i]), STATUS_SUCCESS);
        WdfDpcEnqueue(test_globals, dpc[i]);
    }
    KeWaitForSingleObject(&inside, Executive, KernelMode, FALSE, NULL); /* one runs, the other is queued */
    WdfTimerStop(test_globals, timer, TRUE);
    assert_int_equal(__atomic_load_n(&dpcs, __ATOMIC_ACQUIRE), 2);
}

int run_end_of_use_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_item_is_waited_for),      LOADED(test_timer_is_waited_for),  LOADED(test_item_deletes_itself),
        LOADED(test_item_deletes_its_parent), LOADED(test_timer_deletes_itself), LOADED(test_stop_from_the_callback),
        LOADED(test_stop_waits_for_dpcs),
    };
    return cmocka_run_group_tests_name("kmdf end of use", tests, NULL, NULL);
}
