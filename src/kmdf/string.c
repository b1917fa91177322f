/*
 * string.c - string objects: a Unicode string behind a handle.
 */
#include "kmdf_collection.h"

static void string_destroy(struct kmdf_object *object)
{
    struct kmdf_string *string = (struct kmdf_string *)object;
    if (string->value.Buffer)
        mm_heap_free(string->value.Buffer, KMDF_TAG);
}

const struct kmdf_type kmdf_string_type = {.name = "WDFSTRING",
                                           .size = sizeof(struct kmdf_string),
                                           .flags = KMDF_PARENT_ALLOWED | KMDF_PASSIVE,
                                           .destroy = string_destroy};

NTSTATUS kmdf_string_set(struct kmdf_string *string, const UNICODE_STRING *value)
{
    if (value->Length > 0xFFFF - sizeof(WCHAR) || value->Length % sizeof(WCHAR) || (value->Length && !value->Buffer))
        return STATUS_INVALID_PARAMETER;
    WCHAR *copy = mm_heap_allocate(value->Length + sizeof(WCHAR), KMDF_TAG); /* zeroed */
    if (!copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(copy, value->Buffer, value->Length);
    string_destroy(&string->object);
    string->value = (UNICODE_STRING){value->Length, (USHORT)(value->Length + sizeof(WCHAR)), copy};
    return STATUS_SUCCESS;
}

NTSTATUS kmdf_string_create(struct kmdf_client *client, const UNICODE_STRING *value,
                            const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller, struct kmdf_string **created)
{
    struct kmdf_string *string;
    NTSTATUS status =
        kmdf_object_create(client, &kmdf_string_type, attributes, client->driver ? &client->driver->object : NULL,
                           caller, (struct kmdf_object **)&string);
    if (!NT_SUCCESS(status))
        return status;
    status = value ? kmdf_string_set(string, value) : STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) {
        kmdf_object_discard(&string->object);
        return status;
    }
    *created = string;
    return STATUS_SUCCESS;
}

/* A string object with a copy of UnicodeString, which may be NULL: empty. STATUS_INVALID_PARAMETER: it is malformed.
 * PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfStringCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PCUNICODE_STRING UnicodeString,
                               PWDF_OBJECT_ATTRIBUTES StringAttributes, WDFSTRING *String)
{
    struct kmdf_string *string;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(String);
    *String = NULL;
    NTSTATUS status = kmdf_string_create(client, UnicodeString, StringAttributes, seh_export_caller(), &string);
    if (NT_SUCCESS(status))
        *String = KMDF_HANDLE(WDFSTRING, string);
    return status;
}

/* The object's own buffer, terminated, which the driver must not change and which the object keeps until it is deleted.
 * PASSIVE_LEVEL. */
VOID NTAPI WdfStringGetUnicodeString(PWDF_DRIVER_GLOBALS DriverGlobals, WDFSTRING String, PUNICODE_STRING UnicodeString)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_string *string = KMDF_GET(string, String);
    kmdf_require(UnicodeString);
    *UnicodeString = string->value;
}
