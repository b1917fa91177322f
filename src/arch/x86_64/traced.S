/*
 * traced.S - a second set of functions for the slots of docs/spec/uma_table.md: each tells the hooks of arch.h, before
 * and after, and leaves the work to the primitive of its slot.
 *
 * The primitive runs with its caller's registers and stack, but returns to arch_traced_return. So a fault in it is
 * raised there; who raises puts the caller's address in (arch_traced_caller). The hooks follow the Windows convention,
 * which keeps what the callers of a primitive expect to be kept.
 */
    .section uma_text, "ax", @progbits

/* rax = the slot's number; the stack as at the primitive's first instruction. struct arch_traced_call grows downwards. */
    .type arch_traced_enter, @function
    .p2align 4
arch_traced_enter:
    pushq %r15
    pushq %r14
    pushq %r13
    pushq %r12
    pushq %rdi
    pushq %rsi
    pushq %rbp
    pushq %rbx
    pushq %r9
    pushq %r8
    pushq %rdx
    pushq %rcx
    pushq %rax
    movq %rsp, %rcx
    movq %rsp, %rbp
    subq $32, %rsp
    andq $-16, %rsp
    cld
    call *arch_traced_begin(%rip)
    movq %rbp, %rsp
    popq %rax
    popq %rcx
    popq %rdx
    popq %r8
    popq %r9
    popq %rbx
    popq %rbp
    addq $0x30, %rsp            /* rsi, rdi, r12 to r15 have been kept */
    leaq arch_traced_return(%rip), %r10
    movq %r10, (%rsp)
    leaq arch_uma_functions(%rip), %r10
    jmp *(%r10,%rax,8)
    .size arch_traced_enter, . - arch_traced_enter

/* A primitive has returned; rax is its result. */
    .globl arch_traced_return
    .hidden arch_traced_return
    .type arch_traced_return, @function
    .p2align 4
arch_traced_return:
    pushq %rax                  /* room for the caller's address */
    pushq %rax
    pushq %rbp
    movq %rsp, %rbp
    subq $32, %rsp
    andq $-16, %rsp
    movq %rax, %rcx
    call *arch_traced_end(%rip)
    movq %rbp, %rsp
    movq %rax, 16(%rsp)
    popq %rbp
    popq %rax
    ret
    .size arch_traced_return, . - arch_traced_return

    .altmacro
    .macro TRACED number
traced_\number:
    movl $\number, %eax
    jmp arch_traced_enter
    .pushsection .data.rel.ro, "aw", @progbits
    .quad traced_\number
    .popsection
    .endm

    .pushsection .data.rel.ro, "aw", @progbits
    .p2align 3
    .globl arch_traced_functions
    .hidden arch_traced_functions
arch_traced_functions:
    .popsection
    .set number, 0
    .rept 23
    TRACED %number
    .set number, number + 1
    .endr

    .section .note.GNU-stack, "", @progbits
