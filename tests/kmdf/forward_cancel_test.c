/* forward_cancel_test.c - requests that are cancelled on their way through a framework driver, memory it lends them,
 * and what it must not do with them. */
#include "forward_fixture.h"

/* ---- cancelled on the way ---- */

static struct sent_irp {
    LONG completed;
    NTSTATUS status;
} outer;

static NTSTATUS NTAPI outer_completed(DEVICE_OBJECT *device, IRP *irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    outer.status = irp->IoStatus.Status;
    __atomic_add_fetch(&outer.completed, 1, __ATOMIC_SEQ_CST);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* An IRP to the driver above, as another driver would send it. */
static IRP *send_irp(void)
{
    DEVICE_OBJECT *upper = WdfDeviceWdmGetDeviceObject(test_globals, target_device);
    IRP *irp = IoAllocateIrp(2, FALSE);
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = LOWER_CODE(METHOD_NEITHER);
    stack->CompletionRoutine = outer_completed;
    stack->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    outer.completed = 0;
    assert_int_equal(IofCallDriver(upper, irp), STATUS_PENDING);
    return irp;
}

static void cancel_and_forward(WDFREQUEST request)
{
    IoCancelIrp(WdfRequestWdmGetIrp(test_globals, request));
    forward_it(request);
}

static void test_sender_cancels(void **state)
{
    ULONG waiting, owned;
    UNREFERENCED_PARAMETER(state);
    lower_hook = forward_keep_io;
    forward_on_request = forward_it;
    IRP *irp = send_irp();
    WdfIoQueueGetState(test_globals, forward_queue, &waiting, &owned);
    assert_int_equal(owned, 1); /* the driver's still */
    assert_int_equal(outer.completed, 0);
    IoCancelIrp(irp);
    assert_int_equal(forward_back, 1);
    assert_int_equal(outer.completed, 1);
    assert_int_equal(outer.status, STATUS_CANCELLED);
    IoFreeIrp(irp);
    lower_take();
    WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
    irp = send_irp(); /* in the target's queue */
    assert_null(lower_take());
    IoCancelIrp(irp);
    assert_int_equal(outer.completed, 1);
    assert_int_equal(outer.status, STATUS_CANCELLED);
    IoFreeIrp(irp);
    assert_int_equal(lower_cancelled, 1);
    forward_on_request = cancel_and_forward; /* before it is sent: it does not wait */
    irp = send_irp();
    assert_int_equal(outer.completed, 1);
    assert_int_equal(outer.status, STATUS_CANCELLED);
    IoFreeIrp(irp);
    assert_int_equal(forward_back, 3);
}

static WDFREQUEST part;

static VOID NTAPI part_back(WDFREQUEST request, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                            WDFCONTEXT context)
{
    UNREFERENCED_PARAMETER(from);
    test_note("part 0x%08X; ", (ULONG)params->IoStatus.Status);
    WdfObjectDelete(test_globals, request);
    if (WdfRequestUnmarkCancelable(test_globals, context) != STATUS_CANCELLED)
        WdfRequestComplete(test_globals, context, params->IoStatus.Status);
}

static VOID NTAPI cancel_part(WDFREQUEST request)
{
    test_note("cancel; ");
    WdfRequestCancelSentRequest(test_globals, part);
    WdfRequestComplete(test_globals, request, STATUS_CANCELLED);
}

/* A request of the driver's own for the one it has received, which is cancelable meanwhile. */
static void send_part(WDFREQUEST request)
{
    assert_int_equal(WdfRequestCreate(test_globals, NULL, target, &part), STATUS_SUCCESS);
    assert_int_equal(WdfIoTargetFormatRequestForRead(test_globals, target, part, NULL, NULL, NULL), STATUS_SUCCESS);
    WdfRequestSetCompletionRoutine(test_globals, part, part_back, request);
    assert_int_equal(WdfRequestMarkCancelableEx(test_globals, request, cancel_part), STATUS_SUCCESS);
    assert_true(WdfRequestSend(test_globals, part, target, NULL));
}

static void test_driver_cancels(void **state)
{
    UNREFERENCED_PARAMETER(state);
    lower_hook = forward_keep_io;
    forward_on_request = send_part;
    IRP *irp = send_irp();
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(outer.completed, 1);
    assert_int_equal(outer.status, STATUS_SUCCESS);
    IoFreeIrp(irp);
    irp = send_irp();
    IoCancelIrp(irp);
    assert_int_equal(outer.completed, 1);
    assert_int_equal(outer.status, STATUS_CANCELLED);
    assert_int_equal(lower_cancelled, 1);
    IoFreeIrp(irp);
    assert_string_equal(test_record, "part 0x00000000; cancel; part 0xC0000120; ");
    lower_take();
}

enum { ROUNDS = 2000 };
static IRP *racing;
static LONG go, cancelled_round;

static void canceller(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    for (LONG i = 1; i <= ROUNDS; i++) {
        while (__atomic_load_n(&go, __ATOMIC_ACQUIRE) < i)
            plat_yield();
        IoCancelIrp(racing);
        __atomic_store_n(&cancelled_round, i, __ATOMIC_RELEASE);
    }
    ke_thread_detach();
}

/* The sender cancels while the target stops, starts and the driver below completes: the sender hears once. */
static void test_race(void **state)
{
    uint64_t id;
    UNREFERENCED_PARAMETER(state);
    lower_hook = forward_keep_io;
    forward_on_request = forward_it;
    go = cancelled_round = 0;
    assert_int_equal(plat_thread_create(canceller, NULL, &id), STATUS_SUCCESS);
    for (LONG i = 1; i <= ROUNDS; i++) {
        bool stopped = i % 2;
        if (stopped)
            WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
        racing = send_irp();
        __atomic_store_n(&go, i, __ATOMIC_RELEASE);
        for (LONG spin = i % 40; spin; spin--)
            __asm__ volatile("pause");
        if (stopped)
            WdfIoTargetStart(test_globals, target);
        bool mine = lower_finish(STATUS_SUCCESS, 0);
        while (__atomic_load_n(&cancelled_round, __ATOMIC_ACQUIRE) < i)
            plat_yield();
        assert_int_equal(outer.completed, 1);
        assert_int_equal(outer.status, mine ? STATUS_SUCCESS : STATUS_CANCELLED);
        assert_int_equal(forward_back, i);
        IoFreeIrp(racing);
        lower_take();
    }
    plat_thread_join(id);
}

/* ---- locked memory ---- */

static WDFMEMORY locked;

static VOID NTAPI lock_first(WDFDEVICE device, WDFREQUEST request)
{
    PVOID out;
    size_t length;
    assert_int_equal(WdfRequestRetrieveUnsafeUserOutputBuffer(test_globals, request, OUT, &out, &length),
                     STATUS_SUCCESS);
    assert_int_equal(WdfRequestProbeAndLockUserBufferForWrite(test_globals, request, out, length, &locked),
                     STATUS_SUCCESS);
    assert_int_equal(WdfDeviceEnqueueRequest(test_globals, device, request), STATUS_SUCCESS);
}

static void allow_locking(PWDFDEVICE_INIT init)
{
    WdfDeviceInitSetIoInCallerContextCallback(test_globals, init, lock_first);
}

static int set_up_locking(void **state)
{
    target_init = allow_locking;
    return forward_set_up(state);
}

static VOID NTAPI use_locked(WDFREQUEST request, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                             WDFCONTEXT context)
{
    size_t length;
    UNREFERENCED_PARAMETER(context);
    assert_memory_equal(WdfMemoryGetBuffer(test_globals, locked, &length), "ANSWER", 6);
    assert_int_equal(length, OUT);
    forward_pass_back(request, from, params, &forward_back);
}

/* The user's pages, locked by the driver above, are the output of the driver below, until the request is completed. */
static void lend_locked(WDFREQUEST request)
{
    const ULONG code = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x124, METHOD_OUT_DIRECT, FILE_ANY_ACCESS);
    assert_int_equal(WdfIoTargetFormatRequestForIoctl(test_globals, target, request, code, NULL, NULL, locked, NULL),
                     STATUS_SUCCESS);
    WdfRequestSetCompletionRoutine(test_globals, request, use_locked, &forward_back);
    assert_true(WdfRequestSend(test_globals, request, target, NULL));
}

static void test_locked(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    forward_on_request = lend_locked;
    assert_int_equal(forward_control(METHOD_NEITHER, &result), STATUS_SUCCESS);
    assert_int_equal(forward_back, 1);
    forward_answered(true);
    assert_int_equal(mm_holds_each(MM_POOL_KERNEL, NULL, NULL), 0);
}

/* ---- violations ---- */

static void complete_it(WDFREQUEST request)
{
    WdfRequestFormatRequestUsingCurrentType(test_globals, request);
    WdfRequestSend(test_globals, request, target, NULL);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
}
static void complete_sent(void)
{
    lower_hook = forward_keep_io;
    forward_on_request = complete_it;
    send_irp();
}
static VOID NTAPI never(WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(request);
}
static void send_it_cancelable(WDFREQUEST request)
{
    WdfRequestMarkCancelable(test_globals, request, never);
    forward_it(request);
}
static void send_cancelable(void)
{
    forward_on_request = send_it_cancelable;
    send_irp();
}
static void lend_and_complete(WDFREQUEST request)
{
    WDFMEMORY out;
    WdfRequestRetrieveOutputMemory(test_globals, request, &out);
    WdfRequestCreate(test_globals, NULL, target, &part);
    WdfIoTargetFormatRequestForRead(test_globals, target, part, out, NULL, NULL);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
}
static void complete_lent(void)
{
    IO_STATUS_BLOCK result;
    forward_on_request = lend_and_complete;
    forward_control(METHOD_BUFFERED, &result);
}
static void delete_received(WDFREQUEST request)
{
    WdfObjectDelete(test_globals, request);
}
static void deleted(void)
{
    forward_on_request = delete_received;
    send_irp();
}

static void test_violations(void **state)
{
    static const struct {
        void (*action)(void);
        ULONG code;
        const char *text;
    } rows[] = {
        {complete_sent, 6, "WdfRequestComplete was called for the request"},
        {send_cancelable, 0xA, "which is cancelable: WdfRequestUnmarkCancelable comes first"},
        {complete_lent, 3, "1 references to its buffers are left"},
        {deleted, 7, "which only the framework deletes"},
    };
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        struct bugcheck_result bugcheck = bugcheck_of(rows[i].action);
        assert_true(bugcheck.happened);
        assert_int_equal(bugcheck.code, 0x10D);
        assert_int_equal(bugcheck.parameters[0], rows[i].code);
        if (!strstr(bugcheck.report, rows[i].text))
            fail_msg("row %d: %s", (int)i, bugcheck.report);
    }
}

int run_forward_cancel_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, forward_set_up, forward_tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_sender_cancels), LOADED(test_driver_cancels), LOADED(test_race),
                                       cmocka_unit_test_setup_teardown(test_locked, set_up_locking, forward_tear_down),
                                       LOADED(test_violations)};
    return cmocka_run_group_tests_name("kmdf forwarded requests cancelled", tests, NULL, NULL);
}
