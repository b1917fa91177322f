/*
 * object_types_test.c - what differs from one type of object to the next: at which level its callbacks of cleanup and
 * destruction run, and what attributes may set. docs/kmdf-objects.md lists the rules.
 */
#include "kmdf_test.h"
#include "kmdf_device.h"

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_load(NULL)) ? 0 : -1;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_unload()) && !io_leaks(NULL, NULL) ? 0 : -1;
}

static WDFDEVICE device;

static VOID NTAPI note_cleanup(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    test_note("cleanup at %u; ", KeGetCurrentIrql());
}
static VOID NTAPI note_destroy(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    test_note("destroy at %u; ", KeGetCurrentIrql());
}

static VOID NTAPI no_timer(WDFTIMER timer)
{
    UNREFERENCED_PARAMETER(timer);
}
static VOID NTAPI no_dpc(WDFDPC dpc)
{
    UNREFERENCED_PARAMETER(dpc);
}
static VOID NTAPI no_item(WDFWORKITEM item)
{
    UNREFERENCED_PARAMETER(item);
}

static NTSTATUS make_timer(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    WDF_TIMER_CONFIG config;
    WDF_TIMER_CONFIG_INIT(&config, no_timer);
    return WdfTimerCreate(test_globals, &config, attributes, (WDFTIMER *)object);
}
static NTSTATUS make_dpc(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    WDF_DPC_CONFIG config;
    WDF_DPC_CONFIG_INIT(&config, no_dpc);
    return WdfDpcCreate(test_globals, &config, attributes, (WDFDPC *)object);
}
static NTSTATUS make_item(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    WDF_WORKITEM_CONFIG config;
    WDF_WORKITEM_CONFIG_INIT(&config, no_item);
    return WdfWorkItemCreate(test_globals, &config, attributes, (WDFWORKITEM *)object);
}
static NTSTATUS make_queue(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
    return WdfIoQueueCreate(test_globals, device, &config, attributes, (WDFQUEUE *)object);
}
static NTSTATUS make_string(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    return WdfStringCreate(test_globals, NULL, attributes, (WDFSTRING *)object);
}
static NTSTATUS make_paged(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    return WdfMemoryCreate(test_globals, attributes, PagedPool, 0, 8, (WDFMEMORY *)object, NULL);
}
static NTSTATUS make_nonpaged(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    return WdfMemoryCreate(test_globals, attributes, NonPagedPool, 0, 8, (WDFMEMORY *)object, NULL);
}
static NTSTATUS make_paged_list(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    return WdfLookasideListCreate(test_globals, attributes, 8, PagedPool, NULL, 0, (WDFLOOKASIDE *)object);
}
static NTSTATUS make_nonpaged_list(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    return WdfLookasideListCreate(test_globals, attributes, 8, NonPagedPool, NULL, 0, (WDFLOOKASIDE *)object);
}
static NTSTATUS make_lock(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    return WdfSpinLockCreate(test_globals, attributes, (WDFSPINLOCK *)object);
}

static NTSTATUS make_target(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    return WdfIoTargetCreate(test_globals, device, attributes, (WDFIOTARGET *)object);
}
static NTSTATUS make_collection(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    return WdfCollectionCreate(test_globals, attributes, (WDFCOLLECTION *)object);
}
static NTSTATUS make_object(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object)
{
    return WdfObjectCreate(test_globals, attributes, object);
}

/* passive: by the list of EvtCleanupCallback's page; execution and scope: whether attributes may set them, by the lists
 * of WDF_EXECUTION_LEVEL and WDF_SYNCHRONIZATION_SCOPE. */
static const struct {
    NTSTATUS (*make)(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT *object);
    bool passive, execution, scope;
} types[] = {
    {make_timer, true, true, false},       {make_dpc, true, false, false},
    {make_item, true, false, false},       {make_queue, true, true, true},
    {make_string, true, false, false},     {make_target, true, false, false},
    {make_paged, true, false, false},      {make_nonpaged, false, false, false},
    {make_paged_list, true, false, false}, {make_nonpaged_list, false, false, false},
    {make_lock, false, false, false},      {make_collection, false, false, false},
    {make_object, false, true, false},
};

static WDF_OBJECT_ATTRIBUTES below_device(void)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = device;
    attributes.EvtCleanupCallback = note_cleanup;
    attributes.EvtDestroyCallback = note_destroy;
    return attributes;
}

static void test_levels(void **state)
{
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeNone, WdfExecutionLevelDispatch);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(types); i++) {
        KIRQL irql;
        WDFOBJECT object;
        WDF_OBJECT_ATTRIBUTES attributes = below_device();
        assert_int_equal(types[i].make(&attributes, &object), STATUS_SUCCESS);
        test_record[0] = 0;
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        WdfObjectDelete(test_globals, object);
        KeLowerIrql(irql);
        kmdf_idle_wait(kmdf_client_of(test_globals, "test"));
        assert_string_equal(test_record,
                            types[i].passive ? "cleanup at 0; destroy at 0; " : "cleanup at 2; destroy at 2; ");
    }
}

static void test_attributes_of_types(void **state)
{
    UNREFERENCED_PARAMETER(state);
    device = test_control_device(WdfSynchronizationScopeNone, WdfExecutionLevelDispatch);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(types); i++) {
        WDFOBJECT object;
        WDF_OBJECT_ATTRIBUTES attributes = below_device();
        attributes.ExecutionLevel = WdfExecutionLevelPassive;
        assert_int_equal(types[i].make(&attributes, &object),
                         types[i].execution ? STATUS_SUCCESS : STATUS_WDF_EXECUTION_LEVEL_INVALID);
        attributes = below_device();
        attributes.SynchronizationScope = WdfSynchronizationScopeQueue;
        assert_int_equal(types[i].make(&attributes, &object),
                         types[i].scope ? STATUS_SUCCESS : STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID);
        attributes.SynchronizationScope = WdfSynchronizationScopeNone; /* what they have without */
        assert_int_equal(types[i].make(&attributes, &object), STATUS_SUCCESS);
    }
    assert_int_equal(
        kmdf_attributes_check(&(WDF_OBJECT_ATTRIBUTES){.Size = sizeof(WDF_OBJECT_ATTRIBUTES),
                                                       .ExecutionLevel = WdfExecutionLevelPassive,
                                                       .SynchronizationScope = WdfSynchronizationScopeDevice},
                              &kmdf_file_type, "test"),
        STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID);
}

int run_object_types_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_levels), LOADED(test_attributes_of_types)};
    return cmocka_run_group_tests_name("kmdf types of objects", tests, NULL, NULL);
}
