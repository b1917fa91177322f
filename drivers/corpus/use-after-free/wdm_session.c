/*
 * wdm_session.c - closing the session frees it and leaves the pointer, which the next query follows.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u32": 5}]}, {"code": "0x222004", "out": 4}, {"code":
 * "0x222008"}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"u32": 5}]}, {"code": "0x222008"}, {"code": "0x222004", "out":
 * 4}]}
 * Shows: BUGCHECK .*!QuerySession
 */
#include "../common.h"

typedef struct _SESSION {
    ULONG Value;
    ULONG Queries;
} SESSION, *PSESSION;

static PSESSION Session; /* whoever works with it takes it out meanwhile */

/* Puts one there, or frees it if there is one already. */
static NTSTATUS PutSession(PSESSION New)
{
    if (InterlockedCompareExchangePointer((PVOID *)&Session, New, NULL) == NULL)
        return STATUS_SUCCESS;
    ExFreePoolWithTag(New, CORPUS_TAG);
    return STATUS_DEVICE_BUSY;
}

static NTSTATUS OpenSession(ULONG Value)
{
    PSESSION New = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*New), CORPUS_TAG);

    if (!New)
        return STATUS_INSUFFICIENT_RESOURCES;
    New->Value = Value;
    return PutSession(New);
}

OUT_OF_LINE NTSTATUS QuerySession(PULONG Value)
{
    PSESSION Taken = InterlockedExchangePointer((PVOID *)&Session, NULL);

    if (!Taken)
        return STATUS_NOT_FOUND;
    Taken->Queries++; /* BUG: use-after-free */
    *Value = Taken->Value;
    return PutSession(Taken);
}

OUT_OF_LINE NTSTATUS CloseSession(VOID)
{
#ifdef FIXED
    PSESSION Taken = InterlockedExchangePointer((PVOID *)&Session, NULL);
#else
    PSESSION Taken = Session;
#endif

    if (!Taken)
        return STATUS_NOT_FOUND;
    ExFreePoolWithTag(Taken, CORPUS_TAG);
    return STATUS_SUCCESS;
}

static VOID CorpusUnload(VOID)
{
#ifdef FIXED
    CloseSession();
#endif
}

static NTSTATUS Control(PCALL Call)
{
    switch (Call->Code) {
    case CORPUS_CODE(0, METHOD_BUFFERED):
        return Call->InLength < sizeof(ULONG) ? STATUS_BUFFER_TOO_SMALL : OpenSession(*(PULONG)Call->System);
    case CORPUS_CODE(1, METHOD_BUFFERED):
        if (Call->OutLength < sizeof(ULONG))
            return STATUS_BUFFER_TOO_SMALL;
        Call->Information = sizeof(ULONG);
        return QuerySession(Call->System);
    case CORPUS_CODE(2, METHOD_BUFFERED):
        return CloseSession();
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}
