/* device_test.c - control devices, file objects and requests, from the open to the status. */
#include "kmdf_test.h"
#include "kmdf_device.h"

#define NAME "\\Device\\KmdfTest"
static UNICODE_STRING device_name = {32, 32, (PWCH)L"" NAME};
static UNICODE_STRING link_name = {40, 40, (PWCH)L"\\DosDevices\\KmdfTest"};
static UNICODE_STRING sddl = {4, 4, (PWCH)L"D:"};

static WDFDEVICE device;
static PWDFDEVICE_INIT init;
static NTSTATUS create_status;
static bool twice, holds;
static WORK_QUEUE_ITEM item;

static WDFFILEOBJECT to_delete;
static void delete_file(void)
{
    WdfObjectDelete(test_globals, to_delete);
}

static VOID NTAPI on_create(WDFDEVICE at, WDFREQUEST request, WDFFILEOBJECT file)
{
    assert_ptr_equal(at, device);
    assert_ptr_equal(WdfRequestGetFileObject(test_globals, request), file);
    assert_ptr_equal(WdfFileObjectGetDevice(test_globals, file), device);
    assert_ptr_equal(WdfDeviceGetFileObject(test_globals, device, WdfFileObjectWdmGetFileObject(test_globals, file)),
                     file);
    if (!to_delete) { /* once is enough */
        to_delete = file;
        struct bugcheck_result stop = bugcheck_of(delete_file);
        assert_int_equal(stop.code, 0x10D);
        assert_int_equal(stop.parameters[0], 7);
    }
    test_note("create; ");
    WdfRequestComplete(test_globals, request, create_status);
}
static VOID NTAPI on_file_cleanup(WDFFILEOBJECT file)
{
    UNREFERENCED_PARAMETER(file);
    test_note("cleanup; ");
}
static VOID NTAPI on_file_close(WDFFILEOBJECT file)
{
    UNREFERENCED_PARAMETER(file);
    test_note("close; ");
}
static VOID NTAPI on_caller_context(WDFDEVICE at, WDFREQUEST request)
{
    test_note("in caller's context; ");
    assert_null(WdfRequestGetIoQueue(test_globals, request));
    NTSTATUS status = WdfDeviceEnqueueRequest(test_globals, at, request);
    if (!NT_SUCCESS(status))
        WdfRequestComplete(test_globals, request, status);
}
/* The device goes while the driver still has its request. */
static VOID NTAPI delete_then_complete(PVOID request)
{
    WdfObjectDelete(test_globals, device);
    test_note("deleted; ");
    WdfRequestCompleteWithInformation(test_globals, request, STATUS_SUCCESS, 3);
}
static VOID NTAPI on_control(WDFQUEUE queue, WDFREQUEST request, size_t out, size_t in, ULONG code)
{
    WDF_REQUEST_PARAMETERS parameters;
    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(test_globals, request, &parameters);
    assert_int_equal(parameters.Type, WdfRequestTypeDeviceControl);
    assert_int_equal(parameters.Parameters.DeviceIoControl.IoControlCode, code);
    assert_int_equal(parameters.Parameters.DeviceIoControl.InputBufferLength, in);
    assert_int_equal(parameters.Parameters.DeviceIoControl.OutputBufferLength, out);
    assert_ptr_equal(WdfRequestGetIoQueue(test_globals, request), queue);
    assert_ptr_equal(WdfIoQueueGetDevice(test_globals, queue), device);
    assert_int_equal(WdfRequestGetRequestorMode(test_globals, request), UserMode);
    test_note("control 0x%x %d %d; ", code, (int)in, (int)out);
    if (holds) {
        item = (WORK_QUEUE_ITEM){.WorkerRoutine = delete_then_complete, .Parameter = request};
        ExQueueWorkItem(&item, DelayedWorkQueue);
        return;
    }
    WdfRequestSetInformation(test_globals, request, 1);
    WdfRequestCompleteWithPriorityBoost(test_globals, request, STATUS_SUCCESS, 0);
    if (twice)
        WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
}

static NTSTATUS make_device(bool finish)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_FILEOBJECT_CONFIG files;
    WDFQUEUE queue;
    init = WdfControlDeviceInitAllocate(test_globals, test_wdf_driver, &sddl);
    assert_non_null(init);
    WDF_FILEOBJECT_CONFIG_INIT(&files, on_create, on_file_close, on_file_cleanup);
    WdfDeviceInitSetFileObjectConfig(test_globals, init, &files, NULL);
    WdfDeviceInitSetIoInCallerContextCallback(test_globals, init, on_caller_context);
    assert_int_equal(WdfDeviceInitAssignName(test_globals, init, &device_name), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceCreate(test_globals, &init, NULL, &device), STATUS_SUCCESS);
    assert_null(init);
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    assert_int_equal(WdfIoQueueCreate(test_globals, device, &config, NULL, &queue), STATUS_WDF_NO_CALLBACK);
    config.EvtIoDeviceControl = on_control;
    config.Size--;
    assert_int_equal(WdfIoQueueCreate(test_globals, device, &config, NULL, &queue), STATUS_INFO_LENGTH_MISMATCH);
    config.Size++;
    assert_int_equal(WdfIoQueueCreate(test_globals, device, &config, NULL, &queue), STATUS_SUCCESS);
    assert_ptr_equal(WdfDeviceGetDefaultQueue(test_globals, device), queue);
    assert_int_equal(WdfIoQueueCreate(test_globals, device, &config, NULL, &queue), STATUS_UNSUCCESSFUL);
    if (finish)
        WdfControlFinishInitializing(test_globals, device);
    return STATUS_SUCCESS;
}

static NTSTATUS ready_device(void)
{
    return make_device(true);
}
static NTSTATUS unready_device(void)
{
    return make_device(false);
}

static void test_init(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(test_load(NULL), STATUS_SUCCESS);
    init = WdfControlDeviceInitAllocate(test_globals, test_wdf_driver, &sddl);
    assert_int_equal(WdfDeviceInitAssignSDDLString(test_globals, init, &sddl), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceCreate(test_globals, &init, NULL, &device), STATUS_INVALID_SECURITY_DESCR);
    assert_non_null(init); /* still the driver's */
    WdfDeviceInitAssignSDDLString(test_globals, init, NULL);
    WdfDeviceInitSetIoType(test_globals, init, WdfDeviceIoDirect);
    WdfDeviceInitSetExclusive(test_globals, init, TRUE);
    WdfDeviceInitSetDeviceType(test_globals, init, 0x1234);
    WdfDeviceInitSetCharacteristics(test_globals, init, 1, TRUE);
    assert_int_equal(WdfDeviceCreate(test_globals, &init, NULL, &device), STATUS_SUCCESS);
    DEVICE_OBJECT *wdm = WdfDeviceWdmGetDeviceObject(test_globals, device);
    assert_int_equal(wdm->DeviceType, 0x1234);
    assert_int_equal(wdm->Flags & (DO_DIRECT_IO | DO_BUFFERED_IO | DO_EXCLUSIVE), DO_DIRECT_IO | DO_EXCLUSIVE);
    assert_int_equal(WdfDeviceGetCharacteristics(test_globals, device), FILE_DEVICE_SECURE_OPEN | 1);
    assert_ptr_equal(WdfWdmDeviceGetWdfDeviceHandle(test_globals, wdm), device);
    assert_ptr_equal(WdfDeviceGetDriver(test_globals, device), test_wdf_driver);
    assert_null(WdfDeviceGetDefaultQueue(test_globals, device));
    assert_int_equal(WdfDeviceCreateSymbolicLink(test_globals, device, &link_name), STATUS_INVALID_DEVICE_STATE);
    WdfObjectDelete(test_globals, device);
    assert_null(test_driver->DeviceObject);
    init = WdfControlDeviceInitAllocate(test_globals, test_wdf_driver, &sddl); /* unload frees it */
    assert_int_equal(test_unload(), STATUS_SUCCESS);
    assert_int_equal(io_leaks(NULL, NULL), 0);
}

static void test_files(void **state)
{
    struct io_file *file;
    UNREFERENCED_PARAMETER(state);
    create_status = STATUS_SUCCESS;
    assert_int_equal(test_load(ready_device), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceCreateSymbolicLink(test_globals, device, &link_name), STATUS_SUCCESS);
    assert_int_equal(WdfDeviceCreateSymbolicLink(test_globals, device, &link_name), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(io_open("\\\\.\\KmdfTest", &file), STATUS_SUCCESS);
    assert_int_equal(test_unload(), STATUS_DEVICE_BUSY);
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    create_status = STATUS_ACCESS_DENIED; /* neither cleanup nor close follows */
    assert_int_equal(io_open(NAME, &file), STATUS_ACCESS_DENIED);
    assert_string_equal(test_record, "create; cleanup; close; create; ");
    assert_int_equal(test_unload(), STATUS_SUCCESS);
    assert_int_equal(io_leaks(NULL, NULL), 0);
    assert_int_equal(io_open("\\\\.\\KmdfTest", &file), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void test_unready(void **state)
{
    struct io_file *file;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(test_load(unready_device), STATUS_SUCCESS);
    assert_int_equal(io_open(NAME, &file), STATUS_DEVICE_NOT_READY);
    assert_int_equal(test_unload(), STATUS_SUCCESS);
}

static void test_control(void **state)
{
    struct io_file *file;
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    create_status = STATUS_SUCCESS;
    assert_int_equal(test_load(ready_device), STATUS_SUCCESS);
    assert_int_equal(io_open(NAME, &file), STATUS_SUCCESS);
    test_record[0] = 0;
    assert_int_equal(io_device_control(file, 0x222003, 0x123, 7, 0, 9, &result), STATUS_SUCCESS);
    assert_int_equal(result.Information, 1);
    assert_string_equal(test_record, "in caller's context; control 0x222003 7 9; ");
    assert_int_equal(io_read(file, 0, 0, 0, &result), STATUS_SUCCESS); /* nothing to do: the driver is not asked */
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    assert_int_equal(test_unload(), STATUS_SUCCESS);
    assert_int_equal(io_leaks(NULL, NULL), 0);
}

static void test_outlives_device(void **state)
{
    struct io_file *file;
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    create_status = STATUS_SUCCESS;
    holds = true;
    assert_int_equal(test_load(ready_device), STATUS_SUCCESS);
    assert_int_equal(io_open(NAME, &file), STATUS_SUCCESS);
    test_record[0] = 0;
    assert_int_equal(io_device_control(file, 0x222003, 0, 1, 0, 1, &result), STATUS_SUCCESS);
    assert_int_equal(result.Information, 3);
    assert_string_equal(test_record, "in caller's context; control 0x222003 1 1; deleted; ");
    io_close(file);
    assert_int_equal(test_unload(), STATUS_SUCCESS);
    assert_int_equal(io_leaks(NULL, NULL), 0);
    holds = false;
}

static void complete_twice(void)
{
    struct io_file *file;
    IO_STATUS_BLOCK result;
    twice = true;
    create_status = STATUS_SUCCESS;
    if (NT_SUCCESS(test_load(ready_device)) && NT_SUCCESS(io_open(NAME, &file)))
        io_device_control(file, 0x222003, 0, 0, 0, 0, &result);
}

static void test_complete_twice(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(complete_twice);
    assert_true(result.happened);
    assert_int_equal(result.code, 0x10D);
    assert_non_null(strstr(result.report, "WdfRequestComplete was given the handle"));
}

int run_device_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),    cmocka_unit_test(test_files),           cmocka_unit_test(test_unready),
        cmocka_unit_test(test_control), cmocka_unit_test(test_outlives_device), cmocka_unit_test(test_complete_twice),
    };
    return cmocka_run_group_tests_name("kmdf devices", tests, NULL, NULL);
}
