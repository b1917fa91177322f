/* power_queue_test.c - power-managed queues: what is held until D0, EvtIoStop and its answers, purging when the device
 * is removed with requests outstanding. */
#include "pnp_fixture.h"

enum { KEPT = 8 };
static WDFREQUEST kept[KEPT];
static ULONG kept_count;
static WDFQUEUE queue;
static WORK_QUEUE_ITEM item;

/* How EvtIoStop answers. */
static enum { DOES_NOTHING, COMPLETES, KEEPS, REQUEUES, LEAVES_TO_WORKER } stop_answer;

static ULONG number_of(WDFREQUEST request)
{
    WDF_REQUEST_PARAMETERS parameters;
    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(fdo_globals, request, &parameters);
    return parameters.Parameters.DeviceIoControl.IoControlCode >> 2;
}

static VOID NTAPI keep(WDFQUEUE from, WDFREQUEST request, size_t out, size_t in, ULONG code)
{
    UNREFERENCED_PARAMETER(from);
    assert_true(out == 0 && in == 0);
    fdo_note("got %d; ", (int)(code >> 2));
    kept[kept_count++] = request;
}

static VOID NTAPI complete_later(PVOID request)
{
    WdfRequestComplete(fdo_globals, request, STATUS_TIMEOUT);
}

static VOID NTAPI on_stop(WDFQUEUE from, WDFREQUEST request, ULONG flags)
{
    UNREFERENCED_PARAMETER(from);
    fdo_note("stop %d %x; ", (int)number_of(request), flags);
    switch (stop_answer) {
    case COMPLETES:
        if (flags & WdfRequestStopRequestCancelable)
            assert_int_equal(WdfRequestUnmarkCancelable(fdo_globals, request), STATUS_SUCCESS);
        WdfRequestComplete(fdo_globals, request, STATUS_CANCELLED);
        break;
    case KEEPS:
        WdfRequestStopAcknowledge(fdo_globals, request, FALSE);
        break;
    case REQUEUES:
        WdfRequestStopAcknowledge(fdo_globals, request, TRUE);
        break;
    case LEAVES_TO_WORKER:
        item = (WORK_QUEUE_ITEM){.WorkerRoutine = complete_later, .Parameter = request};
        ExQueueWorkItem(&item, DelayedWorkQueue);
        break;
    default:
        break;
    }
}
static VOID NTAPI on_resume(WDFQUEUE from, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(from);
    fdo_note("resume %d; ", (int)number_of(request));
}
static VOID NTAPI on_cancel(WDFREQUEST request)
{
    fdo_note("cancel %d; ", (int)number_of(request));
    WdfRequestComplete(fdo_globals, request, STATUS_CANCELLED);
}

static WDF_IO_QUEUE_DISPATCH_TYPE type;
static WDF_TRI_STATE managed;
static bool stops;

static NTSTATUS make_queue(WDFDEVICE device)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, type);
    config.PowerManaged = managed;
    if (type != WdfIoQueueDispatchManual)
        config.EvtIoDeviceControl = keep;
    if (stops) {
        config.EvtIoStop = on_stop;
        config.EvtIoResume = on_resume;
    }
    return WdfIoQueueCreate(fdo_globals, device, &config, NULL, &queue);
}

/* The device is added, not started. */
static void add(WDF_IO_QUEUE_DISPATCH_TYPE with, WDF_TRI_STATE power_managed, bool with_stop)
{
    fdo_load();
    kept_count = 0;
    type = with;
    managed = power_managed;
    stops = with_stop;
    fdo_behaviour.quiet = true;
    fdo_behaviour.after = make_queue;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
}

static void start(void)
{
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    fdo_record[0] = 0;
}

static void end(void)
{
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_unload();
}

static ULONG state_now(ULONG waiting, ULONG owned)
{
    ULONG waits, has;
    ULONG state = WdfIoQueueGetState(fdo_globals, queue, &waits, &has);
    assert_int_equal(waits, waiting);
    assert_int_equal(has, owned);
    return state;
}

static void test_held_until_start(void **state)
{
    struct fdo_sent one, two;
    UNREFERENCED_PARAMETER(state);
    add(WdfIoQueueDispatchParallel, WdfUseDefault, true);
    fdo_request(&one, IRP_MJ_DEVICE_CONTROL, 1);
    fdo_request(&two, IRP_MJ_DEVICE_CONTROL, 2);
    fdo_expect("");
    assert_true(state_now(2, 0) & WdfIoQueuePnpHeld);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    fdo_expect("bus: start; got 1; got 2; ");
    assert_false(state_now(0, 2) & WdfIoQueuePnpHeld);
    WdfRequestComplete(fdo_globals, kept[0], STATUS_SUCCESS);
    WdfRequestComplete(fdo_globals, kept[1], STATUS_SUCCESS);
    fdo_gone(&one, STATUS_SUCCESS);
    fdo_gone(&two, STATUS_SUCCESS);
    end();
}

static void test_not_managed(void **state)
{
    struct fdo_sent one;
    UNREFERENCED_PARAMETER(state);
    add(WdfIoQueueDispatchSequential, WdfFalse, true);
    fdo_request(&one, IRP_MJ_DEVICE_CONTROL, 1);
    fdo_expect("got 1; ");
    start();
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    fdo_expect("bus: D3; "); /* it stays with the driver */
    stop_answer = COMPLETES;
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("stop 1 2; bus: remove; cleanup; destroy; ");
    fdo_gone(&one, STATUS_CANCELLED);
    fdo_unload();
}

/* The driver has two requests, one of which it has made cancelable, and a third waits. */
static void test_stop_keeps(void **state)
{
    struct fdo_sent sent[3];
    UNREFERENCED_PARAMETER(state);
    add(WdfIoQueueDispatchParallel, WdfTrue, true);
    start();
    fdo_request(&sent[0], IRP_MJ_DEVICE_CONTROL, 1);
    fdo_request(&sent[1], IRP_MJ_DEVICE_CONTROL, 2);
    assert_int_equal(WdfRequestMarkCancelableEx(fdo_globals, kept[1], on_cancel), STATUS_SUCCESS);
    stop_answer = KEEPS;
    fdo_record[0] = 0;
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    fdo_expect("stop 1 1; stop 2 10000001; bus: D3; ");
    fdo_request(&sent[2], IRP_MJ_DEVICE_CONTROL, 3);
    assert_true(state_now(1, 2) & WdfIoQueuePnpHeld);
    fdo_expect("");
    WdfRequestComplete(fdo_globals, kept[0], STATUS_SUCCESS); /* it may do that meanwhile */
    fdo_gone(&sent[0], STATUS_SUCCESS);
    assert_int_equal(fdo_set_device_power(PowerDeviceD0), STATUS_SUCCESS);
    fdo_expect("bus: D0; resume 2; got 3; ");
    assert_int_equal(WdfRequestUnmarkCancelable(fdo_globals, kept[1]), STATUS_SUCCESS);
    WdfRequestComplete(fdo_globals, kept[1], STATUS_SUCCESS);
    WdfRequestComplete(fdo_globals, kept[2], STATUS_SUCCESS);
    fdo_gone(&sent[1], STATUS_SUCCESS);
    fdo_gone(&sent[2], STATUS_SUCCESS);
    end();
}

static void test_stop_requeues(void **state)
{
    struct fdo_sent sent[2];
    UNREFERENCED_PARAMETER(state);
    add(WdfIoQueueDispatchSequential, WdfTrue, true);
    start();
    fdo_request(&sent[0], IRP_MJ_DEVICE_CONTROL, 1);
    fdo_request(&sent[1], IRP_MJ_DEVICE_CONTROL, 2);
    stop_answer = REQUEUES;
    fdo_record[0] = 0;
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    fdo_expect("stop 1 1; bus: D3; ");
    state_now(2, 0);
    kept_count = 0;
    assert_int_equal(fdo_set_device_power(PowerDeviceD0), STATUS_SUCCESS);
    fdo_expect("bus: D0; got 1; "); /* at the head again, and one at a time */
    WdfRequestComplete(fdo_globals, kept[0], STATUS_SUCCESS);
    fdo_expect("got 2; ");
    WdfRequestComplete(fdo_globals, kept[1], STATUS_SUCCESS);
    fdo_gone(&sent[0], STATUS_SUCCESS);
    fdo_gone(&sent[1], STATUS_SUCCESS);
    end();
}

/* A driver that does nothing in EvtIoStop, or has none, holds the device up until it is done. */
static void test_stop_waits(void **state)
{
    struct fdo_sent sent;
    UNREFERENCED_PARAMETER(state);
    add(WdfIoQueueDispatchSequential, WdfTrue, true);
    start();
    fdo_request(&sent, IRP_MJ_DEVICE_CONTROL, 1);
    stop_answer = LEAVES_TO_WORKER;
    fdo_record[0] = 0;
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    fdo_expect("stop 1 1; bus: D3; ");
    fdo_gone(&sent, STATUS_TIMEOUT);
    end();
    add(WdfIoQueueDispatchSequential, WdfTrue, false);
    start();
    fdo_request(&sent, IRP_MJ_DEVICE_CONTROL, 1);
    item = (WORK_QUEUE_ITEM){.WorkerRoutine = complete_later, .Parameter = kept[0]};
    ExQueueWorkItem(&item, DelayedWorkQueue);
    assert_int_equal(fdo_send(IRP_MN_STOP_DEVICE), STATUS_SUCCESS);
    fdo_gone(&sent, STATUS_TIMEOUT);
    end();
}

static void test_manual(void **state)
{
    struct fdo_sent sent;
    WDFREQUEST request;
    UNREFERENCED_PARAMETER(state);
    add(WdfIoQueueDispatchManual, WdfTrue, true);
    fdo_request(&sent, IRP_MJ_DEVICE_CONTROL, 1);
    assert_int_equal(WdfIoQueueRetrieveNextRequest(fdo_globals, queue, &request), STATUS_WDF_PAUSED);
    start();
    assert_int_equal(WdfIoQueueRetrieveNextRequest(fdo_globals, queue, &request), STATUS_SUCCESS);
    WdfRequestComplete(fdo_globals, request, STATUS_SUCCESS);
    fdo_gone(&sent, STATUS_SUCCESS);
    end();
}

/* Two with the driver, one of them cancelable; one waits; one comes too late. */
static void test_removal(void **state)
{
    struct fdo_sent sent[4];
    UNREFERENCED_PARAMETER(state);
    add(WdfIoQueueDispatchParallel, WdfTrue, true);
    start();
    fdo_request(&sent[0], IRP_MJ_DEVICE_CONTROL, 1);
    fdo_request(&sent[1], IRP_MJ_DEVICE_CONTROL, 2);
    assert_int_equal(WdfRequestMarkCancelableEx(fdo_globals, kept[1], on_cancel), STATUS_SUCCESS);
    WdfIoQueueStop(fdo_globals, queue, NULL, NULL);
    fdo_request(&sent[2], IRP_MJ_DEVICE_CONTROL, 3);
    stop_answer = KEEPS;
    fdo_record[0] = 0;
    assert_int_equal(fdo_set_device_power(PowerDeviceD3), STATUS_SUCCESS);
    fdo_expect("stop 1 1; stop 2 10000001; bus: D3; ");
    stop_answer = COMPLETES;
    assert_int_equal(fdo_send(IRP_MN_SURPRISE_REMOVAL), STATUS_SUCCESS);
    fdo_expect("cancel 2; stop 1 2; bus: surprise; ");
    fdo_gone(&sent[0], STATUS_CANCELLED);
    fdo_gone(&sent[1], STATUS_CANCELLED);
    fdo_gone(&sent[2], STATUS_CANCELLED);
    WdfIoQueueStart(fdo_globals, queue); /* no driver gets it going again */
    fdo_request(&sent[3], IRP_MJ_DEVICE_CONTROL, 4);
    fdo_gone(&sent[3], STATUS_INVALID_DEVICE_STATE);
    fdo_expect("");
    end();
}

/* A request that is put back into a queue that is purged is cancelled. */
static void test_removal_requeues(void **state)
{
    struct fdo_sent sent;
    UNREFERENCED_PARAMETER(state);
    add(WdfIoQueueDispatchSequential, WdfTrue, true);
    start();
    fdo_request(&sent, IRP_MJ_DEVICE_CONTROL, 1);
    stop_answer = REQUEUES;
    fdo_record[0] = 0;
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("stop 1 1; bus: remove; cleanup; destroy; ");
    fdo_gone(&sent, STATUS_CANCELLED);
    fdo_unload();
}

/* ---- what must not be done ---- */

static void acknowledge_outside(void)
{
    struct fdo_sent sent;
    add(WdfIoQueueDispatchSequential, WdfTrue, true);
    start();
    fdo_request(&sent, IRP_MJ_DEVICE_CONTROL, 1);
    WdfRequestStopAcknowledge(fdo_globals, kept[0], FALSE);
}
static void requeue_cancelable(void)
{
    struct fdo_sent sent;
    add(WdfIoQueueDispatchSequential, WdfTrue, true);
    start();
    fdo_request(&sent, IRP_MJ_DEVICE_CONTROL, 1);
    WdfRequestMarkCancelable(fdo_globals, kept[0], on_cancel);
    stop_answer = REQUEUES;
    fdo_set_device_power(PowerDeviceD3);
}

static void test_misuse(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(acknowledge_outside);
    assert_true(result.happened);
    assert_int_equal(result.code, 0x10D);
    assert_non_null(strstr(result.report, "for which EvtIoStop is not running"));
    result = bugcheck_of(requeue_cancelable);
    assert_true(result.happened);
    assert_int_equal(result.code, 0x10D);
    assert_non_null(strstr(result.report, "which is cancelable"));
}

int run_power_queue_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_until_start), cmocka_unit_test(test_not_managed),
        cmocka_unit_test(test_stop_keeps),       cmocka_unit_test(test_stop_requeues),
        cmocka_unit_test(test_stop_waits),       cmocka_unit_test(test_manual),
        cmocka_unit_test(test_removal),          cmocka_unit_test(test_removal_requeues),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests_name("kmdf power-managed queues", tests, NULL, NULL);
}
