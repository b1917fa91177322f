/*
 * fill_body.h - the fill of user or kernel memory: rcx = destination, al and xmm0 = the byte, r8 = length > 0. Pieces,
 * groups and exactness are those of copy_body.h; user says whether the stores are in the fault table.
 */
.macro FILL_SPREAD
    movzbl %dl, %edx
    movabsq $0x0101010101010101, %rax
    imulq %rdx, %rax
    movq %rax, %xmm0
    punpcklqdq %xmm0, %xmm0
.endm

.macro FILL_BODY user, rep
1:  xorl %r9d, %r9d
    cmpq $128, %r8
    ja 5f
    movl %ecx, %r10d
    andl $PAGE - 1, %r10d
    addl %r8d, %r10d
    subl $PAGE, %r10d
    ja 4f
2:  cmpl $16, %r8d
    jae 3f
    cmpl $8, %r8d
    jb 31f
    ST \user, movq %rax, (%rcx)
    ST \user, movq %rax, -8(%rcx,%r8)
    jmp 8f
31: cmpl $4, %r8d
    jb 32f
    ST \user, movl %eax, (%rcx)
    ST \user, movl %eax, -4(%rcx,%r8)
    jmp 8f
32: ST \user, movb %al, (%rcx)
    cmpl $2, %r8d
    jb 8f
    ST \user, movw %ax, -2(%rcx,%r8)
    jmp 8f
3:  cmpl $64, %r8d
    ja 34f
    ST \user, movups %xmm0, (%rcx)
    ST \user, movups %xmm0, -16(%rcx,%r8)
    cmpl $32, %r8d
    jbe 8f
    ST \user, movups %xmm0, 16(%rcx)
    ST \user, movups %xmm0, -32(%rcx,%r8)
    jmp 8f
34: .irp at, 0, 16, 32, 48
    ST \user, movups %xmm0, \at(%rcx)
    .endr
    .irp at, 64, 48, 32, 16
    ST \user, movups %xmm0, -\at(%rcx,%r8)
    .endr
    jmp 8f
4:  movl %r10d, %r9d
    subl %r10d, %r8d
    jmp 2b
5:  LOAD_REP_THRESHOLD %r10
    cmpq %r10, %r8
    jae \rep
    movl %ecx, %r10d
    negl %r10d
    andl $127, %r10d
    je 6f
    movq %r8, %r9
    subq %r10, %r9
    movl %r10d, %r8d
    jmp 2b
    .p2align 4
6:  .irp at, 0, 16, 32, 48, 64, 80, 96, 112
    ST \user, movaps %xmm0, \at(%rcx)
    .endr
    subq $-128, %rcx
    addq $-128, %r8
    cmpq $128, %r8
    jae 6b
    testq %r8, %r8
    jne 2b
8:  testq %r9, %r9
    je 9f
    addq %r8, %rcx
    movq %r9, %r8
    jmp 1b
9:
.endm

.macro ST on, instruction:vararg
    .if \on
    TOUCH 99f, \instruction
    .else
    \instruction
    .endif
.endm
