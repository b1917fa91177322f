/* queue_test.c - queues: what is presented when, states, retrieving, forwarding, cancelling; IRPs sent as another
 * driver would send them. */
#include "kmdf_test.h"
#include "kmdf_device.h"
#include "queue_fixture.h"

static UNICODE_STRING sddl = {4, 4, (PWCH)L"D:"};
static UNICODE_STRING device_name = {34, 34, (PWCH)L"\\Device\\KmdfQueue"};

WDFDEVICE queue_device;
static DEVICE_OBJECT *wdm;

NTSTATUS queue_make_device(void)
{
    WDF_FILEOBJECT_CONFIG files;
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(test_globals, test_wdf_driver, &sddl);
    assert_non_null(init);
    WDF_FILEOBJECT_CONFIG_INIT(&files, NULL, NULL, NULL);
    WdfDeviceInitSetFileObjectConfig(test_globals, init, &files, NULL);
    assert_int_equal(WdfDeviceInitAssignName(test_globals, init, &device_name), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceCreate(test_globals, &init, NULL, &queue_device), STATUS_SUCCESS);
    wdm = WdfDeviceWdmGetDeviceObject(test_globals, queue_device);
    WdfControlFinishInitializing(test_globals, queue_device);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI completed(DEVICE_OBJECT *object, IRP *irp, PVOID context)
{
    struct sent *sent = context;
    UNREFERENCED_PARAMETER(object);
    sent->status = irp->IoStatus.Status;
    sent->information = irp->IoStatus.Information;
    __atomic_add_fetch(&sent->completed, 1, __ATOMIC_SEQ_CST);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

void queue_send(struct sent *sent, UCHAR major, ULONG number, FILE_OBJECT *file)
{
    *sent = (struct sent){.irp = IoAllocateIrp(wdm->StackSize, FALSE)};
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(sent->irp);
    stack->MajorFunction = major;
    stack->FileObject = file;
    if (major == IRP_MJ_DEVICE_CONTROL)
        stack->Parameters.DeviceIoControl.IoControlCode = number << 2 | METHOD_NEITHER;
    else
        stack->Parameters.Read.Length = number;
    stack->CompletionRoutine = completed;
    stack->Context = sent;
    stack->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    assert_int_equal(IofCallDriver(wdm, sent->irp), STATUS_PENDING);
}

static void send(struct sent *sent, ULONG number)
{
    queue_send(sent, IRP_MJ_DEVICE_CONTROL, number, NULL);
}

static void gone(struct sent *sent, NTSTATUS status)
{
    assert_int_equal(sent->completed, 1);
    assert_int_equal(sent->status, status);
    IoFreeIrp(sent->irp);
    sent->irp = NULL;
}

/* ---- a driver that notes what comes and keeps it ---- */

enum { KEPT = 16 };
static WDFREQUEST kept[KEPT];
static ULONG kept_count;

static ULONG number_of(WDFREQUEST request)
{
    WDF_REQUEST_PARAMETERS parameters;
    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(test_globals, request, &parameters);
    return parameters.Parameters.DeviceIoControl.IoControlCode >> 2;
}
static VOID NTAPI keep(WDFQUEUE queue, WDFREQUEST request, size_t out, size_t in, ULONG code)
{
    UNREFERENCED_PARAMETER(queue);
    assert_true(out == 0 && in == 0);
    test_note("%d ", code >> 2);
    kept[kept_count++] = request;
}
static VOID NTAPI keep_any(WDFQUEUE queue, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(queue);
    test_note("any ");
    kept[kept_count++] = request;
}
static VOID NTAPI cancelled_on_queue(WDFQUEUE queue, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(queue);
    test_note("cancelled %d; ", number_of(request));
    assert_int_equal(WdfRequestRequeue(test_globals, request), STATUS_INVALID_DEVICE_REQUEST);
    WdfRequestComplete(test_globals, request, STATUS_CANCELLED);
}
static VOID NTAPI state_told(WDFQUEUE queue, WDFCONTEXT context)
{
    UNREFERENCED_PARAMETER(queue);
    test_note("%s; ", (const char *)context);
}
static VOID NTAPI on_cancel(WDFREQUEST request)
{
    test_note("cancel %d; ", number_of(request));
    assert_int_equal(WdfRequestUnmarkCancelable(test_globals, request), STATUS_CANCELLED);
    WdfRequestComplete(test_globals, request, STATUS_CANCELLED);
}
static void finish(ULONG index)
{
    WdfRequestCompleteWithInformation(test_globals, kept[index], STATUS_SUCCESS, 0);
}

static WDFQUEUE make(WDF_IO_QUEUE_DISPATCH_TYPE type, ULONG presented, bool chosen)
{
    WDF_IO_QUEUE_CONFIG config;
    WDFQUEUE queue;
    WDF_IO_QUEUE_CONFIG_INIT(&config, type);
    if (presented)
        config.Settings.Parallel.NumberOfPresentedRequests = presented;
    if (type != WdfIoQueueDispatchManual)
        config.EvtIoDeviceControl = keep;
    config.EvtIoCanceledOnQueue = cancelled_on_queue;
    config.DefaultQueue = chosen;
    assert_int_equal(WdfIoQueueCreate(test_globals, queue_device, &config, NULL, &queue), STATUS_SUCCESS);
    test_record[0] = 0;
    kept_count = 0;
    return queue;
}

static ULONG state_of(WDFQUEUE queue, ULONG waiting, ULONG owned)
{
    ULONG waits, has;
    ULONG state = WdfIoQueueGetState(test_globals, queue, &waits, &has);
    assert_int_equal(waits, waiting);
    assert_int_equal(has, owned);
    assert_int_equal(WdfIoQueueGetState(test_globals, queue, NULL, NULL), state);
    return state;
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

/* ---- presenting ---- */

static void test_sequential(void **state)
{
    struct sent sent[3];
    UNREFERENCED_PARAMETER(state);
    WDFQUEUE queue = make(WdfIoQueueDispatchSequential, 0, true);
    assert_true(WDF_IO_QUEUE_IDLE(state_of(queue, 0, 0)));
    for (ULONG i = 0; i < 3; i++)
        send(&sent[i], i);
    assert_string_equal(test_record, "0 ");
    assert_true(WDF_IO_QUEUE_READY(state_of(queue, 2, 1)));
    finish(0);
    assert_string_equal(test_record, "0 1 ");
    gone(&sent[0], STATUS_SUCCESS);
    assert_true(IoCancelIrp(sent[2].irp)); /* never seen by the driver */
    gone(&sent[2], STATUS_CANCELLED);
    finish(1);
    assert_string_equal(test_record, "0 1 ");
    gone(&sent[1], STATUS_SUCCESS);
    state_of(queue, 0, 0);
}

static void test_limited(void **state)
{
    struct sent sent[5];
    UNREFERENCED_PARAMETER(state);
    WDFQUEUE queue = make(WdfIoQueueDispatchParallel, 2, true);
    for (ULONG i = 0; i < 5; i++)
        send(&sent[i], i);
    assert_string_equal(test_record, "0 1 ");
    finish(1);
    assert_string_equal(test_record, "0 1 2 ");
    state_of(queue, 2, 2);
    WDFREQUEST none = (WDFREQUEST)(void *)queue;
    assert_int_equal(WdfIoQueueRetrieveNextRequest(test_globals, queue, &none), STATUS_INVALID_DEVICE_STATE);
    assert_null(none);
    for (ULONG i = 0; i < 5; i++) {
        if (i != 1)
            finish(i);
    }
    for (ULONG i = 0; i < 5; i++)
        gone(&sent[i], STATUS_SUCCESS);
}

static void test_types(void **state)
{
    WDF_IO_QUEUE_CONFIG config;
    WDFQUEUE other;
    struct sent sent;
    UNREFERENCED_PARAMETER(state);
    WDFQUEUE queue = make(WdfIoQueueDispatchParallel, 0, true);
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchParallel);
    config.EvtIoDefault = keep_any;
    config.AllowZeroLengthRequests = TRUE;
    assert_int_equal(WdfIoQueueCreate(test_globals, queue_device, &config, NULL, &other), STATUS_SUCCESS);
#define CONFIGURE(queue, type) WdfDeviceConfigureRequestDispatching(test_globals, queue_device, queue, type)
    assert_int_equal(CONFIGURE(other, WdfRequestTypePnp), STATUS_INVALID_PARAMETER);
    assert_int_equal(CONFIGURE(queue, WdfRequestTypeWrite), STATUS_INVALID_DEVICE_REQUEST); /* no callback */
    assert_int_equal(CONFIGURE(other, WdfRequestTypeWrite), STATUS_SUCCESS);
    assert_int_equal(CONFIGURE(other, WdfRequestTypeWrite), STATUS_WDF_BUSY);
    queue_send(&sent, IRP_MJ_WRITE, 0, NULL);
    assert_string_equal(test_record, "any ");
    finish(0);
    gone(&sent, STATUS_SUCCESS);
    queue_send(&sent, IRP_MJ_READ, 0, NULL); /* to the default queue, which takes none of no length */
    gone(&sent, STATUS_SUCCESS);
    queue_send(&sent, IRP_MJ_READ, 4, NULL); /* and has no callback for others */
    gone(&sent, STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(CONFIGURE(other, WdfRequestTypeCreate), STATUS_SUCCESS);
    queue_send(&sent, IRP_MJ_CREATE, 0, NULL);
    assert_string_equal(test_record, "any any ");
    finish(1);
    gone(&sent, STATUS_SUCCESS);
#undef CONFIGURE
}

/* ---- manual queues ---- */

static void test_retrieve(void **state)
{
    struct sent sent[4];
    WDFREQUEST request, found, next;
    WDF_REQUEST_PARAMETERS parameters;
    UNREFERENCED_PARAMETER(state);
    WDFQUEUE queue = make(WdfIoQueueDispatchManual, 0, true);
#define READY(callback) WdfIoQueueReadyNotify(test_globals, queue, callback, (PVOID) "ready")
    assert_int_equal(READY(NULL), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(READY(state_told), STATUS_SUCCESS);
    assert_int_equal(READY(state_told), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(READY(NULL), STATUS_INVALID_DEVICE_REQUEST); /* the queue is not stopped */
    assert_int_equal(WdfIoQueueRetrieveNextRequest(test_globals, queue, &request), STATUS_NO_MORE_ENTRIES);
    assert_null(request);
    for (ULONG i = 0; i < 4; i++)
        send(&sent[i], i);
    assert_string_equal(test_record, "ready; "); /* once: when there were none */
    assert_int_equal(WdfIoQueueFindRequest(test_globals, queue, NULL, NULL, NULL, &found), STATUS_SUCCESS);
    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    assert_int_equal(WdfIoQueueFindRequest(test_globals, queue, found, NULL, &parameters, &next), STATUS_SUCCESS);
    assert_int_equal(parameters.Parameters.DeviceIoControl.IoControlCode >> 2, 1);
    assert_int_equal(WdfIoQueueRetrieveFoundRequest(test_globals, queue, next, &request), STATUS_SUCCESS);
    assert_ptr_equal(request, next);
    assert_int_equal(WdfIoQueueFindRequest(test_globals, queue, next, NULL, NULL, &request), STATUS_NOT_FOUND);
    assert_null(request);
    assert_int_equal(WdfIoQueueRetrieveFoundRequest(test_globals, queue, next, &request), STATUS_NOT_FOUND);
    WdfRequestComplete(test_globals, next, STATUS_SUCCESS);
    assert_int_equal(WdfIoQueueRetrieveFoundRequest(test_globals, queue, next, &request), STATUS_NOT_FOUND);
    WdfObjectDereferenceActual(test_globals, next, NULL, 0, NULL);
    IoCancelIrp(sent[0].irp);
    assert_int_equal(WdfIoQueueFindRequest(test_globals, queue, found, NULL, NULL, &request), STATUS_NOT_FOUND);
    WdfObjectDereferenceActual(test_globals, found, NULL, 0, NULL);
    assert_int_equal(WdfIoQueueRetrieveNextRequest(test_globals, queue, &request), STATUS_SUCCESS);
    assert_int_equal(number_of(request), 2);
    state_of(queue, 1, 1);
    assert_int_equal(WdfRequestRequeue(test_globals, request), STATUS_SUCCESS); /* to the head */
    state_of(queue, 2, 0);
    assert_int_equal(WdfIoQueueRetrieveNextRequest(test_globals, queue, &request), STATUS_SUCCESS);
    assert_int_equal(number_of(request), 2);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
    WdfIoQueueStopSynchronously(test_globals, queue);
    assert_int_equal(WdfIoQueueRetrieveNextRequest(test_globals, queue, &request), STATUS_WDF_PAUSED);
    WdfIoQueueStart(test_globals, queue);
    assert_string_equal(test_record, "ready; ready; ");
    WdfIoQueueStop(test_globals, queue, NULL, NULL);
    assert_int_equal(READY(NULL), STATUS_SUCCESS);
    WdfIoQueueStart(test_globals, queue);
    assert_string_equal(test_record, "ready; ready; ");
    WdfIoQueuePurgeSynchronously(test_globals, queue);
    gone(&sent[0], STATUS_CANCELLED);
    gone(&sent[1], STATUS_SUCCESS);
    gone(&sent[2], STATUS_SUCCESS);
    gone(&sent[3], STATUS_CANCELLED);
#undef READY
}

static void test_files(void **state)
{
    struct io_file *one, *two;
    struct sent sent[3];
    WDFREQUEST request;
    UNREFERENCED_PARAMETER(state);
    WDFQUEUE queue = make(WdfIoQueueDispatchManual, 0, true);
    assert_int_equal(io_open("\\Device\\KmdfQueue", &one), STATUS_SUCCESS);
    assert_int_equal(io_open("\\Device\\KmdfQueue", &two), STATUS_SUCCESS);
    WDFFILEOBJECT file = WdfDeviceGetFileObject(test_globals, queue_device, io_file_object(two));
    for (ULONG i = 0; i < 3; i++)
        queue_send(&sent[i], IRP_MJ_DEVICE_CONTROL, i, io_file_object(i ? two : one));
    assert_int_equal(WdfIoQueueRetrieveRequestByFileObject(test_globals, queue, file, &request), STATUS_SUCCESS);
    assert_int_equal(number_of(request), 1);
    assert_int_equal(WdfIoQueueFindRequest(test_globals, queue, NULL, file, NULL, &kept[0]), STATUS_SUCCESS);
    assert_int_equal(number_of(kept[0]), 2);
    WdfObjectDereferenceActual(test_globals, kept[0], NULL, 0, NULL);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
    io_close(two); /* what waits is cancelled, the other file's is not */
    gone(&sent[1], STATUS_SUCCESS);
    gone(&sent[2], STATUS_CANCELLED);
    state_of(queue, 1, 0);
    io_close(one);
    gone(&sent[0], STATUS_CANCELLED);
    assert_string_equal(test_record, "");
}

/* ---- other queues ---- */

static void test_forward(void **state)
{
    struct sent sent[3];
    UNREFERENCED_PARAMETER(state);
    WDFQUEUE manual = make(WdfIoQueueDispatchManual, 0, false);
    WDFQUEUE queue = make(WdfIoQueueDispatchSequential, 0, true);
    send(&sent[0], 0);
    send(&sent[1], 1);
#define FORWARD(request, to) WdfRequestForwardToIoQueue(test_globals, request, to)
    assert_int_equal(FORWARD(kept[0], queue), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(WdfRequestRequeue(test_globals, kept[0]), STATUS_INVALID_DEVICE_REQUEST); /* not manual */
    assert_int_equal(WdfRequestMarkCancelableEx(test_globals, kept[0], on_cancel), STATUS_SUCCESS);
    assert_int_equal(FORWARD(kept[0], manual), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(WdfRequestUnmarkCancelable(test_globals, kept[0]), STATUS_SUCCESS);
    WdfIoQueueDrainSynchronously(test_globals, manual);
    assert_int_equal(FORWARD(kept[0], manual), STATUS_WDF_BUSY);
    state_of(queue, 1, 1);
    WdfIoQueueStart(test_globals, manual);
    assert_int_equal(FORWARD(kept[0], manual), STATUS_SUCCESS);
    assert_string_equal(test_record, "0 1 "); /* the next one is presented */
    state_of(queue, 0, 1);
    state_of(manual, 1, 0);
    assert_int_equal(FORWARD(kept[0], queue), STATUS_INVALID_DEVICE_REQUEST); /* not the driver's */
    assert_int_equal(FORWARD(kept[1], manual), STATUS_SUCCESS);
    assert_true(IoCancelIrp(sent[1].irp)); /* the driver has had it, and learns */
    assert_string_equal(test_record, "0 1 cancelled 1; ");
    gone(&sent[1], STATUS_CANCELLED);
    send(&sent[2], 2);
    WdfIoQueuePurge(test_globals, manual, state_told, (PVOID) "purged");
    assert_string_equal(test_record, "0 1 cancelled 1; 2 cancelled 0; purged; ");
    gone(&sent[0], STATUS_CANCELLED);
    finish(2);
    gone(&sent[2], STATUS_SUCCESS);
#undef FORWARD
}

/* ---- states ---- */

static void test_states(void **state)
{
    struct sent sent[4];
    UNREFERENCED_PARAMETER(state);
    WDFQUEUE queue = make(WdfIoQueueDispatchSequential, 0, true);
    send(&sent[0], 0);
    send(&sent[1], 1);
    WdfIoQueueStop(test_globals, queue, state_told, (PVOID) "stopped");
    assert_false(WDF_IO_QUEUE_STOPPED(state_of(queue, 1, 1)));
    assert_string_equal(test_record, "0 ");
    finish(0);
    assert_string_equal(test_record, "0 stopped; ");
    assert_true(WDF_IO_QUEUE_STOPPED(state_of(queue, 1, 0)));
    WdfIoQueueStart(test_globals, queue);
    assert_string_equal(test_record, "0 stopped; 1 ");
    send(&sent[2], 2);
    WdfIoQueueDrain(test_globals, queue, state_told, (PVOID) "drained");
    send(&sent[3], 3);
    gone(&sent[3], STATUS_INVALID_DEVICE_STATE);
    finish(1);
    assert_string_equal(test_record, "0 stopped; 1 2 ");
    finish(2);
    assert_string_equal(test_record, "0 stopped; 1 2 drained; ");
    assert_true(WDF_IO_QUEUE_DRAINED(state_of(queue, 0, 0)));
    for (ULONG i = 0; i < 3; i++)
        gone(&sent[i], STATUS_SUCCESS);
}

static void test_purge(void **state)
{
    struct sent sent[4];
    UNREFERENCED_PARAMETER(state);
    WDFQUEUE queue = make(WdfIoQueueDispatchParallel, 2, true);
    for (ULONG i = 0; i < 3; i++)
        send(&sent[i], i);
    WdfRequestMarkCancelable(test_globals, kept[1], on_cancel);
    WdfIoQueuePurge(test_globals, queue, state_told, (PVOID) "purged");
    assert_string_equal(test_record, "0 1 cancel 1; ");
    gone(&sent[2], STATUS_CANCELLED);
    gone(&sent[1], STATUS_CANCELLED);
    finish(0);
    assert_string_equal(test_record, "0 1 cancel 1; purged; ");
    gone(&sent[0], STATUS_SUCCESS);
    send(&sent[0], 0);
    gone(&sent[0], STATUS_INVALID_DEVICE_STATE);
    WdfIoQueueStart(test_globals, queue);
    send(&sent[0], 4);
    WdfIoQueueStopAndPurge(test_globals, queue, state_told, (PVOID) "stopped");
    send(&sent[1], 5);
    assert_int_equal(sent[1].completed, 0);
    finish(2);
    assert_string_equal(test_record, "0 1 cancel 1; purged; 4 stopped; ");
    state_of(queue, 1, 0);
    WdfIoQueueStopAndPurgeSynchronously(test_globals, queue);
    gone(&sent[0], STATUS_SUCCESS);
    gone(&sent[1], STATUS_CANCELLED);
}

/* ---- the driver's own requests ---- */

static void test_cancelable(void **state)
{
    struct sent sent[3];
    UNREFERENCED_PARAMETER(state);
    make(WdfIoQueueDispatchParallel, 0, true);
    for (ULONG i = 0; i < 3; i++)
        send(&sent[i], i);
    assert_int_equal(WdfRequestUnmarkCancelable(test_globals, kept[0]), STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfRequestMarkCancelableEx(test_globals, kept[0], on_cancel), STATUS_SUCCESS);
    assert_int_equal(WdfRequestMarkCancelableEx(test_globals, kept[0], on_cancel), STATUS_INVALID_DEVICE_REQUEST);
    assert_false(WdfRequestIsCanceled(test_globals, kept[0]));
    assert_true(IoCancelIrp(sent[0].irp));
    gone(&sent[0], STATUS_CANCELLED);
    assert_false(IoCancelIrp(sent[1].irp)); /* before it is cancelable */
    assert_true(WdfRequestIsCanceled(test_globals, kept[1]));
    assert_int_equal(WdfRequestMarkCancelableEx(test_globals, kept[1], on_cancel), STATUS_CANCELLED);
    assert_string_equal(test_record, "0 1 2 cancel 0; ");
    WdfRequestMarkCancelable(test_globals, kept[1], on_cancel);
    assert_string_equal(test_record, "0 1 2 cancel 0; cancel 1; ");
    gone(&sent[1], STATUS_CANCELLED);
    assert_int_equal(WdfRequestMarkCancelableEx(test_globals, kept[2], on_cancel), STATUS_SUCCESS);
    assert_int_equal(WdfRequestUnmarkCancelable(test_globals, kept[2]), STATUS_SUCCESS);
    assert_false(IoCancelIrp(sent[2].irp));
    assert_false(WdfRequestIsFrom32BitProcess(test_globals, kept[2]));
    assert_false(WdfRequestIsReserved(test_globals, kept[2]));
    finish(2);
    gone(&sent[2], STATUS_SUCCESS);
}

/* A driver that deletes its device keeps its requests; those that wait are cancelled. */
static void test_device_goes(void **state)
{
    struct sent sent[2];
    UNREFERENCED_PARAMETER(state);
    make(WdfIoQueueDispatchSequential, 0, true);
    send(&sent[0], 0);
    send(&sent[1], 1);
    WdfObjectDelete(test_globals, queue_device);
    gone(&sent[1], STATUS_CANCELLED);
    finish(0);
    gone(&sent[0], STATUS_SUCCESS);
}

/* ---- WDF_VIOLATION ---- */

static struct sent victim;

static void one_kept(void)
{
    make(WdfIoQueueDispatchParallel, 0, true);
    send(&victim, 9);
}
static void complete_cancelable(void)
{
    one_kept();
    WdfRequestMarkCancelable(test_globals, kept[0], on_cancel);
    finish(0);
}
static void mark_twice(void)
{
    one_kept();
    WdfRequestMarkCancelable(test_globals, kept[0], on_cancel);
    WdfRequestMarkCancelable(test_globals, kept[0], on_cancel);
}
static void complete_twice(void)
{
    one_kept();
    WdfObjectReferenceActual(test_globals, kept[0], NULL, 0, NULL);
    finish(0);
    finish(0);
}
static void complete_waiting(void)
{
    WDFREQUEST found;
    WDFQUEUE queue = make(WdfIoQueueDispatchManual, 0, true);
    send(&victim, 9);
    WdfIoQueueFindRequest(test_globals, queue, NULL, NULL, NULL, &found);
    WdfRequestComplete(test_globals, found, STATUS_SUCCESS);
}
static void boast(void)
{
    one_kept();
    victim.irp->Tail.Overlay.CurrentStackLocation->Parameters.DeviceIoControl.IoControlCode &= ~3u;
    WdfRequestCompleteWithInformation(test_globals, kept[0], STATUS_SUCCESS, 1);
}
static void two_states(void)
{
    one_kept();
    WDFQUEUE queue = WdfRequestGetIoQueue(test_globals, kept[0]);
    WdfIoQueueStop(test_globals, queue, state_told, NULL);
    WdfIoQueueDrain(test_globals, queue, state_told, NULL);
}

static void test_violations(void **state)
{
    static const struct {
        void (*action)(void);
        ULONG code, more;
        const char *text;
    } rows[] = {
        {complete_cancelable, 0xA, 0, "WdfRequestUnmarkCancelable comes first"},
        {mark_twice, 0xA, 0, "is cancelable already"},
        {complete_twice, 6, 2, "which has been completed"},
        {complete_waiting, 6, 2, "which is not the driver's now"},
        {boast, 6, 4, "says that 1 bytes were written, its buffer has 0"},
        {two_states, 0xA, 0, "WdfIoQueueDrain was called for the queue"},
    };
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        struct bugcheck_result result = bugcheck_of(rows[i].action);
        assert_true(result.happened);
        assert_int_equal(result.code, 0x10D);
        assert_int_equal(result.parameters[0], rows[i].code);
        if (rows[i].more)
            assert_int_equal(result.parameters[1], rows[i].more);
        if (!strstr(result.report, rows[i].text))
            fail_msg("row %d: %s", (int)i, result.report);
    }
}

int run_queue_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_sequential), LOADED(test_limited),     LOADED(test_types),      LOADED(test_retrieve),
        LOADED(test_files),      LOADED(test_forward),     LOADED(test_states),     LOADED(test_purge),
        LOADED(test_cancelable), LOADED(test_device_goes), LOADED(test_violations),
    };
    return cmocka_run_group_tests_name("kmdf queues", tests, NULL, NULL);
}
