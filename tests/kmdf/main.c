/* main.c - starts the kernel, holds the driver inside the test, runs the suites. */
#include "kmdf_test.h"
#include "../start_kernel.h"

PWDF_DRIVER_GLOBALS test_globals;
DRIVER_OBJECT *test_driver;
WDFDRIVER test_wdf_driver;
char test_record[1024];

static const WDFFUNC *functions;
static struct test_bind info;
static NTSTATUS (*entry_next)(void);
static DRIVER_UNLOAD *framework_unload;

void test_note(const char *format, ...)
{
    SIZE_T used = strlen(test_record);
    va_list list;
    va_start(list, format);
    vsnprintf(test_record + used, sizeof(test_record) - used, format, list);
    va_end(list);
}

struct test_bind test_bind_info(void *table, ULONG count)
{
    return (struct test_bind){0x30, WIDE("KmdfLibrary"), 1, 15, 0, count, table, NULL, NULL, NULL, NULL, NULL, NULL};
}

NTSTATUS test_bind(DRIVER_OBJECT *driver, struct test_bind *bind, PWDF_DRIVER_GLOBALS *globals)
{
    static UNICODE_STRING path = {2, 2, (PWCH)L"x"};
    return WdfVersionBind(driver, &path, (struct _WDF_BIND_INFO *)bind, globals);
}

static VOID NTAPI evt_unload(WDFDRIVER driver)
{
    assert_ptr_equal(driver, test_wdf_driver);
    test_note("unload; ");
}

/* As the entry library does. */
static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    framework_unload(driver);
    WdfVersionUnbind(NULL, NULL, test_globals);
}

static NTSTATUS NTAPI entry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    WDF_DRIVER_CONFIG config;
    info = test_bind_info(&functions, 444);
    NTSTATUS status = test_bind(driver, &info, &test_globals);
    if (!NT_SUCCESS(status))
        return status;
    test_driver = driver;
    WDF_DRIVER_CONFIG_INIT(&config, NULL);
    config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    config.EvtDriverUnload = evt_unload;
    status = WdfDriverCreate(test_globals, driver, path, NULL, &config, &test_wdf_driver);
    if (NT_SUCCESS(status) && entry_next)
        status = entry_next();
    if (!NT_SUCCESS(status)) {
        WdfVersionUnbind(NULL, NULL, test_globals);
        return status;
    }
    framework_unload = driver->DriverUnload;
    driver->DriverUnload = unload;
    return status;
}

NTSTATUS test_load(NTSTATUS (*next)(void))
{
    DRIVER_OBJECT *driver;
    entry_next = next;
    test_record[0] = 0;
    return io_driver_load((ULONG_PTR)entry, NULL, 0, "KmdfTest", &driver);
}

NTSTATUS test_unload(void)
{
    return io_driver_unload(test_driver);
}

WDFDEVICE test_control_device(WDF_SYNCHRONIZATION_SCOPE scope, WDF_EXECUTION_LEVEL level)
{
    static UNICODE_STRING sddl = {4, 4, (PWCH)L"D:"};
    WDFDEVICE device;
    WDF_OBJECT_ATTRIBUTES attributes;
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(test_globals, test_wdf_driver, &sddl);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.SynchronizationScope = scope;
    attributes.ExecutionLevel = level;
    assert_int_equal(WdfDeviceCreate(test_globals, &init, &attributes, &device), STATUS_SUCCESS);
    return device;
}

int main(int count, char **arguments)
{
    int unusable = start_kernel();
    if (unusable)
        return unusable;
    if (count > 1 && !strcmp(arguments[1], "--probe-lock-table")) {
        print_probe_lock_table();
        return 0;
    }
    int failed = run_bind_tests() + run_object_tests() + run_lifecycle_tests() + run_object_types_tests() +
                 run_end_of_use_tests() + run_request_end_tests() + run_shortage_tests() + run_device_tests() +
                 run_queue_tests() + run_queue_load_tests() + run_reserve_tests() + run_memory_tests() +
                 run_buffer_tests() + run_probe_lock_tests() + run_deferred_tests() + run_lock_tests() +
                 run_collection_tests() + run_registry_tests() + run_target_tests() + run_request_send_tests() +
                 run_request_sent_tests() + run_request_misuse_tests() + run_forward_tests() +
                 run_forward_cancel_tests() + run_target_removal_tests();
    return failed ? 1 : 0;
}
