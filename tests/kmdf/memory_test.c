/* memory_test.c - memory objects and lookaside lists: buffers, lengths, copies, who owns what. */
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

static WDFMEMORY make(SIZE_T size, PVOID *buffer)
{
    WDFMEMORY memory;
    assert_int_equal(WdfMemoryCreate(test_globals, NULL, NonPagedPoolNx, TAG, size, &memory, buffer), STATUS_SUCCESS);
    return memory;
}

static void drop(WDFMEMORY memory)
{
    WdfObjectDelete(test_globals, memory);
}

static void test_create(void **state)
{
    struct mm_pool_block block;
    WDFMEMORY memory;
    PVOID buffer;
    size_t size;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfMemoryCreate(test_globals, NULL, PagedPool, 0, 0, &memory, NULL), STATUS_INVALID_PARAMETER);
    assert_null(memory);
    assert_int_equal(WdfMemoryCreate(test_globals, NULL, PagedPool, 0, (size_t)-1, &memory, NULL),
                     STATUS_INSUFFICIENT_RESOURCES);
    assert_null(memory);
    memory = make(100, &buffer);
    assert_ptr_equal(WdfMemoryGetBuffer(test_globals, memory, &size), buffer);
    assert_ptr_equal(WdfMemoryGetBuffer(test_globals, memory, NULL), buffer);
    assert_int_equal(size, 100);
    assert_true(mm_pool_find((ULONG_PTR)buffer, &block));
    assert_int_equal(block.tag, TAG);
    assert_false(block.paged);
    drop(memory);
    assert_false(mm_pool_find((ULONG_PTR)buffer, &block));
    /* Without a tag of its own: that of the driver's service, "KmdfTest". */
    assert_int_equal(WdfMemoryCreate(test_globals, NULL, PagedPool, 0, 1, &memory, &buffer), STATUS_SUCCESS);
    assert_true(mm_pool_find((ULONG_PTR)buffer, &block));
    assert_int_equal(block.tag, RTL_TAG('K', 'm', 'd', 'f'));
    assert_true(block.paged);
}

static void test_parent(void **state)
{
    struct mm_pool_block block;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFOBJECT parent;
    WDFMEMORY memory;
    PVOID buffer;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfObjectCreate(test_globals, NULL, &parent), STATUS_SUCCESS);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = parent;
    assert_int_equal(WdfMemoryCreate(test_globals, &attributes, PagedPool, TAG, 8, &memory, &buffer), STATUS_SUCCESS);
    WdfObjectReferenceActual(test_globals, memory, NULL, 0, NULL);
    WdfObjectDelete(test_globals, parent);
    assert_true(mm_pool_find((ULONG_PTR)buffer, &block)); /* a reference keeps the buffer */
    WdfObjectDereferenceActual(test_globals, memory, NULL, 0, NULL);
    assert_false(mm_pool_find((ULONG_PTR)buffer, &block));
    attributes.ExecutionLevel = WdfExecutionLevelPassive;
    attributes.ParentObject = NULL;
    assert_int_equal(WdfMemoryCreate(test_globals, &attributes, PagedPool, TAG, 8, &memory, &buffer),
                     STATUS_WDF_EXECUTION_LEVEL_INVALID);
}

static void test_preallocated(void **state)
{
    char first[16], second[8];
    WDFMEMORY memory;
    size_t size;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfMemoryCreatePreallocated(test_globals, NULL, first, 0, &memory), STATUS_INVALID_PARAMETER);
    assert_null(memory);
    assert_int_equal(WdfMemoryCreatePreallocated(test_globals, NULL, first, sizeof(first), &memory), STATUS_SUCCESS);
    assert_ptr_equal(WdfMemoryGetBuffer(test_globals, memory, &size), first);
    assert_int_equal(size, sizeof(first));
    assert_int_equal(WdfMemoryAssignBuffer(test_globals, memory, second, 0), STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfMemoryAssignBuffer(test_globals, memory, second, sizeof(second)), STATUS_SUCCESS);
    assert_ptr_equal(WdfMemoryGetBuffer(test_globals, memory, &size), second);
    assert_int_equal(size, sizeof(second));
    drop(memory);
}

static void test_copy(void **state)
{
    char out[9] = "........", *buffer;
    WDFMEMORY memory;
    UNREFERENCED_PARAMETER(state);
    memory = make(8, (PVOID *)&buffer);
    memcpy(buffer, "abcdefgh", 8);
    assert_int_equal(WdfMemoryCopyToBuffer(test_globals, memory, 6, out, 2), STATUS_SUCCESS);
    assert_string_equal(out, "gh......");
    assert_int_equal(WdfMemoryCopyToBuffer(test_globals, memory, 6, out, 3), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(WdfMemoryCopyToBuffer(test_globals, memory, 9, out, 1), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(WdfMemoryCopyToBuffer(test_globals, memory, (size_t)-1, out, 2), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(WdfMemoryCopyToBuffer(test_globals, memory, 0, out, 0), STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, memory, 0, (PVOID) "xy", 2), STATUS_SUCCESS);
    assert_memory_equal(buffer, "xycdefgh", 8);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, memory, 7, out, 2), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, memory, 8, out, 1), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, memory, 9, out, 1), STATUS_INVALID_BUFFER_SIZE);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, memory, 2, out, (size_t)-1), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, memory, 0, out, 0), STATUS_INVALID_PARAMETER);
    assert_memory_equal(buffer, "xycdefgh", 8);
}

static void test_lookaside(void **state)
{
    struct mm_pool_block block;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFLOOKASIDE list;
    WDFMEMORY memory[2];
    WDFOBJECT parent;
    PVOID buffer;
    size_t size;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WdfLookasideListCreate(test_globals, NULL, 0, PagedPool, NULL, TAG, &list),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfObjectCreate(test_globals, NULL, &parent), STATUS_SUCCESS);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.Size--;
    assert_int_equal(WdfLookasideListCreate(test_globals, NULL, 40, PagedPool, &attributes, TAG, &list),
                     STATUS_INFO_LENGTH_MISMATCH);
    attributes.Size++;
    attributes.ParentObject = parent;
    assert_int_equal(WdfLookasideListCreate(test_globals, NULL, 40, PagedPool, &attributes, TAG, &list),
                     STATUS_SUCCESS);
    for (int i = 0; i < 2; i++)
        assert_int_equal(WdfMemoryCreateFromLookaside(test_globals, list, &memory[i]), STATUS_SUCCESS);
    buffer = WdfMemoryGetBuffer(test_globals, memory[0], &size);
    assert_int_equal(size, 40);
    assert_true(mm_pool_find((ULONG_PTR)buffer, &block));
    assert_true(block.tag == TAG && block.paged);
    drop(memory[1]);
    WdfObjectDelete(test_globals, list);
    assert_true(mm_pool_find((ULONG_PTR)buffer, &block)); /* the list is gone, what it gave stays */
    WdfObjectDelete(test_globals, parent);
    assert_false(mm_pool_find((ULONG_PTR)buffer, &block));
}

HOSTILE static void overrun(void)
{
    UCHAR *buffer;
    if (!NT_SUCCESS(test_load(NULL)))
        return;
    make(48, (PVOID *)&buffer);
    ((volatile UCHAR *)buffer)[48] = 1;
}
static void assign_to_pool(void)
{
    char other[8];
    if (NT_SUCCESS(test_load(NULL)))
        WdfMemoryAssignBuffer(test_globals, make(8, NULL), other, 8);
}
static void null_memory(void)
{
    if (NT_SUCCESS(test_load(NULL)))
        WdfMemoryGetBuffer(test_globals, NULL, NULL);
}
static void no_place(void)
{
    if (NT_SUCCESS(test_load(NULL)))
        WdfMemoryCreate(test_globals, NULL, PagedPool, 0, 8, NULL, NULL);
}

static void test_misuse(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_true(bugcheck_of(overrun).happened); /* at the write itself */
    struct bugcheck_result result = bugcheck_of(assign_to_pool);
    assert_int_equal(result.code, 0x10D);
    assert_int_equal(result.parameters[0], 5);
    assert_non_null(strstr(result.report, "WdfMemoryCreatePreallocated did not make"));
    result = bugcheck_of(null_memory);
    assert_true(result.code == 0x10D && result.parameters[0] == 5);
    result = bugcheck_of(no_place);
    assert_true(result.code == 0x10D && result.parameters[0] == 4);
}

int run_memory_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_preallocated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lookaside, set_up, tear_down),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests_name("kmdf memory", tests, NULL, NULL);
}
