/*
 * slist.c - sequenced singly linked lists (SLIST_HEADER), and the older lists and numbers under a spin lock.
 *
 * Drivers see the header's fields only through our functions, so each change is made under a lock of ours chosen by the
 * header's address: no thread then follows an entry that another has popped and freed. An entry outside system space is
 * a corrupt list: bug check 0x139 with code 3. Any IRQL.
 */
#include "ex.h"
#include "rtl.h"
#include "seh.h"
#include "wdk/sync.h"

#define REGION_FLAGS 0xFull /* the low bits of Region are not the address's */

enum { LOCKS = 64 };
static bool locks[LOCKS];

static bool *lock_of(PSLIST_HEADER head)
{
    bool *lock = &locks[((ULONG_PTR)head >> 4) % LOCKS];
    while (__atomic_test_and_set(lock, __ATOMIC_ACQUIRE))
        plat_yield();
    return lock;
}

static void unlock(bool *lock)
{
    __atomic_clear(lock, __ATOMIC_RELEASE);
}

/* The header is touched before its lock is taken, so that a bad one faults while nothing is held. */
static void check_header(PSLIST_HEADER head)
{
    if ((ULONG_PTR)head & 15)
        ExRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
    if ((ULONG_PTR)head < plat_layout.system_start)
        rtl_corrupt(RTL_CORRUPT_LIST, head, "the header of a sequenced list is not in system space");
    __atomic_fetch_add(&head->Region, 0, __ATOMIC_RELAXED);
}

static PSLIST_ENTRY first_of(const SLIST_HEADER *head)
{
    return (PSLIST_ENTRY)(ULONG_PTR)(__atomic_load_n(&head->Region, __ATOMIC_RELAXED) & ~REGION_FLAGS);
}

static void check_entry(const SLIST_ENTRY *entry)
{
    if ((ULONG_PTR)entry < plat_layout.system_start || (ULONG_PTR)entry & 15)
        rtl_corrupt(RTL_CORRUPT_LIST, entry, "an entry of a sequenced list is corrupt (or was freed while listed)");
}

static void set_head(PSLIST_HEADER head, PSLIST_ENTRY first, ULONGLONG depth)
{
    ULONGLONG sequence = (head->Alignment >> 16) + 1, region = __atomic_load_n(&head->Region, __ATOMIC_RELAXED);
    __atomic_store_n(&head->Alignment, sequence << 16 | (depth & 0xFFFF), __ATOMIC_RELAXED);
    __atomic_store_n(&head->Region, (ULONG_PTR)first | (region & REGION_FLAGS), __ATOMIC_RELEASE);
}

/* ListHead is 16-byte aligned, else STATUS_DATATYPE_MISALIGNMENT is raised. */
VOID NTAPI InitializeSListHead(PSLIST_HEADER ListHead)
{
    if ((ULONG_PTR)ListHead & 15)
        ExRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
    *ListHead = (SLIST_HEADER){.Alignment = 0, .Region = 0};
}

/* Returns what was the first entry before; null: the list was empty. */
PSLIST_ENTRY NTAPI ExpInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
    check_header(ListHead);
    check_entry(ListEntry);
    ListEntry->Next = NULL;
    bool *lock = lock_of(ListHead);
    PSLIST_ENTRY first = first_of(ListHead);
    ListEntry->Next = first;
    set_head(ListHead, ListEntry, ListHead->Alignment + 1);
    unlock(lock);
    return first;
}

/* The first entry, taken off; null: the list is empty. */
PSLIST_ENTRY NTAPI ExpInterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
    check_header(ListHead);
    bool *lock = lock_of(ListHead);
    PSLIST_ENTRY first = first_of(ListHead);
    if (first) {
        check_entry(first);
        PSLIST_ENTRY next = first->Next;
        if (next)
            check_entry(next);
        set_head(ListHead, next, ListHead->Alignment - 1);
    }
    unlock(lock);
    return first;
}

/* Takes all entries off and returns the first. */
PSLIST_ENTRY NTAPI ExpInterlockedFlushSList(PSLIST_HEADER ListHead)
{
    check_header(ListHead);
    bool *lock = lock_of(ListHead);
    PSLIST_ENTRY first = first_of(ListHead);
    if (first)
        set_head(ListHead, NULL, 0);
    unlock(lock);
    return first;
}

PSLIST_ENTRY NTAPI RtlFirstEntrySList(const SLIST_HEADER *ListHead)
{
    return (PSLIST_ENTRY)(ULONG_PTR)(__atomic_load_n(&ListHead->Region, __ATOMIC_ACQUIRE) & ~REGION_FLAGS);
}

/* The number of entries, modulo 65536. */
USHORT NTAPI ExQueryDepthSList(PSLIST_HEADER ListHead)
{
    return (USHORT)__atomic_load_n(&ListHead->Alignment, __ATOMIC_RELAXED);
}

/* ---- under a spin lock of the driver's ---- */

static KIRQL lock_driver(PKSPIN_LOCK lock)
{
    KIRQL old = KeGetCurrentIrql();
    if (old < DISPATCH_LEVEL)
        KfRaiseIrql(DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(lock);
    return old;
}

static void unlock_driver(PKSPIN_LOCK lock, KIRQL old)
{
    KeReleaseSpinLockFromDpcLevel(lock);
    KfLowerIrql(old);
}

/* Returns what was the first entry before. */
PSINGLE_LIST_ENTRY NTAPI ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry,
                                                    PKSPIN_LOCK Lock)
{
    KIRQL old = lock_driver(Lock);
    PSINGLE_LIST_ENTRY first = ListHead->Next;
    ListEntry->Next = first;
    ListHead->Next = ListEntry;
    unlock_driver(Lock, old);
    return first;
}

PSINGLE_LIST_ENTRY NTAPI ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    KIRQL old = lock_driver(Lock);
    PSINGLE_LIST_ENTRY first = ListHead->Next;
    if (first)
        ListHead->Next = first->Next;
    unlock_driver(Lock, old);
    return first;
}

/* Returns the value before the addition. */
LARGE_INTEGER NTAPI ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment, PKSPIN_LOCK Lock)
{
    KIRQL old = lock_driver(Lock);
    LARGE_INTEGER before = *Addend;
    Addend->QuadPart = (LONGLONG)((ULONGLONG)before.QuadPart + (ULONGLONG)Increment.QuadPart);
    unlock_driver(Lock, old);
    return before;
}
