/* pe_table.S - PE only: __uma_functions of ARM64, see ../x86_64/pe_table.S. */
#include "prim.h"
    .section .rdata, "dr"
    .p2align 4
    .globl __uma_functions
__uma_functions:
    .zero TABLE_SIZE
