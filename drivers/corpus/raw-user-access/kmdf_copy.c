/*
 * kmdf_copy.c - a framework driver copies from the sender's unsafe buffer with RtlCopyMemory.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"ascii": "a name"}]}]}
 */
#define CORPUS_KMDF
#define CORPUS_IN_CALLER
#include "../common.h"
#include "usermode_accessors.h"

#define MAX_NAME 32

OUT_OF_LINE NTSTATUS CaptureName(PVOID From, PUCHAR Name, size_t Length)
{
    __try {
#ifdef FIXED
        CopyFromUser(Name, From, Length);
#else
        ProbeForRead(From, Length, 1);
        RtlCopyMemory(Name, From, Length); /* BUG: raw-user-access */
#endif
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    UCHAR Name[MAX_NAME];
    PVOID In;
    size_t Length;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveUnsafeUserInputBuffer(Request, 1, &In, &Length);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Length > MAX_NAME)
        return STATUS_NAME_TOO_LONG;
    Status = CaptureName(In, Name, Length);
    return NT_SUCCESS(Status) && Name[0] == 0 ? STATUS_OBJECT_NAME_INVALID : Status;
}
