/*
 * interlocked.S - And, Or, CompareExchange on aligned user memory. Every touch is a lock cmpxchg, so every fault is a
 * write fault, also where the comparison would fail; And and Or start by guessing 0 rather than by reading.
 */
#ifdef UMA_PE
#include "prim.h"
#define DOCUMENTED(name) FUNCTION_LABEL name
#else
#define DOCUMENTED(name)
#endif

.macro INTERLOCKED_BEGIN slot, offset, align, name
    FUNCTION \slot
    DOCUMENTED(\name)
    REDIRECT \offset
    testb $\align - 1, %cl
    jne 96f
    OPEN
    CLAMP %rcx, %r9
.endm
.macro INTERLOCKED_END slot, offset
    CLOSE_KEEP_RAX
    ret
    REDIRECT_TAIL \offset
    RAISE_MISALIGNED
    FIXUP_RCX
    END \slot
.endm

.macro BITWISE slot, offset, name, align, operation, eax, edx, r8, letter
    INTERLOCKED_BEGIN \slot, \offset, \align, \name
    xorl %eax, %eax
1:  mov\letter \eax, \r8
    \operation \edx, \r8
    TOUCH 99f, lock cmpxchg\letter \r8, (%r9)
    jne 1b
    INTERLOCKED_END \slot, \offset
.endm

.macro COMPARE_EXCHANGE slot, offset, name, align, eax, edx, r8, letter
    INTERLOCKED_BEGIN \slot, \offset, \align, \name
    mov\letter \r8, \eax
    TOUCH 99f, lock cmpxchg\letter \edx, (%r9)
    INTERLOCKED_END \slot, \offset
.endm

BITWISE InterlockedAnd32ToUser, SLOT_InterlockedAnd32ToUser, InterlockedAndToUser, 4, andl, %eax, %edx, %r8d, l
BITWISE InterlockedAnd64ToUser, SLOT_InterlockedAnd64ToUser, InterlockedAnd64ToUser, 8, andq, %rax, %rdx, %r8, q
BITWISE InterlockedOr32ToUser, SLOT_InterlockedOr32ToUser, InterlockedOrToUser, 4, orl, %eax, %edx, %r8d, l
BITWISE InterlockedOr64ToUser, SLOT_InterlockedOr64ToUser, InterlockedOr64ToUser, 8, orq, %rax, %rdx, %r8, q
COMPARE_EXCHANGE InterlockedCompareExchange32ToUser, SLOT_InterlockedCompareExchange32ToUser, InterlockedCompareExchangeToUser, 4, %eax, %edx, %r8d, l
COMPARE_EXCHANGE InterlockedCompareExchange64ToUser, SLOT_InterlockedCompareExchange64ToUser, InterlockedCompareExchange64ToUser, 8, %rax, %rdx, %r8, q
