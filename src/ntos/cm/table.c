/*
 * table.c - RtlQueryRegistryValues: a table of values to fetch, row by row, into buffers or to routines.
 *
 * Rows, names and buffers are the driver's memory, read once each; what they raise goes to the driver, and what was
 * held for it is given back.
 */
#include "cm_internal.h"
#include "seh.h"
#include "wdk/seh.h"

#define WIDE(text) ((const WCHAR *)L##text)

enum { FAST_FAIL_UNSAFE_REGISTRY_ACCESS = 8 };

struct query {
    struct cm_key *top, *below; /* below: the subkey the rows are about, or null: top */
    bool nowhere;               /* that subkey does not exist */
    struct cm_copy *copy;       /* of the row's value */
    PVOID context;
};

static bool is_text(ULONG type)
{
    return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ;
}

static void drop_copy(struct query *query)
{
    if (query->copy)
        mm_pool_free(query->copy, CM_TAG, 0);
    query->copy = NULL;
}

/* ---- to a routine ---- */

/* A routine's STATUS_BUFFER_TOO_SMALL does not end the query. */
static NTSTATUS tell(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *row, const WCHAR *name, ULONG type,
                     const void *data, ULONG bytes)
{
    NTSTATUS status = (NTSTATUS)seh_driver_call_6((ULONG_PTR)row->QueryRoutine, (ULONG_PTR)name, type, (ULONG_PTR)data,
                                                  bytes, (ULONG_PTR)query->context, (ULONG_PTR)row->EntryContext);
    return status == STATUS_BUFFER_TOO_SMALL ? STATUS_SUCCESS : status;
}

/* Each string of a REG_MULTI_SZ value on its own. */
static NTSTATUS tell_each(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *row)
{
    const WCHAR *at = (const WCHAR *)query->copy->data, *end = at + query->copy->bytes / sizeof(WCHAR);
    NTSTATUS status = STATUS_SUCCESS;
    while (at < end && *at && NT_SUCCESS(status)) {
        SIZE_T length = nt_wcslen(at) + 1;
        status = tell(query, row, query->copy->name, REG_SZ, at, (ULONG)(length * sizeof(WCHAR)));
        at += length;
    }
    return status;
}

/* The one variable there is, SystemRoot; its value is shorter than its name. */
static void expand(struct cm_copy *copy)
{
    static const WCHAR variable[] = {'%', 's', 'y', 's', 't', 'e', 'm', 'r', 'o', 'o', 't', '%'};
    const WCHAR *value = WIDE("C:\\Windows"), *from = (const WCHAR *)copy->data;
    WCHAR *to = (WCHAR *)copy->data;
    SIZE_T left = copy->bytes / sizeof(WCHAR);
    while (left) {
        if (left >= RTL_NUMBER_OF(variable) && !nt_wcsnicmp(from, variable, RTL_NUMBER_OF(variable))) {
            for (const WCHAR *letter = value; *letter; letter++)
                *to++ = *letter;
            from += RTL_NUMBER_OF(variable);
            left -= RTL_NUMBER_OF(variable);
        } else {
            *to++ = *from++;
            left--;
        }
    }
    *to = 0;
    copy->bytes = (ULONG)((UCHAR *)to - copy->data);
    copy->type = REG_SZ;
}

/* ---- to a buffer ---- */

/* EntryContext is a UNICODE_STRING; without a buffer one is allocated. */
static NTSTATUS store_text(const RTL_QUERY_REGISTRY_TABLE *row, const struct cm_copy *copy)
{
    UNICODE_STRING *target = row->EntryContext, string = *target;
    if (copy->bytes > 0xFFFE)
        return STATUS_BUFFER_TOO_SMALL;
    if (!string.Buffer) {
        string.Buffer = rtl_pool.allocate(copy->bytes, RTL_STRING_TAG);
        string.MaximumLength = (USHORT)copy->bytes;
        if (!string.Buffer)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (string.MaximumLength < copy->bytes)
        return STATUS_BUFFER_TOO_SMALL;
    __builtin_memcpy(string.Buffer, copy->data, copy->bytes);
    string.Length = (USHORT)(copy->bytes - sizeof(WCHAR));
    *target = string;
    return STATUS_SUCCESS;
}

/* EntryContext takes up to four bytes as they are; above that it begins with its own size, negative for data only. */
static NTSTATUS store_data(const RTL_QUERY_REGISTRY_TABLE *row, const struct cm_copy *copy)
{
    UCHAR *target = row->EntryContext;
    LONG size;
    if (copy->bytes <= sizeof(ULONG)) {
        __builtin_memcpy(target, copy->data, copy->bytes);
        return STATUS_SUCCESS;
    }
    __builtin_memcpy(&size, target, sizeof(size));
    ULONG room = size < 0 ? 0u - (ULONG)size : (ULONG)size, before = size < 0 ? 0 : 2 * sizeof(ULONG);
    if (room < before || room - before < copy->bytes)
        return STATUS_BUFFER_TOO_SMALL;
    if (before)
        __builtin_memcpy(target, (ULONG[]){copy->bytes, copy->type}, before);
    __builtin_memcpy(target + before, copy->data, copy->bytes);
    return STATUS_SUCCESS;
}

/* ---- rows ---- */

/* Text that no zero ends gets one: the copy has room. */
static void terminate(struct cm_copy *copy)
{
    static const WCHAR zero;
    if (!is_text(copy->type))
        return;
    copy->bytes &= ~1u;
    if (!copy->bytes || __builtin_memcmp(copy->data + copy->bytes - sizeof(zero), &zero, sizeof(zero))) {
        __builtin_memcpy(copy->data + copy->bytes, &zero, sizeof(zero));
        copy->bytes += sizeof(zero);
    }
}

static NTSTATUS deliver(struct query *query, const RTL_QUERY_REGISTRY_TABLE *row)
{
    struct cm_copy *copy = query->copy;
    terminate(copy);
    if (!(row->Flags & RTL_QUERY_REGISTRY_NOEXPAND)) {
        if (copy->type == REG_EXPAND_SZ)
            expand(copy);
        else if (copy->type == REG_MULTI_SZ)
            return row->Flags & RTL_QUERY_REGISTRY_DIRECT ? STATUS_INVALID_PARAMETER : tell_each(query, row);
        terminate(copy);
    }
    if (row->Flags & RTL_QUERY_REGISTRY_DIRECT)
        return is_text(copy->type) ? store_text(row, copy) : store_data(row, copy);
    return tell(query, row, copy->name, copy->type, copy->data, copy->bytes);
}

/* What guards a buffer against a value of another type than the driver thought of. */
static NTSTATUS check_type(const RTL_QUERY_REGISTRY_TABLE *row, const struct cm_copy *copy)
{
    if (!(row->Flags & RTL_QUERY_REGISTRY_DIRECT))
        return STATUS_SUCCESS;
    if (row->Flags & RTL_QUERY_REGISTRY_TYPECHECK)
        return copy->type == row->DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT ? STATUS_SUCCESS
                                                                                    : STATUS_OBJECT_TYPE_MISMATCH;
    if (!copy->trusted)
        ke_bugcheck_because(BUGCHECK_KERNEL_SECURITY_CHECK_FAILURE,
                            (ULONG_PTR[4]){FAST_FAIL_UNSAFE_REGISTRY_ACCESS, 0, 0, 0},
                            "a value that anybody may write was queried with RTL_QUERY_REGISTRY_DIRECT and without "
                            "RTL_QUERY_REGISTRY_TYPECHECK");
    return STATUS_SUCCESS;
}

/* Bytes of default text whose length the row leaves open, terminators included. */
static ULONG default_length(const RTL_QUERY_REGISTRY_TABLE *row, ULONG type)
{
    const WCHAR *text = row->DefaultData;
    SIZE_T length = 0;
    if (row->DefaultLength || !is_text(type))
        return row->DefaultLength;
    do
        length += nt_wcsnlen(text + length, CM_VALUE_MAX / sizeof(WCHAR) - length) + 1;
    while (type == REG_MULTI_SZ && length < CM_VALUE_MAX / sizeof(WCHAR) && text[length]);
    return (ULONG)((length + (type == REG_MULTI_SZ)) * sizeof(WCHAR));
}

static NTSTATUS deliver_default(struct query *query, const RTL_QUERY_REGISTRY_TABLE *row, const UNICODE_STRING *name)
{
    ULONG type = row->DefaultType & 0xFF;
    if (row->Flags & RTL_QUERY_REGISTRY_REQUIRED)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (type == REG_NONE)
        return STATUS_SUCCESS;
    ULONG bytes = default_length(row, type);
    if (bytes > CM_VALUE_MAX + 2 * sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    query->copy = cm_copy_make(type, name, bytes);
    if (!query->copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (bytes)
        __builtin_memcpy(query->copy->data, row->DefaultData, bytes);
    return deliver(query, row);
}

static NTSTATUS do_all_values(struct query *query, const RTL_QUERY_REGISTRY_TABLE *row)
{
    NTSTATUS status = STATUS_SUCCESS;
    ULONG index = 0;
    for (; NT_SUCCESS(status) && !query->nowhere; index++) {
        status = cm_value_copy(query->below ? query->below : query->top, NULL, index, &query->copy);
        if (status == STATUS_NO_MORE_ENTRIES)
            break;
        if (NT_SUCCESS(status))
            status = deliver(query, row);
        drop_copy(query);
    }
    if (status == STATUS_NO_MORE_ENTRIES || query->nowhere)
        status = !index && (row->Flags & RTL_QUERY_REGISTRY_REQUIRED) ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_SUCCESS;
    return status;
}

static NTSTATUS do_value(struct query *query, const RTL_QUERY_REGISTRY_TABLE *row)
{
    struct cm_key *key = query->below ? query->below : query->top;
    UNICODE_STRING name;
    NTSTATUS status = RtlInitUnicodeStringEx(&name, row->Name);
    if (NT_SUCCESS(status))
        status = query->nowhere ? STATUS_OBJECT_NAME_NOT_FOUND : cm_value_copy(key, &name, 0, &query->copy);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND)
        return deliver_default(query, row, &name);
    if (NT_SUCCESS(status))
        status = check_type(row, query->copy);
    if (NT_SUCCESS(status))
        status = deliver(query, row);
    if (NT_SUCCESS(status) && (row->Flags & RTL_QUERY_REGISTRY_DELETE))
        cm_value_delete(key, &name);
    return status;
}

static void leave_subkey(struct query *query)
{
    if (query->below)
        ob_dereference(query->below);
    query->below = NULL;
    query->nowhere = false;
}

static NTSTATUS enter_subkey(struct query *query, const RTL_QUERY_REGISTRY_TABLE *row)
{
    struct cm_open open = {.root = query->top};
    ULONG disposition;
    NTSTATUS status = RtlInitUnicodeStringEx(&open.path, row->Name);
    leave_subkey(query);
    if (NT_SUCCESS(status))
        status = cm_open(&open, &query->below, &disposition);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND && !(row->Flags & RTL_QUERY_REGISTRY_REQUIRED)) {
        query->nowhere = true;
        status = STATUS_SUCCESS;
    }
    return status;
}

static bool is_valid(const RTL_QUERY_REGISTRY_TABLE *row)
{
    ULONG flags = row->Flags;
    if ((flags & RTL_QUERY_REGISTRY_DIRECT) && (row->QueryRoutine || !row->Name || (flags & RTL_QUERY_REGISTRY_SUBKEY)))
        return false;
    if ((flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DELETE)) && !row->Name)
        return false;
    if ((flags & RTL_QUERY_REGISTRY_DELETE) && (flags & RTL_QUERY_REGISTRY_SUBKEY))
        return false;
    return row->QueryRoutine ||
           (flags & (RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_TOPKEY));
}

static NTSTATUS do_row(struct query *query, const RTL_QUERY_REGISTRY_TABLE *row)
{
    if (!is_valid(row))
        return STATUS_INVALID_PARAMETER;
    if (row->Flags & RTL_QUERY_REGISTRY_SUBKEY) {
        NTSTATUS status = enter_subkey(query, row);
        return NT_SUCCESS(status) && row->QueryRoutine ? do_all_values(query, row) : status;
    }
    if (row->Flags & RTL_QUERY_REGISTRY_TOPKEY)
        leave_subkey(query);
    if (!row->QueryRoutine && !(row->Flags & RTL_QUERY_REGISTRY_DIRECT))
        return STATUS_SUCCESS;
    if (!row->Name)
        return row->Flags & RTL_QUERY_REGISTRY_NOVALUE ? tell(query, row, NULL, REG_NONE, NULL, 0)
                                                       : do_all_values(query, row);
    return do_value(query, row);
}

/*
 * Fetches the values of QueryTable, which ends with a row whose QueryRoutine and Name are null. Environment is not
 * looked at. IRQL PASSIVE_LEVEL. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_INVALID_PARAMETER, STATUS_BUFFER_TOO_SMALL,
 * STATUS_OBJECT_TYPE_MISMATCH as documented; else what a routine returned. Bug check 0x139 with 8: see check_type.
 */
NTSTATUS NTAPI RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                      PVOID Context, PVOID Environment)
{
    struct query query = {.context = Context};
    UNREFERENCED_PARAMETER(Environment);
    NTSTATUS opened = cm_relative_open(RelativeTo, Path, false, &query.top);
    if (opened == STATUS_OBJECT_NAME_NOT_FOUND && (RelativeTo & RTL_REGISTRY_OPTIONAL))
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(opened))
        return opened;
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        for (const RTL_QUERY_REGISTRY_TABLE *at = QueryTable; NT_SUCCESS(status); at++) {
            RTL_QUERY_REGISTRY_TABLE row;
            __builtin_memcpy(&row, at, sizeof(row));
            if (!row.QueryRoutine && !row.Name && !(row.Flags & RTL_QUERY_REGISTRY_TOPKEY))
                break;
            status = do_row(&query, &row);
            drop_copy(&query);
        }
    } __finally {
        drop_copy(&query);
        leave_subkey(&query);
        ob_dereference(query.top);
    }
    return status;
}

/* The same: type checks are made by both. */
NTSTATUS NTAPI RtlQueryRegistryValuesEx(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                        PVOID Context, PVOID Environment)
{
    return RtlQueryRegistryValues(RelativeTo, Path, QueryTable, Context, Environment);
}
