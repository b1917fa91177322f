/*
 * elf_none.S - every primitive with window_none.h, without and with AVX in the copies, and their table (struct
 * uma_functions).
 */
#define UMA_WINDOW_NONE
.macro WITH_NAME macro, slot
    \macro uma_none_\slot
.endm
#include "prim.h"
#include "scalar.S"
#include "copy.S"
#include "fill.S"
#include "string.S"
#include "interlocked.S"
#include "elf_table.h"
    TABLE uma_none_table, uma_none_
    .section .note.GNU-stack, "", @progbits
