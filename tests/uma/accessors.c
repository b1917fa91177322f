/*
 * accessors.c - what the generated tests cannot see: macros evaluate each argument once, the table handed to drivers,
 * the padding of UNICODE_STRING, the registers at a raise, the window's hook. Stands on the primitives alone: no
 * platform, its own exceptions.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "uma_kernel.h"
#include "usermode_accessors.h"

static jmp_buf raised_to;
static EXCEPTION_RECORD raised;
static CONTEXT raised_context;

static void on_raise(EXCEPTION_RECORD *record, CONTEXT *context)
{
    raised = *record;
    raised_context = *context;
    longjmp(raised_to, 1);
}

/* The platform's part: resume at the fix-up with the fault in r10 and r11. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    ULONG_PTR fixup;
    if (!arch_fault_lookup((ULONG_PTR)user->uc_mcontext.gregs[REG_RIP], &fixup)) {
        struct sigaction gone = {.sa_handler = SIG_DFL};
        sigaction(signal, &gone, NULL);
        return;
    }
    unsigned long long write = user->uc_mcontext.gregs[REG_ERR] & 2 ? 1ull << 63 : 0;
    user->uc_mcontext.gregs[REG_R10] = (greg_t)(ULONG_PTR)info->si_addr;
    user->uc_mcontext.gregs[REG_R11] = (greg_t)(write | 0xC0000005u);
    user->uc_mcontext.gregs[REG_RIP] = (greg_t)fixup;
}

static unsigned char *user; /* one page, then an inaccessible one */

static int start(void **state)
{
    (void)state;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    arch_raise_hook = on_raise;
    user = mmap(NULL, 0x2000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(user + 0x1000, 0x1000, PROT_NONE);
    MmUserProbeAddress = (ULONG_PTR)user + 0x1000;
    return arch_uma_select(ARCH_UMA_NONE, true) == STATUS_SUCCESS ? 0 : -1;
}

/* True if statement raises; the record is in raised. */
#define RAISES(statement) (setjmp(raised_to) ? true : (((void)(statement)), false))

struct pair {
    ULONG a, b;
};

static unsigned evaluations;
static void tick(void)
{
    evaluations++;
}

#define COUNT(value) (tick(), (value))
#define EVALUATES(arguments, statement)                                                                                \
    do {                                                                                                               \
        evaluations = 0;                                                                                               \
        statement;                                                                                                     \
        assert_int_equal(evaluations, arguments);                                                                      \
    } while (0)

static void macros_evaluate_arguments_once(void **state)
{
    (void)state;
    struct pair kernel = {1, 2}, *mine = &kernel, *theirs = (struct pair *)user;
    KPROCESSOR_MODE mode = UserMode;
    SIZE_T four = 4, size = sizeof(kernel);
    EVALUATES(2, WriteStructToUser(COUNT(theirs), COUNT(mine)));
    EVALUATES(3, WriteStructToMode(COUNT(theirs), COUNT(mine), COUNT(mode)));
    EVALUATES(3, WriteStructToUserAligned(COUNT(theirs), COUNT(mine), COUNT(four)));
    EVALUATES(4, WriteStructToModeAligned(COUNT(theirs), COUNT(mine), COUNT(mode), COUNT(four)));
    EVALUATES(2, ReadStructFromUser(COUNT(mine), COUNT(theirs)));
    EVALUATES(3, ReadStructFromMode(COUNT(mine), COUNT(theirs), COUNT(mode)));
    EVALUATES(3, ReadStructFromUserAligned(COUNT(mine), COUNT(theirs), COUNT(four)));
    EVALUATES(4, ReadStructFromModeAligned(COUNT(mine), COUNT(theirs), COUNT(mode), COUNT(four)));
    EVALUATES(4, CopyFromUserAligned(COUNT(mine), COUNT(theirs), COUNT(size), COUNT(four)));
    EVALUATES(5, CopyFromModeAligned(COUNT(mine), COUNT(theirs), COUNT(size), COUNT(mode), COUNT(four)));
    EVALUATES(0, RtlTypesCompatible(COUNT(mine), COUNT(theirs)));
}

static void unicode_string_padding_is_zero(void **state)
{
    (void)state;
    union {
        UNICODE_STRING string;
        unsigned char bytes[16];
    } kernel;
    memset(kernel.bytes, 0xCC, sizeof(kernel));
    kernel.string.Length = 2;
    kernel.string.MaximumLength = 4;
    for (int form = 0; form < 2; form++) {
        memset(user, 0xEE, 16);
        if (form)
            WriteUnicodeStringToMode((UNICODE_STRING *)user, kernel.string, UserMode);
        else
            WriteUnicodeStringToUser((UNICODE_STRING *)user, kernel.string);
        assert_memory_equal(user, kernel.bytes, 4);
        assert_memory_equal(user + 4, "\0\0\0\0", 4);
        assert_memory_equal(user + 8, kernel.bytes + 8, 8);
    }
}

static void redirect_fills_the_slots_a_table_has(void **state)
{
    (void)state;
    void *table[UMA_TABLE_SIZE / sizeof(void *)];
    memset(table, 0, sizeof(table));
    uma_redirect_fill(table, sizeof(table));
    for (size_t slot = 0; slot < sizeof(table) / sizeof(table[0]); slot++)
        assert_ptr_equal(table[slot], slot < ARCH_UMA_SLOTS ? arch_uma_functions[slot] : NULL);
    memset(table, 0, sizeof(table));
    uma_redirect_fill(table, 3 * sizeof(void *) + 7);
    assert_non_null(table[2]);
    assert_null(table[3]);
    const struct uma_functions *functions = uma_functions_current();
    *(volatile ULONG *)user = 0x12345678;
    assert_int_equal(functions->ReadULongFromUser((volatile ULONG *)user), 0x12345678);
    functions->WriteUCharToUser(user, 0x99);
    assert_int_equal(functions->InterlockedOr32ToUser((volatile LONG *)user, 0), 0x12345699);
}

/* An exception leaves a primitive as if its caller had raised it: return address, stack and nonvolatile registers. */
static void context_is_the_callers(void **state)
{
    (void)state;
    static ULONG64 stack, returns; /* not on the stack that the instructions move, and not lost by longjmp */
    if (!setjmp(raised_to)) {
        __asm__ volatile(
            "movq %%rsp, %0\n\tmovabsq $0x1122334455667788, %%rdi\n\tmovabsq $0x99aabbccddeeff00, %%rsi\n\t"
            "subq $32, %%rsp\n\tmovq %%rsp, %0\n\tmovq %2, %%rcx\n\tleaq 1f(%%rip), %%rax\n\tmovq %%rax, %1\n\t"
            "call ReadULongFromUser\n1:\taddq $32, %%rsp"
            : "=&m"(stack), "=&m"(returns)
            : "r"(MmUserProbeAddress)
            : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
        fail_msg("no exception");
    }
    assert_int_equal((ULONG)raised.ExceptionCode, 0xC0000005);
    assert_int_equal(raised.NumberParameters, 2);
    assert_int_equal(raised.ExceptionInformation[0], 0);
    assert_int_equal(raised.ExceptionInformation[1], MmUserProbeAddress);
    assert_int_equal(raised_context.Rip, returns);
    assert_int_equal(raised_context.Rsp, stack);
    assert_int_equal(raised_context.Rdi, 0x1122334455667788);
    assert_int_equal(raised_context.Rsi, 0x99aabbccddeeff00);
}

/* The long forms use rdi and rsi; a fault in them gives both back, and leaves what came before it copied. */
static void rep_forms_restore_registers(void **state)
{
    (void)state;
    static unsigned char kernel[1024] __attribute__((aligned(64)));
    SIZE_T threshold = arch_rep_threshold;
    unsigned char *from = user + 0x1000 - 512;
    arch_rep_threshold = 256;
    MmUserProbeAddress += 0x1000;
    memset(kernel, 0, sizeof(kernel));
    memset(from, 0xAB, 512);
    if (!setjmp(raised_to)) {
        __asm__ volatile(
            "movabsq $0x1122334455667788, %%rdi\n\tmovabsq $0x99aabbccddeeff00, %%rsi\n\tmovl $1024, %%r8d\n\t"
            "subq $32, %%rsp\n\tcall CopyFromUser\n\taddq $32, %%rsp"
            :
            : "c"(kernel), "d"(from)
            : "rax", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
        fail_msg("no exception");
    }
    MmUserProbeAddress -= 0x1000;
    arch_rep_threshold = threshold;
    assert_int_equal(raised.ExceptionInformation[1], user + 0x1000);
    assert_int_equal(raised_context.Rdi, 0x1122334455667788);
    assert_int_equal(raised_context.Rsi, 0x99aabbccddeeff00);
    assert_memory_equal(kernel, from, 512);
    assert_int_equal(kernel[512], 0);
}

static unsigned closings;
static struct arch_thread *block;
static void on_close(void)
{
    closings++;
    block->window_dirty = 0;
    __asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm6, %%xmm6\n\tpxor %%xmm15, %%xmm15"
                     :
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0", "xmm6", "xmm15");
}

/* With pages opened by the fault handler, each call closes them once, if any was opened, also when it raises. */
static void window_is_closed_once(void **state)
{
    (void)state;
    block = mmap(NULL, sizeof(*block), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    syscall(SYS_arch_prctl, ARCH_SET_GS, block);
    arch_window_close_hook = on_close;
    assert_int_equal(arch_uma_select(ARCH_UMA_HOOK, true), STATUS_SUCCESS);
    char text[64] = "";
    strcpy((char *)user, "a string in user memory, longer than a vector");
    closings = 0;
    assert_int_equal(ReadUCharFromUser(user), 'a');
    assert_int_equal(closings, 0);
    block->window_dirty = 1;
    assert_int_equal(StringLengthFromUser((char *)user), strlen((char *)user));
    assert_int_equal(closings, 1);
    block->window_dirty = 1;
    CopyFromUser(text, user, 46);
    assert_string_equal(text, (char *)user);
    assert_int_equal(closings, 2);
    block->window_dirty = 1;
    ULONG64 first;
    memcpy(&first, user, sizeof(first));
    assert_int_equal(ReadULong64FromUser((ULONG64 *)user), first);
    assert_int_equal(closings, 3);
    block->window_dirty = 1;
    assert_true(RAISES(WriteULongToUser((ULONG *)(user + 0xffe), 1)));
    assert_int_equal(closings, 4);
    assert_int_equal(raised.ExceptionInformation[1], user + 0x1000);
    block->window_dirty = 1;
    assert_true(RAISES(ZeroUserMemory(user + 0x1000 - 3000, 3001)));
    assert_int_equal(closings, 4); /* out of range: nothing was opened for it */
    arch_uma_select(ARCH_UMA_NONE, true);
}

/* What does not raise; what does is in the generated tests. */
static void aligned_forms_check_user_memory_only(void **state)
{
    (void)state;
    char kernel[8];
    CopyFromUserAligned(kernel, user + 1, 0, 0);
    CopyFromUserAligned(kernel, user + 4, 4, 4);
    CopyFromModeAligned(kernel, kernel + 1, 0, KernelMode, 3);
    struct pair *mine = (struct pair *)kernel, *theirs = (struct pair *)(user + 8);
    ReadStructFromModeAligned(mine, theirs, KernelMode, 3);
    ReadStructFromUserAligned(mine, theirs, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macros_evaluate_arguments_once),       cmocka_unit_test(unicode_string_padding_is_zero),
        cmocka_unit_test(redirect_fills_the_slots_a_table_has), cmocka_unit_test(context_is_the_callers),
        cmocka_unit_test(rep_forms_restore_registers),          cmocka_unit_test(window_is_closed_once),
        cmocka_unit_test(aligned_forms_check_user_memory_only),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
