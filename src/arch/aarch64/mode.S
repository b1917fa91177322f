/*
 * mode.S - AArch64: ReadXxxFromMode and WriteXxxToMode, and the fast fail on a user pointer. KernelMode (0) accesses
 * directly.
 */
#include "prim.h"
#include "../names.h"

.macro KERNEL_POINTER_CHECK
#if defined(DBG) && DBG
    LOAD_LIMIT x9
    cmp x0, x9
    b.lo RtlFastFailIfUserPointer
#endif
.endm

.macro READ_MODE width, slot, load, result
    .text
    .p2align 4
    STEMS_\width FUNCTION_LABEL, Read, FromMode
    .if \width == 8
    STEMS_UNION FUNCTION_LABEL, Read, FromMode
    .endif
    tst w1, #0xff
    b.ne Rtl\slot
    KERNEL_POINTER_CHECK
    \load \result, [x0]
    ret
.endm

.macro WRITE_MODE width, slot, store, value
    .text
    .p2align 4
    STEMS_\width FUNCTION_LABEL, Write, ToMode
    .if \width == 8
    STEMS_UNION FUNCTION_LABEL, Write, ToMode
    .endif
    tst w2, #0xff
    b.ne Rtl\slot
    KERNEL_POINTER_CHECK
    \store \value, [x0]
    ret
.endm

READ_MODE 1, ReadUCharFromUser, ldrb, w0
READ_MODE 2, ReadUShortFromUser, ldrh, w0
READ_MODE 4, ReadULongFromUser, ldr, w0
READ_MODE 8, ReadULong64FromUser, ldr, x0
WRITE_MODE 1, WriteUCharToUser, strb, w1
WRITE_MODE 2, WriteUShortToUser, strh, w1
WRITE_MODE 4, WriteULongToUser, str, w1
WRITE_MODE 8, WriteULong64ToUser, str, x1

/* __fastfail on ARM64: brk #0xf003 with the code in w0. */
    .p2align 4
    FUNCTION_LABEL RtlFastFailIfUserPointer
    LOAD_LIMIT x9
    cmp x0, x9
    b.hs 1f
    mov w0, #77
    brk #0xf003
1:  ret
