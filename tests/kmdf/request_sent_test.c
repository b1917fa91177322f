/* request_sent_test.c - requests that a target has: cancelled, timed out; targets that are stopped, purged, closed. */
#include "own_request.h"

/* ---- cancelling ---- */

static void test_cancel(void **state)
{
    UNREFERENCED_PARAMETER(state);
    own_make();
    assert_false(WdfRequestCancelSentRequest(test_globals, own_request));
    own_sent();
    assert_true(WdfRequestCancelSentRequest(test_globals, own_request));
    assert_int_equal(own_returned, 1);
    assert_int_equal(own_result.IoStatus.Status, STATUS_CANCELLED);
    assert_false(WdfRequestCancelSentRequest(test_globals, own_request));
    lower_take();
    own_reuse();
    own_sent();
    IRP *irp = lower_take(); /* the driver below does not let it be cancelled */
    __atomic_store_n(&irp->CancelRoutine, (PDRIVER_CANCEL)NULL, __ATOMIC_SEQ_CST);
    assert_false(WdfRequestCancelSentRequest(test_globals, own_request));
    assert_true(WdfRequestIsCanceled(test_globals, own_request));
    assert_int_equal(own_returned, 1);
    lower_complete(irp, STATUS_SUCCESS, 0);
    assert_int_equal(own_returned, 2);
    assert_int_equal(own_result.IoStatus.Status, STATUS_SUCCESS);
    assert_int_equal(lower_cancelled, 1);
}

static void test_timeout(void **state)
{
    UNREFERENCED_PARAMETER(state);
    own_make();
    own_format();
    assert_true(own_send_with(0, WDF_REL_TIMEOUT_IN_MS(1)));
    while (!__atomic_load_n(&own_returned, __ATOMIC_SEQ_CST))
        plat_yield();
    assert_int_equal(own_result.IoStatus.Status, STATUS_IO_TIMEOUT);
    assert_int_equal(lower_cancelled, 1);
    lower_take();
    own_reuse();
    own_format();
    assert_true(own_send_with(WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, WDF_REL_TIMEOUT_IN_MS(1)));
    assert_int_equal(WdfRequestGetStatus(test_globals, own_request), STATUS_IO_TIMEOUT);
    lower_take();
    own_reuse();
    own_format(); /* in time: the timer does not keep it */
    assert_true(own_send_with(0, WDF_REL_TIMEOUT_IN_SEC(1000)));
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(own_returned, 2);
    assert_int_equal(own_result.IoStatus.Status, STATUS_SUCCESS);
    own_reuse();
    own_format();
    WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
    assert_true(own_send_with(0, WDF_REL_TIMEOUT_IN_MS(1))); /* waiting */
    while (__atomic_load_n(&own_returned, __ATOMIC_SEQ_CST) < 3)
        plat_yield();
    assert_int_equal(own_result.IoStatus.Status, STATUS_IO_TIMEOUT);
    assert_int_equal(lower_cancelled, 2);
}

/* No memory while it is sent: the timer must be there before. */
static bool refuse_heap(enum mm_want want)
{
    return want == MM_WANT_HEAP;
}
static BOOLEAN send_without_memory(void)
{
    mm_short = refuse_heap;
    BOOLEAN is_sent = own_send_with(0, WDF_REL_TIMEOUT_IN_SEC(1000));
    mm_short = NULL;
    return is_sent;
}

static void test_timer_allocated(void **state)
{
    UNREFERENCED_PARAMETER(state);
    own_make();
    own_format();
    assert_false(send_without_memory());
    assert_int_equal(WdfRequestGetStatus(test_globals, own_request), STATUS_INSUFFICIENT_RESOURCES);
    mm_short = refuse_heap;
    NTSTATUS status = WdfRequestAllocateTimer(test_globals, own_request);
    mm_short = NULL;
    assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(WdfRequestAllocateTimer(test_globals, own_request), STATUS_SUCCESS);
    assert_int_equal(WdfRequestAllocateTimer(test_globals, own_request), STATUS_SUCCESS); /* it has one */
    assert_true(send_without_memory());
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(own_returned, 1);
}

enum { ROUNDS = 2000 };
static LONG go, cancelled_round;

static void canceller(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    for (LONG i = 1; i <= ROUNDS; i++) {
        while (__atomic_load_n(&go, __ATOMIC_ACQUIRE) < i)
            plat_yield();
        WdfRequestCancelSentRequest(test_globals, own_request);
        __atomic_store_n(&cancelled_round, i, __ATOMIC_RELEASE);
    }
    ke_thread_detach();
}

/* The request comes back once, whoever is first, and not before the canceller has let go of its IRP. */
static void test_race(void **state)
{
    uint64_t id;
    LONG finished = 0;
    UNREFERENCED_PARAMETER(state);
    own_make();
    go = cancelled_round = 0;
    assert_int_equal(plat_thread_create(canceller, NULL, &id), STATUS_SUCCESS);
    for (LONG i = 1; i <= ROUNDS; i++) {
        own_sent();
        __atomic_store_n(&go, i, __ATOMIC_RELEASE);
        for (LONG spin = i % 50; spin; spin--)
            __asm__ volatile("pause");
        bool mine = lower_finish(STATUS_SUCCESS, 0);
        while (__atomic_load_n(&cancelled_round, __ATOMIC_ACQUIRE) < i)
            plat_yield();
        assert_int_equal(own_returned, i);
        assert_int_equal(own_result.IoStatus.Status, mine ? STATUS_SUCCESS : STATUS_CANCELLED);
        finished += mine;
        lower_take();
        own_reuse();
    }
    plat_thread_join(id);
    assert_int_equal(finished + lower_cancelled, ROUNDS);
}

/* ---- the target's state ---- */

static void test_stop(void **state)
{
    UNREFERENCED_PARAMETER(state);
    own_make();
    WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetStopped);
    own_sent();
    assert_null(lower_take());
    assert_true(WdfRequestCancelSentRequest(test_globals, own_request)); /* from the target's own queue */
    assert_int_equal(own_returned, 1);
    assert_int_equal(own_result.IoStatus.Status, STATUS_CANCELLED);
    own_reuse();
    own_sent();
    assert_int_equal(WdfIoTargetStart(test_globals, target), STATUS_SUCCESS);
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(own_returned, 2);
    own_reuse();
    WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
    own_format();
    assert_true(own_send_with(WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE, 0));
    WdfIoTargetStop(test_globals, target, WdfIoTargetCancelSentIo); /* leaves that alone */
    assert_int_equal(own_returned, 2);
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(own_returned, 3);
    own_reuse();
    own_sent();
    WdfIoTargetStop(test_globals, target, WdfIoTargetWaitForSentIoToComplete); /* nothing is sent: it waits there */
    WdfIoTargetStop(test_globals, target, WdfIoTargetCancelSentIo);
    assert_int_equal(own_returned, 4);
    assert_int_equal(own_result.IoStatus.Status, STATUS_CANCELLED);
    assert_int_equal(lower_cancelled, 0);
    WdfIoTargetStart(test_globals, target);
    own_reuse();
    own_sent();
    WdfIoTargetStop(test_globals, target, WdfIoTargetCancelSentIo);
    assert_int_equal(own_returned, 5);
    assert_int_equal(lower_cancelled, 1);
    lower_take();
}

static void test_purge(void **state)
{
    UNREFERENCED_PARAMETER(state);
    own_make();
    own_sent();
    WdfIoTargetPurge(test_globals, target, WdfIoTargetPurgeIoAndWait);
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetPurged);
    assert_int_equal(own_returned, 1);
    assert_int_equal(lower_cancelled, 1);
    lower_take();
    own_reuse();
    own_format();
    assert_false(WdfRequestSend(test_globals, own_request, target, NULL));
    assert_int_equal(WdfRequestGetStatus(test_globals, own_request), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(own_returned, 1);
    assert_true(own_send_with(WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE, 0));
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(own_returned, 2);
    WdfIoTargetStart(test_globals, target);
    own_reuse();
    own_sent();
    WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
    WdfIoTargetClose(test_globals, target); /* whatever the state */
    assert_int_equal(own_returned, 3);
    assert_int_equal(own_result.IoStatus.Status, STATUS_CANCELLED);
    own_reuse();
    assert_int_equal(WdfIoTargetFormatRequestForRead(test_globals, target, own_request, own_memory, NULL, NULL),
                     STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(WdfRequestChangeTarget(test_globals, own_request, target), STATUS_INVALID_DEVICE_STATE);
    assert_false(WdfRequestSend(test_globals, own_request, target, NULL));
}

static void test_wait(void **state)
{
    uint64_t id;
    UNREFERENCED_PARAMETER(state);
    own_make();
    own_sent();
    assert_int_equal(plat_thread_create(own_finish_later, NULL, &id), STATUS_SUCCESS);
    WdfIoTargetStop(test_globals, target, WdfIoTargetWaitForSentIoToComplete);
    assert_int_equal(own_returned, 1);
    assert_int_equal(own_result.IoStatus.Status, STATUS_SUCCESS);
    plat_thread_join(id);
}

/* A driver that is unloaded with a request out: the request is called back, whoever its parent is. */
static void test_unload_sent(void **state)
{
    UNREFERENCED_PARAMETER(state);
    own_make();
    own_sent();
}

int run_request_sent_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, target_set_up, target_tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_cancel), LOADED(test_timeout),    LOADED(test_timer_allocated),
                                       LOADED(test_race),   LOADED(test_stop),       LOADED(test_purge),
                                       LOADED(test_wait),   LOADED(test_unload_sent)};
    return cmocka_run_group_tests_name("kmdf requests a target has", tests, NULL, NULL);
}
