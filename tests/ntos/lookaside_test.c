/* lookaside_test.c - lookaside lists: what their fields say to inlined code, own routines, and that freed is freed. */
#include "ntos_test.h"
#include "wdk/lookaside.h"

static ULONG allocations, frees;
static PLOOKASIDE_LIST_EX seen_list;

static PVOID NTAPI own_allocate(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    allocations++;
    return ExAllocatePoolWithTag(type, size, tag);
}

static VOID NTAPI own_free(PVOID block)
{
    frees++;
    ExFreePool(block);
}

static VOID NTAPI own_free_ex(PVOID block, PLOOKASIDE_LIST_EX list)
{
    seen_list = list;
    own_free(block);
}

/* What wdm.h makes of ExAllocateFromNPagedLookasideList and its like. */
static PVOID inlined_allocate(GENERAL_LOOKASIDE_POOL *list)
{
    PVOID block = ExpInterlockedPopEntrySList(&list->ListHead);
    list->TotalAllocates++;
    if (block)
        return block;
    list->AllocateMisses++;
    return list->Allocate(list->Type, list->Size, list->Tag);
}

static void inlined_free(GENERAL_LOOKASIDE_POOL *list, PVOID block)
{
    list->TotalFrees++;
    if (ExQueryDepthSList(&list->ListHead) < list->Depth) {
        ExpInterlockedPushEntrySList(&list->ListHead, block);
        return;
    }
    list->FreeMisses++;
    list->Free(block);
}

static void blocks_come_from_the_pool(void **state)
{
    UNREFERENCED_PARAMETER(state);
    SIZE_T before = mm_pool_each(MM_POOL_DRIVER, NULL, NULL);
    NPAGED_LOOKASIDE_LIST list;
    struct mm_pool_block info;
    ExInitializeNPagedLookasideList(&list, NULL, NULL, POOL_NX_ALLOCATION, 40, TAG, 0);
    assert_int_equal(list.L.Type, NonPagedPoolNx);
    PVOID block = inlined_allocate(&list.L);
    assert_true(mm_pool_find((ULONG_PTR)block, &info));
    assert_true(info.size == 40 && info.tag == TAG);
    inlined_free(&list.L, block);
    assert_false(mm_pool_find((ULONG_PTR)block, &info)); /* at once */
    assert_true(list.L.TotalAllocates == 1 && list.L.TotalFrees == 1);
    ExDeleteNPagedLookasideList(&list);
    ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 1, TAG, 0);
    assert_int_equal(list.L.Size, 8);
    assert_int_equal(mm_pool_each(MM_POOL_DRIVER, NULL, NULL), before);
}

static void own_routines_are_called(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PAGED_LOOKASIDE_LIST list;
    allocations = frees = 0;
    ExInitializePagedLookasideList(&list, own_allocate, own_free, 0, 100, TAG, 0);
    assert_int_equal(list.L.Type, PagedPool);
    PVOID first = ExAllocateFromPagedLookasideList(&list), second = ExAllocateFromPagedLookasideList(&list);
    ExFreeToPagedLookasideList(&list, first);
    assert_true(allocations == 2 && frees == 1);
    ExpInterlockedPushEntrySList(&list.L.ListHead, second);
    assert_ptr_equal(ExAllocateFromPagedLookasideList(&list), second);
    ExpInterlockedPushEntrySList(&list.L.ListHead, second);
    ExDeletePagedLookasideList(&list);
    assert_int_equal(frees, 2);
}

static void extended_lists(void **state)
{
    UNREFERENCED_PARAMETER(state);
    LOOKASIDE_LIST_EX list;
    assert_int_equal(ExInitializeLookasideListEx(&list, NULL, own_free_ex, PagedPool, 0, 64, TAG, 0), STATUS_SUCCESS);
    ExpInterlockedPushEntrySList(&list.L.ListHead, ExAllocatePoolWithTag(PagedPool, 64, TAG));
    ExFlushLookasideListEx(&list);
    assert_ptr_equal(seen_list, &list);
    ExDeleteLookasideListEx(&list);
    assert_int_equal(ExInitializeLookasideListEx(&list, NULL, NULL, PagedPool, 3, 64, TAG, 0),
                     STATUS_INVALID_PARAMETER_5);
    assert_int_equal(ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPoolNx,
                                                 EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL, 64, TAG, 0),
                     STATUS_SUCCESS);
    assert_int_equal(list.L.Type, NonPagedPoolNx | POOL_RAISE_IF_ALLOCATION_FAILURE);
}

static void misaligned(void *context)
{
    ExInitializeNPagedLookasideList((PNPAGED_LOOKASIDE_LIST)((UCHAR *)context + 8), NULL, NULL, 0, 8, TAG, 0);
}

static void a_misaligned_list_raises(void **state)
{
    UNREFERENCED_PARAMETER(state);
    NPAGED_LOOKASIDE_LIST lists[2];
    assert_int_equal(exception_of(misaligned, lists), STATUS_DATATYPE_MISALIGNMENT);
}

int run_lookaside_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_from_the_pool),
        cmocka_unit_test(own_routines_are_called),
        cmocka_unit_test(extended_lists),
        cmocka_unit_test(a_misaligned_list_raises),
    };
    return cmocka_run_group_tests_name("lookaside", tests, NULL, NULL);
}
