/* fill.S - the one fill primitive. Fill and Zero forms are calls to it (src/uma/fill.c). */
#ifdef UMA_PE
#include "prim.h"
#endif
#include "fill_body.h"

    FUNCTION SetUserMemory
#ifdef UMA_PE
    FUNCTION_LABEL SetUserMemory
#endif
    REDIRECT SLOT_SetUserMemory
    testq %r8, %r8
    je 92f
    CHECK_RANGE %rcx, %r8, 98f
    OPEN
    FILL_SPREAD
    FILL_BODY 1, 91f
    CLOSE
92: ret
    REDIRECT_TAIL SLOT_SetUserMemory
    FIXUP_COPY 0, 0
    RAISE_RANGE %rcx, %r8, 1
    FILL_REP
    END SetUserMemory
