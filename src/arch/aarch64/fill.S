/* fill.S - AArch64: the one fill primitive and its form for kernel memory. Exactness as in copy_body.h. */
#include "prim.h"
#include "copy_body.h"

/* x0 = destination, x4 = the byte eight times, x2 = length > 0. */
.macro FILL_BODY user
1:  mov x3, #0
    cmp x2, #64
    b.hi 5f
    and x5, x0, #PAGE - 1
    add x5, x5, x2
    subs x5, x5, #PAGE
    b.hi 4f
2:  add x13, x0, x2
    cmp x2, #16
    b.hs 35f
    tbz x2, #3, 31f
    LS \user, str x4, [x0]
    LS \user, str x4, [x13, #-8]
    b 8f
31: tbz x2, #2, 32f
    LS \user, str w4, [x0]
    LS \user, str w4, [x13, #-4]
    b 8f
32: LS \user, strb w4, [x0]
    tbz x2, #1, 8f
    LS \user, strh w4, [x13, #-2]
    b 8f
35: LS \user, stp x4, x4, [x0]
    LS \user, stp x4, x4, [x13, #-16]
    cmp x2, #32
    b.ls 8f
    LS \user, stp x4, x4, [x0, #16]
    LS \user, stp x4, x4, [x13, #-32]
    b 8f
4:  mov x3, x5
    sub x2, x2, x5
    b 2b
5:  neg x5, x0
    ands x5, x5, #63
    b.eq 6f
    sub x3, x2, x5
    mov x2, x5
    b 2b
6:  LS \user, stp x4, x4, [x0]
    LS \user, stp x4, x4, [x0, #16]
    LS \user, stp x4, x4, [x0, #32]
    LS \user, stp x4, x4, [x0, #48]
    add x0, x0, #64
    sub x2, x2, #64
    cmp x2, #64
    b.hs 6b
    cbnz x2, 2b
8:  cbz x3, 9f
    add x0, x0, x2
    mov x2, x3
    b 1b
9:
.endm
.macro FILL_SPREAD
    and x4, x1, #0xff
    orr x4, x4, x4, lsl #8
    orr x4, x4, x4, lsl #16
    orr x4, x4, x4, lsl #32
.endm

    FUNCTION SetUserMemory
    FUNCTION_LABEL SetUserMemory
    REDIRECT SLOT_SetUserMemory
    cbz x2, 92f
    CHECK_RANGE x0, x2, 98f
    FILL_SPREAD
    FILL_BODY 1
92: ret
    REDIRECT_TAIL
    FIXUP
    RAISE_RANGE x0, x2, 1

    .p2align 4
    FUNCTION_LABEL umap_fill_direct
    cbz x2, 92f
    FILL_SPREAD
    FILL_BODY 0
92: ret
