/*
 * memory_ddi.c - WdfMemory...: what drivers do with memory objects.
 */
#include "kmdf_memory.h"

/*
 * BufferSize bytes of pool behind a handle, child of the driver object unless Attributes names a parent. The buffer is
 * filled with a pattern, ends at an inaccessible page, and goes with the last reference to the object. PoolTag 0: the
 * driver's (WDF_DRIVER_CONFIG.DriverPoolTag, else from the name of its service). Buffer may be NULL.
 * STATUS_INVALID_PARAMETER: BufferSize is 0. IRQL <= DISPATCH_LEVEL, paged pool <= APC_LEVEL.
 */
NTSTATUS NTAPI WdfMemoryCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_OBJECT_ATTRIBUTES Attributes, POOL_TYPE PoolType,
                               ULONG PoolTag, size_t BufferSize, WDFMEMORY *Memory, PVOID *Buffer)
{
    struct kmdf_memory *memory;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Memory);
    *Memory = NULL;
    if (!BufferSize)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status =
        kmdf_memory_create_pool(client, Attributes, PoolType, PoolTag, BufferSize, seh_export_caller(), &memory);
    if (!NT_SUCCESS(status))
        return status;
    *Memory = KMDF_HANDLE(WDFMEMORY, memory);
    if (Buffer)
        *Buffer = memory->buffer;
    return STATUS_SUCCESS;
}

/*
 * A handle for the driver's own buffer, which the framework never frees. STATUS_INVALID_PARAMETER: BufferSize is 0.
 * IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfMemoryCreatePreallocated(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_OBJECT_ATTRIBUTES Attributes,
                                           PVOID Buffer, size_t BufferSize, WDFMEMORY *Memory)
{
    struct kmdf_memory *memory;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Buffer);
    kmdf_require(Memory);
    *Memory = NULL;
    if (!BufferSize)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = kmdf_memory_create(client, Attributes, client->driver ? &client->driver->object : NULL,
                                         KMDF_MEMORY_PREALLOCATED, seh_export_caller(), &memory);
    if (!NT_SUCCESS(status))
        return status;
    memory->buffer = Buffer;
    memory->size = BufferSize;
    *Memory = KMDF_HANDLE(WDFMEMORY, memory);
    return STATUS_SUCCESS;
}

/*
 * Gives an object of WdfMemoryCreatePreallocated another buffer. Any other memory object is WDF_VIOLATION.
 * STATUS_INVALID_PARAMETER: BufferSize is 0. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfMemoryAssignBuffer(PWDF_DRIVER_GLOBALS DriverGlobals, WDFMEMORY Memory, PVOID Buffer,
                                     size_t BufferSize)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_memory *memory = KMDF_GET(memory, Memory);
    if (memory->kind != KMDF_MEMORY_PREALLOCATED)
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)Memory, 0, 0,
                       "%s was given the WDFMEMORY 0x%llx, which WdfMemoryCreatePreallocated did not make", __func__,
                       (ULONG64)(ULONG_PTR)Memory);
    kmdf_require(Buffer);
    if (!BufferSize)
        return STATUS_INVALID_PARAMETER;
    memory->buffer = Buffer;
    memory->size = BufferSize;
    return STATUS_SUCCESS;
}

/* The buffer, and in *BufferSize (may be NULL) its length. NULL and 0: the request it belonged to has ended.
 * IRQL <= DISPATCH_LEVEL. */
PVOID NTAPI WdfMemoryGetBuffer(PWDF_DRIVER_GLOBALS DriverGlobals, WDFMEMORY Memory, size_t *BufferSize)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_memory *memory = KMDF_GET(memory, Memory);
    if (BufferSize)
        *BufferSize = memory->size;
    return memory->buffer;
}

/*
 * Copies NumBytesToCopyTo bytes from SourceOffset of the object to Buffer. STATUS_INVALID_PARAMETER: no bytes;
 * STATUS_BUFFER_TOO_SMALL: the object has not that many there. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfMemoryCopyToBuffer(PWDF_DRIVER_GLOBALS DriverGlobals, WDFMEMORY SourceMemory, size_t SourceOffset,
                                     PVOID Buffer, size_t NumBytesToCopyTo)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_memory *memory = KMDF_GET(memory, SourceMemory);
    kmdf_require(Buffer);
    if (!NumBytesToCopyTo)
        return STATUS_INVALID_PARAMETER;
    if (SourceOffset > memory->size || NumBytesToCopyTo > memory->size - SourceOffset)
        return STATUS_BUFFER_TOO_SMALL;
    __builtin_memmove(Buffer, memory->buffer + SourceOffset, NumBytesToCopyTo);
    return STATUS_SUCCESS;
}

/*
 * Copies from Buffer to DestinationOffset of the object. STATUS_INVALID_PARAMETER: no bytes; STATUS_ACCESS_VIOLATION:
 * the object is read-only (the input of a write or of a direct device control, memory locked for reading);
 * STATUS_INVALID_BUFFER_SIZE: the offset is beyond its end; STATUS_BUFFER_TOO_SMALL: the bytes are.
 * IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfMemoryCopyFromBuffer(PWDF_DRIVER_GLOBALS DriverGlobals, WDFMEMORY DestinationMemory,
                                       size_t DestinationOffset, PVOID Buffer, size_t NumBytesToCopyFrom)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_memory *memory = KMDF_GET(memory, DestinationMemory);
    kmdf_require(Buffer);
    if (!NumBytesToCopyFrom)
        return STATUS_INVALID_PARAMETER;
    if (memory->read_only)
        return STATUS_ACCESS_VIOLATION;
    if (DestinationOffset > memory->size)
        return STATUS_INVALID_BUFFER_SIZE;
    if (NumBytesToCopyFrom > memory->size - DestinationOffset)
        return STATUS_BUFFER_TOO_SMALL;
    __builtin_memmove(memory->buffer + DestinationOffset, Buffer, NumBytesToCopyFrom);
    return STATUS_SUCCESS;
}
