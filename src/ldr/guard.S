/*
 * guard.S - control flow guard as a driver sees it: every target is valid. Entered with the target in rcx (check) or
 * rax (dispatch).
 */
    .text
    .globl ldr_guard_check
    .hidden ldr_guard_check
    .type ldr_guard_check, @function
ldr_guard_check:
    ret
    .size ldr_guard_check, . - ldr_guard_check

    .globl ldr_guard_dispatch
    .hidden ldr_guard_dispatch
    .type ldr_guard_dispatch, @function
ldr_guard_dispatch:
    jmp *%rax
    .size ldr_guard_dispatch, . - ldr_guard_dispatch

    .section .note.GNU-stack, "", @progbits
