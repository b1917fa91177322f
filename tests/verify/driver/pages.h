/* pages.h - sins with MDLs and locked pages. */
#pragma once
#include "verify.h"

/* An MDL for a block of pool. */
static NTSTATUS MakeMdl(PVOID *Block, PMDL *Mdl)
{
    *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, VERIFY_TAG);
    *Mdl = *Block ? IoAllocateMdl(*Block, 64, FALSE, FALSE, NULL) : NULL;
    if (*Mdl)
        return STATUS_SUCCESS;
    if (*Block)
        ExFreePoolWithTag(*Block, VERIFY_TAG);
    return STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS FreeMdl(PVOID Block, PMDL Mdl)
{
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, VERIFY_TAG);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI LOCKED_TWICE(PVERIFY_REQUEST Request)
{
    PVOID block;
    PMDL mdl;

    if (!NT_SUCCESS(MakeMdl(&block, &mdl)))
        return STATUS_INSUFFICIENT_RESOURCES;
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    if (Request->Wrong)
        MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess); /* HERE */
    MmUnlockPages(mdl);
    return FreeMdl(block, mdl);
}

NTSTATUS NTAPI LOCKED_HIGH(PVERIFY_REQUEST Request)
{
    PVOID block;
    PMDL mdl;
    KIRQL old;

    if (!NT_SUCCESS(MakeMdl(&block, &mdl)))
        return STATUS_INSUFFICIENT_RESOURCES;
    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL + 1 : DISPATCH_LEVEL, &old);
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess); /* HERE */
    MmUnlockPages(mdl);
    KeLowerIrql(old);
    return FreeMdl(block, mdl);
}

NTSTATUS NTAPI UNLOCKED_TWICE(PVERIFY_REQUEST Request)
{
    PVOID block;
    PMDL mdl;

    if (!NT_SUCCESS(MakeMdl(&block, &mdl)))
        return STATUS_INSUFFICIENT_RESOURCES;
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    MmUnlockPages(mdl);
    if (Request->Wrong)
        MmUnlockPages(mdl); /* HERE */
    return FreeMdl(block, mdl);
}

NTSTATUS NTAPI UNLOCKED_NONPAGED(PVERIFY_REQUEST Request)
{
    PVOID block;
    PMDL mdl;

    if (!NT_SUCCESS(MakeMdl(&block, &mdl)))
        return STATUS_INSUFFICIENT_RESOURCES;
    MmBuildMdlForNonPagedPool(mdl);
    if (Request->Wrong)
        MmUnlockPages(mdl); /* HERE */
    return FreeMdl(block, mdl);
}

NTSTATUS NTAPI UNLOCKED_PARTIAL(PVERIFY_REQUEST Request)
{
    PVOID block;
    PMDL mdl, partial;

    if (!NT_SUCCESS(MakeMdl(&block, &mdl)))
        return STATUS_INSUFFICIENT_RESOURCES;
    partial = IoAllocateMdl(block, 64, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    if (partial) {
        IoBuildPartialMdl(mdl, partial, block, 16);
        if (Request->Wrong)
            MmUnlockPages(partial); /* HERE */
        IoFreeMdl(partial);
    }
    MmUnlockPages(mdl);
    return FreeMdl(block, mdl);
}

NTSTATUS NTAPI MAPPED_THE_OLD_WAY(PVERIFY_REQUEST Request)
{
    PVOID block, address;
    PMDL mdl;

    if (!NT_SUCCESS(MakeMdl(&block, &mdl)))
        return STATUS_INSUFFICIENT_RESOURCES;
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    if (Request->Wrong)
        MmMapLockedPages(mdl, KernelMode); /* HERE */
    address = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    MmUnlockPages(mdl);
    FreeMdl(block, mdl);
    return address ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI MAPPED_OR_STOPPED(PVERIFY_REQUEST Request)
{
    PVOID block, address;
    PMDL mdl;

    if (!NT_SUCCESS(MakeMdl(&block, &mdl)))
        return STATUS_INSUFFICIENT_RESOURCES;
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    address =
        MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, Request->Wrong, NormalPagePriority); /* HERE */
    MmUnlockPages(mdl);
    FreeMdl(block, mdl);
    return address ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI MDL_FREED_LOCKED(PVERIFY_REQUEST Request)
{
    PVOID block;
    PMDL mdl;

    if (!NT_SUCCESS(MakeMdl(&block, &mdl)))
        return STATUS_INSUFFICIENT_RESOURCES;
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    if (!Request->Wrong)
        MmUnlockPages(mdl);
    IoFreeMdl(mdl); /* HERE */
    ExFreePoolWithTag(block, VERIFY_TAG);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI MDL_FREED_MAPPED(PVERIFY_REQUEST Request)
{
    PHYSICAL_ADDRESS low = {.QuadPart = 0}, high = {.QuadPart = -1}, skip = {.QuadPart = 0};
    PMDL mdl = MmAllocatePagesForMdl(low, high, skip, PAGE_SIZE);
    PVOID address;

    if (!mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    address = MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    if (address && !Request->Wrong)
        MmUnmapLockedPages(address, mdl);
    if (!Request->Wrong)
        MmFreePagesFromMdl(mdl);
    ExFreePool(mdl); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI PAGES_LEFT_LOCKED(PVERIFY_REQUEST Request)
{
    PVOID block;
    PMDL mdl;

    if (!NT_SUCCESS(MakeMdl(&block, &mdl)))
        return STATUS_INSUFFICIENT_RESOURCES;
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess); /* HERE */
    if (Request->Wrong)
        return STATUS_SUCCESS;
    MmUnlockPages(mdl);
    return FreeMdl(block, mdl);
}
