/* levels.h - sins with the IRQL, critical regions and waits. */
#pragma once
#include "verify.h"

/* The exports; the header's own KeRaiseIrql and KeLowerIrql write cr8, which nobody can tell right from wrong. */
NTSTATUS NTAPI RAISE_DOWNWARDS(PVERIFY_REQUEST Request)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"KfRaiseIrql");
    KIRQL(NTAPI * raise)(KIRQL) = MmGetSystemRoutineAddress(&name);
    KIRQL old = raise(APC_LEVEL);

    raise(Request->Wrong ? PASSIVE_LEVEL : DISPATCH_LEVEL); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI LOWER_UPWARDS(PVERIFY_REQUEST Request)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"KeLowerIrql");
    VOID(NTAPI * lower)(KIRQL) = MmGetSystemRoutineAddress(&name);
    KIRQL old;

    KeRaiseIrql(APC_LEVEL, &old);
    lower(Request->Wrong ? DISPATCH_LEVEL : old); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI LEAVE_NO_REGION(PVERIFY_REQUEST Request)
{
    if (!Request->Wrong)
        KeEnterCriticalRegion();
    KeLeaveCriticalRegion(); /* HERE */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI REGION_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    KIRQL old;

    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL : APC_LEVEL, &old);
    KeEnterCriticalRegion(); /* HERE */
    KeLeaveCriticalRegion();
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI STRING_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    UNICODE_STRING text = RTL_CONSTANT_STRING(L"a"), other = RTL_CONSTANT_STRING(L"A");
    KIRQL old;
    BOOLEAN same;

    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL : PASSIVE_LEVEL, &old);
    same = RtlEqualUnicodeString(&text, &other, TRUE); /* HERE */
    KeLowerIrql(old);
    return same ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

NTSTATUS NTAPI SET_EVENT_HIGH(PVERIFY_REQUEST Request)
{
    KEVENT event;
    KIRQL old;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL + 1 : DISPATCH_LEVEL, &old);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZW_AT_APC(PVERIFY_REQUEST Request)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle;
    KIRQL old;
    NTSTATUS status;

    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    KeRaiseIrql(Request->Wrong ? APC_LEVEL : PASSIVE_LEVEL, &old);
    status = ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE); /* HERE */
    KeLowerIrql(old);
    if (NT_SUCCESS(status))
        ZwClose(handle);
    return status;
}

NTSTATUS NTAPI WAIT_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    KEVENT event;
    KIRQL old;

    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL : APC_LEVEL, &old);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI WAIT_WITH_TIMEOUT_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    KEVENT event;
    KIRQL old;
    LARGE_INTEGER timeout = {.QuadPart = Request->Wrong ? -10000 : 0};

    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &timeout); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI WAIT_ABOVE_DISPATCH(PVERIFY_REQUEST Request)
{
    KEVENT event;
    KIRQL old;
    LARGE_INTEGER timeout = {.QuadPart = 0};

    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL + 1 : DISPATCH_LEVEL, &old);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &timeout); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI USER_WAIT_ON_STACK(PVERIFY_REQUEST Request)
{
    KEVENT event;

    KeInitializeEvent(&event, NotificationEvent, TRUE);
    return KeWaitForSingleObject(&event, Executive, Request->Wrong ? UserMode : KernelMode, FALSE, NULL); /* HERE */
}

NTSTATUS NTAPI ACCESSOR_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    NTSTATUS status = STATUS_SUCCESS;
    KIRQL old;

    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL : APC_LEVEL, &old);
    __try {
        ReadUCharFromUser(NULL); /* HERE */
        status = STATUS_UNSUCCESSFUL;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
    KeLowerIrql(old);
    return status;
}

NTSTATUS NTAPI DELAY_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    LARGE_INTEGER interval = {.QuadPart = -10};
    KIRQL old;

    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL : PASSIVE_LEVEL, &old);
    KeDelayExecutionThread(KernelMode, FALSE, &interval); /* HERE */
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI MUTEX_AT_DISPATCH(PVERIFY_REQUEST Request)
{
    KGUARDED_MUTEX mutex;
    KIRQL old;

    KeInitializeGuardedMutex(&mutex);
    KeRaiseIrql(Request->Wrong ? DISPATCH_LEVEL : PASSIVE_LEVEL, &old);
    KeAcquireGuardedMutex(&mutex); /* HERE */
    KeReleaseGuardedMutex(&mutex);
    KeLowerIrql(old);
    return STATUS_SUCCESS;
}
