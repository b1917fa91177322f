/*
 * legacy_race.c - how drivers were written before the accessors, first story: the size is read twice.
 *
 * The request is probed, the pool block is allocated for Request->Size, and Request->Size is read again for the copy.
 * A second user thread that raises Size between the two reads makes the copy run past the block. The addresses
 * embedded in the request are used unprobed, so a kernel address in Text is read and one in Reply is written.
 * Everything else is in order on purpose: exceptions are caught and the pool is freed on every path.
 */
#include "scribe_driver.h"

const WCHAR ScribeDeviceName[] = L"\\Device\\LegacyRace";
const WCHAR ScribeLinkName[] = L"\\DosDevices\\LegacyRace";

/* Out of line: a fault in a called function is what every compiler lets the __except below catch. */
__declspec(noinline) static ULONG CopyText(const SCRIBE_REQUEST *Request, PUCHAR Block)
{
    ULONG size = Request->Size; /* the second read of Size */

    RtlCopyMemory(Block, Request->Text, size);
    return size;
}

__declspec(noinline) static VOID WriteReply(const SCRIBE_REQUEST *Request, const UCHAR *Block, ULONG Size)
{
    RtlCopyMemory(Request->Reply, Block, Size);
}

static NTSTATUS Serve(const SCRIBE_REQUEST *Request, PSCRIBE_RESULT Result)
{
    NTSTATUS status = STATUS_SUCCESS;
    PUCHAR block = NULL;

    __try {
        ULONG size, sum;
        block = ExAllocatePool2(POOL_FLAG_PAGED, Request->Size, SCRIBE_POOL_TAG); /* the first read of Size */
        if (block) {
            size = CopyText(Request, block);
            sum = ScribeTransform(block, size, Request->Flags);
            WriteReply(Request, block, size);
            if (Result) {
                Result->Size = size;
                Result->Sum = sum;
            }
        } else {
            status = STATUS_INSUFFICIENT_RESOURCES;
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
