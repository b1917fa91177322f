/*
 * kmdf_filter.c - the filter knows one status only: a page that cannot be read in raises another.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u64": 5}]}]}
 * Hostile: {"requests": [{"code": "0x222003", "in": {"bad": "in-page-error", "fields": [{"u64": 5}]}}]}
 * Shows: BUGCHECK .*!ReadLimit
 */
#define CORPUS_KMDF
#define CORPUS_IN_CALLER
#include "../common.h"
#include "usermode_accessors.h"

#ifdef FIXED
#define FILTER UmaExceptionFilter(UserMode)
#else
#define FILTER (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH)
#endif

OUT_OF_LINE NTSTATUS ReadLimit(ULONG64 *Input, ULONG64 *Limit)
{
    __try {
        *Limit = ReadULong64FromUser(Input); /* BUG: unhandled-fault */
    } __except (FILTER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    static volatile LONG64 Limit;
    ULONG64 Value = 0;
    PVOID In;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveUnsafeUserInputBuffer(Request, sizeof(ULONG64), &In, NULL);
    if (NT_SUCCESS(Status))
        Status = ReadLimit(In, &Value);
    if (NT_SUCCESS(Status))
        InterlockedExchange64(&Limit, (LONG64)Value);
    return Status;
}
