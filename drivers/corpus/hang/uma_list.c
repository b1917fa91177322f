/*
 * uma_list.c - a list in user memory is followed to its end, which a ring does not have.
 *
 * Harmless: {"buffers": {"last": [{"u64": 0}, {"u64": 2}]}, "requests": [{"code": "0x222003", "in": [{"pointer":
 * "last"},
 * {"u64": 1}], "out": 8}]}
 * Hostile: {"buffers": {"ring": [{"pointer": "ring"}, {"u64": 1}]}, "requests": [{"code": "0x222003", "in":
 * [{"pointer": "ring"}, {"u64": 1}], "out": 8}]}
 * Shows with --timeout=3: TIMEOUT: an ioctl
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

#define MAX_NODES 1024

typedef struct _NODE {
    struct _NODE *Next; /* in user memory as well; null ends the list */
    ULONG64 Value;
} NODE, *PNODE;

OUT_OF_LINE NTSTATUS SumList(PNODE First, PULONG64 Output)
{
    ULONG64 Sum = 0;
    ULONG Nodes = 0;
    NODE Node;

    __try {
        for (PNODE At = First; At; At = Node.Next) { /* BUG: hang */
#ifdef FIXED
            if (++Nodes > MAX_NODES)
                return STATUS_INVALID_PARAMETER;
#endif
            ReadStructFromUser(&Node, At);
            Sum += Node.Value + Nodes;
        }
        WriteULong64ToUser(Output, Sum);
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    NTSTATUS Status;

    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(NODE) || Call->OutLength < sizeof(ULONG64))
        return STATUS_BUFFER_TOO_SMALL;
    Status = SumList(Call->In, Call->Out);
    Call->Information = NT_SUCCESS(Status) ? sizeof(ULONG64) : 0;
    return Status;
}
