/* queue_load_test.c - queues under threads: cancelling against completing, senders against cancellers; each request is
 * completed once, and no queue presents more than it may. */
#include "queue_fixture.h"

enum { ROUNDS = 10000, SENDERS = 4, EACH = 1500 };

static WDFQUEUE queue;
static WDFREQUEST current; /* of the race */
static LONG go, told, inside, most, presented;

static KSPIN_LOCK lock; /* guards current, so that a completed request is never looked at */

static VOID NTAPI on_cancel(WDFREQUEST request)
{
    KIRQL irql;
    KeAcquireSpinLock(&lock, &irql);
    current = NULL;
    KeReleaseSpinLock(&lock, irql);
    __atomic_add_fetch(&told, 1, __ATOMIC_SEQ_CST);
    WdfRequestComplete(test_globals, request, STATUS_CANCELLED);
}

static VOID NTAPI mark_and_keep(WDFQUEUE from, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(from);
    __atomic_store_n(&current, request, __ATOMIC_SEQ_CST);
    NTSTATUS status = WdfRequestMarkCancelableEx(test_globals, request, on_cancel);
    if (!NT_SUCCESS(status))
        WdfRequestComplete(test_globals, request, status);
}

static void make(WDF_IO_QUEUE_DISPATCH_TYPE type, ULONG limit, PFN_WDF_IO_QUEUE_IO_DEFAULT callback,
                 WDF_SYNCHRONIZATION_SCOPE scope)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.SynchronizationScope = scope;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, type);
    if (limit)
        config.Settings.Parallel.NumberOfPresentedRequests = limit;
    config.EvtIoDefault = type == WdfIoQueueDispatchManual ? NULL : callback;
    assert_int_equal(WdfIoQueueCreate(test_globals, queue_device, &config, &attributes, &queue), STATUS_SUCCESS);
    inside = most = presented = told = 0;
    KeInitializeSpinLock(&lock);
}

/* ---- the race ---- */

static struct sent racing;
static LONG round_number;

static void wait_for_round(LONG number)
{
    while (__atomic_load_n(&go, __ATOMIC_ACQUIRE) < number)
        plat_yield();
}

static void canceller(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    for (LONG i = 1; i <= ROUNDS; i++) {
        wait_for_round(i);
        IoCancelIrp(racing.irp);
        __atomic_add_fetch(&round_number, 1, __ATOMIC_SEQ_CST);
    }
    ke_thread_detach();
}

/* The request, if nobody cancels it. */
static WDFREQUEST take_back(void)
{
    KIRQL irql;
    KeAcquireSpinLock(&lock, &irql);
    WDFREQUEST request = current;
    NTSTATUS status = request ? WdfRequestUnmarkCancelable(test_globals, request) : STATUS_CANCELLED;
    assert_true(status == STATUS_SUCCESS || status == STATUS_CANCELLED);
    KeReleaseSpinLock(&lock, irql);
    return NT_SUCCESS(status) ? request : NULL;
}

static void test_race(void **state)
{
    uint64_t id;
    LONG finished = 0;
    UNREFERENCED_PARAMETER(state);
    go = round_number = 0;
    make(WdfIoQueueDispatchParallel, 0, mark_and_keep, WdfSynchronizationScopeNone);
    assert_int_equal(plat_thread_create(canceller, NULL, &id), STATUS_SUCCESS);
    for (LONG i = 1; i <= ROUNDS; i++) {
        queue_send(&racing, IRP_MJ_WRITE, 1, NULL);
        __atomic_store_n(&go, i, __ATOMIC_RELEASE);
        for (LONG spin = i % 50; spin; spin--)
            __asm__ volatile("pause");
        WDFREQUEST mine = take_back();
        if (mine) {
            WdfRequestComplete(test_globals, mine, STATUS_SUCCESS);
            finished++;
        }
        while (__atomic_load_n(&round_number, __ATOMIC_SEQ_CST) < i)
            plat_yield();
        assert_int_equal(racing.completed, 1);
        assert_int_equal(racing.status, mine ? STATUS_SUCCESS : STATUS_CANCELLED);
        IoFreeIrp(racing.irp);
    }
    plat_thread_join(id);
    assert_int_equal(finished + told, ROUNDS);
}

/* ---- load ---- */

static struct sent load[SENDERS][EACH];

static VOID NTAPI count_and_complete(WDFQUEUE from, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(from);
    LONG now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST), seen = __atomic_load_n(&most, __ATOMIC_SEQ_CST);
    while (now > seen && !__atomic_compare_exchange_n(&most, &seen, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    if (__atomic_add_fetch(&presented, 1, __ATOMIC_SEQ_CST) % 7 == 0)
        plat_yield();
    __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
}

static void sender(void *argument)
{
    struct sent *mine = argument;
    ke_thread_attach();
    for (ULONG i = 0; i < EACH; i++) {
        queue_send(&mine[i], IRP_MJ_WRITE, 1, NULL);
        if (i % 3 == 2)
            IoCancelIrp(mine[i - 1].irp);
        if (i % 5 == 4)
            IoCancelIrp(mine[i].irp);
    }
    ke_thread_detach();
}

/* Of a manual queue. */
static void fetcher(void *argument)
{
    WDFREQUEST request;
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE)) {
        if (!NT_SUCCESS(WdfIoQueueRetrieveNextRequest(test_globals, queue, &request))) {
            plat_yield();
            continue;
        }
        if (__atomic_add_fetch(&presented, 1, __ATOMIC_SEQ_CST) % 4 ||
            !NT_SUCCESS(WdfRequestRequeue(test_globals, request)))
            WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
    }
    ke_thread_detach();
}

static void run(bool manual)
{
    uint64_t senders[SENDERS], fetchers[2];
    go = 0;
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(plat_thread_create(sender, load[i], &senders[i]), STATUS_SUCCESS);
    for (int i = 0; manual && i < 2; i++)
        assert_int_equal(plat_thread_create(fetcher, NULL, &fetchers[i]), STATUS_SUCCESS);
    for (int i = 0; i < SENDERS; i++)
        plat_thread_join(senders[i]);
    WdfIoQueueDrainSynchronously(test_globals, queue);
    __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
    for (int i = 0; manual && i < 2; i++)
        plat_thread_join(fetchers[i]);
    LONG succeeded = 0;
    for (ULONG i = 0; i < SENDERS * EACH; i++) {
        struct sent *sent = &load[i / EACH][i % EACH];
        assert_int_equal(sent->completed, 1);
        assert_true(sent->status == STATUS_SUCCESS || sent->status == STATUS_CANCELLED);
        succeeded += sent->status == STATUS_SUCCESS;
        IoFreeIrp(sent->irp);
    }
    if (!manual)
        assert_int_equal(succeeded, presented);
}

static void test_sequential(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make(WdfIoQueueDispatchSequential, 0, count_and_complete, WdfSynchronizationScopeNone);
    run(false);
    assert_int_equal(most, 1);
}
static void test_limited(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make(WdfIoQueueDispatchParallel, 2, count_and_complete, WdfSynchronizationScopeNone);
    run(false);
    assert_in_range(most, 1, 2);
}
/* Unlimited, but the scope lets one callback run at a time; what is completed inside it presents nothing on top. */
static void test_scope(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make(WdfIoQueueDispatchParallel, 0, count_and_complete, WdfSynchronizationScopeQueue);
    run(false);
    assert_int_equal(most, 1);
}
static void test_manual(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make(WdfIoQueueDispatchManual, 0, NULL, WdfSynchronizationScopeNone);
    run(true);
}

/* A driver that holds the lock and completes: the next request is presented once it has let go. */
static void test_lock_held(void **state)
{
    struct sent sent[2];
    UNREFERENCED_PARAMETER(state);
    make(WdfIoQueueDispatchSequential, 0, mark_and_keep, WdfSynchronizationScopeQueue);
    queue_send(&sent[0], IRP_MJ_WRITE, 1, NULL);
    queue_send(&sent[1], IRP_MJ_WRITE, 1, NULL);
    WDFREQUEST first = current;
    WdfObjectAcquireLock(test_globals, queue);
    assert_int_equal(WdfRequestUnmarkCancelable(test_globals, first), STATUS_SUCCESS);
    WdfRequestComplete(test_globals, first, STATUS_SUCCESS);
    assert_ptr_equal(current, first);
    WdfObjectReleaseLock(test_globals, queue);
    while (__atomic_load_n((WDFREQUEST volatile *)&current, __ATOMIC_SEQ_CST) == first)
        plat_yield();
    IoCancelIrp(sent[1].irp);
    while (!__atomic_load_n(&sent[1].completed, __ATOMIC_SEQ_CST))
        plat_yield();
    assert_int_equal(sent[1].status, STATUS_CANCELLED); /* by EvtRequestCancel, or before it could be marked */
    IoFreeIrp(sent[0].irp);
    IoFreeIrp(sent[1].irp);
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_load(queue_make_device)) ? 0 : 1;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_unload()) && !io_leaks(NULL, NULL) ? 0 : 1;
}

int run_queue_load_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_race),  LOADED(test_sequential), LOADED(test_limited),
        LOADED(test_scope), LOADED(test_manual),     LOADED(test_lock_held),
    };
    return cmocka_run_group_tests_name("kmdf queues under load", tests, NULL, NULL);
}
