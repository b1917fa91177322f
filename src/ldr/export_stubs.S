/*
 * export_stubs.S - the code a driver's import slot points at, one thunk per function row of exports.def.
 *
 * A thunk puts its target in r11 and enters seh_export_entry, which records the driver's registers and calls the
 * target. A stub's target passes its name to ldr_export_missing, which does not return. Symbols are hidden, so that a
 * row whose symbol only the C library has (with another calling convention) fails to link instead of binding to it.
 */
    .macro THUNK name, target
    .globl ldr_thunk_\name
    .hidden ldr_thunk_\name
    .hidden \target
    .type ldr_thunk_\name, @function
ldr_thunk_\name:
    leaq \target(%rip), %r11
    jmp seh_export_entry
    .size ldr_thunk_\name, . - ldr_thunk_\name
    .endm

    .macro STUB name
    .pushsection .rodata.str1.1, "aMS", @progbits, 1
.Lname_\name:
    .asciz "\name"
    .popsection
.Lmissing_\name:
    leaq .Lname_\name(%rip), %rcx
    jmp ldr_export_missing
    .globl ldr_thunk_\name
    .hidden ldr_thunk_\name
    .type ldr_thunk_\name, @function
ldr_thunk_\name:
    leaq .Lmissing_\name(%rip), %r11
    jmp seh_export_entry
    .size ldr_thunk_\name, . - ldr_thunk_\name
    .endm

#define EXPORT_DONE(Name) THUNK Name, Name
#define EXPORT_AS(Name, Symbol) THUNK Name, Symbol
#define EXPORT_LEAF(Name)
#define EXPORT_LEAF_AS(Name, Symbol)
#define EXPORT_DATA(Name)
#define EXPORT_DATA_AS(Name, Symbol)
#define EXPORT_STUB(Name) STUB Name
#define EXPORT_DATA_STUB(Name)

    .hidden seh_export_entry
    .hidden ldr_export_missing
    .text
#include "exports.def"
#include "wdfldr.def"

    .section .note.GNU-stack, "", @progbits
