/*
 * information.c - requests about a file rather than for its data: information, volume information, directory entries.
 */
#include "io_internal.h"
#include "wdk/fileinfo.h"

/*
 * Room of the request's own, which goes with it: a driver that is late may still write there when nobody waits any
 * more. Null: there is no memory, and the request is gone.
 */
static void *make_room(struct io_irp *packet, struct io_request *request, SIZE_T bytes)
{
    request->system_buffer = mm_pool_allocate(bytes, IO_BUFFER_TAG, 0, MM_POOL_KERNEL, 0);
    if (request->system_buffer)
        return request->system_buffer;
    IoFreeIrp(&packet->irp);
    io_request_release(request);
    io_request_release(request);
    return NULL;
}

/* Sends the request, whose stack location is filled, and waits. What a complete one has left in its room goes to
 * answer, if there is one. */
static NTSTATUS send(DEVICE_OBJECT *device, struct io_irp *packet, struct io_request *request, KPROCESSOR_MODE mode,
                     void *answer, ULONG length, IO_STATUS_BLOCK *result)
{
    packet->irp.Flags |= IRP_SYNCHRONOUS_API;
    io_request_send(device, packet, mode, &request, result);
    if (answer && length && io_request_completed(request))
        __builtin_memcpy(answer, request->system_buffer, length);
    io_request_release(request);
    return result->Status;
}

NTSTATUS io_information(FILE_OBJECT *file, KPROCESSOR_MODE mode, const struct io_information *information,
                        IO_STATUS_BLOCK *result)
{
    struct io_irp *packet;
    struct io_request *request;
    void *room = NULL;
    bool sets = information->major == IRP_MJ_SET_INFORMATION;
    DEVICE_OBJECT *device = io_device_top(file->DeviceObject);
    NTSTATUS status = io_request_create(device, file, information->major, mode, &packet, &request);
    if (NT_SUCCESS(status) && information->length) {
        room = make_room(packet, request, information->length);
        status = room ? status : STATUS_INSUFFICIENT_RESOURCES;
    }
    *result = (IO_STATUS_BLOCK){.Status = status};
    if (!NT_SUCCESS(status))
        return status;
    if (room)
        __builtin_memcpy(room, information->buffer, information->length);
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(&packet->irp);
    packet->irp.AssociatedIrp.SystemBuffer = room;
    packet->irp.Flags = IRP_BUFFERED_IO;
    stack->Parameters.SetFile.Length = information->length; /* QueryFile and QueryVolume begin alike */
    stack->Parameters.SetFile.FileInformationClass = information->class;
    if (sets) {
        stack->Parameters.SetFile.FileObject = information->target;
        stack->Parameters.SetFile.ReplaceIfExists = information->replace;
    }
    return send(device, packet, request, mode, sets ? NULL : information->buffer, information->length, result);
}

/* The pattern and its text, in the request's room. */
static PUNICODE_STRING keep_pattern(struct io_irp *packet, struct io_request *request, const UNICODE_STRING *pattern)
{
    UNICODE_STRING *copy = make_room(packet, request, sizeof(*copy) + pattern->Length);
    if (!copy)
        return NULL;
    *copy = (UNICODE_STRING){pattern->Length, pattern->Length, pattern->Length ? (PWCH)(copy + 1) : NULL};
    if (pattern->Length)
        __builtin_memcpy(copy + 1, pattern->Buffer, pattern->Length);
    return copy;
}

NTSTATUS io_query_directory(FILE_OBJECT *file, KPROCESSOR_MODE mode, ULONG class, PVOID buffer, ULONG length,
                            PUNICODE_STRING pattern, UCHAR flags, IO_STATUS_BLOCK *result)
{
    struct io_irp *packet;
    struct io_request *request;
    PUNICODE_STRING kept = NULL;
    DEVICE_OBJECT *device = io_device_top(file->DeviceObject);
    NTSTATUS status = io_request_create(device, file, IRP_MJ_DIRECTORY_CONTROL, mode, &packet, &request);
    if (NT_SUCCESS(status) && pattern) {
        kept = keep_pattern(packet, request, pattern);
        status = kept ? status : STATUS_INSUFFICIENT_RESOURCES;
    }
    *result = (IO_STATUS_BLOCK){.Status = status};
    if (!NT_SUCCESS(status))
        return status;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(&packet->irp);
    packet->irp.UserBuffer = buffer;
    stack->MinorFunction = IRP_MN_QUERY_DIRECTORY;
    stack->Flags = flags;
    stack->Parameters.QueryDirectory.Length = length;
    stack->Parameters.QueryDirectory.FileName = kept;
    stack->Parameters.QueryDirectory.FileInformationClass = class;
    return send(device, packet, request, mode, NULL, 0, result);
}
