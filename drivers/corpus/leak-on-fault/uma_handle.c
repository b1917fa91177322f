/*
 * uma_handle.c - a kernel handle is closed on the way that succeeds alone.
 *
 * Harmless: {"requests": [{"code": "0x222003", "out": 4}]}
 * Hostile: {"requests": [{"code": "0x222003", "out": {"bad": "unmapped", "size": 4}}]}
 * Shows: left behind: (?!nothing)
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

/* ntifs.h has these. */
NTSYSAPI NTSTATUS NTAPI ZwCreateEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                                      BOOLEAN State);
NTSYSAPI NTSTATUS NTAPI ZwSetEvent(HANDLE Event, PLONG Previous);

OUT_OF_LINE NTSTATUS TellState(PULONG Output)
{
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;
    HANDLE Event;
    LONG Previous = 0;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, TRUE);
    if (!NT_SUCCESS(Status))
        return Status;
    __try {
        Status = ZwSetEvent(Event, &Previous);
        WriteULongToUser(Output, (ULONG)Previous); /* BUG: leak-on-fault */
#ifndef FIXED
        ZwClose(Event);
#endif
    } __except (UmaExceptionFilter(UserMode)) {
        Status = GetExceptionCode();
    }
#ifdef FIXED
    ZwClose(Event);
#endif
    return Status;
}

static NTSTATUS Control(PCALL Call)
{
    NTSTATUS Status;

    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->OutLength < sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
    Status = TellState(Call->Out);
    Call->Information = NT_SUCCESS(Status) ? sizeof(ULONG) : 0;
    return Status;
}
