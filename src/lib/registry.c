/*
 * registry.c - the embedding API's registry: keys and values that are there before a driver comes.
 */
#include "lib.h"
#include "cm.h"
#include "rtl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICES "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

/* UTF-8 to a string in malloc's memory, which the caller frees. */
static NTSTATUS widen(const char *text, UNICODE_STRING *string)
{
    size_t length = strlen(text);
    ULONG bytes = 0;
    *string = (UNICODE_STRING){0};
    if (length > MAXUSHORT / sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    string->Buffer = malloc(length ? length * sizeof(WCHAR) : 1); /* no character needs more units than bytes */
    if (!string->Buffer)
        return STATUS_NO_MEMORY;
    NTSTATUS status = RtlUTF8ToUnicodeN(string->Buffer, (ULONG)(length * sizeof(WCHAR)), &bytes, text, (ULONG)length);
    string->Length = string->MaximumLength = (USHORT)bytes;
    return status;
}

static NTSTATUS set(const UNICODE_STRING *path, const char *name, uint32_t type, const void *data, size_t size)
{
    struct cm_key *key;
    UNICODE_STRING value;
    if (size > CM_VALUE_MAX)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = cm_path_make(path, &key);
    if (NT_SUCCESS(status) && name) {
        status = widen(name, &value);
        if (NT_SUCCESS(status))
            status = cm_value_set(key, &value, type, data, (ULONG)size);
        free(value.Buffer);
    }
    if (key)
        ob_dereference(key);
    return status;
}

uma_status uma_registry_set(const char *driver, const char *key, const char *name, uint32_t type, const void *data,
                            size_t size)
{
    char image[LDR_NAME_MAX] = "";
    UNICODE_STRING path;
    if (driver)
        ldr_image_name(driver, image, sizeof(image));
    const size_t length = sizeof(SERVICES) + sizeof(image) + strlen(key) + 1;
    char *whole = malloc(length);
    if (!whole)
        return STATUS_NO_MEMORY;
    if (driver && key[0] != '\\')
        snprintf(whole, length, "%s%s\\%s", SERVICES, image, key);
    else
        snprintf(whole, length, "%s", key);
    NTSTATUS status = widen(whole, &path);
    if (NT_SUCCESS(status))
        status = set(&path, name, type, data, size);
    free(path.Buffer);
    free(whole);
    return status;
}
