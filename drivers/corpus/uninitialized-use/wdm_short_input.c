/*
 * wdm_short_input.c - options that are not sent are not set either, and yet looked at.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u32": 0}, {"u32": 3}], "out": 4}]}
 */
#include "../common.h"

CORPUS_NOTHING_TO_UNLOAD

#define OPTION_DOUBLE 0x80u

typedef struct _OPTIONS {
    ULONG Flags;
    ULONG Value;
} OPTIONS, *POPTIONS;

OUT_OF_LINE VOID TakeOptions(PCALL Call, POPTIONS Options)
{
    if (Call->InLength >= sizeof(*Options))
        RtlCopyMemory(Options, Call->System, sizeof(*Options));
#ifdef FIXED
    else
        RtlZeroMemory(Options, sizeof(*Options));
#endif
}

OUT_OF_LINE NTSTATUS Answer(PCALL Call)
{
    OPTIONS Options;
    ULONG Value = 1;

    TakeOptions(Call, &Options);
    if (Options.Flags & OPTION_DOUBLE) /* BUG: uninitialized-use */
        Value = 2;
    *(PULONG)Call->System = Value;
    Call->Information = sizeof(Value);
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    return Call->OutLength < sizeof(ULONG) ? STATUS_BUFFER_TOO_SMALL : Answer(Call);
}
