/* elf_pku_avx.S - the copies of elf_pku.S with 32-byte vectors, for processors that have AVX. */
#define UMA_WINDOW_PKU
#define UMA_AVX 1
.macro WITH_NAME macro, slot
    \macro uma_pku_avx_\slot
.endm
#include "prim.h"
#include "copy.S"
#include "elf_table.h"
    TABLE_COPIES uma_pku_avx_table, uma_pku_avx_
    .section .note.GNU-stack, "", @progbits
