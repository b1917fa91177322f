/*
 * wdm_no_buffer.c - a request without buffers has no system buffer, and nobody looks at the length.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u32": 60}]}]}
 * Hostile: {"requests": [{"code": "0x222000"}]}
 * Shows: BUGCHECK .*!SetSeconds
 */
#include "../common.h"

CORPUS_NOTHING_TO_UNLOAD

static LONG Seconds;

OUT_OF_LINE NTSTATUS SetSeconds(PCALL Call)
{
#ifdef FIXED
    if (Call->InLength < sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
#else
    if (Call->InLength != 0 && Call->InLength < sizeof(ULONG)) /* 0 is less than that as well */
        return STATUS_BUFFER_TOO_SMALL;
#endif
    InterlockedExchange(&Seconds, *(PLONG)Call->System); /* BUG: null-dereference */
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    return Call->Code == CORPUS_CODE(0, METHOD_BUFFERED) ? SetSeconds(Call) : STATUS_INVALID_DEVICE_REQUEST;
}
