/* object_test.c - the life of framework objects, a test per documented rule. */
#include "kmdf_test.h"

static const WDF_OBJECT_CONTEXT_TYPE_INFO type_a = {sizeof(type_a), "A", 24, &type_a, NULL};
static const WDF_OBJECT_CONTEXT_TYPE_INFO type_b = {sizeof(type_b), "B", 8, &type_b, NULL};

struct named {
    const char *name;
    WDFOBJECT child; /* made or let go of in the cleanup callback */
    NTSTATUS status;
};

static struct named *named(WDFOBJECT object)
{
    return WdfObjectGetTypedContextWorker(test_globals, object, &type_a);
}

static VOID NTAPI on_cleanup(WDFOBJECT object)
{
    test_note("cleanup %s; ", named(object)->name);
}

static VOID NTAPI on_destroy(WDFOBJECT object)
{
    test_note("destroy %s; ", named(object)->name);
}

static WDF_OBJECT_ATTRIBUTES attributes_of(WDFOBJECT parent)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = parent;
    attributes.ContextTypeInfo = &type_a;
    attributes.EvtCleanupCallback = on_cleanup;
    attributes.EvtDestroyCallback = on_destroy;
    return attributes;
}

static WDFOBJECT make(const char *name, WDFOBJECT parent)
{
    WDFOBJECT object;
    WDF_OBJECT_ATTRIBUTES attributes = attributes_of(parent);
    assert_int_equal(WdfObjectCreate(test_globals, &attributes, &object), STATUS_SUCCESS);
    named(object)->name = name;
    return object;
}

static void drop(WDFOBJECT object)
{
    WdfObjectDelete(test_globals, object);
}

static void reference(WDFOBJECT object)
{
    WdfObjectReferenceActual(test_globals, object, NULL, 1, "f");
}

static void dereference(WDFOBJECT object)
{
    WdfObjectDereferenceActual(test_globals, object, NULL, 1, "f");
}

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

static void test_attributes(void **state)
{
    WDFOBJECT object;
    WDF_OBJECT_ATTRIBUTES attributes;
    UNREFERENCED_PARAMETER(state);
#define REFUSED(change, status)                                                                                        \
    do {                                                                                                               \
        attributes = attributes_of(NULL);                                                                              \
        change;                                                                                                        \
        assert_int_equal(WdfObjectCreate(test_globals, &attributes, &object), status);                                 \
        assert_null(object);                                                                                           \
    } while (0)
    WDF_OBJECT_CONTEXT_TYPE_INFO bad = type_a;
    bad.Size = 8;
    REFUSED(attributes.Size = 8, STATUS_INFO_LENGTH_MISMATCH);
    REFUSED(attributes.ContextTypeInfo = &bad, STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    REFUSED(attributes.ContextSizeOverride = 23, STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    REFUSED((attributes.ContextTypeInfo = NULL, attributes.ContextSizeOverride = 24),
            STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    REFUSED(attributes.ContextSizeOverride = (size_t)-1, STATUS_INTEGER_OVERFLOW);
    WDF_OBJECT_CONTEXT_TYPE_INFO empty = {sizeof(empty), "Empty", 0, &empty, NULL};
    REFUSED(attributes.ContextTypeInfo = &empty, STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    REFUSED(attributes.ExecutionLevel = WdfExecutionLevelInvalid, STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    REFUSED(attributes.ExecutionLevel = 4, STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    REFUSED(attributes.SynchronizationScope = WdfSynchronizationScopeInvalid, STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    REFUSED(attributes.SynchronizationScope = 5, STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    REFUSED(attributes.SynchronizationScope = WdfSynchronizationScopeQueue, STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID);
#undef REFUSED
    assert_int_equal(WdfObjectCreate(test_globals, NULL, &object), STATUS_SUCCESS); /* attributes are optional */
    drop(object);
    assert_string_equal(test_record, "");
}

static void test_contexts(void **state)
{
    WDFOBJECT object = make("one", NULL);
    WDF_OBJECT_ATTRIBUTES attributes;
    PVOID first = named(object), second = NULL, again = NULL;
    UNREFERENCED_PARAMETER(state);
    assert_null(WdfObjectGetTypedContextWorker(test_globals, object, &type_b));
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    assert_int_equal(WdfObjectAllocateContext(test_globals, object, &attributes, &second), STATUS_OBJECT_NAME_INVALID);
    attributes.ContextTypeInfo = &type_b;
    attributes.ContextSizeOverride = 5000;
    assert_int_equal(WdfObjectAllocateContext(test_globals, object, &attributes, &second), STATUS_SUCCESS);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(((UCHAR *)second)[i], 0);
    assert_int_equal(WdfObjectAllocateContext(test_globals, object, &attributes, &again), STATUS_OBJECT_NAME_EXISTS);
    assert_ptr_equal(again, second);
    assert_ptr_equal(WdfObjectGetTypedContextWorker(test_globals, object, &type_b), second);
    assert_ptr_equal(named(object), first);
    assert_ptr_equal(WdfObjectContextGetObject(test_globals, first), object);
    assert_ptr_equal(WdfObjectContextGetObject(test_globals, second), object);
    attributes.ParentObject = object;
    assert_int_equal(WdfObjectAllocateContext(test_globals, object, &attributes, &again),
                     STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED);
    drop(object);
}

/* EvtCleanupCallback: children's before their parent's; then EvtDestroyCallback, children's first. */
static void test_order(void **state)
{
    WDFOBJECT root = make("root", NULL), child = make("child", root);
    UNREFERENCED_PARAMETER(state);
    make("grandchild", child);
    drop(root);
    assert_string_equal(test_record, "cleanup grandchild; cleanup child; cleanup root; "
                                     "destroy grandchild; destroy child; destroy root; ");
}

/* "After the object's reference count has been decremented to zero": a reference delays destruction, not cleanup. */
static void test_reference(void **state)
{
    WDFOBJECT parent = make("parent", NULL), child = make("child", parent);
    UNREFERENCED_PARAMETER(state);
    reference(child);
    drop(parent);
    assert_string_equal(test_record, "cleanup child; cleanup parent; destroy parent; ");
    assert_string_equal(named(child)->name, "child"); /* the context lives */
    drop(child);                                      /* once is enough */
    dereference(child);
    assert_string_equal(test_record, "cleanup child; cleanup parent; destroy parent; destroy child; ");
}

static VOID NTAPI cleanup_lets_go(WDFOBJECT object)
{
    WDF_OBJECT_ATTRIBUTES attributes = attributes_of(object);
    WDFOBJECT late;
    named(object)->status = WdfObjectCreate(test_globals, &attributes, &late);
    test_note("0x%08x; ", (unsigned)named(object)->status);
    dereference(named(object)->child);
    dereference(object);
}

/* A cleanup callback gives back the driver's references; an object being deleted takes no children. */
static void test_cleanup_lets_go(void **state)
{
    WDFOBJECT object, other = make("other", NULL);
    WDF_OBJECT_ATTRIBUTES attributes = attributes_of(NULL);
    UNREFERENCED_PARAMETER(state);
    attributes.EvtCleanupCallback = cleanup_lets_go;
    assert_int_equal(WdfObjectCreate(test_globals, &attributes, &object), STATUS_SUCCESS);
    *named(object) = (struct named){.name = "object", .child = other};
    reference(object);
    reference(other);
    drop(other);
    drop(object);
    assert_string_equal(test_record, "cleanup other; 0xc0000056; destroy other; destroy object; ");
}

static VOID NTAPI note_irql(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    test_note("at %u; ", KeGetCurrentIrql());
}

/* Callbacks that must run at PASSIVE_LEVEL do, whatever the IRQL of the deletion; the others run at once. */
static void test_deferred(void **state)
{
    KIRQL irql;
    WDFOBJECT passive, plain, child;
    WDF_OBJECT_ATTRIBUTES attributes = attributes_of(NULL);
    UNREFERENCED_PARAMETER(state);
    attributes.EvtCleanupCallback = note_irql;
    attributes.EvtDestroyCallback = NULL;
    assert_int_equal(WdfObjectCreate(test_globals, &attributes, &plain), STATUS_SUCCESS);
    attributes.ExecutionLevel = WdfExecutionLevelPassive;
    assert_int_equal(WdfObjectCreate(test_globals, &attributes, &passive), STATUS_SUCCESS);
    attributes.ParentObject = passive;
    attributes.ExecutionLevel = WdfExecutionLevelInheritFromParent;
    assert_int_equal(WdfObjectCreate(test_globals, &attributes, &child), STATUS_SUCCESS);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    drop(plain);
    drop(child);
    drop(passive);
    KeLowerIrql(irql);
    kmdf_idle_wait(kmdf_client_of(test_globals, "test"));
    assert_string_equal(test_record, "at 2; at 0; at 0; ");
}

/* What is left when the driver is unloaded goes with its driver object. */
static void test_unload_deletes(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(test_load(NULL), STATUS_SUCCESS);
    WDFOBJECT object = make("forgotten", NULL);
    make("its child", object);
    assert_int_equal(test_unload(), STATUS_SUCCESS);
    assert_string_equal(test_record, "unload; cleanup its child; cleanup forgotten; destroy its child; "
                                     "destroy forgotten; ");
    assert_int_equal(io_leaks(NULL, NULL), 0);
}

static void find_leak(void *context, const char *line)
{
    if (strstr(line, "WDFOBJECT") && strstr(line, ", 1 reference") && strstr(line, "created by"))
        ++*(int *)context;
}

/* Nobody gave a reference back: one line among the leftovers. */
static void leak(void)
{
    int found = 0;
    if (!NT_SUCCESS(test_load(NULL)))
        return;
    reference(make("leaked", NULL));
    test_unload();
    SIZE_T all = io_leaks(find_leak, &found);
    if (all == 1 && found == 1)
        ke_bugcheck_because(0xE2, (ULONG_PTR[4]){1, 2, 3, 4}, "the leak was told");
}

static void test_leak(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(leak);
    assert_true(result.happened);
    assert_int_equal(result.code, 0xE2);
}

/* ---- WDF_VIOLATION ---- */

static WDFOBJECT victim;

static void use_deleted(void)
{
    drop(victim);
    reference(victim);
}
static void use_forged(void)
{
    reference((char *)victim + 8);
}
static void use_pointer(void)
{
    reference(&victim);
}
static void use_null(void)
{
    drop(NULL);
}
static void use_wrong_type(void)
{
    WdfDriverGetRegistryPath(test_globals, victim);
}
static void delete_by_dereference(void)
{
    dereference(victim);
}
static void delete_driver(void)
{
    drop(test_wdf_driver);
}
static void not_a_context(void)
{
    WdfObjectContextGetObject(test_globals, test_record + 64);
}
static VOID NTAPI destroy_calls(WDFOBJECT object)
{
    assert_non_null(named(object)); /* the context may be looked at */
    reference(object);
}
static void method_in_destroy(void)
{
    WDF_OBJECT_ATTRIBUTES attributes = attributes_of(NULL);
    attributes.EvtCleanupCallback = NULL;
    attributes.EvtDestroyCallback = destroy_calls;
    WdfObjectCreate(test_globals, &attributes, &victim);
    drop(victim);
}
static VOID NTAPI raise_irql(WDFOBJECT object)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(object);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
}
static void callback_raises(void)
{
    WDF_OBJECT_ATTRIBUTES attributes = attributes_of(NULL);
    attributes.EvtCleanupCallback = raise_irql;
    WdfObjectCreate(test_globals, &attributes, &victim);
    drop(victim);
}

static void test_violations(void **state)
{
    static const struct {
        void (*action)(void);
        ULONG code;
        const char *text;
    } rows[] = {
        {use_deleted, 5, "WdfObjectReferenceActual was given the handle"},
        {use_forged, 5, "which is not a framework handle"},
        {use_pointer, 5, "which is not a framework handle"},
        {use_null, 5, "WdfObjectDelete was given NULL"},
        {use_wrong_type, 5, "of a WDFOBJECT where it wants a WDFDRIVER"},
        {delete_by_dereference, 7, "lost its last reference by WdfObjectDereference"},
        {delete_driver, 7, "which only the framework deletes"},
        {not_a_context, 5, "which is not the context of an object"},
        {method_in_destroy, 5, "from its EvtDestroyCallback"},
        {callback_raises, 0xE, "was called at IRQL 0 and returned at 2"},
    };
    UNREFERENCED_PARAMETER(state);
    victim = make("victim", NULL);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        struct bugcheck_result result = bugcheck_of(rows[i].action);
        assert_true(result.happened);
        assert_int_equal(result.code, 0x10D);
        assert_int_equal(result.parameters[0], rows[i].code);
        if (!strstr(result.report, rows[i].text))
            fail_msg("row %d: %s", (int)i, result.report);
    }
    drop(victim);
}

int run_object_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_attributes),      LOADED(test_contexts),
        LOADED(test_order),           LOADED(test_reference),
        LOADED(test_cleanup_lets_go), LOADED(test_deferred),
        LOADED(test_violations),      cmocka_unit_test(test_unload_deletes),
        cmocka_unit_test(test_leak),
    };
    return cmocka_run_group_tests_name("kmdf objects", tests, NULL, NULL);
}
