/*
 * interlocked.S - AArch64: And, Or, CompareExchange on aligned user memory by load and store exclusive, with a full
 * barrier after them. A comparison that fails stores the old value back, so read-only memory raises in every case.
 */
#include "prim.h"

.macro INTERLOCKED_BEGIN slot, offset, name, align
    FUNCTION \slot
    FUNCTION_LABEL \name
    REDIRECT \offset
    tst x0, #\align - 1
    b.ne 96f
    CLAMP x9
.endm
.macro INTERLOCKED_END old, result
    dmb ish
    mov \result, \old
    ret
    REDIRECT_TAIL
    RAISE_MISALIGNED
    FIXUP_CLAMPED
.endm

.macro BITWISE slot, offset, name, align, operation, old, value, new, result
    INTERLOCKED_BEGIN \slot, \offset, \name, \align
1:  TOUCH 99f, ldaxr \old, [x9]
    \operation \new, \old, \value
    TOUCH 99f, stlxr w12, \new, [x9]
    cbnz w12, 1b
    INTERLOCKED_END \old, \result
.endm
.macro COMPARE_EXCHANGE slot, offset, name, align, old, exchange, comperand, new, result
    INTERLOCKED_BEGIN \slot, \offset, \name, \align
1:  TOUCH 99f, ldaxr \old, [x9]
    cmp \old, \comperand
    csel \new, \exchange, \old, eq
    TOUCH 99f, stlxr w12, \new, [x9]
    cbnz w12, 1b
    INTERLOCKED_END \old, \result
.endm

BITWISE InterlockedAnd32ToUser, SLOT_InterlockedAnd32ToUser, InterlockedAndToUser, 4, and, w10, w1, w11, w0
BITWISE InterlockedAnd64ToUser, SLOT_InterlockedAnd64ToUser, InterlockedAnd64ToUser, 8, and, x10, x1, x11, x0
BITWISE InterlockedOr32ToUser, SLOT_InterlockedOr32ToUser, InterlockedOrToUser, 4, orr, w10, w1, w11, w0
BITWISE InterlockedOr64ToUser, SLOT_InterlockedOr64ToUser, InterlockedOr64ToUser, 8, orr, x10, x1, x11, x0
COMPARE_EXCHANGE InterlockedCompareExchange32ToUser, SLOT_InterlockedCompareExchange32ToUser, InterlockedCompareExchangeToUser, 4, w10, w1, w2, w11, w0
COMPARE_EXCHANGE InterlockedCompareExchange64ToUser, SLOT_InterlockedCompareExchange64ToUser, InterlockedCompareExchange64ToUser, 8, x10, x1, x2, x11, x0
