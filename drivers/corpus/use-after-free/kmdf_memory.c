/*
 * kmdf_memory.c - a reset deletes the memory object; its address stays in the driver's variable and is written to.
 *
 * Harmless: {"requests": [{"code": "0x222004"}, {"code": "0x222000", "in": [{"u32": 1}]}]}
 * Hostile: {"requests": [{"code": "0x222004"}, {"code": "0x222004"}, {"code": "0x222000", "in": [{"u32": 1}]}]}
 * Shows: BUGCHECK .*!AddValue
 */
#define CORPUS_KMDF
#include "../common.h"

#define ROOM 16

static WDFMEMORY Memory;
static PULONG Values;
static ULONG Count;

static NTSTATUS Reset(VOID)
{
    PVOID Buffer;
    NTSTATUS Status;

    if (Memory)
        WdfObjectDelete(Memory);
    Memory = NULL;
#ifdef FIXED
    Values = NULL;
#endif
    if (Values) /* of before: only the first reset makes room */
        return STATUS_SUCCESS;
    Status =
        WdfMemoryCreate(WDF_NO_OBJECT_ATTRIBUTES, NonPagedPoolNx, CORPUS_TAG, ROOM * sizeof(ULONG), &Memory, &Buffer);
    if (NT_SUCCESS(Status))
        Values = Buffer;
    Count = 0;
    return Status;
}

OUT_OF_LINE NTSTATUS AddValue(ULONG Value)
{
    if (!Values)
        return STATUS_DEVICE_NOT_READY;
    Values[Count++ % ROOM] = Value; /* BUG: use-after-free */
    return STATUS_SUCCESS;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PULONG Value;
    NTSTATUS Status;

    if (Code == CORPUS_CODE(1, METHOD_BUFFERED))
        return Reset();
    if (Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveInputBuffer(Request, sizeof(*Value), (PVOID *)&Value, NULL);
    return NT_SUCCESS(Status) ? AddValue(*Value) : Status;
}
