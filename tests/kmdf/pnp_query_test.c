/* pnp_query_test.c - what a device says of itself, and resources: capabilities, state, special files, relations. */
#include "pnp_fixture.h"
#include "wdk/resource.h"

static DEVICE_CAPABILITIES capabilities;
static void fill_capabilities(IO_STACK_LOCATION *stack)
{
    stack->Parameters.DeviceCapabilities.Capabilities = &capabilities;
}

static void test_capabilities(void **state)
{
    WDF_DEVICE_PNP_CAPABILITIES pnp;
    WDF_DEVICE_POWER_CAPABILITIES power;
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    capabilities = (DEVICE_CAPABILITIES){.Size = sizeof(capabilities), .Version = 1, .Removable = 1, .D1Latency = 5};
    WDF_DEVICE_PNP_CAPABILITIES_INIT(&pnp);
    pnp.Removable = WdfFalse;
    pnp.SurpriseRemovalOK = WdfTrue;
    pnp.UINumber = 9;
    WdfDeviceSetPnpCapabilities(fdo_globals, fdo_device, &pnp);
    WDF_DEVICE_POWER_CAPABILITIES_INIT(&power);
    power.DeviceD1 = WdfTrue;
    power.DeviceState[PowerSystemSleeping3] = PowerDeviceD2;
    power.D2Latency = 7;
    WdfDeviceSetPowerCapabilities(fdo_globals, fdo_device, &power);
    assert_int_equal(fdo_send_irp(IRP_MJ_PNP, IRP_MN_QUERY_CAPABILITIES, fill_capabilities, NULL), STATUS_SUCCESS);
    fdo_expect("bus: capabilities; ");
    assert_int_equal(capabilities.Removable, 0);
    assert_int_equal(capabilities.SurpriseRemovalOK, 1);
    assert_int_equal(capabilities.UINumber, 9);
    assert_int_equal(capabilities.DeviceD1, 1);
    assert_int_equal(capabilities.DeviceState[PowerSystemSleeping3], PowerDeviceD2);
    assert_int_equal(capabilities.D1Latency, 5);
    assert_int_equal(capabilities.D2Latency, 7);
    fdo_end();
}

static void test_state(void **state)
{
    WDF_DEVICE_STATE said;
    ULONG_PTR flags;
    UNREFERENCED_PARAMETER(state);
    fdo_start();
    WDF_DEVICE_STATE_INIT(&said);
    said.NotDisableable = WdfTrue;
    said.DontDisplayInUI = WdfTrue;
    said.Removed = WdfFalse;
    WdfDeviceSetDeviceState(fdo_globals, fdo_device, &said);
    WDF_DEVICE_STATE_INIT(&said);
    WdfDeviceGetDeviceState(fdo_globals, fdo_device, &said);
    assert_int_equal(said.NotDisableable, WdfTrue);
    assert_int_equal(fdo_send_irp(IRP_MJ_PNP, IRP_MN_QUERY_PNP_DEVICE_STATE, NULL, &flags), STATUS_SUCCESS);
    assert_int_equal(flags, PNP_DEVICE_NOT_DISABLEABLE | PNP_DEVICE_DONT_DISPLAY_IN_UI);
    WdfDeviceSetFailed(fdo_globals, fdo_device, WdfDeviceFailedNoRestart);
    assert_int_equal(fdo_send_irp(IRP_MJ_PNP, IRP_MN_QUERY_PNP_DEVICE_STATE, NULL, &flags), STATUS_SUCCESS);
    assert_int_equal(flags, PNP_DEVICE_NOT_DISABLEABLE | PNP_DEVICE_DONT_DISPLAY_IN_UI | PNP_DEVICE_FAILED);
    fdo_end();
}

/* ---- special files ---- */

static bool in_path;
static void fill_usage(IO_STACK_LOCATION *stack)
{
    stack->Parameters.UsageNotification.InPath = in_path;
    stack->Parameters.UsageNotification.Type = DeviceUsageTypePaging;
}
static NTSTATUS use(bool in)
{
    in_path = in;
    return fdo_send_irp(IRP_MJ_PNP, IRP_MN_DEVICE_USAGE_NOTIFICATION, fill_usage, NULL);
}

static NTSTATUS usage_answer;
static NTSTATUS NTAPI usage_ex(WDFDEVICE device, WDF_SPECIAL_FILE_TYPE type, BOOLEAN in)
{
    UNREFERENCED_PARAMETER(device);
    fdo_note("asked %d %d; ", type, in);
    return usage_answer;
}
static VOID NTAPI usage(WDFDEVICE device, WDF_SPECIAL_FILE_TYPE type, BOOLEAN in)
{
    UNREFERENCED_PARAMETER(device);
    fdo_note("told %d %d; ", type, in);
}
static VOID NTAPI relations(WDFDEVICE device, DEVICE_RELATION_TYPE type)
{
    UNREFERENCED_PARAMETER(device);
    fdo_note("asked for relations %d; ", type);
}
static NTSTATUS with_usage(PWDFDEVICE_INIT init)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDeviceUsageNotification = usage;
    callbacks.EvtDeviceUsageNotificationEx = usage_ex;
    callbacks.EvtDeviceRelationsQuery = relations;
    WdfDeviceInitSetPnpPowerEventCallbacks(fdo_globals, init, &callbacks);
    return STATUS_SUCCESS;
}

static void test_special_files(void **state)
{
    UNREFERENCED_PARAMETER(state);
    fdo_load();
    usage_answer = STATUS_SUCCESS;
    fdo_behaviour.before = with_usage;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    fdo_record[0] = 0;
    assert_int_equal(use(true), STATUS_UNSUCCESSFUL); /* not supported */
    fdo_expect("");
    WdfDeviceSetSpecialFileSupport(fdo_globals, fdo_device, WdfSpecialFilePaging, TRUE);
    usage_answer = STATUS_ACCESS_DENIED;
    assert_int_equal(use(true), STATUS_ACCESS_DENIED);
    fdo_expect("asked 1 1; ");
    usage_answer = STATUS_SUCCESS;
    fdo_behaviour.bus_refuses = IRP_MN_DEVICE_USAGE_NOTIFICATION;
    assert_int_equal(use(true), STATUS_UNSUCCESSFUL);
    fdo_expect("asked 1 1; bus: other; asked 1 0; ");
    fdo_behaviour.bus_refuses = -1;
    assert_int_equal(use(true), STATUS_SUCCESS);
    fdo_expect("asked 1 1; bus: other; told 1 1; ");
    assert_int_equal(fdo_send(IRP_MN_QUERY_REMOVE_DEVICE), STATUS_UNSUCCESSFUL);
    assert_int_equal(use(false), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_QUERY_REMOVE_DEVICE), STATUS_SUCCESS);
    assert_int_equal(fdo_send(IRP_MN_CANCEL_REMOVE_DEVICE), STATUS_SUCCESS);
    fdo_record[0] = 0;
    assert_int_equal(fdo_send(IRP_MN_QUERY_DEVICE_RELATIONS), STATUS_SUCCESS);
    fdo_expect("asked for relations 0; bus: relations; ");
    fdo_end();
}

/* ---- resources ---- */

static struct {
    CM_RESOURCE_LIST list;
    CM_PARTIAL_RESOURCE_DESCRIPTOR more[2];
} given;
static ULONG lower_count;

static void fill_resources(IO_STACK_LOCATION *stack)
{
    CM_PARTIAL_RESOURCE_LIST *partial = &given.list.List[0].PartialResourceList;
    given.list.Count = 1;
    partial->Count = 3;
    for (ULONG i = 0; i < 3; i++) {
        partial->PartialDescriptors[i].Type = CmResourceTypeMemory;
        partial->PartialDescriptors[i].u.Memory.Start.QuadPart = 0x1000 * (i + 1);
        partial->PartialDescriptors[i].u.Memory.Length = 0x10;
    }
    stack->Parameters.StartDevice.AllocatedResources = &given.list;
    stack->Parameters.StartDevice.AllocatedResourcesTranslated = &given.list;
}

static ULONGLONG start_of(WDFCMRESLIST list, ULONG index)
{
    return (ULONGLONG)WdfCmResourceListGetDescriptor(fdo_globals, list, index)->u.Memory.Start.QuadPart;
}

static NTSTATUS NTAPI prepare(WDFDEVICE device, WDFCMRESLIST raw, WDFCMRESLIST translated)
{
    CM_PARTIAL_RESOURCE_DESCRIPTOR descriptor = {0};
    UNREFERENCED_PARAMETER(device);
    ULONG count = WdfCmResourceListGetCount(fdo_globals, raw);
    fdo_note("%d: %llx; ", (int)count, start_of(translated, count - 1));
    assert_null(WdfCmResourceListGetDescriptor(fdo_globals, raw, count));
    assert_int_equal(WdfCmResourceListAppendDescriptor(fdo_globals, raw, &descriptor), STATUS_ACCESS_DENIED);
    WdfCmResourceListRemove(fdo_globals, raw, 0);
    assert_int_equal(WdfCmResourceListGetCount(fdo_globals, raw), count);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI take_out(WDFDEVICE device, WDFCMRESLIST raw, WDFCMRESLIST translated)
{
    CM_PARTIAL_RESOURCE_DESCRIPTOR descriptor = {.Type = CmResourceTypeMemory, .u.Memory.Start.QuadPart = 0xABC};
    UNREFERENCED_PARAMETER(device);
    PCM_PARTIAL_RESOURCE_DESCRIPTOR last = WdfCmResourceListGetDescriptor(fdo_globals, raw, 2);
    assert_int_equal(WdfCmResourceListInsertDescriptor(fdo_globals, raw, &descriptor, 4), STATUS_ARRAY_BOUNDS_EXCEEDED);
    assert_int_equal(WdfCmResourceListInsertDescriptor(fdo_globals, raw, &descriptor, 0), STATUS_SUCCESS);
    assert_int_equal(WdfCmResourceListAppendDescriptor(fdo_globals, raw, &descriptor), STATUS_SUCCESS);
    for (ULONG i = 0; i < 20; i++) /* the list grows, pointers stay good */
        assert_int_equal(WdfCmResourceListAppendDescriptor(fdo_globals, raw, &descriptor), STATUS_SUCCESS);
    for (ULONG i = 0; i < 21; i++)
        WdfCmResourceListRemove(fdo_globals, raw, 4);
    assert_int_equal(start_of(raw, 0), 0xABC);
    WdfCmResourceListRemove(fdo_globals, raw, 0);
    WdfCmResourceListRemove(fdo_globals, raw, 99);
    assert_int_equal(last->u.Memory.Start.QuadPart, 0x3000);
    WdfCmResourceListRemoveByDescriptor(fdo_globals, raw, last);
    WdfCmResourceListRemove(fdo_globals, translated, 2);
    assert_int_equal(WdfCmResourceListGetCount(fdo_globals, raw), 2);
    return STATUS_SUCCESS;
}

static bool takes_out;
static NTSTATUS with_resources(PWDFDEVICE_INIT init)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_FDO_EVENT_CALLBACKS fdo;
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = prepare;
    WdfDeviceInitSetPnpPowerEventCallbacks(fdo_globals, init, &callbacks);
    WDF_FDO_EVENT_CALLBACKS_INIT(&fdo);
    if (takes_out)
        fdo.EvtDeviceRemoveAddedResources = take_out;
    WdfFdoInitSetEventCallbacks(fdo_globals, init, &fdo);
    return STATUS_SUCCESS;
}

/* What the bus sees of the resources. */
static NTSTATUS NTAPI count_below(DEVICE_OBJECT *device, IRP *irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    UNREFERENCED_PARAMETER(device);
    if (stack->MinorFunction == IRP_MN_START_DEVICE)
        lower_count = stack->Parameters.StartDevice.AllocatedResources->List[0].PartialResourceList.Count;
    irp->IoStatus.Status = STATUS_SUCCESS;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static void check_resources(bool out, const char *record, ULONG below)
{
    fdo_load();
    takes_out = out;
    fdo_behaviour.before = with_resources;
    fdo_pdo->DriverObject->MajorFunction[IRP_MJ_PNP] = count_below;
    assert_int_equal(fdo_add(), STATUS_SUCCESS);
    assert_int_equal(fdo_send_irp(IRP_MJ_PNP, IRP_MN_START_DEVICE, fill_resources, NULL), STATUS_SUCCESS);
    fdo_expect(record);
    assert_int_equal(lower_count, below);
    fdo_end();
}

static void test_resources(void **state)
{
    UNREFERENCED_PARAMETER(state);
    check_resources(false, "3: 3000; ", 3);
    check_resources(true, "2: 2000; ", 2);
}

int run_pnp_query_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_special_files),
        cmocka_unit_test(test_resources),
    };
    return cmocka_run_group_tests_name("kmdf pnp queries", tests, NULL, NULL);
}
