/*
 * mode.S - ReadXxxFromMode and WriteXxxToMode: KernelMode (0) accesses directly, every other mode is the user form. In
 * ELF also the public names of the user forms, which go through the table of the variant in use.
 */
#include "prim.h"
#include "../names.h"

.macro KERNEL_POINTER_CHECK limit
#if defined(DBG) && DBG
    LOAD_LIMIT \limit
    cmpq \limit, %rcx
    jb RtlFastFailIfUserPointer
#endif
.endm

#ifdef UMA_PE
.macro GO_USER slot, offset
    jmp Rtl\slot
.endm
#else
.macro GO_USER slot, offset
    jmpq *arch_uma_functions+\offset(%rip)
.endm
#endif

.macro READ_MODE width, slot, offset, move, result
    .text
    .p2align 4
    STEMS_\width FUNCTION_LABEL, Read, FromMode
    .if \width == 8
    STEMS_UNION FUNCTION_LABEL, Read, FromMode
    .endif
    testb %dl, %dl
    jne 1f
    KERNEL_POINTER_CHECK %rax
    \move (%rcx), \result
    ret
1:  GO_USER \slot, \offset
.endm

.macro WRITE_MODE width, slot, offset, move, value
    .text
    .p2align 4
    STEMS_\width FUNCTION_LABEL, Write, ToMode
    .if \width == 8
    STEMS_UNION FUNCTION_LABEL, Write, ToMode
    .endif
    testb %r8b, %r8b
    jne 1f
    KERNEL_POINTER_CHECK %rax
    \move \value, (%rcx)
    ret
1:  GO_USER \slot, \offset
.endm

READ_MODE 1, ReadUCharFromUser, SLOT_ReadUCharFromUser, movzbl, %eax
READ_MODE 2, ReadUShortFromUser, SLOT_ReadUShortFromUser, movzwl, %eax
READ_MODE 4, ReadULongFromUser, SLOT_ReadULongFromUser, movl, %eax
READ_MODE 8, ReadULong64FromUser, SLOT_ReadULong64FromUser, movq, %rax
WRITE_MODE 1, WriteUCharToUser, SLOT_WriteUCharToUser, movb, %dl
WRITE_MODE 2, WriteUShortToUser, SLOT_WriteUShortToUser, movw, %dx
WRITE_MODE 4, WriteULongToUser, SLOT_WriteULongToUser, movl, %edx
WRITE_MODE 8, WriteULong64ToUser, SLOT_WriteULong64ToUser, movq, %rdx

    .p2align 4
    FUNCTION_LABEL RtlFastFailIfUserPointer
    LOAD_LIMIT %rax
    cmpq %rax, %rcx
    jae 1f
    movl $77, %ecx
    int $0x29
1:  ret

#ifndef UMA_PE
.macro PUBLIC_SCALAR kind, width, stem, slot, offset
    .p2align 4
    FUNCTION_LABEL Rtl\slot
    \kind\()_NAMES \width, \stem
    GO_USER \slot, \offset
.endm
PUBLIC_SCALAR READ, 1, UChar, ReadUCharFromUser, SLOT_ReadUCharFromUser
PUBLIC_SCALAR READ, 2, UShort, ReadUShortFromUser, SLOT_ReadUShortFromUser
PUBLIC_SCALAR READ, 4, ULong, ReadULongFromUser, SLOT_ReadULongFromUser
PUBLIC_SCALAR READ, 8, ULong64, ReadULong64FromUser, SLOT_ReadULong64FromUser
PUBLIC_SCALAR WRITE, 1, UChar, WriteUCharToUser, SLOT_WriteUCharToUser
PUBLIC_SCALAR WRITE, 2, UShort, WriteUShortToUser, SLOT_WriteUShortToUser
PUBLIC_SCALAR WRITE, 4, ULong, WriteULongToUser, SLOT_WriteULongToUser
PUBLIC_SCALAR WRITE, 8, ULong64, WriteULong64ToUser, SLOT_WriteULong64ToUser

/* A primitive under its reserved name and, where there is one, its documented name. */
.macro PUBLIC offset, slot, name
    .p2align 4
    FUNCTION_LABEL Rtl\slot
    FUNCTION_LABEL \name
    GO_USER \slot, \offset
.endm
PUBLIC SLOT_CopyFromUser, CopyFromUser, CopyFromUser
PUBLIC SLOT_CopyFromUserNonTemporal, CopyFromUserNonTemporal, CopyFromUserNonTemporal
PUBLIC SLOT_CopyToUser, CopyToUser, CopyToUser
PUBLIC SLOT_CopyToUserNonTemporal, CopyToUserNonTemporal, CopyToUserNonTemporal
PUBLIC SLOT_CopyToUserFromUser, CopyToUserFromUser, CopyToUserFromUser
PUBLIC SLOT_MoveToUserFromUser, MoveToUserFromUser, MoveToUserFromUser
PUBLIC SLOT_SetUserMemory, SetUserMemory, SetUserMemory
PUBLIC SLOT_StringLengthFromUser, StringLengthFromUser, StringLengthFromUser
PUBLIC SLOT_WideStringLengthFromUser, WideStringLengthFromUser, WideStringLengthFromUser
PUBLIC SLOT_InterlockedCompareExchange64ToUser, InterlockedCompareExchange64ToUser, InterlockedCompareExchange64ToUser
PUBLIC SLOT_InterlockedCompareExchange32ToUser, InterlockedCompareExchange32ToUser, InterlockedCompareExchangeToUser
PUBLIC SLOT_InterlockedOr32ToUser, InterlockedOr32ToUser, InterlockedOrToUser
PUBLIC SLOT_InterlockedOr64ToUser, InterlockedOr64ToUser, InterlockedOr64ToUser
PUBLIC SLOT_InterlockedAnd32ToUser, InterlockedAnd32ToUser, InterlockedAndToUser
PUBLIC SLOT_InterlockedAnd64ToUser, InterlockedAnd64ToUser, InterlockedAnd64ToUser
    .section .note.GNU-stack, "", @progbits
#endif
