/*
 * wdm_chain.c - a chain of entries is followed by offsets that the sender chose: 0 goes nowhere.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u32": 8}, {"u32": 1}, {"u32": 8}, {"u32": 2}]}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"u32": 0}, {"u32": 1}]}]}
 * Shows with --timeout=3: TIMEOUT: .*!Walk
 */
#include "../common.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _ENTRY {
    ULONG Next; /* bytes to the next one */
    ULONG Value;
} ENTRY, *PENTRY;

static volatile LONG Largest;

OUT_OF_LINE NTSTATUS Walk(const UCHAR *Chain, ULONG Length)
{
    ULONG Offset = 0;

    while (Offset < Length && Length - Offset >= sizeof(ENTRY)) { /* BUG: hang */
        const ENTRY *Entry = (const ENTRY *)(Chain + Offset);
        if ((LONG)Entry->Value > Largest)
            Largest = (LONG)Entry->Value;
#ifdef FIXED
        if (Entry->Next < sizeof(ENTRY))
            return STATUS_INVALID_PARAMETER;
#endif
        if (Entry->Next > Length - Offset)
            return STATUS_INVALID_PARAMETER;
        Offset += Entry->Next;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    return Walk(Call->System, Call->InLength);
}
