/*
 * kmdf_wait.c - a request waits, without a time-out and out of reach, for what only another request brings.
 *
 * Harmless: {"requests": [{"code": "0x222004"}, {"code": "0x222000"}]}
 * Hostile: {"requests": [{"code": "0x222000"}]}
 * Shows with --timeout=3: TIMEOUT: .*!WaitUntilReady
 */
#define CORPUS_KMDF
#include "../common.h"

static volatile LONG Ready;

OUT_OF_LINE NTSTATUS WaitUntilReady(VOID)
{
    LARGE_INTEGER Pause;
#ifdef FIXED
    ULONG Tries = 0;
#endif

    Pause.QuadPart = -10000; /* a millisecond */
    while (!InterlockedExchange(&Ready, 0)) {
#ifdef FIXED
        if (++Tries > 20)
            return STATUS_DEVICE_NOT_READY;
#endif
        KeDelayExecutionThread(KernelMode, FALSE, &Pause); /* BUG: hang */
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    switch (Code) {
    case CORPUS_CODE(0, METHOD_BUFFERED):
        return WaitUntilReady();
    case CORPUS_CODE(1, METHOD_BUFFERED):
        InterlockedExchange(&Ready, 1);
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}
