/*
 * filename.c - the act halves of the services that need no handle to a file, and of the one that lists a directory.
 */
#include "svc.h"
#include "io.h"
#include "wdk/fileinfo.h"

/* Opens the file, asks it, closes it. */
static NTSTATUS query_by_name(struct svc_call *call, ULONG class)
{
    FILE_OBJECT *file;
    ULONG_PTR ignored;
    IO_STATUS_BLOCK io;
    struct io_create create = io_create_default;
    struct io_information information = {.major = IRP_MJ_QUERY_INFORMATION,
                                         .class = class,
                                         .buffer = call->arguments[1].data,
                                         .length = (ULONG)call->arguments[1].bytes};
    create.access = FILE_READ_ATTRIBUTES | SYNCHRONIZE;
    NTSTATUS status = svc_file_open(call, &call->arguments[0].object, &create, &file, &ignored);
    if (!NT_SUCCESS(status))
        return status;
    status = io_information(file, call->mode, &information, &io);
    svc_file_close(file);
    call->arguments[1].set = NT_SUCCESS(status);
    return status;
}

NTSTATUS svc_QueryAttributesFile(struct svc_call *call)
{
    return query_by_name(call, FileBasicInformation);
}

NTSTATUS svc_QueryFullAttributesFile(struct svc_call *call)
{
    return query_by_name(call, FileNetworkOpenInformation);
}

/* An open that deletes on close, closed. */
NTSTATUS svc_DeleteFile(struct svc_call *call)
{
    FILE_OBJECT *file;
    ULONG_PTR ignored;
    struct io_create create = io_create_default;
    create.access = DELETE;
    create.options = FILE_DELETE_ON_CLOSE;
    NTSTATUS status = svc_file_open(call, &call->arguments[0].object, &create, &file, &ignored);
    if (NT_SUCCESS(status))
        svc_file_close(file);
    return status;
}

NTSTATUS svc_QueryDirectoryFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    FILE_OBJECT *file;
    PVOID event = NULL;
    IO_STATUS_BLOCK io;
    UCHAR flags = (a[8].value ? SL_RETURN_SINGLE_ENTRY : 0) | (a[10].value ? SL_RESTART_SCAN : 0);
    UNICODE_STRING pattern = a[9].string;
    if (a[2].value)
        return STATUS_NOT_SUPPORTED; /* an APC routine */
    NTSTATUS status =
        ob_handle_reference((HANDLE)a[0].value, FILE_READ_DATA, &io_file_type, call->mode, (void **)&file, NULL);
    if (!NT_SUCCESS(status))
        return status;
    if (a[1].value)
        status = ob_handle_reference((HANDLE)a[1].value, EVENT_MODIFY_STATE, &ob_event_type, call->mode, &event, NULL);
    if (NT_SUCCESS(status)) {
        if (event)
            KeClearEvent(event);
        status = io_query_directory(file, call->mode, (ULONG)a[7].value, (PVOID)a[5].value, (ULONG)a[6].value,
                                    a[9].present ? &pattern : NULL, flags, &io);
        call->arguments[4].io = io;
        call->arguments[4].set = !NT_ERROR(io.Status);
    }
    if (event) {
        KeSetEvent(event, 0, FALSE);
        ob_dereference(event);
    }
    ob_dereference(file);
    return status;
}
