/*
 * protect.c - how user pages are kept from kernel code outside a window: protection keys, mprotect, or not at all.
 *
 * Owns the mode, the translation from a page's word to kernel protections, and the list of pages a thread holds open
 * (mprotect mode). Deciding whether an access may open a page is fault.c's.
 *
 * Races: a page's word is changed first (atomically), then page_apply is called. page_apply loads the word, calls
 * mprotect and loads again until nothing changed. So whoever makes the last mprotect call of a page made it for the
 * page's last word; no lock is needed, and a signal handler can take part.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "linux.h"

enum plat_protect protect_mode;
int protect_pkey = -1;

static unsigned pkru_offset; /* of PKRU in an XSAVE area, standard format */

static inline uint32_t pkru_read(void)
{
    uint32_t value, high;
    __asm__ volatile(".byte 0x0f, 0x01, 0xee" : "=a"(value), "=d"(high) : "c"(0));
    return value;
}

static inline void pkru_write(uint32_t value)
{
    __asm__ volatile(".byte 0x0f, 0x01, 0xef" : : "a"(value), "c"(0), "d"(0) : "memory");
}

static bool pku_init(void)
{
    int pkey = pkey_alloc(0, PKEY_DISABLE_ACCESS);
    if (pkey < 0)
        return false;
    uint32_t eax = 0xd, ebx = 0, ecx = 9, edx = 0;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    protect_pkey = pkey;
    pkru_offset = ebx;
    arch_pkru_mask = 3u << (2 * pkey);
    return true;
}

NTSTATUS protect_init(enum plat_protect wanted)
{
    if (wanted == PLAT_PROTECT_AUTO)
        wanted = pku_init() ? PLAT_PROTECT_PKU : PLAT_PROTECT_MPROTECT;
    else if (wanted == PLAT_PROTECT_PKU && !pku_init())
        return STATUS_NOT_SUPPORTED;
    protect_mode = wanted;
    return STATUS_SUCCESS;
}

enum plat_protect plat_protect_in_use(void)
{
    return protect_mode;
}

const char *plat_protect_name(enum plat_protect protect)
{
    static const char *const names[] = {"auto", "pku", "mprotect", "none"};
    return (unsigned)protect < RTL_NUMBER_OF(names) ? names[protect] : "unknown";
}

int page_kernel_prot(page_word word)
{
    if (!(word & PAGE_MAPPED) || word & (PAGE_POISON | PLAT_GUARD))
        return PROT_NONE;
    if (protect_mode == PLAT_PROTECT_MPROTECT && !(word & PAGE_OPEN_MASK))
        return PROT_NONE;
    /* Never PROT_EXEC: kernel code does not run user pages (SMEP). */
    return word & PLAT_WRITE ? PROT_READ | PROT_WRITE : word & PLAT_READ ? PROT_READ : PROT_NONE;
}

bool protect_kernel(ULONG_PTR address, SIZE_T size, int prot)
{
    int result = protect_mode == PLAT_PROTECT_PKU ? pkey_mprotect((void *)address, size, prot, protect_pkey)
                                                  : mprotect((void *)address, size, prot);
    return result == 0;
}

bool page_apply(ULONG_PTR address)
{
    ULONG_PTR page = address & PAGE_MASK;
    page_word word = page_load(page);
    for (;;) {
        int saved = errno;
        bool done = protect_kernel(page, PLAT_PAGE_SIZE, page_kernel_prot(word));
        errno = saved;
        page_word now = page_load(page);
        if (now == word)
            return done || !(word & PAGE_MAPPED);
        word = now;
    }
}

bool page_apply_range(ULONG_PTR address, SIZE_T size, page_word word)
{
    int saved = errno;
    bool done = protect_kernel(address, size, page_kernel_prot(word)), whole = done;
    errno = saved;
    for (ULONG_PTR page = address; page < address + size; page += PLAT_PAGE_SIZE) {
        page_word now = page_load(page);
        /* A hole that came meanwhile stops mprotect in the middle: then page by page. */
        if (!whole || page_kernel_prot(now) != page_kernel_prot(word))
            done = page_apply(page);
    }
    return done;
}

/* ---- pages opened by this thread ---- */

/* Takes this thread's count off the page. True: nobody has it open any more. */
static bool opened_release(ULONG_PTR page)
{
    _Atomic(page_word) *slot = page_slot(page, false);
    page_word word = atomic_load(slot);
    do {
        /* Unmapped or mapped anew meanwhile: the count started again at 0 and is not ours. */
        if (!(word & PAGE_OPEN_MASK))
            return false;
    } while (!atomic_compare_exchange_weak(slot, &word, word - PAGE_OPEN_ONE));
    return (word & PAGE_OPEN_MASK) == PAGE_OPEN_ONE;
}

/* Closes the oldest pages, neighbours by one call. */
static void opened_close(struct plat_thread *thread, uint32_t count)
{
    ULONG_PTR start = 0;
    SIZE_T size = 0;
    for (uint32_t i = 0; i < count; i++) {
        ULONG_PTR page = thread->opened[(thread->opened_first + i) % OPENED_MAX];
        if (!opened_release(page))
            continue;
        if (size && page != start + size) {
            page_apply_range(start, size, 0);
            size = 0;
        }
        start = size ? start : page;
        size += PLAT_PAGE_SIZE;
    }
    if (size)
        page_apply_range(start, size, 0);
    thread->opened_first = (thread->opened_first + count) % OPENED_MAX;
    thread->opened_count -= count;
}

/* How many pages to open at page: more and more while a copy walks upwards. A copy has two sides, hence two walks. */
static SIZE_T opened_ahead(struct plat_thread *thread, ULONG_PTR page)
{
    for (unsigned i = 0; i < RTL_NUMBER_OF(thread->walk); i++) {
        if (thread->walk[i].next != page)
            continue;
        SIZE_T pages = thread->walk[i].pages * 2;
        thread->walk[i].pages = pages > OPENED_AHEAD ? OPENED_AHEAD : pages;
        thread->walk_last = i;
        return thread->walk[i].pages;
    }
    thread->walk_last = !thread->walk_last;
    thread->walk[thread->walk_last].pages = 1;
    return 1;
}

bool opened_add(struct plat_thread *thread, ULONG_PTR first, page_word needed)
{
    SIZE_T wanted = opened_ahead(thread, first), size = 0;
    if (thread->opened_count + wanted > OPENED_MAX)
        opened_close(thread, thread->opened_count / 2);
    page_word like = 0;
    for (ULONG_PTR page = first; wanted; wanted--, page += PLAT_PAGE_SIZE) {
        _Atomic(page_word) *slot = user_range(page, 1) ? page_slot(page, false) : NULL;
        page_word word = slot ? atomic_load(slot) : 0;
        bool may;
        do {
            /* Pages ahead are opened only if the access would be allowed there too, and needs the same protection. */
            may = word & PAGE_MAPPED && word & needed && !(word & (PAGE_POISON | PLAT_GUARD)) &&
                  (word & PAGE_OPEN_MASK) != PAGE_OPEN_MASK && (!size || !((word ^ like) & PAGE_PROT_MASK));
        } while (may && !atomic_compare_exchange_weak(slot, &word, word + PAGE_OPEN_ONE));
        if (!may)
            break; /* for the first page: lost a race; the access faults again and is judged again */
        like = word + PAGE_OPEN_ONE;
        thread->opened[(thread->opened_first + thread->opened_count++) % OPENED_MAX] = page;
        size += PLAT_PAGE_SIZE;
    }
    thread->walk[thread->walk_last].next = first + size;
    return !size || page_apply_range(first, size, like);
}

void opened_close_all(struct plat_thread *thread)
{
    opened_close(thread, thread->opened_count);
    thread->walk[0].next = thread->walk[1].next = 0;
}

void plat_window_close(void)
{
    struct plat_thread *thread = plat_current;
    if (!thread)
        return;
    opened_close_all(thread);
    thread->arch->window_dirty = 0;
}

/* ---- windows for C code ---- */

void plat_raw_begin(void)
{
    struct plat_thread *thread = plat_current;
    if (!thread || thread->raw_depth++)
        return;
    if (protect_mode == PLAT_PROTECT_PKU)
        pkru_write(pkru_read() & ~arch_pkru_mask);
}

void plat_raw_end(void)
{
    struct plat_thread *thread = plat_current;
    if (!thread || !thread->raw_depth || --thread->raw_depth)
        return;
    if (protect_mode == PLAT_PROTECT_PKU)
        pkru_write(pkru_read() | arch_pkru_mask);
    else
        plat_window_close();
}

void protect_thread_init(void)
{
    if (protect_mode == PLAT_PROTECT_PKU)
        pkru_write(pkru_read() | arch_pkru_mask);
}

/* Signal frames hold the XSAVE area in standard format: legacy area, then a header whose first word says which states
 * are in use. */
void protect_frame_pkru(ucontext_t *uc, bool open)
{
    if (protect_mode != PLAT_PROTECT_PKU)
        return;
    UCHAR *area = (UCHAR *)uc->uc_mcontext.fpregs;
    const uint64_t pkru_state = 1ull << 9;
    uint64_t in_use;
    uint32_t value = 0;
    memcpy(&in_use, area + 512, sizeof in_use);
    if (in_use & pkru_state)
        memcpy(&value, area + pkru_offset, sizeof value);
    value = open ? value & ~arch_pkru_mask : value | arch_pkru_mask;
    in_use |= pkru_state;
    memcpy(area + 512, &in_use, sizeof in_use);
    memcpy(area + pkru_offset, &value, sizeof value);
}
