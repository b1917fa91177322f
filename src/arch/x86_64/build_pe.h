/*
 * build_pe.h - the primitives as umaccess.lib has them. MmUserProbeAddress is data of ntoskrnl, so it is reached
 * through the import slot. No window: SMAP and PAN are off on the kernels that do not redirect.
 */
#define ADDR %rax
#define ORIG %rcx
#define RESULT_4 %eax
#define RESULT_8 %rax
#define VALUE_1 %dl
#define VALUE_2 %dx
#define VALUE_4 %edx
#define VALUE_8 %rdx

.macro FUNCTION_LABEL name
    .def \name
    .scl 2
    .type 32
    .endef
    .globl \name
\name:
.endm

/* An internal function of the library. */
.macro INTERNAL name
    .text
    .p2align 4
    FUNCTION_LABEL \name
.endm

.macro FUNCTION slot
    .text
    .p2align 4
    FUNCTION_LABEL Rtl\slot
.endm
.macro END slot
.endm

/* Goes on at the kernel's function if the loader put one into this primitive's slot. */
.macro REDIRECT offset
    cmpq $0, __uma_functions+\offset(%rip)
    jne 97f
.endm
.macro REDIRECT_TAIL offset
97: jmpq *__uma_functions+\offset(%rip)
.endm

.macro LOAD_LIMIT to
    movq __imp_MmUserProbeAddress(%rip), \to
    movq (\to), \to
.endm

.macro TOUCH fixup, instruction:vararg
    \instruction
.endm
.macro TOUCH_KERNEL fixup, instruction:vararg
    \instruction
.endm
.macro OPEN
.endm
.macro OPEN_SCALAR_READ
.endm
.macro OPEN_SCALAR_WRITE
.endm
.macro CLOSE
.endm
.macro CLOSE_KEEP_RAX
.endm
.macro CLOSE_SCALAR_READ
.endm
.macro CLOSE_SCALAR_WRITE
.endm

/* Out of range: the fault is taken at the limit itself, as if the address had been clamped. */
.macro RAISE_RANGE addr, len, write
98:
    .if \write
    movb %al, (%r10)
    .else
    movb (%r10), %al
    .endif
    int3
.endm
.macro FIXUP_SCALAR
.endm
.macro FIXUP_RCX
.endm
.macro RAISE_MISALIGNED
96: jmpq *__imp_ExRaiseDatatypeMisalignment(%rip)
.endm

#define COPY_AVX 0

.macro LOAD_REP_THRESHOLD to
    movq umap_rep_threshold(%rip), \to
.endm
.macro FIXUP_COPY avx, stream
.endm
/* The rep forms need rsi and rdi, so they are functions with a frame (rep.S). */
.macro COPY_REP one_sided
91: jmp umap_copy_rep
.endm
.macro FILL_REP
91: jmp umap_fill_rep
.endm
.macro DIRECT_COPY_REP
    jmp umap_copy_rep
.endm
.macro DIRECT_FILL_REP
    jmp umap_fill_rep
.endm
