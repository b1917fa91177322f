/* target_removal_test.c - I/O targets on a device of plug and play: its physical device and properties, and what the
 * driver above hears when it is removed. */
#include "target_fixture.h"
#include "pnp.h"

static UNICODE_STRING lamp_name = {32, 32, (PWCH)L"\\Device\\KmdfLamp"};
static DRIVER_OBJECT *lamp_driver;
static DEVICE_OBJECT *lamp_pdo;
static bool refuses; /* the lamp's driver, to be removed */

/* ---- the lamp: a WDM driver of plug and play ---- */

static VOID NTAPI lamp_interface(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
}

/* What QueryForInterface fills: the beginning of every INTERFACE. */
struct lamp_interface {
    USHORT size, version;
    PVOID context;
    VOID(NTAPI *reference)(PVOID context);
    VOID(NTAPI *dereference)(PVOID context);
};

static NTSTATUS pass(DEVICE_OBJECT *device, IRP *irp)
{
    irp->CurrentLocation++;
    irp->Tail.Overlay.CurrentStackLocation++;
    return IofCallDriver(*(DEVICE_OBJECT **)device->DeviceExtension, irp);
}

static NTSTATUS NTAPI lamp_pnp(PDEVICE_OBJECT device, PIRP irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    DEVICE_OBJECT *below = *(DEVICE_OBJECT **)device->DeviceExtension;
    NTSTATUS status;
    switch (stack->MinorFunction) {
    case IRP_MN_QUERY_REMOVE_DEVICE:
        if (refuses)
            return lower_complete(irp, STATUS_UNSUCCESSFUL, 0);
        break;
    case IRP_MN_QUERY_INTERFACE:
        if (stack->Parameters.QueryInterface.Size != sizeof(struct lamp_interface) ||
            stack->Parameters.QueryInterface.Version != 7)
            break;
        *(struct lamp_interface *)stack->Parameters.QueryInterface.Interface =
            (struct lamp_interface){.size = sizeof(struct lamp_interface), .version = 7, .reference = lamp_interface};
        return lower_complete(irp, STATUS_SUCCESS, 0);
    case IRP_MN_REMOVE_DEVICE:
        irp->IoStatus.Status = STATUS_SUCCESS;
        status = pass(device, irp);
        IoDetachDevice(below);
        IoDeleteDevice(device);
        return status;
    default:
        break;
    }
    if (stack->MinorFunction == IRP_MN_QUERY_REMOVE_DEVICE || stack->MinorFunction == IRP_MN_CANCEL_REMOVE_DEVICE ||
        stack->MinorFunction == IRP_MN_START_DEVICE)
        irp->IoStatus.Status = STATUS_SUCCESS;
    return pass(device, irp);
}

static NTSTATUS NTAPI lamp_io(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    return lower_complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI lamp_add(DRIVER_OBJECT *driver, DEVICE_OBJECT *pdo)
{
    DEVICE_OBJECT *device;
    lamp_pdo = pdo;
    NTSTATUS status =
        IoCreateDevice(driver, sizeof(DEVICE_OBJECT *), &lamp_name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;
    *(DEVICE_OBJECT **)device->DeviceExtension = IoAttachDeviceToDeviceStack(device, pdo);
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI lamp_unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
}

static NTSTATUS NTAPI lamp_power(PDEVICE_OBJECT device, PIRP irp)
{
    return pass(device, irp);
}

static NTSTATUS NTAPI lamp_entry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    UNREFERENCED_PARAMETER(path);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        driver->MajorFunction[i] = lamp_io;
    driver->MajorFunction[IRP_MJ_PNP] = lamp_pnp;
    driver->MajorFunction[IRP_MJ_POWER] = lamp_power;
    driver->DriverExtension->AddDevice = lamp_add;
    driver->DriverUnload = lamp_unload;
    return STATUS_SUCCESS;
}

static int set_up(void **state)
{
    struct pnp_failure failure;
    static bool started;
    if (!started && !NT_SUCCESS(pnp_start()))
        return 1;
    started = true;
    refuses = false;
    if (target_set_up(state) || !NT_SUCCESS(io_driver_load((ULONG_PTR)lamp_entry, NULL, 0, "KmdfLamp", &lamp_driver)))
        return 1;
    return NT_SUCCESS(pnp_driver_start(lamp_driver, NULL, &failure)) ? 0 : 1;
}

static int tear_down(void **state)
{
    pnp_driver_remove(lamp_driver);
    return target_tear_down(state) || !NT_SUCCESS(io_driver_unload(lamp_driver)) ? 1 : 0;
}

/* ---- the driver above ---- */

static NTSTATUS NTAPI on_query(WDFIOTARGET from)
{
    test_note("query; ");
    WdfIoTargetCloseForQueryRemove(test_globals, from);
    return STATUS_SUCCESS;
}
static NTSTATUS NTAPI on_query_refuse(WDFIOTARGET from)
{
    UNREFERENCED_PARAMETER(from);
    test_note("no; ");
    return STATUS_UNSUCCESSFUL;
}
static VOID NTAPI on_cancelled(WDFIOTARGET from)
{
    WDF_IO_TARGET_OPEN_PARAMS params;
    WDF_IO_TARGET_OPEN_PARAMS_INIT_REOPEN(&params);
    test_note("cancelled 0x%x; ", (ULONG)WdfIoTargetOpen(test_globals, from, &params));
}
static VOID NTAPI on_complete(WDFIOTARGET from)
{
    test_note("complete; ");
    WdfIoTargetClose(test_globals, from);
}

static void open_lamp(PFN_WDF_IO_TARGET_QUERY_REMOVE query, PFN_WDF_IO_TARGET_REMOVE_CANCELED cancelled,
                      PFN_WDF_IO_TARGET_REMOVE_COMPLETE complete)
{
    WDF_IO_TARGET_OPEN_PARAMS params;
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&params, &lamp_name, GENERIC_READ);
    params.EvtIoTargetQueryRemove = query;
    params.EvtIoTargetRemoveCanceled = cancelled;
    params.EvtIoTargetRemoveComplete = complete;
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_SUCCESS);
}

static void test_questions(void **state)
{
    ULONG length = 99;
    WDFMEMORY memory = (WDFMEMORY)target;
    struct lamp_interface lamp = {0};
    static const GUID guid = {1, 2, 3, {4}};
    size_t size;
    UNREFERENCED_PARAMETER(state);
    assert_null(WdfIoTargetWdmGetTargetPhysicalDevice(test_globals, target));
    assert_int_equal(
        WdfIoTargetQueryTargetProperty(test_globals, target, DevicePropertyEnumeratorName, 0, NULL, &length),
        STATUS_INVALID_DEVICE_REQUEST);
    open_lamp(NULL, NULL, NULL);
    assert_ptr_equal(WdfIoTargetWdmGetTargetPhysicalDevice(test_globals, target), lamp_pdo);
    assert_int_equal(
        WdfIoTargetQueryTargetProperty(test_globals, target, DevicePropertyEnumeratorName, 0, NULL, &length),
        STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(length, 10); /* "ROOT" */
    assert_int_equal(WdfIoTargetAllocAndQueryTargetProperty(test_globals, target, DevicePropertyEnumeratorName,
                                                            NonPagedPool, NULL, &memory),
                     STATUS_SUCCESS);
    assert_memory_equal(WdfMemoryGetBuffer(test_globals, memory, &size), L"ROOT", 10);
    assert_int_equal(size, 10);
    assert_int_equal(WdfIoTargetAllocAndQueryTargetProperty(test_globals, target, (DEVICE_REGISTRY_PROPERTY)99,
                                                            NonPagedPool, NULL, &memory),
                     STATUS_INVALID_PARAMETER_2);
    assert_null(memory);
    assert_int_equal(
        WdfIoTargetQueryForInterface(test_globals, target, &guid, (PINTERFACE)(PVOID)&lamp, sizeof(lamp), 7, NULL),
        STATUS_SUCCESS);
    assert_ptr_equal(lamp.reference, lamp_interface);
    assert_int_equal(
        WdfIoTargetQueryForInterface(test_globals, target, &guid, (PINTERFACE)(PVOID)&lamp, sizeof(lamp), 8, NULL),
        STATUS_NOT_SUPPORTED);
    assert_int_equal(
        WdfIoTargetQueryForInterface(test_globals, target, NULL, (PINTERFACE)(PVOID)&lamp, sizeof(lamp), 7, NULL),
        STATUS_INVALID_PARAMETER);
}

static void test_callbacks(void **state)
{
    UNREFERENCED_PARAMETER(state);
    open_lamp(on_query_refuse, on_cancelled, on_complete);
    assert_false(NT_SUCCESS(pnp_driver_remove(lamp_driver)));
    assert_non_null(strstr(test_record, "no; "));
    WdfIoTargetClose(test_globals, target);
    open_lamp(on_query, on_cancelled, on_complete);
    test_record[0] = 0;
    refuses = true;
    assert_false(NT_SUCCESS(pnp_driver_remove(lamp_driver)));
    assert_string_equal(test_record, "query; cancelled 0x0; ");
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetStarted);
    refuses = false;
    test_record[0] = 0;
    assert_int_equal(pnp_driver_remove(lamp_driver), STATUS_SUCCESS);
    assert_string_equal(test_record, "query; complete; ");
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetClosed);
}

static void test_without(void **state)
{
    UNREFERENCED_PARAMETER(state);
    open_lamp(NULL, NULL, NULL);
    refuses = true;
    assert_false(NT_SUCCESS(pnp_driver_remove(lamp_driver)));
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetStarted); /* closed, and open again */
    refuses = false;
    assert_int_equal(pnp_driver_remove(lamp_driver), STATUS_SUCCESS);
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetDeleted);
    assert_int_equal(WdfIoTargetStart(test_globals, target), STATUS_INVALID_DEVICE_STATE);
    assert_null(WdfIoTargetWdmGetTargetPhysicalDevice(test_globals, target));
}

int run_target_removal_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_questions), LOADED(test_callbacks), LOADED(test_without)};
    return cmocka_run_group_tests_name("kmdf I/O targets and plug and play", tests, NULL, NULL);
}
