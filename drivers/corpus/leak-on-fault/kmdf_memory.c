/*
 * kmdf_memory.c - a memory object whose parent is the driver is deleted only if the copy into it succeeds.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"ascii": "text"}]}]}
 */
#define CORPUS_KMDF
#define CORPUS_IN_CALLER
#include "../common.h"
#include "usermode_accessors.h"

OUT_OF_LINE NTSTATUS Process(PVOID In, size_t Length)
{
    NTSTATUS Status;
    WDFMEMORY Memory;
    PVOID Buffer;

    Status = WdfMemoryCreate(WDF_NO_OBJECT_ATTRIBUTES, NonPagedPoolNx, CORPUS_TAG, Length, &Memory, &Buffer);
    if (!NT_SUCCESS(Status))
        return Status;
    __try {
        CopyFromUser(Buffer, In, Length); /* BUG: leak-on-fault */
    } __except (UmaExceptionFilter(UserMode)) {
#ifdef FIXED
        WdfObjectDelete(Memory);
#endif
        return GetExceptionCode();
    }
    Status = *(PUCHAR)Buffer ? STATUS_SUCCESS : STATUS_OBJECT_NAME_INVALID;
    WdfObjectDelete(Memory);
    return Status;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PVOID In;
    size_t Length;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveUnsafeUserInputBuffer(Request, 1, &In, &Length);
    if (!NT_SUCCESS(Status))
        return Status;
    return Length > PAGE_SIZE ? STATUS_INVALID_BUFFER_SIZE : Process(In, Length);
}
