/*
 * notify.c - change notification for directories: lists of watched directories, the requests that wait at each, and the
 * changes that no request has taken yet. What is a change, file systems know.
 *
 * A list's NOTIFY_SYNC guards it; the requests on it are guarded by fsrtl_lock as well, for those who cancel. They are
 * completed with neither held.
 */
#include "fsrtl_irps.h"
#include "wdk/ex.h"

enum { KEPT_MAX = 0x10000 };

struct _REAL_NOTIFY_SYNC {
    FAST_MUTEX mutex;
};

struct watch {
    LIST_ENTRY link;
    PVOID fs_context;
    UNICODE_STRING directory; /* Buffer: heap */
    ULONG filter, capacity;   /* capacity: of the first request's buffer */
    bool tree, ignore_buffer, deleted;
    PCHECK_FOR_TRAVERSE_ACCESS traverse;
    PSECURITY_SUBJECT_CONTEXT subject;
    LIST_ENTRY irps;
    bool lost; /* changes did not fit */
    ULONG used, last;
    UCHAR *kept; /* FILE_NOTIFY_INFORMATION entries, used bytes; last: offset of the last one */
};

static void cancelled(struct fsrtl_wait *wait, PIRP irp)
{
    UNREFERENCED_PARAMETER(wait);
    fsrtl_finish(irp, STATUS_CANCELLED, 0);
}
static struct fsrtl_wait waits_for_change = {.cancelled = cancelled};

/* Raises STATUS_INSUFFICIENT_RESOURCES. */
VOID NTAPI FsRtlNotifyInitializeSync(PNOTIFY_SYNC *NotifySync)
{
    PNOTIFY_SYNC sync = mm_pool_allocate(sizeof(*sync), FSRTL_TAG, 0, MM_POOL_DRIVER, seh_export_caller());
    *NotifySync = NULL;
    if (!sync)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    ExInitializeFastMutex(&sync->mutex);
    *NotifySync = sync;
}

/* The list must be empty. */
VOID NTAPI FsRtlNotifyUninitializeSync(PNOTIFY_SYNC *NotifySync)
{
    if (*NotifySync)
        mm_pool_free(*NotifySync, FSRTL_TAG, seh_export_caller());
    *NotifySync = NULL;
}

/* ---- names: ANSI or Unicode, told apart by the backslash they begin with ---- */

static bool is_unicode(PSTRING name)
{
    return name->Length >= sizeof(WCHAR) && !(name->Length % sizeof(WCHAR)) && name->Buffer[0] == '\\' &&
           !name->Buffer[1];
}

/* A Unicode copy in the heap; false: memory is short. */
static bool widen(PSTRING name, bool unicode, UNICODE_STRING *wide)
{
    ULONG bytes = unicode ? name->Length : name->Length * sizeof(WCHAR);
    *wide = (UNICODE_STRING){.Buffer = bytes < 0xFFFE ? mm_heap_allocate(bytes + sizeof(WCHAR), FSRTL_TAG) : NULL};
    if (!wide->Buffer)
        return false;
    if (unicode)
        __builtin_memcpy(wide->Buffer, name->Buffer, bytes);
    else
        RtlMultiByteToUnicodeN(wide->Buffer, bytes, &bytes, name->Buffer, name->Length);
    wide->Length = wide->MaximumLength = (USHORT)bytes;
    return true;
}

static void wide_free(UNICODE_STRING *wide)
{
    if (wide->Buffer)
        mm_heap_free(wide->Buffer, FSRTL_TAG);
}

/* Where the name of something below directory begins in path, in bytes; 0: path is not below. */
static ULONG below(const UNICODE_STRING *directory, const UNICODE_STRING *path)
{
    ULONG length = directory->Length;
    bool root = length == sizeof(WCHAR);
    if (path->Length <= length || __builtin_memcmp(path->Buffer, directory->Buffer, length))
        return 0;
    if (!root && path->Buffer[length / sizeof(WCHAR)] != '\\')
        return 0;
    ULONG start = root ? length : length + (ULONG)sizeof(WCHAR);
    return start < path->Length ? start : 0;
}

/* ---- watches ---- */

static struct watch *find(PLIST_ENTRY list, PVOID fs_context)
{
    for (LIST_ENTRY *entry = list->Flink; entry != list; entry = entry->Flink)
        if (CONTAINING_RECORD(entry, struct watch, link)->fs_context == fs_context)
            return CONTAINING_RECORD(entry, struct watch, link);
    return NULL;
}

static void forget_changes(struct watch *watch)
{
    if (watch->kept)
        mm_heap_free(watch->kept, FSRTL_TAG);
    watch->kept = NULL;
    watch->used = watch->last = 0;
    watch->lost = false;
}

/* The oldest request that nobody cancels leaves the watch with a status, for done. */
static PIRP take(struct watch *watch, NTSTATUS status, LIST_ENTRY *done)
{
    PIRP irp = NULL;
    KIRQL irql = fsrtl_lock();
    for (LIST_ENTRY *entry = watch->irps.Flink; !irp && entry != &watch->irps; entry = entry->Flink)
        irp = fsrtl_wait_take(fsrtl_irp_of(entry)) ? fsrtl_irp_of(entry) : NULL;
    fsrtl_unlock(irql);
    if (!irp)
        return NULL;
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    InsertTailList(done, &irp->Tail.Overlay.ListEntry);
    return irp;
}

static void take_all(struct watch *watch, NTSTATUS status, LIST_ENTRY *done)
{
    while (take(watch, status, done))
        continue;
}

static void finish_all(LIST_ENTRY *done)
{
    while (!IsListEmpty(done)) {
        PIRP irp = fsrtl_irp_of(RemoveHeadList(done));
        IofCompleteRequest(irp, IO_NO_INCREMENT);
    }
}

/* The request's buffer; null: it has none. */
static void *buffer_of(PIRP irp)
{
    if (irp->AssociatedIrp.SystemBuffer)
        return irp->AssociatedIrp.SystemBuffer;
    if (!irp->MdlAddress)
        return NULL;
    if (irp->MdlAddress->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
        return irp->MdlAddress->MappedSystemVa;
    return MmMapLockedPagesSpecifyCache(irp->MdlAddress, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
}

/* What is kept goes to the oldest request; STATUS_NOTIFY_ENUM_DIR if it cannot. */
static void deliver(struct watch *watch, LIST_ENTRY *done)
{
    if (!watch->used && !watch->lost)
        return;
    PIRP irp = take(watch, STATUS_NOTIFY_ENUM_DIR, done);
    if (!irp)
        return;
    void *buffer = watch->lost ? NULL : buffer_of(irp);
    if (buffer && watch->used <= IoGetCurrentIrpStackLocation(irp)->Parameters.NotifyDirectory.Length) {
        __builtin_memcpy(buffer, watch->kept, watch->used);
        irp->IoStatus.Status = STATUS_SUCCESS;
        irp->IoStatus.Information = watch->used;
    }
    forget_changes(watch);
}

static struct watch *add_watch(PLIST_ENTRY list, PVOID fs_context, PSTRING directory, ULONG length)
{
    struct watch *watch =
        mm_pool_allocate(sizeof(*watch), FSRTL_TAG, MM_POOL_ZERO, MM_POOL_DRIVER, seh_export_caller());
    if (!watch)
        return NULL;
    if (!widen(directory, is_unicode(directory), &watch->directory)) {
        mm_pool_free(watch, FSRTL_TAG, 0);
        return NULL;
    }
    watch->fs_context = fs_context;
    watch->capacity = length < KEPT_MAX ? length : KEPT_MAX;
    InitializeListHead(&watch->irps);
    InsertTailList(list, &watch->link);
    return watch;
}

/* A buffer that the file system has not locked yet is locked now, in the sender's process. */
static NTSTATUS lock_buffer(PIRP irp)
{
    ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.NotifyDirectory.Length;
    volatile NTSTATUS status = STATUS_SUCCESS;
    if (!length || irp->MdlAddress || irp->AssociatedIrp.SystemBuffer || !irp->UserBuffer)
        return STATUS_SUCCESS;
    PMDL mdl = IoAllocateMdl(irp->UserBuffer, length, FALSE, FALSE, irp);
    if (!mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        MmProbeAndLockPages(mdl, irp->RequestorMode, IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    if (!NT_SUCCESS(status)) {
        IoFreeMdl(mdl);
        irp->MdlAddress = NULL;
    }
    return status;
}

/* The request waits at the watch, or is done at once with the status returned. */
static NTSTATUS wait_for_change(struct watch *watch, PIRP irp, LIST_ENTRY *done)
{
    if (watch->deleted)
        return STATUS_DELETE_PENDING;
    KIRQL irql = fsrtl_lock();
    bool waits = fsrtl_wait_add(&watch->irps, irp, &waits_for_change);
    fsrtl_unlock(irql);
    if (!waits)
        return STATUS_CANCELLED;
    deliver(watch, done);
    return STATUS_PENDING;
}

/*
 * Puts NotifyIrp, an IRP_MN_NOTIFY_CHANGE_DIRECTORY, at the watch of FsContext, which the first request makes with its
 * directory, filter and buffer's size; changes since the last one complete it at once. The request is marked pending or
 * completed: STATUS_NOTIFY_CLEANUP after the file's cleanup, STATUS_DELETE_PENDING once the directory is deleted, which
 * a null NotifyIrp says. Raises STATUS_INSUFFICIENT_RESOURCES. IRQL PASSIVE_LEVEL.
 */
VOID NTAPI FsRtlNotifyFullChangeDirectory(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext,
                                          PSTRING FullDirectoryName, BOOLEAN WatchTree, BOOLEAN IgnoreBuffer,
                                          ULONG CompletionFilter, PIRP NotifyIrp,
                                          PCHECK_FOR_TRAVERSE_ACCESS TraverseCallback,
                                          PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    NTSTATUS status = STATUS_SUCCESS;
    LIST_ENTRY done;
    InitializeListHead(&done);
    if (NotifyIrp && (status = lock_buffer(NotifyIrp)) != STATUS_SUCCESS) {
        fsrtl_finish(NotifyIrp, status, 0);
        return;
    }
    ExAcquireFastMutex(&NotifySync->mutex);
    struct watch *watch = find(NotifyList, FsContext);
    if (!NotifyIrp) {
        if (watch) {
            watch->deleted = true;
            take_all(watch, STATUS_DELETE_PENDING, &done);
        }
    } else {
        const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(NotifyIrp);
        bool cleaned =
            stack->FileObject && (__atomic_load_n(&stack->FileObject->Flags, __ATOMIC_RELAXED) & FO_CLEANUP_COMPLETE);
        if (!watch && !cleaned) {
            watch = add_watch(NotifyList, FsContext, FullDirectoryName, stack->Parameters.NotifyDirectory.Length);
            if (watch) {
                watch->tree = WatchTree;
                watch->ignore_buffer = IgnoreBuffer;
                watch->filter = CompletionFilter;
                watch->traverse = TraverseCallback;
                watch->subject = SubjectContext;
            }
        }
        status = cleaned  ? STATUS_NOTIFY_CLEANUP
                 : !watch ? STATUS_INSUFFICIENT_RESOURCES
                          : wait_for_change(watch, NotifyIrp, &done);
    }
    ExReleaseFastMutex(&NotifySync->mutex);
    finish_all(&done);
    if (status == STATUS_INSUFFICIENT_RESOURCES)
        ExRaiseStatus(status);
    if (NotifyIrp && status != STATUS_PENDING)
        fsrtl_finish(NotifyIrp, status, 0);
}

/* The last handle of a directory went: its watch ends, its requests with STATUS_NOTIFY_CLEANUP. IRQL PASSIVE_LEVEL. */
VOID NTAPI FsRtlNotifyCleanup(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext)
{
    LIST_ENTRY done;
    InitializeListHead(&done);
    ExAcquireFastMutex(&NotifySync->mutex);
    struct watch *watch = find(NotifyList, FsContext);
    if (watch) {
        RemoveEntryList(&watch->link);
        take_all(watch, STATUS_NOTIFY_CLEANUP, &done);
    }
    ExReleaseFastMutex(&NotifySync->mutex);
    finish_all(&done);
    if (!watch)
        return;
    for (bool empty = false; !empty; plat_yield()) { /* requests that are being cancelled leave by themselves */
        KIRQL irql = fsrtl_lock();
        empty = IsListEmpty(&watch->irps);
        fsrtl_unlock(irql);
    }
    forget_changes(watch);
    wide_free(&watch->directory);
    mm_pool_free(watch, FSRTL_TAG, seh_export_caller());
}

/* ---- changes ---- */

struct change {
    UNICODE_STRING path, parent, stream; /* parent: normalized; parent and stream may be null */
    ULONG last_name;                     /* where path's last name begins, in bytes */
    ULONG action;
};

/* Appends count pieces as one entry, or notes that changes are lost. */
static void keep(struct watch *watch, ULONG action, const UNICODE_STRING *pieces, ULONG count)
{
    ULONG header = offsetof(FILE_NOTIFY_INFORMATION, FileName), name = 0, start = (watch->used + 3) & ~3u;
    for (ULONG i = 0; i < count; i++)
        name += pieces[i].Length;
    if (watch->lost)
        return;
    if (!watch->kept && watch->capacity)
        watch->kept = mm_heap_allocate(watch->capacity, FSRTL_TAG);
    if (watch->ignore_buffer || !watch->kept || start + header + name > watch->capacity) {
        forget_changes(watch);
        watch->lost = true;
        return;
    }
    FILE_NOTIFY_INFORMATION *entry = (FILE_NOTIFY_INFORMATION *)(PVOID)(watch->kept + start);
    if (watch->used)
        ((FILE_NOTIFY_INFORMATION *)(PVOID)(watch->kept + watch->last))->NextEntryOffset = start - watch->last;
    entry->NextEntryOffset = 0;
    entry->Action = action;
    entry->FileNameLength = name;
    UCHAR *out = watch->kept + start + header;
    for (ULONG i = 0; i < count; out += pieces[i].Length, i++)
        if (pieces[i].Length)
            __builtin_memcpy(out, pieces[i].Buffer, pieces[i].Length);
    watch->last = start;
    watch->used = start + header + name;
}

static UNICODE_STRING part(const UNICODE_STRING *whole, ULONG from, ULONG to)
{
    return (UNICODE_STRING){(USHORT)(to - from), (USHORT)(to - from), whole->Buffer + from / sizeof(WCHAR)};
}

static void tell(struct watch *watch, const struct change *change)
{
    static WCHAR backslash[] = {'\\'}, colon[] = {':'};
    UNICODE_STRING pieces[5] = {{0, 0, NULL}};
    ULONG start = below(&watch->directory, &change->path), normal = 0;
    if (change->parent.Buffer)
        normal = below(&watch->directory, &change->parent);
    if (normal && start < change->last_name) {
        pieces[0] = part(&change->parent, normal, change->parent.Length);
        if (change->parent.Buffer[change->parent.Length / sizeof(WCHAR) - 1] != '\\')
            pieces[1] = (UNICODE_STRING){sizeof(WCHAR), sizeof(WCHAR), backslash};
        pieces[2] = part(&change->path, change->last_name, change->path.Length);
    } else {
        pieces[2] = part(&change->path, start, change->path.Length);
    }
    if (change->stream.Length) {
        pieces[3] = (UNICODE_STRING){sizeof(WCHAR), sizeof(WCHAR), colon};
        pieces[4] = change->stream;
    }
    keep(watch, change->action, pieces, RTL_NUMBER_OF(pieces));
}

/* Is the change one that the watch is for? Asks the file system about what lies deeper than the directory itself. */
static bool concerns(const struct watch *watch, const struct change *change, ULONG filter, PVOID target)
{
    ULONG start = below(&watch->directory, &change->path);
    if (!start || watch->deleted || !(watch->filter & filter))
        return false;
    if (start == change->last_name)
        return true;
    return watch->tree &&
           (!watch->traverse || (UCHAR)seh_driver_call((ULONG_PTR)watch->traverse, (ULONG_PTR)watch->fs_context,
                                                       (ULONG_PTR)target, (ULONG_PTR)watch->subject, 0));
}

static ULONG last_name_of(const UNICODE_STRING *path)
{
    ULONG i = path->Length / sizeof(WCHAR);
    while (i && path->Buffer[i - 1] != '\\')
        i--;
    return i * sizeof(WCHAR);
}

/*
 * Something changed: requests that wait at directories above it are completed, where none waits the change is kept. A
 * change that does not fit means STATUS_NOTIFY_ENUM_DIR for the next request. Raises STATUS_INSUFFICIENT_RESOURCES.
 * IRQL PASSIVE_LEVEL.
 */
VOID NTAPI FsRtlNotifyFullReportChange(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PSTRING FullTargetName,
                                       USHORT TargetNameOffset, PSTRING StreamName, PSTRING NormalizedParentName,
                                       ULONG FilterMatch, ULONG Action, PVOID TargetContext)
{
    bool unicode = is_unicode(FullTargetName), enough;
    struct change change = {.action = Action};
    LIST_ENTRY done;
    InitializeListHead(&done);
    enough = widen(FullTargetName, unicode, &change.path) &&
             (!StreamName || widen(StreamName, unicode, &change.stream)) &&
             (!NormalizedParentName || widen(NormalizedParentName, unicode, &change.parent));
    change.last_name = unicode ? TargetNameOffset : last_name_of(&change.path);
    ExAcquireFastMutex(&NotifySync->mutex);
    for (LIST_ENTRY *entry = NotifyList->Flink; enough && entry != NotifyList; entry = entry->Flink) {
        struct watch *watch = CONTAINING_RECORD(entry, struct watch, link);
        if (change.last_name >= change.path.Length || !concerns(watch, &change, FilterMatch, TargetContext))
            continue;
        tell(watch, &change);
        deliver(watch, &done);
    }
    ExReleaseFastMutex(&NotifySync->mutex);
    finish_all(&done);
    wide_free(&change.path);
    wide_free(&change.stream);
    wide_free(&change.parent);
    if (!enough)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
}

/* ---- volumes ---- */

/* Nobody can have registered for a volume's events, so there is nobody to tell. STATUS_INVALID_PARAMETER: no such
 * event. IRQL PASSIVE_LEVEL. */
NTSTATUS NTAPI FsRtlNotifyVolumeEvent(PFILE_OBJECT FileObject, ULONG EventCode)
{
    UNREFERENCED_PARAMETER(FileObject);
    return EventCode >= FSRTL_VOLUME_DISMOUNT && EventCode <= FSRTL_VOLUME_BACKGROUND_FORMAT ? STATUS_SUCCESS
                                                                                             : STATUS_INVALID_PARAMETER;
}
