/*
 * fileopen.c - opening a file for a service: what it is relative to, and whether the arguments go together.
 */
#include "svc.h"
#include "io.h"

#define SYNCHRONOUS (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)

/* The combinations that the documentation of NtCreateFile rules out. */
static NTSTATUS check(const struct io_create *create)
{
    ULONG options = create->options;
    bool known =
        create->disposition == FILE_OPEN || create->disposition == FILE_CREATE || create->disposition == FILE_OPEN_IF;
    if (create->disposition > FILE_MAXIMUM_DISPOSITION ||
        (create->share & ~(FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)))
        return STATUS_INVALID_PARAMETER;
    if ((options & FILE_DIRECTORY_FILE) && ((options & FILE_NON_DIRECTORY_FILE) || !known))
        return STATUS_INVALID_PARAMETER;
    if ((options & SYNCHRONOUS) == SYNCHRONOUS || ((options & SYNCHRONOUS) && !(create->access & SYNCHRONIZE)))
        return STATUS_INVALID_PARAMETER;
    if ((options & FILE_DELETE_ON_CLOSE) && !(create->access & DELETE))
        return STATUS_INVALID_PARAMETER;
    if ((options & FILE_NO_INTERMEDIATE_BUFFERING) && (create->access & FILE_APPEND_DATA) &&
        !(create->access & FILE_WRITE_DATA))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

NTSTATUS svc_file_open(struct svc_call *call, const struct svc_attributes *attributes, struct io_create *create,
                       FILE_OBJECT **file, ULONG_PTR *information)
{
    UNICODE_STRING path = {0};
    if (!attributes->present)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = check(create);
    if (!NT_SUCCESS(status))
        return status;
    create->attributes = attributes->attributes;
    status = STATUS_OBJECT_TYPE_MISMATCH;
    if (attributes->root)
        status =
            ob_handle_reference(attributes->root, 0, &io_file_type, call->mode, (void **)&create->relative_to, NULL);
    if (status == STATUS_OBJECT_TYPE_MISMATCH)
        status = svc_name_resolve(call, attributes, &path);
    if (NT_SUCCESS(status))
        status = io_file_open(create->relative_to ? &attributes->name : &path, call->mode, create, file, information);
    ob_path_free(&path);
    if (create->relative_to)
        ob_dereference(create->relative_to);
    create->relative_to = NULL;
    return status;
}

void svc_file_close(FILE_OBJECT *file)
{
    HANDLE handle;
    NTSTATUS status = ob_handle_create(file, 0, OBJ_KERNEL_HANDLE, KernelMode, &handle);
    ob_dereference(file);
    if (NT_SUCCESS(status))
        ob_handle_close(handle, KernelMode);
}
