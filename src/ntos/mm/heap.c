/*
 * heap.c - blocks that drivers never see: captured names, bookkeeping. From lists by size, without a system call.
 *
 * What drivers do see comes from the special pool (pool.c), which finds their mistakes; a sanitizer build takes these
 * from there as well, and finds ours.
 */
#include "mm.h"
#include "rtl.h"

enum { SMALLEST = 32, CLASSES = 8, SLAB = 64 << 10, FREED = 0x64657246 };

/* Stands before each block. */
struct head {
    ULONG tag;  /* FREED while it is on its list */
    ULONG kind; /* index of its class; CLASSES: a pool block of its own */
    union {
        SIZE_T size;
        struct head *next; /* on the list */
    };
};
_Static_assert(sizeof(struct head) == 16, "blocks are aligned to 16");

static struct {
    struct plat_lock lock;
    struct head *free;
} classes[CLASSES]; /* SMALLEST << index bytes with the head */
static SIZE_T in_use;

bool (*mm_short)(enum mm_want want);

void mm_heap_init(void)
{
    for (ULONG i = 0; i < CLASSES; i++)
        plat_lock_init(&classes[i].lock);
}

SIZE_T mm_heap_bytes_in_use(void)
{
    return __atomic_load_n(&in_use, __ATOMIC_RELAXED);
}

/* A slab's blocks go to the list. Lock held. */
static void refill(ULONG kind)
{
    SIZE_T bytes = (SIZE_T)SMALLEST << kind;
    UCHAR *slab = plat_system_map(SLAB, PLAT_READWRITE);
    for (SIZE_T at = 0; slab && at + bytes <= SLAB; at += bytes) {
        struct head *head = (struct head *)(slab + at);
        *head = (struct head){.tag = FREED, .kind = kind, .next = classes[kind].free};
        classes[kind].free = head;
    }
}

static struct head *from_class(ULONG kind)
{
    plat_lock_acquire(&classes[kind].lock);
    if (!classes[kind].free)
        refill(kind);
    struct head *head = classes[kind].free;
    if (head)
        classes[kind].free = head->next;
    plat_lock_release(&classes[kind].lock);
    return head;
}

void *mm_heap_allocate(SIZE_T size, ULONG tag)
{
    ULONG kind = MM_HEAP_IS_SPECIAL ? CLASSES : 0;
    if (mm_refuses(MM_WANT_HEAP))
        return NULL;
    while (kind < CLASSES && ((SIZE_T)SMALLEST << kind) - sizeof(struct head) < size)
        kind++;
    struct head *head =
        kind < CLASSES ? from_class(kind) : mm_pool_allocate(sizeof(*head) + size, tag, 0, MM_POOL_KERNEL, 0);
    if (!head)
        return NULL;
    *head = (struct head){.tag = tag, .kind = kind, .size = size};
    if (kind < CLASSES)
        __atomic_add_fetch(&in_use, size, __ATOMIC_RELAXED);
    return __builtin_memset(head + 1, 0, size);
}

void mm_heap_free(void *address, ULONG tag)
{
    struct head *head = (struct head *)address - 1;
    if (head->tag != tag || head->kind > CLASSES)
        ke_bugcheck_because(BUGCHECK_BAD_POOL_CALLER, (ULONG_PTR[4]){0x7, 0, head->tag, (ULONG_PTR)address},
                            "a block of the kernel's own heap was freed twice, or as another one");
    if (head->kind == CLASSES) {
        mm_pool_free(head, tag, 0);
        return;
    }
    __atomic_sub_fetch(&in_use, head->size, __ATOMIC_RELAXED);
    plat_lock_acquire(&classes[head->kind].lock);
    head->tag = FREED;
    head->next = classes[head->kind].free;
    classes[head->kind].free = head;
    plat_lock_release(&classes[head->kind].lock);
}
