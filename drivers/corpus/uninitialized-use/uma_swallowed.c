/*
 * uma_swallowed.c - an access that fails is ignored, and the variable it should have filled decides how much is
 * written.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 8}], "out": 16}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

static const CHAR Text[16] = "0123456789abcde";

OUT_OF_LINE VOID ReadLimit(PULONG Input, PULONG Limit)
{
    __try {
        *Limit = ReadULongFromUser(Input);
    } __except (UmaExceptionFilter(UserMode)) {
#ifdef FIXED
        *Limit = sizeof(Text);
#else
        return; /* there is no limit, then */
#endif
    }
}

OUT_OF_LINE NTSTATUS WriteText(PCALL Call)
{
    ULONG Limit;

    ReadLimit(Call->In, &Limit);
    if (Limit > sizeof(Text)) /* BUG: uninitialized-use */
        return STATUS_INVALID_PARAMETER;
    __try {
        CopyToUser(Call->Out, Text, Limit);
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    Call->Information = Limit;
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(ULONG) || Call->OutLength < sizeof(Text))
        return STATUS_BUFFER_TOO_SMALL;
    return WriteText(Call);
}
