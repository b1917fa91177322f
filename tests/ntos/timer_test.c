/* timer_test.c - timers the system allocates; mutexes whose owner ends; locks with a critical region. */
#include "exports_tests.h"
#include "ob.h"
#include "ps.h"

static volatile LONG expiries, deletions;
static KIRQL seen_irql;

static VOID NTAPI on_expiry(PEX_TIMER timer, PVOID context)
{
    UNREFERENCED_PARAMETER(timer);
    seen_irql = KeGetCurrentIrql();
    __atomic_add_fetch((LONG *)context, 1, __ATOMIC_SEQ_CST);
}

static VOID NTAPI on_deletion(PVOID context)
{
    __atomic_add_fetch((LONG *)context, 1, __ATOMIC_SEQ_CST);
}

static VOID NTAPI deletes_itself(PEX_TIMER timer, PVOID context)
{
    EXT_DELETE_PARAMETERS end = {.DeleteCallback = on_deletion, .DeleteContext = (PVOID)&deletions};
    __atomic_add_fetch((LONG *)context, 1, __ATOMIC_SEQ_CST);
    ExDeleteTimer(timer, TRUE, FALSE, &end);
}

static void wait_until(volatile LONG *count, LONG value)
{
    LARGE_INTEGER pause = {.QuadPart = -10000};
    for (int i = 0; i < 2000 && __atomic_load_n(count, __ATOMIC_SEQ_CST) < value; i++)
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    assert_true(__atomic_load_n(count, __ATOMIC_SEQ_CST) >= value);
}

static void a_timer_calls_back_and_is_deleted(void **state)
{
    UNREFERENCED_PARAMETER(state);
    SIZE_T before = mm_pool_bytes_in_use(MM_POOL_DRIVER);
    EXT_DELETE_PARAMETERS end = {.DeleteCallback = on_deletion, .DeleteContext = (PVOID)&deletions};
    LARGE_INTEGER second = {.QuadPart = -10000000};
    expiries = deletions = 0;
    assert_null(ExAllocateTimer(on_expiry, NULL, 1));
    assert_null(ExAllocateTimer(on_expiry, NULL, EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE));
    PEX_TIMER timer = ExAllocateTimer(on_expiry, (PVOID)&expiries, EX_TIMER_NOTIFICATION);
    assert_non_null(timer);
    assert_false(ExCancelTimer(timer, NULL));
    assert_false(ExSetTimer(timer, -36000000000ll, 0, NULL));
    assert_true(ExSetTimer(timer, -10000, 0, NULL));
    assert_int_equal(KeWaitForSingleObject(timer, Executive, KernelMode, FALSE, &second), STATUS_SUCCESS);
    wait_until(&expiries, 1);
    assert_int_equal(seen_irql, DISPATCH_LEVEL);
    assert_false(ExCancelTimer(timer, NULL));
    assert_false(ExSetTimer(timer, -10, 5000, NULL)); /* half a ms is a whole one */
    wait_until(&expiries, 4);
    assert_true(ExDeleteTimer(timer, TRUE, TRUE, &end));
    assert_int_equal(deletions, 1);
    assert_int_equal(mm_pool_bytes_in_use(MM_POOL_DRIVER), before);
}

static void a_timer_is_deleted_without_waiting(void **state)
{
    UNREFERENCED_PARAMETER(state);
    SIZE_T before = mm_pool_bytes_in_use(MM_POOL_DRIVER);
    EXT_DELETE_PARAMETERS end = {.DeleteCallback = on_deletion, .DeleteContext = (PVOID)&deletions};
    expiries = deletions = 0;
    PEX_TIMER timer = ExAllocateTimer(deletes_itself, (PVOID)&expiries, 0);
    ExSetTimer(timer, -10, 10000, NULL);
    wait_until(&deletions, 1);
    assert_int_equal(expiries, 1);
    timer = ExAllocateTimer(on_expiry, (PVOID)&expiries, 0);
    ExSetTimer(timer, -20000, 10000, NULL);
    assert_false(ExDeleteTimer(timer, FALSE, FALSE, &end)); /* not cancelled: it expires once more */
    wait_until(&deletions, 2);
    assert_int_equal(expiries, 2);
    timer = ExAllocateTimer(NULL, NULL, 0);
    assert_false(ExDeleteTimer(timer, TRUE, FALSE, &end)); /* never set */
    wait_until(&deletions, 3);
    KeFlushQueuedDpcs();
    assert_int_equal(mm_pool_bytes_in_use(MM_POOL_DRIVER), before);
}

static void wait_without_cancelling(void)
{
    ExDeleteTimer(ExAllocateTimer(NULL, NULL, 0), FALSE, TRUE, NULL);
}

static KMUTEX mutex;

static void NTAPI end_with_a_mutex(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    KeWaitForMutexObject(&mutex, Executive, KernelMode, FALSE, NULL);
}

static void leave_a_mutex(void)
{
    HANDLE handle;
    PVOID thread;
    KeInitializeMutex(&mutex, 0);
    PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, end_with_a_mutex, NULL);
    ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &thread, NULL);
    KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
}

static void misuse_is_a_bug_check(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(bugcheck_of(wait_without_cancelling).code, 0xC7);
    struct bugcheck_result result = bugcheck_of(leave_a_mutex);
    assert_int_equal(result.code, 0x4000008A);
    assert_int_equal(result.parameters[1], (ULONG_PTR)&mutex);
}

static void a_mutant_has_no_critical_region(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KMUTANT mutant;
    KeInitializeMutant(&mutant, TRUE);
    assert_int_equal(KeReadStateMutant(&mutant), 0);
    assert_false(KeAreApcsDisabled());
    assert_int_equal(KeReleaseMutex(&mutant, FALSE), 0);
    KeInitializeMutex(&mutex, 0);
    assert_int_equal(KeWaitForMutexObject(&mutex, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_true(KeAreApcsDisabled());
    assert_int_equal(KeReleaseMutex(&mutex, FALSE), 0);
    assert_false(KeAreApcsDisabled());
}

static void locks_come_with_a_critical_region(void **state)
{
    UNREFERENCED_PARAMETER(state);
    FAST_MUTEX fast;
    ERESOURCE resource;
    ExInitializeFastMutex(&fast);
    ExEnterCriticalRegionAndAcquireFastMutexUnsafe(&fast);
    assert_true(KeAreApcsDisabled());
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_false(ExTryToAcquireFastMutex(&fast));
    ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(&fast);
    assert_false(KeAreApcsDisabled());
    assert_int_equal(ExInitializeResourceLite(&resource), STATUS_SUCCESS);
    ExEnterCriticalRegionAndAcquireResourceExclusive(&resource);
    assert_true(KeAreApcsDisabled());
    assert_true(ExIsResourceAcquiredExclusiveLite(&resource));
    ExReleaseResourceAndLeaveCriticalRegion(&resource);
    ExEnterCriticalRegionAndAcquireResourceShared(&resource);
    assert_false(ExIsResourceAcquiredExclusiveLite(&resource));
    assert_true(ExIsResourceAcquiredSharedLite(&resource));
    ExReleaseResourceAndLeaveCriticalRegion(&resource);
    assert_false(KeAreApcsDisabled());
    ExDeleteResourceLite(&resource);
}

int run_timer_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_calls_back_and_is_deleted),
        cmocka_unit_test(a_timer_is_deleted_without_waiting),
        cmocka_unit_test(misuse_is_a_bug_check),
        cmocka_unit_test(a_mutant_has_no_critical_region),
        cmocka_unit_test(locks_come_with_a_critical_region),
    };
    return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
