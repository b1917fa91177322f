/*
 * copy.S - the six copy primitives. Owns the range checks, the window around the copy and the fix-ups; the moving of
 * bytes is in copy_body.h. A fault's address and kind come with the fault itself, so a fix-up only closes the window
 * and raises.
 */
#ifdef UMA_PE
#include "prim.h"
#define DOCUMENTED(name) FUNCTION_LABEL name
#else
#define DOCUMENTED(name)
#endif
#include "copy_body.h"

.macro COPY_BEGIN slot, offset
    FUNCTION \slot
    DOCUMENTED(\slot)
    REDIRECT \offset
    testq %r8, %r8
    je 92f
.endm
.macro COPY_END slot, offset, avx, stream
    CLOSE
92: ret
    REDIRECT_TAIL \offset
    FIXUP_COPY \avx, \stream
    END \slot
.endm

.macro COPY_USER slot, offset, src_user, dst_user, user, user32, write
    COPY_BEGIN \slot, \offset
    CHECK_RANGE \user, %r8, 98f
    OPEN
    COPY_ONE_SIDED \src_user, \dst_user, \user, \user32, COPY_AVX, 91f
    COPY_END \slot, \offset, COPY_AVX, 0
    RAISE_RANGE \user, %r8, \write
    COPY_REP 1
.endm

.macro COPY_USER_STREAM slot, offset, src_user, dst_user, user, user32, write
    COPY_BEGIN \slot, \offset
    CHECK_RANGE \user, %r8, 98f
    OPEN
    COPY_STREAM \src_user, \dst_user, \user, \user32
    COPY_END \slot, \offset, 0, 1
    RAISE_RANGE \user, %r8, \write
.endm

COPY_USER CopyFromUser, SLOT_CopyFromUser, 1, 0, %rdx, %edx, 0
COPY_USER CopyToUser, SLOT_CopyToUser, 0, 1, %rcx, %ecx, 1
COPY_USER_STREAM CopyFromUserNonTemporal, SLOT_CopyFromUserNonTemporal, 1, 0, %rdx, %edx, 0
COPY_USER_STREAM CopyToUserNonTemporal, SLOT_CopyToUserNonTemporal, 0, 1, %rcx, %ecx, 1

    COPY_BEGIN CopyToUserFromUser, SLOT_CopyToUserFromUser
    CHECK_RANGE %rdx, %r8, 98f
    CHECK_RANGE %rcx, %r8, 89f
    OPEN
    COPY_TWO_SIDED COPY_AVX, 91f
    COPY_END CopyToUserFromUser, SLOT_CopyToUserFromUser, COPY_AVX, 0
    RAISE_RANGE %rdx, %r8, 0
89: jmp 98f
    RAISE_RANGE %rcx, %r8, 1
    COPY_REP 0

/*
 * Overlap: if the destination does not start inside the source, and the other way round, the plain copy will do. Else
 * by 16 bytes and then by single ones, in the order in which no source byte is overwritten before it is read, page by
 * page: downwards if the destination starts above the source's start, else upwards.
 */
    COPY_BEGIN MoveToUserFromUser, SLOT_MoveToUserFromUser
    CHECK_RANGE %rdx, %r8, 98f
    CHECK_RANGE %rcx, %r8, 89f
    OPEN
    movq %rcx, %rax
    subq %rdx, %rax
    je 10f
    cmpq %r8, %rax
    jb 11f
    negq %rax
    cmpq %r8, %rax
    jae 1f
10: TWO_SIDED_PIECE
    cmpq $16, %r8
    jb 13f
12: TOUCH 99f, movups (%rdx), %xmm0
    TOUCH 99f, movups %xmm0, (%rcx)
    addq $16, %rdx
    addq $16, %rcx
    subq $16, %r8
    cmpq $16, %r8
    jae 12b
    testq %r8, %r8
    je 14f
13: TOUCH 99f, movzbl (%rdx), %eax
    TOUCH 99f, movb %al, (%rcx)
    incq %rdx
    incq %rcx
    decq %r8
    jne 13b
14: movq %r9, %r8
    testq %r8, %r8
    jne 10b
    jmp 88f
/* Downwards. rcx and rdx are the ends from here on. */
11: addq %r8, %rcx
    addq %r8, %rdx
15: TWO_SIDED_PIECE_DOWN
    jmp 17f
16: TOUCH 99f, movups -16(%rdx), %xmm0
    TOUCH 99f, movups %xmm0, -16(%rcx)
    subq $16, %rdx
    subq $16, %rcx
    subq $16, %r8
    je 18f
    cmpq $16, %r8
    jae 16b
/* Also first in each piece: a piece that faults does so at its highest byte. */
17: TOUCH 99f, movzbl -1(%rdx), %eax
    TOUCH 99f, movb %al, -1(%rcx)
    decq %rdx
    decq %rcx
    decq %r8
    je 18f
    cmpq $16, %r8
    jae 16b
    jmp 17b
18: movq %r9, %r8
    testq %r8, %r8
    jne 15b
    jmp 88f
    COPY_TWO_SIDED COPY_AVX, 91f
88: COPY_END MoveToUserFromUser, SLOT_MoveToUserFromUser, COPY_AVX, 0
    RAISE_RANGE %rdx, %r8, 0
89: jmp 98f
    RAISE_RANGE %rcx, %r8, 1
    COPY_REP 0
