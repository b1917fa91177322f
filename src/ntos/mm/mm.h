/*
 * mm.h - memory management inside the kernel: the special pool, and what is locked and mapped. Documented routines
 * stand in wdk/mm.h.
 *
 * Every pool block has pages of its own and ends at an inaccessible page, so that an overrun faults at the instruction
 * that commits it; freed blocks stay inaccessible for a while, so that a use after free does as well.
 */
#pragma once
#include "wdk/mm.h"
#include "ke.h"

/* Whose block: a driver's leftovers are leaks, the kernel's own are not. */
enum mm_pool_owner { MM_POOL_DRIVER, MM_POOL_KERNEL };

enum { MM_POOL_ZERO = 1, MM_POOL_CACHE_ALIGNED = 2, MM_POOL_PAGED = 4 /* noted, no more */ };

struct mm_pool_block {
    ULONG_PTR address;
    SIZE_T size;
    ULONG tag;
    ULONG_PTR caller; /* code that allocated it, 0 if unknown */
    enum mm_pool_owner owner;
    bool paged;
};

/* ---- shortage ---- */

/* What is asked for: a block of pool, a block of the kernel's own heap, room in the table of holds, a mapping of locked
 * pages in system space. */
enum mm_want { MM_WANT_POOL, MM_WANT_HEAP, MM_WANT_HOLD, MM_WANT_VIEW };

/* For tests of what happens when memory is short: asked first, by any thread; true: there is none. Null: nobody asks.
 */
extern bool (*mm_short)(enum mm_want want);

static inline bool mm_refuses(enum mm_want want)
{
    return mm_short && mm_short(want);
}

/* Sets up the pool, its explanation of faults, and the exported addresses. mm_pool_init is its part in pool.c. */
NTSTATUS mm_init(void);
NTSTATUS mm_pool_init(void);
/*
 * size bytes, aligned to 16 (64 with CACHE_ALIGNED, to a page from a page up). Null: no memory, size absurd, or the
 * total cap of 1 GiB reached. Not zeroed memory is filled with a pattern. caller: blamed in reports.
 */
void *mm_pool_allocate(SIZE_T size, ULONG tag, ULONG flags, enum mm_pool_owner owner, ULONG_PTR caller);
/* Checks the bytes around the block and the tag (0: any), then makes it inaccessible. A bad free is bug check 0xC2 or
 * 0xC1. */
void mm_pool_free(void *address, ULONG tag, ULONG_PTR caller);
/* Finds the live block that holds address. */
bool mm_pool_find(ULONG_PTR address, struct mm_pool_block *block);
/* Calls back for each live block, oldest first; returns how many there were. callback may be null. */
SIZE_T mm_pool_each(enum mm_pool_owner owner, void (*callback)(void *context, const struct mm_pool_block *block),
                    void *context);
/* With MM_POOL_KERNEL: those of the heap as well. */
SIZE_T mm_pool_bytes_in_use(enum mm_pool_owner owner);

/* The kernel's own heap, for blocks that drivers never see: zeroed, aligned to 16, without guard pages. Null: no
 * memory. */
#ifdef UMA_SANITIZE
#define MM_HEAP_IS_SPECIAL true /* the pool finds our mistakes too */
#else
#define MM_HEAP_IS_SPECIAL false
#endif
void mm_heap_init(void);
void *mm_heap_allocate(SIZE_T size, ULONG tag);
void mm_heap_free(void *address, ULONG tag);
SIZE_T mm_heap_bytes_in_use(void);

/* ---- holds: what is locked, mapped or allocated by the page, until it is given back ---- */

enum mm_hold_kind {
    MM_HOLD_LOCK,      /* MmProbeAndLockPages */
    MM_HOLD_VIEW,      /* a mapping of an MDL in system space */
    MM_HOLD_USER_VIEW, /* the same in user space */
    MM_HOLD_PAGES,     /* MmAllocatePagesForMdl */
    MM_HOLD_CONTIGUOUS,
    MM_HOLD_NONCACHED,
    MM_HOLD_IO_SPACE,
    MM_HOLD_SECURE,
    MM_HOLD_SECTION_VIEW /* a view of a section in system space */
};

struct mm_hold {
    enum mm_hold_kind kind;
    enum mm_pool_owner owner;
    ULONG_PTR caller; /* code that took it, 0 if unknown */
    MDL *mdl;         /* null where there is none */
    ULONG_PTR base;   /* address that is locked, mapped or secured */
    SIZE_T size;
    ULONG64 check;     /* of the MDL's frame numbers; see mm_frames_check. Of a section's view: it can be written */
    PEPROCESS process; /* whose user memory it is, or null */
    void *handle;      /* plat's, where it has one */
};

/* Calls back for each hold, oldest first; returns how many there are. callback may be null. */
SIZE_T mm_holds_each(enum mm_pool_owner owner, void (*callback)(void *context, const struct mm_hold *hold),
                     void *context);
/* What a hold is, in words: "locked pages", "mapping of locked pages", ... */
const char *mm_hold_name(enum mm_hold_kind kind);
/*
 * What must hold when a process ends: none of its pages is locked. Bug check 0x76, blamed on whoever locked the first.
 */
void mm_check_no_locked_pages(PEPROCESS process);
/* MmProbeAndLockPages for owner; raises what that raises. */
void mm_lock(MDL *mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation, enum mm_pool_owner owner, ULONG_PTR caller);

/* Resolves an export by name for MmGetSystemRoutineAddress; set by ldr's user. */
extern void *(*mm_routine_lookup)(const char *name);
