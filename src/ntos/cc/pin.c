/*
 * pin.c - BCBs: ranges of a file that a driver has mapped or pinned, until it gives each of them back.
 */
#include "cc.h"

enum { NODE_TYPE_BCB = 0x02FD };

struct bcb {
    PUBLIC_BCB public;
    LIST_ENTRY link; /* of its map */
    struct cc_map *map;
    struct cc_view *view;
    ULONG references;
    bool pinned, dirty;
    ERESOURCE resource; /* of one that is pinned */
};

static bool covers(const struct bcb *bcb, LONGLONG offset, ULONG length)
{
    return offset >= bcb->public.MappedFileOffset.QuadPart &&
           offset + length <= bcb->public.MappedFileOffset.QuadPart + bcb->public.MappedLength;
}

/* A pin that covers the range, with one more reference, or null. */
static struct bcb *shared(struct cc_map *map, LONGLONG offset, ULONG length)
{
    struct bcb *found = NULL;
    KIRQL irql = cc_lock();
    for (LIST_ENTRY *entry = map->bcbs.Flink; entry != &map->bcbs && !found; entry = entry->Flink) {
        struct bcb *bcb = CONTAINING_RECORD(entry, struct bcb, link);
        found = bcb->pinned && covers(bcb, offset, length) ? bcb : NULL;
    }
    if (found)
        found->references++;
    cc_unlock(irql);
    return found;
}

/* Takes over the caller's reference to the map and its use of the view. Null: memory is short. */
static struct bcb *make(struct cc_map *map, struct cc_view *view, LONGLONG offset, ULONG length, bool pinned)
{
    struct bcb *bcb = mm_pool_allocate(sizeof(*bcb), CC_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!bcb)
        return NULL;
    LONGLONG first = offset & ~(LONGLONG)(PAGE_SIZE - 1);
    LONGLONG end = (offset + length + PAGE_SIZE - 1) & ~(LONGLONG)(PAGE_SIZE - 1);
    bcb->public = (PUBLIC_BCB){NODE_TYPE_BCB, sizeof(PUBLIC_BCB), (ULONG)(end - first), {.QuadPart = first}};
    bcb->map = map;
    bcb->view = view;
    bcb->references = 1;
    bcb->pinned = pinned;
    ExInitializeResourceLite(&bcb->resource);
    KIRQL irql = cc_lock();
    view->bcbs++;
    InsertTailList(&map->bcbs, &bcb->link);
    cc_unlock(irql);
    return bcb;
}

static ULONG64 pages_of(const struct bcb *bcb)
{
    LONGLONG from = bcb->public.MappedFileOffset.QuadPart;
    return cc_view_pages(bcb->view, from, from + bcb->public.MappedLength);
}

/* The last reference: what was dirty may have been changed until now, so it is dirty again. */
static void release(struct bcb *bcb)
{
    struct cc_map *map = bcb->map;
    KIRQL irql = cc_lock();
    bool last = --bcb->references == 0;
    if (last) {
        RemoveEntryList(&bcb->link);
        bcb->view->bcbs--;
        bcb->view->users--;
        cc_dirty(map, bcb->view, bcb->dirty ? pages_of(bcb) : 0);
    }
    cc_unlock(irql);
    if (!last)
        return;
    ExDeleteResourceLite(&bcb->resource);
    mm_pool_free(bcb, CC_TAG, 0);
    cc_map_release(map);
}

static bool acquire(struct bcb *bcb, ULONG flags)
{
    BOOLEAN wait = (flags & PIN_WAIT) != 0;
    return flags & PIN_EXCLUSIVE ? ExAcquireResourceExclusiveLite(&bcb->resource, wait)
                                 : ExAcquireResourceSharedLite(&bcb->resource, wait);
}

/* What mapping and pinning share: the BCB, or null: it would have to wait. Raises what went wrong. */
static struct bcb *take(PFILE_OBJECT file, const LARGE_INTEGER *offset, ULONG length, ULONG how, bool pins,
                        bool only_shared)
{
    LONGLONG from = offset->QuadPart;
    struct cc_map *map = cc_map_for(file, offset, length, true);
    struct cc_view *view;
    NTSTATUS status = cc_view_get(map, from, length, how, &view);
    struct bcb *bcb = NULL;
    if (NT_SUCCESS(status)) {
        bcb = pins ? shared(map, from, length) : NULL;
        bool old = bcb != NULL;
        if (!old && !only_shared) {
            bcb = make(map, view, from, length, pins);
            status = bcb ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
        }
        if (bcb && !old)
            return bcb;
        cc_view_put(view);
    }
    cc_map_release(map);
    if (!NT_SUCCESS(status) && status != STATUS_CANT_WAIT)
        ExRaiseStatus(status);
    return bcb;
}

static PVOID address(const struct bcb *bcb, const LARGE_INTEGER *offset)
{
    return bcb->view->data + (offset->QuadPart - bcb->view->offset);
}

/* Maps a range within 256 KB for reading. FALSE: without MAP_WAIT, or with MAP_NO_READ, it is not all in memory. Raises
 * the status of a read that failed. IRQL < DISPATCH_LEVEL. */
BOOLEAN NTAPI CcMapData(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags, PVOID *Bcb,
                        PVOID *Buffer)
{
    ULONG how = (Flags & MAP_WAIT ? CC_MAY_WAIT : 0) | (Flags & MAP_NO_READ ? CC_NO_READ : 0);
    struct bcb *bcb = take(FileObject, FileOffset, Length, how, false, false);
    if (!bcb)
        return FALSE;
    *Bcb = bcb;
    *Buffer = address(bcb, FileOffset);
    return TRUE;
}

static BOOLEAN pin(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG flags, ULONG how, PVOID *Bcb,
                   PVOID *buffer)
{
    how |= (flags & PIN_WAIT ? CC_MAY_WAIT : 0) | (flags & PIN_NO_READ ? CC_NO_READ : 0);
    struct bcb *bcb = take(file, offset, length, how, true, flags & PIN_IF_BCB);
    if (!bcb && (flags & PIN_IF_BCB))
        *Bcb = NULL;
    if (!bcb)
        return FALSE;
    if (!acquire(bcb, flags)) {
        release(bcb);
        return FALSE;
    }
    *Bcb = bcb;
    *buffer = address(bcb, offset);
    return TRUE;
}

/* Pins a range within 256 KB: its BCB, shared or exclusive, is this thread's. Else as CcMapData. */
BOOLEAN NTAPI CcPinRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags, PVOID *Bcb,
                        PVOID *Buffer)
{
    return pin(FileObject, FileOffset, Length, Flags, 0, Bcb, Buffer);
}

/* Pins what CcMapData has mapped; CcUnpinData then ends both. FALSE: without PIN_WAIT, another thread has it. Raises
 * STATUS_INVALID_PARAMETER: the range is not the BCB's. */
BOOLEAN NTAPI CcPinMappedData(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags, PVOID *Bcb)
{
    UNREFERENCED_PARAMETER(FileObject);
    struct bcb *bcb = *Bcb;
    if (!covers(bcb, FileOffset->QuadPart, Length))
        ExRaiseStatus(STATUS_INVALID_PARAMETER);
    if (bcb->pinned)
        return TRUE;
    if (!acquire(bcb, Flags))
        return FALSE;
    KIRQL irql = cc_lock();
    bcb->pinned = true;
    cc_unlock(irql);
    return TRUE;
}

/* Pins a range to be written: whole pages are not read, all is dirty already. Zero clears the range. */
BOOLEAN NTAPI CcPreparePinWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Zero,
                                ULONG Flags, PVOID *Bcb, PVOID *Buffer)
{
    bool tracks = Flags & PIN_CALLER_TRACKS_DIRTY_DATA;
    if (!pin(FileObject, FileOffset, Length, tracks ? PIN_WAIT : Flags, CC_OVERWRITE, Bcb, Buffer))
        return FALSE;
    if (tracks)
        return TRUE;
    if (Zero)
        __builtin_memset(*Buffer, 0, Length);
    CcSetDirtyPinnedData(*Bcb, NULL);
    return TRUE;
}

/* The pinned pages are dirty: a flush writes them, the lazy writer once they are unpinned. IRQL <= APC_LEVEL. */
VOID NTAPI CcSetDirtyPinnedData(PVOID Bcb, PLARGE_INTEGER Lsn)
{
    UNREFERENCED_PARAMETER(Lsn);
    struct bcb *bcb = Bcb;
    KIRQL irql = cc_lock();
    bcb->dirty = true;
    cc_dirty(bcb->map, bcb->view, pages_of(bcb));
    cc_unlock(irql);
}

/* Gives a mapping or pin back, in the thread that took it. IRQL <= APC_LEVEL. */
VOID NTAPI CcUnpinData(PVOID Bcb)
{
    CcUnpinDataForThread(Bcb, (ULONG_PTR)KeGetCurrentThread());
}

/* The same for a pin that another thread took: ResourceThreadId is ExGetCurrentResourceThread's there. */
VOID NTAPI CcUnpinDataForThread(PVOID Bcb, ULONG_PTR ResourceThreadId)
{
    struct bcb *bcb = Bcb;
    if (bcb->pinned)
        ExReleaseResourceForThreadLite(&bcb->resource, ResourceThreadId);
    release(bcb);
}

/* The file object that paging requests for the BCB's file are sent for. */
PFILE_OBJECT NTAPI CcGetFileObjectFromBcb(PVOID Bcb)
{
    return ((struct bcb *)Bcb)->map->file;
}
