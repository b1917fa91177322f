/* forward_test.c - requests of user mode that a framework driver sends on: as they came, formatted anew, to be
 * forgotten, in parts of its own; cancelled on their way. */
#include "target_fixture.h"

static ULONG_PTR base; /* a page of user memory */
static struct io_file *file;
static WDFQUEUE queue;
static void (*on_request)(WDFREQUEST request);
static WDFREQUEST received;
static IRP came;  /* as it was then */
static LONG back; /* completion routines of forwarded requests */

enum { IN = 8, OUT = 16, OUT_AT = 64 };

/* ---- the driver above ---- */

static VOID NTAPI in_queue(WDFQUEUE from, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(from);
    received = request;
    came = *WdfRequestWdmGetIrp(test_globals, request);
    on_request(request);
}

/* As filters do: what the driver below said, the sender gets. */
static VOID NTAPI pass_back(WDFREQUEST request, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                            WDFCONTEXT context)
{
    assert_ptr_equal(request, received);
    assert_ptr_equal(from, target);
    assert_ptr_equal(context, &back);
    const IRP *irp = WdfRequestWdmGetIrp(test_globals, request);
    assert_ptr_equal(irp->AssociatedIrp.SystemBuffer, came.AssociatedIrp.SystemBuffer);
    assert_ptr_equal(irp->UserBuffer, came.UserBuffer);
    assert_ptr_equal(irp->MdlAddress, came.MdlAddress);
    back++;
    WdfRequestComplete(test_globals, request, params->IoStatus.Status);
}

static void send_on(WDFREQUEST request)
{
    WdfRequestSetCompletionRoutine(test_globals, request, pass_back, &back);
    if (!WdfRequestSend(test_globals, request, target, NULL))
        WdfRequestComplete(test_globals, request, WdfRequestGetStatus(test_globals, request));
}

static void forward(WDFREQUEST request)
{
    WdfRequestFormatRequestUsingCurrentType(test_globals, request);
    send_on(request);
}

static BOOLEAN forget(WDFREQUEST request)
{
    WDF_REQUEST_SEND_OPTIONS options;
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET);
    return WdfRequestSend(test_globals, request, target, &options);
}

/* ---- the driver below ---- */

static struct {
    IO_STACK_LOCATION stack;
    IRP irp;
    ULONG calls;
} seen;

static bool is_io(const IO_STACK_LOCATION *stack)
{
    return stack->MajorFunction == IRP_MJ_READ || stack->MajorFunction == IRP_MJ_WRITE ||
           stack->MajorFunction == IRP_MJ_DEVICE_CONTROL || stack->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL;
}

static NTSTATUS look(IRP *irp, IO_STACK_LOCATION *stack)
{
    if (!is_io(stack))
        return lower_complete(irp, STATUS_SUCCESS, 0);
    seen.stack = *stack;
    seen.irp = *irp;
    seen.calls++;
    char *out = irp->MdlAddress ? kmdf_mdl_address(irp->MdlAddress) : irp->AssociatedIrp.SystemBuffer;
    if (stack->MajorFunction != IRP_MJ_WRITE && out)
        memcpy(out, "ANSWER", 6);
    return lower_complete(irp, STATUS_SUCCESS, 6);
}

static NTSTATUS keep_io(IRP *irp, IO_STACK_LOCATION *stack)
{
    return is_io(stack) ? lower_keep(irp) : lower_complete(irp, STATUS_SUCCESS, 0);
}

/* ---- user mode ---- */

static void answered(bool yes)
{
    char text[7] = "";
    assert_true(plat_user_load(base + OUT_AT, text, 6));
    assert_string_equal(text, yes ? "ANSWER" : "......");
    plat_user_store(base + OUT_AT, "......", 6);
}

static NTSTATUS control(ULONG method, IO_STATUS_BLOCK *result)
{
    plat_user_store(base, "an input", IN);
    plat_user_store(base + OUT_AT, "......", 6);
    return io_device_control(file, LOWER_CODE(method), base, IN, base + OUT_AT, OUT, result);
}

static int set_up(void **state)
{
    if (target_set_up(state))
        return 1;
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchSequential);
    config.EvtIoDefault = in_queue;
    assert_int_equal(WdfIoQueueCreate(test_globals, target_device, &config, NULL, &queue), STATUS_SUCCESS);
    assert_int_equal(io_open(UPPER_NAME, &file), STATUS_SUCCESS);
    target_open();
    lower_hook = look;
    back = 0;
    memset(&seen, 0, sizeof(seen));
    return plat_user_map(&base, PAGE_SIZE, PLAT_READWRITE);
}

static int tear_down(void **state)
{
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    assert_int_equal(plat_user_unmap(base, PAGE_SIZE), STATUS_SUCCESS);
    target_init = NULL;
    return target_tear_down(state);
}

/* ---- as they came ---- */

static void test_methods(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    on_request = forward;
    for (ULONG method = METHOD_BUFFERED; method <= METHOD_NEITHER; method++) {
        bool direct = method == METHOD_IN_DIRECT || method == METHOD_OUT_DIRECT;
        assert_int_equal(control(method, &result), STATUS_SUCCESS);
        assert_int_equal(result.Information, 6);
        answered(method != METHOD_NEITHER);
        assert_int_equal(seen.irp.RequestorMode, UserMode);
        assert_int_equal(seen.stack.Parameters.DeviceIoControl.IoControlCode, LOWER_CODE(method));
        assert_int_equal(seen.stack.Parameters.DeviceIoControl.InputBufferLength, IN);
        assert_int_equal(seen.stack.Parameters.DeviceIoControl.OutputBufferLength, OUT);
        assert_int_equal(seen.irp.MdlAddress != NULL, direct);
        if (method == METHOD_NEITHER) {
            assert_int_equal((ULONG_PTR)seen.stack.Parameters.DeviceIoControl.Type3InputBuffer, base);
            assert_int_equal((ULONG_PTR)seen.irp.UserBuffer, base + OUT_AT);
        }
        assert_ptr_equal(seen.stack.FileObject, WdfIoTargetWdmGetTargetFileObject(test_globals, target));
        assert_int_equal(back, (LONG)method + 1);
    }
}

static void test_transfers(void **state)
{
    static const ULONG kinds[] = {0, DO_BUFFERED_IO, DO_DIRECT_IO};
    DEVICE_OBJECT *upper = WdfDeviceWdmGetDeviceObject(test_globals, target_device);
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    on_request = forward;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(kinds); i++) {
        upper->Flags = (upper->Flags & ~(ULONG)(DO_BUFFERED_IO | DO_DIRECT_IO)) | kinds[i];
        plat_user_store(base + OUT_AT, "......", 6);
        assert_int_equal(io_read(file, base + OUT_AT, OUT, 0x77, &result), STATUS_SUCCESS);
        answered(kinds[i]);
        assert_int_equal(seen.stack.MajorFunction, IRP_MJ_READ);
        assert_int_equal(seen.stack.Parameters.Read.ByteOffset.QuadPart, 0x77);
        assert_int_equal(seen.irp.MdlAddress != NULL, kinds[i] == DO_DIRECT_IO);
        assert_int_equal(io_write(file, base, IN, 0, &result), STATUS_SUCCESS);
        assert_int_equal(seen.stack.MajorFunction, IRP_MJ_WRITE);
        assert_int_equal(seen.stack.Parameters.Write.Length, IN);
    }
    assert_int_equal(back, 6);
}

/* ---- forgotten ---- */

static bool formatted_first;
static void forget_it(WDFREQUEST request)
{
    if (formatted_first)
        WdfRequestFormatRequestUsingCurrentType(test_globals, request);
    if (!forget(request)) {
        test_note("0x%08X; ", (ULONG)WdfRequestGetStatus(test_globals, request));
        WdfRequestComplete(test_globals, request, STATUS_UNSUCCESSFUL);
        return;
    }
    assert_null(kmdf_handle_find(request));
}

static void open_device(void)
{
    WDF_IO_TARGET_OPEN_PARAMS params;
    WdfIoTargetClose(test_globals, target);
    WDF_IO_TARGET_OPEN_PARAMS_INIT_EXISTING_DEVICE(&params, lower);
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_SUCCESS);
}

static void test_forget(void **state)
{
    DEVICE_OBJECT *upper = WdfDeviceWdmGetDeviceObject(test_globals, target_device);
    IO_STATUS_BLOCK result;
    ULONG waiting, owned;
    UNREFERENCED_PARAMETER(state);
    on_request = forget_it;
    formatted_first = false;
    assert_int_equal(control(METHOD_BUFFERED, &result), STATUS_UNSUCCESSFUL); /* not to a file object of the target's */
    assert_string_equal(test_record, "0xC0000010; ");
    open_device();
    FILE_OBJECT *user_file = io_file_object(file);
    for (int i = 0; i < 3; i++) {
        formatted_first = i == 1;
        upper->StackSize = i == 2 ? 1 : 2; /* the next driver gets the sender's own location then */
        assert_int_equal(control(METHOD_BUFFERED, &result), STATUS_SUCCESS);
        assert_int_equal(result.Information, 6);
        answered(true);
        assert_int_equal(seen.irp.RequestorMode, UserMode);
        assert_int_equal(seen.irp.CurrentLocation, 1);
        assert_ptr_equal(seen.stack.FileObject, user_file);
        WdfIoQueueGetState(test_globals, queue, &waiting, &owned);
        assert_int_equal(waiting + owned, 0);
    }
    assert_int_equal(seen.calls, 3);
    WdfIoTargetStop(test_globals, target, WdfIoTargetCancelSentIo); /* whatever its state */
    assert_int_equal(control(METHOD_BUFFERED, &result), STATUS_SUCCESS);
    WdfIoTargetClose(test_globals, target);
    assert_int_equal(control(METHOD_BUFFERED, &result), STATUS_UNSUCCESSFUL);
    assert_string_equal(test_record, "0xC0000010; 0xC0000184; ");
    assert_int_equal(seen.calls, 4);
}

static NTSTATUS NTAPI no_resources(WDFQUEUE from, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(from);
    UNREFERENCED_PARAMETER(request);
    return STATUS_INSUFFICIENT_RESOURCES;
}

static void forget_reserved(WDFREQUEST request)
{
    assert_true(WdfRequestIsReserved(test_globals, request));
    assert_true(forget(request));
}

/* The one request in reserve goes back there. */
static void test_forget_reserved(void **state)
{
    IO_STATUS_BLOCK result;
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy = {.Size = sizeof(policy),
                                                   .TotalForwardProgressRequests = 1,
                                                   .ForwardProgressReservedPolicy =
                                                       WdfIoForwardProgressReservedPolicyAlwaysUseReservedRequest,
                                                   .EvtIoAllocateRequestResources = no_resources};
    UNREFERENCED_PARAMETER(state);
    open_device();
    assert_int_equal(WdfIoQueueAssignForwardProgressPolicy(test_globals, queue, &policy), STATUS_SUCCESS);
    on_request = forget_reserved;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(control(METHOD_BUFFERED, &result), STATUS_SUCCESS);
        answered(true);
    }
    assert_int_equal(seen.calls, 3);
}

/* ---- formatted anew ---- */

static ULONG new_code;
static void reformat(WDFREQUEST request)
{
    WDFMEMORY in, out;
    WDFMEMORY_OFFSET part = {2, 3};
    assert_int_equal(WdfRequestRetrieveInputMemory(test_globals, request, &in), STATUS_SUCCESS);
    assert_int_equal(WdfRequestRetrieveOutputMemory(test_globals, request, &out), STATUS_SUCCESS);
    assert_int_equal(WdfIoTargetFormatRequestForIoctl(test_globals, target, request, new_code, in, &part, out, NULL),
                     STATUS_SUCCESS);
    assert_false(forget(request)); /* not with buffers of its own */
    assert_int_equal(WdfRequestGetStatus(test_globals, request), STATUS_INVALID_DEVICE_REQUEST);
    send_on(request);
}

/* What the driver below gets goes by the new code; the sender's own buffers are back when the request is. */
static void test_reformat(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    on_request = reformat;
    for (ULONG from = METHOD_BUFFERED; from <= METHOD_OUT_DIRECT; from++)
        for (ULONG to = METHOD_BUFFERED; to <= METHOD_NEITHER; to++) {
            new_code = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x123, to, FILE_ANY_ACCESS);
            assert_int_equal(control(from, &result), STATUS_SUCCESS);
            assert_int_equal(seen.irp.RequestorMode, UserMode);
            assert_int_equal(seen.stack.Parameters.DeviceIoControl.IoControlCode, new_code);
            assert_int_equal(seen.stack.Parameters.DeviceIoControl.InputBufferLength, 3);
            assert_int_equal(seen.stack.Parameters.DeviceIoControl.OutputBufferLength, OUT);
            assert_int_equal(seen.irp.MdlAddress != NULL, to == METHOD_IN_DIRECT || to == METHOD_OUT_DIRECT);
            if (to == METHOD_NEITHER)
                assert_true((ULONG_PTR)seen.irp.UserBuffer > plat_layout.user_limit);
            else
                answered(true);
        }
    assert_int_equal(back, 12);
}

static void test_too_few_locations(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    lower->StackSize = 2;
    on_request = forward;
    assert_int_equal(control(METHOD_BUFFERED, &result), STATUS_REQUEST_NOT_ACCEPTED);
    assert_int_equal(seen.calls + (ULONG)back, 0);
    lower->StackSize = 1;
}

/* ---- in a callback ---- */

static void ask_first(WDFREQUEST request)
{
    char word[6];
    ULONG_PTR bytes;
    PVOID out;
    WDF_MEMORY_DESCRIPTOR to;
    WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&to, word, sizeof(word));
    assert_int_equal(WdfIoTargetSendIoctlSynchronously(test_globals, target, NULL, LOWER_CODE(METHOD_BUFFERED), NULL,
                                                       &to, NULL, &bytes),
                     STATUS_SUCCESS);
    assert_int_equal(seen.irp.RequestorMode, KernelMode); /* the driver's own */
    assert_int_equal(WdfRequestRetrieveOutputBuffer(test_globals, request, 6, &out, NULL), STATUS_SUCCESS);
    memcpy(out, word, bytes);
    WdfRequestFormatRequestUsingCurrentType(test_globals, request);
    WDF_REQUEST_SEND_OPTIONS options;
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_SYNCHRONOUS);
    assert_true(WdfRequestSend(test_globals, request, target, &options));
    assert_int_equal(seen.irp.RequestorMode, UserMode);
    WdfRequestComplete(test_globals, request, WdfRequestGetStatus(test_globals, request));
}

static void test_synchronous(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    on_request = ask_first;
    assert_int_equal(control(METHOD_BUFFERED, &result), STATUS_SUCCESS);
    assert_int_equal(result.Information, 6);
    answered(true);
    assert_int_equal(seen.calls, 2);
}

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
    forward(request);
}

static void test_sender_cancels(void **state)
{
    ULONG waiting, owned;
    UNREFERENCED_PARAMETER(state);
    lower_hook = keep_io;
    on_request = forward;
    IRP *irp = send_irp();
    WdfIoQueueGetState(test_globals, queue, &waiting, &owned);
    assert_int_equal(owned, 1); /* the driver's still */
    assert_int_equal(outer.completed, 0);
    IoCancelIrp(irp);
    assert_int_equal(back, 1);
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
    on_request = cancel_and_forward; /* before it is sent: it does not wait */
    irp = send_irp();
    assert_int_equal(outer.completed, 1);
    assert_int_equal(outer.status, STATUS_CANCELLED);
    IoFreeIrp(irp);
    assert_int_equal(back, 3);
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
    lower_hook = keep_io;
    on_request = send_part;
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
    lower_hook = keep_io;
    on_request = forward;
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
        assert_int_equal(back, i);
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
    return set_up(state);
}

static VOID NTAPI use_locked(WDFREQUEST request, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                             WDFCONTEXT context)
{
    size_t length;
    UNREFERENCED_PARAMETER(context);
    assert_memory_equal(WdfMemoryGetBuffer(test_globals, locked, &length), "ANSWER", 6);
    assert_int_equal(length, OUT);
    pass_back(request, from, params, &back);
}

/* The user's pages, locked by the driver above, are the output of the driver below, until the request is completed. */
static void lend_locked(WDFREQUEST request)
{
    new_code = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x124, METHOD_OUT_DIRECT, FILE_ANY_ACCESS);
    assert_int_equal(
        WdfIoTargetFormatRequestForIoctl(test_globals, target, request, new_code, NULL, NULL, locked, NULL),
        STATUS_SUCCESS);
    WdfRequestSetCompletionRoutine(test_globals, request, use_locked, &back);
    assert_true(WdfRequestSend(test_globals, request, target, NULL));
}

static void test_locked(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    on_request = lend_locked;
    assert_int_equal(control(METHOD_NEITHER, &result), STATUS_SUCCESS);
    assert_int_equal(back, 1);
    answered(true);
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
    lower_hook = keep_io;
    on_request = complete_it;
    send_irp();
}
static VOID NTAPI never(WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(request);
}
static void send_it_cancelable(WDFREQUEST request)
{
    WdfRequestMarkCancelable(test_globals, request, never);
    forward(request);
}
static void send_cancelable(void)
{
    on_request = send_it_cancelable;
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
    on_request = lend_and_complete;
    control(METHOD_BUFFERED, &result);
}
static void delete_received(WDFREQUEST request)
{
    WdfObjectDelete(test_globals, request);
}
static void deleted(void)
{
    on_request = delete_received;
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

int run_forward_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_methods),
        LOADED(test_transfers),
        LOADED(test_forget),
        LOADED(test_forget_reserved),
        LOADED(test_reformat),
        LOADED(test_too_few_locations),
        LOADED(test_synchronous),
        LOADED(test_sender_cancels),
        LOADED(test_driver_cancels),
        LOADED(test_race),
        cmocka_unit_test_setup_teardown(test_locked, set_up_locking, tear_down),
        LOADED(test_violations),
    };
    return cmocka_run_group_tests_name("kmdf requests forwarded", tests, NULL, NULL);
}
