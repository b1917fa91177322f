/*
 * verify_irql.S - what a driver's import slot points at under the verifier, for each row of irql.def: compares the IRQL
 * with the row, then goes on to the export as if it had been called directly. Arguments and stack stay untouched.
 */
        .set    IRQL, 0x1014
        .set    ROW_SIZE, 32
        .set    ROW_TARGET, 8
        .set    ROW_LOWEST, 16
        .set    ROW_HIGHEST, 17
        .set    row, 0

        .macro  CHECK name
        .globl  ldr_checked_\name
        .hidden ldr_checked_\name
        .type   ldr_checked_\name, @function
ldr_checked_\name:
        leaq    ldr_irql_rows + row(%rip), %r10
        jmp     ldr_irql_check
        .size   ldr_checked_\name, . - ldr_checked_\name
        .set    row, row + ROW_SIZE
        .endm

        .text
        .hidden ldr_irql_rows
        .hidden ldr_irql_violation
        .hidden seh_export_entry
/* r10 = the row. On a violation its address, the first and the second argument become the arguments of the report. */
        .type   ldr_irql_check, @function
ldr_irql_check:
        movl    %gs:IRQL, %eax
        cmpb    ROW_LOWEST(%r10), %al
        jb      1f
        cmpb    ROW_HIGHEST(%r10), %al
        ja      1f
        jmp     *ROW_TARGET(%r10)
1:      movq    %rdx, %r8
        movq    %rcx, %rdx
        movq    %r10, %rcx
        leaq    ldr_irql_violation(%rip), %r11
        jmp     seh_export_entry
        .size   ldr_irql_check, . - ldr_irql_check

/* What a driver's accessor table gets: rax = the slot. Arguments and stack stay untouched. */
        .hidden arch_uma_functions
        .hidden ldr_accessor_violation
        .type   ldr_accessor_check, @function
ldr_accessor_check:
        cmpl    $1, %gs:IRQL
        ja      1f
        leaq    arch_uma_functions(%rip), %r10
        jmp     *(%r10,%rax,8)
1:      movl    %eax, %ecx
        leaq    ldr_accessor_violation(%rip), %r11
        jmp     seh_export_entry
        .size   ldr_accessor_check, . - ldr_accessor_check

        .altmacro
        .macro  ACCESSOR number
ldr_checked_accessor_\number:
        movl    $number, %eax
        jmp     ldr_accessor_check
        .pushsection .data.rel.ro, "aw", @progbits
        .quad   ldr_checked_accessor_\number
        .popsection
        .endm
        .pushsection .data.rel.ro, "aw", @progbits
        .p2align 3
        .globl  ldr_checked_accessors
        .hidden ldr_checked_accessors
ldr_checked_accessors:
        .popsection
        .set    number, 0
        .rept   23
        ACCESSOR %number
        .set    number, number + 1
        .endr
        .noaltmacro

#define IRQL_ROW(Name, Lowest, Highest, Subcode) CHECK Name
#include "irql.def"

        .section .note.GNU-stack, "", @progbits
