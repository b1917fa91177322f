/*
 * lifecycle_test.c - in which order and at which level the callbacks of an object's end run, beyond the plain cases of
 * object_test.c: other threads, requests, callbacks that delete. docs/kmdf-objects.md lists the rules.
 */
#include "kmdf_test.h"
#include "kmdf_device.h"
#include "wdk/ps.h"

static const WDF_OBJECT_CONTEXT_TYPE_INFO name_type = {sizeof(name_type), "Name", sizeof(char *), &name_type, NULL};
static const WDF_OBJECT_CONTEXT_TYPE_INFO other_type = {sizeof(other_type), "Other", 8, &other_type, NULL};

static KEVENT inside, proceed;

static const char **name_of(WDFOBJECT object)
{
    return WdfObjectGetTypedContextWorker(test_globals, object, &name_type);
}
static VOID NTAPI on_cleanup(WDFOBJECT object)
{
    test_note("cleanup %s; ", *name_of(object));
}
static VOID NTAPI on_destroy(WDFOBJECT object)
{
    test_note("destroy %s; ", *name_of(object));
}
static VOID NTAPI cleanup_slowly(WDFOBJECT object)
{
    test_note("%s begins; ", *name_of(object));
    KeSetEvent(&inside, 0, FALSE);
    KeWaitForSingleObject(&proceed, Executive, KernelMode, FALSE, NULL);
    test_note("%s ends; ", *name_of(object));
}

static WDF_OBJECT_ATTRIBUTES below(WDFOBJECT parent)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = parent;
    attributes.ContextTypeInfo = &name_type;
    attributes.EvtCleanupCallback = on_cleanup;
    attributes.EvtDestroyCallback = on_destroy;
    return attributes;
}

static WDFOBJECT make_with(const char *name, WDFOBJECT parent, PFN_WDF_OBJECT_CONTEXT_CLEANUP cleanup)
{
    WDFOBJECT object;
    WDF_OBJECT_ATTRIBUTES attributes = below(parent);
    attributes.EvtCleanupCallback = cleanup;
    assert_int_equal(WdfObjectCreate(test_globals, &attributes, &object), STATUS_SUCCESS);
    *name_of(object) = name;
    return object;
}

static WDFOBJECT make(const char *name, WDFOBJECT parent)
{
    return make_with(name, parent, on_cleanup);
}

/* Deletes an object in a system thread. */
struct elsewhere {
    WORK_QUEUE_ITEM item;
    KEVENT done;
    WDFOBJECT object;
};
static struct elsewhere there;

static VOID NTAPI delete_there(PVOID parameter)
{
    UNREFERENCED_PARAMETER(parameter);
    WdfObjectDelete(test_globals, there.object);
    KeSetEvent(&there.done, 0, FALSE);
}

/* Returns when its cleanup callback, cleanup_slowly, has begun. */
static void begin_elsewhere(WDFOBJECT object)
{
    there = (struct elsewhere){.item = {.WorkerRoutine = delete_there}, .object = object};
    KeInitializeEvent(&there.done, NotificationEvent, FALSE);
    ExQueueWorkItem(&there.item, DelayedWorkQueue);
    KeWaitForSingleObject(&inside, Executive, KernelMode, FALSE, NULL);
}

static void wait_for_all(void)
{
    kmdf_idle_wait(kmdf_client_of(test_globals, "test"));
}

static void end_elsewhere(void)
{
    KeSetEvent(&proceed, 0, FALSE);
    KeWaitForSingleObject(&there.done, Executive, KernelMode, FALSE, NULL);
    wait_for_all();
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&inside, SynchronizationEvent, FALSE);
    KeInitializeEvent(&proceed, NotificationEvent, FALSE);
    return NT_SUCCESS(test_load(NULL)) ? 0 : -1;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_unload()) && !io_leaks(NULL, NULL) ? 0 : -1;
}

/* ---- a child that another thread is just deleting ---- */

/* The parent's end comes after it, and its deleter does not wait: it may hold what the callback waits for. */
static void test_child_elsewhere(void **state)
{
    UNREFERENCED_PARAMETER(state);
    WDFOBJECT parent = make("parent", NULL);
    WDFOBJECT child = make_with("child", parent, cleanup_slowly);
    make("other", parent);
    begin_elsewhere(child);
    WdfObjectDelete(test_globals, parent);
    assert_string_equal(test_record, "child begins; cleanup other; ");
    end_elsewhere();
    assert_string_equal(test_record, "child begins; cleanup other; child ends; destroy child; "
                                     "cleanup parent; destroy other; destroy parent; ");
}

static void test_grandchild_elsewhere(void **state)
{
    UNREFERENCED_PARAMETER(state);
    WDFOBJECT root = make("root", NULL);
    WDFOBJECT middle = make("middle", root);
    begin_elsewhere(make_with("leaf", middle, cleanup_slowly));
    WdfObjectDelete(test_globals, root);
    WdfObjectDelete(test_globals, middle); /* is being deleted already */
    assert_string_equal(test_record, "leaf begins; ");
    end_elsewhere();
    assert_string_equal(test_record, "leaf begins; leaf ends; destroy leaf; cleanup middle; cleanup root; "
                                     "destroy middle; destroy root; ");
}

/* The thread that goes on with the parent is at DISPATCH_LEVEL; the parent wants PASSIVE_LEVEL. */
static VOID NTAPI cleanup_note_irql(WDFOBJECT object)
{
    test_note("%s at %u; ", *name_of(object), KeGetCurrentIrql());
}
static VOID NTAPI delete_there_at_dispatch(PVOID parameter)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    delete_there(parameter);
    KeLowerIrql(irql);
}
static bool released;
static VOID NTAPI cleanup_spin(WDFOBJECT object)
{
    KeSetEvent(&inside, 0, FALSE);
    while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    cleanup_note_irql(object);
}
static void test_passive_parent(void **state)
{
    WDFOBJECT parent, child;
    WDFSTRING string;
    WDF_OBJECT_ATTRIBUTES attributes = below(NULL);
    UNREFERENCED_PARAMETER(state);
    attributes.EvtCleanupCallback = cleanup_note_irql;
    attributes.EvtDestroyCallback = NULL;
    assert_int_equal(WdfStringCreate(test_globals, NULL, &attributes, &string), STATUS_SUCCESS);
    parent = (WDFOBJECT)string;
    *name_of(parent) = "parent";
    child = make_with("child", parent, cleanup_spin);
    released = false;
    there = (struct elsewhere){.item = {.WorkerRoutine = delete_there_at_dispatch}, .object = child};
    KeInitializeEvent(&there.done, NotificationEvent, FALSE);
    ExQueueWorkItem(&there.item, DelayedWorkQueue);
    KeWaitForSingleObject(&inside, Executive, KernelMode, FALSE, NULL);
    WdfObjectDelete(test_globals, parent);
    assert_string_equal(test_record, "");
    __atomic_store_n(&released, true, __ATOMIC_RELEASE);
    end_elsewhere();
    assert_string_equal(test_record, "child at 2; destroy child; parent at 0; ");
}

/* ---- callbacks that delete ---- */

static WDFOBJECT to_delete;

static VOID NTAPI cleanup_deletes(WDFOBJECT object)
{
    WdfObjectDelete(test_globals, to_delete);
    on_cleanup(object);
}

static void test_cleanup_deletes_parent(void **state)
{
    UNREFERENCED_PARAMETER(state);
    to_delete = make("parent", NULL);
    WdfObjectDelete(test_globals, make_with("child", to_delete, cleanup_deletes));
    assert_string_equal(test_record, "cleanup child; destroy child; cleanup parent; destroy parent; ");
}

static VOID NTAPI late_context(WDFOBJECT object)
{
    PVOID context;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ContextTypeInfo = &other_type;
    test_note("0x%08x; ",
              (unsigned)WdfObjectAllocateContext(test_globals, object, &attributes, &context)); /* DELETE_PENDING */
}

static void test_no_late_context(void **state)
{
    UNREFERENCED_PARAMETER(state);
    WdfObjectDelete(test_globals, make_with("object", NULL, late_context));
    assert_string_equal(test_record, "0xc0000056; destroy object; ");
}

static VOID NTAPI second_cleanup(WDFOBJECT object)
{
    test_note("second cleanup %s; ", *name_of(object));
}
static VOID NTAPI second_destroy(WDFOBJECT object)
{
    test_note("second destroy %s; ", *name_of(object));
}

/* Each context has its own callbacks; every cleanup comes before any destroy. */
static void test_callbacks_of_contexts(void **state)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFOBJECT object = make("object", NULL);
    UNREFERENCED_PARAMETER(state);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ContextTypeInfo = &other_type;
    attributes.EvtCleanupCallback = second_cleanup;
    attributes.EvtDestroyCallback = second_destroy;
    assert_int_equal(WdfObjectAllocateContext(test_globals, object, &attributes, NULL), STATUS_SUCCESS);
    WdfObjectDelete(test_globals, object);
    assert_string_equal(test_record, "cleanup object; second cleanup object; destroy object; second destroy object; ");
}

/* ---- types whose callbacks run at PASSIVE_LEVEL ---- */

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
        wait_for_all();
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

int run_lifecycle_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_child_elsewhere), LOADED(test_grandchild_elsewhere),
        LOADED(test_passive_parent),  LOADED(test_cleanup_deletes_parent),
        LOADED(test_no_late_context), LOADED(test_callbacks_of_contexts),
        LOADED(test_levels),          LOADED(test_attributes_of_types),
    };
    return cmocka_run_group_tests_name("kmdf life cycle", tests, NULL, NULL);
}
