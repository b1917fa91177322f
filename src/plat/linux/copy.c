/*
 * copy.c - copy on write: the first write to a PLAT_COPY page gives it a frame of its own.
 */
#include <string.h>
#include <sys/mman.h>

#include "linux.h"

bool copy_break(ULONG_PTR address)
{
    ULONG_PTR page = address & PAGE_MASK;
    page_word word = page_load(page);
    uint64_t frame;
    if (!(word & PLAT_COPY))
        return true; /* another thread was faster */
    if (!frame_alloc(1, &frame))
        return false;
    memcpy(user_frames + (frame << PAGE_SHIFT), user_frames + (PAGE_FRAME(word) << PAGE_SHIFT), PLAT_PAGE_SIZE);
    /* Readers that race see the old frame or the new one, which are the same; writers wait for the word. */
    if (mmap((void *)page, PLAT_PAGE_SIZE, PROT_NONE, MAP_SHARED | MAP_FIXED, user_memfd,
             (off_t)(frame << PAGE_SHIFT)) == MAP_FAILED) {
        frame_drop(frame, 1);
        return false;
    }
    _Atomic(page_word) *slot = page_slot(page, false);
    const page_word changes = PAGE_FRAME_MASK << PAGE_FRAME_SHIFT | PLAT_COPY;
    page_word old = atomic_load(slot);
    while (!atomic_compare_exchange_weak(slot, &old, (old & ~changes) | frame << PAGE_FRAME_SHIFT | PLAT_WRITE))
        ;
    frame_drop(PAGE_FRAME(old), 1);
    return page_apply(page);
}

/* In the fault handler, which may wait for the region lock: no thread touches a user address while it holds that. What
 * happens under it goes through user_frames, and to memory that user_holds does not. */
bool copy_on_fault(ULONG_PTR address)
{
    user_lock();
    page_word word = page_load(address);
    bool done = !(word & PAGE_MAPPED) || copy_break(address); /* unmapped meanwhile: the next try finds out */
    user_unlock();
    return done;
}
