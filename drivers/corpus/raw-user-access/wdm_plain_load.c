/*
 * wdm_plain_load.c - a probed user address is read by an ordinary load.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 7}], "out": 4}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

static LONG Total;

OUT_OF_LINE NTSTATUS AddInput(const ULONG *Input)
{
    ULONG Value;

    __try {
#ifdef FIXED
        Value = ReadULongFromUser(Input);
#else
        ProbeForRead((PVOID)Input, sizeof(*Input), 1);
        Value = *Input; /* BUG: raw-user-access */
#endif
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    InterlockedExchangeAdd(&Total, (LONG)Value);
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
    return AddInput(Call->In);
}
