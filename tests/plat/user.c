/* user.c - mapping, protecting, asking, second views, and fork. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plat_test.h"

static void pages_are_fresh_and_reused_clean(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (int round = 0; round < 100; round++) {
        ULONG_PTR at = user_pages(4, PLAT_READWRITE);
        UCHAR bytes[4 * PAGE], zero[4 * PAGE] = {0};
        assert_true(plat_user_load(at, bytes, sizeof bytes));
        assert_memory_equal(bytes, zero, sizeof zero);
        memset(bytes, 0xA5, sizeof bytes);
        assert_true(plat_user_store(at, bytes, sizeof bytes));
        assert_int_equal(plat_user_unmap(at, 4 * PAGE), STATUS_SUCCESS);
    }
}

static void chosen_regions_stand_apart(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR last = 0;
    for (int i = 0; i < 50; i++) {
        ULONG_PTR at = user_pages(1 + (SIZE_T)i % 20, PLAT_READWRITE);
        assert_true(at > last);
        assert_false(plat_user_query(at - 1, NULL, NULL));
        assert_false(plat_user_query(at + (1 + (SIZE_T)i % 20) * PAGE, NULL, NULL));
        last = at;
    }
}

static void taken_pages_conflict(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = 0x50000000, other = at - PAGE;
    assert_int_equal(plat_user_map(&at, 2 * PAGE, PLAT_READ), STATUS_SUCCESS);
    assert_int_equal(plat_user_map(&other, 2 * PAGE, PLAT_READ), STATUS_CONFLICTING_ADDRESSES);
    assert_false(plat_user_query(0x50000000 - PAGE, NULL, NULL));
    assert_int_equal(plat_user_unmap(at, 3 * PAGE), STATUS_CONFLICTING_ADDRESSES);
    assert_true(plat_user_query(at, NULL, NULL));
    assert_int_equal(plat_user_protect(at, 3 * PAGE, PLAT_READWRITE), STATUS_CONFLICTING_ADDRESSES);
    ULONG prot;
    assert_true(plat_user_query(at, &prot, NULL));
    assert_int_equal(prot, PLAT_READ);
    other = at + PAGE / 2;
    assert_int_equal(plat_user_map(&other, 1, PLAT_READ), STATUS_CONFLICTING_ADDRESSES);
}

static void too_much_is_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = 0;
    assert_int_equal(plat_user_map(&at, 1ull << 40, PLAT_READ), STATUS_NO_MEMORY);
    assert_int_equal(at, 0);
}

static void query_tells_regions_and_protections(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = 0x30000000, next = at + 8 * PAGE;
    ULONG prot;
    SIZE_T size;
    assert_int_equal(plat_user_map(&at, 8 * PAGE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_int_equal(plat_user_map(&next, 2 * PAGE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_int_equal(plat_user_protect(at + 2 * PAGE, 3 * PAGE, PLAT_READ), STATUS_SUCCESS);
    const struct {
        SIZE_T page, pages;
        ULONG prot;
    } expected[] = {{0, 2, PLAT_READWRITE},
                    {1, 1, PLAT_READWRITE},
                    {2, 3, PLAT_READ},
                    {5, 3, PLAT_READWRITE},
                    {8, 2, PLAT_READWRITE}};
    for (size_t i = 0; i < RTL_NUMBER_OF(expected); i++) {
        assert_true(plat_user_query(at + expected[i].page * PAGE + 123, &prot, &size));
        assert_int_equal(prot, expected[i].prot);
        assert_int_equal(size, expected[i].pages * PAGE);
    }
    assert_int_equal(plat_user_unmap(at + 3 * PAGE, PAGE), STATUS_SUCCESS);
    assert_false(plat_user_query(at + 3 * PAGE, &prot, &size));
    assert_true(plat_user_query(at + 4 * PAGE, &prot, &size));
    assert_int_equal(size, PAGE);
}

static void user_memory_is_no_buffer_of_the_host(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(2, PLAT_READWRITE);
    assert_false(plat_user_load(at, (void *)(at + PAGE), 8));
    assert_false(plat_user_store(at, (void *)(at + PAGE), 8));
    assert_int_equal(record.traps, 0);
    assert_true(plat_user_load(at, NULL, 0));
}

static void user_mode_stores_obey_user_protection(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(2, PLAT_READWRITE);
    uint64_t value = 0x1122334455667788, back = 0;
    assert_true(plat_user_store(at + PAGE - 4, &value, 8));
    assert_int_equal(plat_user_protect(at + PAGE, PAGE, PLAT_READ), STATUS_SUCCESS);
    assert_true(plat_user_load(at + PAGE - 4, &back, 8));
    assert_int_equal(back, value);
    back = 0;
    assert_false(plat_user_store(at + PAGE - 4, &back, 8)); /* nothing stored, not even the first half */
    assert_true(plat_user_load(at + PAGE - 4, &back, 8));
    assert_int_equal(back, value);
    assert_false(plat_user_load(at + 2 * PAGE - 4, &back, 8));
    assert_true(plat_is_readable(at, 2 * PAGE));
    assert_int_equal(plat_user_protect(at, PAGE, PLAT_NOACCESS), STATUS_SUCCESS);
    assert_false(plat_is_readable(at, 1));
    assert_int_equal(plat_safe_read(&back, at, 8), 0);
    assert_int_equal(plat_safe_read(&back, at + PAGE, 8), 8);
}

static void alias_survives_unmap(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(3, PLAT_READWRITE);
    volatile uint64_t *view;
    void *result;
    uint64_t value = 1234;
    assert_int_equal(plat_user_alias(at + PAGE + 8, PAGE, &result), STATUS_SUCCESS); /* two pages, unaligned */
    view = result;
    assert_int_equal((ULONG_PTR)view & (PAGE - 1), 8);
    assert_true((ULONG_PTR)view > plat_layout.system_start);
    assert_true(plat_user_store(at + PAGE + 8, &value, 8));
    assert_int_equal(*view, 1234);
    assert_int_equal(plat_user_unmap(at, 3 * PAGE), STATUS_SUCCESS);
    assert_int_equal(*view, 1234);
    *view = 99;
    /* The frames are held: new memory does not get them. */
    for (int i = 0; i < 8; i++) {
        ULONG_PTR fresh = user_pages(3, PLAT_READWRITE);
        assert_true(plat_user_load(fresh + PAGE + 8, &value, 8));
        assert_int_equal(value, 0);
        assert_true(plat_user_store(fresh + PAGE + 8, &value, 8));
    }
    assert_int_equal(*view, 99);
    plat_user_alias_release(result, PAGE);
    assert_false(plat_is_readable((ULONG_PTR)view, 8));
    assert_int_equal(plat_user_alias(at, PAGE, &result), STATUS_INVALID_PARAMETER);
}

static void alias_joins_scattered_frames(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = 0x40000000, second = at + PAGE;
    void *result;
    (void)user_pages(1, PLAT_READ);
    assert_int_equal(plat_user_map(&second, PAGE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_int_equal(plat_user_map(&at, PAGE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_int_equal(plat_user_alias(at, 2 * PAGE, &result), STATUS_SUCCESS);
    memcpy((char *)result + PAGE - 4, "abcdefgh", 8);
    char back[8];
    assert_true(plat_user_load(at + PAGE - 4, back, 8));
    assert_memory_equal(back, "abcdefgh", 8);
    plat_user_alias_release(result, 2 * PAGE);
}

static ULONG_PTR fork_at;
static uint64_t *fork_view;

static void fork_body(void)
{
    uint64_t value = 0;
    ULONG prot = 0;
    shared_record->traps = 1;
    if (probe_read8(fork_at) != 11 || *fork_view != 11)
        _exit(1);
    probe_write8(fork_at, 22);
    if (*fork_view != 22 || !plat_user_load(fork_at, &value, 8) || value != 22)
        _exit(2);
    if (!plat_user_query(fork_at + PAGE, &prot, NULL) || prot != PLAT_READ)
        _exit(3);
    uint64_t fault[2] = {0, 0};
    window_store8(fork_at + PAGE, fault, 1);
    if (fault[0] != fork_at + PAGE || fault[1] != ((uint32_t)STATUS_ACCESS_VIOLATION | FIXUP_WRITE))
        _exit(4);
    plat_user_unmap(fork_at, PAGE);
    if (*fork_view != 22)
        _exit(5);
    shared_record->traps = 2;
}

static void a_forked_child_is_independent(void **state)
{
    UNREFERENCED_PARAMETER(state);
    uint64_t value = 11;
    void *view;
    fork_at = user_pages(2, PLAT_READWRITE);
    assert_int_equal(plat_user_protect(fork_at + PAGE, PAGE, PLAT_READ), STATUS_SUCCESS);
    assert_int_equal(plat_user_alias(fork_at, PAGE, &view), STATUS_SUCCESS);
    fork_view = view;
    assert_true(plat_user_store(fork_at, &value, 8));
    int status = in_child(fork_body);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(shared_record->traps, 2);
    assert_int_equal(*fork_view, 11);
    assert_true(plat_user_load(fork_at, &value, 8));
    assert_int_equal(value, 11);
    plat_user_alias_release(view, PAGE);
}

static void reset_unmaps_everything(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR first = user_pages(5, PLAT_READWRITE), high = 0x3FFFFFFE0000;
    assert_int_equal(plat_user_map(&high, 16 * PAGE, PLAT_READ), STATUS_SUCCESS);
    plat_user_reset();
    assert_false(plat_user_query(first, NULL, NULL));
    assert_false(plat_user_query(high, NULL, NULL));
    assert_int_equal(user_pages(5, PLAT_READWRITE), first);
}

SUITE(user, cmocka_unit_test(pages_are_fresh_and_reused_clean), cmocka_unit_test(chosen_regions_stand_apart),
      cmocka_unit_test(taken_pages_conflict), cmocka_unit_test(too_much_is_refused),
      cmocka_unit_test(query_tells_regions_and_protections), cmocka_unit_test(user_mode_stores_obey_user_protection),
      cmocka_unit_test(user_memory_is_no_buffer_of_the_host), cmocka_unit_test(alias_survives_unmap),
      cmocka_unit_test(alias_joins_scattered_frames), cmocka_unit_test(a_forked_child_is_independent),
      cmocka_unit_test(reset_unmaps_everything))
