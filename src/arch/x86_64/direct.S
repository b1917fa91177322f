/*
 * direct.S - copy and fill of kernel memory, for the Mode forms with KernelMode: no check, no window, no fault table.
 * A fault here is a fault of the driver's own pointer. Contracts in world.h; the x64 Windows convention in both
 * builds.
 */
#define UMA_DIRECT
#include "prim.h"
#include "copy_body.h"
#include "fill_body.h"


    INTERNAL umap_copy_direct
    testq %r8, %r8
    je 92f
    COPY_ONE_SIDED 0, 0, %rcx, %ecx, 0, 91f
92: ret
91: DIRECT_COPY_REP

    INTERNAL umap_copy_direct_stream
    testq %r8, %r8
    je 92f
    COPY_STREAM 0, 0, %rcx, %ecx
92: ret

    INTERNAL umap_fill_direct
    testq %r8, %r8
    je 92f
    FILL_SPREAD
    FILL_BODY 0, 91f
92: ret
91: DIRECT_FILL_REP
#ifndef UMA_PE
    .section .note.GNU-stack, "", @progbits
#endif
