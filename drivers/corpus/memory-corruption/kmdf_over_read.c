/*
 * kmdf_over_read.c - the length in the message is compared with what the driver can hold, not with what was sent.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u32": 4}, {"bytes": "01 02 03 04"}], "out": 4}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"u32": 400}, {"bytes": "01 02 03 04"}], "out": 4}]}
 * Shows: BUGCHECK .*!Checksum
 */
#define CORPUS_KMDF
#include "../common.h"

#define MAX_DATA 512

typedef struct _MESSAGE {
    ULONG Length; /* of Data */
    UCHAR Data[1];
} MESSAGE, *PMESSAGE;

OUT_OF_LINE ULONG Checksum(const MESSAGE *Message)
{
    ULONG Sum = 0;
    for (ULONG i = 0; i < Message->Length; i++)
        Sum = Sum * 31 + Message->Data[i]; /* BUG: memory-corruption */
    return Sum;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PMESSAGE Message;
    PULONG Result;
    size_t Length;
    ULONG Sum;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveInputBuffer(Request, sizeof(*Message), (PVOID *)&Message, &Length);
    if (NT_SUCCESS(Status))
        Status = WdfRequestRetrieveOutputBuffer(Request, sizeof(*Result), (PVOID *)&Result, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
#ifdef FIXED
    if (Message->Length > Length - FIELD_OFFSET(MESSAGE, Data))
        return STATUS_INVALID_PARAMETER;
#endif
    if (Message->Length > MAX_DATA)
        return STATUS_INVALID_PARAMETER;
    Sum = Checksum(Message);
    *Result = Sum; /* the same buffer as the input */
    *Information = sizeof(*Result);
    return STATUS_SUCCESS;
}
