/*
 * wdm_not_completed.c - a request that is too short is answered with a status and never completed.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u32": 1}, {"u32": 2}]}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"u32": 1}]}]}
 * Shows: unload: STATUS_DEVICE_BUSY
 */
#define CORPUS_OWN_DISPATCH
#include "../common.h"

CORPUS_NOTHING_TO_UNLOAD

static LONG Sum;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    CALL Call;
    PLONG Values;

    TakeCall(Irp, &Call);
    if (Call.Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (Call.InLength < 2 * sizeof(*Values))
#ifdef FIXED
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
#else
        return STATUS_BUFFER_TOO_SMALL; /* BUG: request-misuse */
#endif
    Values = Call.System;
    InterlockedExchange(&Sum, Values[0] + Values[1]);
    return Complete(Irp, STATUS_SUCCESS, 0);
}
