/*
 * runs.c - runs of clear bits in an RTL_BITMAP. Single bits and the search by length are bitmap.c's. Callers
 * synchronise.
 */
#include "rtl.h"
#include "wdk/rtl_more.h"

/* The first run of clear bits that begins at from or later. Returns its length, 0 if there is none. */
ULONG NTAPI RtlFindNextForwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex, PULONG StartingRunIndex)
{
    ULONG size = BitMapHeader->SizeOfBitMap, start = FromIndex, end;
    while (start < size && RtlTestBit(BitMapHeader, start))
        start++;
    for (end = start; end < size && !RtlTestBit(BitMapHeader, end);)
        end++;
    *StartingRunIndex = start;
    return end - start;
}

/* The last run of clear bits that ends at FromIndex or before. Returns its length, 0 if there is none. */
ULONG NTAPI RtlFindLastBackwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex, PULONG StartingRunIndex)
{
    ULONG size = BitMapHeader->SizeOfBitMap, end = FromIndex < size ? FromIndex + 1 : size, start;
    while (end && RtlTestBit(BitMapHeader, end - 1))
        end--;
    for (start = end; start && !RtlTestBit(BitMapHeader, start - 1);)
        start--;
    *StartingRunIndex = start;
    return end - start;
}

ULONG NTAPI RtlFindFirstRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    return RtlFindNextForwardRunClear(BitMapHeader, 0, StartingIndex);
}

static void put_run(PRTL_BITMAP_RUN runs, ULONG used, RTL_BITMAP_RUN run)
{
    ULONG at = used;
    for (; at && runs[at - 1].NumberOfBits < run.NumberOfBits; at--)
        runs[at] = runs[at - 1];
    runs[at] = run;
}

/* Fills RunArray with the first runs, or the longest ones, longest first. Returns how many. */
ULONG NTAPI RtlFindClearRuns(PRTL_BITMAP BitMapHeader, PRTL_BITMAP_RUN RunArray, ULONG SizeOfRunArray,
                             BOOLEAN LocateLongestRuns)
{
    ULONG used = 0;
    RTL_BITMAP_RUN run = {0};
    while ((LocateLongestRuns || used < SizeOfRunArray) &&
           (run.NumberOfBits = RtlFindNextForwardRunClear(BitMapHeader, run.StartingIndex, &run.StartingIndex))) {
        if (!LocateLongestRuns)
            RunArray[used++] = run;
        else if (used < SizeOfRunArray)
            put_run(RunArray, used++, run);
        else if (used && RunArray[used - 1].NumberOfBits < run.NumberOfBits)
            put_run(RunArray, used - 1, run);
        run.StartingIndex += run.NumberOfBits;
    }
    return used;
}

ULONG NTAPI RtlFindLongestRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    RTL_BITMAP_RUN run = {0};
    RtlFindClearRuns(BitMapHeader, &run, 1, TRUE);
    *StartingIndex = run.StartingIndex;
    return run.NumberOfBits;
}
