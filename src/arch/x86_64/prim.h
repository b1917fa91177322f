/*
 * prim.h - what every primitive is written with: naming, the check against the user limit, the fault table, the
 * window.
 *
 * One template makes five builds. PE (UMA_PE): the down-level primitives of umaccess.lib, under their public names,
 * each asking its slot of __uma_functions first; a fault is an ordinary exception, found by unwind information (all
 * but the rep forms are leaf functions). ELF: one build per way of protecting user pages (none, pku, hook), named
 * uma_<variant>_<slot>; every instruction that touches user memory has an entry in the fault table. Registers are
 * those of the x64 Windows convention in all builds. At a fix-up r10 and r11 carry the fault (arch.h).
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
#define SLOT_InterlockedCompareExchange32ToUser 0xb0

#define PAGE 0x1000

#ifdef UMA_PE
#include "build_pe.h"
#else
#include "build_elf.h"
#endif

/* Clamps the address in \from: \to = \from if it lies below the user limit, else the limit, which is never mapped. */
.macro CLAMP from, to
    LOAD_LIMIT \to
    cmpq \to, \from
    cmovbq \from, \to
.endm

/*
 * Checks [\addr, \addr + \len), len > 0: no wrap, end <= limit, else jumps to \bad with the limit in r10. Also clamps
 * \addr, so that a mispredicted branch does not read kernel memory. Clobbers rax, r10.
 */
.macro CHECK_RANGE addr, len, bad
    LOAD_LIMIT %r10
    movq \addr, %rax
    addq \len, %rax
    jc \bad
    cmpq %r10, %rax
    ja \bad
    cmpq %r10, \addr
    cmovaeq %r10, \addr
.endm
