/* trap.c - what the trap hook is given, and plat_context_resume. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plat_test.h"

static void every_register_is_exact_and_comes_back(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct probe_state in = {.flags = 0x246 | 0x8D1}, out;
    for (unsigned i = 0; i < 16; i++) {
        in.general[i] = 0x1111111111111111ull * (i + 1) ^ 0x8000;
        in.xmm[i].Low = 0xA000000000000000 + i;
        in.xmm[i].High = (LONGLONG)(0xB000000000000000 + i);
    }
    in.general[0] = 0x12340; /* read here: not mapped */
    in.general[11] = 0xBBBB;
    memset(&out, 0xEE, sizeof out);
    probe_registers(&in, &out);
    assert_int_equal(record.traps, 1);
    const CONTEXT *context = &record.context;
    assert_int_equal(context->Rip, (ULONG_PTR)probe_registers_fault);
    assert_int_equal(context->EFlags & 0xCD5, in.flags & 0xCD5);
    const ULONG64 *general = &context->Rax;
    for (unsigned i = 0; i < 16; i++) {
        if (i != 4) {
            assert_int_equal(general[i], in.general[i]);
            assert_int_equal(out.general[i], in.general[i]);
        }
        assert_memory_equal(&context->FltSave.Xmm[i], &in.xmm[i], 16);
        assert_memory_equal(&out.xmm[i], &in.xmm[i], 16);
    }
    assert_int_equal(out.flags & 0xCD5, in.flags & 0xCD5);
    assert_int_equal(context->MxCsr & 0xFFC0, 0x1F80);
    assert_true(context->Rsp > (ULONG_PTR)&in - 0x1000 && context->Rsp < (ULONG_PTR)&in + 0x1000);
    assert_int_equal(context->ContextFlags & CONTEXT_FULL, CONTEXT_FULL);
}

static void expect_trap(NTSTATUS code, ULONG info_count)
{
    assert_int_equal(record.traps, 1);
    assert_int_equal(record.code, code);
    assert_int_equal(record.info_count, info_count);
    assert_int_equal(record.context.Rip, probe_pc);
    record_clear();
}

static void instructions_trap_with_their_status(void **state)
{
    UNREFERENCED_PARAMETER(state);
    probe_int3();
    expect_trap(STATUS_BREAKPOINT, 1);
    probe_int3_long();
    expect_trap(STATUS_BREAKPOINT, 1);
    probe_int2c();
    expect_trap(STATUS_ASSERTION_FAILURE, 0);
    probe_int2d(0, 1, 2);
    assert_int_equal(record.info[0], 1);
    assert_int_equal(record.info[1], 2);
    expect_trap(STATUS_BREAKPOINT, 3);
    probe_ud2();
    expect_trap(STATUS_ILLEGAL_INSTRUCTION, 0);
    void (*const privileged[])(void) = {probe_hlt, probe_in, probe_invd, probe_wbinvd, probe_wrmsr};
    for (size_t i = 0; i < RTL_NUMBER_OF(privileged); i++) {
        privileged[i]();
        expect_trap(STATUS_PRIVILEGED_INSTRUCTION, 0);
    }
    probe_get_cr3();
    expect_trap(STATUS_PRIVILEGED_INSTRUCTION, 0);
}

static void fast_fail_has_its_code(void **state)
{
    UNREFERENCED_PARAMETER(state);
    probe_int29(0, 0, 77);
    assert_int_equal(record.fast_fails, 1);
    assert_int_equal(record.fast_fail_code, 77);
    assert_int_equal(record.context.Rip, probe_pc);
    assert_int_equal(record.traps, 0);
}

static void division_tells_zero_from_overflow(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(probe_divide(0, 100, 7), 14);
    assert_int_equal(record.traps, 0);
    probe_divide(0, 100, 0);
    assert_int_equal(record.code, STATUS_INTEGER_DIVIDE_BY_ZERO);
    probe_divide(5, 0, 2);
    assert_int_equal(record.code, STATUS_INTEGER_OVERFLOW);
    assert_int_equal(record.traps, 2);
}

static void addresses_without_memory(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const struct {
        ULONG_PTR address, reported;
    } cases[] = {{0, 0},
                 {0x7FFFFFFFF000, 0x7FFFFFFFF000},
                 {0x800000000000, ~0ull},
                 {0x8000000000000000, ~0ull},
                 {0xFFFF7FFFFFFFFFF0, ~0ull},
                 {0xFFFF800000000000, 0xFFFF800000000000},
                 {0xFFFFF78000001000, 0xFFFFF78000001000}};
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++) {
        record_clear();
        probe_read8(cases[i].address);
        assert_int_equal(record.info[1], cases[i].reported);
        assert_int_equal(record.info[0], 0);
        expect_trap(STATUS_ACCESS_VIOLATION, 2);
    }
    probe_stack_read(0x8000000000000000); /* #SS instead of #GP */
    assert_int_equal(record.code, STATUS_ACCESS_VIOLATION);
    record_clear();
    int local[8] = {0};
    probe_movaps(((ULONG_PTR)local | 15) - 7);
    assert_int_equal(record.info[1], ~0ull);
    expect_trap(STATUS_ACCESS_VIOLATION, 2);
}

static void user_pages_do_not_execute(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR at = user_pages(1, PLAT_READ | PLAT_WRITE | PLAT_EXECUTE), stack;
    UCHAR ret = 0xc3;
    assert_true(plat_user_store(at, &ret, 1));
    stack = 0;
    /* The call has pushed its return address; the hook resumes after the call, so take it off again. */
    __asm__ volatile(
        "movq %%rsp, %%rbx; leaq 1f(%%rip), %%rax; movq %%rax, probe_resume(%%rip); call *%1; 1: movq %%rbx, %%rsp"
        : "+r"(stack)
        : "r"(at)
        : "rax", "rbx", "memory");
    assert_int_equal(record.traps, 1);
    assert_int_equal(record.code, STATUS_ACCESS_VIOLATION);
    assert_int_equal(record.info[0], EXCEPTION_EXECUTE_FAULT);
    assert_int_equal(record.info[1], at);
    assert_int_equal(record.context.Rip, at);
}

static void single_step_is_reported(void **state)
{
    UNREFERENCED_PARAMETER(state);
    probe_trapflag();
    assert_int_equal(record.traps, 1);
    assert_int_equal(record.code, STATUS_SINGLE_STEP);
}

/* Every frame reaches down half a page, so the guard page cannot be missed. */
static __attribute__((noinline)) unsigned recurse(volatile unsigned depth)
{
    volatile char room[2048];
    room[0] = (char)depth;
    if (depth == 0)
        return (unsigned)room[0];
    return recurse(depth - 1) + (unsigned)room[0];
}

static void overflow_body(void)
{
    recurse(1u << 30);
    _exit(8);
}

static void a_stack_overflow_is_fatal(void **state)
{
    UNREFERENCED_PARAMETER(state);
    int status = in_child(overflow_body);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    assert_int_equal(shared_record->code, STATUS_STACK_OVERFLOW);
}

static void thread_overflow_body(void)
{
    uint64_t id;
    if (!NT_SUCCESS(plat_thread_create((void (*)(void *))(void *)overflow_body, NULL, &id)))
        _exit(9);
    plat_thread_join(id);
}

static void a_thread_s_stack_overflow_is_fatal(void **state)
{
    UNREFERENCED_PARAMETER(state);
    int status = in_child(thread_overflow_body);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    assert_int_equal(shared_record->code, STATUS_STACK_OVERFLOW);
}

static void no_hook_body(void)
{
    const struct plat_hooks none = {0};
    plat_set_hooks(&none);
    int quiet = dup(2);
    close(2);
    UNREFERENCED_PARAMETER(quiet);
    probe_read8(0x10);
}

static void without_a_hook_the_process_aborts(void **state)
{
    UNREFERENCED_PARAMETER(state);
    int status = in_child(no_hook_body);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), 6);
}

SUITE(trap, cmocka_unit_test(every_register_is_exact_and_comes_back),
      cmocka_unit_test(instructions_trap_with_their_status), cmocka_unit_test(fast_fail_has_its_code),
      cmocka_unit_test(division_tells_zero_from_overflow), cmocka_unit_test(addresses_without_memory),
      cmocka_unit_test(user_pages_do_not_execute), cmocka_unit_test(single_step_is_reported),
      cmocka_unit_test(a_stack_overflow_is_fatal), cmocka_unit_test(a_thread_s_stack_overflow_is_fatal),
      cmocka_unit_test(without_a_hook_the_process_aborts))
