/*
 * pool.c - the special pool: every block on pages of its own, ending at an inaccessible page; freed blocks kept
 * inaccessible.
 *
 * Owns the blocks and what is known of them; the documented allocation routines are ex's. Descriptors live apart from
 * the blocks, so that an overrun cannot damage them. A block below a page is aligned to the end of its page: what
 * 16-byte alignment leaves between its last byte and the guard page is filled with a pattern and checked when it is
 * freed, like the bytes before it. Pages of blocks below a page are used again: they cost a change of protection on
 * each side, not a mapping.
 */
#include "mm.h"
#include "rtl.h"
#include "seh.h"
#include "trace.h"

/* Each block takes two of the 65530 mappings that Linux gives a process by default. */
enum { BUCKETS = 4096, PATTERN = 0x5A, FRESH = 0xC5, QUARANTINE_BLOCKS = 4096, BLOCKS_CAP = 28000, RESTING_CAP = 1024 };
#define POOL_CAP       (1ull << 30)
#define QUARANTINE_CAP (64ull << 20)

struct block {
    LIST_ENTRY order; /* live list, by age; or the quarantine */
    struct block *next_in_bucket;
    UCHAR *pages; /* data pages, then one guard page */
    SIZE_T page_bytes;
    UCHAR *user;
    SIZE_T size;
    ULONG tag;
    enum mm_pool_owner owner;
    ULONG_PTR caller, freed_by;
    bool paged, freed;
};

static struct plat_lock lock; /* guards everything below */
static LIST_ENTRY live, quarantine;
static struct block *buckets[BUCKETS];
static struct block *spare;   /* free descriptors, by next_in_bucket */
static struct block *resting; /* the same, each with one inaccessible page and its guard page */
static SIZE_T bytes_mapped, live_count, quarantine_bytes, quarantine_count, resting_count;
static SIZE_T bytes_in_use[MM_POOL_KERNEL + 1];

static struct block **bucket_of(const void *user)
{
    return &buckets[((ULONG_PTR)user >> 4 ^ (ULONG_PTR)user >> 13) % BUCKETS];
}

static struct block *find_exact(const void *user)
{
    struct block *block = *bucket_of(user);
    while (block && block->user != user)
        block = block->next_in_bucket;
    return block;
}

static void unlink_bucket(struct block *block)
{
    struct block **at = bucket_of(block->user);
    while (*at != block)
        at = &(*at)->next_in_bucket;
    *at = block->next_in_bucket;
}

/* One with pages, if there is one and a page is enough. */
static struct block *descriptor_get(SIZE_T page_bytes)
{
    if (resting && page_bytes == PAGE_SIZE) {
        struct block *rested = resting;
        resting = rested->next_in_bucket;
        resting_count--;
        return rested;
    }
    if (!spare) {
        struct block *slab = plat_system_map(16 * PAGE_SIZE, PLAT_READWRITE);
        for (SIZE_T i = 0; slab && i < 16 * PAGE_SIZE / sizeof(*slab); i++) {
            slab[i].next_in_bucket = spare;
            spare = &slab[i];
        }
    }
    struct block *block = spare;
    if (block) {
        spare = block->next_in_bucket;
        block->pages = NULL;
    }
    return block;
}

/* Takes the descriptor back, and the pages, which are inaccessible if there is but one. */
static void descriptor_put(struct block *block)
{
    struct block **list = &spare;
    if (block->pages && block->page_bytes == PAGE_SIZE && resting_count < RESTING_CAP) {
        list = &resting;
        resting_count++;
    } else if (block->pages) {
        plat_system_unmap(block->pages, block->page_bytes + PAGE_SIZE);
    }
    block->next_in_bucket = *list;
    *list = block;
}

/* The oldest freed block goes for good. */
static void quarantine_drop(void)
{
    struct block *block = CONTAINING_RECORD(RemoveHeadList(&quarantine), struct block, order);
    unlink_bucket(block);
    quarantine_bytes -= block->page_bytes;
    quarantine_count--;
    descriptor_put(block);
}

static SIZE_T round_up(SIZE_T value, SIZE_T to)
{
    return (value + to - 1) & ~(to - 1);
}

static SIZE_T pages_for(SIZE_T size)
{
    return round_up(size ? size : 1, PAGE_SIZE);
}

static bool pages_ready(struct block *block)
{
    if (block->pages)
        return plat_system_protect(block->pages, PAGE_SIZE, PLAT_READWRITE);
    block->pages = plat_system_map(block->page_bytes + PAGE_SIZE, PLAT_READWRITE);
    if (!block->pages)
        return false;
    plat_system_separate(block->pages, block->page_bytes);
    return plat_system_protect(block->pages + block->page_bytes, PAGE_SIZE, PLAT_NOACCESS);
}

/* Makes the pages accessible and places the block in them. */
static bool block_map(struct block *block, SIZE_T size, ULONG flags)
{
    SIZE_T alignment = flags & MM_POOL_CACHE_ALIGNED ? 64 : 16;
    block->page_bytes = pages_for(size);
    if (!pages_ready(block)) {
        if (block->pages)
            plat_system_unmap(block->pages, block->page_bytes + PAGE_SIZE);
        block->pages = NULL;
        return false;
    }
    /* From a page up the documentation promises page alignment. */
    block->user =
        size >= PAGE_SIZE ? block->pages : block->pages + block->page_bytes - round_up(size ? size : 1, alignment);
    block->size = size;
    UCHAR *end = block->pages + block->page_bytes;
    __builtin_memset(block->pages, PATTERN, (SIZE_T)(block->user - block->pages));
    __builtin_memset(block->user + size, PATTERN, (SIZE_T)(end - block->user) - size);
    __builtin_memset(block->user, flags & MM_POOL_ZERO ? 0 : FRESH, size);
    return true;
}

void *mm_pool_allocate(SIZE_T size, ULONG tag, ULONG flags, enum mm_pool_owner owner, ULONG_PTR caller)
{
    if (size > POOL_CAP || mm_refuses(MM_WANT_POOL))
        return NULL;
    struct block *block = NULL;
    SIZE_T bytes = pages_for(size);
    plat_lock_acquire(&lock);
    while (live_count + quarantine_count >= BLOCKS_CAP && quarantine_count)
        quarantine_drop();
    if (live_count < BLOCKS_CAP && bytes_mapped + bytes <= POOL_CAP)
        block = descriptor_get(bytes);
    if (block) { /* counted, so that the caps hold, but nobody else's until it is in a list */
        bytes_mapped += bytes;
        live_count++;
    }
    plat_lock_release(&lock);
    bool mapped = block && block_map(block, size, flags);
    plat_lock_acquire(&lock);
    if (block && !mapped) {
        bytes_mapped -= bytes;
        live_count--;
        descriptor_put(block);
        block = NULL;
    }
    if (block) {
        block->tag = tag;
        block->owner = owner;
        block->caller = caller;
        block->paged = flags & MM_POOL_PAGED;
        block->freed = false;
        block->next_in_bucket = *bucket_of(block->user);
        *bucket_of(block->user) = block;
        InsertTailList(&live, &block->order);
        bytes_in_use[owner] += size;
    }
    void *address = block ? block->user : NULL;
    plat_lock_release(&lock);
    if (address) {
        struct trace_row row = {TRACE_POOL_ALLOC, caller, (ULONG_PTR)address, size, tag, NULL, NULL};
        trace_emit(&row);
    }
    return address;
}

/* First byte in [from, to) that is not the pattern; null if none. */
static const UCHAR *find_damage(const UCHAR *from, const UCHAR *to)
{
    const ULONG64 pattern = PATTERN * 0x0101010101010101ull;
    ULONG64 eight;
    for (; to - from >= (LONG_PTR)sizeof(eight); from += sizeof(eight)) {
        __builtin_memcpy(&eight, from, sizeof(eight));
        if (eight != pattern)
            break;
    }
    while (from < to && *from == PATTERN)
        from++;
    return from < to ? from : NULL;
}

static void tag_text(ULONG tag, char text[5])
{
    for (int i = 0; i < 4; i++) {
        UCHAR letter = (UCHAR)(tag >> 8 * i);
        text[i] = nt_isprint(letter) ? (char)letter : '.';
    }
    text[4] = 0;
}

static DECLSPEC_NORETURN void bad_free(ULONG code, const ULONG_PTR parameters[4], ULONG_PTR caller, const char *why)
{
    struct ke_bugcheck bugcheck = {.code = code, .why = why, .culprit = caller ? caller - 1 : 0};
    __builtin_memcpy(bugcheck.parameters, parameters, sizeof(bugcheck.parameters));
    ke_bugcheck_report(&bugcheck);
}

/* The lock is not held: whatever this finds, the process ends. */
static void check_free(const struct block *block, const void *address, ULONG tag, ULONG_PTR caller)
{
    char why[160], have[5], given[5];
    ULONG_PTR where = (ULONG_PTR)address;
    if (!block) {
        rtl_print(why, sizeof(why), "0x%llx was never returned by a pool allocation", (ULONG64)where);
        bad_free(BUGCHECK_BAD_POOL_CALLER, (ULONG_PTR[4]){0x46, where, 0, 0}, caller, why);
    }
    tag_text(block->tag, have);
    tag_text(tag, given);
    if (block->freed) {
        rtl_print(why, sizeof(why), "the pool block at 0x%llx (tag %s, %llu bytes) has been freed already, at 0x%llx",
                  (ULONG64)where, have, (ULONG64)block->size, (ULONG64)block->freed_by);
        bad_free(BUGCHECK_BAD_POOL_CALLER, (ULONG_PTR[4]){0x7, 0, block->tag, where}, caller, why);
    }
    if (tag && tag != block->tag) {
        rtl_print(why, sizeof(why), "the pool block at 0x%llx has tag %s and was freed with tag %s", (ULONG64)where,
                  have, given);
        bad_free(BUGCHECK_BAD_POOL_CALLER, (ULONG_PTR[4]){0xA, where, block->tag, tag}, caller, why);
    }
    const UCHAR *before = find_damage(block->pages, block->user);
    const UCHAR *after = find_damage(block->user + block->size, block->pages + block->page_bytes);
    if (before || after) {
        const UCHAR *damage = after ? after : before;
        rtl_print(why, sizeof(why),
                  "bytes %s the pool block at 0x%llx (tag %s, %llu bytes) were overwritten, first at 0x%llx",
                  after ? "behind" : "before", (ULONG64)where, have, (ULONG64)block->size, (ULONG64)(ULONG_PTR)damage);
        bad_free(BUGCHECK_SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION,
                 (ULONG_PTR[4]){where, (ULONG_PTR)damage, block->size, after ? 0x24 : 0x23}, caller, why);
    }
}

void mm_pool_free(void *address, ULONG tag, ULONG_PTR caller)
{
    plat_lock_acquire(&lock);
    struct block *block = find_exact(address);
    plat_lock_release(&lock);
    check_free(block, address, tag, caller);
    struct trace_row row = {TRACE_POOL_FREE, caller, (ULONG_PTR)address, block->size, block->tag, NULL, NULL};
    trace_emit(&row);
    plat_lock_acquire(&lock);
    bool raced = block->freed;
    if (!raced) {
        block->freed = true;
        block->freed_by = caller;
        RemoveEntryList(&block->order);
        InsertTailList(&quarantine, &block->order);
        bytes_mapped -= block->page_bytes;
        live_count--;
        bytes_in_use[block->owner] -= block->size;
        quarantine_bytes += block->page_bytes;
        quarantine_count++;
        plat_system_protect(block->pages, block->page_bytes, PLAT_NOACCESS);
        while (quarantine_bytes > QUARANTINE_CAP || quarantine_count > QUARANTINE_BLOCKS)
            quarantine_drop();
    }
    plat_lock_release(&lock);
    if (raced) /* two threads freed it at once */
        check_free(block, address, tag, caller);
}

static void fill_info(const struct block *block, struct mm_pool_block *info)
{
    *info = (struct mm_pool_block){(ULONG_PTR)block->user, block->size,  block->tag,
                                   block->caller,          block->owner, block->paged};
}

/* The block whose pages or guard page hold address. */
static struct block *find_covering(LIST_ENTRY *list, ULONG_PTR address)
{
    for (LIST_ENTRY *entry = list->Flink; entry != list; entry = entry->Flink) {
        struct block *block = CONTAINING_RECORD(entry, struct block, order);
        if (address - (ULONG_PTR)block->pages < block->page_bytes + PAGE_SIZE)
            return block;
    }
    return NULL;
}

bool mm_pool_find(ULONG_PTR address, struct mm_pool_block *block)
{
    plat_lock_acquire(&lock);
    struct block *found = find_covering(&live, address);
    bool inside = found && address - (ULONG_PTR)found->user < found->size;
    if (inside)
        fill_info(found, block);
    plat_lock_release(&lock);
    return inside;
}

SIZE_T mm_pool_each(enum mm_pool_owner owner, void (*callback)(void *context, const struct mm_pool_block *block),
                    void *context)
{
    SIZE_T count = 0;
    struct mm_pool_block info;
    plat_lock_acquire(&lock);
    for (LIST_ENTRY *entry = live.Flink; entry != &live; entry = entry->Flink) {
        struct block *block = CONTAINING_RECORD(entry, struct block, order);
        if (block->owner != owner)
            continue;
        count++;
        fill_info(block, &info);
        if (callback)
            callback(context, &info);
    }
    plat_lock_release(&lock);
    return count;
}

SIZE_T mm_pool_bytes_in_use(enum mm_pool_owner owner)
{
    SIZE_T heap = owner == MM_POOL_KERNEL ? mm_heap_bytes_in_use() : 0;
    return __atomic_load_n(&bytes_in_use[owner], __ATOMIC_RELAXED) + heap;
}

/*
 * ke asks about a faulting system address. No lock is taken: the thread that faulted may hold it, and what is read here
 * stays mapped. Beyond the end: 0xD6; a freed block: 0xD5.
 */
static bool explain_fault(ULONG_PTR address, bool write, struct ke_bugcheck *bugcheck, char *why, SIZE_T size)
{
    char tag[5];
    struct block *block = find_covering(&live, address);
    bool freed = !block;
    if (freed)
        block = find_covering(&quarantine, address);
    if (!block)
        return false;
    tag_text(block->tag, tag);
    ULONG_PTR start = (ULONG_PTR)block->user;
    bugcheck->code =
        freed ? BUGCHECK_DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL : BUGCHECK_DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION;
    bugcheck->parameters[1] = write;
    bugcheck->parameters[3] = 0;
    if (freed)
        rtl_print(why, size, "%s 0x%llx, in a pool block that was freed (0x%llx, tag %s, %llu bytes)",
                  write ? "write to" : "read of", (ULONG64)address, (ULONG64)start, tag, (ULONG64)block->size);
    else
        rtl_print(why, size, "%s 0x%llx, %llu bytes beyond the end of a pool block (0x%llx, tag %s, %llu bytes)",
                  write ? "write to" : "read of", (ULONG64)address, (ULONG64)(address - start - block->size),
                  (ULONG64)start, tag, (ULONG64)block->size);
    return true;
}

NTSTATUS mm_pool_init(void)
{
    plat_lock_init(&lock);
    mm_heap_init();
    InitializeListHead(&live);
    InitializeListHead(&quarantine);
    ke_explain_fault = explain_fault;
    return STATUS_SUCCESS;
}
