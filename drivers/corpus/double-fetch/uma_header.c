/*
 * uma_header.c - the header is checked, then header and data are copied together, and the copy's header is believed.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 8}, {"bytes": "01 02 03 04"}], "out": 4}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _MESSAGE {
    ULONG Length; /* of all of it */
    UCHAR Data[1];
} MESSAGE, *PMESSAGE;

OUT_OF_LINE ULONG Checksum(const MESSAGE *Message)
{
    ULONG Sum = 0;
    for (ULONG i = 0; i < Message->Length - FIELD_OFFSET(MESSAGE, Data); i++)
        Sum = Sum * 31 + Message->Data[i];
    return Sum;
}

OUT_OF_LINE NTSTATUS Capture(PMESSAGE From, ULONG Limit, PMESSAGE *Message)
{
    __try {
        ULONG Length = ReadULongFromUser(&From->Length);
        if (Length < sizeof(MESSAGE) || Length > Limit)
            return STATUS_INVALID_PARAMETER;
        *Message = ExAllocatePool2(POOL_FLAG_PAGED, Length, CORPUS_TAG);
        if (!*Message)
            return STATUS_INSUFFICIENT_RESOURCES;
        CopyFromUser(*Message, From, Length); /* BUG: double-fetch */
#ifdef FIXED
        (*Message)->Length = Length;
#endif
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    PMESSAGE Message = NULL;
    NTSTATUS Status;

    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(MESSAGE))
        return STATUS_BUFFER_TOO_SMALL;
    Status = Capture(Call->In, Call->InLength, &Message);
    if (NT_SUCCESS(Status) && Checksum(Message) == 0)
        Status = STATUS_CRC_ERROR;
    if (Message)
        ExFreePoolWithTag(Message, CORPUS_TAG);
    return Status;
}
