/*
 * map.c - cache maps: a file's, shared by all its opens, from the first CcInitializeCacheMap until nobody needs it.
 */
#include "cc.h"

struct open { /* at PrivateCacheMap */
    LIST_ENTRY link;
    FILE_OBJECT *file;
};

LIST_ENTRY cc_maps = {&cc_maps, &cc_maps};
static KSPIN_LOCK lock;
static KEVENT change;
static bool ready;

KIRQL cc_lock(void)
{
    KIRQL irql;
    KeAcquireSpinLock(&lock, &irql);
    if (!ready)
        KeInitializeEvent(&change, NotificationEvent, FALSE);
    ready = true;
    return irql;
}

void cc_unlock(KIRQL irql)
{
    KeReleaseSpinLock(&lock, irql);
}

void cc_wait(KIRQL *irql)
{
    KeClearEvent(&change);
    cc_unlock(*irql);
    KeWaitForSingleObject(&change, Executive, KernelMode, FALSE, NULL);
    *irql = cc_lock();
}

void cc_changed(void)
{
    KeSetEvent(&change, 0, FALSE);
}

/* ---- finding ---- */

struct cc_map *cc_map_of(PSECTION_OBJECT_POINTERS sections)
{
    KIRQL irql = cc_lock();
    struct cc_map *map = sections ? sections->SharedCacheMap : NULL;
    if (map)
        map->references++;
    cc_unlock(irql);
    return map;
}

struct cc_map *cc_map_for(PFILE_OBJECT file, const LARGE_INTEGER *offset, ULONG length, bool one_view)
{
    LONGLONG from = offset->QuadPart;
    struct cc_map *map = cc_map_of(file->SectionObjectPointer);
    if (!map)
        ExRaiseStatus(STATUS_INVALID_PARAMETER);
    if (from >= 0 && from <= map->section_size && length <= map->section_size - from &&
        (!one_view || (length && length <= CC_VIEW - (ULONG)(from & (CC_VIEW - 1)))))
        return map;
    cc_map_release(map);
    ExRaiseStatus(STATUS_INVALID_PARAMETER);
}

/* ---- beginning ---- */

static struct cc_map *make(PFILE_OBJECT file, const CACHE_MANAGER_CALLBACKS *callbacks, PVOID context)
{
    struct cc_map *map = mm_pool_allocate(sizeof(*map), CC_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!map)
        return NULL;
    InitializeListHead(&map->views);
    InitializeListHead(&map->bcbs);
    InitializeListHead(&map->opens);
    map->file = file;
    map->sections = file->SectionObjectPointer;
    map->callbacks = *callbacks;
    map->context = context;
    return map;
}

static LONGLONG whole_pages(LONGLONG size)
{
    return size > CC_END - PAGE_SIZE ? size : (size + PAGE_SIZE - 1) & ~(LONGLONG)(PAGE_SIZE - 1);
}

/* Under the lock. What a smaller file has lost is forgotten, unless it is in use. */
static void set_sizes(struct cc_map *map, const CC_FILE_SIZES *sizes)
{
    LONGLONG section =
        whole_pages(sizes->AllocationSize.QuadPart > sizes->FileSize.QuadPart ? sizes->AllocationSize.QuadPart
                                                                              : sizes->FileSize.QuadPart);
    bool shrinks = sizes->FileSize.QuadPart < map->file_size.QuadPart;
    map->file_size = sizes->FileSize;
    map->valid_length = sizes->ValidDataLength.QuadPart;
    if (section > map->section_size)
        map->section_size = section;
    if (shrinks)
        cc_views_purge(map, map->file_size.QuadPart, CC_END);
}

/*
 * Caches the file: the first open of it makes the shared map, which keeps FileObject for its paging requests. A second
 * call for the same file object changes nothing. Raises STATUS_INVALID_PARAMETER for negative sizes or without
 * SectionObjectPointer, STATUS_INSUFFICIENT_RESOURCES. IRQL PASSIVE_LEVEL.
 */
VOID NTAPI CcInitializeCacheMap(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes, BOOLEAN PinAccess,
                                PCACHE_MANAGER_CALLBACKS Callbacks, PVOID LazyWriteContext)
{
    UNREFERENCED_PARAMETER(PinAccess);
    PSECTION_OBJECT_POINTERS sections = FileObject->SectionObjectPointer;
    if (!sections || FileSizes->AllocationSize.QuadPart < 0 || FileSizes->FileSize.QuadPart < 0)
        ExRaiseStatus(STATUS_INVALID_PARAMETER);
    if (FileObject->PrivateCacheMap)
        return;
    struct cc_map *made = make(FileObject, Callbacks, LazyWriteContext);
    struct open *open = mm_heap_allocate(sizeof(*open), CC_TAG);
    if (!made || !open) {
        if (made)
            mm_pool_free(made, CC_TAG, 0);
        if (open)
            mm_heap_free(open, CC_TAG);
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    KIRQL irql = cc_lock();
    struct cc_map *map = sections->SharedCacheMap;
    if (!map) {
        map = sections->SharedCacheMap = made;
        made = NULL;
        ob_reference(FileObject);
        InsertTailList(&cc_maps, &map->link);
        set_sizes(map, FileSizes);
    }
    map->references++;
    open->file = FileObject;
    InsertTailList(&map->opens, &open->link);
    FileObject->PrivateCacheMap = open;
    cc_unlock(irql);
    if (made)
        mm_pool_free(made, CC_TAG, 0);
}

/* ---- ending ---- */

bool cc_map_release(struct cc_map *map)
{
    ULONG_PTR written;
    KIRQL irql = cc_lock();
    if (map->references == 1 && cc_map_is_dirty(map)) {
        cc_unlock(irql);
        cc_flush(map, 0, CC_END, false, &written);
        irql = cc_lock();
    }
    bool last = --map->references == 0;
    if (last) {
        map->sections->SharedCacheMap = NULL;
        RemoveEntryList(&map->link);
    }
    cc_unlock(irql);
    if (!last)
        return false;
    FILE_OBJECT *file = map->file;
    cc_views_free(map);
    mm_pool_free(map, CC_TAG, 0);
    ob_dereference(file);
    return true;
}

/* Under the lock; the reference of the open is the caller's then. */
static void end_open(struct open *open)
{
    open->file->PrivateCacheMap = NULL;
    RemoveEntryList(&open->link);
    mm_heap_free(open, CC_TAG);
}

/*
 * The file object caches no more. The last one writes back what is dirty, before this returns, and ends the map; TRUE:
 * it has gone. FALSE: others have the file open or pinned, or it was not cached. IRQL PASSIVE_LEVEL.
 */
BOOLEAN NTAPI CcUninitializeCacheMap(PFILE_OBJECT FileObject, PLARGE_INTEGER TruncateSize,
                                     PCACHE_UNINITIALIZE_EVENT UninitializeEvent)
{
    struct cc_map *map = cc_map_of(FileObject->SectionObjectPointer);
    bool gone = false;
    if (map) {
        KIRQL irql = cc_lock();
        if (TruncateSize) {
            cc_views_purge(map, TruncateSize->QuadPart, CC_END);
            if (TruncateSize->QuadPart < map->file_size.QuadPart)
                map->file_size = *TruncateSize;
        }
        if (FileObject->PrivateCacheMap) {
            end_open(FileObject->PrivateCacheMap);
            map->references--; /* this call's is left */
        }
        cc_unlock(irql);
        gone = cc_map_release(map);
    }
    if (UninitializeEvent)
        KeSetEvent(&UninitializeEvent->Event, 0, FALSE);
    return gone;
}

/* The file's sizes have changed. The section only grows; pages behind a smaller file are forgotten. A file that is not
 * cached is left alone. Raises nothing. IRQL < DISPATCH_LEVEL. */
VOID NTAPI CcSetFileSizes(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes)
{
    struct cc_map *map = cc_map_of(FileObject->SectionObjectPointer);
    if (!map)
        return;
    KIRQL irql = cc_lock();
    set_sizes(map, FileSizes);
    cc_unlock(irql);
    cc_map_release(map);
}

/*
 * Forgets whole pages of the range, dirty ones too. FALSE: something there is mapped, pinned or in transfer. Flags
 * TRUE: no open caches the file any more. IRQL < DISPATCH_LEVEL.
 */
BOOLEAN NTAPI CcPurgeCacheSection(PSECTION_OBJECT_POINTERS SectionObjectPointer, PLARGE_INTEGER FileOffset,
                                  ULONG Length, ULONG Flags)
{
    struct cc_map *map = cc_map_of(SectionObjectPointer);
    LONGLONG from = FileOffset ? FileOffset->QuadPart : 0;
    if (!map)
        return TRUE;
    KIRQL irql = cc_lock();
    while ((Flags & TRUE) && !IsListEmpty(&map->opens)) {
        end_open(CONTAINING_RECORD(map->opens.Flink, struct open, link));
        map->references--;
    }
    bool purged = cc_views_purge(map, from, FileOffset && Length ? from + Length : CC_END);
    cc_unlock(irql);
    cc_map_release(map);
    return purged;
}
