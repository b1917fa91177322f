/* target_fixture.c - a WDM driver below, whose requests go to a function of the test, and a framework driver above. */
#include "target_fixture.h"

UNICODE_STRING lower_name = {34, 34, (PWCH)L"\\Device\\KmdfLower"};
static UNICODE_STRING upper_name = {34, 34, (PWCH)L"\\Device\\KmdfUpper"};
static UNICODE_STRING sddl = {4, 4, (PWCH)L"D:"};

DEVICE_OBJECT *lower;
NTSTATUS (*lower_hook)(IRP *irp, IO_STACK_LOCATION *stack);
LONG lower_cancelled;
WDFDEVICE target_device;
void (*target_init)(PWDFDEVICE_INIT init);
WDFIOTARGET target;

static DRIVER_OBJECT *lower_driver;
static IRP *kept;
static KSPIN_LOCK kept_lock;

NTSTATUS lower_complete(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static VOID NTAPI cancel(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    __atomic_add_fetch(&lower_cancelled, 1, __ATOMIC_SEQ_CST);
    lower_complete(irp, STATUS_CANCELLED, 0);
}

NTSTATUS lower_keep(IRP *irp)
{
    KIRQL irql;
    IoMarkIrpPending(irp);
    KeAcquireSpinLock(&kept_lock, &irql);
    kept = irp;
    __atomic_store_n(&irp->CancelRoutine, cancel, __ATOMIC_SEQ_CST);
    bool late = __atomic_load_n(&irp->Cancel, __ATOMIC_SEQ_CST) &&
                __atomic_exchange_n(&irp->CancelRoutine, (PDRIVER_CANCEL)NULL, __ATOMIC_SEQ_CST);
    KeReleaseSpinLock(&kept_lock, irql);
    if (late) {
        __atomic_add_fetch(&lower_cancelled, 1, __ATOMIC_SEQ_CST);
        lower_complete(irp, STATUS_CANCELLED, 0);
    }
    return STATUS_PENDING;
}

IRP *lower_take(void)
{
    KIRQL irql;
    KeAcquireSpinLock(&kept_lock, &irql);
    IRP *irp = kept;
    kept = NULL;
    KeReleaseSpinLock(&kept_lock, irql);
    return irp;
}

bool lower_finish(NTSTATUS status, ULONG_PTR information)
{
    IRP *irp = lower_take();
    if (!irp || !__atomic_exchange_n(&irp->CancelRoutine, (PDRIVER_CANCEL)NULL, __ATOMIC_SEQ_CST))
        return false;
    lower_complete(irp, status, information);
    return true;
}

static NTSTATUS NTAPI dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    assert_ptr_equal(device, lower);
    if (lower_hook)
        return lower_hook(irp, stack);
    return lower_complete(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    IoDeleteDevice(driver->DeviceObject);
}

static NTSTATUS NTAPI entry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    UNREFERENCED_PARAMETER(path);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        driver->MajorFunction[i] = dispatch;
    driver->DriverUnload = unload;
    NTSTATUS status = IoCreateDevice(driver, 0, &lower_name, FILE_DEVICE_UNKNOWN, 0, FALSE, &lower);
    if (NT_SUCCESS(status))
        lower->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return status;
}

void target_lower_flags(ULONG flags)
{
    lower->Flags = (lower->Flags & ~(ULONG)(DO_DIRECT_IO | DO_BUFFERED_IO)) | flags;
}

static NTSTATUS make_upper(void)
{
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(test_globals, test_wdf_driver, &sddl);
    WdfDeviceInitAssignName(test_globals, init, &upper_name);
    if (target_init)
        target_init(init);
    NTSTATUS status = WdfDeviceCreate(test_globals, &init, NULL, &target_device);
    if (!NT_SUCCESS(status))
        return status;
    /* as if there were a device below: requests that come have a stack location for it */
    WdfDeviceWdmGetDeviceObject(test_globals, target_device)->StackSize = 2;
    WdfControlFinishInitializing(test_globals, target_device);
    return WdfIoTargetCreate(test_globals, target_device, NULL, &target);
}

void target_open(void)
{
    WDF_IO_TARGET_OPEN_PARAMS params;
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&params, &lower_name, GENERIC_READ | GENERIC_WRITE);
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_SUCCESS);
}

int target_set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    lower_hook = NULL;
    lower_cancelled = 0;
    kept = NULL;
    if (!NT_SUCCESS(io_driver_load((ULONG_PTR)entry, NULL, 0, "KmdfLower", &lower_driver)) ||
        !NT_SUCCESS(test_load(make_upper)))
        return 1;
    test_record[0] = 0;
    return 0;
}

static void print_leak(void *context, const char *line)
{
    UNREFERENCED_PARAMETER(context);
    fprintf(stderr, "left: %s\n", line);
}

int target_tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    if (!NT_SUCCESS(test_unload()) || !NT_SUCCESS(io_driver_unload(lower_driver)))
        return 1;
    return io_leaks(print_leak, NULL) ? 1 : 0;
}
