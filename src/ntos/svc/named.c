/*
 * named.c - names and handles for all kinds of objects: what every Create and Open service has in common.
 */
#include "svc.h"
#include "rtl.h"

#define PATH_TAG RTL_TAG('S', 'v', 'c', 'N')

/* root's name + "\" + name, in pool. */
static NTSTATUS join(const UNICODE_STRING *root, const UNICODE_STRING *name, PUNICODE_STRING path)
{
    SIZE_T bytes = (SIZE_T)root->Length + sizeof(WCHAR) + name->Length;
    if (bytes > 0x7FFC)
        return STATUS_NAME_TOO_LONG;
    WCHAR *buffer = mm_pool_allocate(bytes, PATH_TAG, 0, MM_POOL_KERNEL, 0);
    if (!buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    UCHAR *at = (UCHAR *)buffer;
    __builtin_memcpy(at, root->Buffer, root->Length);
    buffer[root->Length / sizeof(WCHAR)] = '\\';
    __builtin_memcpy(at + root->Length + sizeof(WCHAR), name->Buffer, name->Length);
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
    UNICODE_STRING root = ob_name(directory);
    status = join(&root, &attributes->name, &full);
    ob_dereference(directory);
    if (!NT_SUCCESS(status))
        return status;
    status = ob_path_normalize(&full, path);
    mm_pool_free(full.Buffer, PATH_TAG, 0);
    return status;
}

/* A handle to body; the look-up's or creation's reference is consumed. */
static NTSTATUS give_handle(struct svc_call *call, void *body, ULONG handle, ULONG access, ULONG attributes)
{
    HANDLE value;
    ACCESS_MASK granted;
    ULONG wanted = (ULONG)call->arguments[access].value;
    NTSTATUS status = ob_access_map(ob_type_of(body), wanted, call->mode, &granted);
    if (NT_SUCCESS(status))
        status = ob_handle_create(body, granted, call->arguments[attributes].object.attributes, call->mode, &value);
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
        return give_handle(call, body, handle, access, attributes);
    ob_dereference(body);
    return STATUS_OBJECT_PATH_NOT_FOUND;
}

NTSTATUS svc_object_create(struct svc_call *call, void *body, ULONG handle, ULONG access, ULONG attributes)
{
    const struct svc_attributes *object = &call->arguments[attributes].object;
    UNICODE_STRING path = {0};
    NTSTATUS status = STATUS_SUCCESS;
    if (object->name.Length)
        status = svc_name_resolve(call, object, &path);
    if (NT_SUCCESS(status) && path.Length)
        status = ob_insert(body, &path);
    if (NT_SUCCESS(status)) {
        status = give_handle(call, body, handle, access, attributes);
    } else {
        const struct ob_type *type = ob_type_of(body);
        ob_dereference(body);
        if (status == STATUS_OBJECT_NAME_COLLISION && (object->attributes & OBJ_OPENIF)) {
            status = open_path(call, &path, type, handle, access, attributes);
            status = NT_SUCCESS(status) ? STATUS_OBJECT_NAME_EXISTS : status;
        }
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
