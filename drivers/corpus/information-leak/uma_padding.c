/*
 * uma_padding.c - the bytes between two fields of a structure are written to the user with them.
 *
 * Harmless: {"requests": [{"code": "0x222003", "out": 24}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _DEVICE_STATE {
    UCHAR Kind; /* seven bytes of padding follow */
    ULONG64 Frames;
    USHORT Errors; /* and six at the end */
} DEVICE_STATE, *PDEVICE_STATE;

OUT_OF_LINE VOID FillState(volatile DEVICE_STATE *State)
{
    State->Kind = 3;
    State->Frames = 1000;
    State->Errors = 2;
}

OUT_OF_LINE NTSTATUS TellState(PDEVICE_STATE Output)
{
    DEVICE_STATE State;

#ifdef FIXED
    RtlZeroMemory(&State, sizeof(State));
#endif
    FillState(&State);
    __try {
        WriteStructToUser(Output, &State); /* BUG: information-leak */
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
    if (Call->OutLength < sizeof(DEVICE_STATE))
        return STATUS_BUFFER_TOO_SMALL;
    Status = TellState(Call->Out);
    Call->Information = NT_SUCCESS(Status) ? sizeof(DEVICE_STATE) : 0;
    return Status;
}
