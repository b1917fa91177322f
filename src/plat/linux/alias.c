/*
 * alias.c - second views of user frames in system space, and user memory's way through fork.
 *
 * Owns the list of live views: each holds its frames, so they outlive the user's unmapping, and a forked child can
 * put every one of them onto its own copy.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "linux.h"

struct alias {
    struct alias *next;
    UCHAR *at;
    SIZE_T pages;
    int prot; /* PROT_* */
    uint64_t frame[];
};
static struct alias *aliases; /* region lock */

static int view_prot(ULONG prot)
{
    return (prot & PLAT_READ ? PROT_READ : 0) | (prot & PLAT_WRITE ? PROT_READ | PROT_WRITE : 0);
}

static bool view_frames(UCHAR *at, const uint64_t *frame, SIZE_T pages, int prot, int memfd)
{
    for (SIZE_T i = 0, run; i < pages; i += run) {
        for (run = 1; i + run < pages && frame[i + run] == frame[i] + run; run++)
            ;
        if (mmap(at + (i << PAGE_SHIFT), run << PAGE_SHIFT, prot, MAP_SHARED | MAP_FIXED, memfd,
                 (off_t)(frame[i] << PAGE_SHIFT)) == MAP_FAILED)
            return false;
    }
    return true;
}

static struct alias *alias_make(SIZE_T pages, int prot)
{
    struct alias *alias = malloc(sizeof *alias + pages * sizeof alias->frame[0]);
    UCHAR *at = alias ? plat_system_map(pages << PAGE_SHIFT, PLAT_NOACCESS) : NULL;
    if (!at) {
        free(alias);
        return NULL;
    }
    alias->at = at;
    alias->pages = pages;
    alias->prot = prot;
    return alias;
}

/* Maps the alias's frames and lists it. Region lock held. */
static NTSTATUS alias_map(struct alias *alias)
{
    if (!view_frames(alias->at, alias->frame, alias->pages, alias->prot, user_memfd))
        return STATUS_NO_MEMORY;
    for (SIZE_T i = 0; i < alias->pages; i++)
        frame_hold(alias->frame[i]);
    alias->next = aliases;
    aliases = alias;
    return STATUS_SUCCESS;
}

static void alias_discard(struct alias *alias)
{
    plat_system_unmap(alias->at, alias->pages << PAGE_SHIFT);
    free(alias);
}

NTSTATUS plat_user_alias(ULONG_PTR address, SIZE_T size, void **result)
{
    if (size == 0 || !user_range(address, size))
        return STATUS_INVALID_PARAMETER;
    ULONG_PTR start = address & PAGE_MASK;
    SIZE_T pages = (address + size - start + PLAT_PAGE_SIZE - 1) >> PAGE_SHIFT;
    if (pages > LAYOUT_FRAMES_MAX)
        return STATUS_INVALID_PARAMETER;
    struct alias *alias = alias_make(pages, PROT_READ | PROT_WRITE);
    if (!alias)
        return STATUS_NO_MEMORY;
    NTSTATUS status = STATUS_SUCCESS;
    user_lock();
    for (SIZE_T i = 0; i < pages && NT_SUCCESS(status); i++) {
        page_word word = page_load(start + (i << PAGE_SHIFT));
        alias->frame[i] = PAGE_FRAME(word);
        if (!word)
            status = STATUS_INVALID_PARAMETER;
    }
    if (NT_SUCCESS(status))
        status = alias_map(alias);
    if (NT_SUCCESS(status))
        *result = alias->at + (address - start);
    user_unlock();
    if (!NT_SUCCESS(status))
        alias_discard(alias);
    return status;
}

NTSTATUS plat_frames_view(const ULONG_PTR *frames, SIZE_T count, ULONG prot, void **view)
{
    if (count == 0 || count > LAYOUT_FRAMES_MAX)
        return STATUS_INVALID_PARAMETER;
    struct alias *alias = alias_make(count, view_prot(prot));
    if (!alias)
        return STATUS_NO_MEMORY;
    for (SIZE_T i = 0; i < count; i++) /* a driver's array may fault: not with the lock held */
        alias->frame[i] = frames[i];
    NTSTATUS status = STATUS_SUCCESS;
    user_lock();
    for (SIZE_T i = 0; i < count; i++)
        if (!frame_held(alias->frame[i]))
            status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(status))
        status = alias_map(alias);
    if (NT_SUCCESS(status))
        *view = alias->at;
    user_unlock();
    if (!NT_SUCCESS(status))
        alias_discard(alias);
    return status;
}

/* The view that holds address, or null. Region lock held. */
static struct alias *alias_find(ULONG_PTR address)
{
    struct alias *alias = aliases;
    while (alias && address - (ULONG_PTR)alias->at >= alias->pages << PAGE_SHIFT)
        alias = alias->next;
    return alias;
}

bool plat_view_protect(void *view, ULONG prot)
{
    user_lock();
    struct alias *alias = alias_find((ULONG_PTR)view);
    bool done = alias && mprotect(alias->at, alias->pages << PAGE_SHIFT, view_prot(prot)) == 0;
    if (done)
        alias->prot = view_prot(prot);
    user_unlock();
    return done;
}

bool plat_frame_of(ULONG_PTR address, uint64_t *frame)
{
    user_lock();
    page_word word = page_load(address);
    struct alias *alias = word ? NULL : alias_find(address);
    if (word)
        *frame = PAGE_FRAME(word);
    else if (alias)
        *frame = alias->frame[(address - (ULONG_PTR)alias->at) >> PAGE_SHIFT];
    user_unlock();
    return word || alias;
}

void plat_user_alias_release(void *view, SIZE_T size)
{
    UNREFERENCED_PARAMETER(size); /* the list knows */
    UCHAR *at = (UCHAR *)((ULONG_PTR)view & PAGE_MASK);
    user_lock();
    struct alias **link = &aliases;
    while (*link && (*link)->at != at)
        link = &(*link)->next;
    struct alias *alias = *link;
    if (alias) {
        *link = alias->next;
        plat_system_unmap(at, alias->pages << PAGE_SHIFT);
        for (SIZE_T i = 0; i < alias->pages; i++)
            frame_drop(alias->frame[i], 1);
    }
    user_unlock();
    free(alias);
}

/* ---- fork ---- */

/* Copies what is populated, by file: through a mapping every page would fault first. */
static bool copy_frames(int to)
{
    static UCHAR buffer[0x40000]; /* the child has one thread */
    const off_t end = LAYOUT_FRAMES_MAX << PAGE_SHIFT;
    for (off_t data = 0, hole; (data = lseek(user_memfd, data, SEEK_DATA)) >= 0 && data < end; data = hole) {
        hole = lseek(user_memfd, data, SEEK_HOLE);
        if (hole < 0)
            return false;
        for (off_t at = data; at < hole;) {
            size_t part = (size_t)(hole - at) < sizeof buffer ? (size_t)(hole - at) : sizeof buffer;
            ssize_t got = pread(user_memfd, buffer, part, at);
            if (got <= 0 || pwrite(to, buffer, (size_t)got, at) != got)
                return false;
            at += got;
        }
    }
    return true;
}

static void remap_run(ULONG_PTR address, SIZE_T pages, page_word first, void *context)
{
    bool *failed = context;
    if (mmap((void *)address, pages << PAGE_SHIFT, PROT_NONE, MAP_SHARED | MAP_FIXED, user_memfd,
             (off_t)(PAGE_FRAME(first) << PAGE_SHIFT)) == MAP_FAILED)
        *failed = true;
    else if (protect_mode == PLAT_PROTECT_PKU || page_kernel_prot(first) != PROT_NONE)
        page_apply_range(address, pages << PAGE_SHIFT, first);
}

NTSTATUS plat_fork_child(void)
{
    int copy = memfd_create("uma-user", MFD_CLOEXEC);
    if (copy < 0 || ftruncate(copy, LAYOUT_FRAMES_MAX << PAGE_SHIFT) != 0)
        return STATUS_NO_MEMORY;
    user_lock();
    bool failed = !copy_frames(copy);
    int old = user_memfd;
    user_memfd = copy;
    if (!failed)
        failed = mmap(user_frames, LAYOUT_FRAMES_MAX << PAGE_SHIFT, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_FIXED | MAP_NORESERVE, copy, 0) == MAP_FAILED;
    if (!failed)
        page_visit_runs(remap_run, &failed);
    for (struct alias *alias = aliases; alias && !failed; alias = alias->next)
        failed = !view_frames(alias->at, alias->frame, alias->pages, alias->prot, copy);
    close(old);
    user_unlock();
    if (plat_current)
        host_guard_system_calls(); /* a fork does not inherit it */
    return failed ? STATUS_NO_MEMORY : STATUS_SUCCESS;
}
