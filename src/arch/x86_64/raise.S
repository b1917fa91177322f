/*
 * raise.S - ELF only: from a primitive's fix-up to the dispatcher of exceptions, and the hook that closes the window.
 *
 * A primitive has put every register but the volatile ones back when it jumps here, with its return address on top of
 * the stack. So the registers now are those of the caller just after its call, and the exception is raised there: no
 * ELF frame lies between it and the driver's or the kernel's handler.
 */
#define RECORD 0x500
#define FRAME 0x5a0

    .section uma_text, "ax", @progbits
    .globl arch_raise_fault, arch_raise_status
    .hidden arch_raise_fault, arch_raise_status
    .type arch_raise_fault, @function
    .type arch_raise_status, @function

/* r11d = status, no parameters. */
    .p2align 4
arch_raise_status:
    pushfq
    pushq $0
    jmp 1f

/* r10 = address, r11d = status, bit 63 of r11 set for a write: two parameters, as of STATUS_ACCESS_VIOLATION. */
    .p2align 4
arch_raise_fault:
    pushfq
    pushq $2
1:  pushq %rax
    movq %rsp, %rax         /* 0: rax, 8: parameter count, 0x10: flags, 0x18: return address */
    subq $FRAME, %rsp
    andq $-16, %rsp
    fxsave64 0x100(%rsp)
    movq %rcx, 0x80(%rsp)
    movq %rdx, 0x88(%rsp)
    movq %rbx, 0x90(%rsp)
    movq %rbp, 0xa0(%rsp)
    movq %rsi, 0xa8(%rsp)
    movq %rdi, 0xb0(%rsp)
    movq %r8, 0xb8(%rsp)
    movq %r9, 0xc0(%rsp)
    movq %r10, 0xc8(%rsp)
    movq %r11, 0xd0(%rsp)
    movq %r12, 0xd8(%rsp)
    movq %r13, 0xe0(%rsp)
    movq %r14, 0xe8(%rsp)
    movq %r15, 0xf0(%rsp)
    movq (%rax), %rcx
    movq %rcx, 0x78(%rsp)   /* Rax */
    leaq 0x20(%rax), %rcx
    movq %rcx, 0x98(%rsp)   /* Rsp: after the return */
    movq 0x18(%rax), %rcx
    movq %rcx, 0xf8(%rsp)   /* Rip: the return address */
    movq %rcx, RECORD+0x10(%rsp)
    movq 0x10(%rax), %rcx
    movl %ecx, 0x44(%rsp)
    movl $0x10000f, 0x30(%rsp)
    stmxcsr 0x34(%rsp)
    movw %cs, 0x38(%rsp)
    movw %ds, 0x3a(%rsp)
    movw %es, 0x3c(%rsp)
    movw %fs, 0x3e(%rsp)
    movw %gs, 0x40(%rsp)
    movw %ss, 0x42(%rsp)
    movl %r11d, RECORD(%rsp)
    movl $0, RECORD+4(%rsp)
    movq $0, RECORD+8(%rsp)
    movq 8(%rax), %rcx
    movq %rcx, RECORD+0x18(%rsp)
    cmpl $0xc0000006, %r11d /* STATUS_IN_PAGE_ERROR has a third: what the disk said, STATUS_DEVICE_DATA_ERROR */
    jne 2f
    movq $3, RECORD+0x18(%rsp)
    movl $0xc000009c, %ecx
    movq %rcx, RECORD+0x30(%rsp)
2:  shrq $63, %r11
    movq %r11, RECORD+0x20(%rsp)
    movq %r10, RECORD+0x28(%rsp)
    leaq RECORD(%rsp), %rdi
    movq %rsp, %rsi
    cld
    call *arch_raise_hook(%rip)
    ud2

/* Calls the platform with every register kept; a primitive, or its fix-up, is in the middle of its work. */
    .globl arch_window_close
    .hidden arch_window_close
    .type arch_window_close, @function
    .p2align 4
arch_window_close:
    pushfq
    pushq %rbp
    movq %rsp, %rbp
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    subq $0x200, %rsp
    andq $-16, %rsp
    fxsave64 (%rsp)
    cld
    call *arch_window_close_hook(%rip)
    fxrstor64 (%rsp)
    leaq -0x48(%rbp), %rsp
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    popq %rbp
    popfq
    ret
    .section .note.GNU-stack, "", @progbits
