/*
 * uma_pool.c - the block is cleared before anybody asks whether there is one.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"ascii": "entry"}]}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _LOG_ENTRY {
    ULONG Length;
    UCHAR Text[60];
} LOG_ENTRY, *PLOG_ENTRY;

OUT_OF_LINE NTSTATUS AddEntry(const VOID *Input, ULONG Length)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PLOG_ENTRY Entry = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Entry), CORPUS_TAG);

#ifdef FIXED
    if (!Entry)
        return STATUS_INSUFFICIENT_RESOURCES;
#endif
    Entry->Length = Length; /* BUG: null-dereference */
    __try {
        CopyFromUser(Entry->Text, Input, Length);
    } __except (UmaExceptionFilter(UserMode)) {
        Status = GetExceptionCode();
    }
    ExFreePoolWithTag(Entry, CORPUS_TAG);
    return Status;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength > RTL_FIELD_SIZE(LOG_ENTRY, Text))
        return STATUS_INVALID_BUFFER_SIZE;
    return AddEntry(Call->In, Call->InLength);
}
