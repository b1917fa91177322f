/*
 * doc_example1.c - the documentation's first flawed example: Size decides about the block, and is read again for the
 * copy. The tag, the check of the block and its release are ours.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 8}, {"align": 8}, {"u64": 1}]}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _STRUCT_WITH_DATA {
    ULONG Size;
    CHAR *Data[1];
} STRUCT_WITH_DATA, *PSTRUCT_WITH_DATA;

OUT_OF_LINE NTSTATUS MySysCall(volatile STRUCT_WITH_DATA *Ptr)
{
    PVOID LocalData = NULL;
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
#ifdef FIXED
        ULONG Size = ReadULongFromUser(&Ptr->Size);
        LocalData = ExAllocatePool2(POOL_FLAG_PAGED, Size, CORPUS_TAG);
        if (LocalData)
            CopyFromUser(LocalData, (PVOID)Ptr->Data, Size);
#else
        ProbeForRead((PVOID)Ptr, sizeof(*Ptr), 1);
        LocalData = ExAllocatePool2(POOL_FLAG_PAGED, Ptr->Size, CORPUS_TAG); /* BUG: raw-user-access */
        if (LocalData)
            RtlCopyMemory(LocalData, (PVOID)Ptr->Data, Ptr->Size); /* BUG: double-fetch raw-user-access */
#endif
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (LocalData)
        ExFreePoolWithTag(LocalData, CORPUS_TAG);
    return Status;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    return Call->InLength < sizeof(STRUCT_WITH_DATA) ? STATUS_BUFFER_TOO_SMALL : MySysCall(Call->In);
}
