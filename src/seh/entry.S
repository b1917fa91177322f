/*
 * entry.S - the steps of src/seh that a compiler cannot make: capture and load of registers, the entry of driver
 * calls into exports, the second return of a C frame. Decides nothing. Offsets: CONTEXT is the documented x64 one;
 * the others are held by assertions in arch.h and seh_internal.h.
 */
        .set    SEH_TOP, 0x1000
        .set    SEH_CALLS, 0x1018
        .set    SEH_CALLS_END, 0x1020
        .set    NODE_STACK, 16
        .set    NODE_C_FRAME, 0
        .set    NODE_CALL, 1
        .set    CALL_SIZE, 272
        .set    PHASE, 88
        .set    PHASE_BODY, 2
        .set    CONTEXT_SIZE, 0x4D0
        .set    MXCSR_DEFINED, 0xFFFF

        .macro  global name
        .globl  \name
        .type   \name, @function
        .p2align 4
\name:
        endbr64
        .endm

/* Integer registers in the order of CONTEXT from Rax on, without rsp, which callers treat themselves. */
        .macro  store_integers base
        mov     %rcx, 0x80(\base)
        mov     %rdx, 0x88(\base)
        mov     %rbx, 0x90(\base)
        mov     %rbp, 0xA0(\base)
        mov     %rsi, 0xA8(\base)
        mov     %rdi, 0xB0(\base)
        mov     %r8, 0xB8(\base)
        mov     %r9, 0xC0(\base)
        mov     %r10, 0xC8(\base)
        mov     %r11, 0xD0(\base)
        mov     %r12, 0xD8(\base)
        mov     %r13, 0xE0(\base)
        mov     %r14, 0xE8(\base)
        mov     %r15, 0xF0(\base)
        .endm

        .macro  store_rest base
        movups  %xmm0, 0x1A0(\base)
        movups  %xmm1, 0x1B0(\base)
        movups  %xmm2, 0x1C0(\base)
        movups  %xmm3, 0x1D0(\base)
        movups  %xmm4, 0x1E0(\base)
        movups  %xmm5, 0x1F0(\base)
        movups  %xmm6, 0x200(\base)
        movups  %xmm7, 0x210(\base)
        movups  %xmm8, 0x220(\base)
        movups  %xmm9, 0x230(\base)
        movups  %xmm10, 0x240(\base)
        movups  %xmm11, 0x250(\base)
        movups  %xmm12, 0x260(\base)
        movups  %xmm13, 0x270(\base)
        movups  %xmm14, 0x280(\base)
        movups  %xmm15, 0x290(\base)
        stmxcsr 0x34(\base)
        stmxcsr 0x118(\base)
        movl    $0x10000F, 0x30(\base)
        mov     %cs, 0x38(\base)
        mov     %ds, 0x3A(\base)
        mov     %es, 0x3C(\base)
        mov     %fs, 0x3E(\base)
        mov     %gs, 0x40(\base)
        mov     %ss, 0x42(\base)
        .endm

/* At a function's first instruction: leaves at (%rsp), aligned, a CONTEXT of the caller as it is after the return. */
        .macro  capture_caller
        pushfq
        lea     -CONTEXT_SIZE(%rsp), %rsp
        mov     %rax, 0x78(%rsp)
        store_integers %rsp
        store_rest %rsp
        mov     CONTEXT_SIZE(%rsp), %eax
        mov     %eax, 0x44(%rsp)
        mov     CONTEXT_SIZE+8(%rsp), %rax
        mov     %rax, 0xF8(%rsp)
        lea     CONTEXT_SIZE+16(%rsp), %rax
        mov     %rax, 0x98(%rsp)
        cld
        .endm

        .text

/* ---- raising: Windows convention for the exported names, System V for ours ---- */

        global  ExRaiseStatus
        capture_caller
        mov     %ecx, %edi
        mov     %rsp, %rsi
        call    seh_raise_status_at
        ud2

        global  RtlRaiseStatus
        capture_caller
        mov     %ecx, %edi
        mov     %rsp, %rsi
        call    seh_raise_status_at
        ud2

        global  ExRaiseAccessViolation
        capture_caller
        mov     $0xC0000005, %edi
        mov     %rsp, %rsi
        call    seh_raise_status_at
        ud2

        global  ExRaiseDatatypeMisalignment
        capture_caller
        mov     $0x80000002, %edi
        mov     %rsp, %rsi
        call    seh_raise_status_at
        ud2

        global  RtlRaiseException
        capture_caller
        mov     %rcx, %rdi
        mov     %rsp, %rsi
        call    seh_raise_record_at
        ud2

        global  seh_raise_status
        capture_caller
        mov     %rsp, %rsi
        call    seh_raise_status_at
        ud2

        global  seh_raise_record
        capture_caller
        mov     %rsp, %rsi
        call    seh_raise_record_at
        ud2

        global  seh_raise_access_violation
        capture_caller
        mov     %rsp, %rdx
        call    seh_raise_access_violation_at
        ud2

/* ---- unwinding ---- */

        global  RtlUnwindEx
        capture_caller
        mov     %rcx, %rdi
        mov     %rdx, %rsi
        mov     %r8, %rdx
        mov     %r9, %rcx
        mov     %rsp, %r8
        call    seh_rtl_unwind_at
        ud2

        global  RtlUnwind
        capture_caller
        mov     %rcx, %rdi
        mov     %rdx, %rsi
        mov     %r8, %rdx
        mov     %r9, %rcx
        mov     %rsp, %r8
        call    seh_rtl_unwind_at
        ud2

/* _local_unwind(frame, target): what MSVC emits for a jump out of a __finally block. */
        global  _local_unwind
        capture_caller
        mov     %rcx, %rdi
        mov     %rdx, %rsi
        xor     %edx, %edx
        xor     %ecx, %ecx
        mov     %rsp, %r8
        call    seh_rtl_unwind_at
        ud2

        global  RtlRestoreContext
        mov     %rcx, %rdi
        mov     %rdx, %rsi
        and     $-16, %rsp
        call    seh_rtl_restore_at
        ud2

        global  RtlCaptureContext
        pushfq
        mov     %rax, 0x78(%rcx)
        store_integers %rcx
        store_rest %rcx
        mov     (%rsp), %eax
        mov     %eax, 0x44(%rcx)
        mov     8(%rsp), %rax
        mov     %rax, 0xF8(%rcx)
        lea     16(%rsp), %rax
        mov     %rax, 0x98(%rcx)
        lea     seh_export_exit(%rip), %rax
        cmp     %rax, 0xF8(%rcx)
        jne     1f
        push    %rsi
        push    %rdi
        sub     $0xA0, %rsp             /* the C half may use xmm6 to xmm15; 16-aligned */
        movups  %xmm6, 0x00(%rsp)
        movups  %xmm7, 0x10(%rsp)
        movups  %xmm8, 0x20(%rsp)
        movups  %xmm9, 0x30(%rsp)
        movups  %xmm10, 0x40(%rsp)
        movups  %xmm11, 0x50(%rsp)
        movups  %xmm12, 0x60(%rsp)
        movups  %xmm13, 0x70(%rsp)
        movups  %xmm14, 0x80(%rsp)
        movups  %xmm15, 0x90(%rsp)
        mov     %rcx, %rdi
        call    seh_capture_fix
        movups  0x00(%rsp), %xmm6
        movups  0x10(%rsp), %xmm7
        movups  0x20(%rsp), %xmm8
        movups  0x30(%rsp), %xmm9
        movups  0x40(%rsp), %xmm10
        movups  0x50(%rsp), %xmm11
        movups  0x60(%rsp), %xmm12
        movups  0x70(%rsp), %xmm13
        movups  0x80(%rsp), %xmm14
        movups  0x90(%rsp), %xmm15
        add     $0xA0, %rsp
        pop     %rdi
        pop     %rsi
1:      popfq
        ret

/*
 * seh_context_load(rdi = CONTEXT): every register. The flags and pc go through the 16 bytes under the new stack
 * pointer, which Windows code never uses.
 */
        global  seh_context_load
        mov     0x34(%rdi), %eax
        and     $MXCSR_DEFINED, %eax
        mov     %eax, 0x34(%rdi)
        ldmxcsr 0x34(%rdi)
        movups  0x1A0(%rdi), %xmm0
        movups  0x1B0(%rdi), %xmm1
        movups  0x1C0(%rdi), %xmm2
        movups  0x1D0(%rdi), %xmm3
        movups  0x1E0(%rdi), %xmm4
        movups  0x1F0(%rdi), %xmm5
        movups  0x200(%rdi), %xmm6
        movups  0x210(%rdi), %xmm7
        movups  0x220(%rdi), %xmm8
        movups  0x230(%rdi), %xmm9
        movups  0x240(%rdi), %xmm10
        movups  0x250(%rdi), %xmm11
        movups  0x260(%rdi), %xmm12
        movups  0x270(%rdi), %xmm13
        movups  0x280(%rdi), %xmm14
        movups  0x290(%rdi), %xmm15
        mov     0x88(%rdi), %rdx
        mov     0x90(%rdi), %rbx
        mov     0xA0(%rdi), %rbp
        mov     0xA8(%rdi), %rsi
        mov     0xB8(%rdi), %r8
        mov     0xC0(%rdi), %r9
        mov     0xC8(%rdi), %r10
        mov     0xD0(%rdi), %r11
        mov     0xD8(%rdi), %r12
        mov     0xE0(%rdi), %r13
        mov     0xE8(%rdi), %r14
        mov     0xF0(%rdi), %r15
        mov     0x98(%rdi), %rcx
        mov     0xF8(%rdi), %rax
        mov     %rax, -8(%rcx)
        mov     0x44(%rdi), %eax
        mov     %rax, -16(%rcx)
        mov     0x78(%rdi), %rax
        lea     -16(%rcx), %rsp
        mov     0x80(%rdi), %rcx
        mov     0xB0(%rdi), %rdi
        popfq
        ret

/* ---- C frames (System V) ---- */

        global  seh_c_frame_enter
        mov     %rbx, 24(%rdi)
        mov     %rbp, 32(%rdi)
        mov     %r12, 40(%rdi)
        mov     %r13, 48(%rdi)
        mov     %r14, 56(%rdi)
        mov     %r15, 64(%rdi)
        mov     (%rsp), %rax
        mov     %rax, 72(%rdi)
        stmxcsr 80(%rdi)
        lea     8(%rsp), %rax
        mov     %rax, NODE_STACK(%rdi)
        movl    $NODE_C_FRAME, 8(%rdi)
        movl    $PHASE_BODY, PHASE(%rdi)
        mov     %gs:SEH_TOP, %rax
        mov     %rax, (%rdi)
        mov     %rdi, %gs:SEH_TOP
        ret

        global  seh_c_frame_jump
        mov     24(%rdi), %rbx
        mov     32(%rdi), %rbp
        mov     40(%rdi), %r12
        mov     48(%rdi), %r13
        mov     56(%rdi), %r14
        mov     64(%rdi), %r15
        ldmxcsr 80(%rdi)
        mov     NODE_STACK(%rdi), %rsp
        cld
        jmp     *72(%rdi)

/* ---- exports ---- */

/*
 * seh_export_entry: r11 = the export. Nothing is pushed, so stack arguments stay where the export looks for them; the
 * return address is replaced in place.
 */
        global  seh_export_entry
        cld                             /* the convention says it is clear; our C code relies on it */
        mov     %gs:SEH_CALLS, %r10
        cmp     %gs:SEH_CALLS_END, %r10
        jae     1f
        mov     (%rsp), %rax
        mov     %rax, 24(%r10)
        mov     %rbx, 32(%r10)
        mov     %rbp, 40(%r10)
        mov     %rsi, 48(%r10)
        mov     %rdi, 56(%r10)
        mov     %r12, 64(%r10)
        mov     %r13, 72(%r10)
        mov     %r14, 80(%r10)
        mov     %r15, 88(%r10)
        stmxcsr 96(%r10)
        mov     %r11, 104(%r10)
        movaps  %xmm6, 112(%r10)
        movaps  %xmm7, 128(%r10)
        movaps  %xmm8, 144(%r10)
        movaps  %xmm9, 160(%r10)
        movaps  %xmm10, 176(%r10)
        movaps  %xmm11, 192(%r10)
        movaps  %xmm12, 208(%r10)
        movaps  %xmm13, 224(%r10)
        movaps  %xmm14, 240(%r10)
        movaps  %xmm15, 256(%r10)
        mov     %rsp, NODE_STACK(%r10)
        movl    $NODE_CALL, 8(%r10)
        mov     %gs:SEH_TOP, %rax
        mov     %rax, (%r10)
        lea     CALL_SIZE(%r10), %rax
        mov     %rax, %gs:SEH_CALLS
        mov     %r10, %gs:SEH_TOP
        lea     seh_export_exit(%rip), %rax
        mov     %rax, (%rsp)
        jmp     *%r11
1:      capture_caller
        mov     %rsp, %rdi
        call    seh_call_overflow
        ud2

/* The export has returned: rax, rdx, xmm0 hold results. The newest node must be this call's. */
        global  seh_export_exit
        mov     %gs:SEH_TOP, %r10
        mov     %gs:SEH_CALLS, %r11
        sub     $CALL_SIZE, %r11
        cmp     %r10, %r11
        jne     1f
        lea     -8(%rsp), %r11
        cmp     %r11, NODE_STACK(%r10)
        jne     1f
        mov     (%r10), %r11
        mov     %r11, %gs:SEH_TOP
        mov     %r10, %gs:SEH_CALLS
        mov     24(%r10), %r11
        jmp     *%r11
1:      sub     $8, %rsp
        lea     seh_export_exit(%rip), %rax
        mov     %rax, (%rsp)
        capture_caller
        mov     %rsp, %rdi
        call    seh_call_mismatch
        ud2

/* ---- names that compilers call on their own ---- */

/*
 * __chkstk: rax = bytes to allocate. Stacks here are committed as a whole under a guard page; touching each page is
 * all there is.
 */
        global  __chkstk
        push    %rcx
        push    %rax
        cmp     $0x1000, %rax
        lea     24(%rsp), %rcx
        jb      2f
1:      sub     $0x1000, %rcx
        testb   $0, (%rcx)
        sub     $0x1000, %rax
        cmp     $0x1000, %rax
        ja      1b
2:      sub     %rax, %rcx
        testb   $0, (%rcx)
        pop     %rax
        pop     %rcx
        ret

/*
 * What drivers import as _setjmp(buffer, frame) and longjmp(buffer, value); the names are the host C library's too.
 * 256 bytes: the documented _JUMP_BUFFER of x64: Frame Rbx Rsp Rbp Rsi Rdi R12-R15 Rip MxCsr, xmm6-15. longjmp
 * unwinds to Frame, running __finally blocks on its way; without a frame it just jumps.
 */
        global  seh_setjmp
        mov     %rdx, 0x00(%rcx)
        mov     %rbx, 0x08(%rcx)
        lea     8(%rsp), %rax
        mov     %rax, 0x10(%rcx)
        mov     %rbp, 0x18(%rcx)
        mov     %rsi, 0x20(%rcx)
        mov     %rdi, 0x28(%rcx)
        mov     %r12, 0x30(%rcx)
        mov     %r13, 0x38(%rcx)
        mov     %r14, 0x40(%rcx)
        mov     %r15, 0x48(%rcx)
        mov     (%rsp), %rax
        mov     %rax, 0x50(%rcx)
        stmxcsr 0x58(%rcx)
        movups  %xmm6, 0x60(%rcx)
        movups  %xmm7, 0x70(%rcx)
        movups  %xmm8, 0x80(%rcx)
        movups  %xmm9, 0x90(%rcx)
        movups  %xmm10, 0xA0(%rcx)
        movups  %xmm11, 0xB0(%rcx)
        movups  %xmm12, 0xC0(%rcx)
        movups  %xmm13, 0xD0(%rcx)
        movups  %xmm14, 0xE0(%rcx)
        movups  %xmm15, 0xF0(%rcx)
        xor     %eax, %eax
        ret

        global  seh_longjmp
        capture_caller
        mov     %rcx, %rdi
        mov     %edx, %esi
        mov     %rsp, %rdx
        call    seh_longjmp_at
        ud2

        .section .note.GNU-stack, "", @progbits
