/*
 * elf_hook.S - every primitive with window_hook.h, without and with AVX in the copies, and their table (struct
 * uma_functions).
 */
#define UMA_WINDOW_HOOK
.macro WITH_NAME macro, slot
    \macro uma_hook_\slot
.endm
#include "prim.h"
#include "scalar.S"
#include "copy.S"
#include "fill.S"
#include "string.S"
#include "interlocked.S"
#include "elf_table.h"
    TABLE uma_hook_table, uma_hook_
    .section .note.GNU-stack, "", @progbits
