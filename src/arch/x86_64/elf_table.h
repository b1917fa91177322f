/* elf_table.h - a variant's functions in the order of the slots (docs/spec/uma_table.md). */
.macro TABLE_ROWS prefix, slots:vararg
    .irp slot, \slots
    .quad \prefix\slot
    .endr
.endm
.macro TABLE_COPIES name, prefix
    .section .data.rel.ro, "aw", @progbits
    .p2align 3
    .globl \name
    .hidden \name
\name:
    TABLE_ROWS \prefix, CopyFromUser, CopyFromUserNonTemporal, CopyToUser, CopyToUserNonTemporal, CopyToUserFromUser, MoveToUserFromUser
.endm
.macro TABLE name, prefix
    TABLE_COPIES \name, \prefix
    TABLE_ROWS \prefix, SetUserMemory, ReadUCharFromUser, WriteUCharToUser, ReadUShortFromUser, WriteUShortToUser
    TABLE_ROWS \prefix, ReadULongFromUser, WriteULongToUser, ReadULong64FromUser, WriteULong64ToUser
    TABLE_ROWS \prefix, StringLengthFromUser, WideStringLengthFromUser, InterlockedCompareExchange64ToUser
    TABLE_ROWS \prefix, InterlockedOr32ToUser, InterlockedOr64ToUser, InterlockedAnd32ToUser, InterlockedAnd64ToUser
    TABLE_ROWS \prefix, InterlockedCompareExchange32ToUser
.endm
