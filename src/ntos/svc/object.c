/*
 * object.c - the act halves of the services on objects in general, directories and symbolic links.
 */
#include "svc.h"
#include "rtl.h"
#include "seh.h"

NTSTATUS svc_Close(struct svc_call *call)
{
    return ob_handle_close((HANDLE)call->arguments[0].value, call->mode);
}

static NTSTATUS process_reference(const struct svc_call *call, ULONG argument, ACCESS_MASK access, PEPROCESS *process)
{
    return ob_handle_reference((HANDLE)call->arguments[argument].value, access, &ob_process_type, call->mode,
                               (void **)process, NULL);
}

NTSTATUS svc_DuplicateObject(struct svc_call *call)
{
    PEPROCESS source, target = NULL;
    HANDLE copy = NULL;
    ULONG options = (ULONG)call->arguments[6].value;
    if (!call->arguments[2].value && !(options & DUPLICATE_CLOSE_SOURCE))
        return STATUS_INVALID_HANDLE;
    NTSTATUS status = process_reference(call, 0, PROCESS_DUP_HANDLE, &source);
    if (!NT_SUCCESS(status))
        return status;
    if (call->arguments[2].value)
        status = process_reference(call, 2, PROCESS_DUP_HANDLE, &target);
    PEPROCESS receiver = call->arguments[3].present ? target : NULL; /* with nowhere to put the handle none is made */
    if (NT_SUCCESS(status))
        status =
            ob_handle_duplicate(source, (HANDLE)call->arguments[1].value, receiver, (ULONG)call->arguments[4].value,
                                (ULONG)call->arguments[5].value, options, call->mode, &copy);
    if (NT_SUCCESS(status) && receiver)
        svc_set(call, 3, (ULONG_PTR)copy);
    if (target)
        ob_dereference(target);
    ob_dereference(source);
    return status;
}

NTSTATUS svc_CreateDirectoryObject(struct svc_call *call)
{
    void *directory;
    NTSTATUS status = ob_create(&ob_directory_type, 16, &directory);
    return NT_SUCCESS(status) ? svc_object_create(call, directory, 0, 1, 2) : status;
}

NTSTATUS svc_OpenDirectoryObject(struct svc_call *call)
{
    return svc_object_open(call, &ob_directory_type, 0, 1, 2);
}

NTSTATUS svc_CreateSymbolicLinkObject(struct svc_call *call)
{
    void *link;
    NTSTATUS status = ob_link_make(&call->arguments[3].string, seh_export_caller(), &link);
    return NT_SUCCESS(status) ? svc_object_create(call, link, 0, 1, 2) : status;
}

NTSTATUS svc_OpenSymbolicLinkObject(struct svc_call *call)
{
    return svc_object_open(call, &ob_symbolic_link_type, 0, 1, 2);
}

/* ReturnedLength: bytes of the target, whether or not they fit. */
NTSTATUS svc_QuerySymbolicLinkObject(struct svc_call *call)
{
    void *link;
    NTSTATUS status =
        ob_handle_reference((HANDLE)call->arguments[0].value, 1, &ob_symbolic_link_type, call->mode, &link, NULL);
    if (!NT_SUCCESS(status))
        return status;
    UNICODE_STRING target = ob_link_target(link), *text = &call->arguments[1].string;
    svc_set(call, 2, target.Length);
    if (target.Length > text->MaximumLength) {
        status = STATUS_BUFFER_TOO_SMALL;
    } else {
        __builtin_memcpy(text->Buffer, target.Buffer, target.Length);
        text->Length = target.Length;
        call->arguments[1].set = true;
    }
    ob_dereference(link);
    return status;
}
