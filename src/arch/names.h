/*
 * names.h - which public names stand for which primitive. A scalar's name is its type's; on x86-64 the acquire and
 * release forms are the plain ones (the processor does not reorder loads with loads or stores with stores, and a call
 * is a compiler barrier).
 */
/* Read by the assembler only. */
/* clang-format off */
.macro ONE_NAME macro, prefix, stem, suffix
    \macro \prefix\stem\suffix
.endm
.macro EACH_NAME macro, prefix, suffix, stems:vararg
    .irp stem, \stems
    ONE_NAME \macro, \prefix, \stem, \suffix
    .endr
.endm
.macro STEMS_1 macro, prefix, suffix
    EACH_NAME \macro, \prefix, \suffix, Boolean, Char, Int8, UChar, UInt8
.endm
.macro STEMS_2 macro, prefix, suffix
    EACH_NAME \macro, \prefix, \suffix, Int16, Short, UInt16, UShort, WChar
.endm
.macro STEMS_4 macro, prefix, suffix
    EACH_NAME \macro, \prefix, \suffix, Int32, Long, NtStatus, UInt32, ULong
.endm
.macro STEMS_8 macro, prefix, suffix
    EACH_NAME \macro, \prefix, \suffix, Handle, Int64, IntPtr, Long64, Longlong, LongPtr, Pointer
    EACH_NAME \macro, \prefix, \suffix, SizeT, SSizeT, UInt64, UIntPtr, ULong64, ULonglong, ULongPtr
.endm
/* An 8-byte union travels in a register, so these two are 8-byte scalars; they have no ordered form. */
.macro STEMS_UNION macro, prefix, suffix
    EACH_NAME \macro, \prefix, \suffix, LargeInteger, ULargeInteger
.endm

.macro READ_NAMES width, stem
    FUNCTION_LABEL RtlRead\stem\()FromUserAcquire
    STEMS_\width FUNCTION_LABEL, Read, FromUser
    STEMS_\width FUNCTION_LABEL, Read, FromUserAcquire
    .if \width == 8
    STEMS_UNION FUNCTION_LABEL, Read, FromUser
    .endif
.endm
.macro WRITE_NAMES width, stem
    FUNCTION_LABEL RtlWrite\stem\()ToUserRelease
    STEMS_\width FUNCTION_LABEL, Write, ToUser
    STEMS_\width FUNCTION_LABEL, Write, ToUserRelease
    .if \width == 8
    STEMS_UNION FUNCTION_LABEL, Write, ToUser
    .endif
.endm
