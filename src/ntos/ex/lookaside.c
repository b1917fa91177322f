/*
 * lookaside.c - lookaside lists.
 *
 * Drivers allocate from a list and free to it in code of their own, inlined from the headers, over the structure that
 * is filled in here. A list keeps no blocks (its depth is 0): each free goes to the pool at once, so that the use of a
 * freed block is seen there.
 */
#include "wdk/lookaside.h"
#include "ex.h"
#include "rtl.h"
#include "seh.h"
#include "verify.h"

/* A pool routine as driver code must call it. Without a loader there is no driver code. */
static void *for_drivers(const char *name, void *direct)
{
    void *routine = mm_routine_lookup ? mm_routine_lookup(name) : NULL;
    return routine ? routine : direct;
}

static void verify_initialize(GENERAL_LOOKASIDE_POOL *list, SIZE_T size)
{
    if (size < sizeof(SLIST_ENTRY))
        ke_violation(0xCD, (ULONG_PTR)list, size, sizeof(SLIST_ENTRY),
                     "the blocks of a lookaside list are too small to be linked");
    if (!ke_track_add(KE_TRACK_LOOKASIDE, list))
        ke_violation(0xCA, (ULONG_PTR)list, 0, 0, "a lookaside list is initialized that is in use");
}

static void verify_delete(GENERAL_LOOKASIDE_POOL *list)
{
    if (!ke_track_remove(KE_TRACK_LOOKASIDE, list))
        ke_violation(0xCB, (ULONG_PTR)list, 0, 0, "a lookaside list is deleted that was not initialized");
}

static void initialize(GENERAL_LOOKASIDE_POOL *list, void *allocate, void *release, ULONG type, SIZE_T size, ULONG tag)
{
    if ((ULONG_PTR)list & 15)
        ExRaiseDatatypeMisalignment();
    if (ke_verify)
        verify_initialize(list, size);
    __builtin_memset(list, 0, sizeof(*list));
    list->MaximumDepth = 256;
    list->Type = (POOL_TYPE)type;
    list->Tag = tag;
    list->Size = size < sizeof(PVOID) ? sizeof(PVOID) : (ULONG)size;
    list->Allocate = allocate ? allocate : for_drivers("ExAllocatePoolWithTag", (void *)ExAllocatePoolWithTag);
    list->Free = release ? release : for_drivers("ExFreePool", (void *)ExFreePool);
    InitializeListHead(&list->ListEntry);
}

/*
 * Makes a list of nonpaged blocks of Size bytes. Allocate and Free, or the pool's if null, serve what the list has not.
 * Flags: POOL_RAISE_IF_ALLOCATION_FAILURE, POOL_NX_ALLOCATION, or 0. Depth is reserved. Raises
 * STATUS_DATATYPE_MISALIGNMENT if Lookaside is not aligned to 16. IRQL <= DISPATCH_LEVEL.
 */
VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
                                           PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    UNREFERENCED_PARAMETER(Depth);
    initialize(&Lookaside->L, (void *)Allocate, (void *)Free, NonPagedPool | Flags, Size, Tag);
}

/* The same with paged blocks. IRQL <= APC_LEVEL. */
VOID NTAPI ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
                                          PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    UNREFERENCED_PARAMETER(Depth);
    initialize(&Lookaside->L, (void *)Allocate, (void *)Free, PagedPool | Flags, Size, Tag);
}

/*
 * The same with any pool type; Allocate and Free are given the list. EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL makes an
 * allocation that fails raise. STATUS_INVALID_PARAMETER_5: both flags, or unknown ones. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate,
                                           PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG Flags, SIZE_T Size,
                                           ULONG Tag, USHORT Depth)
{
    UNREFERENCED_PARAMETER(Depth);
    if (Flags > EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE)
        return STATUS_INVALID_PARAMETER_5;
    ULONG type = PoolType | (Flags == EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL ? POOL_RAISE_IF_ALLOCATION_FAILURE : 0);
    initialize(&Lookaside->L, (void *)Allocate, (void *)Free, type, Size, Tag);
    return STATUS_SUCCESS;
}

/* The defaults are thunks for drivers; from here the routines themselves are called. */
static void release_block(GENERAL_LOOKASIDE_POOL *list, void *block, bool extended)
{
    if ((void *)list->Free == for_drivers("ExFreePool", (void *)ExFreePool))
        ExFreePool(block);
    else if (extended)
        list->FreeEx(block, CONTAINING_RECORD(list, LOOKASIDE_LIST_EX, L));
    else
        list->Free(block);
}

/* Frees the blocks that a driver has put on the list by itself. */
static void flush(GENERAL_LOOKASIDE_POOL *list, bool extended)
{
    PSLIST_ENTRY entry = ExpInterlockedFlushSList(&list->ListHead);
    while (entry) {
        PSLIST_ENTRY next = entry->Next;
        release_block(list, entry, extended);
        entry = next;
    }
}

/* Empties the list; it must not be used again. IRQL <= DISPATCH_LEVEL, paged lists <= APC_LEVEL. */
VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    if (ke_verify)
        verify_delete(&Lookaside->L);
    flush(&Lookaside->L, false);
}

VOID NTAPI ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    if (ke_verify)
        verify_delete(&Lookaside->L);
    flush(&Lookaside->L, false);
}

VOID NTAPI ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    if (ke_verify)
        verify_delete(&Lookaside->L);
    flush(&Lookaside->L, true);
}

/* Empties the list. */
VOID NTAPI ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    flush(&Lookaside->L, true);
}

/* A block of the list, or a fresh one; null or, as the list's flags say, an exception if there is none. */
PVOID NTAPI ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    GENERAL_LOOKASIDE_POOL *list = &Lookaside->L;
    list->TotalAllocates++;
    PVOID block = ExpInterlockedPopEntrySList(&list->ListHead);
    if (block)
        return block;
    list->AllocateMisses++;
    if ((void *)list->Allocate == for_drivers("ExAllocatePoolWithTag", (void *)ExAllocatePoolWithTag))
        return ExAllocatePoolWithTag(list->Type, list->Size, list->Tag);
    return list->Allocate(list->Type, list->Size, list->Tag);
}

VOID NTAPI ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
    GENERAL_LOOKASIDE_POOL *list = &Lookaside->L;
    list->TotalFrees++;
    if (ExQueryDepthSList(&list->ListHead) < list->Depth) {
        ExpInterlockedPushEntrySList(&list->ListHead, Entry);
        return;
    }
    list->FreeMisses++;
    release_block(list, Entry, false);
}
