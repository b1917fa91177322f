/* own_request.c - a request that the driver makes, for the suites that send it. */
#include "own_request.h"

WDFREQUEST own_request;
WDFMEMORY own_memory;
UCHAR *own_buffer;
LONG own_returned; /* completion routines */
WDF_REQUEST_COMPLETION_PARAMS own_result;

VOID NTAPI own_on_return(WDFREQUEST back, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params, WDFCONTEXT context)
{
    assert_ptr_equal(back, own_request);
    assert_ptr_equal(from, target);
    assert_ptr_equal(context, &own_returned);
    assert_int_equal(params->Size, sizeof(*params));
    assert_int_equal(WdfRequestGetStatus(test_globals, back), params->IoStatus.Status);
    assert_int_equal(WdfRequestGetInformation(test_globals, back), params->IoStatus.Information);
    own_result = *params;
    __atomic_add_fetch(&own_returned, 1, __ATOMIC_SEQ_CST);
}

NTSTATUS own_keep_controls(IRP *irp, IO_STACK_LOCATION *stack)
{
    bool files = stack->MajorFunction == IRP_MJ_CREATE || stack->MajorFunction == IRP_MJ_CLEANUP ||
                 stack->MajorFunction == IRP_MJ_CLOSE;
    return files ? lower_complete(irp, STATUS_SUCCESS, 0) : lower_keep(irp);
}

void own_make(void)
{
    own_returned = 0;
    target_open();
    lower_hook = own_keep_controls;
    assert_int_equal(WdfRequestCreate(test_globals, NULL, target, &own_request), STATUS_SUCCESS);
    assert_int_equal(WdfMemoryCreate(test_globals, NULL, NonPagedPool, 0, 16, &own_memory, (PVOID *)&own_buffer),
                     STATUS_SUCCESS);
}

void own_format(void)
{
    assert_int_equal(WdfIoTargetFormatRequestForIoctl(test_globals, target, own_request, LOWER_CODE(METHOD_BUFFERED),
                                                      own_memory, NULL, own_memory, NULL),
                     STATUS_SUCCESS);
    WdfRequestSetCompletionRoutine(test_globals, own_request, own_on_return, &own_returned);
}

void own_reuse(void)
{
    WDF_REQUEST_REUSE_PARAMS params;
    WDF_REQUEST_REUSE_PARAMS_INIT(&params, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_SUCCESS);
    assert_int_equal(WdfRequestReuse(test_globals, own_request, &params), STATUS_SUCCESS);
}

BOOLEAN own_send_with(ULONG flags, LONGLONG timeout)
{
    WDF_REQUEST_SEND_OPTIONS options;
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, flags);
    if (timeout)
        WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&options, timeout);
    return WdfRequestSend(test_globals, own_request, target, &options);
}

void own_sent(void)
{
    own_format();
    assert_true(WdfRequestSend(test_globals, own_request, target, NULL));
}

LONG own_references(void)
{
    return kmdf_handle_find(own_memory)->references;
}

NTSTATUS own_complete_at_once(IRP *irp, IO_STACK_LOCATION *stack)
{
    UNREFERENCED_PARAMETER(stack);
    return lower_complete(irp, STATUS_SUCCESS, 100);
}

void own_finish_later(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    while (!lower_finish(STATUS_SUCCESS, 7))
        plat_yield();
    ke_thread_detach();
}
