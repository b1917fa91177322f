/*
 * mdl.c - memory descriptor lists as such: size, filling in for pool, advancing, and pages allocated for one.
 *
 * Locking is lock.c's, mapping map.c's; IoAllocateMdl and its like are io's.
 */
#include "mm_internal.h"

#define MDL_TAG RTL_TAG('M', 'd', 'l', ' ')

/* Bytes of an MDL that describes [Base, +Length). */
SIZE_T NTAPI MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    SIZE_T pages = (BYTE_OFFSET(Base) + Length + PAGE_SIZE - 1) >> PAGE_SHIFT;
    return sizeof(MDL) + pages * sizeof(PFN_NUMBER);
}

static void initialize(MDL *mdl, PVOID base, SIZE_T length)
{
    mdl->Next = NULL;
    mdl->Size = (CSHORT)MmSizeOfMdl(base, length);
    mdl->MdlFlags = 0;
    mdl->StartVa = PAGE_ALIGN(base);
    mdl->ByteOffset = BYTE_OFFSET(base);
    mdl->ByteCount = (ULONG)length;
}

/* Initializes an MDL for [Base, +Length); allocates it from pool if none is given. Null: no memory. Obsolete. */
PMDL NTAPI MmCreateMdl(PMDL MemoryDescriptorList, PVOID Base, SIZE_T Length)
{
    MDL *mdl = MemoryDescriptorList;
    if (!mdl && Length <= 0xFFFFFFFF - PAGE_SIZE)
        mdl = mm_pool_allocate(MmSizeOfMdl(Base, Length), MDL_TAG, MM_POOL_ZERO, MM_POOL_DRIVER, seh_export_caller());
    if (mdl)
        initialize(mdl, Base, Length);
    return mdl;
}

/*
 * Makes the MDL describe the nonpaged system memory at its address: pool, contiguous memory, an image. Its system
 * address is that address. Bug check 0xC4 (0x140): it is no such memory. IRQL <= DISPATCH_LEVEL.
 */
VOID NTAPI MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList)
{
    MDL *mdl = MemoryDescriptorList;
    ULONG_PTR page = (ULONG_PTR)mdl->StartVa;
    for (SIZE_T i = 0; i < mm_mdl_pages(mdl); i++, page += PAGE_SIZE) {
        if (page < plat_layout.user_limit || !plat_is_readable(page, 1))
            mm_mistake(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x140, mdl, page,
                       "MmBuildMdlForNonPagedPool was given an MDL of memory that is not nonpaged system memory");
        MmGetMdlPfnArray(mdl)[i] = mm_frame_number(page);
    }
    mdl->Process = NULL;
    mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

/* The frames of a locked MDL below its new first page go. */
static void advance_lock(MDL *mdl, SIZE_T passed, SIZE_T bytes)
{
    struct mm_hold hold;
    PFN_NUMBER *numbers = MmGetMdlPfnArray(mdl);
    SIZE_T left = mm_mdl_pages(mdl) - passed;
    bool locked = mm_hold_take(MM_HOLD_LOCK, mdl, mm_mdl_address(mdl), &hold);
    if (!locked && !mm_hold_take(MM_HOLD_PAGES, mdl, 0, &hold))
        mm_mistake(BUGCHECK_PFN_LIST_CORRUPT, 0x7, mdl, 0, "MmAdvanceMdl was given an MDL that nobody locked");
    if (hold.process || !locked)
        plat_frames_drop(numbers, passed);
    hold.base += locked ? bytes : 0;
    hold.size -= locked ? bytes : passed << PAGE_SHIFT;
    hold.check = mm_frames_check(numbers + passed, left);
    mm_hold_add(&hold);
}

/*
 * Moves the beginning of the MDL up by NumberOfBytes; its end stays. Pages that are passed are unlocked, the system
 * address moves as well. STATUS_INVALID_PARAMETER_2: beyond the end. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI MmAdvanceMdl(PMDL Mdl, ULONG NumberOfBytes)
{
    if (NumberOfBytes > Mdl->ByteCount)
        return STATUS_INVALID_PARAMETER_2;
    ULONG_PTR address = mm_mdl_address(Mdl) + NumberOfBytes;
    SIZE_T pages = mm_mdl_pages(Mdl), passed = (Mdl->ByteOffset + (SIZE_T)NumberOfBytes) >> PAGE_SHIFT;
    if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
        advance_lock(Mdl, passed, NumberOfBytes);
    PFN_NUMBER *numbers = MmGetMdlPfnArray(Mdl);
    for (SIZE_T i = passed; i < pages; i++)
        numbers[i - passed] = numbers[i];
    Mdl->StartVa = PAGE_ALIGN(address);
    Mdl->ByteOffset = BYTE_OFFSET(address);
    Mdl->ByteCount -= NumberOfBytes;
    if (Mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
        Mdl->MappedSystemVa = (PUCHAR)Mdl->MappedSystemVa + NumberOfBytes;
    return STATUS_SUCCESS;
}

/* ---- pages for an MDL ---- */

/* Up to pages frames one by one, or in one piece, in [low, high); returns how many. */
static SIZE_T take_frames(PFN_NUMBER *numbers, SIZE_T pages, uint64_t low, uint64_t high, bool whole)
{
    uint64_t first;
    if (NT_SUCCESS(plat_frames_allocate(pages, low, high, &first))) {
        for (SIZE_T i = 0; i < pages; i++)
            numbers[i] = first + i;
        return pages;
    }
    SIZE_T taken = 0;
    while (!whole && taken < pages && NT_SUCCESS(plat_frames_allocate(1, low, high, &first))) {
        numbers[taken++] = first;
        low = first + 1;
    }
    return taken;
}

/* Where the frames may lie; skip moves the window up until it holds some. */
static bool frame_window(ULONG64 low, ULONG64 high, ULONG64 skip, uint64_t *from, uint64_t *to)
{
    ULONG64 memory_low = PLAT_FRAME_FIRST << PAGE_SHIFT, memory_high = PLAT_FRAME_END << PAGE_SHIFT;
    if (high < low)
        return false;
    if (skip && high < memory_low) {
        ULONG64 steps = (memory_low - high + skip - 1) / skip;
        low += steps * skip;
        high += steps * skip;
    }
    *from = (low + PAGE_SIZE - 1) >> PAGE_SHIFT;
    *to = high >= memory_high ? PLAT_FRAME_END : (high + 1) >> PAGE_SHIFT;
    return *from < *to;
}

/*
 * An MDL with up to TotalBytes (whole pages) of zeroed memory whose physical addresses lie in [LowAddress,
 * HighAddress], or in that range moved up by multiples of SkipBytes; not mapped anywhere. Null: not a page (with
 * MM_ALLOCATE_FULLY_REQUIRED: not all pages). Give the pages back with MmFreePagesFromMdl and the MDL with ExFreePool.
 */
PMDL NTAPI MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                                   PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes, MEMORY_CACHING_TYPE CacheType,
                                   ULONG Flags)
{
    UNREFERENCED_PARAMETER(CacheType);
    uint64_t from, to;
    SIZE_T pages = (TotalBytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    bool whole = Flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS;
    ULONG_PTR caller = seh_export_caller();
    if (!TotalBytes || TotalBytes > 0xFFFFFFFFull - PAGE_SIZE || pages >= PLAT_FRAME_END ||
        !frame_window((ULONG64)LowAddress.QuadPart, (ULONG64)HighAddress.QuadPart, (ULONG64)SkipBytes.QuadPart, &from,
                      &to))
        return NULL;
    MDL *mdl = mm_pool_allocate(MmSizeOfMdl(NULL, pages << PAGE_SHIFT), MDL_TAG, MM_POOL_ZERO, MM_POOL_DRIVER, caller);
    if (!mdl)
        return NULL;
    PFN_NUMBER *numbers = MmGetMdlPfnArray(mdl);
    SIZE_T taken = take_frames(numbers, pages, from, to, whole);
    initialize(mdl, NULL, taken << PAGE_SHIFT);
    mdl->MdlFlags = MDL_PAGES_LOCKED;
    struct mm_hold hold = {MM_HOLD_PAGES, MM_POOL_DRIVER, caller, mdl, 0, taken << PAGE_SHIFT, 0, NULL, NULL};
    hold.check = mm_frames_check(numbers, taken);
    if (!taken || (taken < pages && Flags & MM_ALLOCATE_FULLY_REQUIRED) || !mm_hold_add(&hold)) {
        plat_frames_drop(numbers, taken);
        mm_pool_free(mdl, MDL_TAG, caller);
        return NULL;
    }
    return mdl;
}

PMDL NTAPI MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress, PHYSICAL_ADDRESS SkipBytes,
                                 SIZE_T TotalBytes)
{
    return MmAllocatePagesForMdlEx(LowAddress, HighAddress, SkipBytes, TotalBytes, MmCached, 0);
}

/* Gives back the pages of MmAllocatePagesForMdl, and the MDL's mapping; not the MDL. Bug check 0x4E: it has none. */
VOID NTAPI MmFreePagesFromMdl(PMDL MemoryDescriptorList)
{
    MDL *mdl = MemoryDescriptorList;
    struct mm_hold hold;
    if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
    if (!mm_hold_take(MM_HOLD_PAGES, mdl, 0, &hold))
        mm_mistake(BUGCHECK_PFN_LIST_CORRUPT, 0x7, mdl, 0,
                   "MmFreePagesFromMdl was given an MDL without pages of MmAllocatePagesForMdl");
    SIZE_T pages = hold.size >> PAGE_SHIFT;
    if (hold.check != mm_frames_check(MmGetMdlPfnArray(mdl), pages))
        mm_mistake(BUGCHECK_PFN_LIST_CORRUPT, 0x2, mdl, 0, "the frame numbers of an MDL were overwritten");
    plat_frames_drop(MmGetMdlPfnArray(mdl), pages);
    mdl->MdlFlags &= (CSHORT)~MDL_PAGES_LOCKED;
}
