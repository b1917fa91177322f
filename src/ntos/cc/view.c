/*
 * view.c - the views of a cached file: where its pages are in memory, which of them are there, and bringing them in.
 */
#include "cc.h"

static ULONG64 mask(ULONG first, ULONG end)
{
    if (first >= end)
        return 0;
    return (end >= 64 ? ~0ull : (1ull << end) - 1) & ~((1ull << first) - 1);
}

/* Where in the view an offset lies: 0 before, CC_VIEW behind. */
static ULONG within(const struct cc_view *view, LONGLONG offset)
{
    if (offset <= view->offset)
        return 0;
    return offset - view->offset >= CC_VIEW ? CC_VIEW : (ULONG)(offset - view->offset);
}

ULONG64 cc_view_pages(const struct cc_view *view, LONGLONG from, LONGLONG to)
{
    return mask(within(view, from) / PAGE_SIZE, (within(view, to) + PAGE_SIZE - 1) / PAGE_SIZE);
}

ULONG64 cc_view_whole_pages(const struct cc_view *view, LONGLONG from, LONGLONG to)
{
    return mask((within(view, from) + PAGE_SIZE - 1) / PAGE_SIZE, within(view, to) / PAGE_SIZE);
}

static struct cc_view *find(struct cc_map *map, LONGLONG offset)
{
    for (LIST_ENTRY *entry = map->views.Flink; entry != &map->views; entry = entry->Flink) {
        struct cc_view *view = CONTAINING_RECORD(entry, struct cc_view, link);
        if (view->offset == offset)
            return view;
    }
    return NULL;
}

static void free_view(struct cc_view *view)
{
    if (view->data)
        mm_pool_free(view->data, CC_TAG, 0);
    mm_heap_free(view, CC_TAG);
}

static struct cc_view *make(LONGLONG offset)
{
    struct cc_view *view = mm_heap_allocate(sizeof(*view), CC_TAG);
    if (!view)
        return NULL;
    view->offset = offset;
    view->data = mm_pool_allocate(CC_VIEW, CC_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (view->data)
        return view;
    free_view(view);
    return NULL;
}

/* Takes an idle clean view off the map if there are many, or null. */
static struct cc_view *surplus(struct cc_map *map)
{
    if (map->view_count <= CC_VIEWS_KEPT)
        return NULL;
    for (LIST_ENTRY *entry = map->views.Flink; entry != &map->views; entry = entry->Flink) {
        struct cc_view *view = CONTAINING_RECORD(entry, struct cc_view, link);
        if (view->users || view->dirty)
            continue;
        RemoveEntryList(entry);
        map->view_count--;
        return view;
    }
    return NULL;
}

/* The view at offset with one more user, or null. */
static struct cc_view *hold(struct cc_map *map, LONGLONG offset)
{
    KIRQL irql = cc_lock();
    struct cc_view *view = find(map, offset);
    if (view)
        view->users++;
    cc_unlock(irql);
    if (view)
        return view;
    struct cc_view *made = make(offset), *spare = NULL;
    irql = cc_lock();
    view = find(map, offset);
    if (!view && made) {
        view = made;
        made = NULL;
        InsertTailList(&map->views, &view->link);
        map->view_count++;
    }
    if (view)
        view->users++;
    spare = surplus(map);
    cc_unlock(irql);
    if (made)
        free_view(made);
    if (spare)
        free_view(spare);
    return view;
}

void cc_view_put(struct cc_view *view)
{
    KIRQL irql = cc_lock();
    view->users--;
    cc_unlock(irql);
}

/* Under the lock: brings in the first missing pages that are of one kind, zero or the file system's. */
static NTSTATUS bring(struct cc_map *map, struct cc_view *view, ULONG64 missing, ULONG64 zero, KIRQL *irql)
{
    ULONG first = (ULONG)__builtin_ctzll(missing), end = first;
    bool zeroes = zero >> first & 1;
    while (end < 64 && (missing >> end & 1) && (zero >> end & 1) == zeroes)
        end++;
    ULONG64 run = mask(first, end);
    view->reading |= run;
    cc_unlock(*irql);
    __builtin_memset(view->data + (SIZE_T)first * PAGE_SIZE, 0, (SIZE_T)(end - first) * PAGE_SIZE);
    NTSTATUS status = zeroes ? STATUS_SUCCESS : cc_page(map, view, first, end - first, IRP_MJ_READ);
    *irql = cc_lock();
    if (status == STATUS_IO_TIMEOUT)
        view->users++; /* the driver's, for ever */
    view->reading &= ~run;
    if (NT_SUCCESS(status))
        view->resident |= run;
    cc_changed();
    return status;
}

NTSTATUS cc_view_get(struct cc_map *map, LONGLONG offset, ULONG length, ULONG flags, struct cc_view **got)
{
    struct cc_view *view = hold(map, offset & ~(LONGLONG)(CC_VIEW - 1));
    if (!view)
        return STATUS_INSUFFICIENT_RESOURCES;
    ULONG64 wanted = cc_view_pages(view, offset, offset + length), missing;
    ULONG64 whole = flags & CC_OVERWRITE ? cc_view_whole_pages(view, offset, offset + length) : 0;
    NTSTATUS status = STATUS_SUCCESS;
    KIRQL irql = cc_lock();
    while (NT_SUCCESS(status) && (missing = wanted & ~view->resident)) {
        LONGLONG size = map->file_size.QuadPart < map->valid_length ? map->file_size.QuadPart : map->valid_length;
        ULONG64 zero = whole | ~cc_view_pages(view, view->offset, size);
        if ((missing & ~zero) && (!(flags & CC_MAY_WAIT) || (flags & CC_NO_READ)))
            status = STATUS_CANT_WAIT;
        else if (!(missing & view->reading))
            status = bring(map, view, missing, zero, &irql);
        else if (flags & CC_MAY_WAIT)
            cc_wait(&irql);
        else
            status = STATUS_CANT_WAIT;
    }
    view->users -= !NT_SUCCESS(status);
    cc_unlock(irql);
    *got = view;
    return status;
}

bool cc_views_purge(struct cc_map *map, LONGLONG from, LONGLONG to)
{
    for (LIST_ENTRY *entry = map->views.Flink; entry != &map->views; entry = entry->Flink) {
        struct cc_view *view = CONTAINING_RECORD(entry, struct cc_view, link);
        if (view->users && cc_view_whole_pages(view, from, to))
            return false;
    }
    for (LIST_ENTRY *entry = map->views.Flink; entry != &map->views; entry = entry->Flink) {
        struct cc_view *view = CONTAINING_RECORD(entry, struct cc_view, link);
        ULONG64 gone = cc_view_whole_pages(view, from, to);
        view->resident &= ~gone;
        view->dirty &= ~gone;
    }
    return true;
}

void cc_views_free(struct cc_map *map)
{
    while (!IsListEmpty(&map->views)) {
        struct cc_view *view = CONTAINING_RECORD(RemoveHeadList(&map->views), struct cc_view, link);
        if (!view->users) /* a driver that never gave its request back may still touch the pages */
            free_view(view);
    }
}
