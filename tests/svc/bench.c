/* bench.c - the driver inside the test, user memory, and calls as user mode makes them. */
#include "svc_test.h"

static DRIVER_OBJECT *driver;
static DEVICE_OBJECT *device;
NTSTATUS (*bench_routine)(IRP *irp);
ULONG bench_writes;
UCHAR bench_written[2];

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS NTAPI on_any(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI on_read(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length;
    if (length)
        memset(irp->AssociatedIrp.SystemBuffer, 'r', length);
    return complete(irp, STATUS_SUCCESS, length);
}

/* A file of 64 KB to whoever asks for its size. */
static NTSTATUS NTAPI on_query(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    static const LONGLONG sizes[2] = {BENCH_FILE_BYTES, BENCH_FILE_BYTES};
    memcpy(irp->AssociatedIrp.SystemBuffer, sizes, sizeof(sizes));
    return complete(irp, STATUS_SUCCESS, sizeof(sizes));
}

static NTSTATUS NTAPI on_write(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
    bench_writes++;
    if (length >= sizeof(bench_written))
        memcpy(bench_written, irp->AssociatedIrp.SystemBuffer, sizeof(bench_written));
    return complete(irp, STATUS_SUCCESS, IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length);
}

static NTSTATUS NTAPI on_control(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    if (stack->Parameters.DeviceIoControl.IoControlCode == CODE_RUN)
        return complete(irp, bench_routine(irp), 0);
    ULONG in = stack->Parameters.DeviceIoControl.InputBufferLength,
          out = stack->Parameters.DeviceIoControl.OutputBufferLength;
    return complete(irp, STATUS_SUCCESS, in < out ? in : out);
}

static VOID NTAPI on_unload(DRIVER_OBJECT *object)
{
    UNREFERENCED_PARAMETER(object);
    IoDeleteDevice(device);
}

static NTSTATUS NTAPI entry(DRIVER_OBJECT *object, PUNICODE_STRING path)
{
    UNICODE_STRING name;
    UNREFERENCED_PARAMETER(path);
    RtlInitUnicodeString(&name, WIDE("\\Device\\SvcTest"));
    object->MajorFunction[IRP_MJ_CREATE] = object->MajorFunction[IRP_MJ_CLOSE] = on_any;
    object->MajorFunction[IRP_MJ_CLEANUP] = on_any;
    object->MajorFunction[IRP_MJ_READ] = on_read;
    object->MajorFunction[IRP_MJ_WRITE] = on_write;
    object->MajorFunction[5] = on_query; /* IRP_MJ_QUERY_INFORMATION */
    object->MajorFunction[IRP_MJ_DEVICE_CONTROL] = object->MajorFunction[IRP_MJ_FILE_SYSTEM_CONTROL] = on_control;
    object->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = object->MajorFunction[IRP_MJ_LOCK_CONTROL] = on_any;
    object->DriverUnload = on_unload;
    NTSTATUS status = IoCreateDevice(object, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (NT_SUCCESS(status))
        device->Flags |= DO_BUFFERED_IO;
    return status;
}

void bench_start(void)
{
    assert_int_equal(io_driver_load((ULONG_PTR)entry, NULL, 0, "svctest", &driver), STATUS_SUCCESS);
}

void bench_stop(void)
{
    assert_int_equal(io_driver_unload(driver), STATUS_SUCCESS);
}

struct bench_counts bench_counts(void)
{
    return (struct bench_counts){ob_handles_in(&ke_user.body), ob_handles_in(&ke_system.body),
                                 mm_pool_bytes_in_use(MM_POOL_KERNEL), 0};
}

void bench_check(const struct bench_counts *before)
{
    struct bench_counts after = bench_counts();
    assert_int_equal(after.user_handles, before->user_handles);
    assert_int_equal(after.kernel_handles, before->kernel_handles);
    assert_int_equal(after.pool, before->pool);
    assert_int_equal(ke_thread_current()->PreviousMode, KernelMode);
    assert_null(ke_thread_current()->TrapFrame);
}

ULONG_PTR bench_user_page(ULONG prot)
{
    ULONG_PTR page = 0;
    assert_int_equal(plat_user_map(&page, PLAT_PAGE_SIZE, prot), STATUS_SUCCESS);
    return page;
}

ULONG_PTR bench_block(void)
{
    static ULONG_PTR block;
    if (!block)
        block = bench_user_page(PLAT_READWRITE);
    return block;
}

NTSTATUS bench_call(ULONG number, const ULONG64 *values)
{
    ULONG_PTR block = bench_block();
    assert_true(plat_user_store(block, values, svc_table[number].count * sizeof(*values)));
    return svc_system_call(number, block);
}
