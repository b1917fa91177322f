/*
 * relative.c - the run-time library's routines on a key named by a well-known place and a path.
 *
 * They work as KernelMode, as documented. What a bad pointer raises goes to the driver; nothing is held by then.
 */
#include "cm_internal.h"
#include "wdk/seh.h"

#define WIDE(text) ((const WCHAR *)L##text)

enum { LONGEST_PATH = 0x7FFC };

static const WCHAR *const places[] = {
    [RTL_REGISTRY_ABSOLUTE] = WIDE(""),
    [RTL_REGISTRY_SERVICES] = WIDE("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"),
    [RTL_REGISTRY_CONTROL] = WIDE("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\"),
    [RTL_REGISTRY_WINDOWS_NT] = WIDE("\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\"),
    [RTL_REGISTRY_DEVICEMAP] = WIDE("\\Registry\\Machine\\Hardware\\DeviceMap\\"),
    [RTL_REGISTRY_USER] = WIDE("\\Registry\\User\\.Default\\"),
};

NTSTATUS cm_relative_open(ULONG relative_to, PCWSTR path, bool create, struct cm_key **key)
{
    ULONG place = relative_to & ~(RTL_REGISTRY_HANDLE | RTL_REGISTRY_OPTIONAL);
    UNICODE_STRING prefix, rest = {0}, whole;
    *key = NULL;
    if (relative_to & RTL_REGISTRY_HANDLE)
        return ob_handle_reference((HANDLE)path, 0, &cm_key_type, KernelMode, (void **)key, NULL);
    if (place >= RTL_NUMBER_OF(places))
        return STATUS_INVALID_PARAMETER;
    RtlInitUnicodeString(&prefix, places[place]);
    if (path && !NT_SUCCESS(RtlInitUnicodeStringEx(&rest, path)))
        return STATUS_NAME_TOO_LONG;
    if (prefix.Length + rest.Length > LONGEST_PATH)
        return STATUS_NAME_TOO_LONG;
    whole = (UNICODE_STRING){0, (USHORT)(prefix.Length + rest.Length), NULL};
    if (whole.MaximumLength)
        whole.Buffer = mm_pool_allocate(whole.MaximumLength, CM_TAG, 0, MM_POOL_KERNEL, 0);
    if (!whole.Buffer)
        return whole.MaximumLength ? STATUS_INSUFFICIENT_RESOURCES : STATUS_OBJECT_PATH_SYNTAX_BAD;
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        RtlAppendUnicodeStringToString(&whole, &prefix);
        RtlAppendUnicodeStringToString(&whole, &rest);
        status = cm_open_path(&whole, create, key);
    } __finally {
        mm_pool_free(whole.Buffer, CM_TAG, 0);
    }
    return status;
}

/* STATUS_SUCCESS: the key is there. With RTL_REGISTRY_HANDLE the handle is closed, as documented. */
NTSTATUS NTAPI RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    struct cm_key *key;
    NTSTATUS status = cm_relative_open(RelativeTo, Path, false, &key);
    if (!NT_SUCCESS(status))
        return status;
    ob_dereference(key);
    if (RelativeTo & RTL_REGISTRY_HANDLE)
        ob_handle_close((HANDLE)Path, KernelMode);
    return status;
}

/* Makes the last key of the path; those before it must be there. A key that exists is a success. */
NTSTATUS NTAPI RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    struct cm_key *key;
    NTSTATUS status = cm_relative_open(RelativeTo, Path, true, &key);
    if (NT_SUCCESS(status))
        ob_dereference(key);
    return status;
}

/* The last key of the path is made if it is missing. ValueLength: bytes, a string's terminator included. */
NTSTATUS NTAPI RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName, ULONG ValueType, PVOID ValueData,
                                     ULONG ValueLength)
{
    struct cm_key *key;
    UNICODE_STRING name;
    UCHAR *data = NULL;
    if (!NT_SUCCESS(RtlInitUnicodeStringEx(&name, ValueName)) || ValueLength > CM_VALUE_MAX)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS opened = cm_relative_open(RelativeTo, Path, true, &key);
    if (!NT_SUCCESS(opened))
        return opened;
    volatile NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    data = mm_pool_allocate((SIZE_T)ValueLength + name.Length + sizeof(WCHAR), CM_TAG, 0, MM_POOL_KERNEL, 0);
    __try {
        if (data) { /* captured first: what faults must not hold the registry's lock */
            if (ValueLength)
                __builtin_memcpy(data + name.Length, ValueData, ValueLength);
            if (name.Length)
                __builtin_memcpy(data, name.Buffer, name.Length);
            name.Buffer = (WCHAR *)data;
            status = cm_value_set(key, &name, ValueType, data + name.Length, ValueLength);
        }
    } __finally {
        if (data)
            mm_pool_free(data, CM_TAG, 0);
        ob_dereference(key);
    }
    return status;
}

NTSTATUS NTAPI RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName)
{
    struct cm_key *key;
    UNICODE_STRING name;
    NTSTATUS status = RtlInitUnicodeStringEx(&name, ValueName);
    if (NT_SUCCESS(status))
        status = cm_relative_open(RelativeTo, Path, false, &key);
    if (!NT_SUCCESS(status))
        return status;
    status = cm_value_delete(key, &name);
    ob_dereference(key);
    return status;
}
