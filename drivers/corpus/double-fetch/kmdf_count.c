/*
 * kmdf_count.c - a framework driver reads the count for the size of its memory object, and again for the copy.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 2}, {"u16": 5}, {"u16": 6}]}]}
 */
#define CORPUS_KMDF
#define CORPUS_IN_CALLER
#include "../common.h"
#include "usermode_accessors.h"

#define MAX_ITEMS 16

typedef struct _ITEMS {
    ULONG Count;
    USHORT Item[1];
} ITEMS, *PITEMS;

OUT_OF_LINE NTSTATUS CopyItems(WDFREQUEST Request, PITEMS Items)
{
    WDF_OBJECT_ATTRIBUTES Attributes;
    WDFMEMORY Memory;
    PVOID Buffer;

    __try {
        ULONG Count = ReadULongFromUser(&Items->Count);
        NTSTATUS Status;
        if (Count == 0 || Count > MAX_ITEMS)
            return STATUS_INVALID_PARAMETER;
        WDF_OBJECT_ATTRIBUTES_INIT(&Attributes);
        Attributes.ParentObject = Request; /* goes with it */
        Status = WdfMemoryCreate(&Attributes, PagedPool, CORPUS_TAG, Count * sizeof(USHORT), &Memory, &Buffer);
        if (!NT_SUCCESS(Status))
            return Status;
#ifndef FIXED
        Count = ReadULongFromUser(&Items->Count); /* BUG: double-fetch */
#endif
        CopyFromUser(Buffer, Items->Item, Count * sizeof(USHORT));
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PVOID In;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveUnsafeUserInputBuffer(Request, sizeof(ITEMS), &In, NULL);
    return NT_SUCCESS(Status) ? CopyItems(Request, In) : Status;
}
