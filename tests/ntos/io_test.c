/* io_test.c - a driver inside the test, called as a real one is: its devices, its requests, its mistakes. */
#include "ntos_test.h"
#include "usermode_accessors.h"

#define CODE_ECHO  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_RAW   CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_NEITHER, FILE_ANY_ACCESS)
#define CODE_PEND  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_HANG  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_TWICE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x804, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_TOUCH CTL_CODE(FILE_DEVICE_UNKNOWN, 0x805, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_IRQL  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x806, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_LOSE  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x807, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_BOAST CTL_CODE(FILE_DEVICE_UNKNOWN, 0x808, METHOD_BUFFERED, FILE_ANY_ACCESS)

static DRIVER_OBJECT *driver;
static DEVICE_OBJECT *device;
static UNICODE_STRING device_name, link_name;
static ULONG creates, cleanups, closes;
static bool keep_link, refuse_create;
static KPROCESSOR_MODE seen_mode, seen_requestor;
static UNICODE_STRING seen_rest;
static WCHAR seen_rest_buffer[32];
static IRP *pended;
static const ULONG expected_extension = 0x40;

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS NTAPI on_create(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    seen_rest = (UNICODE_STRING){0, sizeof(seen_rest_buffer), seen_rest_buffer};
    RtlCopyUnicodeString(&seen_rest, &file->FileName);
    creates++;
    return complete(irp, refuse_create ? STATUS_ACCESS_DENIED : STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI on_cleanup(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    cleanups++;
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI on_close(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    closes++;
    return complete(irp, STATUS_SUCCESS, 0);
}

static void complete_later(void *argument)
{
    IRP *irp = argument;
    ke_thread_attach();
    LARGE_INTEGER delay = {.QuadPart = -100000};
    KeDelayExecutionThread(KernelMode, FALSE, &delay);
    memcpy(irp->AssociatedIrp.SystemBuffer, "late", 4);
    complete(irp, STATUS_SUCCESS, 4);
    ke_thread_detach();
}

static void NTAPI on_cancel(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    complete(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS echo_raw(IO_STACK_LOCATION *stack, IRP *irp)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        ULONG value = ReadULongFromUser(stack->Parameters.DeviceIoControl.Type3InputBuffer);
        WriteULongToUser(irp->UserBuffer, value + 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return complete(irp, status, NT_SUCCESS(status) ? 4 : 0);
}

HOSTILE static NTSTATUS misbehave(ULONG code, IO_STACK_LOCATION *stack, IRP *irp)
{
    uint64_t id;
    switch (code) {
    case CODE_PEND:
        IoMarkIrpPending(irp);
        plat_thread_create(complete_later, irp, &id);
        plat_thread_forget(id);
        return STATUS_PENDING;
    case CODE_HANG:
        IoMarkIrpPending(irp);
        irp->CancelRoutine = on_cancel;
        return STATUS_PENDING;
    case CODE_LOSE:
        IoMarkIrpPending(irp);
        pended = irp;
        return STATUS_PENDING;
    case CODE_TWICE:
        complete(irp, STATUS_SUCCESS, 0);
        IofCompleteRequest(irp, IO_NO_INCREMENT);
        return STATUS_SUCCESS;
    case CODE_TOUCH:
        complete(irp, STATUS_SUCCESS, 0);
        return irp->IoStatus.Status;
    case CODE_IRQL:
        KfRaiseIrql(DISPATCH_LEVEL);
        return complete(irp, STATUS_SUCCESS, 0);
    case CODE_BOAST:
        return complete(irp, STATUS_SUCCESS, stack->Parameters.DeviceIoControl.OutputBufferLength + 4000ull);
    default:
        return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static NTSTATUS NTAPI on_control(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG code = stack->Parameters.DeviceIoControl.IoControlCode;
    seen_mode = ExGetPreviousMode();
    seen_requestor = irp->RequestorMode;
    if (code == CODE_ECHO) {
        UCHAR *buffer = irp->AssociatedIrp.SystemBuffer;
        ULONG length = stack->Parameters.DeviceIoControl.InputBufferLength;
        for (ULONG i = 0; i < length; i++)
            buffer[i] ^= 0xFF;
        return complete(irp, STATUS_SUCCESS, length);
    }
    return code == CODE_RAW ? echo_raw(stack, irp) : misbehave(code, stack, irp);
}

static NTSTATUS NTAPI on_read(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length;
    memset(irp->AssociatedIrp.SystemBuffer, 'r', length);
    return complete(irp, STATUS_SUCCESS, length / 2);
}

static void NTAPI on_unload(DRIVER_OBJECT *object)
{
    if (!keep_link)
        IoDeleteSymbolicLink(&link_name);
    IoDeleteDevice(object->DeviceObject);
}

static NTSTATUS NTAPI entry(DRIVER_OBJECT *object, PUNICODE_STRING registry_path)
{
    RtlInitUnicodeString(&device_name, WIDE("\\Device\\IoTest"));
    RtlInitUnicodeString(&link_name, WIDE("\\DosDevices\\IoTest"));
    assert_true(registry_path->Length > 20);
    object->MajorFunction[IRP_MJ_CREATE] = on_create;
    object->MajorFunction[IRP_MJ_CLEANUP] = on_cleanup;
    object->MajorFunction[IRP_MJ_CLOSE] = on_close;
    object->MajorFunction[IRP_MJ_DEVICE_CONTROL] = on_control;
    object->MajorFunction[IRP_MJ_READ] = on_read;
    object->DriverUnload = on_unload;
    NTSTATUS status = IoCreateDevice(object, expected_extension, &device_name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status))
        return status;
    device->Flags |= DO_BUFFERED_IO;
    return IoCreateSymbolicLink(&link_name, &device_name);
}

static int load(void **state)
{
    UNREFERENCED_PARAMETER(state);
    keep_link = refuse_create = false;
    io_pending_timeout_ms = 50;
    return io_driver_load((ULONG_PTR)entry, (PVOID)&entry, 0x1000, "iotest", &driver);
}

static int unload(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return io_driver_unload(driver);
}

static struct io_file *open_device(void)
{
    struct io_file *file = NULL;
    assert_int_equal(io_open("\\\\.\\IoTest", &file), STATUS_SUCCESS);
    return file;
}

static void names_lead_to_the_device(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const char *const good[] = {"\\Device\\IoTest", "\\DEVICE\\iotest", "\\DosDevices\\IoTest",
                                       "\\??\\IoTest",     "\\\\.\\IoTest",    "\\\\.\\IoTest\\rest"};
    static const char *const bad[] = {"", "x", "\\", "\\Device", "\\Device\\IoTestX", "\\Device\\Io", "\\??\\"};
    struct io_file *file;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(good); i++) {
        assert_int_equal(io_open(good[i], &file), STATUS_SUCCESS);
        assert_ptr_equal(io_file_object(file)->DeviceObject, device);
        assert_int_equal(io_close(file), STATUS_SUCCESS);
    }
    assert_int_equal(seen_rest.Length, 10);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(bad); i++)
        assert_true(io_open(bad[i], &file) < 0);
    assert_int_equal(creates, cleanups);
    assert_int_equal(creates, closes);
    refuse_create = true;
    assert_int_equal(io_open("\\\\.\\IoTest", &file), STATUS_ACCESS_DENIED);
    refuse_create = false;
    assert_int_equal(closes, creates - 1); /* a refused create is not closed */
    creates = cleanups = closes = 0;
}

static void the_extension_ends_at_a_guard_page(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(((ULONG_PTR)device->DeviceExtension + expected_extension) % PAGE_SIZE, 0);
    assert_false(device->Flags & DO_DEVICE_INITIALIZING);
    assert_true(device->Flags & DO_DEVICE_HAS_NAME);
    for (ULONG i = 0; i < expected_extension; i++)
        assert_int_equal(((UCHAR *)device->DeviceExtension)[i], 0);
    DEVICE_OBJECT *second;
    assert_int_equal(IoCreateDevice(driver, 0, &device_name, 0, 0, FALSE, &second), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(IoCreateSymbolicLink(&link_name, &device_name), STATUS_OBJECT_NAME_COLLISION);
}

static void buffered_requests_copy_both_ways(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct io_file *file = open_device();
    IO_STATUS_BLOCK result;
    ULONG_PTR base = 0;
    UCHAR bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    assert_int_equal(plat_user_map(&base, PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
    plat_user_store(base, bytes, 8);
    assert_int_equal(io_device_control(file, CODE_ECHO, base, 4, base + 0x100, 8, &result), STATUS_SUCCESS);
    assert_int_equal(result.Information, 4);
    assert_int_equal(seen_mode, UserMode);
    assert_int_equal(seen_requestor, UserMode);
    assert_int_equal(ExGetPreviousMode(), KernelMode);
    assert_true(plat_user_load(base + 0x100, bytes, 8));
    assert_true(bytes[0] == 0xFE && bytes[3] == 0xFB && bytes[4] == 0);
    assert_int_equal(io_device_control(file, CODE_ECHO, base + PAGE_SIZE - 2, 4, base, 8, &result),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_device_control(file, CODE_ECHO, base, 4, base + PAGE_SIZE - 2, 4, &result),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_device_control(file, CODE_ECHO, (ULONG_PTR)bytes, 8, base, 8, &result),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_device_control(file, CODE_ECHO, base, 8, (ULONG_PTR)bytes, 8, &result),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_device_control(file, CODE_ECHO, base, 0xFFFFFFFF, base, 8, &result),
                     STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(io_device_control(file, CODE_ECHO, 0, 100, 0, 100, &result), STATUS_SUCCESS); /* null: no length */
    assert_int_equal(io_read(file, base, 8, 0, &result), STATUS_SUCCESS);
    assert_true(plat_user_load(base, bytes, 8) && !memcmp(bytes, "rrrr", 4) && bytes[4] == 5);
    assert_int_equal(io_write(file, base, 8, 0, &result), STATUS_INVALID_DEVICE_REQUEST);
    plat_user_unmap(base, PAGE_SIZE);
    io_close(file);
}

static void raw_pointers_arrive_as_given(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct io_file *file = open_device();
    IO_STATUS_BLOCK result;
    ULONG_PTR base = 0;
    ULONG value = 41;
    assert_int_equal(plat_user_map(&base, PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
    plat_user_store(base, &value, 4);
    assert_int_equal(io_device_control(file, CODE_RAW, base, 4, base + 8, 4, &result), STATUS_SUCCESS);
    assert_true(plat_user_load(base + 8, &value, 4) && value == 42);
    assert_int_equal(io_device_control(file, CODE_RAW, 0, 4, base, 4, &result), STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_device_control(file, CODE_RAW, (ULONG_PTR)&value, 4, base, 4, &result),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_device_control(file, CODE_RAW, base, 4, base + PAGE_SIZE, 4, &result), STATUS_ACCESS_VIOLATION);
    plat_user_unmap(base, PAGE_SIZE);
    io_close(file);
}

static void pending_requests_are_waited_for(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct io_file *file = open_device();
    IO_STATUS_BLOCK result;
    ULONG_PTR base = 0;
    char bytes[4];
    io_pending_timeout_ms = 5000;
    assert_int_equal(plat_user_map(&base, PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_int_equal(io_device_control(file, CODE_PEND, 0, 0, base, 4, &result), STATUS_SUCCESS);
    assert_true(plat_user_load(base, bytes, 4) && !memcmp(bytes, "late", 4));
    io_pending_timeout_ms = 50;
    assert_int_equal(io_device_control(file, CODE_HANG, 0, 0, base, 4, &result), STATUS_CANCELLED);
    assert_int_equal(io_device_control(file, CODE_LOSE, 0, 0, base, 4, &result), STATUS_IO_TIMEOUT);
    assert_int_equal(io_leaks(NULL, NULL), 3); /* the device, its link, the request */
    complete(pended, STATUS_SUCCESS, 0);
    assert_int_equal(io_leaks(NULL, NULL), 2);
    plat_user_unmap(base, PAGE_SIZE);
    io_close(file);
}

static void send(ULONG code)
{
    IO_STATUS_BLOCK result;
    ULONG_PTR base = 0;
    plat_user_map(&base, PAGE_SIZE, PLAT_READWRITE);
    io_device_control(open_device(), code, base, 4, base, 4, &result);
}

static void send_twice(void)
{
    send(CODE_TWICE);
}

static void send_touch(void)
{
    send(CODE_TOUCH);
}

static void send_irql(void)
{
    send(CODE_IRQL);
}

static void send_boast(void)
{
    send(CODE_BOAST);
}

static void no_stack_left(void)
{
    IRP *irp = IoAllocateIrp(1, FALSE);
    irp->CurrentLocation = 1;
    IofCallDriver(device, irp);
}

static void drivers_mistakes_are_caught(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(bugcheck_of(send_twice).code, 0x44);
    assert_int_equal(bugcheck_of(send_touch).code, 0xD5);
    assert_int_equal(bugcheck_of(send_irql).code, 0xC8);
    assert_int_equal(bugcheck_of(no_stack_left).code, 0x35);
    struct bugcheck_result result = bugcheck_of(send_boast);
    assert_false(result.happened);
    assert_non_null(strstr(result.report, "into a buffer of 4"));
}

static NTSTATUS NTAPI keep(DEVICE_OBJECT *object, IRP *irp, PVOID context)
{
    UNREFERENCED_PARAMETER(object);
    *(NTSTATUS *)context = irp->IoStatus.Status;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void drivers_call_drivers(void **state)
{
    UNREFERENCED_PARAMETER(state);
    FILE_OBJECT *file;
    DEVICE_OBJECT *target;
    NTSTATUS seen = STATUS_PENDING;
    assert_int_equal(IoGetDeviceObjectPointer(&link_name, 0, &file, &target), STATUS_SUCCESS);
    assert_ptr_equal(target, device);
    IRP *irp = IoAllocateIrp(target->StackSize, FALSE);
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_WRITE;
    stack->CompletionRoutine = keep;
    stack->Context = &seen;
    stack->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    assert_int_equal(IofCallDriver(target, irp), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(seen, STATUS_INVALID_DEVICE_REQUEST);
    IoFreeIrp(irp);
    KEVENT event;
    IO_STATUS_BLOCK result;
    char text[4] = {0};
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(CODE_ECHO, target, "\xFE\xFD", 2, text, 4, FALSE, &event, &result);
    assert_int_equal(IofCallDriver(target, irp), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&event), 1);
    assert_true(result.Information == 2 && text[0] == 1 && text[1] == 2);
    ObfDereferenceObject(file);
}

static void keep_line(void *context, const char *line)
{
    rtl_print(context, 200, "%s", line);
}

static void use_the_kernel(void *context, const char *line)
{
    DEVICE_OBJECT *made;
    UNREFERENCED_PARAMETER(line);
    ExFreePool(ExAllocatePool2(POOL_FLAG_PAGED, 10, TAG));
    if (!IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &made))
        IoDeleteDevice(made);
    ++*(SIZE_T *)context;
}

static void who_is_told_of_leftovers_may_use_the_kernel(void **state)
{
    SIZE_T told = 0;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(load(NULL), 0);
    PVOID leaked = ExAllocatePool2(POOL_FLAG_PAGED, 77, TAG);
    SIZE_T count = io_leaks(NULL, NULL);
    assert_true(count >= 2); /* the block, the driver's device */
    assert_int_equal(io_leaks(use_the_kernel, &told), count);
    assert_int_equal(told, count);
    ExFreePool(leaked);
    assert_int_equal(io_driver_unload(driver), STATUS_SUCCESS);
}

static void leftovers_are_named(void **state)
{
    char line[200] = "";
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(load(NULL), 0);
    struct io_file *file = open_device();
    assert_int_equal(io_driver_unload(driver), STATUS_DEVICE_BUSY);
    io_close(file);
    keep_link = true;
    assert_int_equal(io_driver_unload(driver), STATUS_SUCCESS);
    assert_int_equal(io_leaks(keep_line, line), 1);
    assert_non_null(strstr(line, "symbolic link \\GLOBAL??\\IoTest -> \\Device\\IoTest"));
    assert_int_equal(IoDeleteSymbolicLink(&link_name), STATUS_SUCCESS);
    assert_int_equal(load(NULL), 0); /* nothing is in the way */
    PVOID leaked = ExAllocatePool2(POOL_FLAG_PAGED, 77, TAG);
    assert_int_equal(io_driver_unload(driver), STATUS_SUCCESS);
    assert_int_equal(io_leaks(keep_line, line), 1);
    assert_non_null(strstr(line, "pool block, tag Test, 77 bytes"));
    ExFreePool(leaked);
}

static SIZE_T kernel_blocks;

/* The first load makes the driver's service key, which stays. */
static int note_blocks(void **state)
{
    if (load(state) || unload(state))
        return 1;
    kernel_blocks = mm_pool_each(MM_POOL_KERNEL, NULL, NULL);
    return load(state);
}

static int check_blocks(void **state)
{
    int failed = unload(state);
    return failed ? failed : mm_pool_each(MM_POOL_KERNEL, NULL, NULL) != kernel_blocks;
}

int run_io_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_to_the_device),         cmocka_unit_test(the_extension_ends_at_a_guard_page),
        cmocka_unit_test(buffered_requests_copy_both_ways), cmocka_unit_test(raw_pointers_arrive_as_given),
        cmocka_unit_test(pending_requests_are_waited_for),  cmocka_unit_test(drivers_call_drivers),
        cmocka_unit_test(drivers_mistakes_are_caught),
    };
    const struct CMUnitTest last[] = {cmocka_unit_test(leftovers_are_named),
                                      cmocka_unit_test(who_is_told_of_leftovers_may_use_the_kernel)};
    return cmocka_run_group_tests_name("io", tests, note_blocks, check_blocks) +
           cmocka_run_group_tests_name("io leftovers", last, NULL, NULL);
}
