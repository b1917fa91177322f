/*
 * unwind_functions.S - functions whose frames use every unwind code, for test_unwind.c to step through. Windows
 * assembly: built as a driver whose entry hands out their addresses. Each is called with no arguments that matter and
 * returns.
 */
        .macro  function name
        .globl  \name
        .p2align 4
        .seh_proc \name
\name:
        .endm

        .text

/* PUSH_NONVOL of all eight, ALLOC_SMALL. */
        function pushes
        pushq   %rbx
        .seh_pushreg %rbx
        pushq   %rbp
        .seh_pushreg %rbp
        pushq   %rsi
        .seh_pushreg %rsi
        pushq   %rdi
        .seh_pushreg %rdi
        pushq   %r12
        .seh_pushreg %r12
        pushq   %r13
        .seh_pushreg %r13
        pushq   %r14
        .seh_pushreg %r14
        pushq   %r15
        .seh_pushreg %r15
        subq    $0x78, %rsp
        .seh_stackalloc 0x78
        .seh_endprologue
        call    trash
        nop
        addq    $0x78, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rdi
        popq    %rsi
        popq    %rbp
        popq    %rbx
        retq
        .seh_endproc

/* ALLOC_LARGE in 8-byte units, SAVE_NONVOL, SAVE_XMM128. */
        function saves
        subq    $0x408, %rsp
        .seh_stackalloc 0x408
        movq    %rbx, 0x3F8(%rsp)
        .seh_savereg %rbx, 0x3F8
        movq    %r12, 0x20(%rsp)
        .seh_savereg %r12, 0x20
        movaps  %xmm6, 0x30(%rsp)
        .seh_savexmm %xmm6, 0x30
        movaps  %xmm15, 0x3E0(%rsp)
        .seh_savexmm %xmm15, 0x3E0
        .seh_endprologue
        xorl    %ebx, %ebx
        xorl    %r12d, %r12d
        xorps   %xmm6, %xmm6
        xorps   %xmm15, %xmm15
        movq    0x3F8(%rsp), %rbx
        movq    0x20(%rsp), %r12
        movaps  0x30(%rsp), %xmm6
        movaps  0x3E0(%rsp), %xmm15
        addq    $0x408, %rsp
        retq
        .seh_endproc

/* ALLOC_LARGE in bytes, SAVE_NONVOL_FAR, SAVE_XMM128_FAR. */
        function far_saves
        pushq   %rbp
        .seh_pushreg %rbp
        subq    $0x120000, %rsp
        .seh_stackalloc 0x120000
        movq    %rsi, 0x11FFF0(%rsp)
        .seh_savereg %rsi, 0x11FFF0
        movups  %xmm8, 0x110000(%rsp)
        .seh_savexmm %xmm8, 0x110000
        movups  %xmm7, 0x40(%rsp)
        .seh_savexmm %xmm7, 0x40
        .seh_endprologue
        xorl    %esi, %esi
        xorl    %ebp, %ebp
        xorps   %xmm8, %xmm8
        xorps   %xmm7, %xmm7
        movups  0x40(%rsp), %xmm7
        movups  0x110000(%rsp), %xmm8
        movq    0x11FFF0(%rsp), %rsi
        addq    $0x120000, %rsp
        popq    %rbp
        retq
        .seh_endproc

/* SET_FPREG with an offset, a body that moves rsp by instructions an epilogue also has, lea in the epilogue. */
        function frame_register
        pushq   %rbp
        .seh_pushreg %rbp
        pushq   %rdi
        .seh_pushreg %rdi
        subq    $0x48, %rsp
        .seh_stackalloc 0x48
        leaq    0x20(%rsp), %rbp
        .seh_setframe %rbp, 0x20
        movaps  %xmm9, 0(%rbp)
        .seh_savexmm %xmm9, 0x20
        .seh_endprologue
        xorps   %xmm9, %xmm9
        subq    $0x230, %rsp
        xorl    %edi, %edi
        pushq   $7
        popq    %rax
        addq    $0x10, %rsp
        subq    $0x10, %rsp
        movaps  0(%rbp), %xmm9
        leaq    0x28(%rbp), %rsp
        popq    %rdi
        popq    %rbp
        retq
        .seh_endproc

/* A frame register above r7, a long lea. */
        function frame_register_high
        pushq   %r14
        .seh_pushreg %r14
        subq    $0x200, %rsp
        .seh_stackalloc 0x200
        leaq    0x80(%rsp), %r14
        .seh_setframe %r14, 0x80
        .seh_endprologue
        subq    $0x40, %rsp
        leaq    0x180(%r14), %rsp
        popq    %r14
        retq
        .seh_endproc

/* An allocation by a push of a register that is not preserved; two epilogues; jumps inside the function. */
        function two_epilogues
        pushq   %rax
        .seh_stackalloc 8
        pushq   %rbx
        .seh_pushreg %rbx
        subq    $0x20, %rsp
        .seh_stackalloc 0x20
        .seh_endprologue
        movl    $2, %ebx
1:      jmp     2f
        nop
2:      decl    %ebx
        jz      3f
        jmp     1b
3:      testl   %ebx, %ebx
        jz      4f
        addq    $0x20, %rsp
        popq    %rbx
        popq    %rcx
        retq
4:      addq    $0x20, %rsp
        popq    %rbx
        popq    %rcx
        rep retq
        .seh_endproc

/* Tail calls: near jump, jump through memory, jump through a register. */
        function tail_near
        pushq   %rbx
        .seh_pushreg %rbx
        subq    $0x20, %rsp
        .seh_stackalloc 0x20
        .seh_endprologue
        xorl    %ebx, %ebx
        addq    $0x20, %rsp
        popq    %rbx
        jmp     saves
        .seh_endproc

        function tail_memory
        subq    $0x28, %rsp
        .seh_stackalloc 0x28
        .seh_endprologue
        nop
        addq    $0x28, %rsp
        rex64 jmp *tail_target(%rip)
        .seh_endproc

        function tail_register
        pushq   %rsi
        .seh_pushreg %rsi
        .seh_endprologue
        xorl    %esi, %esi
        leaq    saves(%rip), %rax
        popq    %rsi
        rex64 jmp *%rax
        .seh_endproc

/* Calls within calls, ending in a function without an entry. */
        function nested
        pushq   %rdi
        .seh_pushreg %rdi
        subq    $0x20, %rsp
        .seh_stackalloc 0x20
        .seh_endprologue
        call    frame_register
        xorl    %edi, %edi
        call    no_entry
        nop
        addq    $0x20, %rsp
        popq    %rdi
        retq
        .seh_endproc

        .globl  no_entry
        .p2align 4
no_entry:
        nop
        xorl    %eax, %eax
        retq
        int3

/* Overwrites what its caller saved. */
        function trash
        .seh_endprologue
        xorl    %ebx, %ebx
        xorl    %ebp, %ebp
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %r12d, %r12d
        xorl    %r13d, %r13d
        xorl    %r14d, %r14d
        xorl    %r15d, %r15d
        retq
        .seh_endproc

        .globl  DriverEntry
        .p2align 4
DriverEntry:
        .macro  give names:vararg
        .irp    name, \names
        leaq    \name(%rip), %rax
        movq    %rax, (%rcx)
        addq    $8, %rcx
        .endr
        .endm
        give    pushes, saves, far_saves, frame_register, frame_register_high
        give    two_epilogues, tail_near, tail_memory, tail_register, nested, no_entry
        xorl    %eax, %eax
        retq

        .section .rdata, "dr"
        .p2align 3
tail_target:
        .quad   saves
