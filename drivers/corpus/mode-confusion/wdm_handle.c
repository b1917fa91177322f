/*
 * wdm_handle.c - a handle of the caller's is referenced as if it were the kernel's: any object, any access.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u64": 0}]}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"u64": 4096}]}]}
 * Shows with --verify: BUGCHECK 0xC4 .*!Notify
 */
#include "../common.h"

CORPUS_NOTHING_TO_UNLOAD

#ifdef FIXED
#define MODE UserMode
#else
#define MODE KernelMode
#endif

OUT_OF_LINE NTSTATUS Notify(HANDLE Handle)
{
    NTSTATUS Status;
    PKEVENT Event;

    /* BUG: mode-confusion */
    Status = ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, *ExEventObjectType, MODE, (PVOID *)&Event, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    ObDereferenceObject(Event);
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    HANDLE Handle;

    if (Call->Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(Handle))
        return STATUS_BUFFER_TOO_SMALL;
    Handle = *(PHANDLE)Call->System;
    return Handle ? Notify(Handle) : STATUS_SUCCESS; /* none: nobody wants to know */
}
