/* layout.c - the split of the address space, and system memory. */
#include "plat_test.h"

static void limits_are_as_designed(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(plat_layout.user_low, 0x10000);
    assert_int_equal(plat_layout.user_limit, 0x3FFFFFFF0000);
    assert_int_equal(plat_layout.system_start, 0x400000000000);
    int local;
    assert_true((ULONG_PTR)&local > plat_layout.system_start);
    assert_true((ULONG_PTR)&limits_are_as_designed > plat_layout.system_start);
}

static void lowest_and_highest_pages_map(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const ULONG_PTR edges[] = {0x10000, 0x3FFFFFFF0000 - PAGE};
    for (int i = 0; i < 2; i++) {
        ULONG_PTR at = edges[i];
        assert_int_equal(plat_user_map(&at, PAGE, PLAT_READWRITE), STATUS_SUCCESS);
        assert_int_equal(at, edges[i]);
        probe_write8(at + PAGE - 8, 77);
        assert_int_equal(probe_read8(at + PAGE - 8), 77);
    }
    assert_int_equal(record.traps, 0);
}

static void outside_the_user_range_is_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const struct {
        ULONG_PTR address;
        SIZE_T size;
    } bad[] = {{0xF000, PAGE},
               {0x1, PAGE},
               {0x3FFFFFFF0000, PAGE},
               {0x3FFFFFFEF000, 2 * PAGE},
               {0x400000000000, PAGE},
               {0x10000, 0x400000000000},
               {0x10000, ~0ull},
               {~0ull - PAGE, 2 * PAGE},
               {0x10000, 0}};
    for (size_t i = 0; i < RTL_NUMBER_OF(bad); i++) {
        ULONG_PTR at = bad[i].address;
        assert_int_equal(plat_user_map(&at, bad[i].size, PLAT_READWRITE), STATUS_INVALID_PARAMETER);
        assert_int_equal(plat_user_unmap(bad[i].address, bad[i].size), STATUS_INVALID_PARAMETER);
        assert_int_equal(plat_user_protect(bad[i].address, bad[i].size, PLAT_READ), STATUS_INVALID_PARAMETER);
    }
    ULONG_PTR at = 0x20000;
    assert_int_equal(plat_user_map(&at, PAGE, 0x10), STATUS_INVALID_PARAMETER);
}

static void the_limit_never_maps(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const ULONG_PTR edges[] = {0xFFF8, 0x3FFFFFFF0000, 0x3FFFFFFFFFF8};
    for (size_t i = 0; i < RTL_NUMBER_OF(edges); i++) {
        record_clear();
        probe_read8(edges[i]);
        assert_int_equal(record.traps, 1);
        assert_int_equal(record.code, STATUS_ACCESS_VIOLATION);
        assert_int_equal(record.info[1], edges[i]);
    }
}

static void system_memory_is_apart(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UCHAR *a = plat_system_map(3 * PAGE, PLAT_READWRITE), *b = plat_system_map(1, PLAT_READWRITE);
    assert_true((ULONG_PTR)a >= plat_layout.system_start && (ULONG_PTR)b >= plat_layout.system_start);
    assert_int_equal((ULONG_PTR)a % PAGE, 0);
    assert_int_equal(a[3 * PAGE - 1], 0);
    b[PAGE - 1] = 1;
    assert_true(plat_is_readable((ULONG_PTR)a, 3 * PAGE));
    assert_false(plat_is_readable((ULONG_PTR)a, 3 * PAGE + 1));
    assert_false(plat_is_readable((ULONG_PTR)a - 1, 2));
    assert_true(plat_system_protect(a + PAGE, PAGE, PLAT_NOACCESS));
    assert_false(plat_is_readable((ULONG_PTR)a, 2 * PAGE));
    UCHAR copy[2 * PAGE];
    assert_int_equal(plat_safe_read(copy, (ULONG_PTR)a + 100, 2 * PAGE), PAGE - 100);
    plat_system_unmap(a, 3 * PAGE);
    assert_false(plat_is_readable((ULONG_PTR)a, 1));
    plat_system_unmap(b, 1);
    assert_null(plat_system_map(0, PLAT_READWRITE));
    assert_null(plat_system_map(~0ull, PLAT_READWRITE));
    assert_int_equal(record.traps, 0);
}

static void any_address_can_be_asked_about(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const ULONG_PTR odd[] = {
        0, 1, 0xFFFF, 0x3FFFFFFF0000, 0x7FFFFFFFFFFF, 0x800000000000, 0x8000000000000000, 0xFFFFF78000000000, ~0ull};
    UCHAR byte;
    for (size_t i = 0; i < RTL_NUMBER_OF(odd); i++) {
        assert_false(plat_is_readable(odd[i], 1));
        assert_int_equal(plat_safe_read(&byte, odd[i], 1), 0);
        assert_false(plat_user_query(odd[i], NULL, NULL));
        assert_false(plat_user_load(odd[i], &byte, 1));
        assert_false(plat_user_store(odd[i], &byte, 1));
    }
    assert_int_equal(record.traps, 0);
}

SUITE(layout, cmocka_unit_test(limits_are_as_designed), cmocka_unit_test(lowest_and_highest_pages_map),
      cmocka_unit_test(outside_the_user_range_is_refused), cmocka_unit_test(the_limit_never_maps),
      cmocka_unit_test(system_memory_is_apart), cmocka_unit_test(any_address_can_be_asked_about))
