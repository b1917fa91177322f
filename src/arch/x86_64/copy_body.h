/*
 * copy_body.h - the copy all copy primitives share: rcx = destination, rdx = source, r8 = length > 0, user side(s)
 * checked.
 *
 * Exactness: no group of user accesses ever crosses a page, and its lowest byte is touched first. So a fault comes at
 * the first byte of a page and everything before it is already copied; no fix-up has to find out how far it came.
 * Lengths up to 128 are split at the page boundary they cross; longer ones bring the user side to a multiple of 128
 * and go on in groups of 128. With two user sides the copy goes from page end to page end of either. rep movsb is
 * exact by itself. r9 = what is left after the piece at hand. Labels: 1 next piece, 2 a piece within a page, 8 piece
 * done, 99 fix-up.
 */
.macro LD on, instruction:vararg
    .if \on
    TOUCH 99f, \instruction
    .else
#ifdef UMA_DIRECT
    \instruction
#else
    TOUCH_KERNEL 99f, \instruction
#endif
    .endif
.endm

/* One group of 128 bytes. */
.macro GROUP src_user, dst_user, avx
    .if \avx
    LD \src_user, vmovups (%rdx), %ymm0
    LD \src_user, vmovups 32(%rdx), %ymm1
    LD \src_user, vmovups 64(%rdx), %ymm2
    LD \src_user, vmovups 96(%rdx), %ymm3
    LD \dst_user, vmovups %ymm0, (%rcx)
    LD \dst_user, vmovups %ymm1, 32(%rcx)
    LD \dst_user, vmovups %ymm2, 64(%rcx)
    LD \dst_user, vmovups %ymm3, 96(%rcx)
    .else
    LD \src_user, movups (%rdx), %xmm0
    LD \src_user, movups 16(%rdx), %xmm1
    LD \src_user, movups 32(%rdx), %xmm2
    LD \src_user, movups 48(%rdx), %xmm3
    LD \dst_user, movups %xmm0, (%rcx)
    LD \dst_user, movups %xmm1, 16(%rcx)
    LD \dst_user, movups %xmm2, 32(%rcx)
    LD \dst_user, movups %xmm3, 48(%rcx)
    LD \src_user, movups 64(%rdx), %xmm0
    LD \src_user, movups 80(%rdx), %xmm1
    LD \src_user, movups 96(%rdx), %xmm2
    LD \src_user, movups 112(%rdx), %xmm3
    LD \dst_user, movups %xmm0, 64(%rcx)
    LD \dst_user, movups %xmm1, 80(%rcx)
    LD \dst_user, movups %xmm2, 96(%rcx)
    LD \dst_user, movups %xmm3, 112(%rcx)
    .endif
.endm

/* Whole copies of 129 to 256 bytes: a group from the front and one that ends at the end. */
.macro PIECE_ABOVE_128 src_user, dst_user, avx, out
    .if \out
    cmpl $128, %r8d
    jbe 45f
    GROUP \src_user, \dst_user, \avx
    leaq -128(%rdx,%r8), %rdx
    leaq -128(%rcx,%r8), %rcx
    GROUP \src_user, \dst_user, \avx
    PIECE_OUT \out, \avx
45:
    .endif
.endm

/* After a piece. out: it is the whole copy, return; else go to 8, or to 7 with the upper vector halves in use. */
.macro PIECE_OUT out, avx
    .if \out
    .if \avx
    vzeroupper
    .endif
    CLOSE
    ret
    .elseif \avx
    jmp 7f
    .else
    jmp 8f
    .endif
.endm

/* 1 to 15 bytes. */
.macro PIECE_BELOW_16 src_user, dst_user, out
    cmpl $8, %r8d
    jb 31f
    LD \src_user, movq (%rdx), %rax
    LD \src_user, movq -8(%rdx,%r8), %r10
    LD \dst_user, movq %rax, (%rcx)
    LD \dst_user, movq %r10, -8(%rcx,%r8)
    PIECE_OUT \out, 0
31: cmpl $4, %r8d
    jb 32f
    LD \src_user, movl (%rdx), %eax
    LD \src_user, movl -4(%rdx,%r8), %r10d
    LD \dst_user, movl %eax, (%rcx)
    LD \dst_user, movl %r10d, -4(%rcx,%r8)
    PIECE_OUT \out, 0
32: cmpl $2, %r8d
    jb 33f
    LD \src_user, movzwl (%rdx), %eax
    LD \src_user, movzbl -1(%rdx,%r8), %r10d
    LD \dst_user, movw %ax, (%rcx)
    LD \dst_user, movb %r10b, -1(%rcx,%r8)
    PIECE_OUT \out, 0
33: LD \src_user, movzbl (%rdx), %eax
    LD \dst_user, movb %al, (%rcx)
    PIECE_OUT \out, 0
.endm

/* 16 to 128 bytes; 16 are one access. */
.macro PIECE_FROM_16 src_user, dst_user, avx, out
    cmpl $32, %r8d
    ja 41f
    LD \src_user, movups (%rdx), %xmm0
    LD \dst_user, movups %xmm0, (%rcx)
    cmpl $16, %r8d
    je 43f
    LD \src_user, movups -16(%rdx,%r8), %xmm1
    LD \dst_user, movups %xmm1, -16(%rcx,%r8)
43: PIECE_OUT \out, 0
41: cmpl $64, %r8d
    ja 42f
    .if \avx
    LD \src_user, vmovups (%rdx), %ymm0
    LD \src_user, vmovups -32(%rdx,%r8), %ymm1
    LD \dst_user, vmovups %ymm0, (%rcx)
    LD \dst_user, vmovups %ymm1, -32(%rcx,%r8)
    PIECE_OUT \out, 1
42: PIECE_ABOVE_128 \src_user, \dst_user, \avx, \out
    LD \src_user, vmovups (%rdx), %ymm0
    LD \src_user, vmovups 32(%rdx), %ymm1
    LD \src_user, vmovups -64(%rdx,%r8), %ymm2
    LD \src_user, vmovups -32(%rdx,%r8), %ymm3
    LD \dst_user, vmovups %ymm0, (%rcx)
    LD \dst_user, vmovups %ymm1, 32(%rcx)
    LD \dst_user, vmovups %ymm2, -64(%rcx,%r8)
    LD \dst_user, vmovups %ymm3, -32(%rcx,%r8)
    PIECE_OUT \out, 1
    .else
    LD \src_user, movups (%rdx), %xmm0
    LD \src_user, movups 16(%rdx), %xmm1
    LD \src_user, movups -32(%rdx,%r8), %xmm2
    LD \src_user, movups -16(%rdx,%r8), %xmm3
    LD \dst_user, movups %xmm0, (%rcx)
    LD \dst_user, movups %xmm1, 16(%rcx)
    LD \dst_user, movups %xmm2, -32(%rcx,%r8)
    LD \dst_user, movups %xmm3, -16(%rcx,%r8)
    PIECE_OUT \out, 0
42: PIECE_ABOVE_128 \src_user, \dst_user, \avx, \out
    LD \src_user, movups (%rdx), %xmm0
    LD \src_user, movups 16(%rdx), %xmm1
    LD \src_user, movups 32(%rdx), %xmm2
    LD \src_user, movups 48(%rdx), %xmm3
    LD \dst_user, movups %xmm0, (%rcx)
    LD \dst_user, movups %xmm1, 16(%rcx)
    LD \dst_user, movups %xmm2, 32(%rcx)
    LD \dst_user, movups %xmm3, 48(%rcx)
    LD \src_user, movups -64(%rdx,%r8), %xmm0
    LD \src_user, movups -48(%rdx,%r8), %xmm1
    LD \src_user, movups -32(%rdx,%r8), %xmm2
    LD \src_user, movups -16(%rdx,%r8), %xmm3
    LD \dst_user, movups %xmm0, -64(%rcx,%r8)
    LD \dst_user, movups %xmm1, -48(%rcx,%r8)
    LD \dst_user, movups %xmm2, -32(%rcx,%r8)
    LD \dst_user, movups %xmm3, -16(%rcx,%r8)
    PIECE_OUT \out, 0
    .endif
.endm

/* One group of 128 bytes by streaming stores; the destination aligned to 16, or at all. */
.macro GROUP_STREAM_16 src_user, dst_user
    LD \src_user, movups (%rdx), %xmm0
    LD \src_user, movups 16(%rdx), %xmm1
    LD \src_user, movups 32(%rdx), %xmm2
    LD \src_user, movups 48(%rdx), %xmm3
    LD \dst_user, movntps %xmm0, (%rcx)
    LD \dst_user, movntps %xmm1, 16(%rcx)
    LD \dst_user, movntps %xmm2, 32(%rcx)
    LD \dst_user, movntps %xmm3, 48(%rcx)
    LD \src_user, movups 64(%rdx), %xmm0
    LD \src_user, movups 80(%rdx), %xmm1
    LD \src_user, movups 96(%rdx), %xmm2
    LD \src_user, movups 112(%rdx), %xmm3
    LD \dst_user, movntps %xmm0, 64(%rcx)
    LD \dst_user, movntps %xmm1, 80(%rcx)
    LD \dst_user, movntps %xmm2, 96(%rcx)
    LD \dst_user, movntps %xmm3, 112(%rcx)
.endm
.macro GROUP_STREAM_ANY src_user, dst_user
    .irp at, 0, 16, 32, 48, 64, 80, 96, 112
    LD \src_user, movq \at(%rdx), %rax
    LD \src_user, movq \at + 8(%rdx), %r10
    LD \dst_user, movnti %rax, \at(%rcx)
    LD \dst_user, movnti %r10, \at + 8(%rcx)
    .endr
.endm

.macro STEP_GROUP again
    subq $-128, %rdx
    subq $-128, %rcx
    addq $-128, %r8
    cmpq $128, %r8
    jae \again
.endm

/* After the groups: 0 to 127 bytes are left. */
.macro REST
    testq %r8, %r8
    jne 2b
    jmp 8f
.endm

/* The pieces, the ends of pieces and the way out are the same for every copy. */
.macro PIECES src_user, dst_user, avx, out
    cmpl $16, %r8d
    jae 3f
    PIECE_BELOW_16 \src_user, \dst_user, \out
3:  PIECE_FROM_16 \src_user, \dst_user, \avx, \out
.endm
.macro PIECES_END avx, stream
    .if \avx
7:  vzeroupper
    .endif
8:  testq %r9, %r9
    je 9f
    addq %r8, %rcx
    addq %r8, %rdx
    movq %r9, %r8
    jmp 1b
9:
    .if \stream
    sfence
    .endif
.endm

/* Jumps to to with the bytes of the second page in eax if [user, user + r8) crosses a page; r8 <= 256. */
.macro IF_CROSSING user32, to
    movl \user32, %eax
    andl $PAGE - 1, %eax
    addl %r8d, %eax
    subl $PAGE, %eax
    ja \to
.endm

/*
 * user: the register with the user address, its low half user32. rep: where to go on for long copies of equal
 * alignment; of unequal alignment rep movsb is many times slower than vectors on some processors that report ERMS. The
 * first pieces are the short copies that need nothing else; they return on the spot.
 */
.macro COPY_ONE_SIDED src_user, dst_user, user, user32, avx, rep
    cmpq $256, %r8
    ja 5f
    IF_CROSSING \user32, 54f
    PIECES \src_user, \dst_user, \avx, 1
54: cmpl $128, %r8d
    jbe 4f
    jmp 5f
1:  cmpq $128, %r8
    ja 5f
    xorl %r9d, %r9d
    IF_CROSSING \user32, 4f
2:  PIECES \src_user, \dst_user, \avx, 0
4:  movl %eax, %r9d
    subl %eax, %r8d
    jmp 2b
5:  LOAD_REP_THRESHOLD %rax
    cmpq %rax, %r8
    jb 53f
    movl %ecx, %eax
    subl %edx, %eax
    testb $63, %al
    je \rep
53: xorl %r9d, %r9d
    movl \user32, %eax
    negl %eax
    andl $127, %eax
    je 6f
    movq %r8, %r9
    subq %rax, %r9
    movl %eax, %r8d
    jmp 2b
    .p2align 4
6:  GROUP \src_user, \dst_user, \avx
    STEP_GROUP 6b
    .if \avx
    vzeroupper
    .endif
    REST
    PIECES_END \avx, 0
.endm

.macro COPY_STREAM src_user, dst_user, user, user32
1:  xorl %r9d, %r9d
    cmpq $128, %r8
    ja 5f
    IF_CROSSING \user32, 4f
2:  PIECES \src_user, \dst_user, 0, 0
4:  movl %eax, %r9d
    subl %eax, %r8d
    jmp 2b
5:  movl \user32, %eax
    negl %eax
    andl $127, %eax
    je 6f
    movq %r8, %r9
    subq %rax, %r9
    movl %eax, %r8d
    jmp 2b
6:  testb $15, %cl
    jne 62f
61: GROUP_STREAM_16 \src_user, \dst_user
    STEP_GROUP 61b
    REST
62: GROUP_STREAM_ANY \src_user, \dst_user
    STEP_GROUP 62b
    REST
    PIECES_END 0, 1
.endm

.macro COPY_TWO_SIDED avx, rep
1:  LOAD_REP_THRESHOLD %rax
    cmpq %rax, %r8
    jb 53f
    movl %ecx, %eax
    subl %edx, %eax
    testb $63, %al
    je \rep
53: TWO_SIDED_PIECE
    cmpl $128, %r8d
    jae 6f
2:  PIECES 1, 1, \avx, 0
6:  GROUP 1, 1, \avx
    STEP_GROUP 6b
    .if \avx
    vzeroupper
    .endif
    REST
    PIECES_END \avx, 0
.endm

/* r8 = bytes up to the next page end of either side, at most r8; r9 = the rest. */
.macro TWO_SIDED_PIECE
    movq %r8, %r9
    movl %ecx, %eax
    orl $-PAGE, %eax
    negl %eax
    movl %edx, %r10d
    orl $-PAGE, %r10d
    negl %r10d
    cmpl %r10d, %eax
    cmoval %r10d, %eax
    cmpq %rax, %r8
    cmovaq %rax, %r8
    subq %r8, %r9
.endm

/* The same downwards; rcx and rdx are one past the last byte to move. */
.macro TWO_SIDED_PIECE_DOWN
    movq %r8, %r9
    leal -1(%rcx), %eax
    andl $PAGE - 1, %eax
    incl %eax
    leal -1(%rdx), %r10d
    andl $PAGE - 1, %r10d
    incl %r10d
    cmpl %r10d, %eax
    cmoval %r10d, %eax
    cmpq %rax, %r8
    cmovaq %rax, %r8
    subq %r8, %r9
.endm
