/*
 * pe_table.S - PE only: __uma_functions, the slots a UMA-aware kernel fills when it loads the driver
 * (docs/spec/uma_table.md). Read-only and zero on disk; zero means not redirected.
 */
    .section .rdata, "dr"
    .p2align 4
    .globl __uma_functions
__uma_functions:
    .zero 0x150
