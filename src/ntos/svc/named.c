/*
 * named.c - names and handles for all kinds of objects: what every Create and Open service has in common.
 */
#include "svc.h"
#include "rtl.h"

#define PATH_TAG RTL_TAG('S', 'v', 'c', 'N')

/* root's name + "\" + name, in pool. */
static NTSTATUS join(const UNICODE_STRING *root, const UNICODE_STRING *name, PUNICODE_STRING path)
{
    USHORT head = root->Length == sizeof(WCHAR) ? 0 : root->Length; /* the root directory's name is the backslash */
    SIZE_T bytes = (SIZE_T)head + sizeof(WCHAR) + name->Length;
    if (bytes > 0x7FFC)
        return STATUS_NAME_TOO_LONG;
    WCHAR *buffer = mm_heap_allocate(bytes, PATH_TAG);
    if (!buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    UCHAR *at = (UCHAR *)buffer;
    __builtin_memcpy(at, root->Buffer, head);
    buffer[head / sizeof(WCHAR)] = '\\';
    __builtin_memcpy(at + head + sizeof(WCHAR), name->Buffer, name->Length);
    *path = (UNICODE_STRING){(USHORT)bytes, (USHORT)bytes, buffer};
    return STATUS_SUCCESS;
}

NTSTATUS svc_name_resolve(const struct svc_call *call, const struct svc_attributes *attributes, PUNICODE_STRING path)
{
    void *directory;
    UNICODE_STRING full;
    if (!attributes->root)
        return ob_path_normalize(&attributes->name, path);
    if (attributes->name.Length && attributes->name.Buffer[0] == '\\')
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    NTSTATUS status = ob_handle_reference(attributes->root, 0, &ob_directory_type, call->mode, &directory, NULL);
    if (!NT_SUCCESS(status))
        return status;
    UNICODE_STRING root = {0};
    status = ob_name_copy(directory, &root); /* which may go with a handle that is closed meanwhile */
    if (NT_SUCCESS(status))
        status = root.Length ? join(&root, &attributes->name, &full) : STATUS_OBJECT_PATH_NOT_FOUND;
    ob_path_free(&root);
    ob_dereference(directory);
    if (!NT_SUCCESS(status))
        return status;
    status = ob_path_normalize(&full, path);
    mm_heap_free(full.Buffer, PATH_TAG);
    return status;
}

static NTSTATUS make_handle(struct svc_call *call, void *body, ULONG access, ULONG attributes, HANDLE *value)
{
    ACCESS_MASK granted;
    ULONG wanted = (ULONG)call->arguments[access].value;
    NTSTATUS status = ob_access_to(body, wanted, call->mode, &granted);
    if (NT_SUCCESS(status))
        status = ob_handle_create(body, granted, call->arguments[attributes].object.attributes, call->mode, value);
    return status;
}

NTSTATUS svc_give_handle(struct svc_call *call, void *body, ULONG handle, ULONG access, ULONG attributes)
{
    HANDLE value;
    NTSTATUS status = make_handle(call, body, access, attributes, &value);
    ob_dereference(body);
    if (NT_SUCCESS(status))
        svc_set(call, handle, (ULONG_PTR)value);
    return status;
}

static NTSTATUS open_path(struct svc_call *call, PCUNICODE_STRING path, const struct ob_type *type, ULONG handle,
                          ULONG access, ULONG attributes)
{
    void *body;
    UNICODE_STRING rest, storage;
    NTSTATUS status = ob_lookup(path, type, &body, &rest, &storage);
    if (!NT_SUCCESS(status))
        return status;
    bool whole = !rest.Length;
    ob_path_free(&storage);
    if (whole)
        return svc_give_handle(call, body, handle, access, attributes);
    ob_dereference(body);
    return STATUS_OBJECT_PATH_NOT_FOUND;
}

/* The handle comes before the name: a name without handles would go with the first close of somebody who finds it. */
NTSTATUS svc_object_create(struct svc_call *call, void *body, ULONG handle, ULONG access, ULONG attributes)
{
    const struct svc_attributes *object = &call->arguments[attributes].object;
    const struct ob_type *type = ob_type_of(body);
    UNICODE_STRING path = {0};
    HANDLE value;
    NTSTATUS status = STATUS_SUCCESS;
    if ((object->attributes & OBJ_PERMANENT) && call->mode != KernelMode)
        status = STATUS_PRIVILEGE_NOT_HELD; /* SeCreatePermanentPrivilege */
    else if (object->name.Length)
        status = svc_name_resolve(call, object, &path);
    ob_set_exclusive(body, object->attributes);
    if (NT_SUCCESS(status))
        status = make_handle(call, body, access, attributes, &value);
    if (NT_SUCCESS(status)) {
        status = path.Length ? ob_insert_as(body, &path, object->attributes) : STATUS_SUCCESS;
        if (NT_SUCCESS(status)) {
            svc_set(call, handle, (ULONG_PTR)value);
        } else {
            ob_handle_set_attributes(value, 0, KernelMode);
            ob_handle_close(value, KernelMode);
        }
    }
    ob_dereference(body);
    if (status == STATUS_OBJECT_NAME_COLLISION && (object->attributes & OBJ_OPENIF)) {
        status = open_path(call, &path, type, handle, access, attributes);
        status = NT_SUCCESS(status) ? STATUS_OBJECT_NAME_EXISTS : status;
    }
    ob_path_free(&path);
    return status;
}

NTSTATUS svc_object_open(struct svc_call *call, const struct ob_type *type, ULONG handle, ULONG access,
                         ULONG attributes)
{
    const struct svc_attributes *object = &call->arguments[attributes].object;
    UNICODE_STRING path;
    if (!object->present)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = svc_name_resolve(call, object, &path);
    if (!NT_SUCCESS(status))
        return status;
    status = open_path(call, &path, type, handle, access, attributes);
    ob_path_free(&path);
    return status;
}
