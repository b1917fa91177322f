/*
 * interleave.c - the driver half of test_c_frames.c: functions that call exports which call back, and fault on the way.
 */
#include <ntddk.h>

typedef void callback(void *context);
__declspec(dllimport) int NTAPI TestCallBack(callback *function, void *context, int mode);
__declspec(dllimport) void NTAPI TestMark(char what);
__declspec(dllimport) int NTAPI TestManyArguments(int a, long long b, double c, int d, int e, double f, int g, int h,
                                                  int i, ...);
__declspec(dllimport) void NTAPI RtlRaiseException(PEXCEPTION_RECORD);

#define NOINLINE    __attribute__((noinline))
#define BAD_ADDRESS ((volatile int *)0x18)

/* Keeps a scope's last return address out of the next scope (see conformance.c). */
#define GAP() __asm__ volatile("nop")

static NOINLINE void fault_with_finally(void *context)
{
    __try {
        TestMark('c');
        if (context)
            *BAD_ADDRESS = 1;
        GAP();
    } __finally {
        TestMark('1');
    }
}

static LONG note(char what, LONG answer)
{
    TestMark(what);
    return answer;
}

/*
 * Runs the callback through an export in the given mode, inside a __try of ours; 1 if we handled an exception, else
 * what the export said.
 */
static NOINLINE int through_export(int mode)
{
    volatile int result = 0;
    __try {
        result = TestCallBack(fault_with_finally, (void *)1, mode);
        GAP();
    } __except (note('F', EXCEPTION_EXECUTE_HANDLER)) {
        TestMark('H');
        result = 1;
    }
    return result;
}

static NOINLINE void deeper(void *context)
{
    int depth = (int)(ULONG_PTR)context;
    __try {
        if (depth == 0)
            *BAD_ADDRESS = 1;
        else
            TestCallBack(deeper, (void *)(ULONG_PTR)(depth - 1), 0);
        GAP();
    } __finally {
        TestMark('d');
    }
}

static NOINLINE int through_levels(int depth)
{
    volatile int result = 0;
    __try {
        deeper((void *)(ULONG_PTR)depth);
        GAP();
    } __except (note('F', EXCEPTION_EXECUTE_HANDLER)) {
        result = 1;
    }
    return result;
}

static NOINLINE int arguments(int unused)
{
    (void)unused;
    return TestManyArguments(1, 0x200000002ll, 3.5, 4, 5, 6.25, 7, 8, 9, 10, 11.5, 12ll, "thirteen", 14);
}

static void overflow_step(void *context)
{
    TestCallBack(overflow_step, context, 0);
    GAP();
}

static int overflow(int unused)
{
    overflow_step((void *)(ULONG_PTR)unused);
    return 0;
}

static NOINLINE int unhandled(int unused)
{
    (void)unused;
    TestCallBack(fault_with_finally, (void *)1, 0);
    GAP();
    return 0;
}

static void backtrace_callback(void *context)
{
    TestCallBack((callback *)context, NULL, 0);
    GAP();
}

static NOINLINE int backtrace(int mode)
{
    int result = TestCallBack(backtrace_callback, NULL, mode);
    GAP();
    return result + 1;
}

/* longjmp over a __finally, to a frame whose establisher the buffer names, as compilers do it. */
int jump_frame(int value);

__attribute__((used)) NOINLINE void jump_from(void *buffer, int value)
{
    __try {
        TestMark('j');
        longjmp(*(jmp_buf *)buffer, value);
        GAP();
    } __finally {
        TestMark('1');
    }
}

__asm__(".text\n.p2align 4\n.globl jump_frame\n.seh_proc jump_frame\njump_frame:\n"
        "pushq %rbx\n.seh_pushreg %rbx\n"
        "subq $0x130, %rsp\n.seh_stackalloc 0x130\n.seh_endprologue\n"
        "movl %ecx, %ebx\n"
        "leaq 0x30(%rsp), %rcx\nmovq %rsp, %rdx\ncall *__imp__setjmp(%rip)\n"
        "testl %eax, %eax\njnz 1f\n"
        "leaq 0x30(%rsp), %rcx\nmovl %ebx, %edx\ncall jump_from\nud2\n"
        "1: addq $0x130, %rsp\npopq %rbx\nret\n.seh_endproc\n");

typedef int step(int);
NTSTATUS DriverEntry(DRIVER_OBJECT *steps, UNICODE_STRING *path)
{
    static step *const all[] = {through_export, through_levels, arguments, overflow, unhandled, backtrace, jump_frame};
    (void)path;
    for (int i = 0; i < (int)RTL_NUMBER_OF(all); i++)
        ((step **)steps)[i] = all[i];
    return STATUS_SUCCESS;
}
