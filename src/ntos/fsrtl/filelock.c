/*
 * filelock.c - byte-range locks of a file: granting, waiting, unlocking, and what they let others read and write.
 *
 * A lock belongs to a file object, a process and a key. Exclusive locks overlap nothing; a shared lock may overlap
 * shared ones and its owner's exclusive one (LockFileEx). Nobody writes in a shared lock, its owner included.
 */
#include "filelock.h"

struct waiter {
    struct fsrtl_wait wait;
    struct held *held; /* to be */
    PCOMPLETE_LOCK_IRP_ROUTINE routine;
    PVOID context;
};

static bool conflicts(const struct locks *locks, const FILE_LOCK_INFO *wanted)
{
    for (LIST_ENTRY *entry = locks->held.Flink; entry != &locks->held; entry = entry->Flink) {
        const FILE_LOCK_INFO *other = &CONTAINING_RECORD(entry, struct held, link)->info;
        bool may = !wanted->ExclusiveLock && (!other->ExclusiveLock || same_owner(wanted, other));
        if (!may && overlap(wanted, other))
            return true;
    }
    return false;
}

/* ---- life of a FILE_LOCK ---- */

VOID NTAPI FsRtlInitializeFileLock(PFILE_LOCK FileLock, PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine,
                                   PUNLOCK_ROUTINE UnlockRoutine)
{
    *FileLock = (FILE_LOCK){.CompleteLockIrpRoutine = CompleteLockIrpRoutine, .UnlockRoutine = UnlockRoutine};
}

/* The lock's lists, made with the first lock and seen by the driver's leak report. Null: memory is short. */
static struct locks *locks_of(PFILE_LOCK file_lock)
{
    struct locks *locks = __atomic_load_n(&file_lock->LockInformation, __ATOMIC_ACQUIRE);
    if (locks)
        return locks;
    struct locks *fresh =
        mm_pool_allocate(sizeof(*fresh), FSRTL_TAG, MM_POOL_ZERO, MM_POOL_DRIVER, seh_export_caller());
    if (!fresh)
        return NULL;
    InitializeListHead(&fresh->held);
    InitializeListHead(&fresh->waiting);
    PVOID none = NULL;
    if (__atomic_compare_exchange_n(&file_lock->LockInformation, &none, fresh, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return fresh;
    mm_pool_free(fresh, FSRTL_TAG, seh_export_caller());
    return none;
}

static void driver_completes(PCOMPLETE_LOCK_IRP_ROUTINE routine, PVOID context, PIRP irp, NTSTATUS status,
                             NTSTATUS *answer)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    *answer = STATUS_SUCCESS;
    if (routine)
        *answer = (NTSTATUS)seh_driver_call((ULONG_PTR)routine, (ULONG_PTR)context, (ULONG_PTR)irp, 0, 0);
    else
        IofCompleteRequest(irp, IO_NO_INCREMENT);
}

static void waiter_free(struct waiter *waiter)
{
    if (waiter->held)
        mm_heap_free(waiter->held, FSRTL_TAG);
    mm_heap_free(waiter, FSRTL_TAG);
}

static void waiter_cancelled(struct fsrtl_wait *wait, PIRP irp)
{
    struct waiter *waiter = CONTAINING_RECORD(wait, struct waiter, wait);
    NTSTATUS answer;
    driver_completes(waiter->routine, waiter->context, irp, STATUS_CANCELLED, &answer);
    waiter_free(waiter);
}

static void free_held(struct locks *locks)
{
    while (!IsListEmpty(&locks->held))
        mm_heap_free(CONTAINING_RECORD(RemoveHeadList(&locks->held), struct held, link), FSRTL_TAG);
}

/* Ends all locks without UnlockRoutine; requests that wait for one are cancelled. */
VOID NTAPI FsRtlUninitializeFileLock(PFILE_LOCK FileLock)
{
    struct locks *locks = FileLock->LockInformation;
    if (!locks)
        return;
    KIRQL irql = fsrtl_lock();
    while (!IsListEmpty(&locks->waiting)) {
        PIRP irp = fsrtl_irp_of(locks->waiting.Flink);
        bool taken = fsrtl_wait_take(irp);
        fsrtl_unlock(irql);
        if (taken)
            waiter_cancelled(fsrtl_wait_of(irp), irp);
        else
            plat_yield();
        irql = fsrtl_lock();
    }
    free_held(locks);
    FileLock->LockInformation = NULL;
    FileLock->FastIoIsQuestionable = FALSE;
    fsrtl_unlock(irql);
    mm_pool_free(locks, FSRTL_TAG, seh_export_caller());
}

/* Null: memory is short. */
PFILE_LOCK NTAPI FsRtlAllocateFileLock(PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine, PUNLOCK_ROUTINE UnlockRoutine)
{
    PFILE_LOCK file_lock = mm_pool_allocate(sizeof(*file_lock), FSRTL_TAG, 0, MM_POOL_DRIVER, seh_export_caller());
    if (file_lock)
        FsRtlInitializeFileLock(file_lock, CompleteLockIrpRoutine, UnlockRoutine);
    return file_lock;
}

VOID NTAPI FsRtlFreeFileLock(PFILE_LOCK FileLock)
{
    FsRtlUninitializeFileLock(FileLock);
    mm_pool_free(FileLock, FSRTL_TAG, seh_export_caller());
}

/* ---- granting ---- */

static void grant(PFILE_LOCK file_lock, struct locks *locks, struct held *held)
{
    held->serial = ++locks->serial;
    InsertTailList(&locks->held, &held->link);
    file_lock->FastIoIsQuestionable = TRUE;
}

/* A driver that refuses to complete a granted request loses the lock. */
static void refused(PFILE_LOCK file_lock, ULONG_PTR serial)
{
    struct locks *locks = file_lock->LockInformation;
    KIRQL irql = fsrtl_lock();
    for (LIST_ENTRY *entry = locks->held.Flink; entry != &locks->held; entry = entry->Flink) {
        struct held *held = CONTAINING_RECORD(entry, struct held, link);
        if (held->serial != serial)
            continue;
        RemoveEntryList(entry);
        mm_heap_free(held, FSRTL_TAG);
        break;
    }
    file_lock->FastIoIsQuestionable = !IsListEmpty(&locks->held);
    fsrtl_unlock(irql);
}

/* The first request that can have its lock now has it. Under the lock. */
static PIRP grant_next(PFILE_LOCK file_lock, struct locks *locks, ULONG_PTR *serial)
{
    for (LIST_ENTRY *entry = locks->waiting.Flink, *next; entry != &locks->waiting; entry = next) {
        PIRP irp = fsrtl_irp_of(entry);
        struct waiter *waiter = CONTAINING_RECORD(fsrtl_wait_of(irp), struct waiter, wait);
        next = entry->Flink;
        if (conflicts(locks, &waiter->held->info) || !fsrtl_wait_take(irp))
            continue;
        grant(file_lock, locks, waiter->held);
        waiter->held = NULL;
        *serial = locks->serial;
        return irp;
    }
    return NULL;
}

static void serve_waiters(PFILE_LOCK file_lock, struct locks *locks)
{
    for (ULONG_PTR serial;;) {
        KIRQL irql = fsrtl_lock();
        PIRP irp = grant_next(file_lock, locks, &serial);
        fsrtl_unlock(irql);
        if (!irp)
            return;
        struct waiter *waiter = CONTAINING_RECORD(fsrtl_wait_of(irp), struct waiter, wait);
        NTSTATUS answer;
        driver_completes(waiter->routine, waiter->context, irp, STATUS_SUCCESS, &answer);
        waiter_free(waiter);
        if (!NT_SUCCESS(answer))
            refused(file_lock, serial);
    }
}

static struct waiter *waiter_new(PFILE_LOCK file_lock, const FILE_LOCK_INFO *info, PVOID context)
{
    struct waiter *waiter = mm_heap_allocate(sizeof(*waiter), FSRTL_TAG);
    struct held *held = waiter ? mm_heap_allocate(sizeof(*held), FSRTL_TAG) : NULL;
    if (!held) {
        if (waiter)
            mm_heap_free(waiter, FSRTL_TAG);
        return NULL;
    }
    held->info = *info;
    *waiter = (struct waiter){.wait = {.cancelled = waiter_cancelled},
                              .held = held,
                              .routine = file_lock->CompleteLockIrpRoutine,
                              .context = context};
    return waiter;
}

/* STATUS_PENDING: irp waits, or, without one, somebody should. */
static NTSTATUS try_lock(PFILE_LOCK file_lock, const FILE_LOCK_INFO *info, bool fail_immediately, PIRP irp,
                         PVOID context, ULONG_PTR *serial)
{
    ULONG64 start = (ULONG64)info->StartingByte.QuadPart, length = (ULONG64)info->Length.QuadPart;
    if (length && start + (length - 1) < start)
        return STATUS_INVALID_LOCK_RANGE;
    struct locks *locks = locks_of(file_lock);
    struct waiter *waiter = locks ? waiter_new(file_lock, info, context) : NULL;
    if (!waiter)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = STATUS_SUCCESS;
    KIRQL irql = fsrtl_lock();
    if (!conflicts(locks, info)) {
        grant(file_lock, locks, waiter->held);
        waiter->held = NULL;
        *serial = locks->serial;
    } else if (fail_immediately) {
        status = STATUS_LOCK_NOT_GRANTED;
    } else {
        status = !irp || fsrtl_wait_add(&locks->waiting, irp, &waiter->wait) ? STATUS_PENDING : STATUS_CANCELLED;
    }
    fsrtl_unlock(irql);
    if (status != STATUS_PENDING || !irp)
        waiter_free(waiter);
    return status;
}

/*
 * Locks a range. TRUE: IoStatus has the outcome (STATUS_LOCK_NOT_GRANTED, STATUS_INVALID_LOCK_RANGE); Irp, if there is
 * one, has been completed with it, or waits: STATUS_PENDING. FALSE: the lock must be waited for and there is no Irp.
 * Raises STATUS_INSUFFICIENT_RESOURCES. IRQL <= APC_LEVEL.
 */
BOOLEAN NTAPI FsRtlPrivateLock(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                               PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key, BOOLEAN FailImmediately,
                               BOOLEAN ExclusiveLock, PIO_STATUS_BLOCK IoStatus, PIRP Irp, PVOID Context,
                               BOOLEAN AlreadySynchronized)
{
    UNREFERENCED_PARAMETER(AlreadySynchronized);
    FILE_LOCK_INFO info = {.StartingByte = *FileOffset,
                           .Length = *Length,
                           .ExclusiveLock = ExclusiveLock,
                           .Key = Key,
                           .FileObject = FileObject,
                           .ProcessId = Process};
    info.EndingByte.QuadPart = (LONGLONG)((ULONG64)FileOffset->QuadPart + (ULONG64)Length->QuadPart - 1);
    __atomic_add_fetch(&FileLock->LockRequestsInProgress, 1, __ATOMIC_SEQ_CST);
    ULONG_PTR serial = 0;
    NTSTATUS status = try_lock(FileLock, &info, FailImmediately, Irp, Context, &serial), answer = STATUS_SUCCESS;
    IoStatus->Status = status;
    IoStatus->Information = 0;
    if (Irp && status != STATUS_PENDING)
        driver_completes(FileLock->CompleteLockIrpRoutine, Context, Irp, status, &answer);
    if (serial && !NT_SUCCESS(answer))
        refused(FileLock, serial);
    __atomic_sub_fetch(&FileLock->LockRequestsInProgress, 1, __ATOMIC_SEQ_CST);
    if (status == STATUS_INSUFFICIENT_RESOURCES && !Irp)
        ExRaiseStatus(status);
    return Irp || status != STATUS_PENDING;
}

/* ---- unlocking ---- */

enum scope { ONE, BY_KEY, ALL };

static bool to_unlock(const FILE_LOCK_INFO *info, const FILE_LOCK_INFO *wanted, enum scope scope, bool exclusive)
{
    if (info->FileObject != wanted->FileObject || info->ProcessId != wanted->ProcessId)
        return false;
    if (scope != ALL && info->Key != wanted->Key)
        return false;
    return scope != ONE || (info->StartingByte.QuadPart == wanted->StartingByte.QuadPart &&
                            info->Length.QuadPart == wanted->Length.QuadPart && info->ExclusiveLock == exclusive);
}

static bool collect(struct locks *locks, const FILE_LOCK_INFO *wanted, enum scope scope, bool exclusive,
                    LIST_ENTRY *ended)
{
    bool found = false;
    for (LIST_ENTRY *entry = locks->held.Flink, *next; entry != &locks->held; entry = next) {
        next = entry->Flink;
        if (!to_unlock(&CONTAINING_RECORD(entry, struct held, link)->info, wanted, scope, exclusive))
            continue;
        RemoveEntryList(entry);
        InsertTailList(ended, entry);
        found = true;
        if (scope == ONE)
            break;
    }
    return found;
}

/* Of two locks on the same range the exclusive one goes first. */
static NTSTATUS unlock(PFILE_LOCK file_lock, const FILE_LOCK_INFO *wanted, enum scope scope, PVOID context)
{
    struct locks *locks = __atomic_load_n(&file_lock->LockInformation, __ATOMIC_ACQUIRE);
    LIST_ENTRY ended;
    InitializeListHead(&ended);
    if (!locks)
        return STATUS_RANGE_NOT_LOCKED;
    KIRQL irql = fsrtl_lock();
    if (!collect(locks, wanted, scope, true, &ended))
        collect(locks, wanted, scope, false, &ended);
    file_lock->FastIoIsQuestionable = !IsListEmpty(&locks->held);
    fsrtl_unlock(irql);
    if (IsListEmpty(&ended))
        return STATUS_RANGE_NOT_LOCKED;
    while (!IsListEmpty(&ended)) {
        struct held *held = CONTAINING_RECORD(RemoveHeadList(&ended), struct held, link);
        if (file_lock->UnlockRoutine)
            seh_driver_call((ULONG_PTR)file_lock->UnlockRoutine, (ULONG_PTR)context, (ULONG_PTR)&held->info, 0, 0);
        mm_heap_free(held, FSRTL_TAG);
    }
    serve_waiters(file_lock, locks);
    return STATUS_SUCCESS;
}

/* Each of the three returns STATUS_RANGE_NOT_LOCKED if there is nothing to unlock. IRQL <= APC_LEVEL. */
NTSTATUS NTAPI FsRtlFastUnlockSingle(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                     PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key, PVOID Context,
                                     BOOLEAN AlreadySynchronized)
{
    UNREFERENCED_PARAMETER(AlreadySynchronized);
    FILE_LOCK_INFO wanted = {
        .StartingByte = *FileOffset, .Length = *Length, .Key = Key, .FileObject = FileObject, .ProcessId = Process};
    return unlock(FileLock, &wanted, ONE, Context);
}

NTSTATUS NTAPI FsRtlFastUnlockAll(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process, PVOID Context)
{
    FILE_LOCK_INFO wanted = {.FileObject = FileObject, .ProcessId = Process};
    return unlock(FileLock, &wanted, ALL, Context);
}

NTSTATUS NTAPI FsRtlFastUnlockAllByKey(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process, ULONG Key,
                                       PVOID Context)
{
    FILE_LOCK_INFO wanted = {.Key = Key, .FileObject = FileObject, .ProcessId = Process};
    return unlock(FileLock, &wanted, BY_KEY, Context);
}

/* ---- IRP_MJ_LOCK_CONTROL ---- */

/*
 * Does what an IRP_MJ_LOCK_CONTROL asks for and completes it, by CompleteLockIrpRoutine if there is one.
 * STATUS_PENDING: it waits for its lock. IRQL <= APC_LEVEL.
 */
NTSTATUS NTAPI FsRtlProcessFileLock(PFILE_LOCK FileLock, PIRP Irp, PVOID Context)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(Irp);
    PEPROCESS process = IoGetRequestorProcess(Irp);
    LARGE_INTEGER offset = stack->Parameters.LockControl.ByteOffset;
    ULONG key = stack->Parameters.LockControl.Key;
    PFILE_OBJECT file = stack->FileObject;
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST, answer;
    IO_STATUS_BLOCK result;
    switch (stack->MinorFunction) {
    case IRP_MN_LOCK:
        FsRtlPrivateLock(FileLock, file, &offset, stack->Parameters.LockControl.Length, process, key,
                         stack->Flags & SL_FAIL_IMMEDIATELY, (stack->Flags & SL_EXCLUSIVE_LOCK) != 0, &result, Irp,
                         Context, FALSE);
        return result.Status;
    case IRP_MN_UNLOCK_SINGLE:
        status = FsRtlFastUnlockSingle(FileLock, file, &offset, stack->Parameters.LockControl.Length, process, key,
                                       Context, FALSE);
        break;
    case IRP_MN_UNLOCK_ALL:
        status = FsRtlFastUnlockAll(FileLock, file, process, Context);
        break;
    case IRP_MN_UNLOCK_ALL_BY_KEY:
        status = FsRtlFastUnlockAllByKey(FileLock, file, process, key, Context);
        break;
    }
    driver_completes(FileLock->CompleteLockIrpRoutine, Context, Irp, status, &answer);
    return status;
}
