/*
 * mdl.c - IoAllocateMdl and its like, and direct I/O: locking a requestor's buffer for a request, and giving it back.
 *
 * What an MDL means, and locking and mapping, are mm's.
 */
#include "io_internal.h"
#include "verify_pool.h"
#include "seh.h"
#include "wdk/seh.h"

#define MDL_TAG    RTL_TAG('M', 'd', 'l', ' ')
#define LENGTH_MAX (0xFFFFFFFFull - PAGE_SIZE)

static MDL *allocate(ULONG_PTR address, ULONG length, enum mm_pool_owner owner, ULONG_PTR caller)
{
    PVOID base = (PVOID)address;
    if (length > LENGTH_MAX)
        return NULL;
    MDL *mdl = mm_pool_allocate(MmSizeOfMdl(base, length), MDL_TAG, MM_POOL_ZERO, owner, caller);
    if (!mdl)
        return NULL;
    mdl->Size = (CSHORT)MmSizeOfMdl(base, length);
    mdl->StartVa = PAGE_ALIGN(base);
    mdl->ByteOffset = BYTE_OFFSET(base);
    mdl->ByteCount = length;
    return mdl;
}

/*
 * An MDL with room for the pages of [VirtualAddress, +Length), which is only noted. With Irp it becomes the request's
 * MDL, or with SecondaryBuffer the last of its chain. Null: no memory, or Length is above 4 GB less a page. IRQL <=
 * DISPATCH_LEVEL.
 */
PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, PIRP Irp)
{
    UNREFERENCED_PARAMETER(ChargeQuota);
    MDL *mdl = allocate((ULONG_PTR)VirtualAddress, Length, MM_POOL_DRIVER, seh_export_caller());
    if (!mdl || !Irp)
        return mdl;
    MDL **end = &Irp->MdlAddress;
    while (SecondaryBuffer && *end)
        end = &(*end)->Next;
    *end = mdl;
    return mdl;
}

/* Frees an MDL of IoAllocateMdl, and the mapping a partial one has. Its pages must be unlocked. IRQL <= DISPATCH_LEVEL.
 */
VOID NTAPI IoFreeMdl(PMDL Mdl)
{
    if (ke_verify && seh_export_is(IoFreeMdl) && !(Mdl->MdlFlags & MDL_PARTIAL))
        ex_verify_free(Mdl);
    if (Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED)
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    mm_pool_free(Mdl, MDL_TAG, seh_export_caller());
}

/*
 * Makes TargetMdl describe [VirtualAddress, +Length) of what SourceMdl describes; Length 0: all from there. It shares
 * the source's pages and mapping and must go first. Bug check 0x1A: the range is not within the source, or the target
 * has no room for it. IRQL <= DISPATCH_LEVEL.
 */
VOID NTAPI IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
    const CSHORT kept = MDL_ALLOCATED_FIXED_SIZE | MDL_ALLOCATED_MUST_SUCCEED;
    const CSHORT inherited = MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA | MDL_IO_PAGE_READ;
    ULONG_PTR offset = (ULONG_PTR)VirtualAddress - (ULONG_PTR)MmGetMdlVirtualAddress(SourceMdl);
    bool inside = offset <= SourceMdl->ByteCount && Length <= SourceMdl->ByteCount - offset;
    if (inside && !Length)
        Length = SourceMdl->ByteCount - (ULONG)offset;
    if (!inside || MmSizeOfMdl(VirtualAddress, Length) > (USHORT)TargetMdl->Size)
        ke_bugcheck_because(BUGCHECK_MEMORY_MANAGEMENT,
                            (ULONG_PTR[4]){0x1237, (ULONG_PTR)SourceMdl, (ULONG_PTR)TargetMdl, Length},
                            inside ? "IoBuildPartialMdl was given a target that is too small for the range"
                                   : "IoBuildPartialMdl was given a range that the source does not describe");
    SIZE_T first = (SourceMdl->ByteOffset + offset) >> PAGE_SHIFT;
    SIZE_T pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length);
    for (SIZE_T i = 0; i < pages; i++)
        MmGetMdlPfnArray(TargetMdl)[i] = MmGetMdlPfnArray(SourceMdl)[first + i];
    TargetMdl->Process = SourceMdl->Process;
    TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
    TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
    TargetMdl->ByteCount = Length;
    TargetMdl->MappedSystemVa = (PVOID)((ULONG_PTR)SourceMdl->MappedSystemVa + offset);
    TargetMdl->MdlFlags = (CSHORT)((TargetMdl->MdlFlags & kept) | (SourceMdl->MdlFlags & inherited) | MDL_PARTIAL);
}

/* ---- direct I/O ---- */

NTSTATUS io_mdl_lock(IRP *irp, ULONG_PTR address, ULONG length, LOCK_OPERATION operation, ULONG_PTR caller)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    MDL *mdl = allocate(address, length, MM_POOL_KERNEL, caller);
    if (!mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        mm_lock(mdl, irp->RequestorMode, operation, MM_POOL_KERNEL, caller);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    if (!NT_SUCCESS(status))
        mm_pool_free(mdl, MDL_TAG, 0);
    else
        irp->MdlAddress = mdl;
    return status;
}

void io_mdls_release(IRP *irp)
{
    MDL *mdl = irp->MdlAddress;
    irp->MdlAddress = NULL;
    while (mdl) {
        MDL *next = mdl->Next;
        if (mdl->MdlFlags & MDL_PAGES_LOCKED)
            MmUnlockPages(mdl);
        IoFreeMdl(mdl);
        mdl = next;
    }
}
