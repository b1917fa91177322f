/* local_target_test.c - the target of a function device: the device below. */
#include "kmdf_target.h"
#include "pnp_fixture.h"

static WDFIOTARGET target;
static WDFREQUEST own;
static LONG back;

static VOID NTAPI pass_back(WDFREQUEST request, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                            WDFCONTEXT context)
{
    assert_ptr_equal(from, target);
    assert_ptr_equal(context, &back);
    back++;
    WdfRequestComplete(fdo_globals, request, params->IoStatus.Status);
}

static VOID NTAPI forward(WDFQUEUE queue, WDFREQUEST request)
{
    WDFIOTARGET below = WdfDeviceGetIoTarget(fdo_globals, WdfIoQueueGetDevice(fdo_globals, queue));
    WdfRequestFormatRequestUsingCurrentType(fdo_globals, request);
    WdfRequestSetCompletionRoutine(fdo_globals, request, pass_back, &back);
    if (!WdfRequestSend(fdo_globals, request, below, NULL))
        WdfRequestComplete(fdo_globals, request, WdfRequestGetStatus(fdo_globals, request));
}

static NTSTATUS make_queue(WDFDEVICE device)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoDefault = forward;
    config.PowerManaged = WdfFalse;
    return WdfIoQueueCreate(fdo_globals, device, &config, NULL, NULL);
}

static void begin(void)
{
    back = 0;
    fdo_load();
    fdo_behaviour.after = make_queue;
    fdo_behaviour.quiet = true;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    fdo_record[0] = 0;
    target = WdfDeviceGetIoTarget(fdo_globals, fdo_device);
}

static void test_local(void **state)
{
    struct fdo_sent sent;
    ULONG_PTR bytes;
    UNREFERENCED_PARAMETER(state);
    begin();
    assert_non_null(target);
    assert_ptr_equal(WdfDeviceGetIoTarget(fdo_globals, fdo_device), target);
    assert_ptr_equal(WdfIoTargetGetDevice(fdo_globals, target), fdo_device);
    assert_int_equal(WdfIoTargetGetState(fdo_globals, target), WdfIoTargetStarted);
    assert_ptr_equal(WdfIoTargetWdmGetTargetDeviceObject(fdo_globals, target), fdo_pdo);
    assert_null(WdfIoTargetWdmGetTargetFileObject(fdo_globals, target));
    fdo_request(&sent, IRP_MJ_READ, 80);
    fdo_expect("bus: major 3; ");
    assert_int_equal(sent.information, 77);
    fdo_gone(&sent, STATUS_SUCCESS);
    assert_int_equal(back, 1);
    assert_int_equal(WdfIoTargetSendIoctlSynchronously(fdo_globals, target, NULL, 0x222000, NULL, NULL, NULL, &bytes),
                     STATUS_SUCCESS);
    fdo_expect("bus: major 14; ");
    assert_int_equal(bytes, 77);
    fdo_end();
}

static VOID NTAPI note_back(WDFREQUEST request, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                            WDFCONTEXT context)
{
    UNREFERENCED_PARAMETER(from);
    UNREFERENCED_PARAMETER(context);
    fdo_note("back 0x%08X; ", (ULONG)params->IoStatus.Status);
    WdfObjectDelete(fdo_globals, request);
}

/* The device is removed: what waits in the target comes back cancelled, before the device below is let go. */
static void test_removed(void **state)
{
    UNREFERENCED_PARAMETER(state);
    begin();
    WdfIoTargetStop(fdo_globals, target, WdfIoTargetLeaveSentIoPending);
    assert_int_equal(WdfRequestCreate(fdo_globals, NULL, target, &own), STATUS_SUCCESS);
    assert_int_equal(WdfIoTargetFormatRequestForRead(fdo_globals, target, own, NULL, NULL, NULL), STATUS_SUCCESS);
    WdfRequestSetCompletionRoutine(fdo_globals, own, note_back, NULL);
    assert_true(WdfRequestSend(fdo_globals, own, target, NULL));
    fdo_expect("");
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    assert_non_null(strstr(fdo_record, "back 0xC0000120; "));
    fdo_unload();
}

static void close_local(void)
{
    begin();
    WdfIoTargetClose(fdo_globals, target);
}
static void delete_local(void)
{
    begin();
    WdfObjectDelete(fdo_globals, target);
}

static void test_violations(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(close_local);
    assert_true(result.happened && result.code == 0x10D && result.parameters[0] == 5);
    assert_non_null(strstr(result.report, "which WdfIoTargetCreate did not make"));
    result = bugcheck_of(delete_local);
    assert_true(result.happened && result.code == 0x10D && result.parameters[0] == 7);
}

int run_local_target_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_local), cmocka_unit_test(test_removed),
                                       cmocka_unit_test(test_violations)};
    return cmocka_run_group_tests_name("kmdf local I/O targets", tests, NULL, NULL);
}
