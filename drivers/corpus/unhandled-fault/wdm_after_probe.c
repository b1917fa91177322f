/*
 * wdm_after_probe.c - only the probe stands in __try; the memory may be gone when it is written to.
 *
 * Harmless: {"requests": [{"code": "0x222003", "out": 8}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

OUT_OF_LINE VOID WriteTime(PLARGE_INTEGER Out)
{
    LARGE_INTEGER Now;

    KeQuerySystemTime(&Now);
#ifdef FIXED
    WriteLargeIntegerToUser(Out, Now);
#else
    *Out = Now; /* BUG: unhandled-fault raw-user-access */
#endif
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->OutLength < sizeof(LARGE_INTEGER))
        return STATUS_BUFFER_TOO_SMALL;
    __try {
#ifdef FIXED
        WriteTime(Call->Out);
#else
        ProbeForWrite(Call->Out, sizeof(LARGE_INTEGER), 1);
#endif
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
#ifndef FIXED
    WriteTime(Call->Out);
#endif
    Call->Information = sizeof(LARGE_INTEGER);
    return STATUS_SUCCESS;
}
