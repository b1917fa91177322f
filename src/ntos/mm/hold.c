/*
 * hold.c - the table of holds: pages that are locked, mapped, allocated or secured, and by whom; and frame numbers.
 *
 * It exists so that nothing can be given back twice or forgotten unnoticed. What a hold means is its taker's business.
 */
#include "mm_internal.h"

struct entry {
    LIST_ENTRY link;
    struct mm_hold hold;
};

static struct plat_lock lock; /* guards everything below */
static LIST_ENTRY holds;      /* oldest first */
static LIST_ENTRY spare;

void mm_holds_init(void)
{
    plat_lock_init(&lock);
    InitializeListHead(&holds);
    InitializeListHead(&spare);
}

static void refill(void)
{
    const SIZE_T bytes = 4 * PAGE_SIZE;
    struct entry *slab = plat_system_map(bytes, PLAT_READWRITE);
    for (SIZE_T i = 0; slab && i < bytes / sizeof(*slab); i++)
        InsertTailList(&spare, &slab[i].link);
}

bool mm_hold_add(const struct mm_hold *hold)
{
    if (mm_refuses(MM_WANT_HOLD))
        return false;
    plat_lock_acquire(&lock);
    if (IsListEmpty(&spare))
        refill();
    bool added = !IsListEmpty(&spare);
    if (added) {
        struct entry *entry = CONTAINING_RECORD(RemoveHeadList(&spare), struct entry, link);
        entry->hold = *hold;
        InsertTailList(&holds, &entry->link);
    }
    plat_lock_release(&lock);
    return added;
}

/* The lock is held. */
static struct entry *find(enum mm_hold_kind kind, const MDL *mdl, ULONG_PTR base)
{
    for (LIST_ENTRY *link = holds.Flink; link != &holds; link = link->Flink) {
        struct entry *entry = CONTAINING_RECORD(link, struct entry, link);
        const struct mm_hold *hold = &entry->hold;
        if (hold->kind == kind && (!mdl || hold->mdl == mdl) && (hold->base == base || base - hold->base < hold->size))
            return entry;
    }
    return NULL;
}

bool mm_hold_take(enum mm_hold_kind kind, const MDL *mdl, ULONG_PTR base, struct mm_hold *hold)
{
    plat_lock_acquire(&lock);
    struct entry *entry = find(kind, mdl, base);
    if (entry) {
        *hold = entry->hold;
        RemoveEntryList(&entry->link);
        InsertTailList(&spare, &entry->link);
    }
    plat_lock_release(&lock);
    return entry != NULL;
}

bool mm_hold_find(enum mm_hold_kind kind, const MDL *mdl, ULONG_PTR base, struct mm_hold *hold)
{
    plat_lock_acquire(&lock);
    struct entry *entry = find(kind, mdl, base);
    if (entry)
        *hold = entry->hold;
    plat_lock_release(&lock);
    return entry != NULL;
}

SIZE_T mm_holds_each(enum mm_pool_owner owner, void (*callback)(void *context, const struct mm_hold *hold),
                     void *context)
{
    SIZE_T count = 0;
    plat_lock_acquire(&lock);
    for (LIST_ENTRY *link = holds.Flink; link != &holds; link = link->Flink) {
        const struct mm_hold *hold = &CONTAINING_RECORD(link, struct entry, link)->hold;
        if (hold->owner != owner)
            continue;
        count++;
        if (callback)
            callback(context, hold);
    }
    plat_lock_release(&lock);
    return count;
}

const char *mm_hold_name(enum mm_hold_kind kind)
{
    static const char *const names[] = {
        [MM_HOLD_LOCK] = "locked pages",
        [MM_HOLD_VIEW] = "system mapping of locked pages",
        [MM_HOLD_USER_VIEW] = "user mapping of locked pages",
        [MM_HOLD_PAGES] = "pages for an MDL",
        [MM_HOLD_CONTIGUOUS] = "contiguous memory",
        [MM_HOLD_NONCACHED] = "noncached memory",
        [MM_HOLD_IO_SPACE] = "mapping of I/O space",
        [MM_HOLD_SECURE] = "secured user range",
        [MM_HOLD_SECTION_VIEW] = "system view of a section",
    };
    return names[kind];
}

struct locked {
    PEPROCESS process;
    SIZE_T pages;
    struct mm_hold first;
};

static void count_locked(void *context, const struct mm_hold *hold)
{
    struct locked *locked = context;
    if (hold->kind != MM_HOLD_LOCK || hold->base >= plat_layout.user_limit || hold->process != locked->process)
        return;
    if (!locked->pages)
        locked->first = *hold;
    locked->pages += ADDRESS_AND_SIZE_TO_SPAN_PAGES(hold->base, hold->size);
}

void mm_check_no_locked_pages(PEPROCESS process)
{
    struct locked locked = {.process = process};
    mm_holds_each(MM_POOL_DRIVER, count_locked, &locked);
    mm_holds_each(MM_POOL_KERNEL, count_locked, &locked);
    if (!locked.pages)
        return;
    char why[128];
    rtl_print(why, sizeof(why), "%llu pages of a process are still locked, first at 0x%llx", (ULONG64)locked.pages,
              (ULONG64)locked.first.base);
    struct ke_bugcheck bugcheck = {.code = BUGCHECK_PROCESS_HAS_LOCKED_PAGES,
                                   .parameters = {0, (ULONG_PTR)process, locked.pages, 0},
                                   .why = why,
                                   .culprit = locked.first.caller ? locked.first.caller - 1 : 0};
    ke_bugcheck_report(&bugcheck);
}

/* ---- frame numbers ---- */

PFN_NUMBER mm_frame_number(ULONG_PTR address)
{
    uint64_t frame;
    return plat_frame_of(address, &frame) ? frame : address >> PAGE_SHIFT;
}

ULONG64 mm_frames_check(const PFN_NUMBER *numbers, SIZE_T count)
{
    ULONG64 check = 0xCBF29CE484222325ull + count;
    for (SIZE_T i = 0; i < count; i++)
        check = (check ^ numbers[i]) * 0x100000001B3ull;
    return check;
}
