/*
 * lock.c - MmProbeAndLockPages and MmUnlockPages.
 *
 * A lock pins frames, not addresses: the user may unmap, protect or reuse the range, and the MDL keeps the pages it
 * found. System memory is never paged out here, so locking it only checks it.
 */
#include "mm_internal.h"
#include "trace.h"
#include "usermode_accessors.h"

enum { RACES_MAX = 1000 };

/* Touches the first byte of the range in a page as user mode would, so that what is wrong with it is raised. */
static void touch(ULONG_PTR start, ULONG_PTR page, bool write)
{
    ULONG_PTR address = start > page ? start : page;
    if (write)
        InterlockedOrToUser((volatile LONG *)(address & ~(ULONG_PTR)3), 0);
    else
        ReadUCharFromUser((const volatile UCHAR *)address);
}

/* Raises what the first page raises that does not grant the access. A page that changed its mind in between is asked
 * again. */
static void lock_user(MDL *mdl, bool write)
{
    ULONG_PTR failed, start = mm_mdl_address(mdl);
    for (unsigned races = 0; races < RACES_MAX; races++) {
        NTSTATUS status =
            plat_frames_lock(start, mdl->ByteCount, write ? PLAT_WRITE : PLAT_READ, MmGetMdlPfnArray(mdl), &failed);
        if (NT_SUCCESS(status))
            return;
        touch(start, failed, write);
    }
    seh_raise_access_violation(write, failed);
}

static void lock_system(MDL *mdl, bool write)
{
    ULONG_PTR page = (ULONG_PTR)mdl->StartVa;
    for (SIZE_T i = 0; i < mm_mdl_pages(mdl); i++, page += PAGE_SIZE) {
        if (!plat_is_readable(page, 1))
            seh_raise_access_violation(write, i ? page : mm_mdl_address(mdl));
        MmGetMdlPfnArray(mdl)[i] = mm_frame_number(page);
    }
}

void mm_lock(MDL *mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation, enum mm_pool_owner owner, ULONG_PTR caller)
{
    const CSHORT wrong = MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL | MDL_MAPPED_TO_SYSTEM_VA;
    ULONG_PTR start = mm_mdl_address(mdl), limit = plat_layout.user_limit;
    bool write = operation != IoReadAccess, user = start < limit;
    if (ke_verify && mdl->MdlFlags & wrong)
        mm_mistake(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB0, mdl, (USHORT)mdl->MdlFlags,
                   "MmProbeAndLockPages was given an MDL that is locked, mapped, partial, or of nonpaged pool already");
    if (mdl->MdlFlags & wrong)
        mm_mistake(BUGCHECK_MEMORY_MANAGEMENT, 0x1236, mdl, (USHORT)mdl->MdlFlags,
                   "MmProbeAndLockPages was given an MDL that is locked, mapped, partial, or of nonpaged pool already");
    if (user || mode != KernelMode)
        trace_begin(write ? TRACE_LOCK_WRITE : TRACE_LOCK_READ, caller, start, mdl->ByteCount, NULL);
    if (start + mdl->ByteCount < start || (user ? mdl->ByteCount > limit - start : mode != KernelMode))
        seh_raise_access_violation(write, start);
    if (user)
        lock_user(mdl, write);
    else
        lock_system(mdl, write);
    SIZE_T pages = mm_mdl_pages(mdl);
    struct mm_hold hold = {MM_HOLD_LOCK, owner, caller, mdl, start, mdl->ByteCount, 0, NULL, NULL};
    hold.check = mm_frames_check(MmGetMdlPfnArray(mdl), pages);
    hold.process = user ? ke_thread_current()->Process : NULL;
    if (!mm_hold_add(&hold)) {
        if (user)
            plat_frames_drop(MmGetMdlPfnArray(mdl), pages);
        seh_raise_status(STATUS_INSUFFICIENT_RESOURCES);
    }
    mdl->Process = hold.process;
    mdl->MdlFlags =
        (CSHORT)((mdl->MdlFlags & ~MDL_WRITE_OPERATION) | MDL_PAGES_LOCKED | (write ? MDL_WRITE_OPERATION : 0));
    if (user || mode != KernelMode)
        trace_done();
}

/*
 * Checks that each page of the MDL's range may be read (IoReadAccess) or written (IoWriteAccess, IoModifyAccess), and
 * keeps them in memory until MmUnlockPages. Raises, and then holds nothing: STATUS_ACCESS_VIOLATION also if the range
 * is not a user range and AccessMode is UserMode, or ends beyond it; STATUS_GUARD_PAGE_VIOLATION,
 * STATUS_IN_PAGE_ERROR as an access would. IRQL <= DISPATCH_LEVEL, user ranges <= APC_LEVEL.
 */
VOID NTAPI MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    mm_lock(MemoryDescriptorList, AccessMode, Operation, MM_POOL_DRIVER, seh_export_caller());
}

/* The same in the address space of Process. There is one user address space, so any process but the system's has it. */
VOID NTAPI MmProbeAndLockProcessPages(PMDL MemoryDescriptorList, PEPROCESS Process, KPROCESSOR_MODE AccessMode,
                                      LOCK_OPERATION Operation)
{
    mm_lock(MemoryDescriptorList, AccessMode, Operation, MM_POOL_DRIVER, seh_export_caller());
    if (MemoryDescriptorList->Process)
        MemoryDescriptorList->Process = Process;
}

/*
 * Ends what MmProbeAndLockPages began, and the MDL's mapping in system space if it has one. Bug check 0xC4: the MDL is
 * not locked (0x7C) or is of nonpaged pool (0x7D); 0x4E: its frame numbers were overwritten. IRQL <= DISPATCH_LEVEL.
 */
VOID NTAPI MmUnlockPages(PMDL MemoryDescriptorList)
{
    MDL *mdl = MemoryDescriptorList;
    struct mm_hold hold;
    if (mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL)
        mm_mistake(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7D, mdl, (USHORT)mdl->MdlFlags,
                   "MmUnlockPages was given an MDL of nonpaged pool, which is never locked");
    if (ke_verify && mdl->MdlFlags & MDL_PARTIAL)
        mm_mistake(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB4, mdl, (USHORT)mdl->MdlFlags,
                   "MmUnlockPages was given a partial MDL, which locks nothing itself");
    if (!(mdl->MdlFlags & MDL_PAGES_LOCKED))
        mm_mistake(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7C, mdl, (USHORT)mdl->MdlFlags,
                   "MmUnlockPages was given an MDL that is not locked");
    if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
    if (!mm_hold_take(MM_HOLD_LOCK, mdl, mm_mdl_address(mdl), &hold))
        mm_mistake(BUGCHECK_PFN_LIST_CORRUPT, 0x7, mdl, 0, "MmUnlockPages was given an MDL that nobody locked");
    SIZE_T pages = mm_mdl_pages(mdl);
    if (hold.size != mdl->ByteCount || hold.check != mm_frames_check(MmGetMdlPfnArray(mdl), pages))
        mm_mistake(BUGCHECK_PFN_LIST_CORRUPT, 0x2, mdl, 0,
                   "the range or the frame numbers of a locked MDL were overwritten");
    if (hold.process)
        plat_frames_drop(MmGetMdlPfnArray(mdl), pages);
    mdl->MdlFlags &= (CSHORT) ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION | MDL_IO_SPACE);
}
