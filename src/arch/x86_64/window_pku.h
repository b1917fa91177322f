/*
 * window_pku.h - user pages carry a protection key that is closed outside the window. wrpkru wants ecx = edx = 0,
 * which rdpkru leaves in edx; both clobber eax. arch_pkru_mask has the key's two bits, arch_pkru_keep all others.
 */
#define ADDR %r8
#define ORIG %r9
#define RESULT_4 %r8d
#define RESULT_8 %r8
#define VALUE_1 %r10b
#define VALUE_2 %r10w
#define VALUE_4 %r10d
#define VALUE_8 %r10

.macro PKRU_OPEN
    xorl %ecx, %ecx
    rdpkru
    andl arch_pkru_keep(%rip), %eax
    wrpkru
.endm
.macro PKRU_CLOSE
    xorl %ecx, %ecx
    rdpkru
    orl arch_pkru_mask(%rip), %eax
    wrpkru
.endm

/* Keeps every argument register; clobbers rax, r10, r11. */
.macro OPEN
    movq %rcx, %r10
    movq %rdx, %r11
    PKRU_OPEN
    movq %r10, %rcx
    movq %r11, %rdx
.endm
/* The scalar forms: address from rax to r8, the caller's one to r9, a value to write from rdx to r10. */
.macro OPEN_SCALAR_READ
    movq %rax, %r8
    movq %rcx, %r9
    PKRU_OPEN
.endm
.macro OPEN_SCALAR_WRITE
    movq %rdx, %r10
    OPEN_SCALAR_READ
.endm
.macro CLOSE
    PKRU_CLOSE
.endm
.macro CLOSE_KEEP_RAX
    movq %rax, %r8
    PKRU_CLOSE
    movq %r8, %rax
.endm
/* eax still has the open value, ecx and edx are still 0. */
.macro CLOSE_SCALAR_WRITE
    orl arch_pkru_mask(%rip), %eax
    wrpkru
.endm
.macro CLOSE_SCALAR_READ
    CLOSE_SCALAR_WRITE
    movq %r8, %rax
.endm
/* Uses rax, rcx, rdx only: r8 to r11 are the fix-up's. */
.macro CLOSE_FIXUP
    movq %rcx, %r8
    PKRU_CLOSE
    movq %r8, %rcx
.endm
