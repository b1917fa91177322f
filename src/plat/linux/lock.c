/* lock.c - a mutex and a condition in one: what the dispatcher's waits are built on. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "linux.h"

struct lock {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};
_Static_assert(sizeof(struct lock) <= sizeof(struct plat_lock), "struct plat_lock is big enough");
_Static_assert(_Alignof(struct lock) <= _Alignof(struct plat_lock), "struct plat_lock is aligned enough");

static struct lock *lock_of(struct plat_lock *lock)
{
    return (struct lock *)lock;
}

void plat_lock_init(struct plat_lock *lock)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&lock_of(lock)->mutex, NULL);
    pthread_cond_init(&lock_of(lock)->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void plat_lock_acquire(struct plat_lock *lock)
{
    pthread_mutex_lock(&lock_of(lock)->mutex);
}

void plat_lock_release(struct plat_lock *lock)
{
    pthread_mutex_unlock(&lock_of(lock)->mutex);
}

bool plat_lock_wait(struct plat_lock *lock, uint64_t timeout_ns)
{
    uint64_t now = plat_time_ns();
    /* A deadline beyond the clock's range is none. */
    if (timeout_ns > (uint64_t)INT64_MAX - now) {
        pthread_cond_wait(&lock_of(lock)->changed, &lock_of(lock)->mutex);
        return true;
    }
    uint64_t until = now + timeout_ns;
    struct timespec deadline = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
    return pthread_cond_timedwait(&lock_of(lock)->changed, &lock_of(lock)->mutex, &deadline) != ETIMEDOUT;
}

void plat_lock_wake_all(struct plat_lock *lock)
{
    pthread_cond_broadcast(&lock_of(lock)->changed);
}

void plat_yield(void)
{
    sched_yield();
}
