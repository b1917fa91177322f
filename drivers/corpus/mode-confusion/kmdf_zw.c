/*
 * kmdf_zw.c - a handle that came in a request is set through a Zw routine, which asks nobody whose it is.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u64": 0}]}]}
 */
#define CORPUS_KMDF
#include "../common.h"

NTSYSAPI NTSTATUS NTAPI ZwSetEvent(HANDLE Event, PLONG Previous); /* ntifs.h has it */

OUT_OF_LINE NTSTATUS SignalEvent(HANDLE Handle)
{
#ifdef FIXED
    PKEVENT Event;
    NTSTATUS Status =
        ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, *ExEventObjectType, UserMode, (PVOID *)&Event, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    ObDereferenceObject(Event);
    return STATUS_SUCCESS;
#else
    return ZwSetEvent(Handle, NULL); /* BUG: mode-confusion */
#endif
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PHANDLE Input;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveInputBuffer(Request, sizeof(*Input), (PVOID *)&Input, NULL);
    if (!NT_SUCCESS(Status) || !*Input)
        return Status;
    return SignalEvent(*Input);
}
