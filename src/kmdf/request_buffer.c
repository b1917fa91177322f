/*
 * request_buffer.c - the buffers of a request that the system has made safe: copied (buffered) or locked (direct).
 */
#include "kmdf_memory.h"
#include "kmdf_request.h"

struct place {
    PVOID buffered;
    bool direct; /* in the IRP's MDL */
    ULONG length;
};

/* A kernel sender's addresses, and those of internal device controls, are as good as copied ones. */
static bool is_trusted(const struct kmdf_request *request)
{
    return request->irp->RequestorMode == KernelMode ||
           IoGetCurrentIrpStackLocation(request->irp)->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL;
}

/* Reads have an output, writes an input; both where the device's flags say. */
static NTSTATUS transfer_place(const struct kmdf_request *request, struct place *place)
{
    const IRP *irp = request->irp;
    ULONG flags = request->device->wdm->Flags;
    bool neither = !(flags & (DO_DIRECT_IO | DO_BUFFERED_IO));
    place->length = IoGetCurrentIrpStackLocation(request->irp)->Parameters.Read.Length;
    place->buffered = neither ? irp->UserBuffer : irp->AssociatedIrp.SystemBuffer;
    place->direct = (flags & DO_DIRECT_IO) != 0;
    return neither && !is_trusted(request) ? STATUS_INVALID_DEVICE_REQUEST : STATUS_SUCCESS;
}

static NTSTATUS control_place(const struct kmdf_request *request, enum kmdf_direction direction, struct place *place)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(request->irp);
    ULONG method = METHOD_FROM_CTL_CODE(stack->Parameters.DeviceIoControl.IoControlCode);
    if (method == METHOD_NEITHER && !is_trusted(request))
        return STATUS_INVALID_DEVICE_REQUEST;
    place->length = direction == KMDF_INPUT ? stack->Parameters.DeviceIoControl.InputBufferLength
                                            : stack->Parameters.DeviceIoControl.OutputBufferLength;
    place->buffered = request->irp->AssociatedIrp.SystemBuffer;
    if (method == METHOD_NEITHER)
        place->buffered =
            direction == KMDF_INPUT ? stack->Parameters.DeviceIoControl.Type3InputBuffer : request->irp->UserBuffer;
    place->direct = direction == KMDF_OUTPUT && (method == METHOD_IN_DIRECT || method == METHOD_OUT_DIRECT);
    return STATUS_SUCCESS;
}

/* Where the request's buffer is, if the system has made it safe and it is not empty. */
static NTSTATUS find_place(const struct kmdf_request *request, enum kmdf_direction direction, struct place *place)
{
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;
    if (!request->irp)
        return request->origin == KMDF_REQUEST_RECEIVED ? STATUS_INTERNAL_ERROR /* completed */ : status;
    if (request->origin != KMDF_REQUEST_RECEIVED || request->state == KMDF_REQUEST_SENT)
        return status;
    UCHAR major = IoGetCurrentIrpStackLocation(request->irp)->MajorFunction;
    if (major == IRP_MJ_DEVICE_CONTROL || major == IRP_MJ_INTERNAL_DEVICE_CONTROL)
        status = control_place(request, direction, place);
    else if (major == (direction == KMDF_INPUT ? IRP_MJ_WRITE : IRP_MJ_READ))
        status = transfer_place(request, place);
    return NT_SUCCESS(status) && !place->length ? STATUS_BUFFER_TOO_SMALL : status;
}

PVOID kmdf_mdl_address(MDL *mdl)
{
    if (!mdl)
        return NULL;
    if (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
        return mdl->MappedSystemVa;
    return MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
}

NTSTATUS kmdf_request_buffer(struct kmdf_request *request, enum kmdf_direction direction, SIZE_T minimum,
                             PVOID *address, SIZE_T *length)
{
    struct place place;
    NTSTATUS status = find_place(request, direction, &place);
    if (!NT_SUCCESS(status))
        return status;
    if (place.length < minimum)
        return STATUS_BUFFER_TOO_SMALL;
    PVOID at = place.direct ? kmdf_mdl_address(request->irp->MdlAddress) : place.buffered;
    if (!at)
        return STATUS_INSUFFICIENT_RESOURCES;
    *address = at;
    *length = place.length;
    return STATUS_SUCCESS;
}

static NTSTATUS retrieve(struct kmdf_request *request, enum kmdf_direction direction, SIZE_T minimum, PVOID *buffer,
                         size_t *length)
{
    SIZE_T size = 0;
    *buffer = NULL;
    if (length)
        *length = 0;
    NTSTATUS status = kmdf_request_buffer(request, direction, minimum, buffer, &size);
    if (NT_SUCCESS(status) && length)
        *length = size;
    return status;
}

/*
 * The input of a write or of a device control that is not METHOD_NEITHER, in system space until the request is
 * completed. STATUS_BUFFER_TOO_SMALL: it is empty or shorter than MinimumRequiredLength; STATUS_INVALID_DEVICE_REQUEST:
 * the request has none such, or an I/O target has it; STATUS_INTERNAL_ERROR: it is completed. METHOD_NEITHER is as good
 * where the sender is the kernel, or the control an internal one. Length may be NULL. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestRetrieveInputBuffer(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                             size_t MinimumRequiredLength, PVOID *Buffer, size_t *Length)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET(request, Request);
    kmdf_require(Buffer);
    return retrieve(request, KMDF_INPUT, MinimumRequiredLength, Buffer, Length);
}

/* The same for the output of a read or a device control. */
NTSTATUS NTAPI WdfRequestRetrieveOutputBuffer(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                              size_t MinimumRequiredSize, PVOID *Buffer, size_t *Length)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET(request, Request);
    kmdf_require(Buffer);
    return retrieve(request, KMDF_OUTPUT, MinimumRequiredSize, Buffer, Length);
}

/* ---- the same as memory objects and MDLs ---- */

/* What direct I/O locked for reading, and what a writer sent, is not for the driver to write. */
static bool is_read_only(const struct kmdf_request *request, enum kmdf_direction direction)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(request->irp);
    ULONG method = METHOD_FROM_CTL_CODE(stack->Parameters.DeviceIoControl.IoControlCode);
    if (stack->MajorFunction == IRP_MJ_READ || stack->MajorFunction == IRP_MJ_WRITE)
        return stack->MajorFunction == IRP_MJ_WRITE;
    return method == METHOD_IN_DIRECT || (method == METHOD_OUT_DIRECT && direction == KMDF_INPUT);
}

/* The request's memory object for a direction: the one it has, or memory, which becomes it; the loser goes. */
static struct kmdf_memory *publish(struct kmdf_request *request, enum kmdf_direction direction,
                                   struct kmdf_memory *memory)
{
    plat_lock_acquire(&kmdf_lock);
    struct kmdf_memory *there = request->memory[direction];
    if (!there)
        request->memory[direction] = memory;
    plat_lock_release(&kmdf_lock);
    if (there && memory)
        kmdf_object_discard(&memory->object);
    return there ? there : memory;
}

static NTSTATUS memory_of(struct kmdf_request *request, enum kmdf_direction direction, struct kmdf_memory **found)
{
    PVOID address;
    SIZE_T length;
    struct kmdf_memory *memory;
    NTSTATUS status = kmdf_request_buffer(request, direction, 0, &address, &length);
    if (!NT_SUCCESS(status))
        return status;
    *found = publish(request, direction, NULL);
    if (*found)
        return STATUS_SUCCESS;
    status = kmdf_memory_create(request->object.client, NULL, &request->object, KMDF_MEMORY_REQUEST,
                                seh_export_caller(), &memory);
    if (!NT_SUCCESS(status))
        return status;
    memory->buffer = address;
    memory->size = length;
    memory->read_only = is_read_only(request, direction);
    *found = publish(request, direction, memory);
    return STATUS_SUCCESS;
}

static NTSTATUS retrieve_memory(struct kmdf_request *request, enum kmdf_direction direction, WDFMEMORY *handle)
{
    struct kmdf_memory *memory;
    *handle = NULL;
    NTSTATUS status = memory_of(request, direction, &memory);
    if (NT_SUCCESS(status))
        *handle = KMDF_HANDLE(WDFMEMORY, memory);
    return status;
}

/* The MDL of direct I/O, or one made for the buffer, which its memory object owns. */
static NTSTATUS retrieve_mdl(struct kmdf_request *request, enum kmdf_direction direction, PMDL *mdl)
{
    struct place place;
    struct kmdf_memory *memory;
    *mdl = NULL;
    NTSTATUS status = find_place(request, direction, &place);
    if (!NT_SUCCESS(status))
        return status;
    if (place.direct) {
        *mdl = request->irp->MdlAddress;
        return *mdl ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
    }
    status = memory_of(request, direction, &memory);
    if (!NT_SUCCESS(status))
        return status;
    MDL *made = kmdf_mdl_allocate(memory->buffer, memory->size, seh_export_caller());
    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    MmBuildMdlForNonPagedPool(made);
    plat_lock_acquire(&kmdf_lock);
    MDL *there = memory->mdl;
    if (!there)
        memory->mdl = made;
    plat_lock_release(&kmdf_lock);
    if (there)
        kmdf_mdl_free(made);
    *mdl = there ? there : made;
    return STATUS_SUCCESS;
}

/*
 * A memory object for what WdfRequestRetrieveInputBuffer gives, with its statuses; the same each time, until the
 * request is completed. The driver does not delete it. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestRetrieveInputMemory(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, WDFMEMORY *Memory)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET(request, Request);
    kmdf_require(Memory);
    return retrieve_memory(request, KMDF_INPUT, Memory);
}

/* The same for what WdfRequestRetrieveOutputBuffer gives. */
NTSTATUS NTAPI WdfRequestRetrieveOutputMemory(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, WDFMEMORY *Memory)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET(request, Request);
    kmdf_require(Memory);
    return retrieve_memory(request, KMDF_OUTPUT, Memory);
}

/*
 * An MDL of the same buffer: the request's own of direct I/O, else one that the framework makes and frees. Valid until
 * the request is completed. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfRequestRetrieveInputWdmMdl(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, PMDL *Mdl)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET(request, Request);
    kmdf_require(Mdl);
    return retrieve_mdl(request, KMDF_INPUT, Mdl);
}

NTSTATUS NTAPI WdfRequestRetrieveOutputWdmMdl(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, PMDL *Mdl)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET(request, Request);
    kmdf_require(Mdl);
    return retrieve_mdl(request, KMDF_OUTPUT, Mdl);
}
