/* mdl_fixture.h - what the suites of memory descriptor lists start from: pages of user memory, the count of holds, a
 * lock to try. */
#pragma once
#include "ntos_test.h"

enum { PAGES = 4 };
static ULONG_PTR base; /* PAGES pages of user memory */
static SIZE_T holds;

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    base = 0;
    holds = mm_holds_each(MM_POOL_DRIVER, NULL, NULL) + mm_pool_each(MM_POOL_DRIVER, NULL, NULL);
    return plat_user_map(&base, PAGES * PAGE_SIZE, PLAT_READWRITE);
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    plat_user_unmap(base, PAGES * PAGE_SIZE);
    return mm_holds_each(MM_POOL_DRIVER, NULL, NULL) + mm_pool_each(MM_POOL_DRIVER, NULL, NULL) != holds;
}

struct lock {
    MDL *mdl;
    KPROCESSOR_MODE mode;
    LOCK_OPERATION operation;
};

static void do_lock(void *context)
{
    struct lock *lock = context;
    MmProbeAndLockPages(lock->mdl, lock->mode, lock->operation);
}
