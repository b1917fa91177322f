/*
 * step_call.S - step_call(function, expected): calls function with known values in all registers it must preserve,
 * single-stepping. expected: 8 words rbx rbp rsi rdi r12-r15, then rsp and pc after the return (filled here), then 10
 * x 16 bytes for xmm6-15.
 */
        .text
        .globl  step_call
        .type   step_call, @function
step_call:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        sub     $0x28, %rsp
        mov     %rdi, %rax
        mov     %rsi, %r10
        mov     %rsp, 64(%r10)
        lea     1f(%rip), %rcx
        mov     %rcx, 72(%r10)
        movups  80(%r10), %xmm6
        movups  96(%r10), %xmm7
        movups  112(%r10), %xmm8
        movups  128(%r10), %xmm9
        movups  144(%r10), %xmm10
        movups  160(%r10), %xmm11
        movups  176(%r10), %xmm12
        movups  192(%r10), %xmm13
        movups  208(%r10), %xmm14
        movups  224(%r10), %xmm15
        mov     0(%r10), %rbx
        mov     8(%r10), %rbp
        mov     16(%r10), %rsi
        mov     24(%r10), %rdi
        mov     32(%r10), %r12
        mov     40(%r10), %r13
        mov     48(%r10), %r14
        mov     56(%r10), %r15
        pushfq
        orl     $0x100, (%rsp)
        popfq
        call    *%rax
1:      pushfq
        andl    $~0x100, (%rsp)
        popfq
        add     $0x28, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret
        .section .note.GNU-stack, "", @progbits
