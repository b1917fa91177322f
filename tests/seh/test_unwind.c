/*
 * test_unwind.c - the virtual unwind, checked at every instruction of functions that use every unwind code, and
 * against tables that lie.
 *
 * The functions (unwind_functions.S) are really run, one instruction at a time; at each step their registers are
 * unwound and must give exactly the caller's. Codes no function can use here (machine frames, chains, version 2) are
 * given as data.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include "seh_internal.h"
#include "world.h"

struct expected {
    ULONG64 integers[8]; /* rbx rbp rsi rdi r12-r15 */
    ULONG64 rsp;
    ULONG64 rip;
    M128A xmm[10];
};
void step_call(ULONG64 function, struct expected *expected);

enum {
    PUSHES,
    SAVES,
    FAR_SAVES,
    FRAME_REGISTER,
    FRAME_REGISTER_HIGH,
    TWO_EPILOGUES,
    TAIL_NEAR,
    TAIL_MEMORY,
    TAIL_REGISTER,
    NESTED,
    NO_ENTRY,
    FUNCTIONS
};
static ULONG64 functions[FUNCTIONS];
/* Instructions each runs inside the image, callees included. */
static const ULONG steps_wanted[FUNCTIONS] = {30, 15, 15, 17, 7, 17, 21, 19, 20, 29, 3};

static struct expected expected;
static ULONG steps;
static ULONG wrong_steps;
static ULONG64 first_wrong;

static void context_from(const ucontext_t *uc, CONTEXT *context)
{
    static const int index[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    for (int i = 0; i < 16; i++)
        (&context->Rax)[i] = (ULONG64)uc->uc_mcontext.gregs[index[i]];
    context->Rip = (ULONG64)uc->uc_mcontext.gregs[REG_RIP];
    memcpy(context->FltSave.Xmm, uc->uc_mcontext.fpregs->_xmm, sizeof(context->FltSave.Xmm));
}

static bool is_expected(const CONTEXT *context)
{
    const ULONG64 integers[8] = {context->Rbx, context->Rbp, context->Rsi, context->Rdi,
                                 context->R12, context->R13, context->R14, context->R15};
    return context->Rip == expected.rip && context->Rsp == expected.rsp &&
           memcmp(integers, expected.integers, sizeof(integers)) == 0 &&
           memcmp(&context->FltSave.Xmm[6], expected.xmm, sizeof(expected.xmm)) == 0;
}

static void on_step(int number, siginfo_t *info, void *where)
{
    UNREFERENCED_PARAMETER(number);
    UNREFERENCED_PARAMETER(info);
    CONTEXT context = {0};
    context_from(where, &context);
    ULONG64 pc = context.Rip;
    const struct seh_image *image = seh_image_find(pc);
    if (!image)
        return;
    steps++;
    struct seh_frame_info frame;
    NTSTATUS status = STATUS_SUCCESS;
    for (int depth = 0; NT_SUCCESS(status) && depth < 4 && seh_image_find(context.Rip); depth++)
        status = seh_virtual_unwind(image, 0, context.Rip, seh_function_find(image, context.Rip), &context, &frame);
    if (NT_SUCCESS(status) && is_expected(&context))
        return;
    first_wrong = wrong_steps++ ? first_wrong : pc - image->base;
}

static void test_every_instruction(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sigaction old, action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGTRAP, &action, &old);
    for (int i = 0; i < FUNCTIONS; i++) {
        for (int k = 0; k < 8; k++)
            expected.integers[k] = 0x1111111111111111ull * (ULONG64)(k + 1) + (ULONG64)i;
        for (int k = 0; k < 10; k++)
            expected.xmm[k] = (M128A){0x6060606060606060ull + (ULONG64)(k * 3 + i), 0x77777777 + k};
        steps = wrong_steps = 0;
        step_call(functions[i], &expected);
        if (wrong_steps)
            print_error("function %d: %u of %u steps wrong, first at offset 0x%llx\n", i, wrong_steps, steps,
                        first_wrong);
        assert_int_equal(wrong_steps, 0);
        if (steps != steps_wanted[i])
            print_error("function %d: %u steps, %u wanted\n", i, steps, steps_wanted[i]);
        assert_int_equal(steps, steps_wanted[i]);
    }
    sigaction(SIGTRAP, &old, NULL);
}

/* ---- tables given as data ---- */

#define IMAGE_SIZE 0x2000
#define INFO_AT    0x1000

/* An image of our own: code at 0x100 and up (nops, so never an epilogue), unwind data from INFO_AT. */
static struct {
    _Alignas(4096) UCHAR bytes[IMAGE_SIZE];
    RUNTIME_FUNCTION functions[4];
    struct seh_image image;
    _Alignas(16) ULONG64 stack[64];
} fake;

static void fake_start(void)
{
    memset(&fake, 0, sizeof(fake));
    memset(fake.bytes, 0x90, INFO_AT);
    for (ULONG i = 0; i < RTL_NUMBER_OF(fake.stack); i++)
        fake.stack[i] = 0x5000 + i;
    fake.functions[0] = (RUNTIME_FUNCTION){0x100, 0x200, INFO_AT};
    fake.functions[1] = (RUNTIME_FUNCTION){0x200, 0x300, INFO_AT + 0x100};
    fake.image = (struct seh_image){.base = (ULONG_PTR)fake.bytes,
                                    .size = IMAGE_SIZE,
                                    .functions = fake.functions,
                                    .count = RTL_NUMBER_OF(fake.functions)};
}

static void fake_info(ULONG at, const UCHAR *bytes, size_t size)
{
    memcpy(fake.bytes + at, bytes, size);
}
#define INFO(At, ...) fake_info(At, (const UCHAR[]){__VA_ARGS__}, sizeof((const UCHAR[]){__VA_ARGS__}))

static NTSTATUS unwind_fake(int function, ULONG offset, CONTEXT *context, struct seh_frame_info *frame)
{
    ULONG64 pc = fake.image.base + fake.functions[function].BeginAddress + offset;
    *context = (CONTEXT){.Rsp = (ULONG64)fake.stack, .Rip = pc, .Rbp = (ULONG64)&fake.stack[20]};
    return seh_virtual_unwind(&fake.image, UNW_FLAG_EHANDLER | UNW_FLAG_UHANDLER, pc, &fake.functions[function],
                              context, frame);
}

static void test_machine_frame(void **state)
{
    UNREFERENCED_PARAMETER(state);
    CONTEXT context;
    struct seh_frame_info frame;
    fake_start();
    INFO(INFO_AT, 1, 4, 2, 0, 4, 0x12 /* alloc 16 */, 0, 0x0A /* machine frame */);
    assert_int_equal(unwind_fake(0, 8, &context, &frame), STATUS_SUCCESS);
    assert_int_equal(context.Rip, 0x5002);
    assert_int_equal(context.Rsp, 0x5005);
    INFO(INFO_AT, 1, 4, 2, 0, 4, 0x12, 0, 0x1A /* with error code */);
    assert_int_equal(unwind_fake(0, 8, &context, &frame), STATUS_SUCCESS);
    assert_int_equal(context.Rip, 0x5003);
    assert_int_equal(context.Rsp, 0x5006);
}

static void test_chain(void **state)
{
    UNREFERENCED_PARAMETER(state);
    CONTEXT context;
    struct seh_frame_info frame;
    fake_start();
    /*
     * Piece: saves rsi, chained to the parent at 0x100..0x200, which pushed rbx, allocated 32 and has a handler at
     * 0x180.
     */
    INFO(INFO_AT, 1 | 1 << 3, 5, 2, 0, 5, 0x32, 1, 0x30, 0x80, 1, 0, 0, 2, 0, 0, 0);
    INFO(INFO_AT + 0x100, 1 | 4 << 3, 0, 2, 0, 0, 0x64, 3, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0x10, 0, 0);
    assert_int_equal(unwind_fake(1, 0x10, &context, &frame), STATUS_SUCCESS);
    assert_int_equal(context.Rsi, 0x5003);
    assert_int_equal(context.Rbx, 0x5004);
    assert_int_equal(context.Rip, 0x5005);
    assert_int_equal(context.Rsp, (ULONG64)&fake.stack[6]);
    assert_int_equal((ULONG64)frame.handler, fake.image.base + 0x180);
    assert_int_equal((ULONG64)frame.handler_data, fake.image.base + INFO_AT + 12);
}

static void test_version_2(void **state)
{
    UNREFERENCED_PARAMETER(state);
    CONTEXT context;
    struct seh_frame_info frame;
    fake_start();
    INFO(INFO_AT, 2, 5, 4, 0, 6, 0x16, 0, 0x06, 5, 0x32, 1, 0x30);
    assert_int_equal(unwind_fake(0, 0x10, &context, &frame), STATUS_SUCCESS);
    assert_int_equal(context.Rbx, 0x5004);
    assert_int_equal(context.Rip, 0x5005);
}

static void test_handler_only_in_body(void **state)
{
    UNREFERENCED_PARAMETER(state);
    CONTEXT context;
    struct seh_frame_info frame;
    fake_start();
    INFO(INFO_AT, 1 | 3 << 3, 5, 2, 0, 5, 0x32, 1, 0x30, 0x80, 1, 0, 0);
    assert_int_equal(unwind_fake(0, 3, &context, &frame), STATUS_SUCCESS);
    assert_null(frame.handler);
    assert_int_equal(context.Rbx, 0x5000);
    assert_int_equal(context.Rip, 0x5001);
    assert_int_equal(unwind_fake(0, 5, &context, &frame), STATUS_SUCCESS);
    assert_non_null(frame.handler);
    /* ret in the body: an epilogue, no handler. */
    fake.bytes[0x140] = 0xC3;
    assert_int_equal(unwind_fake(0, 0x40, &context, &frame), STATUS_SUCCESS);
    assert_null(frame.handler);
    assert_int_equal(context.Rip, 0x5000);
}

static void expect_bad(void)
{
    CONTEXT context;
    struct seh_frame_info frame;
    assert_false(NT_SUCCESS(unwind_fake(0, 0x10, &context, &frame)));
}

static void test_lying_tables(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fake_start();
    INFO(INFO_AT, 1, 4, 1, 0, 4, 0x01); /* two-slot code in one slot */
    expect_bad();
    INFO(INFO_AT, 1, 4, 1, 0, 4, 0x0B); /* no such code */
    expect_bad();
    INFO(INFO_AT, 1, 4, 1, 0, 4, 0x2A); /* machine frame of a third kind */
    expect_bad();
    INFO(INFO_AT, 1, 4, 2, 0, 4, 0x21, 0, 0); /* ALLOC_LARGE of a third kind */
    expect_bad();
    INFO(INFO_AT, 3, 0, 0, 0); /* version 3 */
    expect_bad();
    INFO(INFO_AT, 1 | 4 << 3, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0x00, 0x10, 0, 0); /* its own parent */
    expect_bad();
    INFO(INFO_AT, 1 | 1 << 3, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F); /* handler outside of the image */
    expect_bad();
    INFO(INFO_AT, 1, 4, 2, 0, 4, 0x05, 4, 0x34, 0xFF, 0xFF, 0xFF, 0x7F); /* three-slot code in two */
    expect_bad();
    INFO(INFO_AT, 1, 4, 3, 0, 4, 0x35, 0xFF, 0xFF, 0xFF, 0x7F); /* a register saved where there is no memory */
    expect_bad();
    fake.functions[0].UnwindData = IMAGE_SIZE - 4; /* codes past the end */
    fake.bytes[IMAGE_SIZE - 4] = 1;
    fake.bytes[IMAGE_SIZE - 2] = 1;
    expect_bad();
    fake.functions[0].UnwindData = IMAGE_SIZE;
    expect_bad();
    fake.functions[0].UnwindData = 0xFFFFFFFC;
    expect_bad();
    fake.functions[0].UnwindData = INFO_AT + 2;
    expect_bad();
}

static ULONG next_random(void)
{
    static ULONG64 seed = 0x243F6A8885A308D3ull;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (ULONG)(seed >> 16);
}

/* Whatever the tables and the code say, an unwind ends, and either fails or moves. */
static void test_random_tables(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG good = 0;
    fake_start();
    for (ULONG round = 0; round < 100000; round++) {
        CONTEXT context;
        struct seh_frame_info frame;
        for (ULONG i = 0; i < 32; i++)
            fake.bytes[INFO_AT + i] = (UCHAR)next_random();
        fake.bytes[INFO_AT] = (UCHAR)((fake.bytes[INFO_AT] & 0xF8) | 1 | (next_random() & 2));
        fake.bytes[INFO_AT + 2] %= 12;
        for (ULONG i = 0; i < 16; i++)
            fake.bytes[0x110 + i] = (UCHAR)next_random();
        good += NT_SUCCESS(unwind_fake(0, 0x10, &context, &frame));
    }
    assert_true(good > 1000);
    assert_true(good < 99000);
}

static void test_lookup(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fake_start();
    fake.functions[2] = (RUNTIME_FUNCTION){0x400, 0x480, 1}; /* indirect, to nowhere in the table */
    fake.functions[3] = (RUNTIME_FUNCTION){0x500, 0x500, 0};
    ULONG64 base = fake.image.base;
    assert_ptr_equal(seh_function_find(&fake.image, base + 0x100), &fake.functions[0]);
    assert_ptr_equal(seh_function_find(&fake.image, base + 0x1FF), &fake.functions[0]);
    assert_ptr_equal(seh_function_find(&fake.image, base + 0x200), &fake.functions[1]);
    assert_null(seh_function_find(&fake.image, base + 0xFF));
    assert_null(seh_function_find(&fake.image, base + 0x300));
    assert_null(seh_function_find(&fake.image, base + 0x410));
    assert_null(seh_function_find(&fake.image, base + 0x500));
    seh_image_register(&fake.image);
    PVOID found;
    ULONG64 image_base = 0;
    assert_ptr_equal(RtlPcToFileHeader((PVOID)(base + 5), &found), (PVOID)base);
    assert_ptr_equal(RtlLookupFunctionEntry(base + 0x180, &image_base, NULL), &fake.functions[0]);
    assert_int_equal(image_base, base);
    seh_image_unregister(&fake.image);
    assert_null(RtlPcToFileHeader((PVOID)(base + 5), &found));
    /* A table that is not there is no table. */
    fake.image.functions = (const RUNTIME_FUNCTION *)0x1000;
    seh_image_register(&fake.image);
    assert_int_equal(fake.image.count, 0);
    seh_image_unregister(&fake.image);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_instruction),
        cmocka_unit_test(test_machine_frame),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_handler_only_in_body),
        cmocka_unit_test(test_lying_tables),
        cmocka_unit_test(test_random_tables),
        cmocka_unit_test(test_lookup),
    };
    if (argc != 2)
        return 2;
    world_start();
    struct ldr_image *image = world_load(argv[1]);
    ((NTSTATUS(NTAPI *)(void *, void *))image->entry)(functions, NULL);
    return cmocka_run_group_tests_name("virtual unwind", tests, NULL, NULL);
}
