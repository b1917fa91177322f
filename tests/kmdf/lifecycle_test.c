/*
 * lifecycle_test.c - in which order and at which level the callbacks of an object's end run, beyond the plain cases of
 * object_test.c: other threads, requests, callbacks that delete. docs/kmdf-objects.md lists the rules.
 */
#include "kmdf_test.h"
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

int run_lifecycle_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_child_elsewhere),        LOADED(test_grandchild_elsewhere), LOADED(test_passive_parent),
        LOADED(test_cleanup_deletes_parent), LOADED(test_no_late_context),      LOADED(test_callbacks_of_contexts),
    };
    return cmocka_run_group_tests_name("kmdf life cycle", tests, NULL, NULL);
}
