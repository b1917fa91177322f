/*
 * kmdf_pool.c - a block is asked for as it is, filled as far as the input goes, and searched to its end.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"ascii": "ends here."}], "out": 4}]}
 */
#define CORPUS_KMDF
#include "../common.h"

#define ROOM 64

OUT_OF_LINE ULONG FindEnd(const UCHAR *Block)
{
    ULONG i = 0;
    while (i < ROOM && Block[i] != '.') /* BUG: uninitialized-use */
        i++;
    return i;
}

OUT_OF_LINE NTSTATUS Search(const VOID *Input, size_t Length, PULONG End)
{
    PUCHAR Block;
#ifdef FIXED
    Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, ROOM, CORPUS_TAG);
#else
    Block = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, ROOM, CORPUS_TAG);
#endif
    if (!Block)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Block, Input, Length < ROOM ? Length : ROOM);
    *End = FindEnd(Block);
    ExFreePoolWithTag(Block, CORPUS_TAG);
    return STATUS_SUCCESS;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PVOID Input;
    PULONG Output;
    size_t Length;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveInputBuffer(Request, 1, &Input, &Length);
    if (NT_SUCCESS(Status))
        Status = WdfRequestRetrieveOutputBuffer(Request, sizeof(*Output), (PVOID *)&Output, NULL);
    if (NT_SUCCESS(Status))
        Status = Search(Input, Length, Output);
    *Information = NT_SUCCESS(Status) ? sizeof(*Output) : 0;
    return Status;
}
