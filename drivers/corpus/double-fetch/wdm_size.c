/*
 * wdm_size.c - the size is read once for the allocation and once for the copy.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 4}, {"bytes": "01 02 03 04"}]}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _PACKET {
    ULONG Size;
    UCHAR Data[1];
} PACKET, *PPACKET;

static ULONG Sum(const UCHAR *Data, ULONG Size)
{
    ULONG Result = 0;
    while (Size--)
        Result += *Data++;
    return Result;
}

OUT_OF_LINE NTSTATUS SendPacket(volatile PACKET *Packet, ULONG Length)
{
    PUCHAR Block = NULL;
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    __try {
        ULONG Size;
#ifdef FIXED
        Size = ReadULongFromUser(&Packet->Size);
#else
        ProbeForRead((PVOID)Packet, Length, 1);
        Size = Packet->Size; /* BUG: raw-user-access */
#endif
        if (Size == 0 || Size > Length - FIELD_OFFSET(PACKET, Data))
            return STATUS_INVALID_PARAMETER;
        Block = ExAllocatePool2(POOL_FLAG_PAGED, Size, CORPUS_TAG);
        if (Block) {
#ifdef FIXED
            CopyFromUser(Block, Packet->Data, Size);
#else
            RtlCopyMemory(Block, (PUCHAR)Packet->Data, Packet->Size); /* BUG: double-fetch raw-user-access */
#endif
            Status = Sum(Block, Size) ? STATUS_SUCCESS : STATUS_CRC_ERROR;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (Block)
        ExFreePoolWithTag(Block, CORPUS_TAG);
    return Status;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    return Call->InLength < sizeof(PACKET) ? STATUS_BUFFER_TOO_SMALL : SendPacket(Call->In, Call->InLength);
}
