/* collection_test.c - collections and strings, and what drivers ask of the framework's verifier. */
#include "kmdf_test.h"

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

static WDFCOLLECTION make_collection(void)
{
    WDFCOLLECTION collection;
    assert_int_equal(WdfCollectionCreate(test_globals, NULL, &collection), STATUS_SUCCESS);
    return collection;
}

static VOID NTAPI on_destroy(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    test_note("destroy; ");
}

static WDFOBJECT make_object(void)
{
    WDFOBJECT object;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.EvtDestroyCallback = on_destroy;
    assert_int_equal(WdfObjectCreate(test_globals, &attributes, &object), STATUS_SUCCESS);
    return object;
}

static void test_order(void **state)
{
    WDFCOLLECTION collection = make_collection();
    WDFOBJECT objects[20];
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfCollectionGetCount(test_globals, collection), 0);
    assert_null(WdfCollectionGetFirstItem(test_globals, collection));
    assert_null(WdfCollectionGetLastItem(test_globals, collection));
    assert_null(WdfCollectionGetItem(test_globals, collection, 0));
    for (int i = 0; i < 20; i++)
        assert_int_equal(WdfCollectionAdd(test_globals, collection, objects[i] = make_object()), STATUS_SUCCESS);
    assert_int_equal(WdfCollectionAdd(test_globals, collection, objects[3]), STATUS_SUCCESS); /* once more */
    assert_int_equal(WdfCollectionGetCount(test_globals, collection), 21);
    assert_ptr_equal(WdfCollectionGetFirstItem(test_globals, collection), objects[0]);
    assert_ptr_equal(WdfCollectionGetLastItem(test_globals, collection), objects[3]);
    assert_ptr_equal(WdfCollectionGetItem(test_globals, collection, 19), objects[19]);
    assert_null(WdfCollectionGetItem(test_globals, collection, 21));
    WdfCollectionRemove(test_globals, collection, objects[3]); /* the first of the two */
    assert_ptr_equal(WdfCollectionGetItem(test_globals, collection, 3), objects[4]);
    assert_ptr_equal(WdfCollectionGetLastItem(test_globals, collection), objects[3]);
    WdfCollectionRemoveItem(test_globals, collection, 0);
    assert_ptr_equal(WdfCollectionGetFirstItem(test_globals, collection), objects[1]);
    WdfCollectionRemoveItem(test_globals, collection, 19); /* there are 19: no change */
    WdfCollectionRemove(test_globals, collection, objects[0]);
    assert_int_equal(WdfCollectionGetCount(test_globals, collection), 19);
}

/* An object is referenced for as long as it is in a collection. */
static void test_references(void **state)
{
    WDFCOLLECTION collection = make_collection();
    WDFOBJECT first = make_object(), second = make_object();
    UNREFERENCED_PARAMETER(state);
    WdfCollectionAdd(test_globals, collection, first);
    WdfCollectionAdd(test_globals, collection, second);
    WdfObjectDelete(test_globals, first);
    WdfObjectDelete(test_globals, second);
    assert_string_equal(test_record, "");
    WdfCollectionRemove(test_globals, collection, first);
    assert_string_equal(test_record, "destroy; ");
    WdfObjectDelete(test_globals, collection);
    assert_string_equal(test_record, "destroy; destroy; ");
}

static void test_strings(void **state)
{
    WCHAR text[] = {'t', 'e', 'x', 't'};
    UNICODE_STRING source = {8, 8, text}, odd = {3, 8, text}, value;
    WDFSTRING string;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfStringCreate(test_globals, &source, NULL, &string), STATUS_SUCCESS);
    text[0] = 'n'; /* a copy was taken */
    WdfStringGetUnicodeString(test_globals, string, &value);
    assert_int_equal(value.Length, 8);
    assert_memory_equal(value.Buffer, L"text", 10); /* with a terminator */
    assert_int_equal(WdfStringCreate(test_globals, NULL, NULL, &string), STATUS_SUCCESS);
    WdfStringGetUnicodeString(test_globals, string, &value);
    assert_int_equal(value.Length, 0);
    assert_int_equal(WdfStringCreate(test_globals, &odd, NULL, &string), STATUS_INVALID_PARAMETER);
    assert_null(string);
}

static void verifier_bugcheck(void)
{
    WdfVerifierDbgBreakPoint(test_globals); /* nothing listens */
    WdfVerifierKeBugCheck(test_globals, 0xE2, 1, 2, 3, 4);
}

static void test_verifier(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(verifier_bugcheck);
    assert_true(result.happened);
    assert_int_equal(result.code, 0xE2);
    assert_int_equal(result.parameters[3], 4);
}

int run_collection_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_order), LOADED(test_references), LOADED(test_strings),
                                       LOADED(test_verifier)};
    return cmocka_run_group_tests_name("kmdf collections and strings", tests, NULL, NULL);
}
