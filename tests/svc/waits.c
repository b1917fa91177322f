/*
 * waits.c - services on mutants, semaphores and timers: owners that end, what queries tell, timers with and without an
 * APC routine.
 */
#include "svc_test.h"

static LARGE_INTEGER ms(LONGLONG count)
{
    return (LARGE_INTEGER){.QuadPart = -count * 10000};
}

static NTSTATUS wait_for(HANDLE handle)
{
    LARGE_INTEGER timeout = ms(2000);
    return NtWaitForSingleObject(handle, FALSE, &timeout);
}

static HANDLE mutant, second;

static void take_and_end(void *context)
{
    UNREFERENCED_PARAMETER(context);
    NtWaitForSingleObject(mutant, FALSE, NULL);
    NtWaitForSingleObject(mutant, FALSE, NULL);
    NtWaitForSingleObject(second, FALSE, NULL);
}

static void run_thread(void (*routine)(void *context), void *context)
{
    PKTHREAD thread;
    uint64_t host;
    assert_int_equal(ke_thread_start(&ke_user.body, routine, context, 0, &thread, &host), STATUS_SUCCESS);
    plat_thread_join(host);
    ke_thread_release(thread);
}

static void a_thread_that_ends_abandons_its_mutants(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct {
        LONG count;
        BOOLEAN mine, abandoned;
    } info;
    ULONG length;
    struct bench_counts before = bench_counts();
    assert_int_equal(NtCreateMutant(&mutant, MUTANT_ALL_ACCESS, NULL, FALSE), STATUS_SUCCESS);
    assert_int_equal(NtCreateMutant(&second, MUTANT_ALL_ACCESS, NULL, FALSE), STATUS_SUCCESS);
    run_thread(take_and_end, NULL);
    assert_int_equal(NtQueryMutant(mutant, 0, &info, sizeof(info), &length), STATUS_SUCCESS);
    assert_int_equal(length, 8);
    assert_int_equal(info.count, 1);
    assert_false(info.mine);
    assert_true(info.abandoned);
    assert_int_equal(wait_for(mutant), STATUS_ABANDONED_WAIT_0);
    assert_int_equal(wait_for(mutant), STATUS_SUCCESS); /* only its first owner is told */
    assert_int_equal(NtQueryMutant(mutant, 0, &info, sizeof(info), NULL), STATUS_SUCCESS);
    assert_int_equal(info.count, -1);
    assert_true(info.mine);
    assert_false(info.abandoned);
    assert_int_equal(NtQueryMutant(mutant, 0, &info, 4, NULL), STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(NtQueryMutant(mutant, 1, &info, sizeof(info), NULL), STATUS_INVALID_INFO_CLASS);
    ULONG previous = 7;
    assert_int_equal(NtReleaseMutant(mutant, &previous), STATUS_SUCCESS);
    assert_int_equal((LONG)previous, -1);
    assert_int_equal(NtReleaseMutant(mutant, &previous), STATUS_SUCCESS);
    assert_int_equal(NtReleaseMutant(mutant, &previous), STATUS_MUTANT_NOT_OWNED);
    HANDLE both[2] = {mutant, second};
    LARGE_INTEGER now = {.QuadPart = 0};
    assert_int_equal(NtWaitForMultipleObjects(2, both, WaitAll, FALSE, &now), STATUS_ABANDONED_WAIT_0);
    NtReleaseMutant(mutant, NULL);
    NtReleaseMutant(second, NULL);
    run_thread(take_and_end, NULL);
    HANDLE event;
    assert_int_equal(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    HANDLE any[2] = {event, second};
    assert_int_equal(NtWaitForMultipleObjects(2, any, WaitAny, FALSE, &now), STATUS_ABANDONED_WAIT_0 + 1);
    NtReleaseMutant(second, NULL);
    NtClose(event);
    NtClose(mutant);
    NtClose(second);
    bench_check(&before);
}

static void a_semaphore_tells_count_and_limit(void **state)
{
    UNREFERENCED_PARAMETER(state);
    LONG info[2];
    HANDLE semaphore;
    assert_int_equal(NtCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, NULL, 2, 5), STATUS_SUCCESS);
    assert_int_equal(NtQuerySemaphore(semaphore, 0, info, sizeof(info), NULL), STATUS_SUCCESS);
    assert_int_equal(info[0], 2);
    assert_int_equal(info[1], 5);
    assert_int_equal(NtQuerySemaphore(semaphore, 0, info, 12, NULL), STATUS_INFO_LENGTH_MISMATCH);
    NtClose(semaphore);
}

/* ---- timers ---- */

struct timer_information {
    LARGE_INTEGER remaining;
    BOOLEAN signalled;
};

static HANDLE make_timer(TIMER_TYPE type)
{
    HANDLE timer;
    assert_int_equal(NtCreateTimer(&timer, 0x1F0003, NULL, type), STATUS_SUCCESS);
    return timer;
}

static void a_timer_is_set_and_expires(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    struct timer_information info;
    HANDLE timer = make_timer(NotificationTimer);
    LARGE_INTEGER due = ms(3600000);
    BOOLEAN was = TRUE;
    assert_int_equal(NtSetTimer(timer, &due, NULL, NULL, FALSE, 0, &was), STATUS_SUCCESS);
    assert_false(was);
    assert_int_equal(NtQueryTimer(timer, 0, &info, sizeof(info), NULL), STATUS_SUCCESS);
    assert_false(info.signalled);
    assert_in_range(info.remaining.QuadPart, 3590000ll * 10000, 3600000ll * 10000);
    due = ms(5);
    assert_int_equal(NtSetTimer(timer, &due, NULL, NULL, FALSE, 0, &was), STATUS_SUCCESS);
    assert_int_equal(wait_for(timer), STATUS_SUCCESS);
    assert_int_equal(NtQueryTimer(timer, 0, &info, sizeof(info), NULL), STATUS_SUCCESS);
    assert_true(info.signalled);
    assert_true(info.remaining.QuadPart <= 0);
    assert_int_equal(NtCancelTimer(timer, &was), STATUS_SUCCESS);
    assert_true(was); /* it stays signalled */
    assert_int_equal(NtSetTimer(timer, &due, NULL, NULL, TRUE, 0, &was), STATUS_TIMER_RESUME_IGNORED);
    assert_true(was);
    assert_int_equal(NtSetTimer(timer, &due, NULL, NULL, FALSE, -1, &was), STATUS_INVALID_PARAMETER_6);
    NtClose(timer);
    assert_int_equal(NtCreateTimer(&timer, 0x1F0003, NULL, 2), STATUS_INVALID_PARAMETER_4);
    bench_check(&before);
}

static void a_periodic_synchronization_timer(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE timer = make_timer(SynchronizationTimer);
    LARGE_INTEGER due = ms(1), now = {.QuadPart = 0};
    assert_int_equal(NtSetTimer(timer, &due, NULL, NULL, FALSE, 2, NULL), STATUS_SUCCESS);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wait_for(timer), STATUS_SUCCESS);
    assert_int_equal(NtCancelTimer(timer, NULL), STATUS_SUCCESS);
    NtWaitForSingleObject(timer, FALSE, &now);
    assert_int_equal(NtWaitForSingleObject(timer, FALSE, &now), STATUS_TIMEOUT);
    NtClose(timer);
}

static volatile LONG apcs;
static PVOID seen_context;
static ULONG64 seen_time;

static VOID NTAPI on_timer(PVOID context, PVOID low, PVOID high)
{
    seen_context = context;
    seen_time = (ULONG_PTR)high << 32 | (ULONG)(ULONG_PTR)low;
    apcs++;
}

static void a_drivers_timer_apc_runs_in_its_thread(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    HANDLE timer = make_timer(NotificationTimer);
    LARGE_INTEGER due = ms(2), start, interval = ms(1);
    KeQuerySystemTime(&start);
    apcs = 0;
    assert_int_equal(ZwSetTimer(timer, &due, (PVOID)on_timer, &start, FALSE, 0, NULL), STATUS_SUCCESS);
    for (int i = 0; i < 2000 && !apcs; i++)
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    assert_int_equal(apcs, 1);
    assert_ptr_equal(seen_context, &start);
    assert_true(seen_time >= (ULONG64)start.QuadPart);
    due = ms(1);
    KeEnterCriticalRegion(); /* the APC comes into the queue, and is cancelled there */
    assert_int_equal(ZwSetTimer(timer, &due, (PVOID)on_timer, NULL, FALSE, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(wait_for(timer), STATUS_SUCCESS);
    KeFlushQueuedDpcs();
    assert_int_equal(ZwCancelTimer(timer, NULL), STATUS_SUCCESS);
    KeLeaveCriticalRegion();
    assert_int_equal(apcs, 1);
    NtClose(timer);
    bench_check(&before);
}

static void a_timer_is_closed_while_it_is_set(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    for (int i = 0; i < 50; i++) {
        HANDLE timer = make_timer(NotificationTimer);
        LARGE_INTEGER due = {.QuadPart = -(i % 3) * 100};
        KeEnterCriticalRegion();
        assert_int_equal(ZwSetTimer(timer, &due, (PVOID)on_timer, NULL, FALSE, 1, NULL), STATUS_SUCCESS);
        NtClose(timer);
        KeLeaveCriticalRegion();
    }
    KeFlushQueuedDpcs();
    bench_check(&before);
}

static void the_counter_and_its_frequency(void **state)
{
    UNREFERENCED_PARAMETER(state);
    LARGE_INTEGER first, then, frequency = {.QuadPart = 0};
    assert_int_equal(NtQueryPerformanceCounter(&first, &frequency), STATUS_SUCCESS);
    assert_int_equal(NtYieldExecution(), STATUS_SUCCESS);
    assert_int_equal(NtQueryPerformanceCounter(&then, NULL), STATUS_SUCCESS);
    assert_true(then.QuadPart >= first.QuadPart);
    assert_true(frequency.QuadPart > 0);
}

int run_wait_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_that_ends_abandons_its_mutants),
        cmocka_unit_test(a_semaphore_tells_count_and_limit),
        cmocka_unit_test(a_timer_is_set_and_expires),
        cmocka_unit_test(a_periodic_synchronization_timer),
        cmocka_unit_test(a_drivers_timer_apc_runs_in_its_thread),
        cmocka_unit_test(a_timer_is_closed_while_it_is_set),
        cmocka_unit_test(the_counter_and_its_frequency),
    };
    return cmocka_run_group_tests_name("waits", tests, NULL, NULL);
}
