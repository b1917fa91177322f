/*
 * race.c - user threads that store to user memory while a driver reads it.
 *
 * A racing thread is a plain host thread that writes through a second view of the same frames: no protection and no
 * kernel code is in its way, as none is in a user thread's on another processor. It pauses for pseudo-random short
 * times between stores, so that no rhythm of the driver's keeps in step with it.
 */
#include "lib.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct uma_race {
    pthread_t thread;
    atomic_bool stop;
    volatile UCHAR *at;
    void *view;
    SIZE_T view_size;
    unsigned size;
    uint64_t times, stores;
    size_t count;
    uint64_t values[];
};

#define PATIENCE_NS 2000000000ull /* what requests wait for racing threads in all, per start of a race */

/* Threads racing now, their stores so far, and the time that may still be spent on waiting for them. */
static atomic_uint active;
static atomic_ullong stores_made;
static _Atomic int64_t patience_ns;

/*
 * On a busy machine a racing thread may get no processor for as long as a request takes. So each raw access and each
 * pool allocation, which are slow anyway, wait a little for one store: what a user thread on an idle processor would
 * have managed many times over. Where even that is dear, the patience ends and the rest races unaided.
 */
void race_give_way(void)
{
    if (!atomic_load(&active) || atomic_load(&patience_ns) <= 0)
        return;
    const unsigned long long before = atomic_load(&stores_made);
    const uint64_t start = plat_time_ns();
    for (int i = 0; i < 64 && atomic_load(&active) && atomic_load(&stores_made) == before; i++)
        plat_yield();
    atomic_fetch_sub(&patience_ns, (int64_t)(plat_time_ns() - start));
}

static void store(volatile UCHAR *at, unsigned size, uint64_t value)
{
    if ((ULONG_PTR)at % size == 0 && size == 8) {
        *(volatile uint64_t *)at = value;
    } else if ((ULONG_PTR)at % size == 0 && size == 4) {
        *(volatile uint32_t *)at = (uint32_t)value;
    } else {
        for (unsigned i = 0; i < size; i++)
            at[i] = (UCHAR)(value >> (8 * i));
    }
}

static void *run(void *argument)
{
    struct uma_race *race = argument;
    uint32_t random = 2463534242u;

    while (!atomic_load_explicit(&race->stop, memory_order_relaxed)) {
        store(race->at, race->size, race->values[race->stores % race->count]);
        atomic_fetch_add_explicit(&stores_made, 1, memory_order_relaxed);
        if (++race->stores == race->times) {
            atomic_fetch_sub(&active, 1);
            return NULL;
        }
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        for (volatile uint32_t pause = random % 512; pause; pause--)
            ;
    }
    atomic_fetch_sub(&active, 1);
    return NULL;
}

uma_status uma_race_start(uint64_t address, unsigned size, const uint64_t *values, size_t count, uint64_t times,
                          struct uma_race **race)
{
    ULONG_PTR page = address & ~(ULONG_PTR)(PLAT_PAGE_SIZE - 1);

    *race = NULL;
    if (count == 0 || size == 0 || size > 8 || (size & (size - 1)))
        return STATUS_INVALID_PARAMETER;
    struct uma_race *made = calloc(1, sizeof(*made) + count * sizeof(values[0]));
    if (!made)
        return STATUS_NO_MEMORY;
    made->size = size;
    made->times = times;
    made->count = count;
    memcpy(made->values, values, count * sizeof(values[0]));
    made->view_size = (address - page + size + PLAT_PAGE_SIZE - 1) & ~(SIZE_T)(PLAT_PAGE_SIZE - 1);
    NTSTATUS status = plat_user_alias(page, made->view_size, &made->view);
    if (!NT_SUCCESS(status)) {
        free(made);
        return status;
    }
    made->at = (UCHAR *)made->view + (address - page);
    atomic_store(&patience_ns, PATIENCE_NS);
    atomic_fetch_add(&active, 1);
    if (pthread_create(&made->thread, NULL, run, made) != 0) {
        atomic_fetch_sub(&active, 1);
        plat_user_alias_release(made->view, made->view_size);
        free(made);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *race = made;
    race_give_way(); /* it runs before the first request does */
    return STATUS_SUCCESS;
}

uint64_t uma_race_stop(struct uma_race *race)
{
    atomic_store(&race->stop, true);
    pthread_join(race->thread, NULL);
    uint64_t stores = race->stores;
    plat_user_alias_release(race->view, race->view_size);
    free(race);
    return stores;
}
