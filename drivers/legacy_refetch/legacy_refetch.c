/*
 * legacy_refetch.c - how drivers were written before the accessors, second story: the compiler reads again what the
 * source reads once.
 *
 * The source is careful: the request is probed, copied into a local, the local is checked, and only the local is used.
 * But *Request is ordinary memory to the compiler: it may assume that nobody else writes it, and so that the local and
 * the original stay equal. Where the checked local is handed on to the caller, it may as well copy from the original,
 * and clang does (its memcpy optimiser forwards the source of a copy of a copy). The size that was checked is then not
 * the size that is used. tests/cli/refetch.py shows the two loads in the object file, so this stays true.
 *
 * The loads stand outside __try: inside one, clang treats them as volatile and the fault would not show.
 */
#include "scribe_driver.h"

const WCHAR ScribeDeviceName[] = L"\\Device\\LegacyRefetch";
const WCHAR ScribeLinkName[] = L"\\DosDevices\\LegacyRefetch";

/* Only reads its argument, and the compiler knows it. */
__declspec(noinline) static BOOLEAN RequestIsValid(const SCRIBE_REQUEST *Request)
{
    return Request->Size != 0 && Request->Size <= SCRIBE_MAX_SIZE && (Request->Flags & ~SCRIBE_UPPER) == 0;
}

/* Reads the request once, as its author thinks. Block is set as soon as there is one, so that the caller can free it.
 */
__declspec(noinline) static NTSTATUS Capture(const SCRIBE_REQUEST *Request, PSCRIBE_REQUEST Captured, PUCHAR *Block)
{
    SCRIBE_REQUEST local = *Request;

    if (!RequestIsValid(&local))
        return STATUS_INVALID_PARAMETER;
    *Captured = local;
    *Block = ExAllocatePool2(POOL_FLAG_PAGED, local.Size, SCRIBE_POOL_TAG);
    return *Block ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

__declspec(noinline) static VOID CopyText(const SCRIBE_REQUEST *Captured, PUCHAR Block)
{
    RtlCopyMemory(Block, Captured->Text, Captured->Size);
}

__declspec(noinline) static VOID WriteReply(const SCRIBE_REQUEST *Captured, const UCHAR *Block)
{
    RtlCopyMemory(Captured->Reply, Block, Captured->Size);
}

static NTSTATUS Serve(const SCRIBE_REQUEST *Request, PSCRIBE_RESULT Result)
{
    NTSTATUS status = STATUS_SUCCESS;
    SCRIBE_REQUEST captured;
    PUCHAR block = NULL;

    __try {
        status = Capture(Request, &captured, &block);
        if (NT_SUCCESS(status)) {
            ULONG sum;
            CopyText(&captured, block);
            sum = ScribeTransform(block, captured.Size, captured.Flags);
            WriteReply(&captured, block);
            if (Result) {
                Result->Size = captured.Size;
                Result->Sum = sum;
            }
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    if (block)
        ExFreePoolWithTag(block, SCRIBE_POOL_TAG);
    return status;
}

NTSTATUS ScribeCopy(PSCRIBE_REQUEST Request, ULONG RequestLength, PSCRIBE_RESULT Result, ULONG ResultLength,
                    PULONG_PTR Information)
{
    NTSTATUS status;

    if (RequestLength < sizeof(*Request))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (ResultLength < sizeof(*Result))
        Result = NULL;
    __try {
        ProbeForRead(Request, sizeof(*Request), 1);
        if (Result)
            ProbeForWrite(Result, sizeof(*Result), 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    status = Serve(Request, Result);
    if (NT_SUCCESS(status) && Result)
        *Information = sizeof(*Result);
    return status;
}

NTSTATUS ScribeCopyBuffered(const SCRIBE_REQUEST *Request, PSCRIBE_RESULT Result)
{
    return Serve(Request, Result);
}
