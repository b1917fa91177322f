/*
 * park.c - see park.h. One count of wake-ups serves all words: a waiter that did not mean this one looks and sleeps on.
 *
 * A waiter makes itself known before it looks at the word, and a waker changes the word before it looks for waiters, so
 * one of them sees the other.
 */
#include "park.h"
#include "arch.h"

static LONG waiters;
static ULONG64 wake_ups; /* ke_dispatcher_lock */

void ex_park_until(bool (*attempt)(ULONG_PTR *word), ULONG_PTR *word)
{
    while (!attempt(word)) {
        if (arch_self()->irql >= DISPATCH_LEVEL)
            ke_bugcheck_because(BUGCHECK_ATTEMPTED_SWITCH_FROM_DPC, (ULONG_PTR[4]){(ULONG_PTR)word, 0, 0, 0},
                                "a thread would have to wait for a lock at DISPATCH_LEVEL or above");
        __atomic_add_fetch(&waiters, 1, __ATOMIC_SEQ_CST);
        ULONG64 seen = __atomic_load_n(&wake_ups, __ATOMIC_SEQ_CST);
        bool done = attempt(word);
        if (!done) {
            plat_lock_acquire(&ke_dispatcher_lock);
            while (wake_ups == seen)
                plat_lock_wait(&ke_dispatcher_lock, UINT64_MAX);
            plat_lock_release(&ke_dispatcher_lock);
        }
        __atomic_sub_fetch(&waiters, 1, __ATOMIC_SEQ_CST);
        if (done)
            return;
    }
}

void ex_park_wake(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&waiters, __ATOMIC_SEQ_CST))
        return;
    plat_lock_acquire(&ke_dispatcher_lock);
    __atomic_add_fetch(&wake_ups, 1, __ATOMIC_SEQ_CST);
    plat_lock_wake_all(&ke_dispatcher_lock);
    plat_lock_release(&ke_dispatcher_lock);
}
