/* wait_test.c - dispatcher objects between two threads, IRQL, spin locks, mutexes. */
#include "ntos_test.h"
#include "arch.h"
#include "seh.h"

static KEVENT ping, pong;
static LONG rounds;

static LARGE_INTEGER milliseconds(LONG count)
{
    return (LARGE_INTEGER){.QuadPart = -10000ll * count};
}

static NTSTATUS wait_for(PVOID object, LONG ms)
{
    LARGE_INTEGER timeout = milliseconds(ms);
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &timeout);
}

static void answer(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    for (int i = 0; i < 1000; i++) {
        if (wait_for(&ping, 5000) != STATUS_SUCCESS)
            break;
        rounds++;
        KeSetEvent(&pong, 0, FALSE);
    }
    ke_thread_detach();
}

static void two_threads_play_ping_pong(void **state)
{
    UNREFERENCED_PARAMETER(state);
    uint64_t id;
    KeInitializeEvent(&ping, SynchronizationEvent, FALSE);
    KeInitializeEvent(&pong, SynchronizationEvent, FALSE);
    assert_int_equal(plat_thread_create(answer, NULL, &id), STATUS_SUCCESS);
    for (int i = 0; i < 1000; i++) {
        KeSetEvent(&ping, 0, FALSE);
        assert_int_equal(wait_for(&pong, 5000), STATUS_SUCCESS);
        assert_int_equal(rounds, i + 1);
    }
    plat_thread_join(id);
}

static void events_latch_or_reset(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KEVENT latch, pulse;
    KeInitializeEvent(&latch, NotificationEvent, TRUE);
    KeInitializeEvent(&pulse, SynchronizationEvent, TRUE);
    assert_int_equal(wait_for(&latch, 0), STATUS_SUCCESS);
    assert_int_equal(wait_for(&latch, 0), STATUS_SUCCESS);
    assert_int_equal(wait_for(&pulse, 0), STATUS_SUCCESS);
    assert_int_equal(wait_for(&pulse, 0), STATUS_TIMEOUT);
    assert_int_equal(KeSetEvent(&pulse, 0, FALSE), 0);
    assert_int_equal(KeResetEvent(&pulse), 1);
    uint64_t before = plat_time_ns();
    assert_int_equal(wait_for(&pulse, 30), STATUS_TIMEOUT);
    assert_true(plat_time_ns() - before >= 29000000);
}

static void several_objects(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KEVENT first, second;
    LARGE_INTEGER now = {0};
    PVOID objects[] = {&first, &second};
    KeInitializeEvent(&first, SynchronizationEvent, FALSE);
    KeInitializeEvent(&second, SynchronizationEvent, TRUE);
    assert_int_equal(KeWaitForMultipleObjects(2, objects, WaitAll, Executive, KernelMode, FALSE, &now, NULL),
                     STATUS_TIMEOUT);
    assert_int_equal(KeReadStateEvent(&second), 1); /* a wait for all takes nothing until it can take all */
    assert_int_equal(KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, FALSE, &now, NULL),
                     STATUS_WAIT_1);
    assert_int_equal(KeReadStateEvent(&second), 0);
}

static void release_too_much(void *semaphore)
{
    KeReleaseSemaphore(semaphore, 0, 2, FALSE);
}

static void release_foreign(void *mutex)
{
    KeReleaseMutex(mutex, FALSE);
}

static void semaphores_and_mutexes(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KSEMAPHORE semaphore;
    KMUTEX mutex;
    KeInitializeSemaphore(&semaphore, 1, 2);
    assert_int_equal(exception_of(release_too_much, &semaphore), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    assert_int_equal(KeReleaseSemaphore(&semaphore, 0, 1, FALSE), 1);
    assert_int_equal(wait_for(&semaphore, 0), STATUS_SUCCESS);
    assert_int_equal(wait_for(&semaphore, 0), STATUS_SUCCESS);
    assert_int_equal(wait_for(&semaphore, 0), STATUS_TIMEOUT);
    KeInitializeMutex(&mutex, 0);
    assert_int_equal(exception_of(release_foreign, &mutex), STATUS_MUTANT_NOT_OWNED);
    assert_int_equal(wait_for(&mutex, 0), STATUS_SUCCESS);
    assert_int_equal(wait_for(&mutex, 0), STATUS_SUCCESS); /* recursion */
    assert_true(KeAreApcsDisabled());
    KeReleaseMutex(&mutex, FALSE);
    assert_int_equal(KeReleaseMutex(&mutex, FALSE), 0);
    assert_false(KeAreApcsDisabled());
    assert_int_equal(KeReadStateMutex(&mutex), 1);
}

static FAST_MUTEX counter_mutex;
static KSPIN_LOCK counter_lock;
static ULONG counter;

static void count_up(void *argument)
{
    ke_thread_attach();
    for (int i = 0; i < 2000; i++) {
        if (argument) {
            ExAcquireFastMutex(&counter_mutex);
            counter++;
            ExReleaseFastMutex(&counter_mutex);
        } else {
            KIRQL old = KeAcquireSpinLockRaiseToDpc(&counter_lock);
            counter++;
            KeReleaseSpinLock(&counter_lock, old);
        }
    }
    ke_thread_detach();
}

static void locks_exclude(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ExInitializeFastMutex(&counter_mutex);
    KeInitializeSpinLock(&counter_lock);
    for (ULONG_PTR kind = 0; kind < 2; kind++) {
        uint64_t ids[2];
        counter = 0;
        for (int i = 0; i < 2; i++)
            assert_int_equal(plat_thread_create(count_up, (void *)kind, &ids[i]), STATUS_SUCCESS);
        for (int i = 0; i < 2; i++)
            plat_thread_join(ids[i]);
        assert_int_equal(counter, 4000);
    }
}

static void irql_follows_raise_and_lower(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KIRQL old;
    KeRaiseIrql(APC_LEVEL, &old);
    assert_int_equal(old, PASSIVE_LEVEL);
    assert_int_equal(KeRaiseIrqlToDpcLevel(), APC_LEVEL);
    assert_int_equal(arch_self()->irql, DISPATCH_LEVEL);
    KeLowerIrql(PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void wait_at_dispatch(void)
{
    KfRaiseIrql(DISPATCH_LEVEL);
    wait_for(&ping, 1);
}

static void lower_upwards(void)
{
    KfLowerIrql(DISPATCH_LEVEL);
}

static void raise_downwards(void)
{
    KfRaiseIrql(DISPATCH_LEVEL);
    KfRaiseIrql(APC_LEVEL);
}

static void take_spin_lock_twice(void)
{
    KeAcquireSpinLockRaiseToDpc(&counter_lock);
    KeAcquireSpinLockRaiseToDpc(&counter_lock);
}

static void release_free_spin_lock(void)
{
    KeReleaseSpinLock(&counter_lock, PASSIVE_LEVEL);
}

static void take_fast_mutex_twice(void)
{
    ExAcquireFastMutex(&counter_mutex);
    ExAcquireFastMutex(&counter_mutex);
}

static void unhandled(void)
{
    ExRaiseStatus(STATUS_INTEGER_OVERFLOW);
}

static void by_hand(void)
{
    KeBugCheckEx(0xE2, 1, 2, 3, 4);
}

HOSTILE static void fault_at_dispatch(void)
{
    KfRaiseIrql(DISPATCH_LEVEL);
    *(volatile char *)0x1234 = 0;
}

static void fast_fail(void)
{
    __asm__ volatile("movl $3, %%ecx\n\tint $0x29" ::: "rcx");
}

static ERESOURCE resource;
static void release_unowned(void);

static void each_broken_rule_is_its_bug_check(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        void (*action)(void);
        ULONG code;
        ULONG_PTR first;
    } cases[] = {
        {wait_at_dispatch, 0xB8, 0},
        {lower_upwards, 0xA, DISPATCH_LEVEL},
        {raise_downwards, 0x9, APC_LEVEL},
        {take_spin_lock_twice, 0xF, (ULONG_PTR)&counter_lock},
        {release_free_spin_lock, 0x10, (ULONG_PTR)&counter_lock},
        {take_fast_mutex_twice, 0xC4, 0x1000},
        {unhandled, 0x1E, 0xC0000095},
        {by_hand, 0xE2, 1},
        {fault_at_dispatch, 0xD1, 0x1234},
        {fast_fail, 0x139, 3},
        {release_unowned, 0xE3, (ULONG_PTR)&resource},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(cases); i++) {
        struct bugcheck_result result = bugcheck_of(cases[i].action);
        if (!result.happened)
            fail_msg("case %u did not bug-check: %s", (unsigned)i, result.report);
        assert_int_equal(result.code, cases[i].code);
        if (cases[i].first)
            assert_int_equal(result.parameters[0], cases[i].first);
        assert_non_null(strstr(result.report, "*** STOP: 0x"));
        assert_non_null(strstr(result.report, "*** stack:"));
    }
}

static void threads_know_themselves(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PVOID by_gs, self;
    __asm__("movq %%gs:0x188, %0\n\tmovq %%gs:0x18, %1" : "=r"(by_gs), "=&r"(self));
    assert_ptr_equal(by_gs, KeGetCurrentThread());
    assert_ptr_equal(self, arch_self());
    assert_int_equal(ExGetPreviousMode(), KernelMode);
    assert_ptr_not_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
    LARGE_INTEGER frequency, now = KeQueryPerformanceCounter(&frequency), later;
    LARGE_INTEGER delay = milliseconds(20);
    KeDelayExecutionThread(KernelMode, FALSE, &delay);
    later = KeQueryPerformanceCounter(NULL);
    assert_in_range((later.QuadPart - now.QuadPart) * 1000 / frequency.QuadPart, 19, 5000);
}

static KEVENT holder_has, holder_may_go;
static bool other_got_shared, other_got_exclusive;

static void hold_shared(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    other_got_exclusive = ExAcquireResourceExclusiveLite(&resource, FALSE);
    other_got_shared = ExAcquireResourceSharedLite(&resource, FALSE);
    KeSetEvent(&holder_has, 0, FALSE);
    wait_for(&holder_may_go, 5000);
    if (other_got_shared)
        ExReleaseResourceLite(&resource);
    ke_thread_detach();
}

static void let_go(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    LARGE_INTEGER delay = milliseconds(20);
    KeDelayExecutionThread(KernelMode, FALSE, &delay);
    KeSetEvent(&holder_may_go, 0, FALSE);
    ke_thread_detach();
}

static void resources_are_shared_or_exclusive(void **state)
{
    UNREFERENCED_PARAMETER(state);
    uint64_t ids[2];
    KeInitializeEvent(&holder_has, SynchronizationEvent, FALSE);
    KeInitializeEvent(&holder_may_go, SynchronizationEvent, FALSE);
    ExInitializeResourceLite(&resource);
    assert_true(ExAcquireResourceSharedLite(&resource, TRUE));
    assert_true(ExAcquireResourceSharedLite(&resource, FALSE)); /* recursion */
    assert_false(ExAcquireResourceExclusiveLite(&resource, FALSE));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&resource), 2);
    assert_int_equal(plat_thread_create(hold_shared, NULL, &ids[0]), STATUS_SUCCESS);
    assert_int_equal(wait_for(&holder_has, 5000), STATUS_SUCCESS);
    assert_true(other_got_shared && !other_got_exclusive);
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
    assert_false(ExAcquireResourceExclusiveLite(&resource, FALSE));
    assert_int_equal(plat_thread_create(let_go, NULL, &ids[1]), STATUS_SUCCESS);
    assert_true(ExAcquireResourceExclusiveLite(&resource, TRUE)); /* once the other has let go */
    assert_true(ExIsResourceAcquiredExclusiveLite(&resource));
    plat_thread_join(ids[0]);
    plat_thread_join(ids[1]);
    assert_int_equal(plat_thread_create(hold_shared, NULL, &ids[0]), STATUS_SUCCESS);
    assert_int_equal(wait_for(&holder_has, 5000), STATUS_SUCCESS);
    assert_false(other_got_shared);
    KeSetEvent(&holder_may_go, 0, FALSE);
    plat_thread_join(ids[0]);
    ExReleaseResourceLite(&resource);
    assert_int_equal(resource.ActiveCount, 0);
    ExDeleteResourceLite(&resource);
}

static void want_exclusive(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    ExAcquireResourceExclusiveLite(&resource, TRUE);
    ExReleaseResourceLite(&resource);
    ke_thread_detach();
}

static void shared_requests_go_before_or_after_exclusive_ones(void **state)
{
    UNREFERENCED_PARAMETER(state);
    uint64_t id;
    ExInitializeResourceLite(&resource);
    assert_true(ExAcquireSharedWaitForExclusive(&resource, FALSE));
    assert_true(ExAcquireSharedWaitForExclusive(&resource, FALSE)); /* nobody waits */
    assert_int_equal(plat_thread_create(want_exclusive, NULL, &id), STATUS_SUCCESS);
    for (int i = 0; i < 500 && !ExGetExclusiveWaiterCount(&resource); i++) {
        LARGE_INTEGER delay = milliseconds(10);
        KeDelayExecutionThread(KernelMode, FALSE, &delay);
    }
    assert_int_equal(ExGetExclusiveWaiterCount(&resource), 1);
    assert_false(ExAcquireSharedWaitForExclusive(&resource, FALSE)); /* although it has it shared */
    assert_true(ExAcquireResourceSharedLite(&resource, FALSE));
    assert_true(ExAcquireSharedStarveExclusive(&resource, FALSE));
    for (int i = 0; i < 4; i++)
        ExReleaseResourceLite(&resource);
    assert_true(ExAcquireSharedWaitForExclusive(&resource, TRUE));
    ExReleaseResourceLite(&resource);
    plat_thread_join(id);
    assert_true(ExAcquireResourceExclusiveLite(&resource, TRUE));
    assert_true(ExAcquireSharedWaitForExclusive(&resource, FALSE)); /* its own */
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
    assert_int_equal(resource.ActiveCount, 0);
    ExDeleteResourceLite(&resource);
}

static void release_unowned(void)
{
    ExInitializeResourceLite(&resource);
    ExReleaseResourceLite(&resource);
}

static KDPC dpc;
static KTIMER timer;
static KEVENT dpc_ran;
static KIRQL dpc_irql;
static ULONG dpc_count;

static VOID NTAPI deferred(PRKDPC object, PVOID context, PVOID first, PVOID second)
{
    assert_ptr_equal(object, &dpc);
    assert_ptr_equal(context, &dpc_count);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    dpc_irql = KeGetCurrentIrql();
    if (++dpc_count == 3)
        KeSetEvent(&dpc_ran, 0, FALSE);
}

static void timers_expire_and_queue_dpcs(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&dpc_ran, NotificationEvent, FALSE);
    KeInitializeDpc(&dpc, deferred, &dpc_count);
    KeInitializeTimerEx(&timer, SynchronizationTimer);
    assert_false(KeSetTimerEx(&timer, milliseconds(5), 5, &dpc));
    assert_int_equal(wait_for(&dpc_ran, 5000), STATUS_SUCCESS);
    assert_int_equal(dpc_irql, DISPATCH_LEVEL);
    assert_true(KeCancelTimer(&timer));
    assert_false(KeCancelTimer(&timer));
    KeFlushQueuedDpcs();
    ULONG before = dpc_count;
    wait_for(&timer, 30);
    assert_int_equal(dpc_count, before);
    uint64_t start = plat_time_ns();
    KeSetTimer(&timer, milliseconds(20), NULL);
    assert_int_equal(wait_for(&timer, 5000), STATUS_SUCCESS);
    assert_true(plat_time_ns() - start >= 19000000);
    assert_int_equal(wait_for(&timer, 0), STATUS_TIMEOUT); /* a synchronization timer is taken */
    assert_true(KeInsertQueueDpc(&dpc, NULL, NULL));
    KeFlushQueuedDpcs();
    assert_int_equal(dpc_count, before + 1);
}

static void use_timer(void)
{
    KeInitializeTimer(&timer);
    KeSetTimer(&timer, milliseconds(1), NULL);
    DbgPrint("%s", wait_for(&timer, 5000) == STATUS_SUCCESS ? "expired" : "timed out");
}

static void timers_run_in_a_forked_child(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_string_equal(bugcheck_of(use_timer).report, "expired");
}

int run_wait_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_play_ping_pong),
        cmocka_unit_test(events_latch_or_reset),
        cmocka_unit_test(several_objects),
        cmocka_unit_test(semaphores_and_mutexes),
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(irql_follows_raise_and_lower),
        cmocka_unit_test(resources_are_shared_or_exclusive),
        cmocka_unit_test(shared_requests_go_before_or_after_exclusive_ones),
        cmocka_unit_test(timers_expire_and_queue_dpcs),
        cmocka_unit_test(timers_run_in_a_forked_child),
        cmocka_unit_test(threads_know_themselves),
        cmocka_unit_test(each_broken_rule_is_its_bug_check),
    };
    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
