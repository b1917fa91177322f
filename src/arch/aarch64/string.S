/*
 * string.S - AArch64: length of a string in user memory. By character up to an 8-byte boundary, then by aligned words;
 * each character is read once. A scan that reaches the user limit touches it, and it is never mapped.
 */
#include "prim.h"

.macro STRING_LENGTH slot, offset, size, load, ones, tops
    FUNCTION \slot
    FUNCTION_LABEL \slot
    REDIRECT \offset
    CLAMP x9
    ldr x12, =\ones
    ldr x13, =\tops
1:  tst x9, #7
    b.eq 2f
    TOUCH 99f, \load w10, [x9]
    cbz w10, 4f
    add x9, x9, #\size
    b 1b
2:  TOUCH 99f, ldr x10, [x9]
    add x9, x9, #8
    sub x11, x10, x12
    bic x11, x11, x10
    ands x11, x11, x13
    b.eq 2b
    rbit x11, x11
    clz x11, x11
    sub x9, x9, #8
    add x9, x9, x11, lsr #3
    .if \size == 2
    and x9, x9, #~1
    .endif
4:  sub x0, x9, x0
    .if \size == 2
    lsr x0, x0, #1
    .endif
    ret
    REDIRECT_TAIL
    FIXUP_CLAMPED
    .ltorg
.endm

STRING_LENGTH StringLengthFromUser, SLOT_StringLengthFromUser, 1, ldrb, 0x0101010101010101, 0x8080808080808080
STRING_LENGTH WideStringLengthFromUser, SLOT_WideStringLengthFromUser, 2, ldrh, 0x0001000100010001, 0x8000800080008000
