/*
 * uma_spin_lock.c - user memory is read while a spin lock is held.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"u32": 12}]}]}
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

static KSPIN_LOCK Lock;
static ULONG64 Total;
static ULONG Reads;

OUT_OF_LINE NTSTATUS AddInput(PULONG Input)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Value = 0;
    KIRQL Old;

#ifdef FIXED
    __try {
        Value = ReadULongFromUser(Input);
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
#endif
    KeAcquireSpinLock(&Lock, &Old);
#ifndef FIXED
    __try {
        Value = ReadULongFromUser(Input); /* BUG: wrong-irql */
    } __except (UmaExceptionFilter(UserMode)) {
        Status = GetExceptionCode();
    }
#endif
    Total += Value;
    Reads++;
    KeReleaseSpinLock(&Lock, Old);
    return Status;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    return Call->InLength < sizeof(ULONG) ? STATUS_BUFFER_TOO_SMALL : AddInput(Call->In);
}
