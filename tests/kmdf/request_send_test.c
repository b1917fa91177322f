/* request_send_test.c - requests that the driver makes: sent, cancelled, timed out, reused, deleted; stopped targets;
 * what a driver must not do with them. */
#include "target_fixture.h"

static WDFREQUEST request;
static WDFMEMORY memory;
static UCHAR *buffer;
static LONG returned; /* completion routines */
static WDF_REQUEST_COMPLETION_PARAMS result;

static VOID NTAPI on_return(WDFREQUEST back, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                            WDFCONTEXT context)
{
    assert_ptr_equal(back, request);
    assert_ptr_equal(from, target);
    assert_ptr_equal(context, &returned);
    assert_int_equal(params->Size, sizeof(*params));
    assert_int_equal(WdfRequestGetStatus(test_globals, back), params->IoStatus.Status);
    assert_int_equal(WdfRequestGetInformation(test_globals, back), params->IoStatus.Information);
    result = *params;
    __atomic_add_fetch(&returned, 1, __ATOMIC_SEQ_CST);
}

static NTSTATUS keep_controls(IRP *irp, IO_STACK_LOCATION *stack)
{
    bool files = stack->MajorFunction == IRP_MJ_CREATE || stack->MajorFunction == IRP_MJ_CLEANUP ||
                 stack->MajorFunction == IRP_MJ_CLOSE;
    return files ? lower_complete(irp, STATUS_SUCCESS, 0) : lower_keep(irp);
}

static void make(void)
{
    returned = 0;
    target_open();
    lower_hook = keep_controls;
    assert_int_equal(WdfRequestCreate(test_globals, NULL, target, &request), STATUS_SUCCESS);
    assert_int_equal(WdfMemoryCreate(test_globals, NULL, NonPagedPool, 0, 16, &memory, (PVOID *)&buffer),
                     STATUS_SUCCESS);
}

static void format(void)
{
    assert_int_equal(WdfIoTargetFormatRequestForIoctl(test_globals, target, request, LOWER_CODE(METHOD_BUFFERED),
                                                      memory, NULL, memory, NULL),
                     STATUS_SUCCESS);
    WdfRequestSetCompletionRoutine(test_globals, request, on_return, &returned);
}

static void reuse(void)
{
    WDF_REQUEST_REUSE_PARAMS params;
    WDF_REQUEST_REUSE_PARAMS_INIT(&params, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_SUCCESS);
    assert_int_equal(WdfRequestReuse(test_globals, request, &params), STATUS_SUCCESS);
}

static BOOLEAN send_with(ULONG flags, LONGLONG timeout)
{
    WDF_REQUEST_SEND_OPTIONS options;
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, flags);
    if (timeout)
        WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&options, timeout);
    return WdfRequestSend(test_globals, request, target, &options);
}

static void sent(void)
{
    format();
    assert_true(WdfRequestSend(test_globals, request, target, NULL));
}

static LONG references(void)
{
    return kmdf_handle_find(memory)->references;
}

/* ---- there and back ---- */

static void test_asynchronous(void **state)
{
    WDF_REQUEST_PARAMETERS parameters;
    PVOID address;
    UNREFERENCED_PARAMETER(state);
    make();
    IRP *irp = WdfRequestWdmGetIrp(test_globals, request);
    assert_int_equal(WdfRequestGetRequestorMode(test_globals, request), KernelMode);
    assert_false(WdfRequestIsFrom32BitProcess(test_globals, request));
    assert_null(WdfRequestGetIoQueue(test_globals, request));
    assert_null(WdfRequestGetFileObject(test_globals, request));
    assert_false(WdfRequestIsCanceled(test_globals, request));
    assert_int_equal(WdfRequestGetRequestorProcessId(test_globals, request),
                     (ULONG)(ULONG_PTR)PsGetProcessId(PsInitialSystemProcess));
    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(test_globals, request, &parameters);
    assert_int_equal(parameters.Type, WdfRequestTypeNoFormat);
    assert_int_equal(WdfRequestRetrieveInputBuffer(test_globals, request, 0, &address, NULL),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(WdfRequestMarkCancelableEx(test_globals, request, (PFN_WDF_REQUEST_CANCEL)(void *)on_return),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_false(WdfRequestSend(test_globals, request, target, NULL)); /* not formatted */
    assert_int_equal(WdfRequestGetStatus(test_globals, request), STATUS_INVALID_DEVICE_REQUEST);
    memcpy(buffer, "the input", 10);
    assert_int_equal(references(), 1);
    sent();
    assert_int_equal(references(), 3);
    assert_int_equal(returned, 0);
    assert_ptr_equal(WdfRequestWdmGetIrp(test_globals, request), irp);
    assert_string_equal(irp->AssociatedIrp.SystemBuffer, "the input");
    assert_int_equal(WdfIoTargetFormatRequestForIoctl(test_globals, target, request, 0, NULL, NULL, NULL, NULL),
                     STATUS_INVALID_DEVICE_REQUEST);
    memcpy(irp->AssociatedIrp.SystemBuffer, "THE", 3);
    assert_true(lower_finish(STATUS_SUCCESS, 3));
    assert_int_equal(returned, 1);
    assert_string_equal(buffer, "THE input");
    assert_int_equal(result.Type, WdfRequestTypeDeviceControl);
    assert_int_equal(result.IoStatus.Status, STATUS_SUCCESS);
    assert_int_equal(result.IoStatus.Information, 3);
    assert_int_equal(result.Parameters.Ioctl.IoControlCode, LOWER_CODE(METHOD_BUFFERED));
    assert_ptr_equal(result.Parameters.Ioctl.Input.Buffer, memory);
    assert_ptr_equal(result.Parameters.Ioctl.Output.Buffer, memory);
    assert_int_equal(result.Parameters.Ioctl.Output.Length, 3);
    WDF_REQUEST_COMPLETION_PARAMS again;
    WDF_REQUEST_COMPLETION_PARAMS_INIT(&again);
    WdfRequestGetCompletionParams(test_globals, request, &again);
    assert_memory_equal(&again, &result, sizeof(again));
    assert_int_equal(references(), 3); /* until the request is reused */
    assert_false(WdfRequestSend(test_globals, request, target, NULL));
    reuse();
    assert_int_equal(references(), 1);
    sent();
    assert_true(lower_finish(STATUS_UNSUCCESSFUL, 5));
    assert_int_equal(returned, 2);
    assert_int_equal(result.IoStatus.Status, STATUS_UNSUCCESSFUL);
    WdfObjectDelete(test_globals, request);
    assert_int_equal(references(), 1);
}

static VOID NTAPI note_destroyed(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    test_note("destroyed; ");
}

static VOID NTAPI delete_it(WDFREQUEST back, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                            WDFCONTEXT context)
{
    UNREFERENCED_PARAMETER(from);
    UNREFERENCED_PARAMETER(params);
    UNREFERENCED_PARAMETER(context);
    WdfObjectDelete(test_globals, back);
    test_note("deleted; ");
}

static VOID NTAPI send_again(WDFREQUEST back, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                             WDFCONTEXT context)
{
    LONG *left = context;
    assert_int_equal(params->IoStatus.Information, 100);
    reuse();
    assert_int_equal(WdfIoTargetFormatRequestForRead(test_globals, from, back, memory, NULL, NULL), STATUS_SUCCESS);
    WdfRequestSetCompletionRoutine(test_globals, back, --*left ? send_again : delete_it, left);
    assert_true(WdfRequestSend(test_globals, back, from, NULL));
}

static NTSTATUS complete_at_once(IRP *irp, IO_STACK_LOCATION *stack)
{
    UNREFERENCED_PARAMETER(stack);
    return lower_complete(irp, STATUS_SUCCESS, 100);
}

/* A completion routine may delete the request, or send it again, before WdfRequestSend has returned. */
static void test_in_routine(void **state)
{
    LONG left = 5;
    WDF_OBJECT_ATTRIBUTES attributes;
    UNREFERENCED_PARAMETER(state);
    make();
    WdfObjectDelete(test_globals, request);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.EvtDestroyCallback = note_destroyed;
    attributes.ParentObject = target_device;
    assert_int_equal(WdfRequestCreate(test_globals, &attributes, NULL, &request), STATUS_SUCCESS);
    assert_null(WdfRequestWdmGetIrp(test_globals, request));
    lower_hook = complete_at_once;
    assert_int_equal(WdfIoTargetFormatRequestForRead(test_globals, target, request, memory, NULL, NULL),
                     STATUS_SUCCESS);
    assert_non_null(WdfRequestWdmGetIrp(test_globals, request));
    WdfRequestSetCompletionRoutine(test_globals, request, send_again, &left);
    assert_true(WdfRequestSend(test_globals, request, target, NULL));
    assert_int_equal(left, 0);
    assert_string_equal(test_record, "deleted; destroyed; ");
    assert_int_equal(references(), 1);
}

static void finish_later(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    while (!lower_finish(STATUS_SUCCESS, 7))
        plat_yield();
    ke_thread_detach();
}

static void test_synchronous(void **state)
{
    uint64_t id;
    ULONG_PTR bytes;
    UNREFERENCED_PARAMETER(state);
    make();
    assert_int_equal(plat_thread_create(finish_later, NULL, &id), STATUS_SUCCESS);
    format();
    assert_true(send_with(WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, 0));
    plat_thread_join(id);
    assert_int_equal(WdfRequestGetStatus(test_globals, request), STATUS_SUCCESS);
    assert_int_equal(WdfRequestGetInformation(test_globals, request), 7);
    assert_int_equal(returned, 0);
    reuse();
    WDF_MEMORY_DESCRIPTOR descriptor;
    WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&descriptor, memory, NULL);
    assert_int_equal(plat_thread_create(finish_later, NULL, &id), STATUS_SUCCESS);
    assert_int_equal(WdfIoTargetSendReadSynchronously(test_globals, target, request, &descriptor, NULL, NULL, &bytes),
                     STATUS_SUCCESS);
    plat_thread_join(id);
    assert_int_equal(bytes, 7);
    assert_int_equal(references(), 2);
    reuse();
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    format();
    assert_false(send_with(WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, 0));
    KeLowerIrql(irql);
    assert_int_equal(WdfRequestGetStatus(test_globals, request), STATUS_INVALID_DEVICE_REQUEST);
}

/* ---- cancelling ---- */

static void test_cancel(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make();
    assert_false(WdfRequestCancelSentRequest(test_globals, request));
    sent();
    assert_true(WdfRequestCancelSentRequest(test_globals, request));
    assert_int_equal(returned, 1);
    assert_int_equal(result.IoStatus.Status, STATUS_CANCELLED);
    assert_false(WdfRequestCancelSentRequest(test_globals, request));
    lower_take();
    reuse();
    sent();
    IRP *irp = lower_take(); /* the driver below does not let it be cancelled */
    __atomic_store_n(&irp->CancelRoutine, (PDRIVER_CANCEL)NULL, __ATOMIC_SEQ_CST);
    assert_false(WdfRequestCancelSentRequest(test_globals, request));
    assert_true(WdfRequestIsCanceled(test_globals, request));
    assert_int_equal(returned, 1);
    lower_complete(irp, STATUS_SUCCESS, 0);
    assert_int_equal(returned, 2);
    assert_int_equal(result.IoStatus.Status, STATUS_SUCCESS);
    assert_int_equal(lower_cancelled, 1);
}

static void test_timeout(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make();
    format();
    assert_true(send_with(0, WDF_REL_TIMEOUT_IN_MS(1)));
    while (!__atomic_load_n(&returned, __ATOMIC_SEQ_CST))
        plat_yield();
    assert_int_equal(result.IoStatus.Status, STATUS_IO_TIMEOUT);
    assert_int_equal(lower_cancelled, 1);
    lower_take();
    reuse();
    format();
    assert_true(send_with(WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, WDF_REL_TIMEOUT_IN_MS(1)));
    assert_int_equal(WdfRequestGetStatus(test_globals, request), STATUS_IO_TIMEOUT);
    lower_take();
    reuse();
    format(); /* in time: the timer does not keep it */
    assert_true(send_with(0, WDF_REL_TIMEOUT_IN_SEC(1000)));
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(returned, 2);
    assert_int_equal(result.IoStatus.Status, STATUS_SUCCESS);
    reuse();
    format();
    WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
    assert_true(send_with(0, WDF_REL_TIMEOUT_IN_MS(1))); /* waiting */
    while (__atomic_load_n(&returned, __ATOMIC_SEQ_CST) < 3)
        plat_yield();
    assert_int_equal(result.IoStatus.Status, STATUS_IO_TIMEOUT);
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
    BOOLEAN is_sent = send_with(0, WDF_REL_TIMEOUT_IN_SEC(1000));
    mm_short = NULL;
    return is_sent;
}

static void test_timer_allocated(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make();
    format();
    assert_false(send_without_memory());
    assert_int_equal(WdfRequestGetStatus(test_globals, request), STATUS_INSUFFICIENT_RESOURCES);
    mm_short = refuse_heap;
    NTSTATUS status = WdfRequestAllocateTimer(test_globals, request);
    mm_short = NULL;
    assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(WdfRequestAllocateTimer(test_globals, request), STATUS_SUCCESS);
    assert_int_equal(WdfRequestAllocateTimer(test_globals, request), STATUS_SUCCESS); /* it has one */
    assert_true(send_without_memory());
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(returned, 1);
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
        WdfRequestCancelSentRequest(test_globals, request);
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
    make();
    go = cancelled_round = 0;
    assert_int_equal(plat_thread_create(canceller, NULL, &id), STATUS_SUCCESS);
    for (LONG i = 1; i <= ROUNDS; i++) {
        sent();
        __atomic_store_n(&go, i, __ATOMIC_RELEASE);
        for (LONG spin = i % 50; spin; spin--)
            __asm__ volatile("pause");
        bool mine = lower_finish(STATUS_SUCCESS, 0);
        while (__atomic_load_n(&cancelled_round, __ATOMIC_ACQUIRE) < i)
            plat_yield();
        assert_int_equal(returned, i);
        assert_int_equal(result.IoStatus.Status, mine ? STATUS_SUCCESS : STATUS_CANCELLED);
        finished += mine;
        lower_take();
        reuse();
    }
    plat_thread_join(id);
    assert_int_equal(finished + lower_cancelled, ROUNDS);
}

/* ---- the target's state ---- */

static void test_stop(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make();
    WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetStopped);
    sent();
    assert_null(lower_take());
    assert_true(WdfRequestCancelSentRequest(test_globals, request)); /* from the target's own queue */
    assert_int_equal(returned, 1);
    assert_int_equal(result.IoStatus.Status, STATUS_CANCELLED);
    reuse();
    sent();
    assert_int_equal(WdfIoTargetStart(test_globals, target), STATUS_SUCCESS);
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(returned, 2);
    reuse();
    WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
    format();
    assert_true(send_with(WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE, 0));
    WdfIoTargetStop(test_globals, target, WdfIoTargetCancelSentIo); /* leaves that alone */
    assert_int_equal(returned, 2);
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(returned, 3);
    reuse();
    sent();
    WdfIoTargetStop(test_globals, target, WdfIoTargetWaitForSentIoToComplete); /* nothing is sent: it waits there */
    WdfIoTargetStop(test_globals, target, WdfIoTargetCancelSentIo);
    assert_int_equal(returned, 4);
    assert_int_equal(result.IoStatus.Status, STATUS_CANCELLED);
    assert_int_equal(lower_cancelled, 0);
    WdfIoTargetStart(test_globals, target);
    reuse();
    sent();
    WdfIoTargetStop(test_globals, target, WdfIoTargetCancelSentIo);
    assert_int_equal(returned, 5);
    assert_int_equal(lower_cancelled, 1);
    lower_take();
}

static void test_purge(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make();
    sent();
    WdfIoTargetPurge(test_globals, target, WdfIoTargetPurgeIoAndWait);
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetPurged);
    assert_int_equal(returned, 1);
    assert_int_equal(lower_cancelled, 1);
    lower_take();
    reuse();
    format();
    assert_false(WdfRequestSend(test_globals, request, target, NULL));
    assert_int_equal(WdfRequestGetStatus(test_globals, request), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(returned, 1);
    assert_true(send_with(WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE, 0));
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(returned, 2);
    WdfIoTargetStart(test_globals, target);
    reuse();
    sent();
    WdfIoTargetStop(test_globals, target, WdfIoTargetLeaveSentIoPending);
    WdfIoTargetClose(test_globals, target); /* whatever the state */
    assert_int_equal(returned, 3);
    assert_int_equal(result.IoStatus.Status, STATUS_CANCELLED);
    reuse();
    assert_int_equal(WdfIoTargetFormatRequestForRead(test_globals, target, request, memory, NULL, NULL),
                     STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(WdfRequestChangeTarget(test_globals, request, target), STATUS_INVALID_DEVICE_STATE);
    assert_false(WdfRequestSend(test_globals, request, target, NULL));
}

static void test_wait(void **state)
{
    uint64_t id;
    UNREFERENCED_PARAMETER(state);
    make();
    sent();
    assert_int_equal(plat_thread_create(finish_later, NULL, &id), STATUS_SUCCESS);
    WdfIoTargetStop(test_globals, target, WdfIoTargetWaitForSentIoToComplete);
    assert_int_equal(returned, 1);
    assert_int_equal(result.IoStatus.Status, STATUS_SUCCESS);
    plat_thread_join(id);
}

/* A driver that is unloaded with a request out: the request is called back, whoever its parent is. */
static void test_unload_sent(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make();
    sent();
}

/* ---- stack locations and IRPs ---- */

static void test_locations(void **state)
{
    WDF_REQUEST_REUSE_PARAMS params;
    WDFREQUEST other;
    UNREFERENCED_PARAMETER(state);
    make();
    lower->StackSize = 3; /* more than the request has been made for */
    IRP *small = WdfRequestWdmGetIrp(test_globals, request);
    assert_int_equal(small->StackCount, 1);
    assert_int_equal(WdfRequestChangeTarget(test_globals, request, target), STATUS_SUCCESS);
    assert_int_equal(WdfRequestWdmGetIrp(test_globals, request)->StackCount, 3);
    IRP *irp = IoAllocateIrp(2, FALSE);
    assert_int_equal(WdfRequestCreateFromIrp(test_globals, NULL, irp, FALSE, &other), STATUS_SUCCESS);
    assert_ptr_equal(WdfRequestWdmGetIrp(test_globals, other), irp);
    assert_int_equal(WdfRequestChangeTarget(test_globals, other, target), STATUS_REQUEST_NOT_ACCEPTED);
    assert_int_equal(WdfIoTargetFormatRequestForRead(test_globals, target, other, memory, NULL, NULL),
                     STATUS_REQUEST_NOT_ACCEPTED);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IO_STACK_LOCATION stack = {.MajorFunction = IRP_MJ_WRITE};
    WdfRequestWdmFormatUsingStackLocation(test_globals, other, &stack);
    assert_false(WdfRequestSend(test_globals, other, target, NULL));
    assert_int_equal(WdfRequestGetStatus(test_globals, other), STATUS_REQUEST_NOT_ACCEPTED);
    lower->StackSize = 1;
    lower_hook = complete_at_once;
    assert_true(WdfRequestSend(test_globals, other, target, NULL));
    assert_int_equal(WdfRequestGetInformation(test_globals, other), 100);
    WDF_REQUEST_REUSE_PARAMS_INIT(&params, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_PENDING);
    params.Size--;
    assert_int_equal(WdfRequestReuse(test_globals, other, &params), STATUS_INVALID_PARAMETER);
    params.Size++;
    assert_int_equal(WdfRequestReuse(test_globals, other, &params), STATUS_SUCCESS);
    assert_int_equal(WdfRequestGetStatus(test_globals, other), STATUS_PENDING);
    WDF_REQUEST_REUSE_PARAMS_SET_NEW_IRP(&params, NULL);
    assert_int_equal(WdfRequestReuse(test_globals, request, &params), STATUS_WDF_REQUEST_INVALID_STATE);
    assert_int_equal(WdfRequestReuse(test_globals, other, &params), STATUS_SUCCESS);
    IoFreeIrp(irp);
    assert_null(WdfRequestWdmGetIrp(test_globals, other));
    WdfObjectDelete(test_globals, other);
    irp = IoAllocateIrp(2, FALSE);
    assert_int_equal(WdfRequestCreateFromIrp(test_globals, NULL, irp, TRUE, &other), STATUS_SUCCESS);
    WdfObjectDelete(test_globals, other); /* and the IRP: nothing is left in the end */
}

static void test_options(void **state)
{
    WDF_REQUEST_SEND_OPTIONS options;
    UNREFERENCED_PARAMETER(state);
    static const struct {
        ULONG flags;
        NTSTATUS status;
    } rows[] = {
        {0x10, STATUS_INVALID_PARAMETER},
        {WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET | WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, STATUS_INVALID_PARAMETER},
        {WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET, STATUS_INVALID_DEVICE_REQUEST}, /* the driver has made it */
    };
    make();
    format();
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        assert_false(send_with(rows[i].flags, 0));
        assert_int_equal(WdfRequestGetStatus(test_globals, request), rows[i].status);
    }
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, 0);
    options.Size++;
    assert_false(WdfRequestSend(test_globals, request, target, &options));
    assert_int_equal(WdfRequestGetStatus(test_globals, request), STATUS_INFO_LENGTH_MISMATCH);
    assert_true(WdfRequestSend(test_globals, request, target, NULL)); /* still formatted */
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(returned, 1);
}

/* ---- memory is short ---- */

static ULONG method;

static NTSTATUS create_one(void)
{
    return WdfRequestCreate(test_globals, NULL, target, &request);
}
static NTSTATUS format_one(void)
{
    return WdfIoTargetFormatRequestForIoctl(test_globals, target, request, LOWER_CODE(method), memory, NULL, memory,
                                            NULL);
}
static NTSTATUS send_one(void)
{
    WDF_MEMORY_DESCRIPTOR descriptor;
    WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&descriptor, memory, NULL);
    return WdfIoTargetSendIoctlSynchronously(test_globals, target, NULL, LOWER_CODE(METHOD_OUT_DIRECT), &descriptor,
                                             &descriptor, NULL, NULL);
}
static NTSTATUS send_formatted_timed(void)
{
    return send_with(0, WDF_REL_TIMEOUT_IN_SEC(1000)) ? STATUS_SUCCESS : WdfRequestGetStatus(test_globals, request);
}
static NTSTATUS create_target(void)
{
    WDFIOTARGET other;
    return WdfIoTargetCreate(test_globals, target_device, NULL, &other);
}
static NTSTATUS open_again(void)
{
    WDF_IO_TARGET_OPEN_PARAMS params;
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&params, &lower_name, GENERIC_READ);
    return WdfIoTargetOpen(test_globals, target, &params);
}

static void test_shortage(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make();
    lower_hook = NULL;
    assert_in_range(with_each_refused(create_target), 1, 9);
    assert_in_range(with_each_refused(create_one), 2, 9);
    for (method = METHOD_BUFFERED; method <= METHOD_NEITHER; method++) {
        assert_int_equal(with_each_refused(format_one), method == METHOD_NEITHER ? 0 : 1);
        reuse();
    }
    assert_in_range(with_each_refused(send_one), 3, 9); /* request, IRP, MDL */
    WdfIoTargetClose(test_globals, target);
    assert_in_range(with_each_refused(open_again), 3, 59);
}

/* The timer that a time-out needs: the request is the driver's still, and can be sent without. */
static void test_no_timer(void **state)
{
    UNREFERENCED_PARAMETER(state);
    make();
    lower_hook = complete_at_once;
    reuse();
    format();
    assert_int_equal(with_each_refused(send_formatted_timed), 1);
    assert_int_equal(returned, 1);
}

/* ---- violations ---- */

static void complete_own(void)
{
    make();
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
}
static void send_twice(void)
{
    make();
    sent();
    WdfRequestSend(test_globals, request, target, NULL);
}
static void reuse_sent(void)
{
    make();
    sent();
    reuse();
}
static void delete_sent(void)
{
    make();
    sent();
    WdfObjectDelete(test_globals, request);
}
static void change_sent(void)
{
    make();
    sent();
    WdfRequestChangeTarget(test_globals, request, target);
}
static void format_sent(void)
{
    IO_STACK_LOCATION stack = {0};
    make();
    sent();
    WdfRequestWdmFormatUsingStackLocation(test_globals, request, &stack);
}
static void format_without_irp(void)
{
    IO_STACK_LOCATION stack = {0};
    make();
    WdfRequestCreate(test_globals, NULL, NULL, &request);
    WdfRequestWdmFormatUsingStackLocation(test_globals, request, &stack);
}
static void format_by_type(void)
{
    make();
    WdfRequestFormatRequestUsingCurrentType(test_globals, request);
}
static void format_used_up(void)
{
    IO_STACK_LOCATION stack = {0};
    make();
    IRP *irp = IoAllocateIrp(1, FALSE);
    irp->CurrentLocation = 1;
    WdfRequestCreateFromIrp(test_globals, NULL, irp, FALSE, &request);
    WdfRequestWdmFormatUsingStackLocation(test_globals, request, &stack);
}
static void wrong_target(void)
{
    make();
    WdfRequestSend(test_globals, request, (WDFIOTARGET)(PVOID)memory, NULL);
}

static void test_violations(void **state)
{
    static const struct {
        void (*action)(void);
        ULONG code, more;
        const char *text;
    } rows[] = {
        {complete_own, 0xA, 0, "which the driver has made: WdfObjectDelete ends it"},
        {send_twice, 6, 3, "WdfRequestSend was called for the request"},
        {reuse_sent, 6, 3, "WdfRequestReuse was called for the request"},
        {delete_sent, 6, 3, "WdfObjectDelete was called for the request"},
        {change_sent, 6, 3, "which an I/O target has"},
        {format_sent, 6, 3, "which an I/O target has"},
        {format_without_irp, 6, 2, "which has no IRP yet"},
        {format_by_type, 6, 2, "which did not come from another driver"},
        {format_used_up, 6, 1, "whose IRP has no stack location left"},
        {wrong_target, 5, 0, "of a WDFMEMORY where it wants a WDFIOTARGET"},
    };
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        struct bugcheck_result bugcheck = bugcheck_of(rows[i].action);
        assert_true(bugcheck.happened);
        assert_int_equal(bugcheck.code, 0x10D);
        assert_int_equal(bugcheck.parameters[0], rows[i].code);
        if (rows[i].more)
            assert_int_equal(bugcheck.parameters[1], rows[i].more);
        if (!strstr(bugcheck.report, rows[i].text))
            fail_msg("row %d: %s", (int)i, bugcheck.report);
    }
}

int run_request_send_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, target_set_up, target_tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_asynchronous), LOADED(test_in_routine),  LOADED(test_synchronous),
        LOADED(test_cancel),       LOADED(test_timeout),     LOADED(test_timer_allocated),
        LOADED(test_race),         LOADED(test_stop),        LOADED(test_purge),
        LOADED(test_wait),         LOADED(test_unload_sent), LOADED(test_locations),
        LOADED(test_options),      LOADED(test_shortage),    LOADED(test_no_timer),
        LOADED(test_violations),
    };
    return cmocka_run_group_tests_name("kmdf requests sent", tests, NULL, NULL);
}
