/*
 * map.c - mappings of MDLs: second views of their frames in system space or in user space, and their protection.
 *
 * System memory that is not made of frames (pool, images) has one address only: its system mapping is that address,
 * and it cannot be mapped into user space (docs/CAVEATS.md).
 */
#include "mm_internal.h"

/* Whether all pages are frames, which can be mapped again. */
static bool all_frames(MDL *mdl)
{
    SIZE_T pages = mm_mdl_pages(mdl);
    for (SIZE_T i = 0; i < pages; i++)
        if (!mm_is_frame(MmGetMdlPfnArray(mdl)[i]))
            return false;
    return pages > 0;
}

static struct mm_hold mapping(enum mm_hold_kind kind, MDL *mdl, ULONG_PTR base, ULONG_PTR caller)
{
    return (struct mm_hold){.kind = kind,
                            .owner = MM_POOL_DRIVER,
                            .caller = caller,
                            .mdl = mdl,
                            .base = base,
                            .size = mm_mdl_pages(mdl) << PAGE_SHIFT};
}

/* Null: no room. */
static void *map_system(MDL *mdl, ULONG prot, ULONG_PTR caller)
{
    SIZE_T pages = mm_mdl_pages(mdl);
    void *view;
    if (!all_frames(mdl))
        return MmGetMdlVirtualAddress(mdl);
    if (mm_refuses(MM_WANT_VIEW))
        return NULL;
    NTSTATUS status = plat_frames_view(MmGetMdlPfnArray(mdl), pages, prot, &view);
    if (status == STATUS_INVALID_PARAMETER)
        mm_mistake(BUGCHECK_PFN_LIST_CORRUPT, 0x2, mdl, 0, "an MDL is mapped whose pages are not locked (any more)");
    if (!NT_SUCCESS(status))
        return NULL;
    struct mm_hold hold = mapping(MM_HOLD_VIEW, mdl, (ULONG_PTR)view, caller);
    if (!mm_hold_add(&hold)) {
        plat_user_alias_release(view, pages << PAGE_SHIFT);
        return NULL;
    }
    return (PUCHAR)view + mdl->ByteOffset;
}

static void *map_user(MDL *mdl, ULONG_PTR wanted, ULONG prot, ULONG_PTR caller)
{
    ULONG_PTR base = wanted & ~(ULONG_PTR)(PAGE_SIZE - 1);
    SIZE_T pages = mm_mdl_pages(mdl);
    if (!all_frames(mdl))
        seh_raise_status(STATUS_NOT_SUPPORTED);
    NTSTATUS status = plat_frames_map_user(MmGetMdlPfnArray(mdl), pages, prot, &base);
    if (!NT_SUCCESS(status))
        seh_raise_status(status == STATUS_NO_MEMORY ? STATUS_INSUFFICIENT_RESOURCES : status);
    struct mm_hold hold = mapping(MM_HOLD_USER_VIEW, mdl, base, caller);
    hold.process = ke_thread_current()->Process;
    if (!mm_hold_add(&hold)) {
        plat_user_unmap(base, pages << PAGE_SHIFT);
        seh_raise_status(STATUS_INSUFFICIENT_RESOURCES);
    }
    return (PUCHAR)base + mdl->ByteOffset;
}

/*
 * Maps the pages of an MDL that is locked, partial, or of nonpaged pool; end it with MmUnmapLockedPages (a system
 * mapping of a locked MDL ends with its lock). KernelMode: the system address, also in MappedSystemVa; BaseAddress is
 * ignored; on failure null, or with BugCheckOnFailure bug check 0x3F. UserMode: an address in the running process, at
 * BaseAddress unless that is null; failure is raised. The address has the MDL's byte offset. MdlMappingNoWrite in
 * Priority makes it read-only. IRQL <= DISPATCH_LEVEL, UserMode <= APC_LEVEL.
 */
PVOID NTAPI MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                                         MEMORY_CACHING_TYPE CacheType, PVOID BaseAddress, ULONG BugCheckOnFailure,
                                         ULONG Priority)
{
    UNREFERENCED_PARAMETER(CacheType);
    MDL *mdl = MemoryDescriptorList;
    ULONG prot = Priority & MdlMappingNoWrite ? PLAT_READ : PLAT_READWRITE;
    ULONG_PTR caller = seh_export_caller();
    if (ke_verify && AccessMode == KernelMode && BugCheckOnFailure)
        mm_mistake(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x82, mdl, (USHORT)mdl->MdlFlags,
                   "MmMapLockedPagesSpecifyCache was told to stop the system where there is no room");
    if (ke_verify && AccessMode != KernelMode && KeGetCurrentIrql() > APC_LEVEL)
        ke_violation(0x77, KeGetCurrentIrql(), (ULONG_PTR)mdl, (ULONG_PTR)AccessMode,
                     "MmMapLockedPagesSpecifyCache was called for user mode above APC_LEVEL");
    if (!(mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL | MDL_SOURCE_IS_NONPAGED_POOL)))
        mm_mistake(BUGCHECK_MEMORY_MANAGEMENT, 0x1236, mdl, (USHORT)mdl->MdlFlags,
                   "an MDL is mapped whose pages are not locked");
    if (AccessMode != KernelMode)
        return map_user(mdl, (ULONG_PTR)BaseAddress, prot, caller);
    if (mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL)
        return mdl->MappedSystemVa;
    void *address = map_system(mdl, prot, caller);
    if (!address && BugCheckOnFailure)
        mm_mistake(BUGCHECK_NO_MORE_SYSTEM_PTES, 0, mdl, 0, "no room to map the pages of an MDL");
    if (!address)
        return NULL;
    mdl->MappedSystemVa = address;
    mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA | (mdl->MdlFlags & MDL_PARTIAL ? MDL_PARTIAL_HAS_BEEN_MAPPED : 0);
    return address;
}

/* The same without a choice: cached, anywhere, a failure is a bug check (UserMode: is raised). Obsolete. */
PVOID NTAPI MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode)
{
    if (ke_verify)
        mm_mistake(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x81, MemoryDescriptorList,
                   (USHORT)MemoryDescriptorList->MdlFlags,
                   "MmMapLockedPages stops the system where there is no room; MmMapLockedPagesSpecifyCache need not");
    return MmMapLockedPagesSpecifyCache(MemoryDescriptorList, AccessMode, MmCached, NULL, TRUE, HighPagePriority);
}

/* Ends a mapping of MmMapLockedPages(SpecifyCache). Bug check 0xDA: there is none of this MDL at this address. */
VOID NTAPI MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    MDL *mdl = MemoryDescriptorList;
    ULONG_PTR address = (ULONG_PTR)BaseAddress;
    bool user = address < plat_layout.user_limit;
    bool only = !user && !all_frames(mdl) && address == mm_mdl_address(mdl) && mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA;
    struct mm_hold hold;
    if (!only && !mm_hold_take(user ? MM_HOLD_USER_VIEW : MM_HOLD_VIEW, mdl, address, &hold))
        mm_mistake(BUGCHECK_SYSTEM_PTE_MISUSE, 0x300, mdl, address,
                   "MmUnmapLockedPages was given an address at which the MDL is not mapped");
    if (user)
        plat_user_unmap(hold.base, hold.size); /* fails if the user was faster, who may */
    else if (!only)
        plat_user_alias_release((void *)hold.base, hold.size);
    if (!user)
        mdl->MdlFlags &= (CSHORT) ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
}

/*
 * Changes what the system mapping of an MDL allows: PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE and their executable
 * forms, which never execute here. STATUS_NOT_MAPPED_VIEW: it has no mapping of its own;
 * STATUS_INVALID_PAGE_PROTECTION: another value. IRQL <= APC_LEVEL.
 */
NTSTATUS NTAPI MmProtectMdlSystemAddress(PMDL MemoryDescriptorList, ULONG NewProtect)
{
    ULONG prot;
    struct mm_hold hold;
    switch (NewProtect) {
    case PAGE_NOACCESS:
        prot = PLAT_NOACCESS;
        break;
    case PAGE_READONLY:
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ:
        prot = PLAT_READ;
        break;
    case PAGE_READWRITE:
    case PAGE_EXECUTE_READWRITE:
        prot = PLAT_READWRITE;
        break;
    default:
        return STATUS_INVALID_PAGE_PROTECTION;
    }
    if (!(MemoryDescriptorList->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) ||
        !mm_hold_find(MM_HOLD_VIEW, MemoryDescriptorList, (ULONG_PTR)MemoryDescriptorList->MappedSystemVa, &hold))
        return STATUS_NOT_MAPPED_VIEW;
    return plat_view_protect((void *)hold.base, prot) ? STATUS_SUCCESS : STATUS_NOT_MAPPED_VIEW;
}
