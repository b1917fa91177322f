/*
 * build_elf.h - the primitives as our kernel has them. The including file defines the assembler macro WITH_NAME
 * (applies a macro to the variant's name of a slot) and one of UMA_WINDOW_NONE, UMA_WINDOW_PKU, UMA_WINDOW_HOOK.
 */

.macro FUNCTION_LABEL name
    .globl \name
    .hidden \name
    .type \name, @function
\name:
.endm

.macro INTERNAL name
    .section uma_text, "ax", @progbits
    .p2align 4
    FUNCTION_LABEL \name
.endm

.macro FUNCTION slot
    WITH_NAME INTERNAL, \slot
.endm
.macro SET_SIZE name
    .size \name, . - \name
.endm
.macro END slot
    WITH_NAME SET_SIZE, \slot
.endm

.macro REDIRECT offset
.endm
.macro REDIRECT_TAIL offset
.endm

.macro LOAD_LIMIT to
    movq MmUserProbeAddress(%rip), \to
.endm

/* An instruction that may fault on user memory, and where to go on if it does. */
.macro TOUCH fixup, instruction:vararg
    .pushsection uma_fault_table, "a", @progbits
    .balign 4
    .long 771f - .
    .long \fixup - .
    .popsection
771: \instruction
.endm

/* The same where it is the caller's own memory that is touched: it may go to the fix-up only if the address turns out to
 * be a user one, null most of all. */
.macro TOUCH_KERNEL fixup, instruction:vararg
    .pushsection uma_kernel_fault_table, "a", @progbits
    .balign 4
    .long 772f - .
    .long \fixup - .
    .popsection
772: \instruction
.endm

#if defined(UMA_WINDOW_PKU)
#include "window_pku.h"
#elif defined(UMA_WINDOW_HOOK)
#include "window_hook.h"
#else
#include "window_none.h"
#endif

/* Nothing was touched and no window is open. r10 = limit. Reports the first byte that is not allowed. */
.macro RAISE_RANGE addr, len, write
98:
    cmpq %r10, \addr
    jae 95f
    movq \addr, %rax
    addq \len, %rax
    jnc 94f
95: movq \addr, %r10
94:
    .if \write
    movabsq $0x80000000c0000005, %r11
    .else
    movl $0xc0000005, %r11d
    .endif
    jmp arch_raise_fault
.endm

/* A scalar faulted. If its address was clamped, the caller's own address is reported. */
.macro FIXUP_SCALAR
99: CLOSE_FIXUP
    cmpq MmUserProbeAddress(%rip), ORIG
    cmovaeq ORIG, %r10
    jmp arch_raise_fault
.endm
.macro FIXUP_RCX
99: CLOSE_FIXUP
    cmpq MmUserProbeAddress(%rip), %rcx
    cmovaeq %rcx, %r10
    jmp arch_raise_fault
.endm
.macro RAISE_MISALIGNED
96: movl $0x80000002, %r11d
    jmp arch_raise_status
.endm

#ifndef UMA_AVX
#define UMA_AVX 0
#endif
#define COPY_AVX UMA_AVX

.macro LOAD_REP_THRESHOLD to
    movq arch_rep_threshold(%rip), \to
.endm

/* Copy and fill: the fault says where it happened. */
.macro FIXUP_COPY avx, stream
99:
    .if \avx
    vzeroupper
    .endif
    .if \stream
    sfence
    .endif
    CLOSE_FIXUP
    jmp arch_raise_fault
.endm

/*
 * rep movsb over the whole length. With one user side a fault may also be the kernel side's: that one is no exception
 * of an accessor, so the address is touched again by an instruction that is not in the fault table.
 */
.macro FIXUP_REP one_sided
    CLOSE_FIXUP
    .if \one_sided
    cmpq MmUserProbeAddress(%rip), %r10
    jae 87f
    .endif
    jmp arch_raise_fault
    .if \one_sided
87: testq %r11, %r11
    js 86f
    testb $0, (%r10)
    jmp arch_raise_fault
86: lock orb $0, (%r10)
    jmp arch_raise_fault
    .endif
.endm
.macro COPY_REP one_sided
91: pushq %rdi
    pushq %rsi
    movq %rcx, %rdi
    movq %rdx, %rsi
    movq %r8, %rcx
    TOUCH 90f, rep movsb
    popq %rsi
    popq %rdi
    CLOSE
    ret
90: popq %rsi
    popq %rdi
    FIXUP_REP \one_sided
.endm
.macro FILL_REP
91: pushq %rdi
    movq %rcx, %rdi
    movq %r8, %rcx
    TOUCH 90f, rep stosb
    popq %rdi
    CLOSE
    ret
90: popq %rdi
    FIXUP_REP 0
.endm

/* Kernel memory only: nothing of it is in the fault table. */
.macro DIRECT_COPY_REP
    pushq %rdi
    pushq %rsi
    movq %rcx, %rdi
    movq %rdx, %rsi
    movq %r8, %rcx
    rep movsb
    popq %rsi
    popq %rdi
    ret
.endm
.macro DIRECT_FILL_REP
    pushq %rdi
    movq %rcx, %rdi
    movq %r8, %rcx
    rep stosb
    popq %rdi
    ret
.endm
