/* hooked_device.c - a control device inside the test, whose requests go to functions of the test. */
#include "kmdf_test.h"

static UNICODE_STRING name = {36, 36, (PWCH)L"\\Device\\KmdfHooked"};
static UNICODE_STRING sddl = {4, 4, (PWCH)L"D:"};
static WDF_DEVICE_IO_TYPE wanted;

bool (*test_in_caller)(WDFREQUEST request);
bool (*test_in_queue)(WDFREQUEST request);
WDFQUEUE test_queue;

static VOID NTAPI in_caller(WDFDEVICE device, WDFREQUEST request)
{
    if (test_in_caller && test_in_caller(request))
        return;
    NTSTATUS status = WdfDeviceEnqueueRequest(test_globals, device, request);
    if (!NT_SUCCESS(status))
        WdfRequestComplete(test_globals, request, status);
}

static VOID NTAPI in_queue(WDFQUEUE queue, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(queue);
    if (!test_in_queue || !test_in_queue(request))
        WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
}

static NTSTATUS make_device(void)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_TYPE_CONFIG type;
    WDFDEVICE device;
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(test_globals, test_wdf_driver, &sddl);
    WdfDeviceInitSetIoInCallerContextCallback(test_globals, init, in_caller);
    WDF_IO_TYPE_CONFIG_INIT(&type);
    type.ReadWriteIoType = wanted;
    WdfDeviceInitSetIoTypeEx(test_globals, init, &type);
    type.Size--; /* of another size: without effect */
    type.ReadWriteIoType = wanted == WdfDeviceIoDirect ? WdfDeviceIoBuffered : WdfDeviceIoDirect;
    WdfDeviceInitSetIoTypeEx(test_globals, init, &type);
    WdfDeviceInitAssignName(test_globals, init, &name);
    NTSTATUS status = WdfDeviceCreate(test_globals, &init, NULL, &device);
    if (!NT_SUCCESS(status))
        return status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoDefault = in_queue;
    config.AllowZeroLengthRequests = TRUE;
    status = WdfIoQueueCreate(test_globals, device, &config, NULL, &test_queue);
    WdfControlFinishInitializing(test_globals, device);
    return status;
}

struct io_file *test_open(WDF_DEVICE_IO_TYPE io_type)
{
    struct io_file *file = NULL;
    wanted = io_type;
    test_in_caller = test_in_queue = NULL;
    assert_int_equal(test_load(make_device), STATUS_SUCCESS);
    assert_int_equal(io_open("\\Device\\KmdfHooked", &file), STATUS_SUCCESS);
    return file;
}

static void print_leak(void *context, const char *line)
{
    UNREFERENCED_PARAMETER(context);
    fprintf(stderr, "left: %s\n", line);
}

void test_close(struct io_file *file)
{
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    assert_int_equal(test_unload(), STATUS_SUCCESS);
    assert_int_equal(io_leaks(print_leak, NULL), 0);
}
