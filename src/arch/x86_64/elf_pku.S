/*
 * elf_pku.S - every primitive with window_pku.h, without and with AVX in the copies, and their table (struct
 * uma_functions).
 */
#define UMA_WINDOW_PKU
.macro WITH_NAME macro, slot
    \macro uma_pku_\slot
.endm
#include "prim.h"
#include "scalar.S"
#include "copy.S"
#include "fill.S"
#include "string.S"
#include "interlocked.S"
#include "elf_table.h"
    TABLE uma_pku_table, uma_pku_
    .section .note.GNU-stack, "", @progbits
