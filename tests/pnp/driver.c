/* driver.c - the function driver of these tests: it passes everything down, and notes it. */
#include "pnp_test.h"

struct behaviour behaviour;
char driver_log[2048];
DRIVER_OBJECT *driver;
DEVICE_OBJECT *driver_pdo, *driver_fdo;
PEPROCESS seen_process;
KPROCESSOR_MODE seen_mode;
DEVICE_CAPABILITIES seen_capabilities;

struct extension {
    DEVICE_OBJECT *pdo, *below;
};

void driver_note(const char *word)
{
    if (behaviour.quiet)
        return;
    size_t used = strlen(driver_log);
    snprintf(driver_log + used, sizeof(driver_log) - used, "%s%s", used ? " " : "", word);
}

UNICODE_STRING kept_name(UNICODE_STRING *name)
{
    static WCHAR text[128];
    UNICODE_STRING kept = {0, sizeof(text), text};
    RtlCopyUnicodeString(&kept, name);
    RtlFreeUnicodeString(name);
    return kept;
}

static const char *minor_name(UCHAR minor)
{
    static const char *const names[] = {[IRP_MN_START_DEVICE] = "start",
                                        [IRP_MN_QUERY_REMOVE_DEVICE] = "query-remove",
                                        [IRP_MN_REMOVE_DEVICE] = "remove",
                                        [IRP_MN_CANCEL_REMOVE_DEVICE] = "cancel-remove",
                                        [IRP_MN_QUERY_DEVICE_RELATIONS] = "relations",
                                        [IRP_MN_QUERY_CAPABILITIES] = "capabilities",
                                        [IRP_MN_QUERY_RESOURCE_REQUIREMENTS] = "requirements",
                                        [IRP_MN_FILTER_RESOURCE_REQUIREMENTS] = "filter",
                                        [IRP_MN_QUERY_PNP_DEVICE_STATE] = "state",
                                        [IRP_MN_QUERY_STOP_DEVICE] = "query-stop",
                                        [IRP_MN_STOP_DEVICE] = "stop",
                                        [IRP_MN_SURPRISE_REMOVAL] = "surprise"};
    return minor < RTL_NUMBER_OF(names) && names[minor] ? names[minor] : "other";
}

static NTSTATUS complete(IRP *irp, NTSTATUS status)
{
    irp->IoStatus.Status = status;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS pass_down(struct extension *extension, IRP *irp)
{
    irp->CurrentLocation++;
    irp->Tail.Overlay.CurrentStackLocation++;
    return IofCallDriver(extension->below, irp);
}

static VOID NTAPI start_later(PVOID context)
{
    complete(context, behaviour.start);
}

static NTSTATUS start(struct extension *extension, IRP *irp)
{
    static WORK_QUEUE_ITEM item;
    if (behaviour.starts_later) {
        IoMarkIrpPending(irp);
        item = (WORK_QUEUE_ITEM){.WorkerRoutine = start_later, .Parameter = irp};
        ExQueueWorkItem(&item, DelayedWorkQueue);
        return STATUS_PENDING;
    }
    if (!NT_SUCCESS(behaviour.start))
        return complete(irp, behaviour.start);
    assert_true(IoForwardIrpSynchronously(extension->below, irp));
    assert_int_equal(irp->IoStatus.Status, STATUS_SUCCESS);
    if (behaviour.on_start)
        behaviour.on_start(extension->pdo);
    return complete(irp, STATUS_SUCCESS);
}

static NTSTATUS remove_device(DEVICE_OBJECT *device, struct extension *extension, IRP *irp)
{
    if (behaviour.on_remove)
        behaviour.on_remove(extension->pdo);
    irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS status = pass_down(extension, irp);
    if (!behaviour.keeps_attached)
        IoDetachDevice(extension->below);
    IoDeleteDevice(device);
    driver_fdo = driver_pdo = NULL;
    return status;
}

static NTSTATUS answer_afterwards(struct extension *extension, IRP *irp, UCHAR minor)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    assert_true(IoForwardIrpSynchronously(extension->below, irp));
    if (minor == IRP_MN_QUERY_CAPABILITIES)
        seen_capabilities = *stack->Parameters.DeviceCapabilities.Capabilities;
    else
        irp->IoStatus.Information |= behaviour.state;
    return complete(irp, irp->IoStatus.Status);
}

static NTSTATUS NTAPI on_pnp(DEVICE_OBJECT *device, IRP *irp)
{
    struct extension *extension = device->DeviceExtension;
    UCHAR minor = IoGetCurrentIrpStackLocation(irp)->MinorFunction;
    driver_note(minor_name(minor));
    seen_process = PsGetCurrentProcess();
    seen_mode = ExGetPreviousMode();
    assert_int_equal(irp->RequestorMode, KernelMode);
    assert_int_equal(irp->IoStatus.Status, STATUS_NOT_SUPPORTED);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    switch (minor) {
    case IRP_MN_START_DEVICE:
        assert_null(IoGetCurrentIrpStackLocation(irp)->Parameters.StartDevice.AllocatedResources);
        return start(extension, irp);
    case IRP_MN_QUERY_REMOVE_DEVICE:
        if (!NT_SUCCESS(behaviour.query_remove))
            return complete(irp, behaviour.query_remove);
        irp->IoStatus.Status = STATUS_SUCCESS;
        return pass_down(extension, irp);
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        irp->IoStatus.Status = STATUS_SUCCESS;
        return pass_down(extension, irp);
    case IRP_MN_REMOVE_DEVICE:
        return remove_device(device, extension, irp);
    case IRP_MN_QUERY_CAPABILITIES:
    case IRP_MN_QUERY_PNP_DEVICE_STATE:
        return answer_afterwards(extension, irp, minor);
    default:
        return pass_down(extension, irp);
    }
}

static NTSTATUS NTAPI on_power(DEVICE_OBJECT *device, IRP *irp)
{
    PoStartNextPowerIrp(irp);
    irp->CurrentLocation++;
    irp->Tail.Overlay.CurrentStackLocation++;
    return PoCallDriver(((struct extension *)device->DeviceExtension)->below, irp);
}

static NTSTATUS NTAPI on_file(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    driver_note(IoGetCurrentIrpStackLocation(irp)->MajorFunction == IRP_MJ_CREATE  ? "create"
                : IoGetCurrentIrpStackLocation(irp)->MajorFunction == IRP_MJ_CLOSE ? "close"
                                                                                   : "cleanup");
    irp->IoStatus.Information = 0;
    return complete(irp, STATUS_SUCCESS);
}

static NTSTATUS NTAPI add_device(DRIVER_OBJECT *object, DEVICE_OBJECT *pdo)
{
    DEVICE_OBJECT *device;
    driver_note("add");
    assert_ptr_equal(object, driver);
    seen_process = PsGetCurrentProcess();
    seen_mode = ExGetPreviousMode();
    if (!NT_SUCCESS(behaviour.add))
        return behaviour.add;
    NTSTATUS status = IoCreateDevice(object, sizeof(struct extension), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    assert_int_equal(status, STATUS_SUCCESS);
    struct extension *extension = device->DeviceExtension;
    *extension = (struct extension){pdo, IoAttachDeviceToDeviceStack(device, pdo)};
    assert_ptr_equal(extension->below, pdo);
    driver_pdo = pdo;
    driver_fdo = device;
    device->Flags |= DO_POWER_PAGABLE;
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI on_unload(DRIVER_OBJECT *object)
{
    UNREFERENCED_PARAMETER(object);
    driver_note("unload");
}

static NTSTATUS NTAPI entry(DRIVER_OBJECT *object, PUNICODE_STRING registry)
{
    UNREFERENCED_PARAMETER(registry);
    object->DriverExtension->AddDevice = add_device;
    object->DriverUnload = on_unload;
    object->MajorFunction[IRP_MJ_PNP] = on_pnp;
    object->MajorFunction[IRP_MJ_POWER] = on_power;
    object->MajorFunction[IRP_MJ_CREATE] = on_file;
    object->MajorFunction[IRP_MJ_CLEANUP] = on_file;
    object->MajorFunction[IRP_MJ_CLOSE] = on_file;
    return STATUS_SUCCESS;
}

void driver_load(void)
{
    behaviour = (struct behaviour){0};
    driver_log[0] = 0;
    assert_int_equal(io_driver_load((ULONG_PTR)entry, NULL, 0, "Toy", &driver), STATUS_SUCCESS);
}

struct pnp_node *driver_start(void)
{
    struct pnp_node *node = NULL;
    struct pnp_failure failure;
    driver_load();
    assert_int_equal(pnp_driver_start(driver, &node, &failure), STATUS_SUCCESS);
    assert_null(failure.step);
    assert_ptr_equal(pnp_node_pdo(node), driver_pdo);
    return node;
}

static void print_leftover(void *context, const char *line)
{
    UNREFERENCED_PARAMETER(context);
    print_message("left behind: %s\n", line);
}

void driver_end(void)
{
    assert_int_equal(pnp_driver_remove(driver), STATUS_SUCCESS);
    assert_int_equal(io_driver_unload(driver), STATUS_SUCCESS);
    assert_int_equal(io_leaks(print_leftover, NULL), 0);
}
