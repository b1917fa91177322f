/*
 * write.c - writing back: flushes, and the lazy writer, a work item per map that has become dirty.
 */
#include "cc.h"

static LIST_ENTRY queued = {&queued, &queued};
static ULONG64 last_number;

bool cc_map_is_dirty(const struct cc_map *map)
{
    for (const LIST_ENTRY *entry = map->views.Flink; entry != &map->views; entry = entry->Flink) {
        const struct cc_view *view = CONTAINING_RECORD(entry, struct cc_view, link);
        if (view->dirty | view->writing)
            return true;
    }
    return false;
}

/* ---- flushing ---- */

/* The lowest view from offset on that has pages to write there, or that others write; *pages: which. */
static struct cc_view *next(struct cc_map *map, LONGLONG from, LONGLONG to, bool lazy, bool others, ULONG64 *pages)
{
    struct cc_view *lowest = NULL;
    for (LIST_ENTRY *entry = map->views.Flink; entry != &map->views; entry = entry->Flink) {
        struct cc_view *view = CONTAINING_RECORD(entry, struct cc_view, link);
        ULONG64 found = cc_view_pages(view, from, to) & (others ? view->writing : view->dirty);
        if (!found || (lazy && view->bcbs) || (lowest && lowest->offset < view->offset))
            continue;
        lowest = view;
        *pages = found;
    }
    return lowest;
}

/* Under the lock: writes the first run of pages; *from is then behind it. */
static NTSTATUS write_run(struct cc_map *map, struct cc_view *view, ULONG64 pages, LONGLONG *from, KIRQL *irql)
{
    ULONG first = (ULONG)__builtin_ctzll(pages), count = 0;
    ULONG64 run = 0;
    for (; first + count < 64 && (pages >> (first + count) & 1); count++)
        run |= 1ull << (first + count);
    if (run & view->writing) { /* it has become dirty again while it is written */
        cc_wait(irql);
        return STATUS_SUCCESS;
    }
    view->dirty &= ~run;
    view->writing |= run;
    view->users++;
    cc_unlock(*irql);
    NTSTATUS status = cc_page(map, view, first, count, IRP_MJ_WRITE);
    *irql = cc_lock();
    view->writing &= ~run;
    if (status != STATUS_IO_TIMEOUT) /* else they are the driver's, for ever */
        view->users--;
    if (!NT_SUCCESS(status))
        view->dirty |= run;
    *from = view->offset + (LONGLONG)(first + count) * PAGE_SIZE;
    cc_changed();
    return status;
}

NTSTATUS cc_flush(struct cc_map *map, LONGLONG from, LONGLONG to, bool lazy, ULONG_PTR *written)
{
    NTSTATUS status = STATUS_SUCCESS;
    LONGLONG at = from;
    ULONG64 pages = 0;
    struct cc_view *view;
    KIRQL irql = cc_lock();
    while (NT_SUCCESS(status) && (view = next(map, at, to, lazy, false, &pages)))
        status = write_run(map, view, pages, &at, &irql);
    while (NT_SUCCESS(status) && !lazy && next(map, from, to, false, true, &pages))
        cc_wait(&irql);
    cc_unlock(irql);
    *written = at > from ? (ULONG_PTR)(at - from) : 0;
    return status;
}

/*
 * Writes what is dirty of [*FileOffset, +Length), of the file without FileOffset, and waits for it. A file that is not
 * cached has nothing to write. IoStatus: the first error and how far it came. IRQL < DISPATCH_LEVEL.
 */
VOID NTAPI CcFlushCache(PSECTION_OBJECT_POINTERS SectionObjectPointer, PLARGE_INTEGER FileOffset, ULONG Length,
                        PIO_STATUS_BLOCK IoStatus)
{
    struct cc_map *map = cc_map_of(SectionObjectPointer);
    LONGLONG from = FileOffset ? FileOffset->QuadPart : 0;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG_PTR written = 0;
    if (map) {
        status = cc_flush(map, from, FileOffset ? from + Length : CC_END, false, &written);
        cc_map_release(map);
    }
    if (IoStatus)
        *IoStatus = (IO_STATUS_BLOCK){.Status = status, .Information = NT_SUCCESS(status) ? Length : written};
}

/* ---- the lazy writer ---- */

static bool acquire(struct cc_map *map)
{
    PVOID routine = (PVOID)map->callbacks.AcquireForLazyWrite;
    return !routine || (BOOLEAN)seh_driver_call((ULONG_PTR)routine, (ULONG_PTR)map->context, TRUE, 0, 0);
}

static VOID NTAPI lazy_write(PVOID parameter)
{
    struct cc_map *map = parameter;
    ULONG_PTR written;
    ULONG64 pages;
    bool again = false;
    if (acquire(map)) {
        again = NT_SUCCESS(cc_flush(map, 0, CC_END, true, &written));
        if (map->callbacks.ReleaseFromLazyWrite)
            seh_driver_call((ULONG_PTR)map->callbacks.ReleaseFromLazyWrite, (ULONG_PTR)map->context, 0, 0, 0);
    }
    KIRQL irql = cc_lock();
    bool last = map->references == 1;
    cc_unlock(irql);
    if (last) /* the opens have gone meanwhile, so that no callback is needed */
        cc_flush(map, 0, CC_END, false, &written);
    irql = cc_lock();
    map->lazy_queued = false;
    RemoveEntryList(&map->lazy_link);
    if (again && next(map, 0, CC_END, true, false, &pages)) /* it has become dirty meanwhile */
        cc_lazy_queue(map);
    last = map->references == 1;
    map->references -= !last;
    cc_changed();
    cc_unlock(irql);
    if (last)
        cc_map_release(map);
}

void cc_lazy_queue(struct cc_map *map)
{
    if (map->lazy_queued || IsListEmpty(&map->opens)) /* without opens, the last reference writes */
        return;
    map->lazy_queued = true;
    map->references++;
    map->lazy_number = ++last_number;
    InsertTailList(&queued, &map->lazy_link);
    map->lazy_item = (WORK_QUEUE_ITEM){.WorkerRoutine = lazy_write, .Parameter = map};
    ExQueueWorkItem(&map->lazy_item, DelayedWorkQueue);
}

void cc_dirty(struct cc_map *map, struct cc_view *view, ULONG64 pages)
{
    view->dirty |= pages;
    if (view->dirty && !view->bcbs)
        cc_lazy_queue(map);
}

/* Waits until the lazy writes that are queued or under way have ended. IRQL PASSIVE_LEVEL; hold no locks. */
NTSTATUS NTAPI CcWaitForCurrentLazyWriterActivity(VOID)
{
    KIRQL irql = cc_lock();
    ULONG64 last = last_number;
    while (!IsListEmpty(&queued) && CONTAINING_RECORD(queued.Flink, struct cc_map, lazy_link)->lazy_number <= last)
        cc_wait(&irql);
    cc_unlock(irql);
    return STATUS_SUCCESS;
}

/* Whether a cached file of the volume has pages that are not written yet. */
BOOLEAN NTAPI CcIsThereDirtyData(PVOID Vpb)
{
    BOOLEAN dirty = FALSE;
    KIRQL irql = cc_lock();
    for (LIST_ENTRY *entry = cc_maps.Flink; entry != &cc_maps && !dirty; entry = entry->Flink) {
        struct cc_map *map = CONTAINING_RECORD(entry, struct cc_map, link);
        dirty = map->file->Vpb == Vpb && cc_map_is_dirty(map);
    }
    cc_unlock(irql);
    return dirty;
}
