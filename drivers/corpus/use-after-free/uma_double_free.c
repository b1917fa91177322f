/*
 * uma_double_free.c - the handler of a failing copy frees the block, and so does the end of the function.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"ascii": "payload"}]}]}
 * Hostile: {"requests": [{"code": "0x222003", "in": {"bad": "unmapped", "size": 8}}]}
 * Shows: BUGCHECK 0xC2 .*!TakePayload
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

#define MAX_PAYLOAD 1024

OUT_OF_LINE NTSTATUS TakePayload(const VOID *Input, ULONG Length)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PUCHAR Block;

    if (Length == 0 || Length > MAX_PAYLOAD)
        return STATUS_INVALID_BUFFER_SIZE;
    Block = ExAllocatePool2(POOL_FLAG_PAGED, Length, CORPUS_TAG);
    if (!Block)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        CopyFromUser(Block, Input, Length);
        if (Block[0] == 0)
            Status = STATUS_INVALID_PARAMETER;
    } __except (UmaExceptionFilter(UserMode)) {
        Status = GetExceptionCode();
#ifndef FIXED
        ExFreePoolWithTag(Block, CORPUS_TAG);
#endif
    }
    ExFreePoolWithTag(Block, CORPUS_TAG); /* BUG: use-after-free */
    return Status;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    return TakePayload(Call->In, Call->InLength);
}
