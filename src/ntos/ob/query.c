/*
 * query.c - what drivers ask about an object: its name, its security descriptor; and what they change of a handle.
 */
#include "ob.h"
#include "ob_internal.h"
#include "rtl.h"

NTSTATUS ob_full_name(const void *body, PUNICODE_STRING name)
{
    UNICODE_STRING first, rest = {0};
    const struct ob_type *type = ob_type_of(body);
    const void *named = type->behind ? type->behind(body, &rest) : body;
    *name = (UNICODE_STRING){0};
    if (!named)
        return STATUS_SUCCESS;
    NTSTATUS status = ob_name_copy(named, &first);
    if (!NT_SUCCESS(status) || !first.Length)
        rest = (UNICODE_STRING){0};
    if (NT_SUCCESS(status))
        status = ob_path_join(&first, &rest, name);
    ob_path_free(&first);
    return status;
}

/*
 * The full name of Object, a file's with the name of its device, in ObjectNameInfo, its text behind the structure; for
 * none an empty string. *ReturnLength: bytes needed, 0 for none. STATUS_INFO_LENGTH_MISMATCH: Length is less.
 * IRQL PASSIVE_LEVEL.
 */
NTSTATUS NTAPI ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION ObjectNameInfo, ULONG Length,
                                 PULONG ReturnLength)
{
    UNICODE_STRING name;
    NTSTATUS status = ob_full_name(Object, &name);
    if (!NT_SUCCESS(status))
        return status;
    ULONG text = name.Length ? name.Length + (ULONG)sizeof(WCHAR) : 0, needed = (ULONG)sizeof(*ObjectNameInfo) + text;
    *ReturnLength = needed;
    if (Length < needed) {
        status = STATUS_INFO_LENGTH_MISMATCH;
    } else {
        PWCH buffer = text ? (PWCH)(ObjectNameInfo + 1) : NULL;
        if (text)
            __builtin_memcpy(buffer, name.Buffer, text);
        ObjectNameInfo->Name = (UNICODE_STRING){name.Length, (USHORT)text, buffer};
    }
    ob_path_free(&name);
    return status;
}

/* The name of a permanent object goes with its last handle, as that of others. */
VOID NTAPI ObMakeTemporaryObject(PVOID Object)
{
    ob_make_temporary(Object);
}

/* PreviousMode UserMode: a kernel handle is STATUS_INVALID_HANDLE. */
NTSTATUS NTAPI ObSetHandleAttributes(HANDLE Handle, POBJECT_HANDLE_FLAG_INFORMATION HandleFlags,
                                     KPROCESSOR_MODE PreviousMode)
{
    ULONG attributes =
        (HandleFlags->Inherit ? OBJ_INHERIT : 0u) | (HandleFlags->ProtectFromClose ? OBJ_PROTECT_CLOSE : 0u);
    return ob_handle_set_attributes(Handle, attributes, PreviousMode);
}

/* No object here has a security descriptor, for which the documented answer is null. */
NTSTATUS NTAPI ObGetObjectSecurity(PVOID Object, PVOID *SecurityDescriptor, PBOOLEAN MemoryAllocated)
{
    UNREFERENCED_PARAMETER(Object);
    *SecurityDescriptor = NULL;
    *MemoryAllocated = FALSE;
    return STATUS_SUCCESS;
}

/* SecurityDescriptor: from ObGetObjectSecurity. */
VOID NTAPI ObReleaseObjectSecurity(PVOID SecurityDescriptor, BOOLEAN MemoryAllocated)
{
    UNREFERENCED_PARAMETER(SecurityDescriptor);
    UNREFERENCED_PARAMETER(MemoryAllocated);
}
