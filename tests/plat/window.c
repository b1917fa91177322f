/* window.c - faults of accessors: fix-ups, exact addresses, guard pages, in-page errors. */
#include <string.h>

#include "plat_test.h"

#define READ_FAULT(status)  ((uint64_t)(uint32_t)(status))
#define WRITE_FAULT(status) (READ_FAULT(status) | FIXUP_WRITE)

static void a_window_reads_and_closes(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(2, PLAT_READWRITE);
    uint64_t fault[2] = {0, 0};
    window_store8(at + PAGE - 4, fault, 0xFEDCBA9876543210);
    assert_int_equal(window_load8(at + PAGE - 4, fault), 0xFEDCBA9876543210);
    assert_int_equal(fault[0], 0);
    assert_int_equal(record.raws, 0);
    assert_int_equal(arch_self()->window_dirty, 0);
    probe_read8(at);
    assert_int_equal(record.raws, raw_is_seen() ? 1 : 0); /* it is closed again */
}

static void faults_reach_the_fixup(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(4, PLAT_READWRITE);
    plat_user_protect(at + PAGE, PAGE, PLAT_READ);
    plat_user_protect(at + 2 * PAGE, PAGE, PLAT_NOACCESS);
    uint64_t fault[2];
    const struct {
        ULONG_PTR address;
        bool write;
        ULONG_PTR fault;
    } cases[] = {{at + 4 * PAGE, false, at + 4 * PAGE},
                 {at + 4 * PAGE, true, at + 4 * PAGE},
                 {at + 4 * PAGE - 5, false, at + 4 * PAGE},
                 {at + 4 * PAGE - 5, true, at + 4 * PAGE},
                 {at + PAGE, true, at + PAGE},
                 {at + PAGE - 1, true, at + PAGE},
                 {at + PAGE, false, 0},
                 {at + 2 * PAGE + 8, false, at + 2 * PAGE + 8},
                 {at + 2 * PAGE - 7, false, at + 2 * PAGE},
                 {plat_layout.user_limit, false, plat_layout.user_limit},
                 {plat_layout.user_limit, true, plat_layout.user_limit}};
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++) {
        memset(fault, 0, sizeof fault);
        if (cases[i].write)
            window_store8(cases[i].address, fault, 1);
        else
            window_load8(cases[i].address, fault);
        assert_int_equal(fault[0], cases[i].fault);
        if (cases[i].fault)
            assert_int_equal(fault[1], cases[i].write ? WRITE_FAULT(STATUS_ACCESS_VIOLATION)
                                                      : READ_FAULT(STATUS_ACCESS_VIOLATION));
        assert_int_equal(arch_self()->window_dirty, 0);
    }
    assert_int_equal(record.traps, 0);
    assert_int_equal(record.raws, 0);
}

static void system_and_non_canonical_addresses_reach_the_fixup(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UCHAR *page = plat_system_map(PAGE, PLAT_READ);
    uint64_t fault[2] = {0, 0};
    window_store8((ULONG_PTR)page, fault, 1);
    assert_int_equal(fault[0], (ULONG_PTR)page);
    assert_int_equal(fault[1], WRITE_FAULT(STATUS_ACCESS_VIOLATION));
    window_load8(0x8000000000000000, fault);
    assert_int_equal(fault[0], ~0ull);
    assert_int_equal(fault[1], READ_FAULT(STATUS_ACCESS_VIOLATION));
    window_load8(0xFFFFF90000000000, fault);
    assert_int_equal(fault[0], 0xFFFFF90000000000);
    plat_system_unmap(page, PAGE);
}

static void copies_fault_at_the_exact_byte(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(1, PLAT_READWRITE);
    UCHAR buffer[128];
    for (ULONG_PTR room = 0; room <= 64; room++) {
        uint64_t fault[2] = {0, 0};
        assert_int_equal(window_copy((ULONG_PTR)buffer, at + PAGE - room, 100, fault), 100 - room);
        assert_int_equal(fault[0], at + PAGE);
        assert_int_equal(fault[1], READ_FAULT(STATUS_ACCESS_VIOLATION));
        assert_int_equal(window_copy(at + PAGE - room, (ULONG_PTR)buffer, 100, fault), 100 - room);
        assert_int_equal(fault[1], WRITE_FAULT(STATUS_ACCESS_VIOLATION));
    }
}

static void a_long_copy_opens_what_it_needs(void **state)
{
    UNREFERENCED_PARAMETER(state);
    enum { PAGES = 100 };
    ULONG_PTR at = user_pages(PAGES, PLAT_READWRITE), to = user_pages(PAGES, PLAT_READWRITE);
    uint64_t fault[2] = {0, 0}, value = 42;
    assert_true(plat_user_store(at + PAGES * PAGE - 8, &value, 8));
    assert_int_equal(window_copy(to, at, PAGES * PAGE, fault), 0);
    assert_true(plat_user_load(to + PAGES * PAGE - 8, &value, 8));
    assert_int_equal(value, 42);
    assert_int_equal(record.raws, 0);
    for (int i = 0; i < PAGES; i++)
        probe_read1(to + (ULONG_PTR)i * PAGE);
    assert_int_equal(record.raws, raw_is_seen() ? PAGES : 0);
}

static void guard_pages_fire_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(2, PLAT_READWRITE | PLAT_GUARD);
    uint64_t fault[2] = {0, 0};
    ULONG prot;
    window_load8(at + 16, fault);
    assert_int_equal(fault[0], at + 16);
    assert_int_equal(fault[1], READ_FAULT(STATUS_GUARD_PAGE_VIOLATION));
    assert_true(plat_user_query(at, &prot, NULL));
    assert_int_equal(prot, PLAT_READWRITE);
    fault[0] = 0;
    window_load8(at + 16, fault);
    assert_int_equal(fault[0], 0);
    probe_write8(at + PAGE, 1); /* the second page's own guard, by a raw access */
    assert_int_equal(record.traps, 1);
    assert_int_equal(record.code, STATUS_GUARD_PAGE_VIOLATION);
    assert_int_equal(record.info_count, 2);
    assert_int_equal(record.info[0], 1);
    assert_int_equal(record.info[1], at + PAGE);
    probe_write8(at + PAGE, 1);
    assert_int_equal(record.traps, 1);
}

static void poisoned_pages_fail_in_page_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(1, PLAT_READWRITE);
    uint64_t fault[2] = {0, 0};
    assert_int_equal(plat_user_poison_in_page(at + 100), STATUS_SUCCESS);
    window_store8(at + 8, fault, 3);
    assert_int_equal(fault[0], at + 8);
    assert_int_equal(fault[1], WRITE_FAULT(STATUS_IN_PAGE_ERROR));
    fault[0] = 0;
    window_store8(at + 8, fault, 3);
    assert_int_equal(fault[0], 0);
    assert_int_equal(plat_user_poison_in_page(at), STATUS_SUCCESS);
    probe_read8(at);
    assert_int_equal(record.traps, 1);
    assert_int_equal(record.code, STATUS_IN_PAGE_ERROR);
    assert_int_equal(record.info_count, 3);
    assert_int_equal(record.info[0], 0);
    assert_int_equal(record.info[1], at);
    assert_int_equal(record.info[2], 0xC000009C);
    assert_int_equal(plat_user_poison_in_page(at + PAGE), STATUS_INVALID_PARAMETER);
}

SUITE(window, cmocka_unit_test(a_window_reads_and_closes), cmocka_unit_test(faults_reach_the_fixup),
      cmocka_unit_test(system_and_non_canonical_addresses_reach_the_fixup),
      cmocka_unit_test(copies_fault_at_the_exact_byte), cmocka_unit_test(a_long_copy_opens_what_it_needs),
      cmocka_unit_test(guard_pages_fire_once), cmocka_unit_test(poisoned_pages_fail_in_page_once))
