/*
 * copy_body.h - AArch64: the copy all copy primitives share: x0 = destination, x1 = source, x2 = length > 0. As on
 * x86-64 (../x86_64/copy_body.h): no group of user accesses crosses a page and its lowest byte comes first, so a fault
 * leaves exactly the bytes before it copied. Groups are 64 bytes. x3 = what is left after the piece at hand, x12 = end
 * of the source piece, x13 = of the destination's. Labels: 1 next piece, 2 a piece within a page, 8 piece done, 99
 * fix-up.
 */
.macro LS on, instruction:vararg
    .if \on
    TOUCH 99f, \instruction
    .else
    \instruction
    .endif
.endm

/* 1 to 64 bytes within a page of each user side. */
.macro PIECES su, du
2:  add x12, x1, x2
    add x13, x0, x2
    cmp x2, #16
    b.hs 35f
    tbz x2, #3, 31f
    LS \su, ldr x4, [x1]
    LS \su, ldr x5, [x12, #-8]
    LS \du, str x4, [x0]
    LS \du, str x5, [x13, #-8]
    b 8f
31: tbz x2, #2, 32f
    LS \su, ldr w4, [x1]
    LS \su, ldr w5, [x12, #-4]
    LS \du, str w4, [x0]
    LS \du, str w5, [x13, #-4]
    b 8f
32: tbz x2, #1, 33f
    LS \su, ldrh w4, [x1]
    LS \su, ldrb w5, [x12, #-1]
    LS \du, strh w4, [x0]
    LS \du, strb w5, [x13, #-1]
    b 8f
33: LS \su, ldrb w4, [x1]
    LS \du, strb w4, [x0]
    b 8f
35: cmp x2, #32
    b.hi 36f
    LS \su, ldp x4, x5, [x1]
    LS \du, stp x4, x5, [x0]
    cmp x2, #16
    b.eq 8f
    LS \su, ldp x6, x7, [x12, #-16]
    LS \du, stp x6, x7, [x13, #-16]
    b 8f
36: LS \su, ldp x4, x5, [x1]
    LS \su, ldp x6, x7, [x1, #16]
    LS \su, ldp x8, x9, [x12, #-32]
    LS \su, ldp x10, x11, [x12, #-16]
    LS \du, stp x4, x5, [x0]
    LS \du, stp x6, x7, [x0, #16]
    LS \du, stp x8, x9, [x13, #-32]
    LS \du, stp x10, x11, [x13, #-16]
    b 8f
.endm

/* load, store: ldp and stp, or the streaming ldnp and stnp. */
.macro GROUPS su, du, load, store
6:  LS \su, \load x4, x5, [x1]
    LS \su, \load x6, x7, [x1, #16]
    LS \su, \load x8, x9, [x1, #32]
    LS \su, \load x10, x11, [x1, #48]
    LS \du, \store x4, x5, [x0]
    LS \du, \store x6, x7, [x0, #16]
    LS \du, \store x8, x9, [x0, #32]
    LS \du, \store x10, x11, [x0, #48]
    add x1, x1, #64
    add x0, x0, #64
    sub x2, x2, #64
    cmp x2, #64
    b.hs 6b
    cbnz x2, 2b
.endm

.macro PIECE_DONE
8:  cbz x3, 9f
    add x0, x0, x2
    add x1, x1, x2
    mov x2, x3
    b 1b
9:
.endm

.macro COPY_ONE_SIDED su, du, user, load, store
1:  mov x3, #0
    cmp x2, #64
    b.hi 5f
    and x4, \user, #PAGE - 1
    add x4, x4, x2
    subs x4, x4, #PAGE
    b.hi 4f
    PIECES \su, \du
4:  mov x3, x4
    sub x2, x2, x4
    b 2b
5:  neg x4, \user
    ands x4, x4, #63
    b.eq 6f
    sub x3, x2, x4
    mov x2, x4
    b 2b
    GROUPS \su, \du, \load, \store
    PIECE_DONE
.endm

/* x2 = bytes up to the next page end of either side, at most x2; x3 = the rest. */
.macro TWO_SIDED_PIECE
    mov x3, x2
    orr x4, x0, #-PAGE
    neg x4, x4
    orr x5, x1, #-PAGE
    neg x5, x5
    cmp x4, x5
    csel x4, x4, x5, lo
    cmp x2, x4
    csel x2, x2, x4, lo
    sub x3, x3, x2
.endm
/* The same downwards; x0 and x1 are one past the last byte to move. */
.macro TWO_SIDED_PIECE_DOWN
    mov x3, x2
    sub x4, x0, #1
    and x4, x4, #PAGE - 1
    add x4, x4, #1
    sub x5, x1, #1
    and x5, x5, #PAGE - 1
    add x5, x5, #1
    cmp x4, x5
    csel x4, x4, x5, lo
    cmp x2, x4
    csel x2, x2, x4, lo
    sub x3, x3, x2
.endm
.macro COPY_TWO_SIDED
1:  TWO_SIDED_PIECE
    cmp x2, #64
    b.hs 6f
    PIECES 1, 1
    GROUPS 1, 1, ldp, stp
    PIECE_DONE
.endm
