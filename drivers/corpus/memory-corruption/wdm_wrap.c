/*
 * wdm_wrap.c - the size of the table wraps in 32 bits, its number of entries does not.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u32": 3}, {"u32": 7}]}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"u32": "0x10000001"}, {"u32": 7}]}]}
 * Shows: BUGCHECK 0xD6 .*!MakeTable
 */
#include "../common.h"

CORPUS_NOTHING_TO_UNLOAD

#define MAX_ENTRIES 256

typedef struct _ENTRY {
    ULONG Key;
    ULONG Value;
    ULONG64 Stamp;
} ENTRY, *PENTRY;

typedef struct _MAKE_TABLE {
    ULONG Count;
    ULONG Value; /* of every entry */
} MAKE_TABLE, *PMAKE_TABLE;

OUT_OF_LINE NTSTATUS MakeTable(const MAKE_TABLE *Request)
{
    ULONG Count = Request->Count, Bytes = Count * sizeof(ENTRY);
    PENTRY Table;

#ifdef FIXED
    if (Count > MAX_ENTRIES)
        return STATUS_INVALID_PARAMETER;
#endif
    if (Bytes == 0 || Bytes > MAX_ENTRIES * sizeof(ENTRY))
        return STATUS_INVALID_PARAMETER;
    Table = ExAllocatePool2(POOL_FLAG_PAGED, Bytes, CORPUS_TAG);
    if (!Table)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; i < Count; i++) {
        Table[i].Key = i;
        Table[i].Value = Request->Value; /* BUG: memory-corruption */
    }
    ExFreePoolWithTag(Table, CORPUS_TAG);
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    return Call->InLength < sizeof(MAKE_TABLE) ? STATUS_BUFFER_TOO_SMALL : MakeTable(Call->System);
}
