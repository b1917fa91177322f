/*
 * lockcheck.c - what a file's byte-range locks allow others, and which there are.
 */
#include "filelock.h"

static BOOLEAN allowed(PFILE_LOCK file_lock, const FILE_LOCK_INFO *access, bool writes)
{
    struct locks *locks = __atomic_load_n(&file_lock->LockInformation, __ATOMIC_ACQUIRE);
    if (!locks || !access->Length.QuadPart)
        return TRUE;
    bool allowed_so_far = true;
    KIRQL irql = fsrtl_lock();
    for (LIST_ENTRY *entry = locks->held.Flink; allowed_so_far && entry != &locks->held; entry = entry->Flink) {
        const FILE_LOCK_INFO *lock = &CONTAINING_RECORD(entry, struct held, link)->info;
        bool may = lock->ExclusiveLock ? same_owner(access, lock) : !writes;
        allowed_so_far = may || !overlap(access, lock);
    }
    fsrtl_unlock(irql);
    return allowed_so_far;
}

static BOOLEAN request_allowed(PFILE_LOCK file_lock, PIRP irp, bool writes)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    FILE_LOCK_INFO access = {.StartingByte = stack->Parameters.Read.ByteOffset, /* Write has the same layout */
                             .Length.QuadPart = stack->Parameters.Read.Length,
                             .Key = stack->Parameters.Read.Key,
                             .FileObject = stack->FileObject,
                             .ProcessId = IoGetRequestorProcess(irp)};
    return allowed(file_lock, &access, writes);
}

/* Each of the four: may the range be read or written? IRQL <= APC_LEVEL. */
BOOLEAN NTAPI FsRtlCheckLockForReadAccess(PFILE_LOCK FileLock, PIRP Irp)
{
    return request_allowed(FileLock, Irp, false);
}

BOOLEAN NTAPI FsRtlCheckLockForWriteAccess(PFILE_LOCK FileLock, PIRP Irp)
{
    return request_allowed(FileLock, Irp, true);
}

BOOLEAN NTAPI FsRtlFastCheckLockForRead(PFILE_LOCK FileLock, PLARGE_INTEGER StartingByte, PLARGE_INTEGER Length,
                                        ULONG Key, PFILE_OBJECT FileObject, PVOID Process)
{
    FILE_LOCK_INFO access = {
        .StartingByte = *StartingByte, .Length = *Length, .Key = Key, .FileObject = FileObject, .ProcessId = Process};
    return allowed(FileLock, &access, false);
}

BOOLEAN NTAPI FsRtlFastCheckLockForWrite(PFILE_LOCK FileLock, PLARGE_INTEGER StartingByte, PLARGE_INTEGER Length,
                                         ULONG Key, PFILE_OBJECT FileObject, PVOID Process)
{
    FILE_LOCK_INFO access = {
        .StartingByte = *StartingByte, .Length = *Length, .Key = Key, .FileObject = FileObject, .ProcessId = Process};
    return allowed(FileLock, &access, true);
}

/*
 * A copy of the first lock (Restart) or of the next after the last one returned, in LastReturnedLockInfo; null: no
 * more. Locks that come and go in between do no harm. The caller serializes calls.
 */
PFILE_LOCK_INFO NTAPI FsRtlGetNextFileLock(PFILE_LOCK FileLock, BOOLEAN Restart)
{
    struct locks *locks = __atomic_load_n(&FileLock->LockInformation, __ATOMIC_ACQUIRE);
    ULONG_PTR last = Restart ? 0 : (ULONG_PTR)FileLock->LastReturnedLock;
    PFILE_LOCK_INFO found = NULL;
    if (!locks)
        return NULL;
    KIRQL irql = fsrtl_lock();
    for (LIST_ENTRY *entry = locks->held.Flink; !found && entry != &locks->held; entry = entry->Flink) {
        const struct held *held = CONTAINING_RECORD(entry, struct held, link);
        if (held->serial <= last)
            continue;
        FileLock->LastReturnedLock = (PVOID)held->serial;
        FileLock->LastReturnedLockInfo = held->info;
        found = &FileLock->LastReturnedLockInfo;
    }
    fsrtl_unlock(irql);
    return found;
}

/* Are there locks, requests that wait for one, or requests under way? IRQL <= DISPATCH_LEVEL. */
BOOLEAN NTAPI FsRtlAreThereCurrentOrInProgressFileLocks(PFILE_LOCK FileLock)
{
    struct locks *locks = __atomic_load_n(&FileLock->LockInformation, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&FileLock->LockRequestsInProgress, __ATOMIC_SEQ_CST))
        return TRUE;
    if (!locks)
        return FALSE;
    KIRQL irql = fsrtl_lock();
    bool any = !IsListEmpty(&locks->held) || !IsListEmpty(&locks->waiting);
    fsrtl_unlock(irql);
    return any;
}
