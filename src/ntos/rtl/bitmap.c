/*
 * bitmap.c - RTL_BITMAP and single-bit searches. Bit n is bit n % 32 of word n / 32. Callers synchronise.
 */
#include "rtl.h"

#define NOT_FOUND 0xFFFFFFFFu

VOID NTAPI RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    BitMapHeader->SizeOfBitMap = SizeOfBitMap;
    BitMapHeader->Buffer = BitMapBuffer;
}

VOID NTAPI RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    BitMapHeader->Buffer[BitNumber / 32] &= ~(1u << BitNumber % 32);
}

VOID NTAPI RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    BitMapHeader->Buffer[BitNumber / 32] |= 1u << BitNumber % 32;
}

BOOLEAN NTAPI RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    return BitMapHeader->Buffer[BitNumber / 32] >> BitNumber % 32 & 1;
}

VOID NTAPI RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    for (ULONG i = 0; i < (BitMapHeader->SizeOfBitMap + 31ull) / 32; i++)
        BitMapHeader->Buffer[i] = 0;
}

VOID NTAPI RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
    for (ULONG i = 0; i < (BitMapHeader->SizeOfBitMap + 31ull) / 32; i++)
        BitMapHeader->Buffer[i] = NOT_FOUND;
}

VOID NTAPI RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    for (ULONG i = 0; i < NumberToClear; i++)
        RtlClearBit(BitMapHeader, StartingIndex + i);
}

VOID NTAPI RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    for (ULONG i = 0; i < NumberToSet; i++)
        RtlSetBit(BitMapHeader, StartingIndex + i);
}

static BOOLEAN run_is(PRTL_BITMAP map, ULONG start, ULONG length, BOOLEAN value)
{
    if (!length || start >= map->SizeOfBitMap || length > map->SizeOfBitMap - start)
        return FALSE;
    for (ULONG i = 0; i < length; i++)
        if (RtlTestBit(map, start + i) != value)
            return FALSE;
    return TRUE;
}

/* FALSE also for an empty or out-of-range run. */
BOOLEAN NTAPI RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return run_is(BitMapHeader, StartingIndex, Length, TRUE);
}

BOOLEAN NTAPI RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return run_is(BitMapHeader, StartingIndex, Length, FALSE);
}

static ULONG find_run_in(PRTL_BITMAP map, ULONG length, ULONG first, ULONG end, BOOLEAN value)
{
    ULONG run = 0;
    for (ULONG i = first; i < end; i++) {
        run = RtlTestBit(map, i) == value ? run + 1 : 0;
        if (run == length)
            return i + 1 - length;
    }
    return NOT_FOUND;
}

/* A run of zero bits is found at the hint, rounded down to a byte, as documented. */
static ULONG find_run(PRTL_BITMAP map, ULONG length, ULONG hint, BOOLEAN value)
{
    ULONG size = map->SizeOfBitMap;
    if (hint >= size)
        hint = 0;
    if (!length)
        return hint & ~7u;
    ULONG found = find_run_in(map, length, hint, size, value);
    return found != NOT_FOUND || !hint ? found : find_run_in(map, length, 0, size, value);
}

/* Index of a run of clear bits, searched from the hint on, then from the start; 0xFFFFFFFF if there is none. */
ULONG NTAPI RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return find_run(BitMapHeader, NumberToFind, HintIndex, FALSE);
}

ULONG NTAPI RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return find_run(BitMapHeader, NumberToFind, HintIndex, TRUE);
}

ULONG NTAPI RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG found = RtlFindClearBits(BitMapHeader, NumberToFind, HintIndex);
    if (found != NOT_FOUND)
        RtlSetBits(BitMapHeader, found, NumberToFind);
    return found;
}

ULONG NTAPI RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG found = RtlFindSetBits(BitMapHeader, NumberToFind, HintIndex);
    if (found != NOT_FOUND)
        RtlClearBits(BitMapHeader, found, NumberToFind);
    return found;
}

ULONG NTAPI RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
    ULONG count = 0;
    for (ULONG i = 0; i < BitMapHeader->SizeOfBitMap; i++)
        count += RtlTestBit(BitMapHeader, i);
    return count;
}

ULONG NTAPI RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader)
{
    return BitMapHeader->SizeOfBitMap - RtlNumberOfSetBits(BitMapHeader);
}

ULONG NTAPI RtlNumberOfSetBitsUlongPtr(ULONG_PTR Target)
{
    ULONG count = 0;
    for (; Target; Target &= Target - 1)
        count++;
    return count;
}

/* Position of the lowest set bit, -1 if there is none. */
CCHAR NTAPI RtlFindLeastSignificantBit(ULONGLONG Set)
{
    return Set ? (CCHAR)__builtin_ctzll(Set) : -1;
}

CCHAR NTAPI RtlFindMostSignificantBit(ULONGLONG Set)
{
    return Set ? (CCHAR)(63 - __builtin_clzll(Set)) : -1;
}
