/*
 * doc_example2.c - the documentation's second flawed example: Size is read into a local once, and then the whole
 * structure is copied, Size with it, and used. The tag, the checks and the release of the block are ours.
 *
 * The example's point is that a compiler may drop the local; as compiled here it does not, and the copy reads again
 * what the local was read from.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 16}, {"align": 8}, {"u64": 1}]}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _STRUCT_WITH_DATA {
    ULONG Size; /* of all of it */
    CHAR *Data[1];
} STRUCT_WITH_DATA, *PSTRUCT_WITH_DATA;

OUT_OF_LINE ULONG SumOf(const STRUCT_WITH_DATA *Copy)
{
    ULONG Sum = 0;
    for (ULONG i = FIELD_OFFSET(STRUCT_WITH_DATA, Data); i < Copy->Size; i++)
        Sum += ((const UCHAR *)Copy)[i];
    return Sum;
}

OUT_OF_LINE NTSTATUS MySysCall(volatile STRUCT_WITH_DATA *Ptr)
{
    PSTRUCT_WITH_DATA LocalData = NULL;
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        ULONG LocalSize;
#ifdef FIXED
        LocalSize = ReadULongFromUser(&Ptr->Size);
#else
        ProbeForRead((PVOID)Ptr, sizeof(*Ptr), 1);
        LocalSize = Ptr->Size; /* BUG: raw-user-access */
#endif
        if (LocalSize < sizeof(*LocalData))
            return STATUS_INVALID_PARAMETER;
        LocalData = ExAllocatePool2(POOL_FLAG_PAGED, LocalSize, CORPUS_TAG);
        if (LocalData) {
#ifdef FIXED
            CopyFromUser(LocalData, (PVOID)Ptr, LocalSize);
            LocalData->Size = LocalSize;
#else
            RtlCopyMemory(LocalData, (PVOID)Ptr, LocalSize); /* BUG: double-fetch raw-user-access */
#endif
            Status = SumOf(LocalData) ? STATUS_SUCCESS : STATUS_CRC_ERROR;
        }
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
