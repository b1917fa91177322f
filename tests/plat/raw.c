/* raw.c - accesses outside any window: seen once, stepped, closed again; or stopped. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plat_test.h"

static void expect_raw(unsigned index, ULONG_PTR address, ULONG size, bool write)
{
    assert_true(index < record.raws);
    assert_int_equal(record.raw[index].address, address);
    assert_int_equal(record.raw[index].size, size);
    assert_int_equal(record.raw[index].write, write);
    assert_int_equal(record.raw[index].pc, probe_pc);
}

static void each_instruction_is_seen_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(1, PLAT_READWRITE);
    uint64_t value = 0x1122334455667788;
    assert_true(plat_user_store(at + 3, &value, 8));
    assert_int_equal(probe_read1(at + 3), 0x88);
    if (raw_is_seen())
        expect_raw(0, at + 3, 1, false);
    assert_int_equal(probe_read2(at + 3), 0x7788);
    if (raw_is_seen())
        expect_raw(1, at + 3, 2, false);
    assert_int_equal(probe_read4(at + 3), 0x55667788);
    if (raw_is_seen())
        expect_raw(2, at + 3, 4, false);
    assert_int_equal(probe_read8(at + 3), value);
    if (raw_is_seen())
        expect_raw(3, at + 3, 8, false);
    probe_write8(at + 3, 5);
    if (raw_is_seen())
        expect_raw(4, at + 3, 8, true);
    probe_add8(at + 3, 4);
    if (raw_is_seen())
        expect_raw(5, at + 3, 8, true);
    probe_movdqu(at + 1);
    if (raw_is_seen())
        expect_raw(6, at + 1, 16, false);
    assert_int_equal(probe_push(at + 3), 9);
    if (raw_is_seen())
        expect_raw(7, at + 3, 8, false);
    assert_int_equal(record.raws, raw_is_seen() ? 8 : 0);
    assert_int_equal(record.raws_done, record.raws);
    assert_int_equal(record.traps, 0);
    for (unsigned i = 0; i < record.raws; i++) /* the write, the add, the push's source */
        assert_int_equal(record.raw[i].read, i != 4);
}

static void straddling_accesses_open_both_pages(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(2, PLAT_READWRITE);
    for (ULONG_PTR byte = 1; byte < 8; byte++) {
        record_clear();
        ULONG_PTR place = at + PAGE - byte;
        probe_write8(place, 0x0102030405060708ull * byte);
        assert_int_equal(probe_read8(place), 0x0102030405060708ull * byte);
        assert_int_equal(record.traps, 0);
        assert_int_equal(record.raws, raw_is_seen() ? 2 : 0);
        if (raw_is_seen())
            expect_raw(1, place, 8, false);
    }
}

static void a_straddling_access_to_a_hole_faults_at_the_hole(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(1, PLAT_READWRITE);
    probe_read8(at + PAGE - 3);
    assert_int_equal(record.traps, 1);
    assert_int_equal(record.code, STATUS_ACCESS_VIOLATION);
    assert_int_equal(record.info[0], 0);
    assert_int_equal(record.info[1], at + PAGE);
    assert_int_equal(record.raws_done, 0); /* begun, never done */
    assert_int_equal(record.context.Rip, probe_pc);
    assert_int_equal(record.context.EFlags & 0x100, 0);
    record_clear();
    probe_write1(at, 1); /* closed again, and stepping works again */
    assert_int_equal(record.raws, raw_is_seen() ? 1 : 0);
}

static void repeated_moves_cross_pages_and_count_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR from = user_pages(3, PLAT_READWRITE), to = user_pages(3, PLAT_READWRITE);
    UCHAR pattern[2 * PAGE], back[2 * PAGE];
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (UCHAR)(i * 7 + i / 256);
    assert_true(plat_user_store(from + 100, pattern, sizeof pattern));
    probe_copy(to + 300, from + 100, sizeof pattern);
    assert_true(plat_user_load(to + 300, back, sizeof back));
    assert_memory_equal(back, pattern, sizeof back);
    assert_int_equal(record.traps, 0);
    assert_int_equal(record.raws, raw_is_seen() ? 2 : 0);
    for (unsigned i = 0; i < record.raws; i++) {
        bool write = record.raw[i].write;
        expect_raw(i, write ? to + 300 : from + 100, sizeof pattern, write);
    }
    record_clear();
    probe_fill(to, 0x5A, PAGE + 10);
    assert_int_equal(probe_read1(to + PAGE + 9), 0x5A);
    assert_int_equal(record.raws, raw_is_seen() ? 2 : 0);
    if (raw_is_seen())
        assert_int_equal(record.raw[0].size, PAGE + 10);
}

static void a_repeated_move_stops_at_the_exact_byte(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR from = user_pages(1, PLAT_READWRITE), to = user_pages(1, PLAT_READWRITE);
    for (ULONG_PTR room = 0; room < 20; room++) {
        record_clear();
        probe_copy(to, from + PAGE - room, 64);
        assert_int_equal(record.traps, 1);
        assert_int_equal(record.info[1], from + PAGE);
        assert_int_equal(record.context.Rip, probe_pc);
        assert_int_equal(record.context.Rcx, 64 - room);
        assert_int_equal(record.context.Rsi, from + PAGE);
        assert_int_equal(record.context.Rdi, to + room);
    }
}

static void a_repeated_scan_keeps_its_flags_and_count(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(2, PLAT_READWRITE);
    UCHAR mark = 0x5A;
    assert_true(plat_user_store(at + PAGE + 5, &mark, 1));
    assert_int_equal(probe_scan(at + PAGE - 10, 0x5A, 100), 100 - 16);
    assert_int_equal(probe_scan(at + PAGE - 10, 0x11, 100), 0);
    assert_int_equal(record.raws, raw_is_seen() ? 2 : 0);
    assert_int_equal(probe_scan(at + PAGE, 0, 0), 0); /* no access at all */
    assert_int_equal(record.raws, raw_is_seen() ? 2 : 0);
    assert_int_equal(record.traps, 0);
}

static uint64_t answer(void)
{
    return 4711;
}

static void a_call_through_user_memory_steps(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(1, PLAT_READWRITE), target = (ULONG_PTR)answer;
    uint64_t result;
    assert_true(plat_user_store(at, &target, 8));
    __asm__ volatile("call *(%1)"
                     : "=a"(result)
                     : "r"(at)
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
    assert_int_equal(result, 4711);
    assert_int_equal(record.traps, 0);
    assert_int_equal(record.raws, raw_is_seen() ? 1 : 0);
    probe_read8(at);
    assert_int_equal(record.raws, raw_is_seen() ? 2 : 0); /* closed again */
}

static void between_user_and_system_memory(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(1, PLAT_READWRITE);
    char from[64] = "from the kernel's own memory", to[64] = {0};
    probe_copy(at, (ULONG_PTR)from, sizeof from);
    if (raw_is_seen())
        expect_raw(0, at, sizeof from, true);
    probe_copy((ULONG_PTR)to, at, sizeof to);
    if (raw_is_seen())
        expect_raw(1, at, sizeof to, false);
    assert_string_equal(to, from);
    assert_int_equal(record.raws, raw_is_seen() ? 2 : 0);
}

static void a_raw_window_hides_accesses(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(64, PLAT_READWRITE);
    plat_raw_begin();
    plat_raw_begin();
    memset((void *)at, 0x11, 64 * PAGE); /* more pages than are kept open at once */
    plat_raw_end();
    assert_int_equal(probe_read1(at + 64 * PAGE - 1), 0x11);
    plat_raw_end();
    assert_int_equal(record.raws, 0);
    assert_int_equal(probe_read1(at + 64 * PAGE - 1), 0x11);
    assert_int_equal(record.raws, raw_is_seen() ? 1 : 0);
    assert_int_equal(record.traps, 0);
    plat_raw_begin();
    probe_read1(at + 64 * PAGE); /* a real fault ends it */
    assert_int_equal(record.traps, 1);
    probe_read1(at);
    plat_raw_end();
    assert_int_equal(record.raws, raw_is_seen() ? 2 : 0);
}

static ULONG_PTR stop_at;

static void stop_body(void)
{
    plat_set_raw_policy(PLAT_RAW_STOP);
    probe_write8(stop_at + 8, 1);
    _exit(7);
}

static void the_stop_policy_stops(void **state)
{
    UNREFERENCED_PARAMETER(state);
    stop_at = user_pages(1, PLAT_READWRITE);
    int status = in_child(stop_body);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), raw_is_seen() ? 42 : 7);
    if (raw_is_seen()) {
        assert_int_equal(shared_record->code, STATUS_ACCESS_VIOLATION);
        assert_int_equal(shared_record->info[0], 1);
        assert_int_equal(shared_record->info[1], stop_at + 8);
    }
}

static void a_division_fault_on_user_memory_ends_the_step(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(1, PLAT_READWRITE);
    uint64_t result;
    __asm__ volatile(
        "leaq 1f(%%rip), %%rax; movq %%rax, probe_resume(%%rip); movl $1, %%eax; xorl %%edx, %%edx; divq (%1); 1:"
        : "=&a"(result)
        : "r"(at)
        : "rdx", "memory");
    assert_int_equal(record.traps, 1);
    assert_int_equal(record.code, STATUS_INTEGER_DIVIDE_BY_ZERO);
    assert_int_equal(record.context.EFlags & 0x100, 0);
    probe_read1(at);
    assert_int_equal(record.raws, raw_is_seen() ? 2 : 0);
}

SUITE(raw, cmocka_unit_test(each_instruction_is_seen_once), cmocka_unit_test(straddling_accesses_open_both_pages),
      cmocka_unit_test(a_straddling_access_to_a_hole_faults_at_the_hole),
      cmocka_unit_test(repeated_moves_cross_pages_and_count_once),
      cmocka_unit_test(a_repeated_move_stops_at_the_exact_byte),
      cmocka_unit_test(a_repeated_scan_keeps_its_flags_and_count), cmocka_unit_test(a_call_through_user_memory_steps),
      cmocka_unit_test(between_user_and_system_memory), cmocka_unit_test(a_raw_window_hides_accesses),
      cmocka_unit_test(the_stop_policy_stops), cmocka_unit_test(a_division_fault_on_user_memory_ends_the_step))
