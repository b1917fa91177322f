/* pool_test.c - pool: what it promises, and each way to misuse it as the bug check it must be. */
#include "ntos_test.h"
#include "arch.h"

static void blocks_are_zeroed_aligned_and_counted(void **state)
{
    UNREFERENCED_PARAMETER(state);
    SIZE_T before = mm_pool_bytes_in_use(MM_POOL_DRIVER);
    for (SIZE_T size = 1; size < 5000; size += 37) {
        UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
        assert_non_null(block);
        assert_int_equal((ULONG_PTR)block % (size >= PAGE_SIZE ? PAGE_SIZE : 16), 0);
        for (SIZE_T i = 0; i < size; i++)
            assert_int_equal(block[i], 0);
        assert_int_equal(mm_pool_bytes_in_use(MM_POOL_DRIVER), before + size);
        struct mm_pool_block info;
        assert_true(mm_pool_find((ULONG_PTR)block + size - 1, &info));
        assert_true(info.size == size && info.tag == TAG && info.address == (ULONG_PTR)block);
        ExFreePoolWithTag(block, TAG);
    }
    UCHAR *block = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED | POOL_FLAG_CACHE_ALIGNED, 100, TAG);
    assert_int_equal((ULONG_PTR)block % 64, 0);
    assert_int_not_equal(block[0], 0);
    ExFreePool(block);
    assert_int_equal(mm_pool_bytes_in_use(MM_POOL_DRIVER), before);
}

static void allocate_raising(void *flags)
{
    ExAllocatePool2((ULONG_PTR)flags, 1ull << 40, TAG);
}

static void wrong_requests_fail(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED, ~0ull, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED, ~0ull - 4096, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED, 0xFFFFFFFF, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_NON_PAGED, 8, TAG));
    assert_null(ExAllocatePool2(0, 8, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED, 8, 0));
    assert_null(ExAllocatePoolWithTag(NonPagedPool, 1ull << 40, TAG));
    assert_int_equal(exception_of(allocate_raising, (void *)(POOL_FLAG_PAGED | POOL_FLAG_RAISE_ON_FAILURE)),
                     STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(exception_of(allocate_raising, (void *)POOL_FLAG_RAISE_ON_FAILURE), STATUS_INVALID_PARAMETER);
}

static void the_cap_holds_and_comes_back(void **state)
{
    UNREFERENCED_PARAMETER(state);
    void *blocks[20];
    SIZE_T count = 0;
    while (count < RTL_NUMBER_OF(blocks) &&
           (blocks[count] = mm_pool_allocate(100 << 20, TAG, MM_POOL_ZERO, MM_POOL_DRIVER, 0)))
        count++;
    assert_in_range(count, 9, 10);
    while (count)
        mm_pool_free(blocks[--count], TAG, 0);
    void *again = ExAllocatePool2(POOL_FLAG_PAGED, 64, TAG);
    assert_non_null(again);
    ExFreePool(again);
}

static volatile UCHAR *victim;
static volatile UCHAR sink;

static void make_victim(SIZE_T size)
{
    victim = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
}

HOSTILE static void write_one_past(void)
{
    make_victim(64);
    __try { /* no handler may catch it */
        victim[64] = 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
}

HOSTILE static void read_one_past(void)
{
    make_victim(PAGE_SIZE);
    sink = victim[PAGE_SIZE];
}

static void write_past_by_copy(void)
{
    static char big[0x2000];
    make_victim(48);
    nt_memcpy((void *)victim, big, sizeof(big));
}

HOSTILE static void use_freed(void)
{
    make_victim(64);
    ExFreePoolWithTag((void *)victim, TAG);
    sink = victim[3];
}

static void free_twice(void)
{
    make_victim(64);
    ExFreePool((void *)victim);
    ExFreePool((void *)victim);
}

static void free_with_wrong_tag(void)
{
    make_victim(64);
    ExFreePoolWithTag((void *)victim, RTL_TAG('X', 'x', 'x', 'x'));
}

static void free_inner_pointer(void)
{
    make_victim(64);
    ExFreePool((void *)(victim + 16));
}

static void free_null(void)
{
    ExFreePool(NULL);
}

HOSTILE static void overrun_the_slack(void)
{
    make_victim(61);
    victim[61] = 1;
    ExFreePool((void *)victim);
}

HOSTILE static void underrun(void)
{
    make_victim(64);
    victim[-1] = 1;
    ExFreePool((void *)victim);
}

static void paged_at_dispatch(void)
{
    KfRaiseIrql(DISPATCH_LEVEL);
    make_victim(1);
    ExAllocatePool2(POOL_FLAG_PAGED, 1, TAG);
}

HOSTILE static void touch_random_system_address(void)
{
    __try {
        sink = *(volatile UCHAR *)0xFFFFC00012345678ull;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
}

static void each_misuse_is_its_bug_check(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        void (*action)(void);
        ULONG code;
        int number; /* parameter that tells the kinds apart, -1: none */
        ULONG_PTR value;
        const char *says;
    } cases[] = {
        {write_one_past, 0xD6, 1, 1, "0 bytes beyond the end"},
        {read_one_past, 0xD6, 1, 0, "tag Test, 4096 bytes"},
        {write_past_by_copy, 0xD6, 1, 1, "tag Test, 48 bytes"},
        {use_freed, 0xD5, 1, 0, "was freed"},
        {free_twice, 0xC2, 0, 0x7, "freed already"},
        {free_with_wrong_tag, 0xC2, 0, 0xA, "freed with tag Xxxx"},
        {free_inner_pointer, 0xC2, 0, 0x46, "never returned"},
        {free_null, 0xC2, 0, 0x46, "never returned"},
        {overrun_the_slack, 0xC1, 3, 0x24, "behind"},
        {underrun, 0xC1, 3, 0x23, "before"},
        {paged_at_dispatch, 0xC4, 0, 0x1, "paged pool"},
        {touch_random_system_address, 0x50, 0, 0xFFFFC00012345678ull, "read of system address"},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(cases); i++) {
        struct bugcheck_result result = bugcheck_of(cases[i].action);
        if (!result.happened)
            fail_msg("case %u did not bug-check: %s", (unsigned)i, result.report);
        assert_int_equal(result.code, cases[i].code);
        if (cases[i].number >= 0)
            assert_int_equal(result.parameters[cases[i].number], cases[i].value);
        if (!strstr(result.report, cases[i].says))
            fail_msg("case %u: \"%s\" is not in: %s", (unsigned)i, cases[i].says, result.report);
        assert_non_null(strstr(result.report, ke_bugcheck_name(cases[i].code)));
    }
}

HOSTILE static void read_user_null(void *context)
{
    sink = *(volatile UCHAR *)context;
}

static void a_bad_user_address_is_an_exception(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(exception_of(read_user_null, NULL), STATUS_ACCESS_VIOLATION);
    assert_int_equal(exception_of(read_user_null, (void *)0x8000000000001000ull), STATUS_ACCESS_VIOLATION);
}

int run_pool_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_aligned_and_counted), cmocka_unit_test(wrong_requests_fail),
        cmocka_unit_test(the_cap_holds_and_comes_back),          cmocka_unit_test(each_misuse_is_its_bug_check),
        cmocka_unit_test(a_bad_user_address_is_an_exception),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
