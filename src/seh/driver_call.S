/*
 * driver_call.S - the way into a driver's routine: what the calling convention promises our C code is checked when it
 * comes back.
 *
 * Registers that a routine must preserve are compared with what they were; the direction flag and MXCSR are put right
 * without a word. Exceptions pass through: this is ELF code like any other.
 */
        .set    ARCH_THREAD_DRIVER_ROUTINE, 0x1058 /* arch.h */
        .set    FIFTH_ARGUMENT, 0x20    /* above the 32 bytes the routine may use */
        .set    SIXTH_ARGUMENT, 0x28
        .set    SEVENTH_ARGUMENT, 0x30
        .set    SAVED_STACK, 0x38
        .set    SAVED_ROUTINE, 0x40
        .set    SAVED_OUTER, 0x48
        .set    SAVED_MXCSR, 0x50
        .set    FRAME, 0x58             /* keeps rsp a multiple of 16 */
        .set    MARK, 0x5EDBEEF

        .text
/*
 * ULONG_PTR seh_driver_call(ULONG_PTR routine, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d)
 * ULONG_PTR seh_driver_call_5(... ULONG_PTR e), _6(... ULONG_PTR f), _7(... ULONG_PTR g): the same code; without e, f
 * and g the routine's stack slots hold anything
 */
        .globl  seh_driver_call
        .type   seh_driver_call, @function
        .globl  seh_driver_call_5
        .type   seh_driver_call_5, @function
        .globl  seh_driver_call_6
        .type   seh_driver_call_6, @function
        .globl  seh_driver_call_7
        .type   seh_driver_call_7, @function
        .p2align 4
seh_driver_call:
seh_driver_call_5:
seh_driver_call_6:
seh_driver_call_7:
        endbr64
        push    %rbp
        mov     %rsp, %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        sub     $FRAME, %rsp
        mov     %rsp, SAVED_STACK(%rsp)
        mov     %rdi, SAVED_ROUTINE(%rsp)
        mov     %gs:ARCH_THREAD_DRIVER_ROUTINE, %rax
        mov     %rax, SAVED_OUTER(%rsp)
        stmxcsr SAVED_MXCSR(%rsp)
        mov     %rdi, %gs:ARCH_THREAD_DRIVER_ROUTINE
        mov     %rdi, %rax
        mov     %r9, FIFTH_ARGUMENT(%rsp)
        mov     16(%rbp), %r9           /* f, the seventh in this convention */
        mov     %r9, SIXTH_ARGUMENT(%rsp)
        mov     24(%rbp), %r9           /* g */
        mov     %r9, SEVENTH_ARGUMENT(%rsp)
        mov     %r8, %r9
        mov     %rcx, %r8
        mov     %rsi, %rcx
        /* rdx is b in both conventions */
        mov     $MARK, %ebx
        lea     1(%rbx), %esi
        lea     2(%rbx), %edi
        lea     3(%rbx), %r12d
        lea     4(%rbx), %r13d
        lea     5(%rbx), %r14d
        lea     6(%rbx), %r15d
        call    *%rax
        cld
        cmp     %rsp, SAVED_STACK(%rsp)
        jne     3f
        ldmxcsr SAVED_MXCSR(%rsp)
        sub     $MARK + 1, %rsi
        sub     $MARK + 2, %rdi
        sub     $MARK + 3, %r12
        sub     $MARK + 4, %r13
        sub     $MARK + 5, %r14
        sub     $MARK + 6, %r15
        sub     $MARK, %rbx
        or      %rsi, %rbx
        or      %rdi, %rbx
        or      %r12, %rbx
        or      %r13, %rbx
        or      %r14, %rbx
        or      %r15, %rbx
        lea     FRAME + 0x28(%rsp), %rcx
        sub     %rbp, %rcx
        or      %rcx, %rbx
        jne     2f
        mov     SAVED_OUTER(%rsp), %rcx
        mov     %rcx, %gs:ARCH_THREAD_DRIVER_ROUTINE
        add     $FRAME, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret
2:      lea     FRAME + 0x28(%rsp), %rbp
        xor     %esi, %esi
        jmp     4f
3:      mov     $1, %esi
        and     $-16, %rsp
4:      mov     %gs:ARCH_THREAD_DRIVER_ROUTINE, %rdi
        call    seh_driver_spoilt
        ud2
        .size   seh_driver_call, . - seh_driver_call
        .size   seh_driver_call_5, . - seh_driver_call_5
        .size   seh_driver_call_6, . - seh_driver_call_6
        .size   seh_driver_call_7, . - seh_driver_call_7

        .section .note.GNU-stack, "", @progbits
