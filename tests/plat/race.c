/* race.c - threads that change user memory while others access it: nothing lost, nothing stuck, nothing left open. */
#include <stdatomic.h>
#include <string.h>

#include "plat_test.h"

#define DURATION_NS 300000000ull
#define PATIENCE_NS 20000000000ull

static struct {
    ULONG_PTR at;
    _Atomic bool stop;
    _Atomic uint64_t loads, faults, wrong;
} race;

static void loader(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    while (!atomic_load(&race.stop)) {
        uint64_t fault[2] = {0, 0};
        uint64_t value = window_load8(race.at + PAGE - 4, fault);
        atomic_fetch_add(&race.loads, 1);
        if (fault[0] == 0) {
            if (value != 0)
                atomic_fetch_add(&race.wrong, 1);
        } else if ((fault[0] != race.at + PAGE && fault[0] != race.at + PAGE - 4) ||
                   fault[1] != (uint32_t)STATUS_ACCESS_VIOLATION) {
            atomic_fetch_add(&race.wrong, 1);
        } else {
            atomic_fetch_add(&race.faults, 1);
        }
    }
}

static void stepper(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    while (!atomic_load(&race.stop))
        if ((probe_read8(race.at + 2 * PAGE + 8) & 0xff) > 1)
            atomic_fetch_add(&race.wrong, 1);
}

/* Changes for DURATION_NS, and on a busy machine until the loaders have met a change (if meets), for PATIENCE_NS at
 * most. */
static void run_against(void (*change)(unsigned round), void (*other)(void *), bool meets)
{
    uint64_t ids[3];
    race.at = user_pages(3, PLAT_READWRITE);
    atomic_store(&race.stop, false);
    race.loads = race.faults = race.wrong = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(plat_thread_create(i == 2 ? other : loader, NULL, &ids[i]), STATUS_SUCCESS);
    const uint64_t start = plat_time_ns();
    for (unsigned round = 0;; round++) {
        const uint64_t spent = plat_time_ns() - start;
        const bool met = race.loads > 10 && (!meets || race.faults > 0);
        if (spent > (met ? DURATION_NS : PATIENCE_NS))
            break;
        change(round);
    }
    atomic_store(&race.stop, true);
    for (int i = 0; i < 3; i++)
        plat_thread_join(ids[i]);
    assert_int_equal(race.wrong, 0);
    assert_true(race.loads > 10);
    assert_int_equal(record.traps, 0);
    /* Quiet again: closed, and as the last change left it. */
    record_clear();
    if (plat_user_query(race.at + 2 * PAGE, NULL, NULL)) {
        probe_read8(race.at + 2 * PAGE);
        assert_int_equal(record.traps + record.raws, raw_is_seen() ? 1 : 0);
    }
}

static void change_protection(unsigned round)
{
    static const ULONG prots[] = {PLAT_NOACCESS, PLAT_READWRITE, PLAT_READ, PLAT_READWRITE};
    plat_user_protect(race.at + PAGE, PAGE, prots[round % 4]);
}

static void change_mapping(unsigned round)
{
    ULONG_PTR at = race.at + PAGE;
    if (round % 2)
        plat_user_map(&at, PAGE, PLAT_READWRITE);
    else
        plat_user_unmap(at, PAGE);
}

static void change_contents(unsigned round)
{
    const uint64_t one = round % 2;
    plat_user_store(race.at + 2 * PAGE + 8, &one, 8);
}

static void protect_against_load(void **state)
{
    UNREFERENCED_PARAMETER(state);
    run_against(change_protection, loader, true);
    assert_true(race.faults > 0);
    assert_int_equal(plat_user_protect(race.at + PAGE, PAGE, PLAT_READWRITE), STATUS_SUCCESS);
    uint64_t fault[2] = {0, 0};
    window_load8(race.at + PAGE, fault);
    assert_int_equal(fault[0], 0);
    assert_int_equal(plat_user_protect(race.at + PAGE, PAGE, PLAT_NOACCESS), STATUS_SUCCESS);
    window_load8(race.at + PAGE, fault);
    assert_int_equal(fault[0], race.at + PAGE);
}

static void map_against_load(void **state)
{
    UNREFERENCED_PARAMETER(state);
    run_against(change_mapping, loader, true);
    assert_true(race.faults > 0);
}

static void stores_against_steps(void **state)
{
    UNREFERENCED_PARAMETER(state);
    run_against(change_contents, stepper, false);
    assert_int_equal(race.faults, 0);
}

static struct plat_lock lock;
static _Atomic unsigned turns;

static void ping(void *argument)
{
    unsigned mine = (unsigned)(ULONG_PTR)argument;
    plat_lock_acquire(&lock);
    while (turns < 1000) {
        if (turns % 2 == mine) {
            turns++;
            plat_lock_wake_all(&lock);
        } else {
            plat_lock_wait(&lock, UINT64_MAX);
        }
    }
    plat_lock_wake_all(&lock);
    plat_lock_release(&lock);
}

static void locks_wait_wake_and_time_out(void **state)
{
    UNREFERENCED_PARAMETER(state);
    uint64_t ids[2];
    plat_lock_init(&lock);
    for (ULONG_PTR i = 0; i < 2; i++)
        assert_int_equal(plat_thread_create(ping, (void *)i, &ids[i]), STATUS_SUCCESS);
    for (int i = 0; i < 2; i++)
        plat_thread_join(ids[i]);
    assert_int_equal(turns, 1000);
    plat_lock_acquire(&lock);
    uint64_t before = plat_time_ns();
    assert_false(plat_lock_wait(&lock, 2000000));
    assert_true(plat_time_ns() - before >= 2000000);
    assert_false(plat_lock_wait(&lock, 0));
    plat_lock_release(&lock);
}

static void attach_again(void *argument)
{
    *(struct arch_thread **)argument = arch_self();
    struct arch_thread *first = arch_self();
    plat_thread_attach();
    if (arch_self() != first || arch_self()->stack_low >= (ULONG_PTR)&first ||
        arch_self()->stack_high <= (ULONG_PTR)&first)
        *(struct arch_thread **)argument = NULL;
}

static void threads_have_blocks_of_their_own(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct arch_thread *theirs = NULL;
    uint64_t id;
    assert_int_equal(plat_thread_create(attach_again, &theirs, &id), STATUS_SUCCESS);
    plat_thread_join(id);
    assert_non_null(theirs);
    assert_ptr_not_equal(theirs, arch_self());
}

SUITE(race, cmocka_unit_test(protect_against_load), cmocka_unit_test(map_against_load),
      cmocka_unit_test(stores_against_steps), cmocka_unit_test(locks_wait_wake_and_time_out),
      cmocka_unit_test(threads_have_blocks_of_their_own))
