/*
 * wdm_mdl.c - the MDL stays allocated when its pages cannot be locked.
 *
 * Harmless: {"requests": [{"code": "0x222003", "in": [{"ascii": "sixteen bytes..."}]}]}
 * Hostile: {"requests": [{"code": "0x222003", "in": {"bad": "unmapped", "size": 16}}]}
 * Shows: left behind: (?!nothing)
 */
#include "../common.h"

CORPUS_NOTHING_TO_UNLOAD

static ULONG Sum(const volatile UCHAR *Bytes, ULONG Length)
{
    ULONG Result = 0;
    while (Length--)
        Result += *Bytes++;
    return Result;
}

OUT_OF_LINE NTSTATUS LockInput(PVOID Input, ULONG Length, PMDL *Mdl)
{
    *Mdl = IoAllocateMdl(Input, Length, FALSE, FALSE, NULL);
    if (!*Mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        MmProbeAndLockPages(*Mdl, UserMode, IoReadAccess); /* BUG: leak-on-fault */
    } __except (EXCEPTION_EXECUTE_HANDLER) {
#ifdef FIXED
        IoFreeMdl(*Mdl);
#endif
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    const UCHAR *Bytes;
    NTSTATUS Status;
    PMDL Mdl;

    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength == 0 || Call->InLength > PAGE_SIZE)
        return STATUS_INVALID_BUFFER_SIZE;
    Status = LockInput(Call->In, Call->InLength, &Mdl);
    if (!NT_SUCCESS(Status))
        return Status;
    Bytes = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority | MdlMappingNoExecute);
    if (!Bytes)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    else if (Sum(Bytes, Call->InLength) == 0)
        Status = STATUS_CRC_ERROR;
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    return Status;
}
