/* build_test.c - requests that drivers build for a device below them: buffered, direct and neither; associated ones. */
#include "exports_tests.h"
#include "wdk/io_more.h"

static DRIVER_OBJECT driver = {.Type = IO_TYPE_DRIVER};
static DEVICE_OBJECT device = {.Type = IO_TYPE_DEVICE, .DriverObject = &driver, .StackSize = 1};
static ULONG leftovers; /* completions of the asynchronous request */

/* MmGetSystemAddressForMdlSafe is inline in drivers. */
static char *system_address(PMDL mdl)
{
    if (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
        return mdl->MappedSystemVa;
    return MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
}

static char *buffer_of(PDEVICE_OBJECT object, PIRP irp)
{
    if (object->Flags & DO_BUFFERED_IO)
        return irp->AssociatedIrp.SystemBuffer;
    return object->Flags & DO_DIRECT_IO ? system_address(irp->MdlAddress) : irp->UserBuffer;
}

/* Reads give "data", writes check for it; the device's flags say where the buffer is. */
static NTSTATUS NTAPI dispatch(PDEVICE_OBJECT object, PIRP irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG length = stack->Parameters.Read.Length;
    NTSTATUS status = STATUS_SUCCESS;
    if (stack->MajorFunction == IRP_MJ_READ)
        memcpy(buffer_of(object, irp), "data", length);
    else if (stack->MajorFunction == IRP_MJ_WRITE && memcmp(buffer_of(object, irp), "data", length))
        status = STATUS_UNSUCCESSFUL;
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = stack->Parameters.Read.ByteOffset.QuadPart == 0x123456789 ? length : 0;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static void set_device(ULONG flags)
{
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(driver.MajorFunction); i++)
        driver.MajorFunction[i] = dispatch;
    device.Flags = flags;
}

static void synchronous_requests(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const ULONG kinds[] = {0, DO_BUFFERED_IO, DO_DIRECT_IO};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(kinds); i++) {
        KEVENT event;
        IO_STATUS_BLOCK result = {.Status = STATUS_PENDING};
        LARGE_INTEGER offset = {.QuadPart = 0x123456789};
        char *buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4, TAG);
        set_device(kinds[i]);
        KeInitializeEvent(&event, NotificationEvent, FALSE);
        PIRP irp = IoBuildSynchronousFsdRequest(IRP_MJ_READ, &device, buffer, 4, &offset, &event, &result);
        assert_non_null(irp);
        assert_int_equal(IofCallDriver(&device, irp), STATUS_SUCCESS);
        assert_int_equal(KeReadStateEvent(&event), 1);
        assert_true(result.Status == STATUS_SUCCESS && result.Information == 4);
        assert_memory_equal(buffer, "data", 4);
        irp = IoBuildSynchronousFsdRequest(IRP_MJ_WRITE, &device, buffer, 4, NULL, &event, &result);
        assert_int_equal(IofCallDriver(&device, irp), STATUS_SUCCESS);
        assert_true(result.Status == STATUS_SUCCESS && result.Information == 0);
        irp = IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, &device, NULL, 0, NULL, &event, &result);
        assert_int_equal(IofCallDriver(&device, irp), STATUS_SUCCESS);
        ExFreePoolWithTag(buffer, TAG);
    }
}

static NTSTATUS NTAPI keep(PDEVICE_OBJECT object, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(object);
    assert_ptr_equal(context, &leftovers);
    if (irp->Flags & IRP_DEALLOCATE_BUFFER)
        ExFreePool(irp->AssociatedIrp.SystemBuffer);
    if (irp->MdlAddress) {
        MmUnlockPages(irp->MdlAddress);
        IoFreeMdl(irp->MdlAddress);
    }
    IoFreeIrp(irp);
    leftovers++;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void asynchronous_requests_are_their_builders(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const ULONG kinds[] = {0, DO_BUFFERED_IO, DO_DIRECT_IO};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(kinds); i++) {
        char *buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4, TAG);
        memcpy(buffer, "data", 4);
        set_device(kinds[i]);
        PIRP irp = IoBuildAsynchronousFsdRequest(IRP_MJ_WRITE, &device, buffer, 4, NULL, NULL);
        assert_non_null(irp);
        IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
        stack->CompletionRoutine = keep;
        stack->Context = &leftovers;
        stack->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR;
        assert_int_equal(IofCallDriver(&device, irp), STATUS_SUCCESS);
        assert_int_equal(leftovers, i + 1);
        ExFreePoolWithTag(buffer, TAG);
    }
}

static void associated_requests_complete_their_master(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KEVENT event;
    IO_STATUS_BLOCK result = {.Status = STATUS_PENDING};
    PIRP parts[3];
    set_device(0);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP master = IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, &device, NULL, 0, NULL, &event, &result);
    master->CurrentLocation--; /* as if it had been sent */
    master->Tail.Overlay.CurrentStackLocation--;
    master->IoStatus.Status = STATUS_SUCCESS;
    assert_true(IoIsOperationSynchronous(master));
    for (int i = 0; i < 3; i++) {
        parts[i] = IoMakeAssociatedIrp(master, 1);
        IoGetNextIrpStackLocation(parts[i])->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    }
    master->AssociatedIrp.IrpCount = 3;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(KeReadStateEvent(&event), 0);
        IofCallDriver(&device, parts[i]);
    }
    assert_int_equal(KeReadStateEvent(&event), 1);
    assert_int_equal(result.Status, STATUS_SUCCESS);
}

static void resources_change_hands(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ERESOURCE resource;
    ULONG_PTR owner = (ULONG_PTR)&resource | 3;
    ExInitializeResourceLite(&resource);
    ExAcquireResourceSharedLite(&resource, TRUE);
    ExSetResourceOwnerPointer(&resource, (PVOID)owner);
    assert_int_equal(ExIsResourceAcquiredSharedLite(&resource), 0);
    assert_false(ExAcquireResourceExclusiveLite(&resource, FALSE));
    ExAcquireResourceSharedLite(&resource, TRUE);
    ExSetResourceOwnerPointer(&resource, (PVOID)owner); /* a second time: both are the owner's now */
    ExReleaseResourceForThreadLite(&resource, owner);
    assert_false(ExAcquireResourceExclusiveLite(&resource, FALSE));
    ExReleaseResourceForThreadLite(&resource, owner);
    assert_true(ExAcquireResourceExclusiveLite(&resource, FALSE));
    ExReleaseResourceLite(&resource);
    ExDeleteResourceLite(&resource);
    IoSetDeviceToVerify(KeGetCurrentThread(), &device);
    assert_ptr_equal(IoGetDeviceToVerify(KeGetCurrentThread()), &device);
    IoSetDeviceToVerify(KeGetCurrentThread(), NULL);
}

int run_build_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synchronous_requests),
        cmocka_unit_test(asynchronous_requests_are_their_builders),
        cmocka_unit_test(associated_requests_complete_their_master),
        cmocka_unit_test(resources_change_hands),
    };
    return cmocka_run_group_tests_name("build", tests, NULL, NULL);
}
