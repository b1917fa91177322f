/*
 * prim.h - what every AArch64 primitive is written with. As on x86-64 (../x86_64/prim.h) one template makes the PE
 * build, which is the ARM64 umaccess.lib, and the ELF build. x0 to x7 carry arguments in both; primitives use x0 to
 * x15 and, to reach the kernel's own functions, x16. No vector registers: a driver may be called where they are not
 * saved. In ELF a fix-up gets the faulting address in x16 and the NTSTATUS in w17, bit 63 of x17 set for a write.
 */
#define SLOT_CopyFromUser 0x00
#define SLOT_CopyFromUserNonTemporal 0x08
#define SLOT_CopyToUser 0x10
#define SLOT_CopyToUserNonTemporal 0x18
#define SLOT_CopyToUserFromUser 0x20
#define SLOT_MoveToUserFromUser 0x28
#define SLOT_SetUserMemory 0x30
#define SLOT_ReadUCharFromUser 0x38
#define SLOT_WriteUCharToUser 0x40
#define SLOT_ReadUShortFromUser 0x48
#define SLOT_WriteUShortToUser 0x50
#define SLOT_ReadULongFromUser 0x58
#define SLOT_WriteULongToUser 0x60
#define SLOT_ReadULong64FromUser 0x68
#define SLOT_WriteULong64ToUser 0x70
#define SLOT_StringLengthFromUser 0x78
#define SLOT_WideStringLengthFromUser 0x80
#define SLOT_InterlockedCompareExchange64ToUser 0x88
#define SLOT_InterlockedOr32ToUser 0x90
#define SLOT_InterlockedOr64ToUser 0x98
#define SLOT_InterlockedAnd32ToUser 0xa0
#define SLOT_InterlockedAnd64ToUser 0xa8
#define SLOT_ReadUCharFromUserAcquire 0xb0
#define SLOT_WriteUCharToUserRelease 0xb8
#define SLOT_ReadUShortFromUserAcquire 0xc0
#define SLOT_WriteUShortToUserRelease 0xc8
#define SLOT_ReadULongFromUserAcquire 0xd0
#define SLOT_WriteULongToUserRelease 0xd8
#define SLOT_ReadULong64FromUserAcquire 0xe0
#define SLOT_WriteULong64ToUserRelease 0xe8
#define SLOT_InterlockedCompareExchange32ToUser 0xf0
#define TABLE_SIZE 0x190

#define PAGE 0x1000

#ifdef UMA_PE
.macro FUNCTION_LABEL name
    .def \name
    .scl 2
    .type 32
    .endef
    .globl \name
\name:
.endm
.macro REDIRECT offset
    adrp x16, __uma_functions+\offset
    ldr x16, [x16, :lo12:__uma_functions+\offset]
    cbnz x16, 97f
.endm
.macro REDIRECT_TAIL
97: br x16
.endm
.macro LOAD_LIMIT to
    adrp \to, __imp_MmUserProbeAddress
    ldr \to, [\to, :lo12:__imp_MmUserProbeAddress]
    ldr \to, [\to]
.endm
.macro TOUCH fixup, instruction:vararg
    \instruction
.endm
.macro FIXUP
.endm
.macro FIXUP_CLAMPED
.endm
/* Out of range: the fault is taken at the limit itself, as if the address had been clamped. */
.macro RAISE_RANGE addr, len, write
98:
    .if \write
    strb wzr, [x15]
    .else
    ldrb w15, [x15]
    .endif
    brk #0xf000
.endm
.macro RAISE_MISALIGNED
96: adrp x16, __imp_ExRaiseDatatypeMisalignment
    ldr x16, [x16, :lo12:__imp_ExRaiseDatatypeMisalignment]
    br x16
.endm
#else
.macro FUNCTION_LABEL name
    .globl \name
    .type \name, %function
\name:
.endm
.macro REDIRECT offset
.endm
.macro REDIRECT_TAIL
.endm
.macro LOAD_LIMIT to
    adrp \to, MmUserProbeAddress
    ldr \to, [\to, :lo12:MmUserProbeAddress]
.endm
.macro TOUCH fixup, instruction:vararg
    .pushsection uma_fault_table, "a"
    .balign 4
    .word 771f - .
    .word \fixup - .
    .popsection
771: \instruction
.endm
.macro FIXUP
99: b arch_raise_fault
.endm
/* x0 is the caller's address: reported if it had been clamped. */
.macro FIXUP_CLAMPED
99: LOAD_LIMIT x9
    cmp x0, x9
    csel x16, x0, x16, hs
    b arch_raise_fault
.endm
.macro RAISE_RANGE addr, len, write
98: mov x16, x15
    cmp \addr, x15
    b.hs 95f
    adds x9, \addr, \len
    b.cc 94f
95: mov x16, \addr
94: movz x17, #0xc000, lsl #16
    movk x17, #5
    .if \write
    orr x17, x17, #0x8000000000000000
    .endif
    b arch_raise_fault
.endm
.macro RAISE_MISALIGNED
96: movz w17, #0x8000, lsl #16
    movk w17, #2
    b arch_raise_status
.endm
#endif

.macro FUNCTION slot
    .text
    .p2align 4
    FUNCTION_LABEL Rtl\slot
.endm

/* \to = the address in x0 if it lies below the user limit, else the limit. No branch. */
.macro CLAMP to
    LOAD_LIMIT \to
    cmp x0, \to
    csel \to, x0, \to, lo
.endm

/* As CHECK_RANGE of ../x86_64/prim.h, with the limit in x15. */
.macro CHECK_RANGE addr, len, bad
    LOAD_LIMIT x15
    adds x14, \addr, \len
    b.cs \bad
    cmp x14, x15
    b.hi \bad
    cmp \addr, x15
    csel \addr, \addr, x15, lo
.endm
