/*
 * wdm_embedded.c - the request is captured by the system, but the address in it is written to as it came.
 *
 * Harmless: {"buffers": {"reply": 8}, "requests": [{"code": "0x222000", "in": [{"pointer": "reply"}], "show":
 * ["reply"]}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"pointer": {"bad": "kernel", "size": 8}}]}]}
 * Shows: KERNEL MEMORY OVERWRITTEN
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

typedef struct _VERSION_QUERY {
    PVOID Reply; /* ULONG[2] in user memory */
} VERSION_QUERY, *PVERSION_QUERY;

static const ULONG Version[2] = {10, 3};

OUT_OF_LINE NTSTATUS WriteVersion(PVOID Reply)
{
    __try {
#ifdef FIXED
        CopyToUser(Reply, Version, sizeof(Version));
#else
        RtlCopyMemory(Reply, Version, sizeof(Version)); /* BUG: unchecked-pointer raw-user-access */
#endif
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    PVERSION_QUERY Query = Call->System;

    if (Call->Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(*Query))
        return STATUS_BUFFER_TOO_SMALL;
    return WriteVersion(Query->Reply);
}
