/*
 * key_strings.c - values of registry keys that are lists of strings (REG_MULTI_SZ), as collections of string objects.
 */
#include "kmdf_collection.h"
#include "kmdf_key.h"

enum { LONGEST = 0x7FFE }; /* characters that a UNICODE_STRING with a terminator can have */

/* The strings of a value, one after another: each ends with a zero or the data, the list with an empty one or the data.
 */
struct list {
    WCHAR *at;
    SIZE_T left; /* characters */
};

static bool next(struct list *list, WCHAR **text, SIZE_T *length)
{
    SIZE_T count = 0;
    while (count < list->left && list->at[count])
        count++;
    *text = list->at;
    *length = count;
    SIZE_T taken = count < list->left ? count + 1 : count;
    list->at += taken;
    list->left -= taken;
    return count > 0;
}

/* Makes string objects and adds them to the collection, until one fails. */
static NTSTATUS add_strings(struct kmdf_collection *collection, struct list *list,
                            const WDF_OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller)
{
    WCHAR *text;
    SIZE_T length;
    struct kmdf_string *string;
    while (next(list, &text, &length)) {
        if (length > LONGEST)
            return STATUS_INVALID_PARAMETER;
        UNICODE_STRING value = {(USHORT)(length * sizeof(WCHAR)), (USHORT)(length * sizeof(WCHAR)), text};
        NTSTATUS status = kmdf_string_create(collection->object.client, &value, attributes, caller, &string);
        if (!NT_SUCCESS(status))
            return status;
        status = kmdf_collection_add(collection, &string->object, caller);
        if (!NT_SUCCESS(status)) {
            kmdf_object_discard(&string->object);
            return status;
        }
    }
    return STATUS_SUCCESS;
}

/*
 * Adds a string object for each string of a REG_MULTI_SZ to the end of Collection; their parent is the driver object
 * unless StringsAttributes name one. If it fails, the collection is as before. STATUS_OBJECT_TYPE_MISMATCH: the value
 * is of another type; STATUS_RESOURCE_DATA_NOT_FOUND: it has no string. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfRegistryQueryMultiString(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                           PWDF_OBJECT_ATTRIBUTES StringsAttributes, WDFCOLLECTION Collection)
{
    KEY_VALUE_PARTIAL_INFORMATION *value;
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_collection *collection = KMDF_GET(collection, Collection);
    ULONG before = collection->count;
    NTSTATUS status = kmdf_key_read(Key, ValueName, __func__, &value);
    if (!NT_SUCCESS(status))
        return status;
    struct list list = {(WCHAR *)value->Data, value->DataLength / sizeof(WCHAR)};
    if (value->Type != REG_MULTI_SZ)
        status = STATUS_OBJECT_TYPE_MISMATCH;
    else if (!list.left || !list.at[0])
        status = STATUS_RESOURCE_DATA_NOT_FOUND;
    else
        status = add_strings(collection, &list, StringsAttributes, seh_export_caller());
    mm_heap_free(value, KMDF_TAG);
    for (struct kmdf_object *item; !NT_SUCCESS(status) && (item = kmdf_collection_take(collection, before));) {
        kmdf_object_discard(item);
        kmdf_dereference(item);
    }
    return status;
}

/* ---- writing ---- */

/* The string object at index; null: the end, or something else, which is told in *status. */
static const UNICODE_STRING *string_at(struct kmdf_collection *collection, ULONG index, NTSTATUS *status)
{
    struct kmdf_object *item = kmdf_collection_at(collection, index);
    if (item && item->type != &kmdf_string_type)
        *status = STATUS_INVALID_PARAMETER;
    return item && item->type == &kmdf_string_type ? &((struct kmdf_string *)item)->value : NULL;
}

/* Bytes of the list with what ends its strings and itself. */
static NTSTATUS measure(struct kmdf_collection *collection, ULONG *bytes)
{
    NTSTATUS status = STATUS_SUCCESS;
    const UNICODE_STRING *string;
    ULONG64 total = sizeof(WCHAR);
    for (ULONG i = 0; (string = string_at(collection, i, &status)); i++)
        total += string->Length + sizeof(WCHAR);
    if (NT_SUCCESS(status) && (total == sizeof(WCHAR) || total > 0xFFFFFFFF))
        status = STATUS_INVALID_PARAMETER;
    *bytes = (ULONG)total;
    return status;
}

/*
 * Writes the strings of a collection as a REG_MULTI_SZ. STATUS_INVALID_PARAMETER: the collection is empty, or not all
 * it has are strings. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfRegistryAssignMultiString(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                            WDFCOLLECTION StringsCollection)
{
    ULONG bytes, used = 0;
    const UNICODE_STRING *string;
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_collection *collection = KMDF_GET(collection, StringsCollection);
    KMDF_GET(key, Key);
    kmdf_require(ValueName);
    NTSTATUS status = measure(collection, &bytes);
    if (!NT_SUCCESS(status))
        return status;
    UCHAR *data = mm_heap_allocate(bytes, KMDF_TAG); /* zeroed */
    if (!data)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; (string = string_at(collection, i, &status)); i++) {
        if (string->Length > bytes - used - 2 * sizeof(WCHAR))
            break; /* it has grown meanwhile */
        if (string->Length)
            __builtin_memcpy(data + used, string->Buffer, string->Length);
        used += string->Length + (ULONG)sizeof(WCHAR);
        if (bytes - used < 2 * sizeof(WCHAR))
            break;
    }
    status = kmdf_key_write(Key, ValueName, REG_MULTI_SZ, data, bytes, __func__);
    mm_heap_free(data, KMDF_TAG);
    return status;
}
