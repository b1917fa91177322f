/*
 * uma_mode.c - an accessor is told that the address is the kernel's, because the structure it stands in is.
 *
 * Harmless: {"buffers": {"text": [{"ascii": "0123456789abcdef"}]}, "requests": [{"code": "0x222000", "in": [{"pointer":
 * "text"}], "out": 16}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"pointer": {"bad": "kernel", "size": 16}}], "out": 16}]}
 * Shows: KERNEL BYTES LEAKED
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

#define TEXT_SIZE 16

typedef struct _ECHO {
    const VOID *Text; /* TEXT_SIZE bytes */
} ECHO, *PECHO;

OUT_OF_LINE NTSTATUS ReadText(PUCHAR To, const VOID *From, KPROCESSOR_MODE Requestor)
{
    __try {
#ifdef FIXED
        CopyFromMode(To, From, TEXT_SIZE, Requestor);
#else
        CopyFromMode(To, From, TEXT_SIZE, KernelMode); /* BUG: unchecked-pointer */
#endif
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    UCHAR Text[TEXT_SIZE];
    NTSTATUS Status;

    if (Call->Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(ECHO) || Call->OutLength < TEXT_SIZE)
        return STATUS_BUFFER_TOO_SMALL;
    Status = ReadText(Text, ((PECHO)Call->System)->Text, Call->Irp->RequestorMode);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyMemory(Call->System, Text, TEXT_SIZE);
    Call->Information = TEXT_SIZE;
    return STATUS_SUCCESS;
}
