/*
 * system.c - system memory: pool, images and stacks above MmSystemRangeStart, and looking at memory without faulting.
 *
 * Owns the system arena. Addresses go up and are not reused until the arena's end is reached, so that a stale pointer
 * keeps faulting; an unmapped page stands between any two mappings.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "linux.h"

static _Atomic(ULONG_PTR) arena_next = LAYOUT_SYSTEM_ARENA;

static int system_prot(ULONG prot)
{
    return (prot & PLAT_READ ? PROT_READ : 0) | (prot & PLAT_WRITE ? PROT_READ | PROT_WRITE : 0) |
           (prot & PLAT_EXECUTE ? PROT_EXEC | PROT_READ : 0);
}

void *plat_system_map(SIZE_T size, ULONG prot)
{
    const SIZE_T arena_size = LAYOUT_SYSTEM_ARENA_END - LAYOUT_SYSTEM_ARENA;
    if (size == 0 || size > arena_size / 16)
        return NULL;
    size = (size + PLAT_PAGE_SIZE - 1) & PAGE_MASK;
    for (int wraps = 0; wraps < 2;) {
        ULONG_PTR at = atomic_fetch_add(&arena_next, size + PLAT_PAGE_SIZE);
        if (at < LAYOUT_SYSTEM_ARENA || at > LAYOUT_SYSTEM_ARENA_END - size) {
            atomic_store(&arena_next, LAYOUT_SYSTEM_ARENA);
            wraps++;
            continue;
        }
        void *base = mmap((void *)at, size, system_prot(prot),
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (base == (void *)at)
            return base;
        if (base != MAP_FAILED)
            munmap(base, size);
        else if (errno != EEXIST)
            return NULL;
    }
    return NULL;
}

void plat_system_unmap(void *base, SIZE_T size)
{
    munmap(base, (size + PLAT_PAGE_SIZE - 1) & PAGE_MASK);
}

bool plat_system_protect(void *base, SIZE_T size, ULONG prot)
{
    return mprotect(base, (size + PLAT_PAGE_SIZE - 1) & PAGE_MASK, system_prot(prot)) == 0;
}

/* Mappings with different advice are never merged, hence never split. The advice itself means nothing here. */
void plat_system_separate(void *base, SIZE_T size)
{
    madvise(base, (size + PLAT_PAGE_SIZE - 1) & PAGE_MASK, MADV_RANDOM);
}

/* context.S: copies until the first fault; its load stands in the fault table. Bytes copied. */
SIZE_T system_probe_copy(void *to, ULONG_PTR from, SIZE_T size);

static bool user_readable(ULONG_PTR address)
{
    page_word word = page_load(address);
    return word & PAGE_MAPPED && word & (PLAT_READ | PLAT_WRITE) && !(word & (PAGE_POISON | PLAT_GUARD));
}

bool plat_is_readable(ULONG_PTR address, SIZE_T size)
{
    if (size == 0)
        return true;
    ULONG_PTR last = address + (size - 1);
    if (last < address)
        return false;
    for (ULONG_PTR at = address;; at = (at & PAGE_MASK) + PLAT_PAGE_SIZE) {
        UCHAR byte;
        if (user_range(at, 1) ? !user_readable(at) : system_probe_copy(&byte, at, 1) != 1)
            return false;
        if ((at | ~PAGE_MASK) >= last)
            return true;
    }
}

SIZE_T plat_safe_read(void *to, ULONG_PTR from, SIZE_T size)
{
    SIZE_T done = 0;
    while (done < size) {
        ULONG_PTR at = from + done;
        SIZE_T part = PLAT_PAGE_SIZE - (at & (PLAT_PAGE_SIZE - 1));
        part = part < size - done ? part : size - done;
        SIZE_T copied;
        if (user_range(at, 1))
            copied = user_readable(at) && plat_user_load(at, (UCHAR *)to + done, part) ? part : 0;
        else
            copied = system_probe_copy((UCHAR *)to + done, at, part);
        done += copied;
        if (copied < part)
            break;
    }
    return done;
}

SIZE_T signal_safe_read(void *to, ULONG_PTR from, SIZE_T size)
{
    struct iovec local = {to, size}, remote = {(void *)from, size};
    int saved = errno;
    ssize_t done = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    errno = saved;
    return done < 0 ? 0 : (SIZE_T)done;
}

SIZE_T signal_safe_write(ULONG_PTR to, const void *from, SIZE_T size)
{
    struct iovec local = {(void *)(ULONG_PTR)from, size}, remote = {(void *)to, size};
    int saved = errno;
    ssize_t done = process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
    errno = saved;
    return done < 0 ? 0 : (SIZE_T)done;
}
