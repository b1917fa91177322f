/*
 * tour_call.c - one request of a tour: calls the DDI it names with its arguments, and says what came of it.
 *
 * Calls every public DDI of docs/spec/ddis.tsv (the calls are generated from it: ddi_thunks.inc). Safe under any
 * request: user addresses go only to the DDI under a __try, and what must be kernel memory is the driver's own.
 */
/* mingw-w64's wdm.h defines these two, with external linkage, in every unit of a driver. */
#define InterlockedBitTestAndSet   TourBitTestAndSet
#define InterlockedBitTestAndReset TourBitTestAndReset
#include <ntddk.h>
#include "ddk_missing.h"
#include "usermode_accessors.h"
#include "ddi_call.h"
#include "tour_call.h"

#define DDI_RECORD(name)
#include "ddi_thunks.inc"

#define TOUR_POOL_TAG 'ruoT'

/* Two blocks of kernel memory: the other side of a copy, and what stands for the address under KernelMode. */
typedef struct _TOUR_MEMORY {
    UCHAR Other[TOUR_KERNEL_SIZE];
    UCHAR Address[TOUR_KERNEL_SIZE];
} TOUR_MEMORY, *PTOUR_MEMORY;

static const struct ddi_row *FindRow(ULONG Family, ULONG Index)
{
    for (unsigned i = 0; i < ddi_row_count; i++)
        if (ddi_rows[i].family_number == Family && ddi_rows[i].index == Index)
            return &ddi_rows[i];
    return NULL;
}

static VOID FillMemory(PTOUR_MEMORY Memory, ULONG64 Value)
{
    for (ULONG i = 0; i < TOUR_KERNEL_SIZE; i++)
        Memory->Other[i] = Memory->Address[i] = (UCHAR)(Value + i);
    /* A string in it ends here. */
    RtlZeroMemory(Memory->Address + TOUR_KERNEL_SIZE - 4, 4);
}

/* Puts the driver's own memory wherever the DDI will not check the address. FALSE: the length does not fit it. */
static BOOLEAN PlaceKernelSides(const struct ddi_row *Row, PTOUR_MEMORY Memory, struct ddi_call *Call)
{
    BOOLEAN kernel = (Row->flags & DDI_MODE) && Call->mode == KernelMode;
    BOOLEAN copy = Row->shape == DDI_COPY_FROM || Row->shape == DDI_COPY_TO;
    BOOLEAN otherIsUser = (Row->flags & DDI_BOTH_USER) && !kernel;
    BOOLEAN addressIsUser = !kernel || (Row->flags & DDI_BOTH_USER);

    if (!otherIsUser)
        Call->other = (ULONG_PTR)Memory->Other;
    if (!addressIsUser)
        Call->user = (ULONG_PTR)Memory->Address;
    return Call->length <= TOUR_KERNEL_SIZE || (addressIsUser && (!copy || otherIsUser));
}

static NTSTATUS CallRow(const struct ddi_row *Row, PTOUR_MEMORY Memory, const struct tour_request *Request,
                        struct tour_reply *Reply)
{
    struct ddi_call call = {.user = Request->address,
                            .other = Request->second,
                            .length = Request->length,
                            .value = {Request->value[0], Request->value[1]},
                            .alignment = Request->alignment,
                            .mode = Request->mode};

    FillMemory(Memory, Request->value[0]);
    if (!PlaceKernelSides(Row, Memory, &call))
        return STATUS_INVALID_BUFFER_SIZE;
    __try {
        if (!Row->thunk(&call))
            return STATUS_INVALID_PARAMETER;
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    Reply->result[0] = call.result[0];
    Reply->result[1] = call.result[1];
    return STATUS_SUCCESS;
}

static ULONG Sum(const TOUR_MEMORY *Memory)
{
    const UCHAR *bytes = (const UCHAR *)Memory;
    ULONG sum = 0;
    for (ULONG i = 0; i < sizeof(*Memory); i++)
        sum += bytes[i];
    return sum;
}

NTSTATUS Tour(ULONG Family, const struct tour_request *UserRequest, struct tour_reply *UserReply, ULONG ReplyLength,
              PULONG_PTR Information)
{
    struct tour_request request;
    struct tour_reply reply = {0};
    const struct ddi_row *row;
    PTOUR_MEMORY memory;

    __try {
        ReadStructFromUser(&request, UserRequest);
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    row = FindRow(Family, request.index);
    if (!row)
        return STATUS_INVALID_DEVICE_REQUEST;
    memory = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*memory), TOUR_POOL_TAG);
    if (!memory)
        return STATUS_INSUFFICIENT_RESOURCES;
    reply.status = CallRow(row, memory, &request, &reply);
    reply.sum = Sum(memory);
    ExFreePoolWithTag(memory, TOUR_POOL_TAG);
    if (ReplyLength >= sizeof(reply)) {
        __try {
            WriteStructToUser(UserReply, &reply);
            *Information = sizeof(reply);
        } __except (UmaExceptionFilter(UserMode)) {
            return GetExceptionCode();
        }
    }
    return reply.status;
}
