/*
 * physical.c - memory asked for by physical properties: contiguous, noncached, and I/O space.
 *
 * Contiguous memory is a run of frames, so limits on its physical address are kept. I/O space has no devices behind it:
 * what is no memory is mapped as fresh zeroed pages that remember what is written.
 */
#include "mm_internal.h"

#define IO_SPACE_MAX (1ull << 30)

static SIZE_T whole_pages(SIZE_T bytes)
{
    return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* The frames of a view that is being released: the allocation's own hold on them, beside the view's. */
static void drop_run(uint64_t first, SIZE_T pages)
{
    for (SIZE_T i = 0; i < pages; i++) {
        ULONG_PTR frame = first + i;
        plat_frames_drop(&frame, 1);
    }
}

/* A run of pages frames in [low, high) that does not cross a multiple of boundary frames (0: may). */
static bool take_run(SIZE_T pages, uint64_t low, uint64_t high, uint64_t boundary, uint64_t *first)
{
    if (boundary && pages > boundary)
        return false;
    for (;;) {
        if (!NT_SUCCESS(plat_frames_allocate(pages, low, high, first)))
            return false;
        if (!boundary || *first / boundary == (*first + pages - 1) / boundary)
            return true;
        drop_run(*first, pages);
        low = (*first / boundary + 1) * boundary;
    }
}

/* Maps a run, without keeping the frames array longer than the call. */
static void *view_of_run(uint64_t first, SIZE_T pages)
{
    void *view = NULL;
    ULONG_PTR *frames = plat_system_map(pages * sizeof(*frames), PLAT_READWRITE);
    for (SIZE_T i = 0; frames && i < pages; i++)
        frames[i] = first + i;
    if (frames && !NT_SUCCESS(plat_frames_view(frames, pages, PLAT_READWRITE, &view)))
        view = NULL;
    if (frames)
        plat_system_unmap(frames, pages * sizeof(*frames));
    return view;
}

static void *allocate(SIZE_T bytes, ULONG64 low, ULONG64 high, ULONG64 boundary, enum mm_hold_kind kind,
                      ULONG_PTR caller)
{
    SIZE_T pages = whole_pages(bytes);
    uint64_t first, from = (low + PAGE_SIZE - 1) >> PAGE_SHIFT, end = PLAT_FRAME_END;
    uint64_t to = high >> PAGE_SHIFT >= end ? end : (high + 1) >> PAGE_SHIFT;
    if (!bytes || bytes > IO_SPACE_MAX || low > high || (boundary & (boundary - 1)) ||
        !take_run(pages, from, to, boundary >> PAGE_SHIFT, &first))
        return NULL;
    void *view = view_of_run(first, pages);
    drop_run(first, pages); /* the view holds them */
    struct mm_hold hold = {
        .kind = kind, .owner = MM_POOL_DRIVER, .caller = caller, .base = (ULONG_PTR)view, .size = pages << PAGE_SHIFT};
    if (view && !mm_hold_add(&hold)) {
        plat_user_alias_release(view, hold.size);
        view = NULL;
    }
    return view;
}

/* bytes 0: not told. */
static void release(enum mm_hold_kind kind, PVOID base, SIZE_T bytes, const char *why)
{
    struct mm_hold hold;
    if (!mm_hold_find(kind, NULL, (ULONG_PTR)base, &hold) || hold.base != (ULONG_PTR)base ||
        (bytes && whole_pages(bytes) << PAGE_SHIFT != hold.size) || !mm_hold_take(kind, NULL, (ULONG_PTR)base, &hold))
        mm_mistake(BUGCHECK_MEMORY_MANAGEMENT, (ULONG_PTR)base, NULL, bytes, why);
    plat_user_alias_release(base, hold.size);
}

/*
 * Page-aligned memory without gaps in physical space, in [LowestAcceptableAddress, HighestAcceptableAddress] and not
 * crossing a multiple of BoundaryAddressMultiple (a power of two, or 0). Zeroed here, which is not promised. Null:
 * there is none. IRQL <= DISPATCH_LEVEL.
 */
PVOID NTAPI MmAllocateContiguousMemorySpecifyCache(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS LowestAcceptableAddress,
                                                   PHYSICAL_ADDRESS HighestAcceptableAddress,
                                                   PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                                   MEMORY_CACHING_TYPE CacheType)
{
    UNREFERENCED_PARAMETER(CacheType);
    return allocate(NumberOfBytes, (ULONG64)LowestAcceptableAddress.QuadPart,
                    (ULONG64)HighestAcceptableAddress.QuadPart, (ULONG64)BoundaryAddressMultiple.QuadPart,
                    MM_HOLD_CONTIGUOUS, seh_export_caller());
}

PVOID NTAPI MmAllocateContiguousMemorySpecifyCacheNode(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS LowestAcceptableAddress,
                                                       PHYSICAL_ADDRESS HighestAcceptableAddress,
                                                       PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                                       MEMORY_CACHING_TYPE CacheType, NODE_REQUIREMENT PreferredNode)
{
    UNREFERENCED_PARAMETER(PreferredNode);
    return MmAllocateContiguousMemorySpecifyCache(NumberOfBytes, LowestAcceptableAddress, HighestAcceptableAddress,
                                                  BoundaryAddressMultiple, CacheType);
}

PVOID NTAPI MmAllocateContiguousMemory(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS HighestAcceptableAddress)
{
    PHYSICAL_ADDRESS none = {.QuadPart = 0};
    return MmAllocateContiguousMemorySpecifyCache(NumberOfBytes, none, HighestAcceptableAddress, none, MmCached);
}

/* Bug check 0x1A: not the base of contiguous memory. */
VOID NTAPI MmFreeContiguousMemory(PVOID BaseAddress)
{
    release(MM_HOLD_CONTIGUOUS, BaseAddress, 0,
            "MmFreeContiguousMemory was given an address that is not contiguous memory");
}

VOID NTAPI MmFreeContiguousMemorySpecifyCache(PVOID BaseAddress, SIZE_T NumberOfBytes, MEMORY_CACHING_TYPE CacheType)
{
    UNREFERENCED_PARAMETER(CacheType);
    release(MM_HOLD_CONTIGUOUS, BaseAddress, NumberOfBytes,
            "MmFreeContiguousMemorySpecifyCache was given an address or a size that is not that of contiguous memory");
}

/* Page-aligned memory, cached like any other here. Null: there is none. IRQL <= APC_LEVEL. */
PVOID NTAPI MmAllocateNonCachedMemory(SIZE_T NumberOfBytes)
{
    return allocate(NumberOfBytes, 0, ~0ull, 0, MM_HOLD_NONCACHED, seh_export_caller());
}

VOID NTAPI MmFreeNonCachedMemory(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    release(MM_HOLD_NONCACHED, BaseAddress, NumberOfBytes,
            "MmFreeNonCachedMemory was given an address or a size that is not that of noncached memory");
}

/* ---- I/O space ---- */

/* Whether the range touches memory, of which no second mapping is given out here. */
static bool is_memory(ULONG64 physical, SIZE_T bytes)
{
    const ULONG64 low = PLAT_FRAME_FIRST << PAGE_SHIFT, high = PLAT_FRAME_END << PAGE_SHIFT;
    return physical >= plat_layout.system_start || bytes > plat_layout.system_start - physical ||
           (physical < high && physical + bytes > low);
}

static PVOID map_io(ULONG64 physical, SIZE_T bytes, ULONG prot)
{
    SIZE_T size = ADDRESS_AND_SIZE_TO_SPAN_PAGES(BYTE_OFFSET(physical), bytes) * (SIZE_T)PAGE_SIZE;
    if (!bytes || bytes > IO_SPACE_MAX || is_memory(physical, bytes))
        return NULL;
    void *pages = plat_system_map(size, prot);
    struct mm_hold hold = {.kind = MM_HOLD_IO_SPACE,
                           .owner = MM_POOL_DRIVER,
                           .caller = seh_export_caller(),
                           .base = (ULONG_PTR)pages,
                           .size = size};
    if (!pages)
        return NULL;
    if (!mm_hold_add(&hold)) {
        plat_system_unmap(pages, size);
        return NULL;
    }
    return (PUCHAR)pages + BYTE_OFFSET(physical);
}

/* Maps a physical range with no memory in it. Null: there is no room, or memory is in it. IRQL <= DISPATCH_LEVEL. */
PVOID NTAPI MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, MEMORY_CACHING_TYPE CacheType)
{
    UNREFERENCED_PARAMETER(CacheType);
    return map_io((ULONG64)PhysicalAddress.QuadPart, NumberOfBytes, PLAT_READWRITE);
}

/* The same; Protect is one of PAGE_READONLY, PAGE_READWRITE and their executable forms, with caching flags or without.
 */
PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect)
{
    ULONG kind = Protect & 0xFF;
    bool write = kind == PAGE_READWRITE || kind == PAGE_EXECUTE_READWRITE;
    if (!write && kind != PAGE_READONLY && kind != PAGE_EXECUTE && kind != PAGE_EXECUTE_READ)
        return NULL;
    return map_io((ULONG64)PhysicalAddress.QuadPart, NumberOfBytes, write ? PLAT_READWRITE : PLAT_READ);
}

/* Bug check 0xDA: nothing of this size is mapped there. */
VOID NTAPI MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    struct mm_hold hold;
    ULONG_PTR base = (ULONG_PTR)PAGE_ALIGN(BaseAddress);
    SIZE_T size = ADDRESS_AND_SIZE_TO_SPAN_PAGES(BaseAddress, NumberOfBytes) * (SIZE_T)PAGE_SIZE;
    if (!mm_hold_find(MM_HOLD_IO_SPACE, NULL, base, &hold) || hold.base != base || hold.size != size ||
        !mm_hold_take(MM_HOLD_IO_SPACE, NULL, base, &hold))
        mm_mistake(BUGCHECK_SYSTEM_PTE_MISUSE, 0x201, NULL, base,
                   "MmUnmapIoSpace was given an address or a size at which nothing is mapped");
    plat_system_unmap((void *)base, size);
}
