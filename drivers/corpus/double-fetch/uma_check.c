/*
 * uma_check.c - the index that was checked is not the index that is used: an accessor reads it twice.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 2}, {"u32": 9}]}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

#define SLOTS 8

typedef struct _SET_SLOT {
    ULONG Index;
    ULONG Value;
} SET_SLOT, *PSET_SLOT;

OUT_OF_LINE NTSTATUS SetSlot(PULONG Slots, volatile SET_SLOT *Request)
{
    __try {
        ULONG Index = ReadULongFromUser(&Request->Index);
        ULONG Value = ReadULongFromUser(&Request->Value);
        if (Index >= SLOTS)
            return STATUS_INVALID_PARAMETER;
#ifdef FIXED
        Slots[Index] = Value;
#else
        Slots[ReadULongFromUser(&Request->Index)] = Value; /* BUG: double-fetch */
#endif
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    PULONG Slots;
    NTSTATUS Status;

    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(SET_SLOT))
        return STATUS_BUFFER_TOO_SMALL;
    Slots = ExAllocatePool2(POOL_FLAG_PAGED, SLOTS * sizeof(*Slots), CORPUS_TAG);
    if (!Slots)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = SetSlot(Slots, Call->In);
    ExFreePoolWithTag(Slots, CORPUS_TAG);
    return Status;
}
