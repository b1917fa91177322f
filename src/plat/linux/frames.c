/*
 * frames.c - frames by number: locking those behind user memory, giving out fresh ones, mapping them as user memory;
 * and ranges whose protection the user must not lessen.
 *
 * Reference counts are user.c's; views in system space are alias.c's.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "linux.h"

enum { AT_ONCE = 64 };

struct secured {
    struct secured *next;
    ULONG_PTR start, end;
    ULONG needed;
};
static struct secured *secured; /* region lock */

/* Whether the user may read or write the page as things stand. A page that can be written can be read, as on x64. */
static bool grants(page_word word, ULONG needed)
{
    ULONG wanted = needed & PLAT_WRITE ? PLAT_WRITE | PLAT_COPY : PLAT_READWRITE;
    return word & PAGE_MAPPED && word & wanted && !(word & (PAGE_POISON | PLAT_GUARD));
}

/* The first page of [start, end) that does not grant needed; end if all do. Region lock held. */
static ULONG_PTR first_denied(ULONG_PTR start, ULONG_PTR end, ULONG needed)
{
    while (start < end && grants(page_load(start), needed))
        start += PLAT_PAGE_SIZE;
    return start;
}

static ULONG_PTR round_up(ULONG_PTR address)
{
    return (address + PLAT_PAGE_SIZE - 1) & PAGE_MASK;
}

/* Holds the frames of pages pages from start on; frames is memory of ours. False: none, and *failed says why. */
static bool hold_pages(ULONG_PTR start, SIZE_T pages, ULONG needed, ULONG_PTR *frames, ULONG_PTR *failed)
{
    ULONG_PTR end = start + (pages << PAGE_SHIFT);
    user_lock();
    *failed = first_denied(start, end, needed);
    bool granted = *failed == end;
    for (ULONG_PTR page = start; granted && needed & PLAT_WRITE && page < end; page += PLAT_PAGE_SIZE)
        granted = !(page_load(page) & PLAT_COPY) || copy_break(page);
    for (SIZE_T i = 0; granted && i < pages; i++) {
        frames[i] = PAGE_FRAME(page_load(start + (i << PAGE_SHIFT)));
        frame_hold(frames[i]);
    }
    user_unlock();
    return granted;
}

/* The caller's array may lie in a driver's memory and fault, so it is never touched with the lock held. */
NTSTATUS plat_frames_lock(ULONG_PTR address, SIZE_T size, ULONG needed, ULONG_PTR *frames, ULONG_PTR *failed)
{
    ULONG_PTR start = address & PAGE_MASK, some[AT_ONCE];
    SIZE_T pages = (round_up(address + size) - start) >> PAGE_SHIFT;
    *failed = start;
    if (size == 0)
        return STATUS_SUCCESS;
    if (!user_range(address, size))
        return STATUS_ACCESS_VIOLATION;
    for (SIZE_T done = 0, part; done < pages; done += part) {
        part = pages - done < AT_ONCE ? pages - done : AT_ONCE;
        if (!hold_pages(start + (done << PAGE_SHIFT), part, needed, some, failed)) {
            plat_frames_drop(frames, done);
            return STATUS_ACCESS_VIOLATION;
        }
        memcpy(frames + done, some, part * sizeof some[0]);
    }
    return STATUS_SUCCESS;
}

NTSTATUS plat_frames_allocate(SIZE_T count, uint64_t from, uint64_t to, uint64_t *first)
{
    if (count == 0 || count > LAYOUT_FRAMES_MAX)
        return STATUS_NO_MEMORY;
    user_lock();
    bool found = frame_alloc_between(count, from, to, first);
    user_unlock();
    return found ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

void plat_frames_drop(const ULONG_PTR *frames, SIZE_T count)
{
    for (SIZE_T i = 0, run; i < count; i += run) {
        ULONG_PTR first = frames[i];
        for (run = 1; i + run < count && frames[i + run] == first + run; run++)
            ;
        user_lock();
        frame_drop(first, run);
        user_unlock();
    }
}

bool plat_frame_load(uint64_t frame, SIZE_T offset, void *data, SIZE_T size)
{
    if (user_holds(data, size))
        return false;
    user_lock();
    bool held = frame_held(frame) && offset <= PLAT_PAGE_SIZE && size <= PLAT_PAGE_SIZE - offset;
    if (held)
        memcpy(data, user_frames + (frame << PAGE_SHIFT) + offset, size);
    user_unlock();
    return held;
}

/* Puts a frame behind a mapped user page in place of the one it has. Region lock held. */
static bool replace_frame(ULONG_PTR page, uint64_t frame, ULONG prot)
{
    page_word word = page_load(page);
    if (!(word & PAGE_MAPPED) || !frame_held(frame) ||
        mmap((void *)page, PLAT_PAGE_SIZE, PROT_NONE, MAP_SHARED | MAP_FIXED, user_memfd,
             (off_t)(frame << PAGE_SHIFT)) == MAP_FAILED)
        return false;
    frame_hold(frame);
    page_word now = PAGE_MAPPED | page_bits(prot) | (word & PAGE_FIRST) | frame << PAGE_FRAME_SHIFT;
    atomic_store(page_slot(page, false), now);
    frame_drop(PAGE_FRAME(word), 1);
    return page_apply(page);
}

NTSTATUS plat_frames_map_user(const ULONG_PTR *frames, SIZE_T count, ULONG prot, ULONG_PTR *address)
{
    ULONG_PTR at = *address & PAGE_MASK;
    if (prot & ~(ULONG)PLAT_READWRITE || count == 0 || count > LAYOUT_FRAMES_MAX)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = plat_user_map(&at, count << PAGE_SHIFT, PLAT_NOACCESS);
    if (!NT_SUCCESS(status))
        return status;
    bool placed = true;
    for (SIZE_T i = 0; i < count && placed; i++) {
        ULONG_PTR frame = frames[i];
        user_lock();
        placed = replace_frame(at + (i << PAGE_SHIFT), frame, prot);
        user_unlock();
    }
    if (!placed) {
        plat_user_unmap(at, count << PAGE_SHIFT);
        return STATUS_INVALID_PARAMETER;
    }
    *address = at;
    return STATUS_SUCCESS;
}

/* ---- secured ranges ---- */

bool frames_secured(ULONG_PTR address, SIZE_T size, ULONG prot)
{
    for (const struct secured *range = secured; range; range = range->next)
        if (address < range->end && range->start < address + size && !grants(PAGE_MAPPED | prot, range->needed))
            return true;
    return false;
}

NTSTATUS plat_user_secure(ULONG_PTR address, SIZE_T size, ULONG needed, void **handle)
{
    if (size == 0 || !user_range(address, size))
        return STATUS_INVALID_PARAMETER;
    struct secured *range = malloc(sizeof *range);
    if (!range)
        return STATUS_NO_MEMORY;
    *range = (struct secured){NULL, address & PAGE_MASK, round_up(address + size), needed};
    user_lock();
    bool granted = first_denied(range->start, range->end, needed) == range->end;
    if (granted) {
        range->next = secured;
        secured = range;
    }
    user_unlock();
    if (!granted) {
        free(range);
        return STATUS_ACCESS_VIOLATION;
    }
    *handle = range;
    return STATUS_SUCCESS;
}

bool plat_user_unsecure(void *handle)
{
    user_lock();
    struct secured **link = &secured;
    while (*link && *link != handle)
        link = &(*link)->next;
    struct secured *range = *link;
    if (range)
        *link = range->next;
    user_unlock();
    free(range);
    return range != NULL;
}
