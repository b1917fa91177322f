/*
 * uma_stack.c - an accessor checks the user's side of a copy; nobody checks that it fits the array on the stack.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"ascii": "short"}], "out": 4}]}
 * Hostile: {"requests": [{"code": "0x222003", "in": [{"fill": {"byte": 65, "count": 96}}], "out": 4}]}
 * Shows: BUGCHECK
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

#define NAME_SIZE 32

OUT_OF_LINE ULONG Hash(const UCHAR *Name)
{
    ULONG Value = 5381;
    for (ULONG i = 0; i < NAME_SIZE && Name[i]; i++)
        Value = Value * 33 + Name[i];
    return Value;
}

OUT_OF_LINE NTSTATUS HashName(const VOID *Input, ULONG Length, PULONG Output)
{
    UCHAR Name[NAME_SIZE] = {0};

#ifdef FIXED
    if (Length > sizeof(Name))
        return STATUS_NAME_TOO_LONG;
#endif
    __try {
        CopyFromUser(Name, Input, Length); /* BUG: memory-corruption */
        WriteULongToUser(Output, Hash(Name));
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
    if (Call->OutLength < sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
    Status = HashName(Call->In, Call->InLength, Call->Out);
    Call->Information = NT_SUCCESS(Status) ? sizeof(ULONG) : 0;
    return Status;
}
