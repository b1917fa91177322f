/*
 * kmdf_probe_zero.c - the address is probed with the length that was passed, and 0 stands for a default: a probe of
 * nothing checks nothing.
 *
 * Harmless: {"buffers": {"text": [{"ascii": "0123456789abcdef"}]}, "requests": [{"code": "0x222003",
 * "in": [{"pointer": "text"}, {"u32": 16}, {"u32": 0}]}]}
 * Hostile: {"requests": [{"code": "0x222003", "in": [{"pointer": {"bad": "kernel", "size": 16}}, {"u32": 0}, {"u32":
 * 0}]}]}
 * Shows: STATUS_SUCCESS
 */
#define CORPUS_KMDF
#define CORPUS_IN_CALLER
#include "../common.h"
#include "usermode_accessors.h"

#define DEFAULT_LENGTH 16

typedef struct _LOG_TEXT {
    PVOID Text;
    ULONG Length; /* 0: DEFAULT_LENGTH */
    ULONG Reserved;
} LOG_TEXT, *PLOG_TEXT;

OUT_OF_LINE VOID CopyText(PUCHAR To, const LOG_TEXT *Log)
{
    ULONG Length = Log->Length ? Log->Length : DEFAULT_LENGTH;

#ifdef FIXED
    CopyFromUser(To, Log->Text, Length);
#else
    ProbeForRead(Log->Text, Log->Length, 1);
    RtlCopyMemory(To, Log->Text, Length); /* BUG: unchecked-pointer raw-user-access */
#endif
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    UCHAR Line[64];
    LOG_TEXT Log;
    PVOID In;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveUnsafeUserInputBuffer(Request, sizeof(Log), &In, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    __try {
        ReadStructFromUser(&Log, (PLOG_TEXT)In);
        if (Log.Length > sizeof(Line))
            return STATUS_INVALID_PARAMETER;
        CopyText(Line, &Log);
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}
