/*
 * mm.h - memory management inside the kernel: the special pool. Documented routines stand in wdk/mm.h.
 *
 * Every pool block has pages of its own and ends at an inaccessible page, so that an overrun faults at the instruction
 * that commits it; freed blocks stay inaccessible for a while, so that a use after free does as well.
 */
#pragma once
#include "wdk/mm.h"
#include "ke.h"

/* Whose block: a driver's leftovers are leaks, the kernel's own are not. */
enum mm_pool_owner { MM_POOL_DRIVER, MM_POOL_KERNEL };

enum { MM_POOL_ZERO = 1, MM_POOL_CACHE_ALIGNED = 2 };

struct mm_pool_block {
    ULONG_PTR address;
    SIZE_T size;
    ULONG tag;
    ULONG_PTR caller; /* code that allocated it, 0 if unknown */
    enum mm_pool_owner owner;
};

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
SIZE_T mm_pool_bytes_in_use(enum mm_pool_owner owner);

/* Resolves an export by name for MmGetSystemRoutineAddress; set by ldr's user. */
extern void *(*mm_routine_lookup)(const char *name);
