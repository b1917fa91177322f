/* copy.S - AArch64: the six copy primitives. Range checks here, the moving of bytes in copy_body.h. */
#include "prim.h"
#include "copy_body.h"

.macro COPY_BEGIN slot, offset
    FUNCTION \slot
    FUNCTION_LABEL \slot
    REDIRECT \offset
    cbz x2, 92f
.endm
.macro COPY_END
92: ret
    REDIRECT_TAIL
    FIXUP
.endm

.macro COPY_USER slot, offset, su, du, user, write, load, store, streaming
    COPY_BEGIN \slot, \offset
    CHECK_RANGE \user, x2, 98f
    COPY_ONE_SIDED \su, \du, \user, \load, \store
    .if \streaming
    dmb ishst
    .endif
    COPY_END
    RAISE_RANGE \user, x2, \write
.endm

COPY_USER CopyFromUser, SLOT_CopyFromUser, 1, 0, x1, 0, ldp, stp, 0
COPY_USER CopyToUser, SLOT_CopyToUser, 0, 1, x0, 1, ldp, stp, 0
COPY_USER CopyFromUserNonTemporal, SLOT_CopyFromUserNonTemporal, 1, 0, x1, 0, ldnp, stnp, 1
COPY_USER CopyToUserNonTemporal, SLOT_CopyToUserNonTemporal, 0, 1, x0, 1, ldnp, stnp, 1

    COPY_BEGIN CopyToUserFromUser, SLOT_CopyToUserFromUser
    CHECK_RANGE x1, x2, 98f
    CHECK_RANGE x0, x2, 89f
    COPY_TWO_SIDED
    COPY_END
    RAISE_RANGE x1, x2, 0
89: b 98f
    RAISE_RANGE x0, x2, 1

/* Overlap: as in ../x86_64/copy.S. */
    COPY_BEGIN MoveToUserFromUser, SLOT_MoveToUserFromUser
    CHECK_RANGE x1, x2, 98f
    CHECK_RANGE x0, x2, 89f
    subs x4, x0, x1
    b.eq 10f
    cmp x4, x2
    b.lo 11f
    neg x4, x4
    cmp x4, x2
    b.hs 1f
10: TWO_SIDED_PIECE
    cmp x2, #8
    b.lo 13f
12: TOUCH 99f, ldr x4, [x1]
    TOUCH 99f, str x4, [x0]
    add x1, x1, #8
    add x0, x0, #8
    sub x2, x2, #8
    cmp x2, #8
    b.hs 12b
    cbz x2, 14f
13: TOUCH 99f, ldrb w4, [x1]
    TOUCH 99f, strb w4, [x0]
    add x1, x1, #1
    add x0, x0, #1
    subs x2, x2, #1
    b.ne 13b
14: mov x2, x3
    cbnz x2, 10b
    ret
11: add x0, x0, x2
    add x1, x1, x2
15: TWO_SIDED_PIECE_DOWN
    b 17f
16: TOUCH 99f, ldr x4, [x1, #-8]
    TOUCH 99f, str x4, [x0, #-8]
    sub x1, x1, #8
    sub x0, x0, #8
    subs x2, x2, #8
    b.eq 18f
    cmp x2, #8
    b.hs 16b
/* Also first in each piece: a piece that faults does so at its highest byte. */
17: TOUCH 99f, ldrb w4, [x1, #-1]
    TOUCH 99f, strb w4, [x0, #-1]
    sub x1, x1, #1
    sub x0, x0, #1
    subs x2, x2, #1
    b.eq 18f
    cmp x2, #8
    b.hs 16b
    b 17b
18: mov x2, x3
    cbnz x2, 15b
    ret
    COPY_TWO_SIDED
    COPY_END
    RAISE_RANGE x1, x2, 0
89: b 98f
    RAISE_RANGE x0, x2, 1

/* Kernel memory, for the Mode forms with KernelMode: contracts in ../world.h. */
    .p2align 4
    FUNCTION_LABEL umap_copy_direct
    cbz x2, 92f
    COPY_ONE_SIDED 0, 0, x0, ldp, stp
92: ret

    .p2align 4
    FUNCTION_LABEL umap_copy_direct_stream
    cbz x2, 92f
    COPY_ONE_SIDED 0, 0, x0, ldnp, stnp
    dmb ishst
92: ret
