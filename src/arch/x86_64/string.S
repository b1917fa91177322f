/*
 * string.S - length of a string in user memory. By character up to a 16-byte boundary, then by aligned blocks, so each
 * character is read once, none before the string is, and no load crosses a page. The user limit is a multiple of 64
 * KB, is never mapped, and every scan that gets there touches it: that is how it stops.
 */
#ifdef UMA_PE
#include "prim.h"
#define DOCUMENTED(name) FUNCTION_LABEL name
#else
#define DOCUMENTED(name)
#endif

.macro STRING_LENGTH slot, offset, size, letter
    FUNCTION \slot
    DOCUMENTED(\slot)
    REDIRECT \offset
    OPEN
    CLAMP %rcx, %rax
1:  testb $15, %al
    je 2f
    TOUCH 99f, cmp\letter $0, (%rax)
    je 4f
    addq $\size, %rax
    jmp 1b
2:  pxor %xmm0, %xmm0
3:  TOUCH 99f, movdqa (%rax), %xmm1
    .if \size == 1
    pcmpeqb %xmm0, %xmm1
    .else
    pcmpeqw %xmm0, %xmm1
    .endif
    pmovmskb %xmm1, %edx
    addq $16, %rax
    testl %edx, %edx
    je 3b
    bsfl %edx, %edx
    leaq -16(%rax,%rdx), %rax
4:  subq %rcx, %rax
    .if \size == 2
    shrq %rax
    .endif
    CLOSE_KEEP_RAX
    ret
    REDIRECT_TAIL \offset
    FIXUP_RCX
    END \slot
.endm

STRING_LENGTH StringLengthFromUser, SLOT_StringLengthFromUser, 1, b
STRING_LENGTH WideStringLengthFromUser, SLOT_WideStringLengthFromUser, 2, w
