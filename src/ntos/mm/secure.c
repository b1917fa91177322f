/*
 * secure.c - MmSecureVirtualMemory: user ranges that can neither be freed nor made less accessible for a while.
 *
 * The platform refuses the user's change; here stand the documented modes and the table of who secured what.
 */
#include "mm_internal.h"

/*
 * Secures [Address, +Size) of the running process: PAGE_READONLY keeps it readable, PAGE_READWRITE writable too.
 * Returns what MmUnsecureVirtualMemory takes; null: the range is not so accessible now, not a user range, or another
 * ProbeMode. What user mode tries against it fails with STATUS_INVALID_PAGE_PROTECTION. IRQL <= APC_LEVEL.
 */
HANDLE NTAPI MmSecureVirtualMemory(PVOID Address, SIZE_T Size, ULONG ProbeMode)
{
    bool write = ProbeMode == PAGE_READWRITE || ProbeMode == PAGE_EXECUTE_READWRITE;
    void *handle;
    if (!write && ProbeMode != PAGE_READONLY && ProbeMode != PAGE_EXECUTE_READ)
        return NULL;
    if (!NT_SUCCESS(plat_user_secure((ULONG_PTR)Address, Size, write ? PLAT_WRITE : PLAT_READ, &handle)))
        return NULL;
    struct mm_hold hold = {.kind = MM_HOLD_SECURE,
                           .owner = MM_POOL_DRIVER,
                           .caller = seh_export_caller(),
                           .base = (ULONG_PTR)handle,
                           .process = ke_thread_current()->Process,
                           .handle = handle};
    if (!mm_hold_add(&hold)) {
        plat_user_unsecure(handle);
        return NULL;
    }
    return handle;
}

/* Ends it. Bug check 0x1A: the handle is not of MmSecureVirtualMemory, or was given back. */
VOID NTAPI MmUnsecureVirtualMemory(HANDLE SecureHandle)
{
    struct mm_hold hold;
    if (!mm_hold_find(MM_HOLD_SECURE, NULL, (ULONG_PTR)SecureHandle, &hold) || hold.handle != SecureHandle ||
        !mm_hold_take(MM_HOLD_SECURE, NULL, (ULONG_PTR)SecureHandle, &hold) || !plat_user_unsecure(hold.handle))
        mm_mistake(BUGCHECK_MEMORY_MANAGEMENT, 0x1000, NULL, (ULONG_PTR)SecureHandle,
                   "MmUnsecureVirtualMemory was given a handle that does not exist (any more)");
}
