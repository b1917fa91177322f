/*
 * doc_solved.c - the documentation's example of the accessors, as printed but for casts, a tag and a check of the
 * block: it copies over the pointer LocalData and what lies behind it on the stack, not into the block.
 *
 * The fixed twin copies into the block, checks the size, and frees the block. Any use of the other leaves its block
 * behind, and most do worse.
 *
 * Harmless when fixed: {"requests": [{"code": "0x222003", "in": [{"u32": 16}, {"align": 8}, {"u64": 1}]}]}
 * Hostile: {"requests": [{"code": "0x222003", "in": [{"u32": 16}, {"align": 8}, {"u64": 1}]}]}
 * Shows: left behind: (?!nothing)
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _STRUCT_WITH_DATA {
    ULONG Size;
    CHAR *Data[1];
} STRUCT_WITH_DATA, *PSTRUCT_WITH_DATA;

OUT_OF_LINE NTSTATUS MySysCall(PSTRUCT_WITH_DATA Ptr)
{
    PSTRUCT_WITH_DATA LocalData = NULL;
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        ULONG LocalSize = ReadULongFromUser(&Ptr->Size);
#ifdef FIXED
        if (LocalSize < sizeof(*LocalData))
            return STATUS_INVALID_PARAMETER;
#endif
        LocalData = ExAllocatePool2(POOL_FLAG_PAGED, LocalSize, CORPUS_TAG);
        if (!LocalData)
            return STATUS_INSUFFICIENT_RESOURCES;
#ifdef FIXED
        CopyFromUser(LocalData, Ptr, LocalSize);
#else
        CopyFromUser(&LocalData, Ptr, LocalSize); /* BUG: memory-corruption */
#endif
        LocalData->Size = LocalSize;
    } __except (UmaExceptionFilter(UserMode)) {
        Status = GetExceptionCode();
    }
#ifdef FIXED
    if (LocalData)
        ExFreePoolWithTag(LocalData, CORPUS_TAG);
#endif
    return Status;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    return Call->InLength < sizeof(STRUCT_WITH_DATA) ? STATUS_BUFFER_TOO_SMALL : MySysCall(Call->In);
}
