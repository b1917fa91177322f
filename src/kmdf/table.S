/*
 * table.S - the code a driver's function table points at, one thunk per row of functions.def, made as src/ldr/export_stubs.S
 * makes those of exports; and the thunks of the entries the framework puts into a driver object.
 */
    .macro THUNK name, target
    .hidden \target
    .globl kmdf_thunk_\name
    .hidden kmdf_thunk_\name
    .type kmdf_thunk_\name, @function
kmdf_thunk_\name:
    leaq \target(%rip), %r11
    jmp seh_export_entry
    .size kmdf_thunk_\name, . - kmdf_thunk_\name
    .endm

    .macro STUB index, name
.Lmissing_\name:
    movl $\index, %ecx
    jmp kmdf_missing
    .globl kmdf_thunk_\name
    .hidden kmdf_thunk_\name
    .type kmdf_thunk_\name, @function
kmdf_thunk_\name:
    leaq .Lmissing_\name(%rip), %r11
    jmp seh_export_entry
    .size kmdf_thunk_\name, . - kmdf_thunk_\name
    .endm

#define KMDF_DONE(index, Name) THUNK Name, Name
#define KMDF_STUB(index, Name) STUB index, Name

    .hidden seh_export_entry
    .hidden kmdf_missing
    .text
#include "functions.def"
    THUNK unload, kmdf_driver_unload

    .section .note.GNU-stack, "", @progbits
