/*
 * key_value.c - values of registry keys, read and written as drivers want to see them.
 */
#include "kmdf_collection.h"
#include "kmdf_key.h"
#include "kmdf_memory.h"

NTSTATUS kmdf_key_read(WDFKEY handle, const UNICODE_STRING *name, const char *function,
                       KEY_VALUE_PARTIAL_INFORMATION **read)
{
    struct kmdf_key *key = (struct kmdf_key *)kmdf_object_of((WDFOBJECT)handle, &kmdf_key_type, function);
    ULONG room = 256;
    kmdf_require_parameter(name, "ValueName", function);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        return STATUS_INVALID_DEVICE_REQUEST;
    for (;;) {
        ULONG needed = 0;
        KEY_VALUE_PARTIAL_INFORMATION *value = mm_heap_allocate(room, KMDF_TAG);
        if (!value)
            return STATUS_INSUFFICIENT_RESOURCES;
        NTSTATUS status =
            ZwQueryValueKey(key->handle, (PUNICODE_STRING)name, KeyValuePartialInformation, value, room, &needed);
        if (NT_SUCCESS(status)) {
            *read = value;
            return status;
        }
        mm_heap_free(value, KMDF_TAG);
        if ((status != STATUS_BUFFER_OVERFLOW && status != STATUS_BUFFER_TOO_SMALL) || needed <= room)
            return status;
        room = needed;
    }
}

NTSTATUS kmdf_key_write(WDFKEY handle, const UNICODE_STRING *name, ULONG type, const void *data, ULONG bytes,
                        const char *function)
{
    struct kmdf_key *key = (struct kmdf_key *)kmdf_object_of((WDFOBJECT)handle, &kmdf_key_type, function);
    kmdf_require_parameter(name, "ValueName", function);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        return STATUS_INVALID_DEVICE_REQUEST;
    return ZwSetValueKey(key->handle, (PUNICODE_STRING)name, 0, type, (PVOID)data, bytes);
}

/* What a REG_SZ says, without what ends it. */
static UNICODE_STRING string_of(KEY_VALUE_PARTIAL_INFORMATION *value)
{
    WCHAR *text = (WCHAR *)value->Data;
    ULONG length = 0, most = value->DataLength / sizeof(WCHAR);
    while (length < most && length < 0x7FFE && text[length])
        length++;
    return (UNICODE_STRING){(USHORT)(length * sizeof(WCHAR)), (USHORT)(length * sizeof(WCHAR)), text};
}

/* ---- reading ---- */

/*
 * Copies a value's data; Value, ValueLengthQueried and ValueType may be NULL. STATUS_BUFFER_OVERFLOW: Value is too
 * short and holds nothing; *ValueLengthQueried says how long it should be. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfRegistryQueryValue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                     ULONG ValueLength, PVOID Value, PULONG ValueLengthQueried, PULONG ValueType)
{
    KEY_VALUE_PARTIAL_INFORMATION *value;
    UNREFERENCED_PARAMETER(DriverGlobals);
    NTSTATUS status = kmdf_key_read(Key, ValueName, __func__, &value);
    if (!NT_SUCCESS(status))
        return status;
    if (ValueLengthQueried)
        *ValueLengthQueried = value->DataLength;
    if (ValueType)
        *ValueType = value->Type;
    if (Value && ValueLength < value->DataLength)
        status = STATUS_BUFFER_OVERFLOW;
    else if (Value)
        __builtin_memcpy(Value, value->Data, value->DataLength);
    mm_heap_free(value, KMDF_TAG);
    return status;
}

/* A memory object with a value's data. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryQueryMemory(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                      POOL_TYPE PoolType, PWDF_OBJECT_ATTRIBUTES MemoryAttributes, WDFMEMORY *Memory,
                                      PULONG ValueType)
{
    KEY_VALUE_PARTIAL_INFORMATION *value;
    struct kmdf_memory *memory;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Memory);
    *Memory = NULL;
    NTSTATUS status = kmdf_key_read(Key, ValueName, __func__, &value);
    if (!NT_SUCCESS(status))
        return status;
    status =
        kmdf_memory_create_pool(client, MemoryAttributes, PoolType, 0, value->DataLength, seh_export_caller(), &memory);
    if (NT_SUCCESS(status)) {
        __builtin_memcpy(memory->buffer, value->Data, value->DataLength);
        if (ValueType)
            *ValueType = value->Type;
        *Memory = KMDF_HANDLE(WDFMEMORY, memory);
    }
    mm_heap_free(value, KMDF_TAG);
    return status;
}

/* STATUS_OBJECT_TYPE_MISMATCH: it is not a REG_DWORD. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryQueryULong(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                     PULONG Value)
{
    KEY_VALUE_PARTIAL_INFORMATION *value;
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_require(Value);
    NTSTATUS status = kmdf_key_read(Key, ValueName, __func__, &value);
    if (!NT_SUCCESS(status))
        return status;
    if (value->Type == REG_DWORD && value->DataLength == sizeof(ULONG))
        __builtin_memcpy(Value, value->Data, sizeof(ULONG));
    else
        status = STATUS_OBJECT_TYPE_MISMATCH;
    mm_heap_free(value, KMDF_TAG);
    return status;
}

/*
 * Copies a REG_SZ. *ValueByteLength, which may be NULL: its bytes with the terminator; Value may be NULL then.
 * STATUS_OBJECT_TYPE_MISMATCH: it is of another type; STATUS_BUFFER_OVERFLOW: Value has no room for string and
 * terminator, and nothing was written. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfRegistryQueryUnicodeString(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                             PUSHORT ValueByteLength, PUNICODE_STRING Value)
{
    KEY_VALUE_PARTIAL_INFORMATION *value;
    UNREFERENCED_PARAMETER(DriverGlobals);
    NTSTATUS status = kmdf_key_read(Key, ValueName, __func__, &value);
    if (!NT_SUCCESS(status))
        return status;
    UNICODE_STRING string = string_of(value);
    USHORT bytes = (USHORT)(string.Length + sizeof(WCHAR));
    if (value->Type != REG_SZ)
        status = STATUS_OBJECT_TYPE_MISMATCH;
    else if (ValueByteLength)
        *ValueByteLength = bytes;
    if (NT_SUCCESS(status) && Value && (!Value->Buffer || Value->MaximumLength < bytes))
        status = STATUS_BUFFER_OVERFLOW;
    if (NT_SUCCESS(status) && Value) {
        __builtin_memcpy(Value->Buffer, string.Buffer, string.Length);
        Value->Buffer[string.Length / sizeof(WCHAR)] = 0;
        Value->Length = string.Length;
    }
    mm_heap_free(value, KMDF_TAG);
    return status;
}

/* Has String say what a REG_SZ says. STATUS_OBJECT_TYPE_MISMATCH: it is of another type. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryQueryString(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                      WDFSTRING String)
{
    KEY_VALUE_PARTIAL_INFORMATION *value;
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_string *string = KMDF_GET(string, String);
    NTSTATUS status = kmdf_key_read(Key, ValueName, __func__, &value);
    if (!NT_SUCCESS(status))
        return status;
    UNICODE_STRING text = string_of(value);
    status = value->Type == REG_SZ ? kmdf_string_set(string, &text) : STATUS_OBJECT_TYPE_MISMATCH;
    mm_heap_free(value, KMDF_TAG);
    return status;
}

/* ---- writing ---- */

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryAssignValue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                      ULONG ValueType, ULONG ValueLength, PVOID Value)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_require(Value);
    return kmdf_key_write(Key, ValueName, ValueType, Value, ValueLength, __func__);
}

/* MemoryOffsets, which may be NULL: the part to write. STATUS_INTEGER_OVERFLOW, STATUS_INVALID_BUFFER_SIZE: it is not
 * inside. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryAssignMemory(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                       ULONG ValueType, WDFMEMORY Memory, PWDFMEMORY_OFFSET MemoryOffsets)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_memory *memory = KMDF_GET(memory, Memory);
    SIZE_T offset = MemoryOffsets ? MemoryOffsets->BufferOffset : 0;
    SIZE_T length = MemoryOffsets ? MemoryOffsets->BufferLength : memory->size;
    if (offset + length < offset)
        return STATUS_INTEGER_OVERFLOW;
    if (offset + length > memory->size)
        return STATUS_INVALID_BUFFER_SIZE;
    if (length > 0xFFFFFFFF)
        return STATUS_INVALID_BUFFER_SIZE;
    return kmdf_key_write(Key, ValueName, ValueType, memory->buffer + offset, (ULONG)length, __func__);
}

NTSTATUS NTAPI WdfRegistryAssignULong(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                      ULONG Value)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return kmdf_key_write(Key, ValueName, REG_DWORD, &Value, sizeof(Value), __func__);
}

/* Writes a REG_SZ, with its terminator. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfRegistryAssignUnicodeString(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                              PCUNICODE_STRING Value)
{
    struct kmdf_string copy = {0};
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_require(Value);
    NTSTATUS status = kmdf_string_set(&copy, Value);
    if (!NT_SUCCESS(status))
        return status;
    status = kmdf_key_write(Key, ValueName, REG_SZ, copy.value.Buffer, copy.value.MaximumLength, __func__);
    mm_heap_free(copy.value.Buffer, KMDF_TAG);
    return status;
}

NTSTATUS NTAPI WdfRegistryAssignString(PWDF_DRIVER_GLOBALS DriverGlobals, WDFKEY Key, PCUNICODE_STRING ValueName,
                                       WDFSTRING String)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    const UNICODE_STRING *value = &KMDF_GET(string, String)->value;
    return kmdf_key_write(Key, ValueName, REG_SZ, value->Buffer ? value->Buffer : L"",
                          value->Buffer ? value->MaximumLength : (ULONG)sizeof(WCHAR), __func__);
}
