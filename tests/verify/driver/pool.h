/* pool.h - sins with pool memory, and with what lives in it. */
#pragma once
#include "verify.h"

static NTSTATUS Free(PVOID Block)
{
    if (!Block)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExFreePoolWithTag(Block, VERIFY_TAG);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI POOL_OF_NOTHING(PVERIFY_REQUEST Request)
{
    return Free(ExAllocatePoolWithTag(NonPagedPoolNx, Request->Wrong ? 0 : 1, VERIFY_TAG)); /* HERE */
}

NTSTATUS NTAPI PAGED_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    KIRQL old;
    PVOID block;

    KeRaiseIrql(DISPATCH_LEVEL, &old);
    block = ExAllocatePool2(Request->Wrong ? POOL_FLAG_PAGED : POOL_FLAG_NON_PAGED, 16, VERIFY_TAG); /* HERE */
    KeLowerIrql(old);
    return Free(block);
}

NTSTATUS NTAPI POOL_ABOVE_DISPATCH(PVERIFY_REQUEST Request)
{
    KIRQL old;
    PVOID block;

    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL + 1 : DISPATCH_LEVEL, &old);
    block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, VERIFY_TAG); /* HERE */
    KeLowerIrql(old);
    return Free(block);
}

NTSTATUS NTAPI PAGED_FREED_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    PVOID block = ExAllocatePool2(Request->Wrong ? POOL_FLAG_PAGED : POOL_FLAG_NON_PAGED, 16, VERIFY_TAG);
    KIRQL old;

    if (!block)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    ExFreePoolWithTag(block, VERIFY_TAG); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI POOL_FREED_HIGH(PVERIFY_REQUEST Request)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, VERIFY_TAG);
    KIRQL old;

    if (!block)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL + 1 : DISPATCH_LEVEL, &old);
    ExFreePoolWithTag(block, VERIFY_TAG); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI MUST_SUCCEED(PVERIFY_REQUEST Request)
{
    POOL_TYPE type = Request->Wrong ? (POOL_TYPE)2 : NonPagedPoolNx;

    return Free(ExAllocatePoolWithTag(type, 16, VERIFY_TAG)); /* HERE */
}

NTSTATUS NTAPI TAG_OF_ZERO(PVERIFY_REQUEST Request)
{
    PVOID block = ExAllocatePoolWithTag(NonPagedPoolNx, 16, Request->Wrong ? 0 : VERIFY_TAG); /* HERE */

    return Free(block);
}

NTSTATUS NTAPI TAG_BIG(PVERIFY_REQUEST Request)
{
    PVOID block = ExAllocatePoolWithTag(NonPagedPoolNx, 16, Request->Wrong ? 'GIB' : VERIFY_TAG); /* HERE */

    return Free(block);
}

NTSTATUS NTAPI TAG_WITHOUT_LETTERS(PVERIFY_REQUEST Request)
{
    PVOID block = ExAllocatePoolWithTag(NonPagedPoolNx, 16, Request->Wrong ? '!?.-' : VERIFY_TAG); /* HERE */

    return Free(block);
}

NTSTATUS NTAPI FREED_WITH_ANOTHER_TAG(PVERIFY_REQUEST Request)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, VERIFY_TAG);

    if (!block)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExFreePoolWithTag(block, Request->Wrong ? 'rehO' : VERIFY_TAG); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FREED_TWICE(PVERIFY_REQUEST Request)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, VERIFY_TAG);

    if (!block)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExFreePoolWithTag(block, VERIFY_TAG);
    if (Request->Wrong)
        ExFreePoolWithTag(block, VERIFY_TAG); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FREED_THAT_IS_NO_POOL(PVERIFY_REQUEST Request)
{
    ULONG64 local[2];
    PVOID block = Request->Wrong ? local : ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, VERIFY_TAG);

    if (!block)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExFreePoolWithTag(block, VERIFY_TAG); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI WRITTEN_BEHIND(PVERIFY_REQUEST Request)
{
    volatile UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 20, VERIFY_TAG);

    if (!block)
        return STATUS_INSUFFICIENT_RESOURCES;
    block[Request->Wrong ? 21 : 19] = 0;
    ExFreePoolWithTag((PVOID)block, VERIFY_TAG); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI READ_AFTER_FREE(PVERIFY_REQUEST Request)
{
    volatile ULONG *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, VERIFY_TAG);
    ULONG value = 0;

    if (!block)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExFreePoolWithTag((PVOID)block, VERIFY_TAG);
    if (Request->Wrong)
        value = block[0]; /* HERE */
    return value ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

NTSTATUS NTAPI POOL_LEAKED(PVERIFY_REQUEST Request)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 48, VERIFY_TAG); /* HERE */

    if (block && !Request->Wrong)
        ExFreePoolWithTag(block, VERIFY_TAG);
    return STATUS_SUCCESS;
}

static VOID NTAPI Nothing(PKDPC Queued, PVOID Context, PVOID First, PVOID Second)
{
}

NTSTATUS NTAPI FREED_WITH_TIMER(PVERIFY_REQUEST Request)
{
    PKTIMER timer = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*timer), VERIFY_TAG);
    LARGE_INTEGER due = {.QuadPart = -600000000ll};

    if (!timer)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeTimer(timer);
    KeSetTimer(timer, due, NULL);
    if (!Request->Wrong)
        KeCancelTimer(timer);
    ExFreePoolWithTag(timer, VERIFY_TAG); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FREED_WITH_RESOURCE(PVERIFY_REQUEST Request)
{
    PERESOURCE resource = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*resource), VERIFY_TAG);

    if (!resource)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExInitializeResourceLite(resource);
    if (!Request->Wrong)
        ExDeleteResourceLite(resource);
    ExFreePoolWithTag(resource, VERIFY_TAG); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FREED_WITH_LOOKASIDE(PVERIFY_REQUEST Request)
{
    PNPAGED_LOOKASIDE_LIST list = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*list), VERIFY_TAG);

    if (!list)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExInitializeNPagedLookasideList(list, NULL, NULL, 0, 64, VERIFY_TAG, 0);
    if (!Request->Wrong)
        ExDeleteNPagedLookasideList(list);
    ExFreePoolWithTag(list, VERIFY_TAG); /* HERE */
    return STATUS_SUCCESS;
}

static NPAGED_LOOKASIDE_LIST List;

NTSTATUS NTAPI LOOKASIDE_INITIALIZED_TWICE(PVERIFY_REQUEST Request)
{
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 64, VERIFY_TAG, 0);
    if (Request->Wrong)
        ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 64, VERIFY_TAG, 0); /* HERE */
    ExDeleteNPagedLookasideList(&List);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI LOOKASIDE_NOT_INITIALIZED(PVERIFY_REQUEST Request)
{
    if (!Request->Wrong)
        ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 64, VERIFY_TAG, 0);
    ExDeleteNPagedLookasideList(&List); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI LOOKASIDE_TOO_SMALL(PVERIFY_REQUEST Request)
{
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, Request->Wrong ? 8 : 16, VERIFY_TAG, 0); /* HERE */
    ExDeleteNPagedLookasideList(&List);
    return STATUS_SUCCESS;
}

static KTIMER Timer;
static KDPC Dpc;

NTSTATUS NTAPI UNLOADED_WITH_TIMER(PVERIFY_REQUEST Request)
{
    LARGE_INTEGER due = {.QuadPart = -600000000ll};

    KeInitializeDpc(&Dpc, Nothing, NULL);
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, due, &Dpc);
    if (!Request->Wrong)
        KeCancelTimer(&Timer);
    return STATUS_SUCCESS;
}
