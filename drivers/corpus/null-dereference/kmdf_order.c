/*
 * kmdf_order.c - a read is served before the request that makes the buffer has come.
 *
 * Harmless: {"requests": [{"code": "0x222004", "in": [{"u32": 9}]}, {"code": "0x222000", "out": 4}]}
 * Hostile: {"requests": [{"code": "0x222000", "out": 4}]}
 * Shows: BUGCHECK .*!Get
 */
#define CORPUS_KMDF
#include "../common.h"

static PULONG volatile Setting; /* of a memory object whose parent is the driver */

static NTSTATUS Set(ULONG Value)
{
    WDFMEMORY Memory;
    PVOID Buffer;
    NTSTATUS Status = STATUS_SUCCESS;

    if (!Setting) {
        Status = WdfMemoryCreate(WDF_NO_OBJECT_ATTRIBUTES, NonPagedPoolNx, CORPUS_TAG, sizeof(ULONG), &Memory, &Buffer);
        if (!NT_SUCCESS(Status))
            return Status;
        *(PULONG)Buffer = Value;
        if (InterlockedCompareExchangePointer((PVOID volatile *)&Setting, Buffer, NULL))
            WdfObjectDelete(Memory);
    }
    *Setting = Value;
    return Status;
}

OUT_OF_LINE NTSTATUS Get(PULONG Value)
{
#ifdef FIXED
    if (!Setting)
        return STATUS_DEVICE_NOT_READY;
#endif
    *Value = *Setting; /* BUG: null-dereference */
    return STATUS_SUCCESS;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PULONG Value;
    NTSTATUS Status;

    if (Code == CORPUS_CODE(1, METHOD_BUFFERED)) {
        Status = WdfRequestRetrieveInputBuffer(Request, sizeof(*Value), (PVOID *)&Value, NULL);
        return NT_SUCCESS(Status) ? Set(*Value) : Status;
    }
    if (Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveOutputBuffer(Request, sizeof(*Value), (PVOID *)&Value, NULL);
    if (NT_SUCCESS(Status))
        Status = Get(Value);
    *Information = NT_SUCCESS(Status) ? sizeof(*Value) : 0;
    return Status;
}
