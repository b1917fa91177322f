/*
 * uma_twice.c - the handler of a failing read completes the request, and so does the end of the routine.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 1}]}]}
 * Hostile: {"requests": [{"code": "0x222003", "in": {"bad": "unmapped", "size": 4}}]}
 * Shows: BUGCHECK 0x(44|D5) .*!
 */
#define CORPUS_OWN_DISPATCH
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

static LONG Setting;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    NTSTATUS Status = STATUS_SUCCESS;
    CALL Call;

    TakeCall(Irp, &Call);
    if (Call.Code != CORPUS_CODE(0, METHOD_NEITHER) || Call.InLength < sizeof(LONG))
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    __try {
        InterlockedExchange(&Setting, ReadLongFromUser(Call.In));
    } __except (UmaExceptionFilter(UserMode)) {
        Status = GetExceptionCode();
#ifndef FIXED
        Complete(Irp, Status, 0);
#endif
    }
    return Complete(Irp, Status, 0); /* BUG: request-misuse */
}
