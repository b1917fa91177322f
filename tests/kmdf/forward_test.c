/* forward_test.c - requests of user mode that a framework driver sends on: as they came, to be forgotten, formatted
 * anew, synchronously. */
#include "forward_fixture.h"

/* ---- as they came ---- */

static void test_methods(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    forward_on_request = forward_it;
    for (ULONG method = METHOD_BUFFERED; method <= METHOD_NEITHER; method++) {
        bool direct = method == METHOD_IN_DIRECT || method == METHOD_OUT_DIRECT;
        assert_int_equal(forward_control(method, &result), STATUS_SUCCESS);
        assert_int_equal(result.Information, 6);
        forward_answered(method != METHOD_NEITHER);
        assert_int_equal(forward_seen.irp.RequestorMode, UserMode);
        assert_int_equal(forward_seen.stack.Parameters.DeviceIoControl.IoControlCode, LOWER_CODE(method));
        assert_int_equal(forward_seen.stack.Parameters.DeviceIoControl.InputBufferLength, IN);
        assert_int_equal(forward_seen.stack.Parameters.DeviceIoControl.OutputBufferLength, OUT);
        assert_int_equal(forward_seen.irp.MdlAddress != NULL, direct);
        if (method == METHOD_NEITHER) {
            assert_int_equal((ULONG_PTR)forward_seen.stack.Parameters.DeviceIoControl.Type3InputBuffer, forward_base);
            assert_int_equal((ULONG_PTR)forward_seen.irp.UserBuffer, forward_base + OUT_AT);
        }
        assert_ptr_equal(forward_seen.stack.FileObject, WdfIoTargetWdmGetTargetFileObject(test_globals, target));
        assert_int_equal(forward_back, (LONG)method + 1);
    }
}

static void test_transfers(void **state)
{
    static const ULONG kinds[] = {0, DO_BUFFERED_IO, DO_DIRECT_IO};
    DEVICE_OBJECT *upper = WdfDeviceWdmGetDeviceObject(test_globals, target_device);
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    forward_on_request = forward_it;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(kinds); i++) {
        upper->Flags = (upper->Flags & ~(ULONG)(DO_BUFFERED_IO | DO_DIRECT_IO)) | kinds[i];
        plat_user_store(forward_base + OUT_AT, "......", 6);
        assert_int_equal(io_read(forward_file, forward_base + OUT_AT, OUT, 0x77, &result), STATUS_SUCCESS);
        forward_answered(kinds[i]);
        assert_int_equal(forward_seen.stack.MajorFunction, IRP_MJ_READ);
        assert_int_equal(forward_seen.stack.Parameters.Read.ByteOffset.QuadPart, 0x77);
        assert_int_equal(forward_seen.irp.MdlAddress != NULL, kinds[i] == DO_DIRECT_IO);
        assert_int_equal(io_write(forward_file, forward_base, IN, 0, &result), STATUS_SUCCESS);
        assert_int_equal(forward_seen.stack.MajorFunction, IRP_MJ_WRITE);
        assert_int_equal(forward_seen.stack.Parameters.Write.Length, IN);
    }
    assert_int_equal(forward_back, 6);
}

/* ---- forgotten ---- */

static bool formatted_first;
static void forget_it(WDFREQUEST request)
{
    if (formatted_first)
        WdfRequestFormatRequestUsingCurrentType(test_globals, request);
    if (!forward_forget(request)) {
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
    forward_on_request = forget_it;
    formatted_first = false;
    assert_int_equal(forward_control(METHOD_BUFFERED, &result),
                     STATUS_UNSUCCESSFUL); /* not to a file object of the target's */
    assert_string_equal(test_record, "0xC0000010; ");
    open_device();
    FILE_OBJECT *user_file = io_file_object(forward_file);
    for (int i = 0; i < 3; i++) {
        formatted_first = i == 1;
        upper->StackSize = i == 2 ? 1 : 2; /* the next driver gets the sender's own location then */
        assert_int_equal(forward_control(METHOD_BUFFERED, &result), STATUS_SUCCESS);
        assert_int_equal(result.Information, 6);
        forward_answered(true);
        assert_int_equal(forward_seen.irp.RequestorMode, UserMode);
        assert_int_equal(forward_seen.irp.CurrentLocation, 1);
        assert_ptr_equal(forward_seen.stack.FileObject, user_file);
        WdfIoQueueGetState(test_globals, forward_queue, &waiting, &owned);
        assert_int_equal(waiting + owned, 0);
    }
    assert_int_equal(forward_seen.calls, 3);
    WdfIoTargetStop(test_globals, target, WdfIoTargetCancelSentIo); /* whatever its state */
    assert_int_equal(forward_control(METHOD_BUFFERED, &result), STATUS_SUCCESS);
    WdfIoTargetClose(test_globals, target);
    assert_int_equal(forward_control(METHOD_BUFFERED, &result), STATUS_UNSUCCESSFUL);
    assert_string_equal(test_record, "0xC0000010; 0xC0000184; ");
    assert_int_equal(forward_seen.calls, 4);
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
    assert_true(forward_forget(request));
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
    assert_int_equal(WdfIoQueueAssignForwardProgressPolicy(test_globals, forward_queue, &policy), STATUS_SUCCESS);
    forward_on_request = forget_reserved;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(forward_control(METHOD_BUFFERED, &result), STATUS_SUCCESS);
        forward_answered(true);
    }
    assert_int_equal(forward_seen.calls, 3);
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
    assert_false(forward_forget(request)); /* not with buffers of its own */
    assert_int_equal(WdfRequestGetStatus(test_globals, request), STATUS_INVALID_DEVICE_REQUEST);
    forward_send_on(request);
}

/* What the driver below gets goes by the new code; the sender's own buffers are back when the request is. */
static void test_reformat(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    forward_on_request = reformat;
    for (ULONG from = METHOD_BUFFERED; from <= METHOD_OUT_DIRECT; from++)
        for (ULONG to = METHOD_BUFFERED; to <= METHOD_NEITHER; to++) {
            new_code = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x123, to, FILE_ANY_ACCESS);
            assert_int_equal(forward_control(from, &result), STATUS_SUCCESS);
            assert_int_equal(forward_seen.irp.RequestorMode, UserMode);
            assert_int_equal(forward_seen.stack.Parameters.DeviceIoControl.IoControlCode, new_code);
            assert_int_equal(forward_seen.stack.Parameters.DeviceIoControl.InputBufferLength, 3);
            assert_int_equal(forward_seen.stack.Parameters.DeviceIoControl.OutputBufferLength, OUT);
            assert_int_equal(forward_seen.irp.MdlAddress != NULL, to == METHOD_IN_DIRECT || to == METHOD_OUT_DIRECT);
            if (to == METHOD_NEITHER)
                assert_true((ULONG_PTR)forward_seen.irp.UserBuffer > plat_layout.user_limit);
            else
                forward_answered(true);
        }
    assert_int_equal(forward_back, 12);
}

static void test_too_few_locations(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    lower->StackSize = 2;
    forward_on_request = forward_it;
    assert_int_equal(forward_control(METHOD_BUFFERED, &result), STATUS_REQUEST_NOT_ACCEPTED);
    assert_int_equal(forward_seen.calls + (ULONG)forward_back, 0);
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
    assert_int_equal(forward_seen.irp.RequestorMode, KernelMode); /* the driver's own */
    assert_int_equal(WdfRequestRetrieveOutputBuffer(test_globals, request, 6, &out, NULL), STATUS_SUCCESS);
    memcpy(out, word, bytes);
    WdfRequestFormatRequestUsingCurrentType(test_globals, request);
    WDF_REQUEST_SEND_OPTIONS options;
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_SYNCHRONOUS);
    assert_true(WdfRequestSend(test_globals, request, target, &options));
    assert_int_equal(forward_seen.irp.RequestorMode, UserMode);
    WdfRequestComplete(test_globals, request, WdfRequestGetStatus(test_globals, request));
}

static void test_synchronous(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    forward_on_request = ask_first;
    assert_int_equal(forward_control(METHOD_BUFFERED, &result), STATUS_SUCCESS);
    assert_int_equal(result.Information, 6);
    forward_answered(true);
    assert_int_equal(forward_seen.calls, 2);
}

int run_forward_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, forward_set_up, forward_tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_methods),  LOADED(test_transfers),         LOADED(test_forget),     LOADED(test_forget_reserved),
        LOADED(test_reformat), LOADED(test_too_few_locations), LOADED(test_synchronous)};
    return cmocka_run_group_tests_name("kmdf requests forwarded", tests, NULL, NULL);
}
