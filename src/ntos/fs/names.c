/*
 * names.c - names: which are allowed, how the host spells them, and looking one up without regard to case.
 */
#include "fs_internal.h"

bool fs_name_good(const WCHAR *name, SIZE_T length)
{
    if (!length || length > FS_NAME_MAX)
        return false;
    if (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')))
        return false;
    for (SIZE_T i = 0; i < length; i++) {
        WCHAR c = name[i];
        if (c < 0x20 || c == '"' || c == '*' || c == ':' || c == '<' || c == '>' || c == '?' || c == '/' || c == '\\' ||
            c == '|')
            return false;
    }
    return true;
}

bool fs_name_to_host(const WCHAR *name, SIZE_T length, char host[FS_HOST_NAME_MAX + 1])
{
    SIZE_T bytes = 0, used;
    for (SIZE_T i = 0; i < length; i += used) {
        char encoded[4];
        ULONG code_point = rtl_utf16_decode(name + i, length - i, &used);
        if (code_point == 0xFFFD && name[i] != 0xFFFD)
            return false; /* half of a pair */
        SIZE_T size = rtl_utf8_encode(code_point, encoded);
        if (size > FS_HOST_NAME_MAX - bytes)
            return false;
        __builtin_memcpy(host + bytes, encoded, size);
        bytes += size;
    }
    host[bytes] = 0;
    return true;
}

bool fs_name_from_host(const char *host, WCHAR name[FS_NAME_MAX], SIZE_T *length)
{
    SIZE_T bytes = nt_strlen(host), used, count = 0;
    for (SIZE_T i = 0; i < bytes; i += used) {
        WCHAR encoded[2];
        ULONG code_point = rtl_utf8_decode(host + i, bytes - i, &used);
        if (code_point == 0xFFFD && used == 1)
            return false; /* no UTF-8 */
        SIZE_T size = rtl_utf16_encode(code_point, encoded);
        if (size > FS_NAME_MAX - count)
            return false;
        __builtin_memcpy(name + count, encoded, size * sizeof(WCHAR));
        count += size;
    }
    *length = count;
    return fs_name_good(name, count);
}

NTSTATUS fs_name_next(PUNICODE_STRING path, PUNICODE_STRING name, bool *closed)
{
    SIZE_T total = path->Length / sizeof(WCHAR), length = 0;
    while (length < total && path->Buffer[length] != '\\')
        length++;
    *closed = length < total;
    if (!fs_name_good(path->Buffer, length))
        return STATUS_OBJECT_NAME_INVALID;
    *name = (UNICODE_STRING){(USHORT)(length * sizeof(WCHAR)), (USHORT)(length * sizeof(WCHAR)), path->Buffer};
    SIZE_T taken = length + *closed;
    path->Buffer += taken;
    path->Length = (USHORT)(path->Length - taken * sizeof(WCHAR));
    return STATUS_SUCCESS;
}

/* Any name of folder that differs from name in case only. */
static NTSTATUS find_other_case(const struct fs_file *folder, PCUNICODE_STRING name, char *host,
                                struct plat_file_info *info)
{
    struct plat_listing listing;
    const char *entry;
    WCHAR wide[FS_NAME_MAX];
    SIZE_T length;
    NTSTATUS status = plat_listing_open(folder->handle, &listing);
    if (!NT_SUCCESS(status))
        return status;
    while (NT_SUCCESS(status = plat_listing_peek(&listing, &entry))) {
        if (fs_name_from_host(entry, wide, &length) &&
            !RtlCompareUnicodeStrings(wide, length, name->Buffer, name->Length / sizeof(WCHAR), TRUE) &&
            NT_SUCCESS(plat_file_look(folder->handle, entry, info))) {
            __builtin_memcpy(host, entry, nt_strlen(entry) + 1);
            break;
        }
        plat_listing_advance(&listing);
    }
    plat_listing_close(&listing);
    return status == STATUS_NO_MORE_FILES ? STATUS_OBJECT_NAME_NOT_FOUND : status;
}

NTSTATUS fs_name_find(const struct fs_file *folder, PCUNICODE_STRING name, char host[FS_HOST_NAME_MAX + 1],
                      struct plat_file_info *info)
{
    char other[FS_HOST_NAME_MAX + 1];
    if (!fs_name_to_host(name->Buffer, name->Length / sizeof(WCHAR), host))
        return STATUS_OBJECT_NAME_INVALID;
    NTSTATUS status = plat_file_look(folder->handle, host, info);
    if (status != STATUS_OBJECT_NAME_NOT_FOUND)
        return status;
    status = find_other_case(folder, name, other, info);
    if (NT_SUCCESS(status))
        __builtin_memcpy(host, other, sizeof(other));
    return status;
}
