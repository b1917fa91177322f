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
    if (NT_SUCCESS(status))
        status = ob_handle_duplicate(source, (HANDLE)call->arguments[1].value, target, (ULONG)call->arguments[4].value,
                                     (ULONG)call->arguments[5].value, options, call->mode, &copy);
    if (NT_SUCCESS(status) && target && call->arguments[3].present) /* else it is there, and nobody knows its value */
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

/* ---- permanence ---- */

#define DELETE_ACCESS 0x10000u

static NTSTATUS change_permanence(struct svc_call *call, ACCESS_MASK access, void (*change)(void *body))
{
    void *body;
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, access, NULL, call->mode, &body, NULL);
    if (!NT_SUCCESS(status))
        return status;
    change(body);
    ob_dereference(body);
    return status;
}

NTSTATUS svc_MakeTemporaryObject(struct svc_call *call)
{
    return change_permanence(call, DELETE_ACCESS, ob_make_temporary);
}

/* User mode would need SeCreatePermanentPrivilege, which administrators have not. */
NTSTATUS svc_MakePermanentObject(struct svc_call *call)
{
    return call->mode == KernelMode ? change_permanence(call, 0, ob_make_permanent) : STATUS_PRIVILEGE_NOT_HELD;
}

/* ---- what there is to know of a handle and its object ---- */

/* A counted string at offset of a DATA_OUT argument, its text, if any, at *text, which moves on behind its null. The
 * pointer is one of the caller's addresses. */
static void put_string(struct svc_argument *out, SIZE_T offset, SIZE_T *text, const void *content, USHORT bytes)
{
    UNICODE_STRING *string = (UNICODE_STRING *)((UCHAR *)out->data + offset); /* zeroed, and its padding stays so */
    if (!bytes)
        return;
    string->Length = bytes;
    string->MaximumLength = (USHORT)(bytes + sizeof(WCHAR));
    string->Buffer = (PWCH)(ULONG_PTR)(out->value + *text);
    __builtin_memcpy((UCHAR *)out->data + *text, content, bytes);
    *text += bytes + sizeof(WCHAR);
}

enum { TYPE_NAME_MAX = 32 };
static USHORT widen(const char *name, WCHAR wide[TYPE_NAME_MAX])
{
    USHORT count = 0;
    for (; name[count] && count < TYPE_NAME_MAX; count++)
        wide[count] = (UCHAR)name[count];
    return (USHORT)(count * sizeof(WCHAR));
}

/* Structure and text of a query that answers with a string: STATUS_INFO_LENGTH_MISMATCH if they do not fit. */
static NTSTATUS answer_string(struct svc_call *call, SIZE_T structure, const void *content, USHORT bytes)
{
    struct svc_argument *out = &call->arguments[2];
    SIZE_T needed = structure + (bytes ? bytes + sizeof(WCHAR) : 0), text = structure;
    svc_set(call, 4, needed);
    if (out->bytes < needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    put_string(out, 0, &text, content, bytes);
    out->bytes = needed;
    out->set = true;
    return STATUS_SUCCESS;
}

/* A structure of exactly that size. */
static NTSTATUS answer(struct svc_call *call, const void *structure, SIZE_T bytes)
{
    struct svc_argument *out = &call->arguments[2];
    svc_set(call, 4, bytes);
    if (out->bytes != bytes)
        return STATUS_INFO_LENGTH_MISMATCH;
    __builtin_memcpy(out->data, structure, bytes);
    out->set = true;
    return STATUS_SUCCESS;
}

static NTSTATUS query(struct svc_call *call, void *body, const struct ob_handle_info *handle)
{
    WCHAR wide[TYPE_NAME_MAX];
    UNICODE_STRING name;
    NTSTATUS status;
    switch (call->arguments[1].value) {
    case ObjectBasicInformation: {
        PUBLIC_OBJECT_BASIC_INFORMATION basic = {.Attributes = handle->attributes,
                                                 .GrantedAccess = handle->access,
                                                 .HandleCount = (ULONG)ob_handle_count(body),
                                                 .PointerCount = (ULONG)ob_reference_count(body) - 1};
        return answer(call, &basic, sizeof(basic));
    }
    case ObjectNameInformation:
        status = ob_full_name(body, &name);
        if (NT_SUCCESS(status))
            status = answer_string(call, sizeof(OBJECT_NAME_INFORMATION), name.Buffer, name.Length);
        ob_path_free(&name);
        return status;
    case ObjectTypeInformation:
        return answer_string(call, sizeof(PUBLIC_OBJECT_TYPE_INFORMATION), wide, widen(ob_type_of(body)->name, wide));
    case ObjectHandleFlagInformation: {
        OBJECT_HANDLE_FLAG_INFORMATION flags = {(handle->attributes & OBJ_INHERIT) != 0,
                                                (handle->attributes & OBJ_PROTECT_CLOSE) != 0};
        return answer(call, &flags, sizeof(flags));
    }
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

/* ReturnLength: bytes written or needed. PointerCount is that of the moment, less the service's own reference. */
NTSTATUS svc_QueryObject(struct svc_call *call)
{
    void *body;
    struct ob_handle_info handle;
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, 0, NULL, call->mode, &body, &handle);
    if (!NT_SUCCESS(status))
        return status;
    status = query(call, body, &handle);
    ob_dereference(body);
    return status;
}

/* ObjectHandleFlagInformation is the one class that can be set. */
NTSTATUS svc_SetInformationObject(struct svc_call *call)
{
    const struct svc_argument *in = &call->arguments[2];
    OBJECT_HANDLE_FLAG_INFORMATION flags;
    if (call->arguments[1].value != ObjectHandleFlagInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (in->bytes != sizeof(flags))
        return STATUS_INFO_LENGTH_MISMATCH;
    __builtin_memcpy(&flags, in->data, sizeof(flags));
    return ObSetHandleAttributes((HANDLE)call->arguments[0].value, &flags, call->mode);
}

/* ---- listing a directory ---- */

struct listing {
    ULONG first, count; /* entries, by index */
    SIZE_T text;        /* bytes of their names */
};

/* Which entries from first on fit in room bytes, structures and text; all: as many as do. */
static NTSTATUS measure(const void *directory, bool all, SIZE_T room, struct listing *listing)
{
    WCHAR name[OB_ENTRY_NAME_MAX];
    USHORT bytes;
    const struct ob_type *type;
    const SIZE_T entry = sizeof(OBJECT_DIRECTORY_INFORMATION);
    for (;;) {
        if (!ob_directory_entry(directory, listing->first + listing->count, name, &bytes, &type))
            return listing->count ? STATUS_SUCCESS : STATUS_NO_MORE_ENTRIES;
        if (listing->count && !all)
            return STATUS_SUCCESS;
        SIZE_T text = bytes + nt_strlen(type->name) * sizeof(WCHAR) + 2 * sizeof(WCHAR);
        SIZE_T needed = (listing->count + 2) * entry + listing->text + text;
        if (needed > room) {
            listing->text += listing->count ? 0 : text; /* what the first one needs is told */
            return listing->count ? STATUS_MORE_ENTRIES : STATUS_BUFFER_TOO_SMALL;
        }
        listing->count++;
        listing->text += text;
    }
}

/*
 * One entry or as many as fit, a structure of zeroes, then their text. Context is the index of the next entry.
 * STATUS_MORE_ENTRIES: there are more; STATUS_BUFFER_TOO_SMALL: not even one fits, and ReturnLength says what it needs.
 */
NTSTATUS svc_QueryDirectoryObject(struct svc_call *call)
{
    void *directory;
    struct svc_argument *out = &call->arguments[1];
    bool single = call->arguments[3].value, restart = call->arguments[4].value;
    struct listing listing = {.first = restart ? 0 : (ULONG)call->arguments[5].number};
    NTSTATUS status =
        ob_handle_reference((HANDLE)call->arguments[0].value, 1, &ob_directory_type, call->mode, &directory, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = measure(directory, !single, out->bytes, &listing);
    SIZE_T text = (listing.count + 1) * sizeof(OBJECT_DIRECTORY_INFORMATION);
    for (ULONG i = 0; i < listing.count; i++) {
        WCHAR name[OB_ENTRY_NAME_MAX], wide[TYPE_NAME_MAX];
        USHORT bytes;
        const struct ob_type *type;
        const SIZE_T at = i * sizeof(OBJECT_DIRECTORY_INFORMATION);
        if (!ob_directory_entry(directory, listing.first + i, name, &bytes, &type) ||
            text + bytes + 2 * sizeof(WCHAR) + nt_strlen(type->name) * sizeof(WCHAR) > out->bytes)
            break; /* it has changed since it was measured */
        put_string(out, at, &text, name, bytes);
        put_string(out, at + sizeof(UNICODE_STRING), &text, wide, widen(type->name, wide));
    }
    if (listing.count) {
        svc_set(call, 5, listing.first + listing.count);
        out->bytes = text;
        out->set = true;
    } else if (status == STATUS_BUFFER_TOO_SMALL) {
        text += sizeof(OBJECT_DIRECTORY_INFORMATION) + listing.text;
    }
    if (listing.count || status == STATUS_BUFFER_TOO_SMALL)
        svc_set(call, 6, text);
    ob_dereference(directory);
    return status;
}
