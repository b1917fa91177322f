/* request_send_test.c - requests that the driver makes: sent and received back, stack locations, options. */
#include "own_request.h"

/* ---- there and back ---- */

static void test_asynchronous(void **state)
{
    WDF_REQUEST_PARAMETERS parameters;
    PVOID address;
    UNREFERENCED_PARAMETER(state);
    own_make();
    IRP *irp = WdfRequestWdmGetIrp(test_globals, own_request);
    assert_int_equal(WdfRequestGetRequestorMode(test_globals, own_request), KernelMode);
    assert_false(WdfRequestIsFrom32BitProcess(test_globals, own_request));
    assert_null(WdfRequestGetIoQueue(test_globals, own_request));
    assert_null(WdfRequestGetFileObject(test_globals, own_request));
    assert_false(WdfRequestIsCanceled(test_globals, own_request));
    assert_int_equal(WdfRequestGetRequestorProcessId(test_globals, own_request),
                     (ULONG)(ULONG_PTR)PsGetProcessId(PsInitialSystemProcess));
    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(test_globals, own_request, &parameters);
    assert_int_equal(parameters.Type, WdfRequestTypeNoFormat);
    assert_int_equal(WdfRequestRetrieveInputBuffer(test_globals, own_request, 0, &address, NULL),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(
        WdfRequestMarkCancelableEx(test_globals, own_request, (PFN_WDF_REQUEST_CANCEL)(void *)own_on_return),
        STATUS_INVALID_DEVICE_REQUEST);
    assert_false(WdfRequestSend(test_globals, own_request, target, NULL)); /* not formatted */
    assert_int_equal(WdfRequestGetStatus(test_globals, own_request), STATUS_INVALID_DEVICE_REQUEST);
    memcpy(own_buffer, "the input", 10);
    assert_int_equal(own_references(), 1);
    own_sent();
    assert_int_equal(own_references(), 3);
    assert_int_equal(own_returned, 0);
    assert_ptr_equal(WdfRequestWdmGetIrp(test_globals, own_request), irp);
    assert_string_equal(irp->AssociatedIrp.SystemBuffer, "the input");
    assert_int_equal(WdfIoTargetFormatRequestForIoctl(test_globals, target, own_request, 0, NULL, NULL, NULL, NULL),
                     STATUS_INVALID_DEVICE_REQUEST);
    memcpy(irp->AssociatedIrp.SystemBuffer, "THE", 3);
    assert_true(lower_finish(STATUS_SUCCESS, 3));
    assert_int_equal(own_returned, 1);
    assert_string_equal(own_buffer, "THE input");
    assert_int_equal(own_result.Type, WdfRequestTypeDeviceControl);
    assert_int_equal(own_result.IoStatus.Status, STATUS_SUCCESS);
    assert_int_equal(own_result.IoStatus.Information, 3);
    assert_int_equal(own_result.Parameters.Ioctl.IoControlCode, LOWER_CODE(METHOD_BUFFERED));
    assert_ptr_equal(own_result.Parameters.Ioctl.Input.Buffer, own_memory);
    assert_ptr_equal(own_result.Parameters.Ioctl.Output.Buffer, own_memory);
    assert_int_equal(own_result.Parameters.Ioctl.Output.Length, 3);
    WDF_REQUEST_COMPLETION_PARAMS again;
    WDF_REQUEST_COMPLETION_PARAMS_INIT(&again);
    WdfRequestGetCompletionParams(test_globals, own_request, &again);
    assert_memory_equal(&again, &own_result, sizeof(again));
    assert_int_equal(own_references(), 3); /* until the request is reused */
    assert_false(WdfRequestSend(test_globals, own_request, target, NULL));
    own_reuse();
    assert_int_equal(own_references(), 1);
    own_sent();
    assert_true(lower_finish(STATUS_UNSUCCESSFUL, 5));
    assert_int_equal(own_returned, 2);
    assert_int_equal(own_result.IoStatus.Status, STATUS_UNSUCCESSFUL);
    WdfObjectDelete(test_globals, own_request);
    assert_int_equal(own_references(), 1);
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
    own_reuse();
    assert_int_equal(WdfIoTargetFormatRequestForRead(test_globals, from, back, own_memory, NULL, NULL), STATUS_SUCCESS);
    WdfRequestSetCompletionRoutine(test_globals, back, --*left ? send_again : delete_it, left);
    assert_true(WdfRequestSend(test_globals, back, from, NULL));
}

/* A completion routine may delete the request, or send it again, before WdfRequestSend has returned. */
static void test_in_routine(void **state)
{
    LONG left = 5;
    WDF_OBJECT_ATTRIBUTES attributes;
    UNREFERENCED_PARAMETER(state);
    own_make();
    WdfObjectDelete(test_globals, own_request);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.EvtDestroyCallback = note_destroyed;
    attributes.ParentObject = target_device;
    assert_int_equal(WdfRequestCreate(test_globals, &attributes, NULL, &own_request), STATUS_SUCCESS);
    assert_null(WdfRequestWdmGetIrp(test_globals, own_request));
    lower_hook = own_complete_at_once;
    assert_int_equal(WdfIoTargetFormatRequestForRead(test_globals, target, own_request, own_memory, NULL, NULL),
                     STATUS_SUCCESS);
    assert_non_null(WdfRequestWdmGetIrp(test_globals, own_request));
    WdfRequestSetCompletionRoutine(test_globals, own_request, send_again, &left);
    assert_true(WdfRequestSend(test_globals, own_request, target, NULL));
    assert_int_equal(left, 0);
    assert_string_equal(test_record, "deleted; destroyed; ");
    assert_int_equal(own_references(), 1);
}

static void test_synchronous(void **state)
{
    uint64_t id;
    ULONG_PTR bytes;
    UNREFERENCED_PARAMETER(state);
    own_make();
    assert_int_equal(plat_thread_create(own_finish_later, NULL, &id), STATUS_SUCCESS);
    own_format();
    assert_true(own_send_with(WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, 0));
    plat_thread_join(id);
    assert_int_equal(WdfRequestGetStatus(test_globals, own_request), STATUS_SUCCESS);
    assert_int_equal(WdfRequestGetInformation(test_globals, own_request), 7);
    assert_int_equal(own_returned, 0);
    own_reuse();
    WDF_MEMORY_DESCRIPTOR descriptor;
    WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&descriptor, own_memory, NULL);
    assert_int_equal(plat_thread_create(own_finish_later, NULL, &id), STATUS_SUCCESS);
    assert_int_equal(
        WdfIoTargetSendReadSynchronously(test_globals, target, own_request, &descriptor, NULL, NULL, &bytes),
        STATUS_SUCCESS);
    plat_thread_join(id);
    assert_int_equal(bytes, 7);
    assert_int_equal(own_references(), 2);
    own_reuse();
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    own_format();
    assert_false(own_send_with(WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, 0));
    KeLowerIrql(irql);
    assert_int_equal(WdfRequestGetStatus(test_globals, own_request), STATUS_INVALID_DEVICE_REQUEST);
}

/* ---- stack locations and IRPs ---- */

static void test_locations(void **state)
{
    WDF_REQUEST_REUSE_PARAMS params;
    WDFREQUEST other;
    UNREFERENCED_PARAMETER(state);
    own_make();
    lower->StackSize = 3; /* more than the request has been made for */
    IRP *small = WdfRequestWdmGetIrp(test_globals, own_request);
    assert_int_equal(small->StackCount, 1);
    assert_int_equal(WdfRequestChangeTarget(test_globals, own_request, target), STATUS_SUCCESS);
    assert_int_equal(WdfRequestWdmGetIrp(test_globals, own_request)->StackCount, 3);
    IRP *irp = IoAllocateIrp(2, FALSE);
    assert_int_equal(WdfRequestCreateFromIrp(test_globals, NULL, irp, FALSE, &other), STATUS_SUCCESS);
    assert_ptr_equal(WdfRequestWdmGetIrp(test_globals, other), irp);
    assert_int_equal(WdfRequestChangeTarget(test_globals, other, target), STATUS_REQUEST_NOT_ACCEPTED);
    assert_int_equal(WdfIoTargetFormatRequestForRead(test_globals, target, other, own_memory, NULL, NULL),
                     STATUS_REQUEST_NOT_ACCEPTED);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IO_STACK_LOCATION stack = {.MajorFunction = IRP_MJ_WRITE};
    WdfRequestWdmFormatUsingStackLocation(test_globals, other, &stack);
    assert_false(WdfRequestSend(test_globals, other, target, NULL));
    assert_int_equal(WdfRequestGetStatus(test_globals, other), STATUS_REQUEST_NOT_ACCEPTED);
    lower->StackSize = 1;
    lower_hook = own_complete_at_once;
    assert_true(WdfRequestSend(test_globals, other, target, NULL));
    assert_int_equal(WdfRequestGetInformation(test_globals, other), 100);
    WDF_REQUEST_REUSE_PARAMS_INIT(&params, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_PENDING);
    params.Size--;
    assert_int_equal(WdfRequestReuse(test_globals, other, &params), STATUS_INVALID_PARAMETER);
    params.Size++;
    assert_int_equal(WdfRequestReuse(test_globals, other, &params), STATUS_SUCCESS);
    assert_int_equal(WdfRequestGetStatus(test_globals, other), STATUS_PENDING);
    WDF_REQUEST_REUSE_PARAMS_SET_NEW_IRP(&params, NULL);
    assert_int_equal(WdfRequestReuse(test_globals, own_request, &params), STATUS_WDF_REQUEST_INVALID_STATE);
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
    own_make();
    own_format();
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        assert_false(own_send_with(rows[i].flags, 0));
        assert_int_equal(WdfRequestGetStatus(test_globals, own_request), rows[i].status);
    }
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, 0);
    options.Size++;
    assert_false(WdfRequestSend(test_globals, own_request, target, &options));
    assert_int_equal(WdfRequestGetStatus(test_globals, own_request), STATUS_INFO_LENGTH_MISMATCH);
    assert_true(WdfRequestSend(test_globals, own_request, target, NULL)); /* still formatted */
    assert_true(lower_finish(STATUS_SUCCESS, 0));
    assert_int_equal(own_returned, 1);
}

int run_request_send_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, target_set_up, target_tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_asynchronous), LOADED(test_in_routine), LOADED(test_synchronous),
                                       LOADED(test_locations), LOADED(test_options)};
    return cmocka_run_group_tests_name("kmdf requests sent", tests, NULL, NULL);
}
