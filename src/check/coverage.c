/*
 * coverage.c - which blocks of a driver have run: a breakpoint in the place of each block's first byte, gone with its
 * first execution.
 *
 * The breakpoint's signal handler puts the byte back; no thread is ever seen to have run the breakpoint. What has run
 * is noted in memory that children share, their code is a copy of their own.
 */
#include "coverage_internal.h"
#include "ke.h"
#include "lib.h"
#include "pe_parse.h"
#include "plat.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BREAKPOINT 0xCC
#define DRIVERS    8u /* watched at a time */

/* Shared with children, where a driver that runs wild may have written anything to it. */
struct hits {
    atomic_size_t count;
    struct {
        atomic_uchar hit;
        atomic_uint order; /* of the index-th block to run: its number, plus one once it is written */
    } blocks[];
};

struct coverage {
    struct code code;
    size_t total, taken;
    ULONG *blocks;    /* rvas, ascending */
    UCHAR *originals; /* their first bytes */
    struct hits *hits;
    size_t hits_size;
};

static _Atomic(struct coverage *) open_coverages[DRIVERS];

/* ---- the code ---- */

static bool find(const struct coverage *coverage, ULONG_PTR pc, size_t *index)
{
    ULONG_PTR rva = pc - (ULONG_PTR)coverage->code.image->base;
    size_t low = 0, high = coverage->total;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (coverage->blocks[middle] < rva)
            low = middle + 1;
        else
            high = middle;
    }
    *index = low;
    return low < coverage->total && coverage->blocks[low] == rva;
}

/* Code stays executable all the while: other threads run it. */
static bool set_byte(const struct coverage *coverage, ULONG rva, UCHAR byte)
{
    UCHAR *at = coverage->code.image->base + rva, *page = (UCHAR *)((ULONG_PTR)at & ~(ULONG_PTR)(PLAT_PAGE_SIZE - 1));
    if (!plat_system_protect(page, PLAT_PAGE_SIZE, PLAT_READWRITE | PLAT_EXECUTE))
        return false;
    __atomic_store_n(at, byte, __ATOMIC_RELEASE);
    return plat_system_protect(page, PLAT_PAGE_SIZE, ldr_page_protection(coverage->code.image, (ULONG_PTR)at));
}

/* In a signal handler. True: the interrupted thread goes on at pc. */
static bool on_breakpoint(ULONG_PTR pc)
{
    for (unsigned i = 0; i < DRIVERS; i++) {
        struct coverage *coverage = atomic_load(&open_coverages[i]);
        size_t index;
        if (!coverage || !find(coverage, pc, &index))
            continue;
        if (!atomic_exchange(&coverage->hits->blocks[index].hit, true)) {
            size_t order = atomic_fetch_add(&coverage->hits->count, 1);
            if (order < coverage->total)
                atomic_store(&coverage->hits->blocks[order].order, (unsigned)index + 1);
        }
        /* Another thread may have put it back by now, which is as well. */
        return set_byte(coverage, coverage->blocks[index], coverage->originals[index]);
    }
    return false;
}

/* ---- open and close ---- */

static void destroy(struct coverage *coverage)
{
    if (coverage->hits)
        munmap(coverage->hits, coverage->hits_size);
    free(coverage->code.marks);
    free(coverage->blocks);
    free(coverage->originals);
    free(coverage);
}

/* A breakpoint of the driver's own is no place for ours. */
static bool is_block(const struct code *code, ULONG rva)
{
    return code->marks[rva] & CODE_BLOCK && code->marks[rva] & CODE_START && code->image->base[rva] != BREAKPOINT;
}

static uma_status list_blocks(struct coverage *coverage)
{
    const struct code *code = &coverage->code;
    for (ULONG rva = 0; rva < code->image->size; rva++)
        coverage->total += is_block(code, rva);
    if (!coverage->total)
        return STATUS_NOT_SUPPORTED;
    coverage->hits_size = sizeof(struct hits) + coverage->total * sizeof(coverage->hits->blocks[0]);
    void *hits = mmap(NULL, coverage->hits_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    coverage->hits = hits == MAP_FAILED ? NULL : hits;
    coverage->blocks = calloc(coverage->total, sizeof(*coverage->blocks));
    coverage->originals = calloc(coverage->total, 1);
    if (!coverage->hits || !coverage->blocks || !coverage->originals)
        return STATUS_NO_MEMORY;
    size_t n = 0;
    for (ULONG rva = 0; rva < code->image->size; rva++)
        if (is_block(code, rva)) {
            coverage->originals[n] = code->image->base[rva];
            coverage->blocks[n++] = rva;
        }
    return STATUS_SUCCESS;
}

static bool announce(struct coverage *coverage)
{
    for (unsigned i = 0; i < DRIVERS; i++) {
        struct coverage *none = NULL;
        if (atomic_compare_exchange_strong(&open_coverages[i], &none, coverage))
            return true;
    }
    return false;
}

static void withdraw(struct coverage *coverage)
{
    for (unsigned i = 0; i < DRIVERS; i++) {
        struct coverage *mine = coverage;
        atomic_compare_exchange_strong(&open_coverages[i], &mine, NULL);
    }
}

/* Which blocks have a breakpoint. */
enum breakpoints { NOWHERE, EVERYWHERE, WHERE_NOT_HIT };

static UCHAR first_byte(const struct coverage *coverage, size_t index, enum breakpoints where)
{
    bool set = where == EVERYWHERE || (where == WHERE_NOT_HIT && !atomic_load(&coverage->hits->blocks[index].hit));
    return set ? BREAKPOINT : coverage->originals[index];
}

/* Writes to the code, a page at a time; pages that are as they should be are left alone. */
static bool write_blocks(const struct coverage *coverage, enum breakpoints where)
{
    UCHAR *base = coverage->code.image->base;
    for (size_t i = 0; i < coverage->total;) {
        ULONG page = coverage->blocks[i] & ~(PLAT_PAGE_SIZE - 1);
        bool open = false;
        for (; i < coverage->total && coverage->blocks[i] - page < PLAT_PAGE_SIZE; i++) {
            UCHAR *at = base + coverage->blocks[i], byte = first_byte(coverage, i, where);
            if (*at == byte)
                continue;
            open = open || plat_system_protect(base + page, PLAT_PAGE_SIZE, PLAT_READWRITE | PLAT_EXECUTE);
            if (!open)
                return false;
            *at = byte;
        }
        if (open)
            plat_system_protect(base + page, PLAT_PAGE_SIZE,
                                ldr_page_protection(coverage->code.image, (ULONG_PTR)base + page));
    }
    return true;
}

uma_status coverage_open(const struct uma_driver *driver, struct coverage **opened)
{
    struct coverage *coverage = calloc(1, sizeof(*coverage));
    if (!coverage)
        return STATUS_NO_MEMORY;
    coverage->code.image = driver->image;
    coverage->code.marks = calloc(driver->image->size, 1);
    uma_status status =
        coverage->code.marks && code_find_blocks(&coverage->code) ? list_blocks(coverage) : STATUS_NO_MEMORY;
    if (status == STATUS_SUCCESS && !announce(coverage))
        status = STATUS_NO_MEMORY;
    if (status != STATUS_SUCCESS) {
        destroy(coverage);
        return status;
    }
    ke_breakpoint_hook = on_breakpoint;
    if (!write_blocks(coverage, EVERYWHERE)) {
        coverage_close(coverage);
        return STATUS_NO_MEMORY;
    }
    *opened = coverage;
    return STATUS_SUCCESS;
}

void coverage_close(struct coverage *coverage)
{
    write_blocks(coverage, NOWHERE);
    withdraw(coverage);
    destroy(coverage);
}

/* ---- questions ---- */

size_t coverage_total(const struct coverage *coverage)
{
    return coverage->total;
}

size_t coverage_hit(const struct coverage *coverage)
{
    size_t count = atomic_load(&coverage->hits->count);
    return count < coverage->total ? count : coverage->total;
}

uint64_t coverage_block(const struct coverage *coverage, size_t index)
{
    return (uint64_t)(ULONG_PTR)coverage->code.image->base + coverage->blocks[index];
}

bool coverage_block_hit(const struct coverage *coverage, size_t index)
{
    return atomic_load(&coverage->hits->blocks[index].hit) != 0;
}

size_t coverage_new(struct coverage *coverage, size_t *indexes, size_t capacity)
{
    const size_t last = coverage_hit(coverage);
    size_t count = 0;
    while (count < capacity && coverage->taken < last) {
        unsigned index = atomic_load(&coverage->hits->blocks[coverage->taken].order);
        if (!index || index > coverage->total) /* a child ended between its two steps, or ran wild */
            index = 0;
        coverage->taken++;
        if (index)
            indexes[count++] = index - 1;
    }
    return count;
}

void coverage_settle(struct coverage *coverage)
{
    write_blocks(coverage, WHERE_NOT_HIT);
}

void coverage_set(struct coverage *coverage, const bool *hit)
{
    size_t count = 0;
    for (size_t i = 0; i < coverage->total; i++) {
        bool is_hit = hit && hit[i];
        atomic_store(&coverage->hits->blocks[i].hit, is_hit);
        if (is_hit)
            atomic_store(&coverage->hits->blocks[count++].order, (unsigned)i + 1);
    }
    for (size_t i = count; i < coverage->total; i++)
        atomic_store(&coverage->hits->blocks[i].order, 0);
    atomic_store(&coverage->hits->count, count);
    coverage->taken = count;
    write_blocks(coverage, WHERE_NOT_HIT);
}

void coverage_lift(struct coverage *coverage)
{
    write_blocks(coverage, NOWHERE);
}
