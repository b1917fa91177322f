/* emulate.c - instructions the processor keeps from us: each gives what NT kernel code expects. */
#include <string.h>

#include "kuser.h"
#include "plat_test.h"

static void cr8_is_the_irql(void **state)
{
    UNREFERENCED_PARAMETER(state);
    arch_self()->irql = 2;
    assert_int_equal(probe_get_cr8(), 2);
    probe_set_cr8(1);
    assert_int_equal(arch_self()->irql, 1);
    probe_set_cr8(0);
    assert_int_equal(record.traps, 0);
    probe_set_cr8(16);
    assert_int_equal(record.traps, 1);
    assert_int_equal(record.code, STATUS_PRIVILEGED_INSTRUCTION);
    assert_int_equal(arch_self()->irql, 0);
}

static void interrupt_flag_instructions_pass(void **state)
{
    UNREFERENCED_PARAMETER(state);
    probe_cli();
    probe_sti();
    assert_int_equal(record.traps, 0);
}

static void known_msrs_read(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(probe_rdmsr(0, 0, 0xC0000101), (ULONG_PTR)arch_self());
    assert_int_equal(probe_rdmsr(0, 0, 0xC0000080), 0xD01);
    assert_true(probe_rdmsr(0, 0, 0x10) != 0);
    assert_int_equal(record.traps, 0);
    probe_rdmsr(0, 0, 0x12345);
    assert_int_equal(record.code, STATUS_PRIVILEGED_INSTRUCTION);
}

static void gs_reaches_the_block(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(probe_gs(), (ULONG_PTR)arch_self());
    assert_ptr_equal(arch_self()->self, arch_self());
}

static void kuser_reads_in_every_width(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(probe_read4(KUSER_ADDRESS + 0x26c), 10);
    assert_int_equal(probe_read2(KUSER_ADDRESS + 0x26c), 10);
    assert_int_equal(probe_read1(KUSER_ADDRESS + 0x26c), 10);
    assert_int_equal(probe_read8(KUSER_ADDRESS + 0x26c), 10);
    assert_int_equal(probe_moffs(), 10);
    assert_int_equal(probe_movsx(KUSER_ADDRESS + 0x26c), 10);
    assert_int_equal(probe_movsxb(KUSER_ADDRESS + 0x2c, 0x1111222233334444), 0x1111222233330064);
    assert_int_equal(probe_high(KUSER_ADDRESS + 0x26c, 0x1111222233334444), 0x1111222233330a44);
    assert_int_equal(record.traps, 0);
}

static void kuser_clocks_run(void **state)
{
    UNREFERENCED_PARAMETER(state);
    uint64_t before = probe_read8(KUSER_ADDRESS + 0x8), system = probe_read8(KUSER_ADDRESS + 0x14);
    uint64_t now = plat_system_time_100ns();
    assert_true(system <= now && now - system < 100000000);
    assert_int_equal(probe_read4(KUSER_ADDRESS + 0x10), before >> 32);
    for (volatile int i = 0; i < 100000; i++)
        ;
    assert_true(probe_read8(KUSER_ADDRESS + 0x8) > before);
    uint64_t ticks = probe_read8(KUSER_ADDRESS + 0x320), interrupt = probe_read8(KUSER_ADDRESS + 0x8);
    assert_true(interrupt / 156250 - ticks <= 1);
    assert_int_equal(record.traps, 0);
}

static void other_instructions_run_on_the_copy(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal((uint32_t)probe_add_from(KUSER_ADDRESS + 0x26c, 5), 15);
    assert_int_equal(probe_cmp(KUSER_ADDRESS + 0x26c, 10), 1);
    assert_int_equal(probe_cmp(KUSER_ADDRESS + 0x26c, 11), 0);
    assert_int_equal(probe_push(KUSER_ADDRESS + 0x26c), 10);
    probe_movdqu(KUSER_ADDRESS + 0x26c);
    WCHAR root[16] = {0};
    probe_copy((ULONG_PTR)root, KUSER_ADDRESS + 0x30, 22);
    assert_int_equal(root[0], 'C');
    assert_int_equal(root[9], 's');
    assert_int_equal(root[10], 0);
    assert_int_equal(record.traps, 0);
    assert_int_equal(record.raws, 0);
    /* To closed user memory: both at once. */
    ULONG_PTR at = user_pages(1, PLAT_READWRITE);
    probe_copy(at, KUSER_ADDRESS + 0x30, 22);
    memset(root, 0, sizeof root);
    assert_true(plat_user_load(at, root, 22));
    assert_int_equal(root[3], 'W');
    assert_int_equal(record.traps, 0);
    assert_int_equal(record.raws, raw_is_seen() ? 1 : 0);
}

static void the_register_has_its_value_back(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR address = KUSER_ADDRESS + 0x26c, after = address;
    uint32_t value = 1;
    __asm__ volatile("addl (%0), %1" : "+r"(after), "+r"(value));
    assert_int_equal(after, address);
    assert_int_equal(value, 11);
}

static void what_cannot_be_run_faults(void **state)
{
    UNREFERENCED_PARAMETER(state);
    probe_write8(KUSER_ADDRESS + 0x26c, 1);
    assert_int_equal(record.traps, 1);
    assert_int_equal(record.code, STATUS_ACCESS_VIOLATION);
    assert_int_equal(record.info[0], 1);
    assert_int_equal(record.info[1], KUSER_ADDRESS + 0x26c);
    record_clear();
    probe_self_add(KUSER_ADDRESS + 0x26c);
    assert_int_equal(record.traps, 1);
    record_clear();
    probe_read8(KUSER_ADDRESS + 0xFFC); /* runs over the end of the page */
    assert_int_equal(record.traps, 1);
    record_clear();
    UCHAR buffer[64];
    probe_copy((ULONG_PTR)buffer, KUSER_ADDRESS + 0xFF0, 64);
    assert_int_equal(record.traps, 1);
    assert_int_equal(probe_read4(KUSER_ADDRESS + 0x26c), 10);
}

SUITE(emulate, cmocka_unit_test(cr8_is_the_irql), cmocka_unit_test(interrupt_flag_instructions_pass),
      cmocka_unit_test(known_msrs_read), cmocka_unit_test(gs_reaches_the_block),
      cmocka_unit_test(kuser_reads_in_every_width), cmocka_unit_test(kuser_clocks_run),
      cmocka_unit_test(other_instructions_run_on_the_copy), cmocka_unit_test(the_register_has_its_value_back),
      cmocka_unit_test(what_cannot_be_run_faults))
