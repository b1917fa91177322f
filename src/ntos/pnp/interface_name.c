/*
 * interface_name.c - the names of device interfaces: "\??\ROOT#UMA#0000#{class}", and "\reference" behind it.
 */
#include "pnp_internal.h"

SIZE_T pnp_guid_print(char *text, SIZE_T size, const GUID *guid)
{
    const UCHAR *d = guid->Data4;
    return rtl_print(text, size, "{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", guid->Data1, guid->Data2,
                     guid->Data3, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}

bool pnp_name_without_prefix(PCUNICODE_STRING name, UNICODE_STRING *rest)
{
    const USHORT length = 4 * sizeof(WCHAR);
    UNICODE_STRING kernel, user;
    RtlInitUnicodeString(&kernel, PNP_WIDE("\\??\\"));
    RtlInitUnicodeString(&user, PNP_WIDE("\\\\?\\"));
    if (!RtlPrefixUnicodeString(&kernel, name, FALSE) && !RtlPrefixUnicodeString(&user, name, FALSE))
        return false;
    *rest = (UNICODE_STRING){(USHORT)(name->Length - length), (USHORT)(name->Length - length),
                             name->Buffer + length / sizeof(WCHAR)};
    return true;
}

UNICODE_STRING pnp_interface_reference(const struct pnp_interface *instance)
{
    USHORT skip = (USHORT)(instance->link_bytes + sizeof(WCHAR));
    if (instance->name.Length < skip)
        return (UNICODE_STRING){0};
    return (UNICODE_STRING){(USHORT)(instance->name.Length - skip), (USHORT)(instance->name.Length - skip),
                            instance->name.Buffer + skip / sizeof(WCHAR)};
}

NTSTATUS pnp_interface_name(struct pnp_interface *instance, PCUNICODE_STRING reference)
{
    char text[160], class[40];
    SIZE_T length;
    pnp_guid_print(class, sizeof(class), &instance->class);
    length = rtl_print(text, sizeof(text), "\\??\\%s#%s", instance->node->instance, class);
    SIZE_T bytes = length * sizeof(WCHAR) + (reference->Length ? reference->Length + sizeof(WCHAR) : 0);
    if (bytes > PNP_NAME_BYTES)
        return STATUS_NAME_TOO_LONG;
    instance->name.Buffer = mm_heap_allocate(bytes, PNP_TAG);
    if (!instance->name.Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (SIZE_T i = 0; i < length; i++)
        instance->name.Buffer[i] = i >= 4 && text[i] == '\\' ? '#' : (UCHAR)text[i];
    if (reference->Length) {
        instance->name.Buffer[length] = '\\';
        __builtin_memcpy(instance->name.Buffer + length + 1, reference->Buffer, reference->Length);
    }
    instance->name.Length = instance->name.MaximumLength = (USHORT)bytes;
    instance->link_bytes = (USHORT)(length * sizeof(WCHAR));
    return STATUS_SUCCESS;
}

NTSTATUS pnp_name_give(PCUNICODE_STRING name, PUNICODE_STRING copy)
{
    WCHAR *buffer = rtl_pool.allocate(name->Length + sizeof(WCHAR), RTL_STRING_TAG);
    if (!buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(buffer, name->Buffer, name->Length);
    buffer[name->Length / sizeof(WCHAR)] = 0;
    *copy = (UNICODE_STRING){name->Length, (USHORT)(name->Length + sizeof(WCHAR)), buffer};
    return STATUS_SUCCESS;
}
