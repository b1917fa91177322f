/*
 * hostile_cpu.h - sins with the processor: wild jumps, stacks that are none, registers that belong to others, Linux's
 * system calls.
 */
#pragma once
#include "hostile.h"

static UCHAR Data[0x2000] __attribute__((aligned(4096)));

static VOID Loop(VOID)
{
    for (volatile ULONG i = 0;; i++)
        ;
}

__declspec(noinline) static VOID JumpTo(volatile ULONG_PTR Where)
{
    ((VOID(*)(VOID))Where)();
}

static VOID SwitchStack(ULONG_PTR Rsp)
{
    __asm__ volatile("mov %0, %%rsp\n\tpush %%rax\n\tpush %%rax\n\tud2" ::"r"(Rsp) : "memory");
}

static VOID Flags(ULONG64 Set)
{
    __asm__ volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq" ::"r"(Set) : "memory", "cc");
}

static ULONG64 Syscall(ULONG64 Number, ULONG64 A, PVOID B, ULONG64 C, ULONG64 D)
{
    register ULONG64 r10 __asm__("r10") = D;
    ULONG64 result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(Number), "D"(A), "S"(B), "d"(C), "r"(r10) : "rcx", "r11", "memory");
    return result;
}

/* Returns to the caller of DeviceControl's caller with all nonvolatile registers changed: a function that forgets to
 * save them. */
__attribute__((naked)) static VOID Clobber(VOID)
{
    __asm__ volatile(
        "mov $0x1111, %rbx\n\tmov $0x2222, %r12\n\tmov $0x3333, %r13\n\tmov $0x4444, %r14\n\tmov $0x5555, %r15\n\t"
        "mov $0x6666, %rsi\n\tmov $0x7777, %rdi\n\tmov $0x8888, %rbp\n\txor %eax, %eax\n\tret");
}

__attribute__((naked)) static VOID ClobberXmm(VOID)
{
    __asm__ volatile("pcmpeqd %xmm6, %xmm6\n\tpcmpeqd %xmm7, %xmm7\n\tpcmpeqd %xmm15, %xmm15\n\txor %eax, %eax\n\tret");
}

/* The dispatch routine of the next request is Clobber itself, so that nothing of the compiler's puts the registers
 * right. */
static VOID MakeDispatch(HOSTILE_REQUEST *Request, VOID (*Routine)(VOID))
{
    Request->Device->DriverObject->MajorFunction[IRP_MJ_CLEANUP] = (PDRIVER_DISPATCH)(ULONG_PTR)Routine;
}

static ULONG Storm(ULONG Times)
{
    ULONG caught = 0;
    for (ULONG i = 0; i < Times; i++) {
        __try {
            *(volatile ULONG *)(ULONG_PTR)8 = 1;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught++;
        }
    }
    return caught;
}

static BOOLEAN SinWithJumps(enum sin Sin, HOSTILE_REQUEST *Request)
{
    switch (Sin) {
    case SIN_JUMP_NULL:
        JumpTo(0);
        return TRUE;
    case SIN_JUMP_NULL_CAUGHT:
        __try {
            JumpTo(0);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Request->Status = GetExceptionCode();
        }
        return TRUE;
    case SIN_JUMP_WILD:
        JumpTo(WILD_SYSTEM);
        return TRUE;
    case SIN_JUMP_NONCANONICAL:
        JumpTo(NONCANONICAL);
        return TRUE;
    case SIN_JUMP_USER:
        JumpTo((ULONG_PTR)Request->Input);
        return TRUE;
    case SIN_JUMP_DATA:
        JumpTo((ULONG_PTR)Data);
        return TRUE;
    case SIN_RET_WILD:
        __asm__ volatile("push %0\n\tret" ::"r"(WILD_SYSTEM));
        return TRUE;
    case SIN_RSP_NULL:
        SwitchStack(0);
        return TRUE;
    case SIN_RSP_USER:
        SwitchStack((ULONG_PTR)Request->Input + 0x800);
        return TRUE;
    case SIN_RSP_NONCANONICAL:
        SwitchStack(NONCANONICAL);
        return TRUE;
    case SIN_RSP_OWN_DATA:
        SwitchStack((ULONG_PTR)Data + sizeof(Data));
        return TRUE;
    case SIN_NONVOLATILE:
        MakeDispatch(Request, Clobber);
        return TRUE;
    case SIN_NONVOLATILE_XMM:
        MakeDispatch(Request, ClobberXmm);
        return TRUE;
    case SIN_FAULT_STORM:
        Request->Information = Storm(20000);
        return TRUE;
    case SIN_HUGE_ALLOCA:
        __asm__ volatile("sub $0x800000, %%rsp\n\tpush %%rax\n\tadd $0x800008, %%rsp" ::: "memory");
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithFlags(enum sin Sin, HOSTILE_REQUEST *Request)
{
    UCHAR bytes[16];
    unsigned mxcsr = 0;
    switch (Sin) {
    case SIN_DIRECTION_RETURN:
        Complete(Request, STATUS_SUCCESS, 0);
        __asm__ volatile("std" ::: "cc");
        return TRUE;
    case SIN_DIRECTION_CALL:
        __asm__ volatile("std" ::: "cc");
        return TRUE;
    case SIN_MXCSR_RETURN:
        mxcsr = 0x7f80 | 0x8040;
        __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
        return TRUE;
    case SIN_MXCSR_FAULT:
        __asm__ volatile("ldmxcsr %0\n\txorps %%xmm0, %%xmm0\n\tdivss %%xmm0, %%xmm0" ::"m"(mxcsr) : "xmm0");
        return TRUE;
    case SIN_TRAP_FLAG:
        Flags(0x100);
        return TRUE;
    case SIN_ALIGNMENT_FLAG:
        Flags(0x40000);
        *(volatile ULONG *)(bytes + 1) = 7;
        Request->Information = bytes[1];
        return TRUE;
    case SIN_ALIGNMENT_FLAG_CALL:
        Flags(0x40000);
        DbgPrint("hostile: %s %ws at %u\n", &"odd"[1], L"wide", 7);
        return TRUE;
    case SIN_NESTED_TASK_FLAG:
        Flags(0x4000);
        return TRUE;
    case SIN_X87_STACK:
        __asm__ volatile("fld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1" ::: "memory");
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithSystemCalls(enum sin Sin, HOSTILE_REQUEST *Request)
{
    ULONG64 mask[2] = {~0ull, ~0ull};
    switch (Sin) {
    case SIN_SYSCALL_EXIT:
        Syscall(231, 77, NULL, 0, 0); /* exit_group */
        return TRUE;
    case SIN_SYSCALL_WRITE:
        Syscall(1, 1, (PVOID) "escaped\n", 8, 0);
        return TRUE;
    case SIN_SYSCALL_MASK_AND_LOOP:
        Syscall(14, 0, mask, 0, 8); /* rt_sigprocmask: the watchdog's signal does not come through */
        Loop();
        return TRUE;
    case SIN_INT80:
        __asm__ volatile("mov $1, %%eax\n\tmov $77, %%ebx\n\tint $0x80" ::: "rax", "rbx", "memory");
        return TRUE;
    case SIN_SYSENTER:
        __asm__ volatile("mov $1, %%eax\n\tmov $77, %%ebx\n\tsysenter" ::: "rax", "rbx", "memory");
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithInstructions(enum sin Sin, HOSTILE_REQUEST *Request)
{
    UCHAR table[10] = {0};
    switch (Sin) {
    case SIN_INT3:
        __asm__ volatile("int3");
        return TRUE;
    case SIN_INT1:
        __asm__ volatile(".byte 0xf1");
        return TRUE;
    case SIN_INT29:
        __asm__ volatile("int $0x29" ::"c"(0x12345));
        return TRUE;
    case SIN_INT2E:
        __asm__ volatile("int $0x2e" ::: "memory");
        return TRUE;
    case SIN_INTO_VECTOR:
        __asm__ volatile("int $4" ::: "memory");
        return TRUE;
    case SIN_UD2:
        __asm__ volatile("ud2");
        return TRUE;
    case SIN_HLT:
        __asm__ volatile("hlt");
        return TRUE;
    case SIN_CLI_LOOP:
        __asm__ volatile("cli");
        Loop();
        return TRUE;
    case SIN_PORT_IO:
        __asm__ volatile("outb %%al, $0x80" ::"a"(0));
        return TRUE;
    case SIN_WRMSR:
        __asm__ volatile("wrmsr" ::"c"(0xC0000082), "a"(0), "d"(0));
        return TRUE;
    case SIN_LGDT:
        __asm__ volatile("lgdt %0" ::"m"(table));
        return TRUE;
    case SIN_WRPKRU:
        __asm__ volatile("wrpkru" ::"a"(0), "c"(0), "d"(0));
        return TRUE;
    case SIN_CPUID_RDTSC: {
        ULONG a = 0, b, c = 0, d;
        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        __asm__ volatile("rdtsc" : "=a"(a), "=d"(d));
        Request->Information = 1;
        return TRUE;
    }
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithSegments(enum sin Sin, HOSTILE_REQUEST *Request)
{
    switch (Sin) {
    case SIN_SWAPGS:
        __asm__ volatile("swapgs");
        return TRUE;
    case SIN_WRGSBASE:
        __asm__ volatile("wrgsbase %0" ::"r"(0ull));
        return TRUE;
    case SIN_WRGSBASE_LOOP:
        __asm__ volatile("wrgsbase %0" ::"r"(0ull));
        Loop();
        return TRUE;
    case SIN_WRFSBASE:
        __asm__ volatile("wrfsbase %0" ::"r"(0ull));
        return TRUE;
    case SIN_WRFSBASE_FAULT:
        __asm__ volatile("wrfsbase %0\n\tud2" ::"r"(0ull));
        return TRUE;
    case SIN_WRFSBASE_LOOP:
        __asm__ volatile("wrfsbase %0" ::"r"(0ull));
        Loop();
        return TRUE;
    case SIN_LOAD_GS_NULL:
        __asm__ volatile("mov %0, %%gs" ::"r"(0));
        return TRUE;
    case SIN_LOAD_FS_NULL:
        __asm__ volatile("mov %0, %%fs" ::"r"(0));
        return TRUE;
    case SIN_LOAD_SS_DS:
        __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %1, %%ds" ::"r"(0x2b), "r"(0));
        return TRUE;
    case SIN_FAR_32BIT:
        __asm__ volatile("pushq $0x23\n\tpushq $0x1000\n\tlretq" ::: "memory");
        return TRUE;
    case SIN_FAR_32BIT_USER:
        __asm__ volatile("pushq $0x23\n\tpushq %0\n\tlretq" ::"r"(Request->Input) : "memory");
        return TRUE;
    case SIN_IRET_32BIT:
        __asm__ volatile("pushq $0x2b\n\tpushq $0x1000\n\tpushfq\n\tpushq $0x23\n\tpushq $0x2000\n\tiretq" ::
                             : "memory");
        return TRUE;
    case SIN_WRITE_KPCR:
        for (ULONG i = 0; i < 0x1000; i += 8)
            __asm__ volatile("movq %0, %%gs:(%1)" ::"r"(0ull), "r"((ULONG64)i) : "memory");
        return TRUE;
    case SIN_WRITE_GS_BLOCK:
        for (ULONG i = 0x1000; i < 0x3000; i += 8)
            __asm__ volatile("movq %0, %%gs:(%1)" ::"r"(~0ull), "r"((ULONG64)i) : "memory");
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithProcessor(enum sin Sin, HOSTILE_REQUEST *Request)
{
    KIRQL irql;
    if (Sin == SIN_LOOP_AT_DISPATCH || Sin == SIN_LOOP_AT_HIGH) {
        KeRaiseIrql(Sin == SIN_LOOP_AT_HIGH ? HIGH_LEVEL : DISPATCH_LEVEL, &irql);
        Loop();
    }
    return SinWithJumps(Sin, Request) || SinWithFlags(Sin, Request) || SinWithSystemCalls(Sin, Request) ||
           SinWithInstructions(Sin, Request) || SinWithSegments(Sin, Request);
}
