/*
 * paging.c - what drivers say about paging their own images, and what they ask about the memory system.
 *
 * Nothing is ever paged out here, so there is nothing to lock: these routines check what they are given and agree.
 */
#include "mm_internal.h"

typedef struct _PHYSICAL_MEMORY_RANGE {
    PHYSICAL_ADDRESS BaseAddress;
    LARGE_INTEGER NumberOfBytes;
} PHYSICAL_MEMORY_RANGE, *PPHYSICAL_MEMORY_RANGE;

static PVOID image_of(PVOID address)
{
    PVOID base;
    return RtlPcToFileHeader(address, &base);
}

/*
 * Locks the section of the image that holds AddressWithinSection; returns what MmUnlockPagableImageSection takes. Bug
 * check 0x1A: the address is in no image. IRQL <= APC_LEVEL.
 */
PVOID NTAPI MmLockPagableDataSection(PVOID AddressWithinSection)
{
    if (!image_of(AddressWithinSection))
        mm_mistake(BUGCHECK_MEMORY_MANAGEMENT, 0x1234, NULL, (ULONG_PTR)AddressWithinSection,
                   "MmLockPagableDataSection was given an address that is in no driver's image");
    return PAGE_ALIGN(AddressWithinSection);
}

static void check_section(PVOID handle, const char *why)
{
    if (!image_of(handle))
        mm_mistake(BUGCHECK_MEMORY_MANAGEMENT, 0x1010, NULL, (ULONG_PTR)handle, why);
}

/* Locks the section again. Bug check 0x1A: the handle is not of MmLockPagableDataSection. */
VOID NTAPI MmLockPagableSectionByHandle(PVOID ImageSectionHandle)
{
    check_section(ImageSectionHandle, "MmLockPagableSectionByHandle was given a handle that is none");
}

VOID NTAPI MmUnlockPagableImageSection(PVOID ImageSectionHandle)
{
    check_section(ImageSectionHandle, "MmUnlockPagableImageSection was given a handle that is none");
}

/* Makes the whole image that holds the address pageable, whatever its sections say; returns the image's base. */
PVOID NTAPI MmPageEntireDriver(PVOID AddressWithinSection)
{
    return image_of(AddressWithinSection);
}

/* Takes that back. */
VOID NTAPI MmResetDriverPaging(PVOID AddressWithinSection)
{
    check_section(AddressWithinSection, "MmResetDriverPaging was given an address that is in no driver's image");
}

/* Whether a read of the system address would not fault right now. */
BOOLEAN NTAPI MmIsNonPagedSystemAddressValid(PVOID VirtualAddress)
{
    return (ULONG_PTR)VirtualAddress >= plat_layout.system_start && plat_is_readable((ULONG_PTR)VirtualAddress, 1);
}

/*
 * The ranges of physical memory, ended by one of length 0, in pool that the caller frees with ExFreePool. Null: no
 * memory. IRQL PASSIVE_LEVEL.
 */
PPHYSICAL_MEMORY_RANGE NTAPI MmGetPhysicalMemoryRanges(VOID)
{
    PHYSICAL_MEMORY_RANGE *ranges = mm_pool_allocate(2 * sizeof(*ranges), RTL_TAG('M', 'm', 'P', 'h'), MM_POOL_ZERO,
                                                     MM_POOL_DRIVER, seh_export_caller());
    if (ranges) {
        ranges[0].BaseAddress.QuadPart = (LONGLONG)(PLAT_FRAME_FIRST << PAGE_SHIFT);
        ranges[0].NumberOfBytes.QuadPart = (LONGLONG)((PLAT_FRAME_END - PLAT_FRAME_FIRST) << PAGE_SHIFT);
    }
    return ranges;
}

/* MmLargeSystem: drivers need not be thrifty. */
ULONG NTAPI MmQuerySystemSize(VOID)
{
    return 2;
}

/* It is a workstation. */
BOOLEAN NTAPI MmIsThisAnNtAsSystem(VOID)
{
    return FALSE;
}
