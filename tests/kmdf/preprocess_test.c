/* preprocess_test.c - the way of IRPs at a function or filter device: what goes down, what a driver sees before the
 * framework, what it sends to a queue itself, the remove lock, the shutdown notification. */
#include "pnp_fixture.h"

static WDFQUEUE queue;
static WDFREQUEST kept;

static VOID NTAPI finish(WDFQUEUE from, WDFREQUEST request, size_t out, size_t in, ULONG code)
{
    UNREFERENCED_PARAMETER(from);
    assert_true(out == 0 && in == 0);
    fdo_note("control %d; ", (int)(code >> 2));
    WdfRequestCompleteWithInformation(fdo_globals, request, STATUS_SUCCESS, code >> 2);
}
static VOID NTAPI keep(WDFQUEUE from, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(from);
    fdo_note("kept; ");
    kept = request;
}

static NTSTATUS one_queue(WDFDEVICE device)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchParallel);
    config.EvtIoDeviceControl = finish;
    config.PowerManaged = WdfFalse;
    NTSTATUS status = WdfIoQueueCreate(fdo_globals, device, &config, NULL, &queue);
    return NT_SUCCESS(status)
               ? WdfDeviceConfigureRequestDispatching(fdo_globals, device, queue, WdfRequestTypeDeviceControl)
               : status;
}

static void send(UCHAR major, ULONG number, NTSTATUS status, ULONG_PTR information)
{
    struct fdo_sent sent;
    fdo_request(&sent, major, number);
    assert_int_equal(sent.information, information);
    fdo_gone(&sent, status);
}

/* ---- what goes down ---- */

static void test_function_device(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.quiet = true;
    fdo_behaviour.after = one_queue;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    send(IRP_MJ_DEVICE_CONTROL, 5, STATUS_SUCCESS, 5);
    send(IRP_MJ_READ, 5, STATUS_INVALID_DEVICE_REQUEST, 0);
    send(IRP_MJ_FLUSH_BUFFERS, 0, STATUS_INVALID_DEVICE_REQUEST, 0);
    send(IRP_MJ_CREATE, 0, STATUS_SUCCESS, 0);
    send(IRP_MJ_CLEANUP, 0, STATUS_SUCCESS, 0);
    send(IRP_MJ_CLOSE, 0, STATUS_SUCCESS, 0);
    send(IRP_MJ_SHUTDOWN, 0, STATUS_INVALID_DEVICE_REQUEST, 0);
    fdo_expect("control 5; ");
    send(IRP_MJ_SYSTEM_CONTROL, 0, STATUS_SUCCESS, 77);
    fdo_expect("bus: major 23; ");
    fdo_end();
}

static NTSTATUS set_filter(PWDFDEVICE_INIT init)
{
    WdfFdoInitSetFilter(fdo_globals, init);
    return STATUS_SUCCESS;
}

static void test_filter(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.quiet = true;
    fdo_behaviour.before = set_filter;
    fdo_behaviour.after = one_queue;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    DEVICE_OBJECT *wdm = WdfDeviceWdmGetDeviceObject(fdo_globals, fdo_device);
    assert_int_equal(wdm->DeviceType, 0x4321);
    assert_int_equal(wdm->Characteristics, fdo_pdo->Characteristics);
    assert_int_equal(wdm->Flags & (DO_DIRECT_IO | DO_BUFFERED_IO), DO_DIRECT_IO);
    send(IRP_MJ_DEVICE_CONTROL, 5, STATUS_SUCCESS, 5);
    send(IRP_MJ_READ, 5, STATUS_SUCCESS, 77);
    send(IRP_MJ_FLUSH_BUFFERS, 0, STATUS_SUCCESS, 77);
    send(IRP_MJ_CREATE, 0, STATUS_SUCCESS, 77);
    send(IRP_MJ_CLEANUP, 0, STATUS_SUCCESS, 77);
    send(IRP_MJ_CLOSE, 0, STATUS_SUCCESS, 77);
    send(IRP_MJ_SHUTDOWN, 0, STATUS_SUCCESS, 77);
    fdo_expect("control 5; bus: major 3; bus: major 9; bus: major 0; bus: major 18; bus: major 2; bus: major 16; ");
    fdo_end();
}

/* ---- files ---- */

static WDF_TRI_STATE forward;
static VOID NTAPI file_create(WDFDEVICE device, WDFREQUEST request, WDFFILEOBJECT file)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(file);
    fdo_note("create; ");
    WdfRequestComplete(fdo_globals, request, STATUS_SUCCESS);
}
static VOID NTAPI file_cleanup(WDFFILEOBJECT file)
{
    UNREFERENCED_PARAMETER(file);
    fdo_note("file cleanup; ");
}
static VOID NTAPI file_close(WDFFILEOBJECT file)
{
    UNREFERENCED_PARAMETER(file);
    fdo_note("close; ");
}
static bool with_create;
static NTSTATUS with_files(PWDFDEVICE_INIT init)
{
    WDF_FILEOBJECT_CONFIG config;
    WDF_FILEOBJECT_CONFIG_INIT(&config, with_create ? file_create : NULL, file_close, file_cleanup);
    config.AutoForwardCleanupClose = forward;
    WdfDeviceInitSetFileObjectConfig(fdo_globals, init, &config, NULL);
    return STATUS_SUCCESS;
}

static FILE_OBJECT file;
static void fill_file(IO_STACK_LOCATION *stack)
{
    stack->FileObject = &file;
}

static void check_files(WDF_TRI_STATE how, bool create, const char *record)
{
    fdo_load();
    forward = how;
    with_create = create;
    fdo_behaviour.quiet = true;
    fdo_behaviour.before = with_files;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(fdo_send_irp(IRP_MJ_CREATE, 0, fill_file, NULL), STATUS_SUCCESS);
    assert_int_equal(fdo_send_irp(IRP_MJ_CLEANUP, 0, fill_file, NULL), STATUS_SUCCESS);
    assert_int_equal(fdo_send_irp(IRP_MJ_CLOSE, 0, fill_file, NULL), STATUS_SUCCESS);
    fdo_expect(record);
    fdo_end();
}

static void test_files(void **state)
{
    UNREFERENCED_PARAMETER(state);
    check_files(WdfUseDefault, true, "create; file cleanup; close; ");
    check_files(WdfFalse, false, "file cleanup; close; ");
    check_files(WdfTrue, false, "bus: major 0; file cleanup; bus: major 18; close; bus: major 2; ");
    check_files(WdfTrue, true, "create; file cleanup; bus: major 18; close; bus: major 2; ");
}

/* ---- preprocessing ---- */

static NTSTATUS NTAPI see(WDFDEVICE device, PIRP irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    fdo_note("see %d %d; ", stack->MajorFunction, stack->MinorFunction);
    if (stack->MajorFunction == IRP_MJ_FLUSH_BUFFERS) { /* what the framework does not know, the driver answers */
        irp->IoStatus.Status = STATUS_SUCCESS;
        irp->IoStatus.Information = 9;
        IofCompleteRequest(irp, IO_NO_INCREMENT);
        return STATUS_SUCCESS;
    }
    irp->CurrentLocation++; /* IoSkipCurrentIrpStackLocation */
    irp->Tail.Overlay.CurrentStackLocation++;
    return WdfDeviceWdmDispatchPreprocessedIrp(fdo_globals, device, irp);
}

static NTSTATUS NTAPI count_end(DEVICE_OBJECT *device, IRP *irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    if (irp->PendingReturned)
        IoMarkIrpPending(irp);
    fdo_note("ended; ");
    return STATUS_SUCCESS;
}

/* With a completion routine, for which there is a stack location. */
static NTSTATUS NTAPI see_end(WDFDEVICE device, PIRP irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp), *below = stack - 1;
    memcpy(below, stack, offsetof(IO_STACK_LOCATION, CompletionRoutine));
    below->CompletionRoutine = count_end;
    below->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    return WdfDeviceWdmDispatchPreprocessedIrp(fdo_globals, device, irp);
}

static NTSTATUS with_preprocess(PWDFDEVICE_INIT init)
{
    UCHAR start = IRP_MN_START_DEVICE, stop = IRP_MN_STOP_DEVICE;
    assert_int_equal(WdfDeviceInitAssignWdmIrpPreprocessCallback(fdo_globals, init, see, 0x1C, NULL, 0),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfDeviceInitAssignWdmIrpPreprocessCallback(fdo_globals, init, see, IRP_MJ_FLUSH_BUFFERS, NULL, 0),
                     STATUS_SUCCESS);
    assert_int_equal(WdfDeviceInitAssignWdmIrpPreprocessCallback(fdo_globals, init, see, IRP_MJ_PNP, &start, 1),
                     STATUS_SUCCESS);
    assert_int_equal(WdfDeviceInitAssignWdmIrpPreprocessCallback(fdo_globals, init, see, IRP_MJ_PNP, &stop, 1),
                     STATUS_INVALID_DEVICE_REQUEST);
    return WdfDeviceInitAssignWdmIrpPreprocessCallback(fdo_globals, init, see_end, IRP_MJ_DEVICE_CONTROL, NULL, 0);
}

static void test_preprocess(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.quiet = true;
    fdo_behaviour.before = with_preprocess;
    fdo_behaviour.after = one_queue;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceWdmGetDeviceObject(fdo_globals, fdo_device)->StackSize, fdo_pdo->StackSize + 2);
    send(IRP_MJ_FLUSH_BUFFERS, 0, STATUS_SUCCESS, 9);
    send(IRP_MJ_DEVICE_CONTROL, 5, STATUS_SUCCESS, 5);
    fdo_expect("see 9 0; control 5; ended; ");
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_STOP_DEVICE), STATUS_SUCCESS);
    fdo_expect("see 27 0; bus: start; bus: stop; ");
    fdo_end();
}

/* ---- dispatching by the driver ---- */

static WDFQUEUE other;
static NTSTATUS NTAPI choose(WDFDEVICE device, UCHAR major, UCHAR minor, ULONG code, WDFCONTEXT context, PIRP irp,
                             WDFCONTEXT dispatch)
{
    assert_ptr_equal(context, &other);
    assert_int_equal(minor, 0);
    fdo_note("choose %d %d; ", major, (int)(code >> 2));
    if (code >> 2 == 1)
        return WdfDeviceWdmDispatchIrpToIoQueue(fdo_globals, device, irp, other, 0);
    if (code >> 2 == 2)
        return WdfDeviceWdmDispatchIrpToIoQueue(fdo_globals, device, irp, other,
                                                WDF_DISPATCH_IRP_TO_IO_QUEUE_INVOKE_INCALLERCTX_CALLBACK);
    return WdfDeviceWdmDispatchIrp(fdo_globals, device, irp, dispatch);
}
static VOID NTAPI in_caller(WDFDEVICE device, WDFREQUEST request)
{
    fdo_note("in caller; ");
    assert_int_equal(WdfDeviceEnqueueRequest(fdo_globals, device, request), STATUS_SUCCESS);
}
static NTSTATUS with_caller(PWDFDEVICE_INIT init)
{
    WdfDeviceInitSetIoInCallerContextCallback(fdo_globals, init, in_caller);
    return STATUS_SUCCESS;
}
static NTSTATUS two_queues(WDFDEVICE device)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchSequential);
    config.EvtIoDefault = keep;
    config.PowerManaged = WdfFalse;
    assert_int_equal(WdfIoQueueCreate(fdo_globals, device, &config, NULL, &other), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceConfigureWdmIrpDispatchCallback(fdo_globals, device, fdo_wdf_driver,
                                                              IRP_MJ_DEVICE_CONTROL, choose, &other),
                     STATUS_SUCCESS);
    assert_int_equal(WdfDeviceConfigureWdmIrpDispatchCallback(fdo_globals, device, NULL, IRP_MJ_CREATE, choose, &other),
                     STATUS_INVALID_PARAMETER);
    return one_queue(device);
}

static void test_dispatch(void **state)
{
    struct fdo_sent sent;
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.quiet = true;
    fdo_behaviour.before = with_caller;
    fdo_behaviour.after = two_queues;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    fdo_request(&sent, IRP_MJ_DEVICE_CONTROL, 1);
    fdo_expect("choose 14 1; kept; ");
    WdfRequestComplete(fdo_globals, kept, STATUS_SUCCESS);
    fdo_gone(&sent, STATUS_SUCCESS);
    fdo_request(&sent, IRP_MJ_DEVICE_CONTROL, 2);
    fdo_expect("choose 14 2; in caller; kept; ");
    WdfRequestComplete(fdo_globals, kept, STATUS_SUCCESS);
    fdo_gone(&sent, STATUS_SUCCESS);
    send(IRP_MJ_DEVICE_CONTROL, 3, STATUS_SUCCESS, 3);
    fdo_expect("choose 14 3; in caller; control 3; ");
    fdo_end();
}

/* From a preprocess callback. */
static NTSTATUS NTAPI to_queue(WDFDEVICE device, PIRP irp)
{
    irp->CurrentLocation++;
    irp->Tail.Overlay.CurrentStackLocation++;
    return WdfDeviceWdmDispatchIrpToIoQueue(fdo_globals, device, irp, queue,
                                            WDF_DISPATCH_IRP_TO_IO_QUEUE_PREPROCESSED_IRP);
}
static NTSTATUS with_to_queue(PWDFDEVICE_INIT init)
{
    return WdfDeviceInitAssignWdmIrpPreprocessCallback(fdo_globals, init, to_queue, IRP_MJ_DEVICE_CONTROL, NULL, 0);
}
static void test_preprocess_to_queue(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.quiet = true;
    fdo_behaviour.before = with_to_queue;
    fdo_behaviour.after = one_queue;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    send(IRP_MJ_DEVICE_CONTROL, 5, STATUS_SUCCESS, 5);
    fdo_end();
}

/* ---- the remove lock ---- */

static IRP *held_below;
static NTSTATUS NTAPI hold_below(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    held_below = irp;
    return STATUS_PENDING;
}
static NTSTATUS locked_filter(PWDFDEVICE_INIT init)
{
    WDF_REMOVE_LOCK_OPTIONS options;
    WdfFdoInitSetFilter(fdo_globals, init);
    WDF_REMOVE_LOCK_OPTIONS_INIT(&options, WDF_REMOVE_LOCK_OPTION_ACQUIRE_FOR_IO);
    WdfDeviceInitSetRemoveLockOptions(fdo_globals, init, &options);
    return STATUS_SUCCESS;
}
static VOID NTAPI end_below(PVOID parameter)
{
    UNREFERENCED_PARAMETER(parameter);
    fdo_note("ended below; ");
    held_below->IoStatus.Status = STATUS_SUCCESS;
    IofCompleteRequest(held_below, IO_NO_INCREMENT);
}

/* The device goes when what it has passed down is complete, not before. */
static void test_remove_lock(void **state)
{
    static WORK_QUEUE_ITEM item;
    struct fdo_sent sent;
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    fdo_behaviour.quiet = true;
    fdo_behaviour.before = locked_filter;
    fdo_pdo->DriverObject->MajorFunction[IRP_MJ_WRITE] = hold_below;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceWdmGetDeviceObject(fdo_globals, fdo_device)->StackSize, fdo_pdo->StackSize + 2);
    fdo_request(&sent, IRP_MJ_WRITE, 5);
    assert_int_equal(sent.completed, 0);
    item = (WORK_QUEUE_ITEM){.WorkerRoutine = end_below};
    ExQueueWorkItem(&item, DelayedWorkQueue);
    assert_int_equal(fdo_send(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_expect("ended below; bus: remove; cleanup; destroy; ");
    fdo_gone(&sent, STATUS_SUCCESS);
    fdo_unload();
}

/* ---- shutdown ---- */

static VOID NTAPI on_shutdown(WDFDEVICE device)
{
    assert_ptr_equal(device, fdo_device);
    fdo_note("shutdown; ");
}

static void test_shutdown(void **state)
{
    static UNICODE_STRING sddl = {4, 4, (PWCH)L"D:"};
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(fdo_globals, fdo_wdf_driver, &sddl);
    WdfControlDeviceInitSetShutdownNotification(fdo_globals, init, on_shutdown, WdfDeviceShutdown);
    assert_int_equal(WdfDeviceCreate(fdo_globals, &init, NULL, &fdo_device), STATUS_SUCCESS);
    DEVICE_OBJECT *wdm = WdfDeviceWdmGetDeviceObject(fdo_globals, fdo_device);
    IO_STATUS_BLOCK result;
    KEVENT done;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IRP *irp = IoBuildSynchronousFsdRequest(IRP_MJ_SHUTDOWN, wdm, NULL, 0, NULL, &done, &result);
    IofCallDriver(wdm, irp);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    assert_int_equal(result.Status, STATUS_SUCCESS);
    fdo_expect("shutdown; ");
    WdfObjectDelete(fdo_globals, fdo_device);
    fdo_unload();
}

/* ---- what must not be done ---- */

static void fdo_method_for_control_device(void)
{
    static UNICODE_STRING sddl = {4, 4, (PWCH)L"D:"};
    fdo_load();
    WdfFdoInitSetFilter(fdo_globals, WdfControlDeviceInitAllocate(fdo_globals, fdo_wdf_driver, &sddl));
}

static void test_misuse(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(fdo_method_for_control_device);
    assert_true(result.happened);
    assert_int_equal(result.code, 0x10D);
    assert_non_null(strstr(result.report, "of a control device"));
}

int run_preprocess_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_function_device), cmocka_unit_test(test_filter),
        cmocka_unit_test(test_files),           cmocka_unit_test(test_preprocess),
        cmocka_unit_test(test_dispatch),        cmocka_unit_test(test_preprocess_to_queue),
        cmocka_unit_test(test_remove_lock),     cmocka_unit_test(test_shutdown),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests_name("kmdf preprocessing", tests, NULL, NULL);
}
