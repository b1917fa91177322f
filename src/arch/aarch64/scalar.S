/*
 * scalar.S - AArch64: one read or write of 1, 2, 4 or 8 bytes of user memory, plain and ordered. ldar and stlr demand
 * alignment and the accessors do not, so a misaligned ordered access is a plain one with a barrier.
 */
#include "prim.h"
#include "../names.h"

.macro READ_PLAIN slot, offset, width, load, result
    FUNCTION \slot
    STEMS_\width FUNCTION_LABEL, Read, FromUser
    .if \width == 8
    STEMS_UNION FUNCTION_LABEL, Read, FromUser
    .endif
    REDIRECT \offset
    CLAMP x9
    TOUCH 99f, \load \result, [x9]
    ret
    REDIRECT_TAIL
    FIXUP_CLAMPED
.endm

.macro WRITE_PLAIN slot, offset, width, store, value
    FUNCTION \slot
    STEMS_\width FUNCTION_LABEL, Write, ToUser
    .if \width == 8
    STEMS_UNION FUNCTION_LABEL, Write, ToUser
    .endif
    REDIRECT \offset
    CLAMP x9
    TOUCH 99f, \store \value, [x9]
    ret
    REDIRECT_TAIL
    FIXUP_CLAMPED
.endm

.macro READ_ACQUIRE slot, offset, width, load, acquire, result
    FUNCTION \slot
    STEMS_\width FUNCTION_LABEL, Read, FromUserAcquire
    REDIRECT \offset
    CLAMP x9
    .if \width > 1
    tst x9, #\width - 1
    b.ne 1f
    .endif
    TOUCH 99f, \acquire \result, [x9]
    ret
    .if \width > 1
1:  TOUCH 99f, \load \result, [x9]
    dmb ishld
    ret
    .endif
    REDIRECT_TAIL
    FIXUP_CLAMPED
.endm

.macro WRITE_RELEASE slot, offset, width, store, release, value
    FUNCTION \slot
    STEMS_\width FUNCTION_LABEL, Write, ToUserRelease
    REDIRECT \offset
    CLAMP x9
    .if \width > 1
    tst x9, #\width - 1
    b.ne 1f
    .endif
    TOUCH 99f, \release \value, [x9]
    ret
    .if \width > 1
1:  dmb ish
    TOUCH 99f, \store \value, [x9]
    ret
    .endif
    REDIRECT_TAIL
    FIXUP_CLAMPED
.endm

READ_PLAIN ReadUCharFromUser, SLOT_ReadUCharFromUser, 1, ldrb, w0
READ_PLAIN ReadUShortFromUser, SLOT_ReadUShortFromUser, 2, ldrh, w0
READ_PLAIN ReadULongFromUser, SLOT_ReadULongFromUser, 4, ldr, w0
READ_PLAIN ReadULong64FromUser, SLOT_ReadULong64FromUser, 8, ldr, x0
WRITE_PLAIN WriteUCharToUser, SLOT_WriteUCharToUser, 1, strb, w1
WRITE_PLAIN WriteUShortToUser, SLOT_WriteUShortToUser, 2, strh, w1
WRITE_PLAIN WriteULongToUser, SLOT_WriteULongToUser, 4, str, w1
WRITE_PLAIN WriteULong64ToUser, SLOT_WriteULong64ToUser, 8, str, x1
READ_ACQUIRE ReadUCharFromUserAcquire, SLOT_ReadUCharFromUserAcquire, 1, ldrb, ldarb, w0
READ_ACQUIRE ReadUShortFromUserAcquire, SLOT_ReadUShortFromUserAcquire, 2, ldrh, ldarh, w0
READ_ACQUIRE ReadULongFromUserAcquire, SLOT_ReadULongFromUserAcquire, 4, ldr, ldar, w0
READ_ACQUIRE ReadULong64FromUserAcquire, SLOT_ReadULong64FromUserAcquire, 8, ldr, ldar, x0
WRITE_RELEASE WriteUCharToUserRelease, SLOT_WriteUCharToUserRelease, 1, strb, stlrb, w1
WRITE_RELEASE WriteUShortToUserRelease, SLOT_WriteUShortToUserRelease, 2, strh, stlrh, w1
WRITE_RELEASE WriteULongToUserRelease, SLOT_WriteULongToUserRelease, 4, str, stlr, w1
WRITE_RELEASE WriteULong64ToUserRelease, SLOT_WriteULong64ToUserRelease, 8, str, stlr, x1
