/*
 * uma_clear.c - every access is an accessor but one: the rest of the output is cleared with RtlZeroMemory.
 *
 * Harmless: {"requests": [{"code": "0x222003", "out": 64}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

static const CHAR Greeting[] = "corpus";

OUT_OF_LINE NTSTATUS WriteGreeting(PUCHAR Output, ULONG Length)
{
    ULONG Rest = Length - sizeof(Greeting);

    __try {
        CopyToUser(Output, Greeting, sizeof(Greeting));
#ifdef FIXED
        ZeroUserMemory(Output + sizeof(Greeting), Rest);
#else
        ProbeForWrite(Output, Length, 1);
        RtlZeroMemory(Output + sizeof(Greeting), Rest); /* BUG: raw-user-access */
#endif
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    NTSTATUS Status;

    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->OutLength < sizeof(Greeting))
        return STATUS_BUFFER_TOO_SMALL;
    Status = WriteGreeting(Call->Out, Call->OutLength);
    Call->Information = NT_SUCCESS(Status) ? Call->OutLength : 0;
    return Status;
}
