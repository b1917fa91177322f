/*
 * context.S - the two things C cannot say: loading every register at once, and a copy that may fault.
 */
#include "context_offsets.h"

    .text

/*
 * void context_load(const CONTEXT *context): rdi. Never returns. Nothing is written below the target's stack
 * pointer but what the caller's own frame takes there. Flags were checked by the caller; the thread is attached.
 */
    .globl context_load
    .hidden context_load
    .type context_load, @function
context_load:
    testl $8, CONTEXT_FLAGS(%rdi) /* CONTEXT_FLOATING_POINT */
    jz 1f
    ldmxcsr CONTEXT_MXCSR(%rdi)
    movups CONTEXT_XMM+0x00(%rdi), %xmm0
    movups CONTEXT_XMM+0x10(%rdi), %xmm1
    movups CONTEXT_XMM+0x20(%rdi), %xmm2
    movups CONTEXT_XMM+0x30(%rdi), %xmm3
    movups CONTEXT_XMM+0x40(%rdi), %xmm4
    movups CONTEXT_XMM+0x50(%rdi), %xmm5
    movups CONTEXT_XMM+0x60(%rdi), %xmm6
    movups CONTEXT_XMM+0x70(%rdi), %xmm7
    movups CONTEXT_XMM+0x80(%rdi), %xmm8
    movups CONTEXT_XMM+0x90(%rdi), %xmm9
    movups CONTEXT_XMM+0xa0(%rdi), %xmm10
    movups CONTEXT_XMM+0xb0(%rdi), %xmm11
    movups CONTEXT_XMM+0xc0(%rdi), %xmm12
    movups CONTEXT_XMM+0xd0(%rdi), %xmm13
    movups CONTEXT_XMM+0xe0(%rdi), %xmm14
    movups CONTEXT_XMM+0xf0(%rdi), %xmm15
1:
    /*
     * The last two steps go through the thread's block, which needs no stack. (iretq would do without a block, but
     * costs more, and QEMU's TCG reads its frame with supervisor rights, which SMAP stops.)
     */
    movq CONTEXT_RSP(%rdi), %rax
    movq %rax, %gs:ARCH_THREAD_RESUME_RSP
    movq CONTEXT_RIP(%rdi), %rax
    movq %rax, %gs:ARCH_THREAD_RESUME_RIP
    movl CONTEXT_EFLAGS(%rdi), %eax
    pushq %rax
    movq CONTEXT_RAX(%rdi), %rax
    movq CONTEXT_RCX(%rdi), %rcx
    movq CONTEXT_RDX(%rdi), %rdx
    movq CONTEXT_RBX(%rdi), %rbx
    movq CONTEXT_RBP(%rdi), %rbp
    movq CONTEXT_RSI(%rdi), %rsi
    movq CONTEXT_R8(%rdi), %r8
    movq CONTEXT_R8+0x08(%rdi), %r9
    movq CONTEXT_R8+0x10(%rdi), %r10
    movq CONTEXT_R8+0x18(%rdi), %r11
    movq CONTEXT_R8+0x20(%rdi), %r12
    movq CONTEXT_R8+0x28(%rdi), %r13
    movq CONTEXT_R8+0x30(%rdi), %r14
    movq CONTEXT_R8+0x38(%rdi), %r15
    movq CONTEXT_RDI(%rdi), %rdi
    popfq
    movq %gs:ARCH_THREAD_RESUME_RSP, %rsp
    jmp *%gs:ARCH_THREAD_RESUME_RIP
    .size context_load, . - context_load

/* SIZE_T system_probe_copy(void *to, ULONG_PTR from, SIZE_T size): rdi, rsi, rdx. Bytes copied before a fault. */
    .globl system_probe_copy
    .hidden system_probe_copy
    .type system_probe_copy, @function
system_probe_copy:
    movq %rdx, %rax
    movq %rdx, %rcx
1:  rep movsb
2:  subq %rcx, %rax
    ret
    .size system_probe_copy, . - system_probe_copy

/* Where every signal begins. Linux leaves the alignment check as the interrupted code had it. */
    .globl signal_entry
    .hidden signal_entry
    .type signal_entry, @function
signal_entry:
    endbr64
    pushfq
    andl $~0x40400, (%rsp) /* AC, DF */
    popfq
    jmp on_signal
    .size signal_entry, . - signal_entry

    .section uma_fault_table, "a", @progbits
    .balign 4
    .long 1b - .
    .long 2b - .

    .section .note.GNU-stack, "", @progbits
