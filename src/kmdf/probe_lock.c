/*
 * probe_lock.c - user memory that a driver keeps for the time of a request: probed and locked as user mode's, mapped
 * into system space, released with the request; and the unsafe addresses it usually comes from.
 */
#include "kmdf_memory.h"
#include "kmdf_request.h"
#include "wdk/seh.h"

/* ---- user addresses of METHOD_NEITHER ---- */

struct unsafe {
    PVOID address;
    ULONG length;
};

/* Where the request says its buffer is, unchecked; false: it has no such buffer that is neither copied nor locked. */
static bool unsafe_buffer(const struct kmdf_request *request, enum kmdf_direction direction, struct unsafe *unsafe)
{
    const IRP *irp = request->irp;
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(request->irp);
    UCHAR transfer = direction == KMDF_INPUT ? IRP_MJ_WRITE : IRP_MJ_READ;
    if (stack->MajorFunction == transfer && !(request->device->wdm->Flags & (DO_DIRECT_IO | DO_BUFFERED_IO))) {
        *unsafe = (struct unsafe){irp->UserBuffer, stack->Parameters.Read.Length};
        return true;
    }
    if (stack->MajorFunction != IRP_MJ_DEVICE_CONTROL ||
        METHOD_FROM_CTL_CODE(stack->Parameters.DeviceIoControl.IoControlCode) != METHOD_NEITHER)
        return false;
    if (direction == KMDF_INPUT)
        *unsafe = (struct unsafe){stack->Parameters.DeviceIoControl.Type3InputBuffer,
                                  stack->Parameters.DeviceIoControl.InputBufferLength};
    else
        *unsafe = (struct unsafe){irp->UserBuffer, stack->Parameters.DeviceIoControl.OutputBufferLength};
    return true;
}

static NTSTATUS retrieve_unsafe(struct kmdf_request *request, enum kmdf_direction direction, SIZE_T minimum,
                                PVOID *buffer, size_t *length)
{
    struct unsafe unsafe;
    *buffer = NULL;
    if (length)
        *length = 0;
    if (!kmdf_request_in_caller_context(request) || !unsafe_buffer(request, direction, &unsafe))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (unsafe.length < minimum)
        return STATUS_BUFFER_TOO_SMALL;
    *buffer = unsafe.address;
    if (length)
        *length = unsafe.length;
    return STATUS_SUCCESS;
}

/*
 * The input's address as the sender gave it: any value, and so is what is there. STATUS_INVALID_DEVICE_REQUEST: the
 * request is neither a METHOD_NEITHER device control nor a write to a device whose I/O is neither buffered nor direct,
 * or EvtIoInCallerContext is not what calls. STATUS_BUFFER_TOO_SMALL: it is shorter than MinimumRequiredLength. A
 * length of 0 is a success with whatever address. Length may be NULL. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfRequestRetrieveUnsafeUserInputBuffer(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                                       size_t MinimumRequiredLength, PVOID *InputBuffer, size_t *Length)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET(request, Request);
    kmdf_require(InputBuffer);
    return retrieve_unsafe(request, KMDF_INPUT, MinimumRequiredLength, InputBuffer, Length);
}

/* The same for the output of a device control or a read. */
NTSTATUS NTAPI WdfRequestRetrieveUnsafeUserOutputBuffer(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                                        size_t MinimumRequiredLength, PVOID *OutputBuffer,
                                                        size_t *Length)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET(request, Request);
    kmdf_require(OutputBuffer);
    return retrieve_unsafe(request, KMDF_OUTPUT, MinimumRequiredLength, OutputBuffer, Length);
}

/* ---- locking ---- */

/* User mode's rights decide, whoever sent the request: a kernel address in it is never locked. */
static NTSTATUS lock_pages(MDL *mdl, LOCK_OPERATION operation, ULONG_PTR caller)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        mm_lock(mdl, UserMode, operation, MM_POOL_KERNEL, caller);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

/* What can be known before anything is taken. */
static NTSTATUS check(const struct kmdf_request *request, PVOID buffer, SIZE_T length)
{
    if (!buffer)
        return STATUS_INVALID_PARAMETER;
    if (!length)
        return STATUS_INVALID_USER_BUFFER;
    if (request->state != KMDF_REQUEST_OWNED || request->origin != KMDF_REQUEST_RECEIVED)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (request->irp->RequestorMode == UserMode && request->irp->Tail.Overlay.Thread != ke_thread_current())
        return STATUS_ACCESS_VIOLATION;
    return STATUS_SUCCESS;
}

/* Locks and maps what mdl describes and puts it into memory. On failure the pages are as they were. */
static NTSTATUS lock_and_map(struct kmdf_memory *memory, MDL *mdl, LOCK_OPERATION operation, ULONG_PTR caller)
{
    ULONG priority = NormalPagePriority | MdlMappingNoExecute | (operation == IoReadAccess ? MdlMappingNoWrite : 0);
    NTSTATUS status = lock_pages(mdl, operation, caller);
    if (!NT_SUCCESS(status))
        return status;
    memory->buffer = MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, priority);
    if (!memory->buffer) {
        MmUnlockPages(mdl);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    memory->size = mdl->ByteCount;
    memory->read_only = operation == IoReadAccess;
    memory->mdl = mdl;
    return STATUS_SUCCESS;
}

static NTSTATUS probe_and_lock(struct kmdf_request *request, PVOID buffer, SIZE_T length, LOCK_OPERATION operation,
                               WDFMEMORY *handle)
{
    struct kmdf_memory *memory;
    ULONG_PTR caller = seh_export_caller();
    if (!handle)
        return STATUS_INVALID_PARAMETER;
    *handle = NULL;
    NTSTATUS status = check(request, buffer, length);
    if (!NT_SUCCESS(status))
        return status;
    MDL *mdl = kmdf_mdl_allocate(buffer, length, caller);
    if (!mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = kmdf_memory_create(request->object.client, NULL, &request->object, KMDF_MEMORY_LOCKED, caller, &memory);
    if (NT_SUCCESS(status)) {
        status = lock_and_map(memory, mdl, operation, caller);
        if (!NT_SUCCESS(status))
            kmdf_object_discard(&memory->object);
    }
    if (!NT_SUCCESS(status)) {
        kmdf_mdl_free(mdl);
        return status;
    }
    *handle = KMDF_HANDLE(WDFMEMORY, memory);
    return STATUS_SUCCESS;
}

/*
 * Locks [Buffer, +Length) of the sender's memory for reading, until the request is completed; the memory object's
 * buffer is a mapping of the pages, which stays whatever the user does to them, shows what the user writes there, and
 * cannot be written. In this order: STATUS_INVALID_PARAMETER: MemoryObject or Buffer is NULL;
 * STATUS_INVALID_USER_BUFFER: Length is 0; STATUS_INVALID_DEVICE_REQUEST: the request is completed, or not the
 * driver's; STATUS_ACCESS_VIOLATION: it came from user mode and not from this thread; STATUS_INSUFFICIENT_RESOURCES:
 * no memory; what probing as user mode raises. Buffer may be any pointer that came with the request. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfRequestProbeAndLockUserBufferForRead(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                                       PVOID Buffer, size_t Length, WDFMEMORY *MemoryObject)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return probe_and_lock(KMDF_GET(request, Request), Buffer, Length, IoReadAccess, MemoryObject);
}

/* The same for writing: the pages must be writable by the user, and the driver may write the mapping. */
NTSTATUS NTAPI WdfRequestProbeAndLockUserBufferForWrite(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                                        PVOID Buffer, size_t Length, WDFMEMORY *MemoryObject)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return probe_and_lock(KMDF_GET(request, Request), Buffer, Length, IoWriteAccess, MemoryObject);
}
