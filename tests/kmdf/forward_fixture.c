/* forward_fixture.c - user mode, a framework driver that sends its requests on, and what the driver below sees. */
#include "forward_fixture.h"

ULONG_PTR forward_base; /* a page of user memory */
struct io_file *forward_file;
WDFQUEUE forward_queue;
void (*forward_on_request)(WDFREQUEST request);
WDFREQUEST forward_received;
IRP forward_came;  /* as it was then */
LONG forward_back; /* completion routines of forwarded requests */

/* ---- the driver above ---- */

static VOID NTAPI in_queue(WDFQUEUE from, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(from);
    forward_received = request;
    forward_came = *WdfRequestWdmGetIrp(test_globals, request);
    forward_on_request(request);
}

/* As filters do: what the driver below said, the sender gets. */
VOID NTAPI forward_pass_back(WDFREQUEST request, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                             WDFCONTEXT context)
{
    assert_ptr_equal(request, forward_received);
    assert_ptr_equal(from, target);
    assert_ptr_equal(context, &forward_back);
    const IRP *irp = WdfRequestWdmGetIrp(test_globals, request);
    assert_ptr_equal(irp->AssociatedIrp.SystemBuffer, forward_came.AssociatedIrp.SystemBuffer);
    assert_ptr_equal(irp->UserBuffer, forward_came.UserBuffer);
    assert_ptr_equal(irp->MdlAddress, forward_came.MdlAddress);
    forward_back++;
    WdfRequestComplete(test_globals, request, params->IoStatus.Status);
}

void forward_send_on(WDFREQUEST request)
{
    WdfRequestSetCompletionRoutine(test_globals, request, forward_pass_back, &forward_back);
    if (!WdfRequestSend(test_globals, request, target, NULL))
        WdfRequestComplete(test_globals, request, WdfRequestGetStatus(test_globals, request));
}

void forward_it(WDFREQUEST request)
{
    WdfRequestFormatRequestUsingCurrentType(test_globals, request);
    forward_send_on(request);
}

BOOLEAN forward_forget(WDFREQUEST request)
{
    WDF_REQUEST_SEND_OPTIONS options;
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET);
    return WdfRequestSend(test_globals, request, target, &options);
}

/* ---- the driver below ---- */

struct forward_seen forward_seen;

static bool is_io(const IO_STACK_LOCATION *stack)
{
    return stack->MajorFunction == IRP_MJ_READ || stack->MajorFunction == IRP_MJ_WRITE ||
           stack->MajorFunction == IRP_MJ_DEVICE_CONTROL || stack->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL;
}

NTSTATUS forward_look(IRP *irp, IO_STACK_LOCATION *stack)
{
    if (!is_io(stack))
        return lower_complete(irp, STATUS_SUCCESS, 0);
    forward_seen.stack = *stack;
    forward_seen.irp = *irp;
    forward_seen.calls++;
    char *out = irp->MdlAddress ? kmdf_mdl_address(irp->MdlAddress) : irp->AssociatedIrp.SystemBuffer;
    if (stack->MajorFunction != IRP_MJ_WRITE && out)
        memcpy(out, "ANSWER", 6);
    return lower_complete(irp, STATUS_SUCCESS, 6);
}

NTSTATUS forward_keep_io(IRP *irp, IO_STACK_LOCATION *stack)
{
    return is_io(stack) ? lower_keep(irp) : lower_complete(irp, STATUS_SUCCESS, 0);
}

/* ---- user mode ---- */

void forward_answered(bool yes)
{
    char text[7] = "";
    assert_true(plat_user_load(forward_base + OUT_AT, text, 6));
    assert_string_equal(text, yes ? "ANSWER" : "......");
    plat_user_store(forward_base + OUT_AT, "......", 6);
}

NTSTATUS forward_control(ULONG method, IO_STATUS_BLOCK *result)
{
    plat_user_store(forward_base, "an input", IN);
    plat_user_store(forward_base + OUT_AT, "......", 6);
    return io_device_control(forward_file, LOWER_CODE(method), forward_base, IN, forward_base + OUT_AT, OUT, result);
}

int forward_set_up(void **state)
{
    if (target_set_up(state))
        return 1;
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchSequential);
    config.EvtIoDefault = in_queue;
    assert_int_equal(WdfIoQueueCreate(test_globals, target_device, &config, NULL, &forward_queue), STATUS_SUCCESS);
    assert_int_equal(io_open(UPPER_NAME, &forward_file), STATUS_SUCCESS);
    target_open();
    lower_hook = forward_look;
    forward_back = 0;
    memset(&forward_seen, 0, sizeof(forward_seen));
    return plat_user_map(&forward_base, PAGE_SIZE, PLAT_READWRITE);
}

int forward_tear_down(void **state)
{
    assert_int_equal(io_close(forward_file), STATUS_SUCCESS);
    assert_int_equal(plat_user_unmap(forward_base, PAGE_SIZE), STATUS_SUCCESS);
    target_init = NULL;
    return target_tear_down(state);
}
