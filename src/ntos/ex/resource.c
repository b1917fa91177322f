/*
 * resource.c - executive resources: shared or exclusive ownership, recursive.
 *
 * The documented structure is kept: OwnerEntry is the exclusive owner, or the first shared one; further shared owners
 * stand in OwnerTable, which grows in pool. All state is guarded by the dispatcher lock; a waiter sleeps on it and
 * looks again. A waiting exclusive request keeps new shared owners out, as documented, except those that own the
 * resource already.
 */
#include "ex.h"
#include "arch.h"
#include "rtl.h"
#include "verify.h"

#define OWNED_EXCLUSIVE 0x80 /* ERESOURCE.Flag */
#define TABLE_TAG       RTL_TAG('R', 'e', 's', 'T')

enum { FIRST_TABLE = 8 };

static void verify_delete(PERESOURCE resource)
{
    if (!ke_track_remove(KE_TRACK_RESOURCE, resource))
        ke_violation(0xD1, (ULONG_PTR)resource, 0, 0, "a resource is deleted that was not initialized");
    if (resource->ActiveCount)
        ke_violation(0x100B, (ULONG_PTR)resource, resource->OwnerEntry.OwnerThread, 0,
                     "a resource is deleted that a thread still owns");
}

static void verify_acquire(PERESOURCE resource)
{
    if ((ULONG_PTR)resource % sizeof(PVOID))
        ke_violation(0x3D, 0, 0, (ULONG_PTR)resource, "a resource is not aligned to the size of a pointer");
    ke_verify_apcs_disabled(0x37, resource, "a resource is acquired while normal kernel APCs are not disabled");
}

NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource)
{
    if (ke_verify && !ke_track_add(KE_TRACK_RESOURCE, Resource))
        ke_violation(0xD0, (ULONG_PTR)Resource, 0, 0, "a resource is initialized that is in use");
    __builtin_memset(Resource, 0, sizeof(*Resource));
    InitializeListHead(&Resource->SystemResourcesList);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource)
{
    if (ke_verify)
        verify_delete(Resource);
    if (Resource->OwnerTable)
        mm_pool_free(Resource->OwnerTable, TABLE_TAG, 0);
    Resource->OwnerTable = NULL;
    return STATUS_SUCCESS;
}

/* Entry 0 of the table holds its size in TableSize; the others are owners. Lock held. */
static OWNER_ENTRY *find_owner(PERESOURCE resource, ULONG_PTR thread)
{
    if (resource->OwnerEntry.OwnerThread == thread && resource->OwnerEntry.OwnerCount)
        return &resource->OwnerEntry;
    for (ULONG i = 1; resource->OwnerTable && i < resource->OwnerTable->TableSize; i++)
        if (resource->OwnerTable[i].OwnerThread == thread)
            return &resource->OwnerTable[i];
    return NULL;
}

/* A free entry, growing the table if need be; null: no memory. Lock held. */
static OWNER_ENTRY *free_owner(PERESOURCE resource)
{
    if (!resource->OwnerEntry.OwnerThread)
        return &resource->OwnerEntry;
    OWNER_ENTRY *old = resource->OwnerTable, *entry = find_owner(resource, 0);
    if (entry)
        return entry;
    ULONG size = old ? old->TableSize * 2 : FIRST_TABLE;
    OWNER_ENTRY *table = mm_pool_allocate(size * sizeof(*table), TABLE_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!table)
        return NULL;
    if (old)
        __builtin_memcpy(table, old, old->TableSize * sizeof(*table));
    entry = &table[old ? old->TableSize : 1];
    table->TableSize = size;
    resource->OwnerTable = table;
    if (old)
        mm_pool_free(old, TABLE_TAG, 0);
    return entry;
}

static bool is_exclusive(const ERESOURCE *resource)
{
    return resource->Flag & OWNED_EXCLUSIVE;
}

/* Who goes before whom: of a shared request and the exclusive ones that wait already. */
enum turn { TURN_FIRST, TURN_AFTER_UNLESS_OWNER, TURN_AFTER };

/* Takes the resource if that is possible now. Lock held. */
static bool try_take(PERESOURCE resource, bool exclusive, enum turn turn)
{
    ULONG_PTR self = (ULONG_PTR)ke_thread_current();
    OWNER_ENTRY *mine = find_owner(resource, self);
    if (resource->ActiveCount) {
        bool last = turn == TURN_AFTER && !is_exclusive(resource) && resource->NumberOfExclusiveWaiters;
        bool recursion = mine && (is_exclusive(resource) || !exclusive) && !last;
        bool join =
            !exclusive && !is_exclusive(resource) && (turn == TURN_FIRST || !resource->NumberOfExclusiveWaiters);
        if (!recursion && !join)
            return false;
    }
    if (mine) {
        mine->OwnerCount++;
        return true;
    }
    OWNER_ENTRY *entry = free_owner(resource);
    if (!entry)
        return false;
    entry->OwnerThread = self;
    entry->TableSize = 0;
    entry->OwnerCount = 1;
    resource->ActiveCount = 1;
    resource->ActiveEntries++;
    if (exclusive)
        resource->Flag |= OWNED_EXCLUSIVE;
    return true;
}

/* A bad pointer faults here, before the lock is held: a read of what stays as it was initialized. */
static void touch(const ERESOURCE *resource)
{
    (void)*(LIST_ENTRY *const volatile *)&resource->SystemResourcesList.Flink;
}

static BOOLEAN acquire(PERESOURCE resource, BOOLEAN wait, bool exclusive, enum turn turn)
{
    if (ke_verify)
        verify_acquire(resource);
    if (wait && arch_self()->irql >= DISPATCH_LEVEL)
        ke_bugcheck_because(BUGCHECK_ATTEMPTED_SWITCH_FROM_DPC,
                            (ULONG_PTR[4]){(ULONG_PTR)ke_thread_current(), (ULONG_PTR)resource, arch_self()->irql, 0},
                            "a resource is waited for at DISPATCH_LEVEL or above");
    touch(resource);
    plat_lock_acquire(&ke_dispatcher_lock);
    bool taken = try_take(resource, exclusive, turn);
    if (!taken && wait) {
        ULONG *waiters = exclusive ? &resource->NumberOfExclusiveWaiters : &resource->NumberOfSharedWaiters;
        ++*waiters;
        resource->ContentionCount++;
        while (!(taken = try_take(resource, exclusive, turn)))
            plat_lock_wait(&ke_dispatcher_lock, UINT64_MAX);
        --*waiters;
    }
    plat_lock_release(&ke_dispatcher_lock);
    return taken;
}

/* TRUE: acquired. FALSE: Wait is FALSE and it is not free. Normal kernel APCs must be disabled. IRQL <= APC_LEVEL to
 * wait. */
BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    return acquire(Resource, Wait, true, TURN_AFTER_UNLESS_OWNER);
}

BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    return acquire(Resource, Wait, false, TURN_AFTER_UNLESS_OWNER);
}

/* Shared, even past waiting exclusive requests. */
BOOLEAN NTAPI ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    return acquire(Resource, Wait, false, TURN_FIRST);
}

/* Shared, after exclusive requests that wait, even where the thread has it shared already. */
BOOLEAN NTAPI ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    return acquire(Resource, Wait, false, TURN_AFTER);
}

/* Bug check 0xE3 RESOURCE_NOT_OWNED: the thread does not own it. */
VOID NTAPI ExReleaseResourceForThreadLite(PERESOURCE Resource, ULONG_PTR ResourceThreadId)
{
    if (ke_verify)
        ke_verify_apcs_disabled(0x38, Resource, "a resource is released while normal kernel APCs are not disabled");
    touch(Resource);
    plat_lock_acquire(&ke_dispatcher_lock);
    OWNER_ENTRY *entry = ResourceThreadId ? find_owner(Resource, ResourceThreadId) : NULL;
    if (entry && --entry->OwnerCount == 0) {
        entry->OwnerThread = 0;
        if (--Resource->ActiveEntries == 0) {
            Resource->ActiveCount = 0;
            Resource->Flag &= (USHORT)~OWNED_EXCLUSIVE;
        }
        plat_lock_wake_all(&ke_dispatcher_lock);
    }
    plat_lock_release(&ke_dispatcher_lock);
    if (!entry)
        ke_bugcheck_because(BUGCHECK_RESOURCE_NOT_OWNED,
                            (ULONG_PTR[4]){(ULONG_PTR)Resource, ResourceThreadId, (ULONG_PTR)Resource->OwnerTable, 1},
                            "a thread releases a resource it does not own");
}

VOID NTAPI ExReleaseResourceLite(PERESOURCE Resource)
{
    ExReleaseResourceForThreadLite(Resource, (ULONG_PTR)ke_thread_current());
}

/*
 * Hands the running thread's ownership to OwnerPointer (its two low bits set), under which
 * ExReleaseResourceForThreadLite then releases it. Bug check 0xE3: the thread does not own it.
 */
VOID NTAPI ExSetResourceOwnerPointer(PERESOURCE Resource, PVOID OwnerPointer)
{
    touch(Resource);
    plat_lock_acquire(&ke_dispatcher_lock);
    OWNER_ENTRY *mine = find_owner(Resource, (ULONG_PTR)ke_thread_current());
    OWNER_ENTRY *theirs = find_owner(Resource, (ULONG_PTR)OwnerPointer);
    if (mine && theirs) {
        theirs->OwnerCount += mine->OwnerCount;
        mine->OwnerCount = 0;
        mine->OwnerThread = 0;
        Resource->ActiveEntries--;
    } else if (mine) {
        mine->OwnerThread = (ULONG_PTR)OwnerPointer;
    }
    plat_lock_release(&ke_dispatcher_lock);
    if (!mine)
        ke_bugcheck_because(BUGCHECK_RESOURCE_NOT_OWNED, (ULONG_PTR[4]){(ULONG_PTR)Resource, 0, 0, 1},
                            "the owner of a resource is set by a thread that does not own it");
}

/* An exclusive owner becomes a shared one. */
VOID NTAPI ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    Resource->Flag &= (USHORT)~OWNED_EXCLUSIVE;
    plat_lock_wake_all(&ke_dispatcher_lock);
    plat_lock_release(&ke_dispatcher_lock);
}

static ULONG owned(PERESOURCE resource, bool exclusive)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    OWNER_ENTRY *entry = find_owner(resource, (ULONG_PTR)ke_thread_current());
    ULONG count = entry && (!exclusive || is_exclusive(resource)) ? entry->OwnerCount : 0;
    plat_lock_release(&ke_dispatcher_lock);
    return count;
}

BOOLEAN NTAPI ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    return owned(Resource, true) != 0;
}

/* How often the calling thread owns it, either way. */
ULONG NTAPI ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
    return owned(Resource, false);
}

static ULONG waiters(const ERESOURCE *resource, const ULONG *count)
{
    touch(resource);
    plat_lock_acquire(&ke_dispatcher_lock);
    ULONG waiting = *count;
    plat_lock_release(&ke_dispatcher_lock);
    return waiting;
}

ULONG NTAPI ExGetExclusiveWaiterCount(PERESOURCE Resource)
{
    return waiters(Resource, &Resource->NumberOfExclusiveWaiters);
}

ULONG NTAPI ExGetSharedWaiterCount(PERESOURCE Resource)
{
    return waiters(Resource, &Resource->NumberOfSharedWaiters);
}
