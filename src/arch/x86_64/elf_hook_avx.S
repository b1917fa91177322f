/* elf_hook_avx.S - the copies of elf_hook.S with 32-byte vectors, for processors that have AVX. */
#define UMA_WINDOW_HOOK
#define UMA_AVX 1
.macro WITH_NAME macro, slot
    \macro uma_hook_avx_\slot
.endm
#include "prim.h"
#include "copy.S"
#include "elf_table.h"
    TABLE_COPIES uma_hook_avx_table, uma_hook_avx_
    .section .note.GNU-stack, "", @progbits
