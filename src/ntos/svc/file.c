/*
 * file.c - the act halves of the services on files, which are opened devices.
 *
 * The buffers of a transfer go to the I/O manager as the addresses they are, with the caller's mode: how they are
 * captured is the device's and the control code's to say, and when the status block is written the request's.
 */
#include "svc.h"
#include "io.h"

static void set_io(struct svc_call *call, ULONG position, const IO_STATUS_BLOCK *io)
{
    call->arguments[position].io = *io;
    call->arguments[position].set = !NT_ERROR(io->Status); /* as on Windows: an error at once leaves it alone */
}

/* Which of the options and accesses contradict each other, by the documentation of NtCreateFile. */
static NTSTATUS check_create(const struct io_create *create)
{
    ULONG options = create->options, both = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT;
    bool directory = options & FILE_DIRECTORY_FILE;
    bool makes_directory =
        create->disposition == FILE_CREATE || create->disposition == FILE_OPEN || create->disposition == FILE_OPEN_IF;
    if (create->disposition > FILE_MAXIMUM_DISPOSITION || (options & ~0xFFFFFFu) ||
        (create->share & ~(FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)) || (options & both) == both)
        return STATUS_INVALID_PARAMETER;
    if ((options & both) && !(create->access & SYNCHRONIZE))
        return STATUS_INVALID_PARAMETER;
    if ((options & FILE_DELETE_ON_CLOSE) && !(create->access & DELETE))
        return STATUS_INVALID_PARAMETER;
    if ((options & FILE_NO_INTERMEDIATE_BUFFERING) && (create->access & FILE_APPEND_DATA))
        return STATUS_INVALID_PARAMETER;
    if (directory && (!makes_directory || (options & FILE_NON_DIRECTORY_FILE)))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* Opens the file or device that the attributes name; create has what is not in them. */
static NTSTATUS open_file(struct svc_call *call, struct io_create *create)
{
    const struct svc_attributes *object = &call->arguments[2].object;
    FILE_OBJECT *file;
    ULONG_PTR information;
    HANDLE handle;
    if (!object->present)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = ob_access_map(&io_file_type, (ULONG)call->arguments[1].value, call->mode, &create->access);
    if (NT_SUCCESS(status))
        status = check_create(create);
    if (NT_SUCCESS(status))
        status = svc_file_open(call, object, create, &file, &information);
    if (!NT_SUCCESS(status))
        return status;
    status = ob_handle_create(file, create->access, object->attributes, call->mode, &handle);
    if (!NT_SUCCESS(status)) {
        svc_file_close(file);
        return status;
    }
    ob_dereference(file);
    svc_set(call, 0, (ULONG_PTR)handle);
    set_io(call, 3, &(IO_STATUS_BLOCK){.Status = status, .Information = information});
    return status;
}

NTSTATUS svc_CreateFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    struct io_create create = {.allocation = a[4].present ? (LONGLONG)a[4].number : 0,
                               .file_attributes = (ULONG)a[5].value,
                               .share = (ULONG)a[6].value,
                               .disposition = (ULONG)a[7].value,
                               .options = (ULONG)a[8].value};
    if (a[9].value && a[10].value)
        return STATUS_EAS_NOT_SUPPORTED;
    return open_file(call, &create);
}

NTSTATUS svc_OpenFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    struct io_create create = {.share = (ULONG)a[4].value, .disposition = FILE_OPEN, .options = (ULONG)a[5].value};
    return open_file(call, &create);
}

/* ---- transfers: FileHandle, Event, ApcRoutine, ApcContext and IoStatusBlock come first ---- */

/* The transfer's file and event, referenced; granted: the handle's access. any: one of these rights is enough. */
static NTSTATUS begin(struct svc_call *call, ACCESS_MASK any, struct io_transfer *transfer)
{
    const struct svc_argument *a = call->arguments;
    struct ob_handle_info granted;
    NTSTATUS status =
        ob_handle_reference((HANDLE)a[0].value, 0, &io_file_type, call->mode, (void **)&transfer->file, &granted);
    if (!NT_SUCCESS(status))
        return status;
    transfer->mode = call->mode;
    transfer->apc_routine = a[2].value;
    transfer->apc_context = a[3].value;
    transfer->status_block = a[4].value;
    transfer->append_only = !(granted.access & FILE_WRITE_DATA);
    if (call->mode != KernelMode && any && !(granted.access & any))
        status = STATUS_ACCESS_DENIED;
    else if (a[1].value)
        status = ob_handle_reference((HANDLE)a[1].value, EVENT_MODIFY_STATE, &ob_event_type, call->mode,
                                     (void **)&transfer->event, NULL);
    if (!NT_SUCCESS(status))
        ob_dereference(transfer->file);
    return status;
}

static NTSTATUS run(struct io_transfer *transfer)
{
    IO_STATUS_BLOCK io;
    return io_transfer(transfer, &io);
}

/* FILE_READ_ACCESS and FILE_WRITE_ACCESS of a control code are rights that the handle must have, both if both are
 * there. */
static NTSTATUS check_control_access(struct svc_call *call, ULONG code)
{
    ULONG access = code >> 14 & 3;
    void *file;
    ACCESS_MASK needed =
        (access & FILE_READ_ACCESS ? FILE_READ_DATA : 0) | (access & FILE_WRITE_ACCESS ? FILE_WRITE_DATA : 0);
    if (!needed)
        return STATUS_SUCCESS;
    NTSTATUS status =
        ob_handle_reference((HANDLE)call->arguments[0].value, needed, &io_file_type, call->mode, &file, NULL);
    if (NT_SUCCESS(status))
        ob_dereference(file);
    return status;
}

static NTSTATUS control(struct svc_call *call, UCHAR major)
{
    const struct svc_argument *a = call->arguments;
    struct io_transfer transfer = {.major = major,
                                   .code = (ULONG)a[5].value,
                                   .in = a[6].value,
                                   .in_length = (ULONG)a[7].value,
                                   .out = a[8].value,
                                   .out_length = (ULONG)a[9].value};
    NTSTATUS status = check_control_access(call, transfer.code);
    if (NT_SUCCESS(status))
        status = begin(call, 0, &transfer);
    return NT_SUCCESS(status) ? run(&transfer) : status;
}

NTSTATUS svc_DeviceIoControlFile(struct svc_call *call)
{
    return control(call, IRP_MJ_DEVICE_CONTROL);
}

NTSTATUS svc_FsControlFile(struct svc_call *call)
{
    return control(call, IRP_MJ_FILE_SYSTEM_CONTROL);
}

NTSTATUS svc_ReadFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    struct io_transfer transfer = {.major = IRP_MJ_READ,
                                   .out = a[5].value,
                                   .out_length = (ULONG)a[6].value,
                                   .has_offset = a[7].present,
                                   .offset = a[7].present ? (LONGLONG)a[7].number : 0,
                                   .key = a[8].present ? (ULONG)a[8].number : 0};
    NTSTATUS status = begin(call, FILE_READ_DATA, &transfer);
    return NT_SUCCESS(status) ? run(&transfer) : status;
}

/* A handle that may only append writes at the end, whatever ByteOffset says. */
NTSTATUS svc_WriteFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    struct io_transfer transfer = {.major = IRP_MJ_WRITE,
                                   .in = a[5].value,
                                   .in_length = (ULONG)a[6].value,
                                   .has_offset = a[7].present,
                                   .offset = a[7].present ? (LONGLONG)a[7].number : 0,
                                   .key = a[8].present ? (ULONG)a[8].number : 0};
    NTSTATUS status = begin(call, FILE_WRITE_DATA | FILE_APPEND_DATA, &transfer);
    return NT_SUCCESS(status) ? run(&transfer) : status;
}

NTSTATUS svc_LockFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    struct io_transfer transfer = {
        .major = IRP_MJ_LOCK_CONTROL,
        .minor = IRP_MN_LOCK,
        .offset = (LONGLONG)a[5].number,
        .lock_length = (LONGLONG)a[6].number,
        .key = (ULONG)a[7].value,
        .flags = (UCHAR)((a[8].value ? SL_FAIL_IMMEDIATELY : 0) | (a[9].value ? SL_EXCLUSIVE_LOCK : 0))};
    NTSTATUS status = begin(call, FILE_READ_DATA | FILE_WRITE_DATA, &transfer);
    return NT_SUCCESS(status) ? run(&transfer) : status;
}

/* ---- FileHandle and IoStatusBlock come first: the caller waits ---- */

static NTSTATUS run_and_wait(struct svc_call *call, ACCESS_MASK any, struct io_transfer *transfer)
{
    struct ob_handle_info granted;
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, 0, &io_file_type, call->mode,
                                          (void **)&transfer->file, &granted);
    if (NT_SUCCESS(status) && call->mode != KernelMode && !(granted.access & any)) {
        ob_dereference(transfer->file);
        status = STATUS_ACCESS_DENIED;
    }
    if (!NT_SUCCESS(status))
        return status;
    transfer->mode = call->mode;
    transfer->wait = true;
    transfer->status_block = call->arguments[1].value;
    return run(transfer);
}

NTSTATUS svc_UnlockFile(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    struct io_transfer transfer = {.major = IRP_MJ_LOCK_CONTROL,
                                   .minor = IRP_MN_UNLOCK_SINGLE,
                                   .offset = (LONGLONG)a[2].number,
                                   .lock_length = (LONGLONG)a[3].number,
                                   .key = (ULONG)a[4].value};
    return run_and_wait(call, FILE_READ_DATA | FILE_WRITE_DATA, &transfer);
}

NTSTATUS svc_FlushBuffersFile(struct svc_call *call)
{
    struct io_transfer transfer = {.major = IRP_MJ_FLUSH_BUFFERS};
    return run_and_wait(call, FILE_WRITE_DATA | FILE_APPEND_DATA, &transfer);
}

/* ---- cancelling ---- */

/* The thread's own requests on the file. There may be none. */
NTSTATUS svc_CancelIoFile(struct svc_call *call)
{
    struct io_cancel cancel = {.thread = ke_thread_current()};
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, 0, &io_file_type, call->mode,
                                          (void **)&cancel.file, NULL);
    if (!NT_SUCCESS(status))
        return status;
    io_cancel(&cancel);
    ob_dereference(cancel.file);
    set_io(call, 1, &(IO_STATUS_BLOCK){.Status = status});
    return status;
}

/* All threads' requests on the file, or those with that status block. STATUS_NOT_FOUND: there is none. */
NTSTATUS svc_CancelIoFileEx(struct svc_call *call)
{
    struct io_cancel cancel = {.status_block = call->arguments[1].value};
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, 0, &io_file_type, call->mode,
                                          (void **)&cancel.file, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = io_cancel(&cancel) ? STATUS_SUCCESS : STATUS_NOT_FOUND;
    ob_dereference(cancel.file);
    set_io(call, 2, &(IO_STATUS_BLOCK){.Status = status});
    return status;
}

/* What another thread waits for in a synchronous request. STATUS_NOT_FOUND: it does not. */
NTSTATUS svc_CancelSynchronousIoFile(struct svc_call *call)
{
    struct io_cancel cancel = {.status_block = call->arguments[1].value, .synchronous = true};
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, THREAD_TERMINATE, &ob_thread_type,
                                          call->mode, (void **)&cancel.thread, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = io_cancel(&cancel) ? STATUS_SUCCESS : STATUS_NOT_FOUND;
    ob_dereference(cancel.thread);
    set_io(call, 2, &(IO_STATUS_BLOCK){.Status = status});
    return status;
}
