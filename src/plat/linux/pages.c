/*
 * pages.c - the user page table: one atomic word per user page.
 *
 * Owns the table's shape (three levels, made on demand, never freed, so that a signal handler may walk it at any time
 * without a lock) and walking it. What the words mean to the kernel stands in protect.c; who may change the mapped
 * state is guarded by the region lock of user.c.
 */
#include <sys/mman.h>

#include "linux.h"

#define LEAF_BITS    11
#define MIDDLE_BITS  11
#define TOP_BITS     12 /* 46 - 12 - 11 - 11 */
#define LEAF_SLOTS   (1u << LEAF_BITS)
#define MIDDLE_SLOTS (1u << MIDDLE_BITS)
#define TOP_SLOTS    (1u << TOP_BITS)

struct leaf {
    _Atomic(page_word) slot[LEAF_SLOTS];
};
struct middle {
    _Atomic(struct leaf *) leaf[MIDDLE_SLOTS];
};
static _Atomic(struct middle *) top[TOP_SLOTS];

_Static_assert(LAYOUT_USER_LIMIT <= 1ull << (PAGE_SHIFT + LEAF_BITS + MIDDLE_BITS + TOP_BITS),
               "table covers user range");

bool user_range(ULONG_PTR address, SIZE_T size)
{
    return address >= plat_layout.user_low && address < plat_layout.user_limit &&
           size <= plat_layout.user_limit - address;
}

static void *table_alloc(size_t size)
{
    void *table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return table == MAP_FAILED ? NULL : table;
}

_Atomic(page_word) *page_slot(ULONG_PTR address, bool make)
{
    ULONG_PTR page = address >> PAGE_SHIFT;
    _Atomic(struct middle *) *middle_at = &top[page >> (LEAF_BITS + MIDDLE_BITS) & (TOP_SLOTS - 1)];
    struct middle *middle = atomic_load(middle_at);
    if (!middle) {
        if (!make || !(middle = table_alloc(sizeof *middle)))
            return NULL;
        atomic_store(middle_at, middle);
    }
    _Atomic(struct leaf *) *leaf_at = &middle->leaf[page >> LEAF_BITS & (MIDDLE_SLOTS - 1)];
    struct leaf *leaf = atomic_load(leaf_at);
    if (!leaf) {
        if (!make || !(leaf = table_alloc(sizeof *leaf)))
            return NULL;
        atomic_store(leaf_at, leaf);
    }
    return &leaf->slot[page & (LEAF_SLOTS - 1)];
}

page_word page_load(ULONG_PTR address)
{
    if (!user_range(address, 1))
        return 0;
    _Atomic(page_word) *slot = page_slot(address, false);
    return slot ? atomic_load(slot) : 0;
}

ULONG_PTR page_next(ULONG_PTR address, ULONG_PTR end)
{
    while (address < end) {
        ULONG_PTR page = address >> PAGE_SHIFT;
        struct middle *middle = atomic_load(&top[page >> (LEAF_BITS + MIDDLE_BITS) & (TOP_SLOTS - 1)]);
        struct leaf *leaf = middle ? atomic_load(&middle->leaf[page >> LEAF_BITS & (MIDDLE_SLOTS - 1)]) : NULL;
        ULONG_PTR step = leaf ? 1 : middle ? LEAF_SLOTS : (ULONG_PTR)LEAF_SLOTS * MIDDLE_SLOTS;
        if (leaf && atomic_load(&leaf->slot[page & (LEAF_SLOTS - 1)]))
            return address & PAGE_MASK;
        address = (page / step + 1) * step << PAGE_SHIFT;
    }
    return end;
}

struct run {
    ULONG_PTR address;
    SIZE_T pages;
    page_word first;
    void (*visit)(ULONG_PTR, SIZE_T, page_word, void *);
    void *context;
};

static void run_add(struct run *run, ULONG_PTR address, page_word word)
{
    const page_word same = PAGE_PROT_MASK | PAGE_TAG_MASK | PAGE_MAPPED | PAGE_POISON | PAGE_OPEN_MASK;
    bool extends = run->pages && word && address == run->address + (run->pages << PAGE_SHIFT) &&
                   (word & same) == (run->first & same) && PAGE_FRAME(word) == PAGE_FRAME(run->first) + run->pages;
    if (extends) {
        run->pages++;
        return;
    }
    if (run->pages)
        run->visit(run->address, run->pages, run->first, run->context);
    run->address = address;
    run->pages = word ? 1 : 0;
    run->first = word;
}

void page_visit_runs(void (*visit)(ULONG_PTR, SIZE_T, page_word, void *), void *context)
{
    struct run run = {.visit = visit, .context = context};
    for (ULONG_PTR t = 0; t < TOP_SLOTS; t++) {
        struct middle *middle = atomic_load(&top[t]);
        for (ULONG_PTR m = 0; middle && m < MIDDLE_SLOTS; m++) {
            struct leaf *leaf = atomic_load(&middle->leaf[m]);
            for (ULONG_PTR s = 0; leaf && s < LEAF_SLOTS; s++) {
                page_word word = atomic_load(&leaf->slot[s]);
                ULONG_PTR page = ((t << MIDDLE_BITS | m) << LEAF_BITS | s);
                if (word || run.pages)
                    run_add(&run, page << PAGE_SHIFT, word);
            }
        }
    }
    run_add(&run, 0, 0);
}
