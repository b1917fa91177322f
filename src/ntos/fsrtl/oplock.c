/*
 * oplock.c - opportunistic locks: level 1, batch and filter, of which a file has one, and level 2, which many may hold;
 * breaking them, and waiting until their owner has acknowledged it.
 *
 * The request that asked for an oplock is pending as long as it is held; its completion is the break. The oplocks of
 * Windows 7 (FSCTL_REQUEST_OPLOCK) are never granted.
 */
#include "fsrtl_irps.h"
#include "wdk/fileinfo.h"

enum kind { NOT_HELD, LEVEL_1, BATCH, FILTER };
enum breaking { NO_BREAK, TO_LEVEL_2, TO_NONE, UNTIL_CLOSE };

struct oplock {
    enum kind kind;
    enum breaking breaking;
    bool none_wanted;       /* somebody waits who must not leave a level 2 oplock */
    PFILE_OBJECT owner;     /* of kind, also while it breaks */
    LIST_ENTRY holder;      /* the exclusive one's request, until it breaks */
    LIST_ENTRY level_2;     /* requests */
    LIST_ENTRY notified;    /* FSCTL_OPLOCK_BREAK_NOTIFY */
    LIST_ENTRY posted;      /* requests that wait for the acknowledgement */
    LIST_ENTRY blocked;     /* struct blocked: threads that do */
    struct fsrtl_wait held; /* of holder */
};

struct posted {
    struct fsrtl_wait wait;
    POPLOCK_WAIT_COMPLETE_ROUTINE routine;
    PVOID context;
};

struct blocked {
    LIST_ENTRY link;
    KEVENT event;
};

/* What is to be done once the lock is released. */
struct after {
    LIST_ENTRY finished, resumed;
};

/* ---- requests that end ---- */

static void after_init(struct after *after)
{
    InitializeListHead(&after->finished);
    InitializeListHead(&after->resumed);
}

static void resume(struct fsrtl_wait *wait, PIRP irp, NTSTATUS status)
{
    struct posted *posted = CONTAINING_RECORD(wait, struct posted, wait);
    irp->IoStatus.Status = status;
    seh_driver_call((ULONG_PTR)posted->routine, (ULONG_PTR)posted->context, (ULONG_PTR)irp, 0, 0);
    mm_heap_free(posted, FSRTL_TAG);
}

static void after_run(struct after *after)
{
    while (!IsListEmpty(&after->finished))
        IofCompleteRequest(fsrtl_irp_of(RemoveHeadList(&after->finished)), IO_NO_INCREMENT);
    while (!IsListEmpty(&after->resumed)) {
        PIRP irp = fsrtl_irp_of(RemoveHeadList(&after->resumed));
        resume(fsrtl_wait_of(irp), irp, STATUS_SUCCESS);
    }
}

/* Moves the requests of file, or all if it is null, from list to to, with a result. */
static void move(LIST_ENTRY *list, PFILE_OBJECT file, ULONG_PTR information, LIST_ENTRY *to)
{
    for (LIST_ENTRY *entry = list->Flink, *next; entry != list; entry = next) {
        PIRP irp = fsrtl_irp_of(entry);
        next = entry->Flink;
        if ((file && IoGetCurrentIrpStackLocation(irp)->FileObject != file) || !fsrtl_wait_take(irp))
            continue;
        irp->IoStatus.Status = STATUS_SUCCESS;
        irp->IoStatus.Information = information;
        InsertTailList(to, &irp->Tail.Overlay.ListEntry);
    }
}

/* The exclusive oplock is gone: whoever has waited for that goes on. Under the lock. */
static void gone(struct oplock *oplock, struct after *after)
{
    oplock->kind = NOT_HELD;
    oplock->breaking = NO_BREAK;
    oplock->none_wanted = false;
    oplock->owner = NULL;
    move(&oplock->notified, NULL, 0, &after->finished);
    move(&oplock->posted, NULL, 0, &after->resumed);
    while (!IsListEmpty(&oplock->blocked))
        KeSetEvent(&CONTAINING_RECORD(RemoveHeadList(&oplock->blocked), struct blocked, link)->event, 0, FALSE);
}

static void cancelled(struct fsrtl_wait *wait, PIRP irp)
{
    UNREFERENCED_PARAMETER(wait);
    fsrtl_finish(irp, STATUS_CANCELLED, 0);
}
static struct fsrtl_wait plain_wait = {.cancelled = cancelled};

/* Nobody waits for an oplock that is not breaking. */
static void holder_cancelled(struct fsrtl_wait *wait, PIRP irp)
{
    UNREFERENCED_PARAMETER(irp);
    struct oplock *oplock = CONTAINING_RECORD(wait, struct oplock, held);
    oplock->kind = NOT_HELD;
    oplock->owner = NULL;
}

static void posted_cancelled(struct fsrtl_wait *wait, PIRP irp)
{
    resume(wait, irp, STATUS_CANCELLED);
}

/* ---- life ---- */

VOID NTAPI FsRtlInitializeOplock(POPLOCK Oplock)
{
    *Oplock = NULL;
}

static struct oplock *oplock_of(POPLOCK place)
{
    return place ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : NULL;
}

/* Made with the first request for one. Null: memory is short. */
static struct oplock *make(POPLOCK place)
{
    struct oplock *oplock = oplock_of(place);
    if (oplock)
        return oplock;
    oplock = mm_pool_allocate(sizeof(*oplock), FSRTL_TAG, MM_POOL_ZERO, MM_POOL_DRIVER, seh_export_caller());
    if (!oplock)
        return NULL;
    InitializeListHead(&oplock->holder);
    InitializeListHead(&oplock->level_2);
    InitializeListHead(&oplock->notified);
    InitializeListHead(&oplock->posted);
    InitializeListHead(&oplock->blocked);
    oplock->held = (struct fsrtl_wait){.removed = holder_cancelled, .cancelled = cancelled};
    PVOID none = NULL;
    if (__atomic_compare_exchange_n(place, &none, oplock, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return oplock;
    mm_pool_free(oplock, FSRTL_TAG, seh_export_caller());
    return none;
}

/* Ends all oplocks of the file; who holds one is told that it is broken to none. IRQL <= APC_LEVEL. */
VOID NTAPI FsRtlUninitializeOplock(POPLOCK Oplock)
{
    struct oplock *oplock = oplock_of(Oplock);
    if (!oplock)
        return;
    for (bool empty = false; !empty; plat_yield()) { /* requests that are being cancelled leave by themselves */
        struct after after;
        after_init(&after);
        KIRQL irql = fsrtl_lock();
        move(&oplock->holder, NULL, FILE_OPLOCK_BROKEN_TO_NONE, &after.finished);
        move(&oplock->level_2, NULL, FILE_OPLOCK_BROKEN_TO_NONE, &after.finished);
        gone(oplock, &after);
        empty = IsListEmpty(&oplock->holder) && IsListEmpty(&oplock->level_2) && IsListEmpty(&oplock->notified) &&
                IsListEmpty(&oplock->posted);
        fsrtl_unlock(irql);
        after_run(&after);
    }
    *Oplock = NULL;
    mm_pool_free(oplock, FSRTL_TAG, seh_export_caller());
}

/* ---- requests and acknowledgements ---- */

static NTSTATUS pend(LIST_ENTRY *list, PIRP irp, struct fsrtl_wait *wait)
{
    return fsrtl_wait_add(list, irp, wait) ? STATUS_PENDING : STATUS_CANCELLED;
}

static bool others_have_level_2(const struct oplock *oplock, PFILE_OBJECT file)
{
    for (LIST_ENTRY *entry = oplock->level_2.Flink; entry != &oplock->level_2; entry = entry->Flink)
        if (IoGetCurrentIrpStackLocation(fsrtl_irp_of(entry))->FileObject != file)
            return true;
    return false;
}

/* A level 2 oplock of the same file object makes way. */
static NTSTATUS grant_exclusive(struct oplock *oplock, enum kind kind, PIRP irp, ULONG opens, struct after *after)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    if (oplock->kind != NOT_HELD || opens > 1 || others_have_level_2(oplock, file))
        return STATUS_OPLOCK_NOT_GRANTED;
    move(&oplock->level_2, NULL, FILE_OPLOCK_BROKEN_TO_NONE, &after->finished);
    NTSTATUS status = pend(&oplock->holder, irp, &oplock->held);
    if (status == STATUS_PENDING) {
        oplock->kind = kind;
        oplock->owner = file;
    }
    return status;
}

static NTSTATUS acknowledge(struct oplock *oplock, ULONG code, PIRP irp, struct after *after)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    if ((oplock->breaking != TO_LEVEL_2 && oplock->breaking != TO_NONE) || oplock->owner != file)
        return STATUS_INVALID_OPLOCK_PROTOCOL;
    if (code == FSCTL_OPBATCH_ACK_CLOSE_PENDING) {
        oplock->breaking = UNTIL_CLOSE;
        return STATUS_SUCCESS;
    }
    bool keeps = code == FSCTL_OPLOCK_BREAK_ACKNOWLEDGE && oplock->breaking == TO_LEVEL_2;
    NTSTATUS status = STATUS_SUCCESS;
    if (keeps && oplock->none_wanted)
        irp->IoStatus.Information = FILE_OPLOCK_BROKEN_TO_NONE;
    else if (keeps)
        status = pend(&oplock->level_2, irp, &plain_wait);
    gone(oplock, after);
    return status;
}

static NTSTATUS control(struct oplock *oplock, PIRP irp, ULONG opens, struct after *after)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG code = stack->Parameters.FileSystemControl.FsControlCode;
    bool synchronous = __atomic_load_n(&stack->FileObject->Flags, __ATOMIC_RELAXED) & FO_SYNCHRONOUS_IO;
    switch (code) {
    case FSCTL_REQUEST_OPLOCK_LEVEL_1:
    case FSCTL_REQUEST_BATCH_OPLOCK:
    case FSCTL_REQUEST_FILTER_OPLOCK:
        if (synchronous)
            return STATUS_OPLOCK_NOT_GRANTED;
        return grant_exclusive(oplock,
                               code == FSCTL_REQUEST_OPLOCK_LEVEL_1 ? LEVEL_1
                               : code == FSCTL_REQUEST_BATCH_OPLOCK ? BATCH
                                                                    : FILTER,
                               irp, opens, after);
    case FSCTL_REQUEST_OPLOCK_LEVEL_2:
        if (synchronous || opens || oplock->kind != NOT_HELD)
            return STATUS_OPLOCK_NOT_GRANTED;
        return pend(&oplock->level_2, irp, &plain_wait);
    case FSCTL_OPLOCK_BREAK_ACKNOWLEDGE:
    case FSCTL_OPLOCK_BREAK_ACK_NO_2:
    case FSCTL_OPBATCH_ACK_CLOSE_PENDING:
        return acknowledge(oplock, code, irp, after);
    case FSCTL_OPLOCK_BREAK_NOTIFY:
        return oplock->breaking ? pend(&oplock->notified, irp, &plain_wait) : STATUS_SUCCESS;
    case FSCTL_REQUEST_OPLOCK:
        return STATUS_OPLOCK_NOT_GRANTED;
    }
    return STATUS_INVALID_PARAMETER;
}

/*
 * Does what an FSCTL for oplocks asks for and completes it, unless it returns STATUS_PENDING: the oplock is held, or
 * the break that FSCTL_OPLOCK_BREAK_NOTIFY wants to see the end of goes on. OpenCount: handles to the file; for level
 * 2, whether it has byte-range locks. IRQL <= APC_LEVEL.
 */
NTSTATUS NTAPI FsRtlOplockFsctrl(POPLOCK Oplock, PIRP Irp, ULONG OpenCount)
{
    struct oplock *oplock = make(Oplock);
    struct after after;
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    after_init(&after);
    Irp->IoStatus.Information = 0;
    if (oplock) {
        KIRQL irql = fsrtl_lock();
        status = control(oplock, Irp, OpenCount, &after);
        fsrtl_unlock(irql);
    }
    if (status != STATUS_PENDING)
        fsrtl_finish(Irp, status, Irp->IoStatus.Information);
    after_run(&after);
    return status;
}

/* ---- breaks ---- */

enum need { NOTHING, LEVEL_2_WILL_DO, NONE };

#define READ_CONTROL    0x00020000u
#define ATTRIBUTES_ONLY (FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE)
#define READS_ONLY      (ATTRIBUTES_ONLY | FILE_READ_DATA | FILE_READ_EA | FILE_EXECUTE | READ_CONTROL)

static enum need create_needs(const struct oplock *oplock, const IO_STACK_LOCATION *stack)
{
    const IO_SECURITY_CONTEXT *security = stack->Parameters.Create.SecurityContext;
    ACCESS_MASK access = security ? security->DesiredAccess : ~0u;
    ULONG disposition = stack->Parameters.Create.Options >> 24;
    bool overwrites =
        disposition == FILE_SUPERSEDE || disposition == FILE_OVERWRITE || disposition == FILE_OVERWRITE_IF;
    if (overwrites)
        return NONE;
    if (oplock->kind == FILTER)
        return access & ~READS_ONLY ? NONE : NOTHING;
    return access & ~ATTRIBUTES_ONLY ? LEVEL_2_WILL_DO : NOTHING;
}

static enum need change_needs(const struct oplock *oplock, ULONG class)
{
    switch (class) {
    case FileEndOfFileInformation:
    case FileAllocationInformation:
        return NONE;
    case FileRenameInformation:
    case FileLinkInformation:
        return oplock->kind == FILTER ? NONE : oplock->kind == BATCH ? LEVEL_2_WILL_DO : NOTHING;
    }
    return NOTHING;
}

/* What the oplock must become before another handle's request goes on. */
static enum need needs(const struct oplock *oplock, const IO_STACK_LOCATION *stack)
{
    switch (stack->MajorFunction) {
    case IRP_MJ_CREATE:
        return create_needs(oplock, stack);
    case IRP_MJ_READ:
    case IRP_MJ_FLUSH_BUFFERS:
        return oplock->kind == FILTER ? NOTHING : LEVEL_2_WILL_DO;
    case IRP_MJ_WRITE:
    case IRP_MJ_LOCK_CONTROL:
        return NONE;
    case IRP_MJ_SET_INFORMATION:
        return change_needs(oplock, stack->Parameters.SetFile.FileInformationClass);
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        return stack->Parameters.FileSystemControl.FsControlCode == FSCTL_SET_ZERO_DATA ? NONE : NOTHING;
    }
    return NOTHING;
}

/* The owner's handle is closed: its oplocks end, and so does a break. */
static void owner_closes(struct oplock *oplock, PFILE_OBJECT file, struct after *after)
{
    move(&oplock->level_2, file, FILE_OPLOCK_BROKEN_TO_NONE, &after->finished);
    if (oplock->kind == NOT_HELD || oplock->owner != file)
        return;
    move(&oplock->holder, NULL, FILE_OPLOCK_BROKEN_TO_NONE, &after->finished);
    gone(oplock, after);
}

/* Begins the breaks that stack's request makes. True: it must wait for an acknowledgement. */
static bool must_wait(struct oplock *oplock, const IO_STACK_LOCATION *stack, struct after *after)
{
    enum need need = needs(oplock, stack);
    if (stack->MajorFunction == IRP_MJ_CLEANUP)
        owner_closes(oplock, stack->FileObject, after);
    if (need == NONE)
        move(&oplock->level_2, NULL, FILE_OPLOCK_BROKEN_TO_NONE, &after->finished);
    if (need == NOTHING || oplock->kind == NOT_HELD || oplock->owner == stack->FileObject)
        return false;
    if (oplock->breaking == NO_BREAK) {
        bool to_none = need == NONE || oplock->kind == FILTER;
        LIST_ENTRY *last = after->finished.Blink;
        move(&oplock->holder, NULL, to_none ? FILE_OPLOCK_BROKEN_TO_NONE : FILE_OPLOCK_BROKEN_TO_LEVEL_2,
             &after->finished);
        if (after->finished.Blink == last) /* it is being cancelled this moment */
            return false;
        oplock->breaking = to_none ? TO_NONE : TO_LEVEL_2;
    }
    oplock->none_wanted |= need == NONE;
    return true;
}

static NTSTATUS post(struct oplock *oplock, PIRP irp, struct posted *posted)
{
    if (fsrtl_wait_add(&oplock->posted, irp, &posted->wait))
        return STATUS_PENDING;
    mm_heap_free(posted, FSRTL_TAG);
    return STATUS_CANCELLED;
}

/* One look at the oplock. STATUS_RETRY: the thread has waited for an acknowledgement and looks again. */
static NTSTATUS check(struct oplock *oplock, PIRP irp, PVOID context, POPLOCK_WAIT_COMPLETE_ROUTINE routine)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    bool never =
        stack->MajorFunction == IRP_MJ_CREATE && (stack->Parameters.Create.Options & FILE_COMPLETE_IF_OPLOCKED);
    struct posted *posted = routine ? mm_heap_allocate(sizeof(*posted), FSRTL_TAG) : NULL;
    NTSTATUS status = STATUS_SUCCESS;
    struct blocked blocked;
    struct after after;
    if (routine && !posted)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (posted)
        *posted = (struct posted){.wait = {.cancelled = posted_cancelled}, .routine = routine, .context = context};
    KeInitializeEvent(&blocked.event, NotificationEvent, FALSE);
    after_init(&after);
    KIRQL irql = fsrtl_lock();
    if (must_wait(oplock, stack, &after)) {
        status = never ? STATUS_OPLOCK_BREAK_IN_PROGRESS : STATUS_RETRY;
        if (!never && posted) {
            status = post(oplock, irp, posted);
            posted = NULL;
        } else if (!never) {
            InsertTailList(&oplock->blocked, &blocked.link);
        }
    }
    fsrtl_unlock(irql);
    if (posted)
        mm_heap_free(posted, FSRTL_TAG);
    after_run(&after);
    if (status == STATUS_RETRY)
        KeWaitForSingleObject(&blocked.event, Executive, KernelMode, FALSE, NULL);
    return status;
}

/* Would a check make the request wait? Nothing is broken yet. */
static bool would_post(struct oplock *oplock, PIRP irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    bool never =
        stack->MajorFunction == IRP_MJ_CREATE && (stack->Parameters.Create.Options & FILE_COMPLETE_IF_OPLOCKED);
    KIRQL irql = fsrtl_lock();
    bool waits =
        !never && oplock->kind != NOT_HELD && oplock->owner != stack->FileObject && needs(oplock, stack) != NOTHING;
    fsrtl_unlock(irql);
    return waits;
}

/*
 * Breaks the oplocks that stand in the way of Irp. STATUS_SUCCESS: go on, if need be after this thread has waited for
 * the owner. With CompletionRoutine nothing waits here: PostIrpRoutine prepares the request, STATUS_PENDING is
 * returned, and CompletionRoutine has it back after the acknowledgement, its status STATUS_CANCELLED if it was
 * cancelled. A create with FILE_COMPLETE_IF_OPLOCKED never waits: STATUS_OPLOCK_BREAK_IN_PROGRESS. IRQL <= APC_LEVEL.
 */
NTSTATUS NTAPI FsRtlCheckOplock(POPLOCK Oplock, PIRP Irp, PVOID Context,
                                POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine, POPLOCK_FS_PREPOST_IRP PostIrpRoutine)
{
    struct oplock *oplock = oplock_of(Oplock);
    NTSTATUS status = STATUS_RETRY;
    if (!oplock)
        return STATUS_SUCCESS;
    if (CompletionRoutine && PostIrpRoutine && would_post(oplock, Irp))
        seh_driver_call((ULONG_PTR)PostIrpRoutine, (ULONG_PTR)Context, (ULONG_PTR)Irp, 0, 0);
    while (status == STATUS_RETRY)
        status = check(oplock, Irp, Context, CompletionRoutine);
    return status;
}

/* Level 2 oplocks and breaks under way are in the way of fast I/O, an oplock of the only opener's is not. */
BOOLEAN NTAPI FsRtlOplockIsFastIoPossible(POPLOCK Oplock)
{
    struct oplock *oplock = oplock_of(Oplock);
    if (!oplock)
        return TRUE;
    KIRQL irql = fsrtl_lock();
    bool possible = oplock->breaking == NO_BREAK && IsListEmpty(&oplock->level_2);
    fsrtl_unlock(irql);
    return possible;
}

/* Is a batch or filter oplock held, breaking or not? */
BOOLEAN NTAPI FsRtlCurrentBatchOplock(POPLOCK Oplock)
{
    struct oplock *oplock = oplock_of(Oplock);
    if (!oplock)
        return FALSE;
    KIRQL irql = fsrtl_lock();
    bool batch = oplock->kind == BATCH || oplock->kind == FILTER;
    fsrtl_unlock(irql);
    return batch;
}
