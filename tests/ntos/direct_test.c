/* direct_test.c - direct I/O: a driver inside the test gets the requestor's buffers as locked MDLs, or is not called.
 */
#include "ntos_test.h"
#include "usermode_accessors.h"

#define CODE_IN     CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_IN_DIRECT, FILE_ANY_ACCESS)
#define CODE_OUT    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define CODE_LATE   CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define CODE_CHAIN  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define CODE_FORGET CTL_CODE(FILE_DEVICE_UNKNOWN, 0x804, METHOD_NEITHER, FILE_ANY_ACCESS)

static DRIVER_OBJECT *driver;
static DEVICE_OBJECT *device;
static UNICODE_STRING device_name, link_name;
static ULONG_PTR base;      /* two pages */
static ULONG_PTR vanishing; /* CODE_LATE unmaps this first, as the user */
static uint64_t late_thread;
static struct {
    ULONG calls;
    MDL *mdl;
    CSHORT flags;
    ULONG count, input;
    UCHAR first_input, first_byte;
    PVOID user_buffer;
} seen;

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static UCHAR *buffer_of(MDL *mdl)
{
    return mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)
               ? mdl->MappedSystemVa
               : MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
}

static void look(IRP *irp)
{
    MDL *mdl = irp->MdlAddress;
    seen.calls++;
    seen.mdl = mdl;
    seen.flags = mdl ? mdl->MdlFlags : 0;
    seen.count = mdl ? mdl->ByteCount : 0;
    seen.user_buffer = irp->UserBuffer;
    seen.first_byte = mdl ? buffer_of(mdl)[0] : 0;
    seen.first_input = irp->AssociatedIrp.SystemBuffer ? *(UCHAR *)irp->AssociatedIrp.SystemBuffer : 0;
}

static void complete_late(void *argument)
{
    IRP *irp = argument;
    ke_thread_attach();
    LARGE_INTEGER delay = {.QuadPart = -100000};
    KeDelayExecutionThread(KernelMode, FALSE, &delay);
    memset(buffer_of(irp->MdlAddress), 'l', irp->MdlAddress->ByteCount);
    complete(irp, STATUS_SUCCESS, irp->MdlAddress->ByteCount);
    ke_thread_detach();
}

static NTSTATUS forget(IRP *irp)
{
    MDL *mdl = IoAllocateMdl((PVOID)base, 10, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mdl, UserMode, IoReadAccess);
    seen.mdl = mdl;
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI on_request(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG code = stack->Parameters.DeviceIoControl.IoControlCode;
    if (stack->MajorFunction == IRP_MJ_DEVICE_CONTROL && code == CODE_FORGET)
        return forget(irp);
    look(irp);
    if (stack->MajorFunction == IRP_MJ_WRITE)
        return complete(irp, STATUS_SUCCESS, stack->Parameters.Write.Length);
    if (stack->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        seen.input = stack->Parameters.DeviceIoControl.InputBufferLength;
        if (code == CODE_IN)
            return complete(irp, STATUS_SUCCESS, 0);
        if (code == CODE_LATE) {
            IoMarkIrpPending(irp);
            plat_user_unmap(vanishing, PAGE_SIZE);
            plat_thread_create(complete_late, irp, &late_thread);
            return STATUS_PENDING;
        }
        if (code == CODE_CHAIN) { /* the I/O manager gives back what drivers hang onto the request */
            MDL *more = IoAllocateMdl((PVOID)base, 10, TRUE, FALSE, irp);
            MmProbeAndLockPages(more, UserMode, IoReadAccess);
        }
    }
    if (irp->MdlAddress)
        memset(buffer_of(irp->MdlAddress), 'd', irp->MdlAddress->ByteCount);
    return complete(irp, STATUS_SUCCESS, seen.count);
}

static NTSTATUS NTAPI on_open(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    return complete(irp, STATUS_SUCCESS, 0);
}

static void NTAPI on_unload(DRIVER_OBJECT *object)
{
    IoDeleteSymbolicLink(&link_name);
    IoDeleteDevice(object->DeviceObject);
}

static NTSTATUS NTAPI entry(DRIVER_OBJECT *object, PUNICODE_STRING registry_path)
{
    UNREFERENCED_PARAMETER(registry_path);
    RtlInitUnicodeString(&device_name, WIDE("\\Device\\Direct"));
    RtlInitUnicodeString(&link_name, WIDE("\\DosDevices\\Direct"));
    object->MajorFunction[IRP_MJ_CREATE] = object->MajorFunction[IRP_MJ_CLOSE] = on_open;
    object->MajorFunction[IRP_MJ_CLEANUP] = on_open;
    object->MajorFunction[IRP_MJ_READ] = object->MajorFunction[IRP_MJ_WRITE] = on_request;
    object->MajorFunction[IRP_MJ_DEVICE_CONTROL] = on_request;
    object->DriverUnload = on_unload;
    NTSTATUS status = IoCreateDevice(object, 0, &device_name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (NT_SUCCESS(status)) {
        device->Flags |= DO_DIRECT_IO;
        status = IoCreateSymbolicLink(&link_name, &device_name);
    }
    return status;
}

static SIZE_T kernel_blocks;
static struct io_file *file;

static int load(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UNICODE_STRING service;
    RtlInitUnicodeString(&service, WIDE("direct"));
    if (cm_service_create(&service)) /* it stays, and is not to be counted */
        return 1;
    memset(&seen, 0, sizeof(seen));
    base = 0;
    kernel_blocks = mm_pool_each(MM_POOL_KERNEL, NULL, NULL);
    io_pending_timeout_ms = 5000;
    return plat_user_map(&base, 2 * PAGE_SIZE, PLAT_READWRITE) ||
           io_driver_load((ULONG_PTR)entry, (PVOID)&entry, 0x1000, "direct", &driver) ||
           io_open("\\\\.\\Direct", &file);
}

/* Everything is as it was: no lock, no MDL, no buffer is left. */
static int unload(void **state)
{
    UNREFERENCED_PARAMETER(state);
    io_close(file);
    int failed = io_driver_unload(driver) || io_leaks(NULL, NULL) ||
                 mm_pool_each(MM_POOL_KERNEL, NULL, NULL) != kernel_blocks ||
                 mm_holds_each(MM_POOL_KERNEL, NULL, NULL) || mm_holds_each(MM_POOL_DRIVER, NULL, NULL);
    plat_user_unmap(base, 2 * PAGE_SIZE);
    return failed;
}

static UCHAR user_byte(ULONG_PTR address)
{
    UCHAR byte = 0;
    assert_true(plat_user_load(address, &byte, 1));
    return byte;
}

static void put(ULONG_PTR address, UCHAR byte)
{
    assert_true(plat_user_store(address, &byte, 1));
}

static void controls_lock_the_output(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_STATUS_BLOCK result;
    ULONG_PTR out = base + PAGE_SIZE - 4;
    put(base, 0x11);
    put(out, 0x22);
    assert_int_equal(io_device_control(file, CODE_IN, base, 3, out, 8, &result), STATUS_SUCCESS);
    assert_int_equal(seen.flags & (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION), MDL_PAGES_LOCKED);
    assert_true(seen.count == 8 && seen.input == 3 && seen.first_input == 0x11 && seen.first_byte == 0x22);
    assert_int_equal(io_device_control(file, CODE_OUT, base, 3, out, 8, &result), STATUS_SUCCESS);
    assert_int_equal(seen.flags & (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION), MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
    assert_int_equal(result.Information, 8);
    assert_true(user_byte(out) == 'd' && user_byte(out + 7) == 'd' && user_byte(out + 8) == 0);
    assert_int_equal(io_device_control(file, CODE_OUT, base, 3, out, 0, &result), STATUS_SUCCESS);
    assert_null(seen.mdl);
    assert_int_equal(io_device_control(file, CODE_OUT, 0, 3, out, 1, &result), STATUS_SUCCESS);
    assert_int_equal(seen.input, 0); /* a null input has no length */
    assert_int_equal(io_device_control(file, CODE_CHAIN, 0, 0, out, 8, &result), STATUS_SUCCESS);
}

static void a_bad_buffer_never_reaches_the_driver(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_STATUS_BLOCK result;
    ULONG_PTR end = base + 2 * PAGE_SIZE, bad[] = {0, end - 4, end, (ULONG_PTR)&result, plat_layout.user_limit - 2};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(bad); i++) {
        assert_int_equal(io_device_control(file, CODE_IN, base, 4, bad[i], 8, &result), STATUS_ACCESS_VIOLATION);
        assert_int_equal(io_device_control(file, CODE_OUT, base, 4, bad[i], 8, &result), STATUS_ACCESS_VIOLATION);
        assert_int_equal(io_read(file, bad[i], 8, 0, &result), STATUS_ACCESS_VIOLATION);
        assert_int_equal(io_write(file, bad[i], 8, 0, &result), STATUS_ACCESS_VIOLATION);
    }
    assert_int_equal(io_device_control(file, CODE_OUT, end - 2, 4, base, 8, &result), STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_device_control(file, CODE_OUT, base, 4, base, 0xFFFFFFFF, &result),
                     STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(seen.calls, 0);
    plat_user_protect(base + PAGE_SIZE, PAGE_SIZE, PLAT_READ);
    assert_int_equal(io_device_control(file, CODE_OUT, base, 4, base, 2 * PAGE_SIZE, &result), STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_read(file, base, 2 * PAGE_SIZE, 0, &result), STATUS_ACCESS_VIOLATION);
    assert_int_equal(seen.calls, 0);
    assert_int_equal(io_device_control(file, CODE_IN, base, 4, base, 2 * PAGE_SIZE, &result), STATUS_SUCCESS);
    assert_int_equal(io_write(file, base, 2 * PAGE_SIZE, 0, &result), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 2);
}

static void reads_and_writes_by_the_device_flags(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_STATUS_BLOCK result;
    put(base + 5, 0x33);
    assert_int_equal(io_write(file, base + 5, 10, 0, &result), STATUS_SUCCESS);
    assert_true(result.Information == 10 && seen.first_byte == 0x33 && !(seen.flags & MDL_WRITE_OPERATION));
    assert_int_equal(io_read(file, base + 5, 10, 0, &result), STATUS_SUCCESS);
    assert_true(seen.flags & MDL_WRITE_OPERATION && seen.count == 10 && result.Information == 10);
    assert_true(user_byte(base + 5) == 'd' && user_byte(base + 14) == 'd' && user_byte(base + 15) == 0);
    assert_int_equal(io_read(file, base, 0, 0, &result), STATUS_SUCCESS);
    assert_null(seen.mdl);
    device->Flags &= ~(ULONG)DO_DIRECT_IO; /* neither: the raw address, unchecked */
    assert_int_equal(io_write(file, 0xFFFF800000000000, 10, 0, &result), STATUS_SUCCESS);
    assert_true(!seen.mdl && seen.user_buffer == (PVOID)0xFFFF800000000000);
    device->Flags |= DO_DIRECT_IO;
}

static void a_pending_request_keeps_its_pages(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_STATUS_BLOCK result;
    vanishing = base;
    assert_int_equal(io_device_control(file, CODE_LATE, 0, 0, base, 2 * PAGE_SIZE, &result), STATUS_SUCCESS);
    plat_thread_join(late_thread); /* it lets go of the request last */
    assert_int_equal(result.Information, 2 * PAGE_SIZE);
    assert_false(plat_user_query(base, NULL, NULL));
    assert_int_equal(user_byte(base + PAGE_SIZE), 'l');
    ULONG_PTR hole = base;
    assert_int_equal(plat_user_map(&hole, PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
}

static void kernel_callers_lock_kernel_memory(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KEVENT event;
    IO_STATUS_BLOCK result;
    UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IRP *irp = IoBuildDeviceIoControlRequest(CODE_OUT, device, "in", 2, block, 16, FALSE, &event, &result);
    assert_non_null(irp);
    assert_int_equal(IofCallDriver(device, irp), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&event), 1);
    assert_true(block[0] == 'd' && block[15] == 'd' && seen.first_input == 'i' && result.Information == 16);
    assert_null(IoBuildDeviceIoControlRequest(CODE_OUT, device, "in", 2, block, PAGE_SIZE, FALSE, &event, &result));
    ExFreePool(block);
}

static void keep_lines(void *context, const char *line)
{
    char *text = context;
    rtl_print(text + strlen(text), 400 - strlen(text), "%s\n", line);
}

static void a_forgotten_lock_is_a_leak(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_STATUS_BLOCK result;
    char lines[400] = "";
    SIZE_T before = io_leaks(NULL, NULL);
    assert_int_equal(io_device_control(file, CODE_FORGET, 0, 0, 0, 0, &result), STATUS_SUCCESS);
    assert_int_equal(io_leaks(NULL, NULL), before + 2); /* the lock and the MDL's memory */
    io_leaks(keep_lines, lines);
    assert_non_null(strstr(lines, "locked pages, 10 bytes at 0x"));
    assert_non_null(strstr(lines, "pool block, tag Mdl "));
    MmUnlockPages(seen.mdl);
    IoFreeMdl(seen.mdl);
}

int run_direct_tests(void)
{
#define DIRECT_TEST(name) cmocka_unit_test_setup_teardown(name, load, unload)
    const struct CMUnitTest tests[] = {
        DIRECT_TEST(controls_lock_the_output),
        DIRECT_TEST(a_bad_buffer_never_reaches_the_driver),
        DIRECT_TEST(reads_and_writes_by_the_device_flags),
        DIRECT_TEST(a_pending_request_keeps_its_pages),
        DIRECT_TEST(kernel_callers_lock_kernel_memory),
        DIRECT_TEST(a_forgotten_lock_is_a_leak),
    };
    return cmocka_run_group_tests_name("direct", tests, NULL, NULL);
}
