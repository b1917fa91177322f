/*
 * user.c - user memory: frames of a memfd, and mapping, unmapping, protecting and asking about user pages.
 *
 * Owns the region lock, the frames and their reference counts, and the choice of addresses. Reservations are
 * reserve.c's. The lock orders changes
 * against one another; signal handlers never take it, they read the page table only. Second views are alias.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "linux.h"

#define GRANULARITY 0x10000ull /* NT's allocation granularity */

int user_memfd = -1;
UCHAR *user_frames;

static pthread_mutex_t region_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t *frame_refs; /* region_lock; 0: free and zero-filled */
static uint64_t frame_cursor;
static ULONG_PTR address_cursor = LAYOUT_USER_ARENA;

void user_lock(void)
{
    pthread_mutex_lock(&region_lock);
}

void user_unlock(void)
{
    pthread_mutex_unlock(&region_lock);
}

/* ---- frames ---- */

NTSTATUS user_init(void)
{
    user_memfd = memfd_create("uma-user", MFD_CLOEXEC);
    if (user_memfd < 0 || ftruncate(user_memfd, LAYOUT_FRAMES_MAX << PAGE_SHIFT) != 0)
        return STATUS_NO_MEMORY;
    frame_refs = mmap(NULL, LAYOUT_FRAMES_MAX * sizeof *frame_refs, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    user_frames =
        mmap(NULL, LAYOUT_FRAMES_MAX << PAGE_SHIFT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, user_memfd, 0);
    if (frame_refs == MAP_FAILED || user_frames == MAP_FAILED)
        return STATUS_NO_MEMORY;
    for (uint64_t frame = 0; frame < PLAT_FRAME_FIRST; frame++)
        frame_refs[frame] = 1;
    madvise(user_frames, LAYOUT_FRAMES_MAX << PAGE_SHIFT, MADV_DONTDUMP);
    /* A fork while another thread is inside would leave the child a lock nobody opens. */
    pthread_atfork(user_lock, user_unlock, user_unlock);
    return STATUS_SUCCESS;
}

bool frame_alloc_between(SIZE_T count, uint64_t from, uint64_t to, uint64_t *first)
{
    uint64_t run = 0;
    for (uint64_t frame = from; frame < to && frame < LAYOUT_FRAMES_MAX; frame++) {
        run = frame_refs[frame] ? 0 : run + 1;
        if (run < count)
            continue;
        *first = frame + 1 - count;
        for (SIZE_T i = 0; i < count; i++)
            frame_refs[*first + i] = 1;
        return true;
    }
    return false;
}

bool frame_alloc(SIZE_T count, uint64_t *first)
{
    if (!frame_alloc_between(count, frame_cursor, LAYOUT_FRAMES_MAX, first) &&
        !frame_alloc_between(count, 0, LAYOUT_FRAMES_MAX, first))
        return false;
    frame_cursor = *first + count;
    return true;
}

bool frame_held(uint64_t frame)
{
    return frame >= PLAT_FRAME_FIRST && frame < LAYOUT_FRAMES_MAX && frame_refs[frame];
}

void frame_hold(uint64_t frame)
{
    frame_refs[frame]++;
}

void frame_drop(uint64_t frame, SIZE_T count)
{
    SIZE_T run = 0;
    for (SIZE_T i = 0; i <= count; i++) {
        if (i < count && --frame_refs[frame + i] == 0) {
            run++;
            continue;
        }
        if (run && fallocate(user_memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                             (off_t)((frame + i - run) << PAGE_SHIFT), (off_t)(run << PAGE_SHIFT)) != 0)
            memset(user_frames + ((frame + i - run) << PAGE_SHIFT), 0, run << PAGE_SHIFT);
        run = 0;
    }
}

/* ---- ranges ---- */

bool range_pages(ULONG_PTR *address, SIZE_T *size)
{
    ULONG_PTR start = *address & PAGE_MASK;
    if (*size == 0 || *size > LAYOUT_USER_LIMIT)
        return false;
    SIZE_T length = (*address - start + *size + PLAT_PAGE_SIZE - 1) & PAGE_MASK;
    if (!user_range(start, length))
        return false;
    *address = start;
    *size = length;
    return true;
}

/* First page in the range that is not mapped; 0 if none. */
static ULONG_PTR range_hole(ULONG_PTR address, SIZE_T size)
{
    for (ULONG_PTR page = address; page < address + size; page += PLAT_PAGE_SIZE)
        if (!(page_load(page) & PAGE_MAPPED))
            return page;
    return 0;
}

ULONG_PTR user_taken(ULONG_PTR address, SIZE_T size)
{
    ULONG_PTR end = address + size, page = page_next(address, end), reserved = reserve_taken(address, end);
    return reserved ? reserved - PLAT_PAGE_SIZE : page < end ? page : 0;
}

static ULONG_PTR range_choose(ULONG_PTR from, ULONG_PTR to, SIZE_T size)
{
    ULONG_PTR at = (from + GRANULARITY - 1) & ~(GRANULARITY - 1);
    while (at < to && size <= to - at) {
        ULONG_PTR taken = user_taken(at - PLAT_PAGE_SIZE, size + 2 * PLAT_PAGE_SIZE);
        if (!taken)
            return at;
        at = (taken + PLAT_PAGE_SIZE + GRANULARITY) & ~(GRANULARITY - 1);
    }
    return 0;
}

NTSTATUS user_map_frames(ULONG_PTR address, SIZE_T size, ULONG prot, uint64_t frame, bool first)
{
    for (ULONG_PTR page = address; page < address + size; page += PLAT_PAGE_SIZE)
        if (!page_slot(page, true))
            return STATUS_NO_MEMORY;
    void *at = mmap((void *)address, size, PROT_NONE, MAP_SHARED | MAP_FIXED_NOREPLACE, user_memfd,
                    (off_t)(frame << PAGE_SHIFT));
    if (at != (void *)address) {
        NTSTATUS status = at == MAP_FAILED && errno == ENOMEM ? STATUS_NO_MEMORY : STATUS_CONFLICTING_ADDRESSES;
        if (at != MAP_FAILED)
            munmap(at, size);
        return status;
    }
    page_word word = PAGE_MAPPED | page_bits(prot);
    for (SIZE_T i = 0; i < size >> PAGE_SHIFT; i++)
        atomic_store(page_slot(address + (i << PAGE_SHIFT), false),
                     word | (frame + i) << PAGE_FRAME_SHIFT | (first && i == 0 ? PAGE_FIRST : 0));
    if (protect_mode == PLAT_PROTECT_PKU || page_kernel_prot(word) != PROT_NONE)
        page_apply_range(address, size, word);
    return STATUS_SUCCESS;
}

static NTSTATUS map_at(ULONG_PTR address, SIZE_T size, ULONG prot)
{
    uint64_t frame;
    if (!frame_alloc(size >> PAGE_SHIFT, &frame))
        return STATUS_NO_MEMORY;
    NTSTATUS status = user_map_frames(address, size, prot, frame, true);
    if (!NT_SUCCESS(status))
        frame_drop(frame, size >> PAGE_SHIFT);
    return status;
}

static NTSTATUS map_anywhere(ULONG_PTR *address, SIZE_T size, ULONG prot)
{
    const ULONG_PTR arenas[][2] = {{address_cursor, LAYOUT_USER_ARENA_END},
                                   {LAYOUT_USER_ARENA2, LAYOUT_USER_ARENA2_END},
                                   {LAYOUT_USER_ARENA, LAYOUT_USER_ARENA_END}};
    for (size_t i = 0; i < RTL_NUMBER_OF(arenas); i++) {
        ULONG_PTR from = arenas[i][0], at;
        while ((at = range_choose(from, arenas[i][1], size)) != 0) {
            NTSTATUS status = map_at(at, size, prot);
            if (status != STATUS_CONFLICTING_ADDRESSES) {
                if (NT_SUCCESS(status) && at < LAYOUT_USER_ARENA_END)
                    address_cursor = at + size;
                *address = at;
                return status;
            }
            from = at + GRANULARITY; /* something of the host's lies there */
        }
    }
    return STATUS_NO_MEMORY;
}

NTSTATUS plat_user_map(ULONG_PTR *address, SIZE_T size, ULONG prot)
{
    bool choose = *address == 0;
    ULONG_PTR at = choose ? LAYOUT_USER_LOW : *address;
    if (!page_prot_valid(prot) || !range_pages(&at, &size))
        return STATUS_INVALID_PARAMETER;
    if (size > LAYOUT_FRAMES_MAX << PAGE_SHIFT)
        return STATUS_NO_MEMORY;
    user_lock();
    NTSTATUS status;
    if (choose)
        status = map_anywhere(&at, size, prot);
    else
        status = user_taken(at, size) ? STATUS_CONFLICTING_ADDRESSES : map_at(at, size, prot);
    user_unlock();
    if (NT_SUCCESS(status))
        *address = at;
    return status;
}

/* Region lock held; [address, +pages) are mapped, to consecutive frames. */
static void unmap_run(ULONG_PTR address, SIZE_T pages, page_word first, void *context)
{
    UNREFERENCED_PARAMETER(context);
    for (SIZE_T i = 0; i < pages; i++)
        atomic_store(page_slot(address + (i << PAGE_SHIFT), false), 0);
    munmap((void *)address, pages << PAGE_SHIFT);
    frame_drop(PAGE_FRAME(first), pages);
}

void user_unmap_pages(ULONG_PTR address, SIZE_T size)
{
    ULONG_PTR end = address + size;
    while ((address = page_next(address, end)) < end) {
        page_word first = page_load(address);
        SIZE_T pages = 1;
        while (address + (pages << PAGE_SHIFT) < end &&
               PAGE_FRAME(page_load(address + (pages << PAGE_SHIFT))) == PAGE_FRAME(first) + pages)
            pages++;
        /* What remains above starts a mapping of its own. */
        _Atomic(page_word) *above = user_range(end, 1) ? page_slot(end, false) : NULL;
        if (above && atomic_load(above) & PAGE_MAPPED)
            atomic_fetch_or(above, PAGE_FIRST);
        unmap_run(address, pages, first, NULL);
        address += pages << PAGE_SHIFT;
    }
}

NTSTATUS plat_user_unmap(ULONG_PTR address, SIZE_T size)
{
    if (!range_pages(&address, &size))
        return STATUS_INVALID_PARAMETER;
    user_lock();
    NTSTATUS status = size > LAYOUT_FRAMES_MAX << PAGE_SHIFT || range_hole(address, size) ? STATUS_CONFLICTING_ADDRESSES
                                                                                          : STATUS_SUCCESS;
    if (NT_SUCCESS(status) && frames_secured(address, size, PLAT_NOACCESS))
        status = STATUS_INVALID_PAGE_PROTECTION;
    if (NT_SUCCESS(status))
        user_unmap_pages(address, size);
    user_unlock();
    return status;
}

NTSTATUS plat_user_protect(ULONG_PTR address, SIZE_T size, ULONG prot)
{
    if (!page_prot_valid(prot) || !range_pages(&address, &size))
        return STATUS_INVALID_PARAMETER;
    user_lock();
    NTSTATUS status = size > LAYOUT_FRAMES_MAX << PAGE_SHIFT || range_hole(address, size) ? STATUS_CONFLICTING_ADDRESSES
                                                                                          : STATUS_SUCCESS;
    if (NT_SUCCESS(status) && frames_secured(address, size, prot))
        status = STATUS_INVALID_PAGE_PROTECTION;
    bool opened = false;
    for (ULONG_PTR page = address; NT_SUCCESS(status) && page < address + size; page += PLAT_PAGE_SIZE) {
        _Atomic(page_word) *slot = page_slot(page, false);
        page_word word = atomic_load(slot);
        while (!atomic_compare_exchange_weak(slot, &word, (word & ~(PAGE_PROT_MASK | PAGE_TAG_MASK)) | page_bits(prot)))
            ;
        opened = opened || word & PAGE_OPEN_MASK;
    }
    /* In mprotect mode pages nobody has open stay as they are: closed. */
    if (NT_SUCCESS(status) && (protect_mode != PLAT_PROTECT_MPROTECT || opened) &&
        !page_apply_range(address, size, PAGE_MAPPED | page_bits(prot)))
        status = STATUS_NO_MEMORY;
    user_unlock();
    return status;
}

bool plat_user_query(ULONG_PTR address, ULONG *prot, SIZE_T *region_size)
{
    user_lock();
    page_word word = page_load(address);
    if (word && prot)
        *prot = (ULONG)(word & PAGE_PROT_MASK); /* without its tag */
    if (word && region_size) {
        ULONG_PTR page = (address & PAGE_MASK) + PLAT_PAGE_SIZE;
        for (;; page += PLAT_PAGE_SIZE) {
            page_word next = page_load(page);
            if (!next || next & PAGE_FIRST || (next ^ word) & PAGE_PROT_MASK)
                break;
        }
        *region_size = page - (address & PAGE_MASK);
    }
    user_unlock();
    return word != 0;
}

NTSTATUS plat_user_poison_in_page(ULONG_PTR address)
{
    user_lock();
    bool mapped = page_load(address) & PAGE_MAPPED;
    if (mapped) {
        atomic_fetch_or(page_slot(address, false), PAGE_POISON);
        page_apply(address);
    }
    user_unlock();
    return mapped ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

bool user_holds(const void *data, SIZE_T size)
{
    return size && (page_load((ULONG_PTR)data) & PAGE_MAPPED || page_load((ULONG_PTR)data + size - 1) & PAGE_MAPPED);
}

/* Copies between data and the frames behind [address, +size), nothing if a page is not mapped or lacks the needed bits.
 */
static bool user_copy(ULONG_PTR address, UCHAR *data, SIZE_T size, bool store)
{
    if (size == 0)
        return true;
    if (user_holds(data, size))
        return false;
    page_word needed = PAGE_MAPPED | (store ? PLAT_WRITE : 0);
    user_lock();
    bool allowed = user_range(address, size);
    for (ULONG_PTR page = address & PAGE_MASK; allowed && page < address + size; page += PLAT_PAGE_SIZE)
        allowed = (store && page_load(page) & PLAT_COPY && copy_break(page)) || (page_load(page) & needed) == needed;
    while (allowed && size) {
        SIZE_T offset = address & (PLAT_PAGE_SIZE - 1), part = PLAT_PAGE_SIZE - offset;
        UCHAR *frame = user_frames + (PAGE_FRAME(page_load(address)) << PAGE_SHIFT) + offset;
        part = part < size ? part : size;
        memcpy(store ? frame : data, store ? data : frame, part);
        address += part;
        data += part;
        size -= part;
    }
    user_unlock();
    return allowed;
}

bool plat_user_store(ULONG_PTR address, const void *data, SIZE_T size)
{
    return user_copy(address, (UCHAR *)(ULONG_PTR)data, size, true);
}

bool plat_user_load(ULONG_PTR address, void *data, SIZE_T size)
{
    return user_copy(address, data, size, false);
}

bool plat_user_peek(ULONG_PTR address, void *data, SIZE_T size)
{
    UCHAR *to = data;
    if (!user_range(address, size))
        return false;
    while (size) {
        SIZE_T offset = address & (PLAT_PAGE_SIZE - 1), part = PLAT_PAGE_SIZE - offset;
        page_word word = page_load(address);
        part = part < size ? part : size;
        if (!(word & PAGE_MAPPED))
            return false;
        memcpy(to, user_frames + (PAGE_FRAME(word) << PAGE_SHIFT) + offset, part);
        address += part;
        to += part;
        size -= part;
    }
    return true;
}

void plat_user_reset(void)
{
    user_lock();
    page_visit_runs(unmap_run, NULL);
    reserve_reset();
    address_cursor = LAYOUT_USER_ARENA;
    user_unlock();
}
