/*
 * request.c - requests as user mode sends them: capture of buffered input, locking of direct buffers, the call, the
 * wait, the copy back.
 *
 * User addresses are numbers here. Only copy_in, copy_out and probe_out touch user memory, each through an accessor
 * inside a __try.
 */
#include "io_internal.h"
#include "usermode_accessors.h"
#include "wdk/seh.h"

ULONG io_pending_timeout_ms = 10000;

enum { AFTER_CANCEL_MS = 1000 };

void io_request_release(struct io_request *request)
{
    if (__atomic_sub_fetch(&request->references, 1, __ATOMIC_ACQ_REL))
        return;
    if (request->system_buffer)
        mm_pool_free(request->system_buffer, IO_BUFFER_TAG, 0);
    mm_pool_free(request, IO_REQUEST_TAG, 0);
}

NTSTATUS io_request_create(DEVICE_OBJECT *device, FILE_OBJECT *file, UCHAR major, KPROCESSOR_MODE mode,
                           struct io_irp **packet, struct io_request **created)
{
    struct io_request *request = mm_pool_allocate(sizeof(*request), IO_REQUEST_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    struct io_irp *irp = request ? io_irp_allocate(device->StackSize, 0) : NULL;
    if (!irp) {
        if (request)
            mm_pool_free(request, IO_REQUEST_TAG, 0);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    request->references = 2;
    request->mode = mode;
    KeInitializeEvent(&request->done, NotificationEvent, FALSE);
    irp->request = request;
    irp->caller = (ULONG_PTR)device->DriverObject->MajorFunction[major] + 1;
    irp->irp.RequestorMode = mode;
    irp->irp.Tail.Overlay.Thread = ke_thread_current();
    irp->irp.Tail.Overlay.OriginalFileObject = file;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(&irp->irp);
    stack->MajorFunction = major;
    stack->FileObject = file;
    *packet = irp;
    *created = request;
    return STATUS_SUCCESS;
}

static bool wait_done(struct io_request *request, ULONG milliseconds)
{
    LARGE_INTEGER timeout = {.QuadPart = -10000ll * milliseconds};
    return KeWaitForSingleObject(&request->done, Executive, KernelMode, FALSE, milliseconds ? &timeout : NULL) ==
           STATUS_SUCCESS;
}

/* The driver said STATUS_PENDING. An overdue request is cancelled; one that survives that is abandoned and stays as a
 * leak. */
static bool wait_pending(struct io_request *request, IRP *irp, ULONG_PTR routine)
{
    if (wait_done(request, io_pending_timeout_ms))
        return true;
    if (io_irp_find(irp))
        IoCancelIrp(irp);
    if (wait_done(request, AFTER_CANCEL_MS))
        return true;
    io_warn(routine, "a request stayed pending for %u ms and could not be cancelled", io_pending_timeout_ms);
    return false;
}

/* What the documentation asks of a dispatch routine's return value. */
static void check_return(const struct io_request *request, NTSTATUS returned, ULONG_PTR routine)
{
    if (returned == STATUS_PENDING && request->completed && !request->pending_marked)
        io_warn(routine, "the dispatch routine returned STATUS_PENDING without IoMarkIrpPending");
    if (returned != STATUS_PENDING && !request->completed)
        io_warn(routine, "the dispatch routine returned 0x%08X without completing the request", (ULONG)returned);
    if (returned != STATUS_PENDING && request->completed && request->pending_marked)
        io_warn(routine, "the dispatch routine marked the request pending and returned 0x%08X", (ULONG)returned);
    else if (returned != STATUS_PENDING && request->completed && returned != request->status.Status)
        io_warn(routine, "the dispatch routine returned 0x%08X, but completed the request with 0x%08X", (ULONG)returned,
                (ULONG)request->status.Status);
}

NTSTATUS io_request_send(DEVICE_OBJECT *device, struct io_irp *packet, KPROCESSOR_MODE mode, struct io_request **sent,
                         IO_STATUS_BLOCK *result)
{
    struct io_request *request = *sent;
    PKTHREAD self = ke_thread_current();
    IRP *irp = &packet->irp; /* only its address is used once the driver has it */
    UCHAR major = IoGetNextIrpStackLocation(irp)->MajorFunction;
    ULONG_PTR routine = (ULONG_PTR)device->DriverObject->MajorFunction[major] + 1;
    KPROCESSOR_MODE previous = self->PreviousMode;
    struct io_balance before = io_balance_take();
    self->PreviousMode = mode;
    NTSTATUS returned = IofCallDriver(device, irp);
    self->PreviousMode = previous;
    io_balance_check(&before, routine - 1);
    bool done = __atomic_load_n(&request->completed, __ATOMIC_ACQUIRE);
    if (!done && returned == STATUS_PENDING)
        done = wait_pending(request, irp, routine);
    check_return(request, returned, routine);
    *result =
        done ? request->status : (IO_STATUS_BLOCK){.Status = returned == STATUS_PENDING ? STATUS_IO_TIMEOUT : returned};
    return result->Status;
}

/* ---- user memory ---- */

static NTSTATUS copy_in(void *to, ULONG_PTR from, ULONG length, KPROCESSOR_MODE mode)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        CopyFromMode(to, (const void *)from, length, mode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static NTSTATUS copy_out(ULONG_PTR to, const void *from, ULONG length, KPROCESSOR_MODE mode)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        CopyToMode((void *)to, from, length, mode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static NTSTATUS probe_out(ULONG_PTR address, ULONG length)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        ProbeForWrite((void *)address, length, 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

/*
 * The system buffer of a buffered request: room for both directions, the input captured. What the input does not fill
 * is not zeroed, as on Windows: a driver that returns more than it wrote leaks, and the pool's fill pattern shows it.
 */
static NTSTATUS capture(struct io_irp *packet, ULONG_PTR in, ULONG in_length, ULONG_PTR out, ULONG out_length)
{
    ULONG bytes = in_length > out_length ? in_length : out_length;
    KPROCESSOR_MODE mode = packet->irp.RequestorMode;
    NTSTATUS status = mode == KernelMode ? STATUS_SUCCESS : probe_out(out, out_length);
    if (!NT_SUCCESS(status) || !bytes)
        return status;
    void *buffer = mm_pool_allocate(bytes, IO_BUFFER_TAG, 0, MM_POOL_KERNEL, 0);
    if (!buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    packet->request->system_buffer = buffer;
    packet->irp.AssociatedIrp.SystemBuffer = buffer;
    packet->irp.Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER | (out_length ? IRP_INPUT_OPERATION : 0);
    return copy_in(buffer, in, in_length, mode);
}

/* The buffer of direct I/O, locked; a length of 0 has none. What locking finds wrong, the driver never sees. */
static NTSTATUS lock_buffer(struct io_irp *packet, ULONG_PTR address, ULONG length, LOCK_OPERATION operation)
{
    packet->request->direct = true;
    if (!length)
        return STATUS_SUCCESS;
    return io_mdl_lock(&packet->irp, address, length, operation, packet->caller);
}

/* Copies what the driver says it produced, never more than the user's buffer takes. Errors (not warnings) copy nothing.
 */
static NTSTATUS give_back(struct io_request *request, ULONG_PTR out, ULONG out_length, ULONG_PTR routine,
                          IO_STATUS_BLOCK *result)
{
    if (NT_ERROR(result->Status) || !out_length || !(request->system_buffer || request->direct))
        return result->Status;
    ULONG_PTR length = result->Information;
    if (length > out_length) {
        io_warn(routine, "the driver says it returned %llu bytes into a buffer of %u", (ULONG64)length, out_length);
        length = out_length;
    }
    if (request->direct) /* the driver wrote to the buffer itself */
        return result->Status;
    NTSTATUS status = copy_out(out, request->system_buffer, (ULONG)length, request->mode);
    return NT_SUCCESS(status) ? result->Status : status;
}

/* ---- the calls ---- */

struct transfer {
    FILE_OBJECT *file;
    DEVICE_OBJECT *device;
    struct io_irp *packet;
    struct io_request *request;
    ULONG_PTR routine;
};

static NTSTATUS begin(struct transfer *transfer, struct io_file *handle, UCHAR major, IO_STATUS_BLOCK *result)
{
    *result = (IO_STATUS_BLOCK){0};
    transfer->file = io_file_object(handle);
    transfer->device = io_device_top(transfer->file->DeviceObject);
    transfer->routine = (ULONG_PTR)transfer->device->DriverObject->MajorFunction[major] + 1;
    return io_request_create(transfer->device, transfer->file, major, handle->mode, &transfer->packet,
                             &transfer->request);
}

/* The request was not sent: both references go, and the packet. */
static NTSTATUS abandon(struct transfer *transfer, NTSTATUS status, IO_STATUS_BLOCK *result)
{
    io_mdls_release(&transfer->packet->irp);
    IoFreeIrp(&transfer->packet->irp);
    io_request_release(transfer->request);
    io_request_release(transfer->request);
    result->Status = status;
    return status;
}

static NTSTATUS finish(struct transfer *transfer, ULONG_PTR out, ULONG out_length, IO_STATUS_BLOCK *result)
{
    io_request_send(transfer->device, transfer->packet, transfer->packet->irp.RequestorMode, &transfer->request,
                    result);
    if (transfer->request->completed)
        result->Status = give_back(transfer->request, out, out_length, transfer->routine, result);
    io_request_release(transfer->request);
    return result->Status;
}

NTSTATUS io_device_control(struct io_file *file, ULONG code, ULONG_PTR in, ULONG in_length, ULONG_PTR out,
                           ULONG out_length, IO_STATUS_BLOCK *result)
{
    struct transfer transfer;
    ULONG method = METHOD_FROM_CTL_CODE(code);
    NTSTATUS status = begin(&transfer, file, IRP_MJ_DEVICE_CONTROL, result);
    if (!NT_SUCCESS(status))
        return result->Status = status;
    if (method != METHOD_NEITHER) /* a null input has no length; METHOD_NEITHER passes on what it was given */
        in_length = in ? in_length : 0;
    if (method == METHOD_BUFFERED)
        out_length = out ? out_length : 0;
    IRP *irp = &transfer.packet->irp;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    stack->Parameters.DeviceIoControl.IoControlCode = code;
    stack->Parameters.DeviceIoControl.InputBufferLength = in_length;
    stack->Parameters.DeviceIoControl.OutputBufferLength = out_length;
    irp->UserBuffer = (PVOID)out;
    if (method == METHOD_BUFFERED) {
        status = capture(transfer.packet, in, in_length, out, out_length);
    } else if (method == METHOD_NEITHER) {
        stack->Parameters.DeviceIoControl.Type3InputBuffer = (PVOID)in;
    } else { /* the input is buffered; the "output" is locked, for reading with METHOD_IN_DIRECT */
        status = capture(transfer.packet, in, in_length, 0, 0);
        if (NT_SUCCESS(status))
            status = lock_buffer(transfer.packet, out, out_length,
                                 method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess);
    }
    if (!NT_SUCCESS(status))
        return abandon(&transfer, status, result);
    return finish(&transfer, out, out_length, result);
}

/* Reads and writes differ in the direction and in where the parameters stand. */
static NTSTATUS read_or_write(struct io_file *file, UCHAR major, ULONG_PTR buffer, ULONG length, LONGLONG offset,
                              IO_STATUS_BLOCK *result)
{
    struct transfer transfer;
    bool writes = major == IRP_MJ_WRITE;
    NTSTATUS status = begin(&transfer, file, major, result);
    if (!NT_SUCCESS(status))
        return result->Status = status;
    IRP *irp = &transfer.packet->irp;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    stack->Parameters.Read.Length = length; /* Write has the same layout */
    stack->Parameters.Read.ByteOffset.QuadPart = offset;
    irp->UserBuffer = (PVOID)buffer;
    irp->Flags |= writes ? IRP_WRITE_OPERATION : IRP_READ_OPERATION;
    if (transfer.device->Flags & DO_BUFFERED_IO) {
        status = capture(transfer.packet, buffer, writes ? length : 0, buffer, writes ? 0 : length);
    } else if (transfer.device->Flags & DO_DIRECT_IO) { /* what a read transfers is written to the buffer */
        status = lock_buffer(transfer.packet, buffer, length, writes ? IoReadAccess : IoWriteAccess);
    }
    if (!NT_SUCCESS(status))
        return abandon(&transfer, status, result);
    return finish(&transfer, buffer, writes ? 0 : length, result);
}

NTSTATUS io_read(struct io_file *file, ULONG_PTR out, ULONG length, LONGLONG offset, IO_STATUS_BLOCK *result)
{
    return read_or_write(file, IRP_MJ_READ, out, length, offset, result);
}

NTSTATUS io_write(struct io_file *file, ULONG_PTR in, ULONG length, LONGLONG offset, IO_STATUS_BLOCK *result)
{
    return read_or_write(file, IRP_MJ_WRITE, in, length, offset, result);
}
