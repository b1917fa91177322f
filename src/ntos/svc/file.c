/*
 * file.c - the act halves of the services on files, which are opened devices.
 *
 * The buffers of a transfer go to the I/O manager as the addresses they are, with the caller's mode: how they are
 * captured is the device's and the control code's to say. Every request here is waited for.
 */
#include "svc.h"
#include "io.h"

enum { FILE_OPENED = 1 };

static void set_io(struct svc_call *call, ULONG position, const IO_STATUS_BLOCK *io)
{
    call->arguments[position].io = *io;
    call->arguments[position].set = !NT_ERROR(io->Status); /* as on Windows: an error at once leaves it alone */
}

/* Opens the device the attributes name. handle, access, attributes, io: positions of the arguments. */
static NTSTATUS open_file(struct svc_call *call)
{
    const struct svc_attributes *object = &call->arguments[2].object;
    UNICODE_STRING path;
    FILE_OBJECT *file;
    ACCESS_MASK access;
    HANDLE handle;
    if (!object->present)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = ob_access_map(&io_file_type, (ULONG)call->arguments[1].value, call->mode, &access);
    if (NT_SUCCESS(status))
        status = svc_name_resolve(call, object, &path);
    if (!NT_SUCCESS(status))
        return status;
    status = io_file_open(&path, call->mode, &file);
    ob_path_free(&path);
    if (!NT_SUCCESS(status))
        return status;
    file->ReadAccess = (access & FILE_READ_DATA) != 0;
    file->WriteAccess = (access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    status = ob_handle_create(file, access, object->attributes, call->mode, &handle);
    ob_dereference(file);
    if (NT_SUCCESS(status)) {
        svc_set(call, 0, (ULONG_PTR)handle);
        set_io(call, 3, &(IO_STATUS_BLOCK){.Status = status, .Information = FILE_OPENED});
    }
    return status;
}

NTSTATUS svc_CreateFile(struct svc_call *call)
{
    return open_file(call);
}

NTSTATUS svc_OpenFile(struct svc_call *call)
{
    return open_file(call);
}

/* A transfer's file and event, referenced. */
struct transfer {
    struct io_file file;
    PVOID event; /* or null */
};

static NTSTATUS begin(struct svc_call *call, ACCESS_MASK access, struct transfer *transfer)
{
    *transfer = (struct transfer){.file = {.mode = call->mode}};
    if (call->arguments[2].value)
        return STATUS_NOT_SUPPORTED; /* an APC routine: none are delivered */
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, access, &io_file_type, call->mode,
                                          (void **)&transfer->file.object, NULL);
    if (!NT_SUCCESS(status) || !call->arguments[1].value)
        return status;
    status = ob_handle_reference((HANDLE)call->arguments[1].value, EVENT_MODIFY_STATE, &ob_event_type, call->mode,
                                 &transfer->event, NULL);
    if (NT_SUCCESS(status))
        KeClearEvent(transfer->event);
    else
        ob_dereference(transfer->file.object);
    return status;
}

static NTSTATUS finish(struct svc_call *call, struct transfer *transfer, const IO_STATUS_BLOCK *io)
{
    set_io(call, 4, io);
    if (transfer->event) {
        KeSetEvent(transfer->event, 0, FALSE);
        ob_dereference(transfer->event);
    }
    ob_dereference(transfer->file.object);
    return io->Status;
}

/* The access a control code asks of the handle. */
static ACCESS_MASK control_access(ULONG code)
{
    ULONG access = code >> 14 & 3;
    return (access & FILE_READ_ACCESS ? FILE_READ_DATA : 0) | (access & FILE_WRITE_ACCESS ? FILE_WRITE_DATA : 0);
}

NTSTATUS svc_DeviceIoControlFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    struct transfer transfer;
    IO_STATUS_BLOCK io;
    ULONG code = (ULONG)a[5].value;
    NTSTATUS status = begin(call, control_access(code), &transfer);
    if (!NT_SUCCESS(status))
        return status;
    io_device_control(&transfer.file, code, a[6].value, (ULONG)a[7].value, a[8].value, (ULONG)a[9].value, &io);
    return finish(call, &transfer, &io);
}

NTSTATUS svc_ReadFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    struct transfer transfer;
    IO_STATUS_BLOCK io;
    NTSTATUS status = begin(call, FILE_READ_DATA, &transfer);
    if (!NT_SUCCESS(status))
        return status;
    io_read(&transfer.file, a[5].value, (ULONG)a[6].value, a[7].present ? (LONGLONG)a[7].number : 0, &io);
    return finish(call, &transfer, &io);
}

NTSTATUS svc_WriteFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    struct transfer transfer;
    IO_STATUS_BLOCK io;
    NTSTATUS status = begin(call, FILE_WRITE_DATA, &transfer);
    if (!NT_SUCCESS(status))
        return status;
    io_write(&transfer.file, a[5].value, (ULONG)a[6].value, a[7].present ? (LONGLONG)a[7].number : 0, &io);
    return finish(call, &transfer, &io);
}
