/*
 * target_format.c - what a request is filled with: the next stack location at once, the IRP's buffers when it is sent;
 * and what comes back.
 *
 * A transfer goes by the flags of the target's device, a device control by its method. Input and output of
 * METHOD_BUFFERED share a copy; where pages are asked for, an MDL is made for the buffer unless there is one.
 */
#include "kmdf_target.h"

#define COPY_TAG RTL_TAG('K', 'm', 'S', 'b')

/* ---- buffers ---- */

NTSTATUS kmdf_io_memory(WDFMEMORY handle, const WDFMEMORY_OFFSET *offset, struct kmdf_io *io, const char *function)
{
    *io = (struct kmdf_io){0};
    if (!handle)
        return STATUS_SUCCESS;
    io->memory = (struct kmdf_memory *)kmdf_object_of(handle, &kmdf_memory_type, function);
    if (!io->memory->buffer)
        return STATUS_INVALID_PARAMETER;
    SIZE_T start = offset ? offset->BufferOffset : 0, length = offset ? offset->BufferLength : 0;
    if (start > io->memory->size || length > io->memory->size - start)
        return STATUS_INVALID_DEVICE_REQUEST;
    io->offset = start;
    io->address = io->memory->buffer + start;
    io->length = length ? length : io->memory->size - start;
    return STATUS_SUCCESS;
}

NTSTATUS kmdf_io_descriptor(const WDF_MEMORY_DESCRIPTOR *descriptor, struct kmdf_io *io, const char *function)
{
    *io = (struct kmdf_io){0};
    if (!descriptor)
        return STATUS_SUCCESS;
    switch (descriptor->Type) {
    case WdfMemoryDescriptorTypeBuffer:
        io->address = descriptor->u.BufferType.Buffer;
        io->length = descriptor->u.BufferType.Length;
        return io->address || !io->length ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    case WdfMemoryDescriptorTypeMdl:
        io->mdl = descriptor->u.MdlType.Mdl;
        io->length = descriptor->u.MdlType.BufferLength;
        return io->mdl && io->length <= io->mdl->ByteCount ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    case WdfMemoryDescriptorTypeHandle:
        if (!descriptor->u.HandleType.Memory)
            return STATUS_INVALID_PARAMETER;
        return kmdf_io_memory(descriptor->u.HandleType.Memory, descriptor->u.HandleType.Offsets, io, function);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

static NTSTATUS find_address(struct kmdf_io *io)
{
    if (io->mdl && !io->address)
        io->address = kmdf_mdl_address(io->mdl);
    return io->mdl && !io->address ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

/* The MDL that the device gets; null: no bytes. */
static NTSTATUS find_mdl(struct kmdf_send *send, const struct kmdf_io *io, ULONG_PTR caller)
{
    send->buffers.mdl = io->length ? io->mdl : NULL;
    if (io->mdl || !io->length)
        return STATUS_SUCCESS;
    send->mdl = kmdf_mdl_allocate(io->address, io->length, caller);
    if (!send->mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    MmBuildMdlForNonPagedPool(send->mdl);
    send->buffers.mdl = send->mdl;
    return STATUS_SUCCESS;
}

/* ---- by type ---- */

static NTSTATUS format_transfer(struct kmdf_send *send, const struct kmdf_io_format *format, ULONG device_flags,
                                ULONG_PTR caller)
{
    struct kmdf_io io = format->io[0];
    if (device_flags & DO_DIRECT_IO)
        return find_mdl(send, &io, caller);
    NTSTATUS status = find_address(&io);
    if (device_flags & DO_BUFFERED_IO)
        send->buffers.system = io.address;
    else
        send->buffers.user = io.address;
    return status;
}

static NTSTATUS format_buffered(struct kmdf_send *send, const struct kmdf_io *in, const struct kmdf_io *out,
                                ULONG_PTR caller)
{
    SIZE_T bytes = in->length > out->length ? in->length : out->length;
    if (!bytes)
        return STATUS_SUCCESS;
    send->copy = mm_pool_allocate(bytes, COPY_TAG, 0, MM_POOL_KERNEL, caller);
    if (!send->copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(send->copy, in->address, in->length);
    send->buffers.system = send->copy;
    send->copy_to = out->address;
    send->copy_length = out->length;
    return STATUS_SUCCESS;
}

static NTSTATUS format_control(struct kmdf_send *send, IO_STACK_LOCATION *stack, const struct kmdf_io_format *format,
                               ULONG_PTR caller)
{
    struct kmdf_io in = format->io[0], out = format->io[1];
    ULONG method = METHOD_FROM_CTL_CODE(format->code);
    stack->Parameters.DeviceIoControl.IoControlCode = format->code;
    stack->Parameters.DeviceIoControl.InputBufferLength = (ULONG)in.length;
    stack->Parameters.DeviceIoControl.OutputBufferLength = (ULONG)out.length;
    NTSTATUS status = find_address(&in);
    if (NT_SUCCESS(status) && (method == METHOD_BUFFERED || method == METHOD_NEITHER))
        status = find_address(&out);
    if (!NT_SUCCESS(status))
        return status;
    if (method == METHOD_BUFFERED)
        return format_buffered(send, &in, &out, caller);
    if (method != METHOD_NEITHER) {
        send->buffers.system = in.address;
        return find_mdl(send, &out, caller);
    }
    stack->Parameters.DeviceIoControl.Type3InputBuffer = in.address;
    send->buffers.user = out.address;
    return STATUS_SUCCESS;
}

/* The control code is the third argument. */
static NTSTATUS format_others(IO_STACK_LOCATION *stack, const struct kmdf_io_format *format)
{
    struct kmdf_io io[3];
    NTSTATUS status = STATUS_SUCCESS;
    for (int i = 0; i < 3 && NT_SUCCESS(status); i++) {
        io[i] = format->io[i];
        status = find_address(&io[i]);
    }
    if (!NT_SUCCESS(status))
        return status;
    stack->Parameters.Others.Argument1 = io[0].address;
    stack->Parameters.Others.Argument2 = io[1].address;
    stack->Parameters.Others.Argument3 = (PVOID)(ULONG_PTR)format->code;
    stack->Parameters.Others.Argument4 = io[2].address;
    return STATUS_SUCCESS;
}

/* What the completion routine learns besides the status. */
static void note_params(struct kmdf_send *send, const struct kmdf_io_format *format, const IO_STACK_LOCATION *stack)
{
    WDF_REQUEST_COMPLETION_PARAMS *params = &send->params;
    WDFMEMORY handles[2];
    for (int i = 0; i < 2; i++)
        handles[i] = format->io[i].memory ? KMDF_HANDLE(WDFMEMORY, format->io[i].memory) : NULL;
    params->Type = format->others ? WdfRequestTypeOther : (WDF_REQUEST_TYPE)format->major;
    if (format->others) {
        params->Parameters.Others.Argument1.Ptr = stack->Parameters.Others.Argument1;
        params->Parameters.Others.Argument2.Ptr = stack->Parameters.Others.Argument2;
        params->Parameters.Others.Argument3.Ptr = stack->Parameters.Others.Argument3;
        params->Parameters.Others.Argument4.Ptr = stack->Parameters.Others.Argument4;
    } else if (format->major == IRP_MJ_READ || format->major == IRP_MJ_WRITE) {
        params->Parameters.Read.Buffer = handles[0]; /* Write has the same layout */
        params->Parameters.Read.Offset = format->io[0].offset;
    } else {
        params->Parameters.Ioctl.IoControlCode = format->code;
        params->Parameters.Ioctl.Input.Buffer = handles[0];
        params->Parameters.Ioctl.Input.Offset = format->io[0].offset;
        params->Parameters.Ioctl.Output.Buffer = handles[1];
        params->Parameters.Ioctl.Output.Offset = format->io[1].offset;
    }
}

/* ---- the whole ---- */

static NTSTATUS fill(struct kmdf_target *target, struct kmdf_request *request, const struct kmdf_io_format *format)
{
    struct kmdf_send *send = &request->send;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(request->irp);
    const IO_STACK_LOCATION *own = kmdf_request_stack(request);
    ULONG_PTR caller = seh_export_caller();
    plat_lock_acquire(&target->lock);
    ULONG flags = target->wdm ? target->wdm->Flags : 0;
    plat_lock_release(&target->lock);
    *stack = (IO_STACK_LOCATION){.MajorFunction = format->major, .FileObject = own ? own->FileObject : NULL};
    if (format->others)
        return format_others(stack, format);
    if (format->major != IRP_MJ_READ && format->major != IRP_MJ_WRITE)
        return format_control(send, stack, format, caller);
    stack->Parameters.Read.Length = (ULONG)format->io[0].length;
    stack->Parameters.Read.ByteOffset.QuadPart = format->offset;
    return format_transfer(send, format, flags, caller);
}

NTSTATUS kmdf_request_format(struct kmdf_target *target, struct kmdf_request *request,
                             const struct kmdf_io_format *format)
{
    struct kmdf_send *send = &request->send;
    if (request->state != KMDF_REQUEST_OWNED || request->object.state != KMDF_ALIVE)
        return STATUS_INVALID_DEVICE_REQUEST;
    for (int i = 0; i < 3; i++)
        if (format->io[i].length > 0xFFFFFFFFu)
            return STATUS_INTEGER_OVERFLOW;
    kmdf_format_release(request);
    NTSTATUS status = kmdf_request_fit(request, target);
    if (!NT_SUCCESS(status))
        return status;
    status = fill(target, request, format);
    if (!NT_SUCCESS(status)) {
        kmdf_format_release(request);
        return status;
    }
    for (int i = 0; i < 3; i++) {
        if (format->io[i].memory)
            kmdf_reference(&format->io[i].memory->object, 0);
        send->memory[i] = format->io[i].memory;
    }
    send->params = (WDF_REQUEST_COMPLETION_PARAMS){.Size = sizeof(send->params)};
    note_params(send, format, IoGetNextIrpStackLocation(request->irp));
    send->formatted = send->replaces = true;
    return STATUS_SUCCESS;
}

void kmdf_format_apply(struct kmdf_request *request)
{
    struct kmdf_send *send = &request->send;
    IRP *irp = request->irp;
    if (!send->replaces)
        return;
    send->kept = (struct kmdf_irp_buffers){irp->AssociatedIrp.SystemBuffer, irp->UserBuffer, irp->MdlAddress};
    irp->AssociatedIrp.SystemBuffer = send->buffers.system;
    irp->UserBuffer = send->buffers.user;
    irp->MdlAddress = send->buffers.mdl;
}

/* As the I/O manager does: what the device says it produced, never more than there is room for, and not of an error. */
static void copy_back(struct kmdf_send *send, const IO_STATUS_BLOCK *result)
{
    SIZE_T bytes = result->Information < send->copy_length ? result->Information : send->copy_length;
    bool there = !send->memory[1] || send->memory[1]->buffer;
    if (send->copy && there && !NT_ERROR(result->Status))
        __builtin_memcpy(send->copy_to, send->copy, bytes);
}

static void note_length(struct kmdf_send *send, ULONG_PTR information)
{
    WDF_REQUEST_COMPLETION_PARAMS *params = &send->params;
    if (params->Type == WdfRequestTypeRead || params->Type == WdfRequestTypeWrite)
        params->Parameters.Read.Length = information;
    else if (params->Type == WdfRequestTypeDeviceControl || params->Type == WdfRequestTypeDeviceControlInternal)
        params->Parameters.Ioctl.Output.Length = information;
}

void kmdf_format_undo(struct kmdf_request *request)
{
    struct kmdf_send *send = &request->send;
    IRP *irp = request->irp;
    send->formatted = false;
    send->params.IoStatus = irp->IoStatus;
    if (!send->replaces)
        return;
    copy_back(send, &irp->IoStatus);
    note_length(send, irp->IoStatus.Information);
    irp->AssociatedIrp.SystemBuffer = send->kept.system;
    irp->UserBuffer = send->kept.user;
    irp->MdlAddress = send->kept.mdl;
}

void kmdf_format_release(struct kmdf_request *request)
{
    struct kmdf_send *send = &request->send;
    if (send->copy)
        mm_pool_free(send->copy, COPY_TAG, 0);
    if (send->mdl)
        kmdf_mdl_free(send->mdl);
    for (int i = 0; i < 3; i++) {
        if (send->memory[i])
            kmdf_dereference(&send->memory[i]->object);
        send->memory[i] = NULL;
    }
    send->copy = NULL;
    send->copy_length = 0;
    send->mdl = NULL;
    send->buffers = (struct kmdf_irp_buffers){0};
    send->formatted = send->replaces = false;
    send->params = (WDF_REQUEST_COMPLETION_PARAMS){.Size = sizeof(send->params), .Type = WdfRequestTypeNoFormat};
}
