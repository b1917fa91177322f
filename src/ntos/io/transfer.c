/*
 * transfer.c - reads, writes and controls as user mode asks for them: capture of buffered input, locking of direct
 * buffers, the file's position, and whether the caller waits.
 *
 * User addresses are numbers here. Only copy_in and probe_out touch user memory, each through an accessor inside a
 * __try; results go back in finish.c.
 */
#include "io_internal.h"
#include "trace.h"
#include "usermode_accessors.h"
#include "wdk/seh.h"

static NTSTATUS copy_in(void *to, ULONG_PTR from, ULONG length, KPROCESSOR_MODE mode)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        if (mode != KernelMode)
            trace_begin(TRACE_COPY_IN, 0, from, length, NULL);
        CopyFromMode(to, (const void *)from, length, mode);
        if (mode != KernelMode)
            trace_done();
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

/* ---- buffers ---- */

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

/* Device and file system controls: the code's method says how the buffers go. */
static NTSTATUS fill_control(struct io_irp *packet, const struct io_transfer *transfer)
{
    IRP *irp = &packet->irp;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    ULONG method = METHOD_FROM_CTL_CODE(transfer->code);
    ULONG in_length = transfer->in_length, out_length = transfer->out_length;
    if (method != METHOD_NEITHER) /* a null input has no length; METHOD_NEITHER passes on what it was given */
        in_length = transfer->in ? in_length : 0;
    if (method == METHOD_BUFFERED)
        out_length = transfer->out ? out_length : 0;
    stack->Parameters.DeviceIoControl.IoControlCode = transfer->code; /* FileSystemControl has the same layout */
    stack->Parameters.DeviceIoControl.InputBufferLength = in_length;
    stack->Parameters.DeviceIoControl.OutputBufferLength = out_length;
    irp->UserBuffer = (PVOID)transfer->out;
    packet->request->out = transfer->out;
    packet->request->out_length = out_length;
    if (method == METHOD_BUFFERED)
        return capture(packet, transfer->in, in_length, transfer->out, out_length);
    if (method == METHOD_NEITHER) {
        stack->Parameters.DeviceIoControl.Type3InputBuffer = (PVOID)transfer->in;
        return STATUS_SUCCESS;
    }
    /* The input is buffered; the "output" is locked, for reading with METHOD_IN_DIRECT. */
    NTSTATUS status = capture(packet, transfer->in, in_length, 0, 0);
    if (!NT_SUCCESS(status))
        return status;
    return lock_buffer(packet, transfer->out, out_length, method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess);
}

/* Reads and writes: the device's flags say how the buffer goes. */
static NTSTATUS fill_read_or_write(struct io_irp *packet, DEVICE_OBJECT *device, const struct io_transfer *transfer,
                                   LONGLONG offset)
{
    bool writes = transfer->major == IRP_MJ_WRITE;
    ULONG_PTR buffer = writes ? transfer->in : transfer->out;
    ULONG length = writes ? transfer->in_length : transfer->out_length;
    IRP *irp = &packet->irp;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    stack->Parameters.Read.Length = length; /* Write has the same layout */
    stack->Parameters.Read.Key = transfer->key;
    stack->Parameters.Read.ByteOffset.QuadPart = offset;
    irp->UserBuffer = (PVOID)buffer;
    irp->Flags |= writes ? IRP_WRITE_OPERATION : IRP_READ_OPERATION;
    packet->request->out = writes ? 0 : buffer;
    packet->request->out_length = writes ? 0 : length;
    if (device->Flags & DO_BUFFERED_IO)
        return capture(packet, buffer, writes ? length : 0, buffer, writes ? 0 : length);
    if (device->Flags & DO_DIRECT_IO) /* what a read transfers is written to the buffer */
        return lock_buffer(packet, buffer, length, writes ? IoReadAccess : IoWriteAccess);
    return STATUS_SUCCESS;
}

static NTSTATUS fill(struct io_irp *packet, DEVICE_OBJECT *device, const struct io_transfer *transfer, LONGLONG offset)
{
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(&packet->irp);
    stack->MinorFunction = transfer->minor;
    stack->Flags = transfer->flags;
    switch (transfer->major) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        return fill_read_or_write(packet, device, transfer, offset);
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        return fill_control(packet, transfer);
    case IRP_MJ_LOCK_CONTROL:
        packet->request->lock_length.QuadPart = transfer->lock_length;
        stack->Parameters.LockControl.Length = &packet->request->lock_length;
        stack->Parameters.LockControl.Key = transfer->key;
        stack->Parameters.LockControl.ByteOffset.QuadPart = transfer->offset;
        return STATUS_SUCCESS;
    default:
        return STATUS_SUCCESS;
    }
}

/* ---- the file's position ---- */

/* Offsets that are none: high part -1, the low part by its documented name. */
#define TO_END_OF_FILE   ((LONGLONG)(0xFFFFFFFF00000000ull | FILE_WRITE_TO_END_OF_FILE))
#define AT_FILE_POSITION ((LONGLONG)(0xFFFFFFFF00000000ull | FILE_USE_FILE_POINTER_POSITION))

/* Where a read or write begins. STATUS_INVALID_PARAMETER: a file that keeps no position was given none, or a negative
 * one. */
static NTSTATUS resolve_offset(const struct io_transfer *transfer, LONGLONG *offset)
{
    const FILE_OBJECT *file = transfer->file;
    bool writes = transfer->major == IRP_MJ_WRITE,
         keeps = __atomic_load_n(&file->Flags, __ATOMIC_RELAXED) & FO_SYNCHRONOUS_IO;
    *offset = transfer->offset;
    if (!writes && transfer->major != IRP_MJ_READ)
        return STATUS_SUCCESS;
    if (writes && transfer->append_only)
        *offset = TO_END_OF_FILE;
    else if (keeps && (!transfer->has_offset || *offset == AT_FILE_POSITION))
        *offset = file->CurrentByteOffset.QuadPart;
    else if (!transfer->has_offset)
        return STATUS_INVALID_PARAMETER;
    bool to_the_end = writes && *offset == TO_END_OF_FILE;
    return *offset >= 0 || to_the_end ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* The position after a synchronous transfer, unless the driver has seen to it itself. */
static void advance(const struct io_transfer *transfer, LONGLONG before, LONGLONG offset, const IO_STATUS_BLOCK *result)
{
    FILE_OBJECT *file = transfer->file;
    bool moves = transfer->major == IRP_MJ_READ || transfer->major == IRP_MJ_WRITE;
    if (moves && offset >= 0 && NT_SUCCESS(result->Status) && file->CurrentByteOffset.QuadPart == before)
        file->CurrentByteOffset.QuadPart = (LONGLONG)((ULONG64)offset + result->Information); /* a driver's number */
}

/* ---- sending ---- */

/* The transfer does not reach the driver. */
static NTSTATUS refuse(const struct io_transfer *transfer, NTSTATUS status, IO_STATUS_BLOCK *result)
{
    if (transfer->event)
        ob_dereference(transfer->event);
    ob_dereference(transfer->file);
    *result = (IO_STATUS_BLOCK){.Status = status};
    return status;
}

/* The request was not sent: both references go, and the packet. */
static NTSTATUS abandon(struct io_irp *packet, NTSTATUS status, IO_STATUS_BLOCK *result)
{
    struct io_request *request = packet->request;
    io_mdls_release(&packet->irp);
    IoFreeIrp(&packet->irp);
    io_request_release(request);
    io_request_release(request);
    *result = (IO_STATUS_BLOCK){.Status = status};
    return status;
}

/* The caller does not wait. False: the request is complete already. */
static bool detach(struct io_request *request)
{
    LONG sent = IO_SENT;
    request->thread->PendingRequests++;
    if (__atomic_compare_exchange_n(&request->state, &sent, IO_DETACHED, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return true;
    request->thread->PendingRequests--;
    return false;
}

/* Sends the request and sees to as much of its end as the caller waits for. Consumes the sender's reference. */
static NTSTATUS send(DEVICE_OBJECT *device, struct io_irp *packet, const struct io_transfer *transfer, LONGLONG offset,
                     IO_STATUS_BLOCK *result)
{
    struct io_request *request = packet->request;
    FILE_OBJECT *file = request->file;
    bool locked = request->locked;
    LONGLONG before = file->CurrentByteOffset.QuadPart;
    NTSTATUS status = io_request_call(device, packet, request);
    bool later = status == STATUS_PENDING && !locked && !transfer->wait;
    if (later && detach(request)) {
        io_request_release(request);
        *result = (IO_STATUS_BLOCK){.Status = STATUS_PENDING};
        return STATUS_PENDING;
    }
    io_request_wait(request, status, result);
    status = result->Status;
    if (io_request_completed(request))
        status = io_request_finish(request, !later, result);
    if (locked) {
        advance(transfer, before, offset, result);
        io_file_unlock(file);
    }
    io_request_release(request);
    return later ? STATUS_PENDING : status;
}

NTSTATUS io_transfer(const struct io_transfer *transfer, IO_STATUS_BLOCK *result)
{
    FILE_OBJECT *file = transfer->file;
    DEVICE_OBJECT *device = io_device_top(file->DeviceObject);
    bool synchronous = __atomic_load_n(&file->Flags, __ATOMIC_RELAXED) & FO_SYNCHRONOUS_IO;
    struct io_request *request;
    struct io_irp *packet;
    LONGLONG offset;
    NTSTATUS status = synchronous ? io_file_lock(file, transfer->mode) : STATUS_SUCCESS;
    if (status != STATUS_SUCCESS)
        return refuse(transfer, status, result);
    status = resolve_offset(transfer, &offset);
    if (NT_SUCCESS(status))
        status = io_request_create(device, file, transfer->major, transfer->mode, &packet, &request);
    if (!NT_SUCCESS(status)) {
        if (synchronous)
            io_file_unlock(file);
        return refuse(transfer, status, result);
    }
    request->file = file;
    request->event = transfer->event;
    request->locked = synchronous;
    request->status_block = transfer->status_block;
    packet->irp.UserEvent = transfer->event;
    packet->irp.UserIosb = (PIO_STATUS_BLOCK)transfer->status_block;
    request->apc_routine = transfer->apc_routine;
    request->apc_context = transfer->apc_context;
    status = fill(packet, device, transfer, offset);
    if (!NT_SUCCESS(status)) {
        if (synchronous)
            io_file_unlock(file);
        return abandon(packet, status, result);
    }
    if (transfer->event)
        KeClearEvent(transfer->event);
    KeClearEvent(&file->Event);
    return send(device, packet, transfer, offset, result);
}

/* ---- the host's own transfers ---- */

static NTSTATUS transfer_and_wait(struct io_file *handle, struct io_transfer *transfer, IO_STATUS_BLOCK *result)
{
    transfer->file = handle->object;
    transfer->mode = handle->mode;
    transfer->wait = true;
    ob_reference(handle->object);
    result->Status = io_transfer(transfer, result);
    return result->Status;
}

NTSTATUS io_device_control(struct io_file *file, ULONG code, ULONG_PTR in, ULONG in_length, ULONG_PTR out,
                           ULONG out_length, IO_STATUS_BLOCK *result)
{
    struct io_transfer transfer = {.major = IRP_MJ_DEVICE_CONTROL,
                                   .code = code,
                                   .in = in,
                                   .in_length = in_length,
                                   .out = out,
                                   .out_length = out_length};
    return transfer_and_wait(file, &transfer, result);
}

NTSTATUS io_read(struct io_file *file, ULONG_PTR out, ULONG length, LONGLONG offset, IO_STATUS_BLOCK *result)
{
    struct io_transfer transfer = {
        .major = IRP_MJ_READ, .out = out, .out_length = length, .has_offset = true, .offset = offset};
    return transfer_and_wait(file, &transfer, result);
}

NTSTATUS io_write(struct io_file *file, ULONG_PTR in, ULONG length, LONGLONG offset, IO_STATUS_BLOCK *result)
{
    struct io_transfer transfer = {
        .major = IRP_MJ_WRITE, .in = in, .in_length = length, .has_offset = true, .offset = offset};
    return transfer_and_wait(file, &transfer, result);
}
