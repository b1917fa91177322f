/*
 * scalar.S - one read or write of 1, 2, 4 or 8 bytes of user memory: clamp, one access, return. The template of every
 * build (prim.h); in the PE build also the public names of each width.
 */
#ifdef UMA_PE
#include "prim.h"
#include "../names.h"
#define NAMES(macro, width, stem) macro width, stem
#else
#define NAMES(macro, width, stem)
#endif

.macro READ slot, offset, width, stem, move, result
    FUNCTION \slot
    NAMES(READ_NAMES, \width, \stem)
    REDIRECT \offset
    CLAMP %rcx, %rax
    OPEN_SCALAR_READ
    TOUCH 99f, \move (ADDR), \result
    CLOSE_SCALAR_READ
    ret
    REDIRECT_TAIL \offset
    FIXUP_SCALAR
    END \slot
.endm

.macro WRITE slot, offset, width, stem, move, value
    FUNCTION \slot
    NAMES(WRITE_NAMES, \width, \stem)
    REDIRECT \offset
    CLAMP %rcx, %rax
    OPEN_SCALAR_WRITE
    TOUCH 99f, \move \value, (ADDR)
    CLOSE_SCALAR_WRITE
    ret
    REDIRECT_TAIL \offset
    FIXUP_SCALAR
    END \slot
.endm

READ ReadUCharFromUser, SLOT_ReadUCharFromUser, 1, UChar, movzbl, RESULT_4
READ ReadUShortFromUser, SLOT_ReadUShortFromUser, 2, UShort, movzwl, RESULT_4
READ ReadULongFromUser, SLOT_ReadULongFromUser, 4, ULong, movl, RESULT_4
READ ReadULong64FromUser, SLOT_ReadULong64FromUser, 8, ULong64, movq, RESULT_8
WRITE WriteUCharToUser, SLOT_WriteUCharToUser, 1, UChar, movb, VALUE_1
WRITE WriteUShortToUser, SLOT_WriteUShortToUser, 2, UShort, movw, VALUE_2
WRITE WriteULongToUser, SLOT_WriteULongToUser, 4, ULong, movl, VALUE_4
WRITE WriteULong64ToUser, SLOT_WriteULong64ToUser, 8, ULong64, movq, VALUE_8
