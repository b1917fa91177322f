/*
 * cc.h - what the files of the cache manager share: cache maps, their views, the one lock.
 *
 * The lock guards all of it and is never held while a file system is called: pages that are being read or written are
 * marked, and whoever needs them waits for cc_changed.
 */
#pragma once
#include "wdk/cc.h"
#include "wdk/ex.h"
#include "wdk/ps.h"
#include "io.h"
#include "mm.h"
#include "ob.h"
#include "rtl.h"
#include "seh.h"
#include "world.h"

#define CC_END 0x7FFFFFFFFFFFFFFFll /* no end */
#define CC_TAG RTL_TAG('C', 'c', ' ', ' ')
enum { CC_VIEW = VACB_MAPPING_GRANULARITY, CC_VIEWS_KEPT = 64 /* of a map; idle clean ones above that go */ };

/* 256 KB of a file; a bit of a mask is a page. */
struct cc_view {
    LIST_ENTRY link; /* of its map */
    LONGLONG offset; /* a multiple of CC_VIEW */
    UCHAR *data;
    ULONG64 resident, dirty, reading, writing;
    ULONG users; /* who holds the address: BCBs, copies, requests */
    ULONG bcbs;  /* of these, BCBs: the lazy writer leaves the view alone */
};

/* A file's, at SharedCacheMap. The first two fields stand where CcGetFileSizePointer looks. */
struct cc_map {
    LONGLONG unused;
    LARGE_INTEGER file_size;
    LONGLONG valid_length, section_size;
    LIST_ENTRY link; /* of all maps */
    LIST_ENTRY views, bcbs, opens;
    ULONG view_count;
    ULONG references;  /* opens, BCBs, a queued lazy write, calls */
    FILE_OBJECT *file; /* referenced: paging requests are for it */
    PSECTION_OBJECT_POINTERS sections;
    CACHE_MANAGER_CALLBACKS callbacks;
    PVOID context;
    WORK_QUEUE_ITEM lazy_item;
    LIST_ENTRY lazy_link; /* of all queued lazy writes, oldest first */
    ULONG64 lazy_number;
    bool lazy_queued;
};

extern LIST_ENTRY cc_maps;
KIRQL cc_lock(void);
void cc_unlock(KIRQL irql);
/* Under the lock: lets go of it until something changed. */
void cc_wait(KIRQL *irql);
void cc_changed(void);

/* The file's map with a reference, or null. */
struct cc_map *cc_map_of(PSECTION_OBJECT_POINTERS sections);
/* The same, raising STATUS_INVALID_PARAMETER: the file is not cached, or the range is not within the section, or not
 * within one view if it has to be. */
struct cc_map *cc_map_for(PFILE_OBJECT file, const LARGE_INTEGER *offset, ULONG length, bool one_view);
/* The last reference writes back what is dirty and ends the map. True: it is gone. */
bool cc_map_release(struct cc_map *map);

/* ---- view.c ---- */
enum { CC_MAY_WAIT = 1, CC_NO_READ = 2, CC_OVERWRITE = 4 /* whole pages need not be read */ };
/*
 * The view of a range within one, its pages resident, with a user; STATUS_CANT_WAIT: that would take a request.
 */
NTSTATUS cc_view_get(struct cc_map *map, LONGLONG offset, ULONG length, ULONG flags, struct cc_view **view);
void cc_view_put(struct cc_view *view);
/* The pages of the view that [from, to) touches, or holds whole. */
ULONG64 cc_view_pages(const struct cc_view *view, LONGLONG from, LONGLONG to);
ULONG64 cc_view_whole_pages(const struct cc_view *view, LONGLONG from, LONGLONG to);
/* Under the lock: forgets pages, dirty or not. False: some are in use, and none was forgotten. */
bool cc_views_purge(struct cc_map *map, LONGLONG from, LONGLONG to);
void cc_views_free(struct cc_map *map);

/* ---- paging.c ---- */
/* One paging request for count pages of the view. STATUS_IO_TIMEOUT: the driver still has them. */
NTSTATUS cc_page(struct cc_map *map, struct cc_view *view, ULONG page, ULONG count, UCHAR major);

/* ---- write.c ---- */
/* Under the lock: these pages are dirty, and are written some time. */
void cc_dirty(struct cc_map *map, struct cc_view *view, ULONG64 pages);
/* Under the lock: has the lazy writer see to the map. */
void cc_lazy_queue(struct cc_map *map);
/* Writes what is dirty in [from, to), and waits for what others write. lazy: views with BCBs are left. */
NTSTATUS cc_flush(struct cc_map *map, LONGLONG from, LONGLONG to, bool lazy, ULONG_PTR *written);
/* Under the lock. */
bool cc_map_is_dirty(const struct cc_map *map);
