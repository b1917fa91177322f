/*
 * vad.c - the map of the user process's address space: what each allocated range is, sorted by address.
 *
 * What is not in it but mapped was put there by the platform's callers themselves (an MDL's pages, a thread's stack).
 */
#include "vad.h"
#include "rtl.h"

#define VAD_TAG RTL_TAG('V', 'a', 'd', ' ')

static struct plat_lock lock; /* guards everything below */
static struct mm_vad **map;   /* in pages of their own, which stay */
static SIZE_T count, room;

void mm_vads_init(void)
{
    plat_lock_init(&lock);
}

void mm_vad_lock(void)
{
    plat_lock_acquire(&lock);
}

void mm_vad_unlock(void)
{
    plat_lock_release(&lock);
}

/* Index of the first entry that ends above address. */
static SIZE_T search(ULONG_PTR address)
{
    SIZE_T low = 0, high = count;
    while (low < high) {
        SIZE_T middle = (low + high) / 2;
        if (map[middle]->base + map[middle]->size > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct mm_vad *mm_vad_find(ULONG_PTR address)
{
    SIZE_T i = search(address);
    return i < count && map[i]->base <= address ? map[i] : NULL;
}

struct mm_vad *mm_vad_above(ULONG_PTR address)
{
    SIZE_T i = search(address);
    if (i < count && map[i]->base <= address)
        i++;
    return i < count ? map[i] : NULL;
}

static bool grow(void)
{
    SIZE_T bigger = room ? 2 * room : PAGE_SIZE / sizeof(*map);
    struct mm_vad **moved = plat_system_map(bigger * sizeof(*map), PLAT_READWRITE);
    if (!moved)
        return false;
    for (SIZE_T i = 0; i < count; i++)
        moved[i] = map[i];
    if (map)
        plat_system_unmap(map, room * sizeof(*map));
    map = moved;
    room = bigger;
    return true;
}

struct mm_vad *mm_vad_add(ULONG_PTR base, SIZE_T size)
{
    if (count == room && !grow())
        return NULL;
    struct mm_vad *vad = mm_pool_allocate(sizeof(*vad), VAD_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!vad)
        return NULL;
    SIZE_T at = search(base);
    for (SIZE_T i = count++; i > at; i--)
        map[i] = map[i - 1];
    map[at] = vad;
    vad->base = base;
    vad->size = size;
    return vad;
}

void mm_vad_remove(struct mm_vad *vad)
{
    SIZE_T at = search(vad->base);
    count--;
    for (SIZE_T i = at; i < count; i++)
        map[i] = map[i + 1];
    mm_pool_free(vad, VAD_TAG, 0);
}

void mm_vads_each(void (*visit)(struct mm_vad *vad, void *context), void *context)
{
    for (SIZE_T i = 0; i < count; i++)
        visit(map[i], context);
}

/* A number of leading zero bits of a 32-bit address, or, above 32, a mask of the bits an address may have. */
ULONG_PTR mm_vad_limit(ULONG64 zero_bits)
{
    ULONG_PTR limit = plat_layout.user_limit;
    if (zero_bits == 0)
        return limit;
    if (zero_bits >= 21 && zero_bits <= 32)
        return 0;
    ULONG64 top = zero_bits < 21 ? 1ull << (32 - zero_bits) : 1ull << (63 - __builtin_clzll(zero_bits)) << 1;
    return top && top < limit ? top : limit;
}
