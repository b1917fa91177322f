/*
 * uma_result.c - the input is read inside __try, the result is written by an accessor outside of it.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 3}, {"u32": 4}], "out": 4}]}
 * Hostile: {"requests": [{"code": "0x222003", "in": [{"u32": 3}, {"u32": 4}], "out": {"bad": "unmapped", "size": 4}}]}
 * Shows: BUGCHECK .*!Multiply
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _OPERANDS {
    ULONG Left;
    ULONG Right;
} OPERANDS, *POPERANDS;

OUT_OF_LINE NTSTATUS Multiply(POPERANDS Input, PULONG Output)
{
    OPERANDS Operands;

    __try {
        ReadStructFromUser(&Operands, Input);
#ifdef FIXED
        WriteULongToUser(Output, Operands.Left * Operands.Right);
#endif
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
#ifndef FIXED
    WriteULongToUser(Output, Operands.Left * Operands.Right); /* BUG: unhandled-fault */
#endif
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    NTSTATUS Status;

    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(OPERANDS) || Call->OutLength < sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
    Status = Multiply(Call->In, Call->Out);
    Call->Information = NT_SUCCESS(Status) ? sizeof(ULONG) : 0;
    return Status;
}
