/*
 * reserve.c - reservations of user addresses, and pages that come and go inside them.
 *
 * A reservation is a range in a sorted list; its pages are in the page table like all others. All under the region
 * lock.
 */
#include <stdlib.h>
#include <string.h>

#include "linux.h"

#define GRANULARITY 0x10000ull

struct reservation {
    struct reservation *next;
    ULONG_PTR start, end;
};
static struct reservation *reservations;     /* by address */
static ULONG_PTR cursor = LAYOUT_USER_ARENA; /* addresses are not used again at once */

ULONG_PTR reserve_taken(ULONG_PTR address, ULONG_PTR end)
{
    ULONG_PTR taken = 0;
    for (struct reservation *range = reservations; range && range->start < end; range = range->next)
        if (address < range->end)
            taken = range->end;
    return taken;
}

void reserve_reset(void)
{
    cursor = LAYOUT_USER_ARENA;
    for (struct reservation *range; (range = reservations) != NULL;) {
        reservations = range->next;
        free(range);
    }
}

/* The lowest room in [from, to), or 0. */
static ULONG_PTR choose_up(ULONG_PTR from, ULONG_PTR to, SIZE_T size)
{
    while (from < to && size <= to - from) {
        ULONG_PTR taken = user_taken(from - PLAT_PAGE_SIZE, size + 2 * PLAT_PAGE_SIZE);
        if (!taken)
            return from;
        from = (taken + PLAT_PAGE_SIZE + GRANULARITY) & ~(GRANULARITY - 1);
    }
    return 0;
}

/* The highest room in [from, to), or 0. */
static ULONG_PTR choose_down(ULONG_PTR from, ULONG_PTR to, SIZE_T size)
{
    while (to > from && size <= to - from) {
        ULONG_PTR at = (to - size) & ~(GRANULARITY - 1);
        if (at < from || !user_taken(at, size))
            return at < from ? 0 : at;
        to = at;
    }
    return 0;
}

static ULONG_PTR choose(SIZE_T size, ULONG_PTR limit, bool top_down)
{
    const ULONG_PTR arenas[][2] = {{LAYOUT_USER_ARENA, LAYOUT_USER_ARENA_END},
                                   {LAYOUT_USER_ARENA2, LAYOUT_USER_ARENA2_END}};
    for (unsigned i = 0; i < 2; i++) {
        const ULONG_PTR *arena = arenas[top_down ? 1 - i : i];
        ULONG_PTR to = arena[1] < limit ? arena[1] : limit;
        ULONG_PTR from = i == 0 && !top_down && cursor < to ? cursor : arena[0];
        ULONG_PTR at = top_down ? choose_down(from, to, size) : choose_up(from, to, size);
        if (!at && from != arena[0])
            at = choose_up(arena[0], to, size);
        if (at && i == 0 && !top_down)
            cursor = (at + size + GRANULARITY) & ~(GRANULARITY - 1);
        if (at)
            return at;
    }
    return 0;
}

NTSTATUS plat_user_reserve(ULONG_PTR *address, SIZE_T size, ULONG_PTR limit, bool top_down)
{
    ULONG_PTR at = *address ? *address : LAYOUT_USER_LOW;
    if (!range_pages(&at, &size))
        return STATUS_INVALID_PARAMETER;
    struct reservation *range = malloc(sizeof *range);
    if (!range)
        return STATUS_NO_MEMORY;
    user_lock();
    NTSTATUS status = STATUS_SUCCESS;
    if (!*address)
        status = (at = choose(size, limit, top_down)) ? STATUS_SUCCESS : STATUS_NO_MEMORY;
    else if (user_taken(at, size))
        status = STATUS_CONFLICTING_ADDRESSES;
    if (NT_SUCCESS(status)) {
        struct reservation **link = &reservations;
        while (*link && (*link)->start < at)
            link = &(*link)->next;
        *range = (struct reservation){*link, at, at + size};
        *link = range;
        *address = at;
    }
    user_unlock();
    if (!NT_SUCCESS(status))
        free(range);
    return status;
}

NTSTATUS plat_user_unreserve(ULONG_PTR address)
{
    user_lock();
    struct reservation **link = &reservations;
    while (*link && (*link)->start != address)
        link = &(*link)->next;
    struct reservation *range = *link;
    NTSTATUS status = STATUS_SUCCESS;
    if (!range)
        status = STATUS_INVALID_PARAMETER;
    else if (frames_secured(range->start, range->end - range->start, PLAT_NOACCESS))
        status = STATUS_INVALID_PAGE_PROTECTION;
    if (NT_SUCCESS(status)) {
        user_unmap_pages(range->start, range->end - range->start);
        *link = range->next;
        free(range);
    }
    user_unlock();
    return status;
}

/* [address, end) in runs of pages that are there (protected) and that are not (fresh). Region lock held. */
static NTSTATUS commit_fresh(ULONG_PTR address, ULONG_PTR end, ULONG prot)
{
    while (address < end) {
        ULONG_PTR hole = address, stop;
        while (hole < end && page_load(hole) & PAGE_MAPPED)
            hole += PLAT_PAGE_SIZE;
        stop = page_next(hole, end);
        if (hole == stop)
            break;
        uint64_t frame;
        SIZE_T pages = (stop - hole) >> PAGE_SHIFT;
        if (pages > LAYOUT_FRAMES_MAX || !frame_alloc(pages, &frame))
            return STATUS_COMMITMENT_LIMIT;
        NTSTATUS status = user_map_frames(hole, stop - hole, prot, frame, false);
        if (!NT_SUCCESS(status)) {
            frame_drop(frame, pages);
            return status;
        }
        address = stop;
    }
    return STATUS_SUCCESS;
}

NTSTATUS plat_user_commit(ULONG_PTR address, SIZE_T size, ULONG prot)
{
    if (!page_prot_valid(prot) || !range_pages(&address, &size))
        return STATUS_INVALID_PARAMETER;
    user_lock();
    bool fresh = page_next(address, address + size) == address + size;
    NTSTATUS status = frames_secured(address, size, prot) ? STATUS_INVALID_PAGE_PROTECTION
                                                          : commit_fresh(address, address + size, prot);
    user_unlock();
    return NT_SUCCESS(status) && !fresh ? plat_user_protect(address, size, prot) : status;
}

NTSTATUS plat_user_place(ULONG_PTR address, const ULONG_PTR *frames, SIZE_T count, ULONG prot)
{
    NTSTATUS status = STATUS_SUCCESS;
    user_lock();
    for (SIZE_T i = 0, run; i < count && NT_SUCCESS(status); i += run) {
        ULONG_PTR page = address + (i << PAGE_SHIFT);
        run = 1;
        if (page_load(page) & PAGE_MAPPED || !frame_held(frames[i]))
            continue;
        while (i + run < count && frames[i + run] == frames[i] + run && frame_held(frames[i + run]) &&
               !(page_load(page + (run << PAGE_SHIFT)) & PAGE_MAPPED))
            run++;
        status = user_map_frames(page, run << PAGE_SHIFT, prot, frames[i], false);
        for (SIZE_T k = 0; k < run && NT_SUCCESS(status); k++)
            frame_hold(frames[i + k]);
    }
    user_unlock();
    return status;
}

NTSTATUS plat_user_decommit(ULONG_PTR address, SIZE_T size)
{
    if (!range_pages(&address, &size))
        return STATUS_INVALID_PARAMETER;
    user_lock();
    bool secured = frames_secured(address, size, PLAT_NOACCESS);
    if (!secured)
        user_unmap_pages(address, size);
    user_unlock();
    return secured ? STATUS_INVALID_PAGE_PROTECTION : STATUS_SUCCESS;
}

void plat_user_state(ULONG_PTR address, ULONG_PTR end, struct plat_user_state *state)
{
    address &= PAGE_MASK;
    user_lock();
    page_word word = page_load(address);
    *state = (struct plat_user_state){!!(word & PAGE_MAPPED), page_prot(word), PAGE_FRAME(word), end};
    if (!state->mapped) {
        state->prot = 0;
        state->end = page_next(address, end);
    } else {
        for (state->end = address + PLAT_PAGE_SIZE; state->end < end; state->end += PLAT_PAGE_SIZE) {
            page_word next = page_load(state->end);
            if (!(next & PAGE_MAPPED) || next & PAGE_FIRST || page_prot(next) != page_prot(word))
                break;
        }
    }
    user_unlock();
}

ULONG_PTR plat_user_first(ULONG_PTR address)
{
    address &= PAGE_MASK;
    user_lock();
    while (!(page_load(address) & PAGE_FIRST) && page_load(address - PLAT_PAGE_SIZE) & PAGE_MAPPED)
        address -= PLAT_PAGE_SIZE;
    user_unlock();
    return address;
}
