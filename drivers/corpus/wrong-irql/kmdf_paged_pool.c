/*
 * kmdf_paged_pool.c - text that does not fit the array gets paged pool, while the spin lock is held.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"ascii": "short"}]}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"fill": {"byte": 65, "count": 64}}]}]}
 * Shows: BUGCHECK 0xC4 .*!Store
 */
#define CORPUS_KMDF
#include "../common.h"

#define SHORT_TEXT 16
#define LONG_TEXT  256

static KSPIN_LOCK Lock;
static UCHAR Short[SHORT_TEXT];
static ULONG Texts;

/* Keeps the text for as long as the request lasts. */
OUT_OF_LINE NTSTATUS Store(const VOID *Text, size_t Length)
{
    PVOID Block = NULL;
    KIRQL Old;

#ifdef FIXED
    if (Length > SHORT_TEXT)
        Block = ExAllocatePool2(POOL_FLAG_PAGED, Length, CORPUS_TAG);
#endif
    KeAcquireSpinLock(&Lock, &Old);
#ifndef FIXED
    if (Length > SHORT_TEXT)
        Block = ExAllocatePool2(POOL_FLAG_PAGED, Length, CORPUS_TAG); /* BUG: wrong-irql */
#endif
    if (Length <= SHORT_TEXT)
        RtlCopyMemory(Short, Text, Length);
    Texts++;
    KeReleaseSpinLock(&Lock, Old);
    if (Length <= SHORT_TEXT)
        return STATUS_SUCCESS;
    if (!Block)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Block, Text, Length);
    ExFreePoolWithTag(Block, CORPUS_TAG);
    return STATUS_SUCCESS;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PVOID Text;
    size_t Length;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveInputBuffer(Request, 1, &Text, &Length);
    if (!NT_SUCCESS(Status))
        return Status;
    return Length > LONG_TEXT ? STATUS_INVALID_BUFFER_SIZE : Store(Text, Length);
}
