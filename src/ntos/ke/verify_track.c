/*
 * verify_track.c - the objects in drivers' memory that the verifier knows to be in use: resources, lookaside lists.
 */
#include "verify.h"

enum { TRACKED_MAX = 4096 };

static struct tracked {
    ULONG_PTR object;
    enum ke_tracked kind;
} table[TRACKED_MAX];
static ULONG used;  /* entries from 0 on, some free again */
static bool filled; /* something was not tracked: what is not in the table may be in use all the same */

static struct plat_lock lock; /* guards the above */

void ke_track_init(void)
{
    plat_lock_init(&lock);
}

/* Lock held. */
static struct tracked *find(enum ke_tracked kind, ULONG_PTR from, SIZE_T size)
{
    for (ULONG i = 0; i < used; i++)
        if (table[i].object && table[i].kind == kind && table[i].object - from < size)
            return &table[i];
    return NULL;
}

bool ke_track_add(enum ke_tracked kind, const void *object)
{
    plat_lock_acquire(&lock);
    bool known = find(kind, (ULONG_PTR)object, 1) != NULL;
    ULONG free = 0;
    while (free < used && table[free].object)
        free++;
    filled |= !known && free == TRACKED_MAX;
    if (!known && free < TRACKED_MAX) {
        table[free] = (struct tracked){(ULONG_PTR)object, kind};
        used = free == used ? used + 1 : used;
    }
    plat_lock_release(&lock);
    return !known;
}

bool ke_track_remove(enum ke_tracked kind, const void *object)
{
    plat_lock_acquire(&lock);
    struct tracked *known = find(kind, (ULONG_PTR)object, 1);
    if (known)
        known->object = 0;
    bool removed = known || filled;
    plat_lock_release(&lock);
    return removed;
}

ULONG_PTR ke_track_find(enum ke_tracked kind, ULONG_PTR from, SIZE_T size)
{
    plat_lock_acquire(&lock);
    struct tracked *known = find(kind, from, size);
    ULONG_PTR object = known ? known->object : 0;
    plat_lock_release(&lock);
    return object;
}
