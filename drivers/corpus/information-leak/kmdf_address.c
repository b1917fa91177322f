/*
 * kmdf_address.c - an object is told apart for the user by its address in the kernel.
 *
 * Harmless: {"requests": [{"code": "0x222000", "out": 8}]}
 * Hostile: {"requests": [{"code": "0x222000", "out": 8}]}
 * Shows: out 8: ..(?! 00 00 00 00 00 00 00)
 */
#define CORPUS_KMDF
#include "../common.h"

typedef struct _CHANNEL {
    ULONG Number;
    ULONG Users;
} CHANNEL, *PCHANNEL;

static CHANNEL Channels[4];
static LONG Next;

OUT_OF_LINE VOID OpenChannel(PULONG64 Identity)
{
    ULONG Number = (ULONG)InterlockedIncrement(&Next) % RTL_NUMBER_OF(Channels);

    Channels[Number].Number = Number;
#ifdef FIXED
    *Identity = Number;
#else
    *Identity = (ULONG_PTR)&Channels[Number]; /* BUG: information-leak */
#endif
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PULONG64 Output;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveOutputBuffer(Request, sizeof(*Output), (PVOID *)&Output, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    OpenChannel(Output);
    *Information = sizeof(*Output);
    return STATUS_SUCCESS;
}
