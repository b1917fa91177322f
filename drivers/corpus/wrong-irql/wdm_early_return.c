/*
 * wdm_early_return.c - one way out of the function forgets the spin lock, and with it the level.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u32": 3}]}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"u32": 2000000}]}]}
 * Shows with --verify: BUGCHECK 0xC9
 */
#include "../common.h"

CORPUS_NOTHING_TO_UNLOAD

#define LIMIT 1000000u

static KSPIN_LOCK Lock;
static ULONG Total;

OUT_OF_LINE NTSTATUS Add(ULONG Value)
{
    KIRQL Old;

    KeAcquireSpinLock(&Lock, &Old);
    if (Value > LIMIT - Total) {
#ifdef FIXED
        KeReleaseSpinLock(&Lock, Old);
#endif
        return STATUS_INTEGER_OVERFLOW; /* BUG: wrong-irql */
    }
    Total += Value;
    KeReleaseSpinLock(&Lock, Old);
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    return Call->InLength < sizeof(ULONG) ? STATUS_BUFFER_TOO_SMALL : Add(*(PULONG)Call->System);
}
