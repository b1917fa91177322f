/*
 * pe_rep.S - PE only: rep movsb and rep stosb for long copies and fills, framed because they need rsi and rdi, and the
 * choice whether this processor is good at them. umap_rep_threshold is the length from which they are used: until the
 * first such call a guess, then either kept (CPUID says ERMS) or set so high that it is never reached again.
 */
#include "prim.h"

    .data
    .p2align 3
    FUNCTION_LABEL umap_rep_threshold
    .quad 4096
rep_known:
    .quad 0

/* rcx = destination, rdx = source, r8 = length. */
    .text
    .p2align 4
    .seh_proc umap_copy_rep
    FUNCTION_LABEL umap_copy_rep
    pushq %rdi
    .seh_pushreg %rdi
    pushq %rsi
    .seh_pushreg %rsi
    .seh_endprologue
    movq %rcx, %rdi
    movq %rdx, %rsi
    cmpq $0, rep_known(%rip)
    je 2f
1:  movq %r8, %rcx
    rep movsb
    popq %rsi
    popq %rdi
    ret
2:  leaq 1b(%rip), %r10
    jmp choose_rep
    .seh_endproc

/* rcx = destination, al = byte, r8 = length. */
    .p2align 4
    .seh_proc umap_fill_rep
    FUNCTION_LABEL umap_fill_rep
    pushq %rdi
    .seh_pushreg %rdi
    pushq %rsi
    .seh_pushreg %rsi
    .seh_endprologue
    movq %rcx, %rdi
    movq %rax, %rsi
    cmpq $0, rep_known(%rip)
    je 2f
1:  movq %rsi, %rax
    movq %r8, %rcx
    rep stosb
    popq %rsi
    popq %rdi
    ret
2:  leaq 1b(%rip), %r10
    jmp choose_rep
    .seh_endproc

/* CPUID leaf 7, EBX bit 9: enhanced rep movsb and stosb. Goes back to r10; r8, rdi, rsi and rbx are kept. */
    .p2align 4
choose_rep:
    movq %rbx, %r11
    xorl %eax, %eax
    cpuid
    xorl %ebx, %ebx
    cmpl $7, %eax
    jb 1f
    movl $7, %eax
    xorl %ecx, %ecx
    cpuid
1:  btl $9, %ebx
    jc 2f
    movq $-1, umap_rep_threshold(%rip)
2:  movq $1, rep_known(%rip)
    movq %r11, %rbx
    jmpq *%r10
