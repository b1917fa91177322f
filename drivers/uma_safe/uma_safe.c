/*
 * uma_safe.c - the scribe service written with the user-mode accessors.
 *
 * Each piece of user memory is read once, by an accessor, into kernel memory; only that copy is checked and used. No
 * probe: an accessor refuses every address outside user space, embedded ones too. What an accessor raises is caught
 * here and becomes the status of the request. The pool block is freed on every path.
 */
#include "scribe_driver.h"
#include "usermode_accessors.h"

const WCHAR ScribeDeviceName[] = L"\\Device\\UmaSafe";
const WCHAR ScribeLinkName[] = L"\\DosDevices\\UmaSafe";

/* Request is captured: kernel memory that user mode cannot change. Result is kernel memory. */
NTSTATUS ScribeCopyBuffered(const SCRIBE_REQUEST *Request, PSCRIBE_RESULT Result)
{
    NTSTATUS status = STATUS_SUCCESS;
    PUCHAR block;

    if (Request->Size == 0 || Request->Size > SCRIBE_MAX_SIZE || (Request->Flags & ~SCRIBE_UPPER) != 0)
        return STATUS_INVALID_PARAMETER;
    block = ExAllocatePool2(POOL_FLAG_PAGED, Request->Size, SCRIBE_POOL_TAG);
    if (!block)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        CopyFromUser(block, Request->Text, Request->Size);
        Result->Sum = ScribeTransform(block, Request->Size, Request->Flags);
        Result->Size = Request->Size;
        CopyToUser(Request->Reply, block, Request->Size);
    } __except (UmaExceptionFilter(UserMode)) {
        status = GetExceptionCode();
    }
    ExFreePoolWithTag(block, SCRIBE_POOL_TAG);
    return status;
}

NTSTATUS ScribeCopy(PSCRIBE_REQUEST Request, ULONG RequestLength, PSCRIBE_RESULT Result, ULONG ResultLength,
                    PULONG_PTR Information)
{
    SCRIBE_REQUEST request;
    SCRIBE_RESULT result;
    NTSTATUS status;

    if (RequestLength < sizeof(request))
        return STATUS_INFO_LENGTH_MISMATCH;
    __try {
        ReadStructFromUser(&request, Request);
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    status = ScribeCopyBuffered(&request, &result);
    if (!NT_SUCCESS(status) || ResultLength < sizeof(result))
        return status;
    __try {
        WriteULongToUser(&Result->Size, result.Size);
        WriteULongToUser(&Result->Sum, result.Sum);
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    *Information = sizeof(result);
    return status;
}
