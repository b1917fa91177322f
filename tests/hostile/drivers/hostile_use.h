/*
 * hostile_use.h - sins with the routines the kernel exports: locks and levels, pool, printing, strings, timers,
 * exceptions; and the unload routine's.
 */
#pragma once
#include "hostile.h"

NTSYSAPI VOID NTAPI RtlRaiseException(PEXCEPTION_RECORD Record);
NTSYSAPI VOID NTAPI RtlUnwind(PVOID Frame, PVOID Target, PEXCEPTION_RECORD Record, PVOID Value);

/* What the unload routine does besides its duty. */
static enum sin UnloadSin = SIN_COUNT;
static KSPIN_LOCK Lock;
static KTIMER Timer;
static KDPC Dpc;

static VOID NTAPI LoopInDpc(PKDPC Self, PVOID Context, PVOID A, PVOID B)
{
    for (volatile ULONG i = 0;; i++)
        ;
}

static BOOLEAN SinWithLevels(enum sin Sin, HOSTILE_REQUEST *Request)
{
    KIRQL irql;
    KEVENT event;
    PVOID objects[64];
    LARGE_INTEGER long_time = {.QuadPart = MINLONGLONG};
    switch (Sin) {
    case SIN_RAISE_IRQL_RETURN:
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        return TRUE;
    case SIN_SPIN_LOCK_HELD:
        KeInitializeSpinLock(&Lock);
        KeAcquireSpinLock(&Lock, &irql);
        return TRUE;
    case SIN_SPIN_LOCK_TWICE:
        KeInitializeSpinLock(&Lock);
        KeAcquireSpinLock(&Lock, &irql);
        KeAcquireSpinLock(&Lock, &irql);
        return TRUE;
    case SIN_SPIN_LOCK_WILD:
        KeAcquireSpinLock(WILD, &irql);
        return TRUE;
    case SIN_CANCEL_LOCK_HELD:
        IoAcquireCancelSpinLock(&irql);
        return TRUE;
    case SIN_CRITICAL_REGION_HELD:
        KeEnterCriticalRegion();
        return TRUE;
    case SIN_WAIT_AT_DISPATCH:
        KeInitializeEvent(&event, NotificationEvent, FALSE);
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &long_time);
        return TRUE;
    case SIN_WAIT_WILD:
        KeWaitForSingleObject(WILD, Executive, KernelMode, FALSE, NULL);
        return TRUE;
    case SIN_WAIT_MANY:
        for (ULONG i = 0; i < 64; i++)
            objects[i] = &event;
        KeInitializeEvent(&event, NotificationEvent, FALSE);
        KeWaitForMultipleObjects(0xffff, objects, WaitAll, Executive, KernelMode, FALSE, &long_time, NULL);
        return TRUE;
    default:
        return FALSE;
    }
}

static ULONG_PTR Exhaust(SIZE_T Bytes)
{
    ULONG_PTR got = 0;
    for (PVOID block; got < 10000000 && (block = ExAllocatePool2(POOL_FLAG_NON_PAGED, Bytes, 'tsoH')) != NULL; got++)
        *(volatile UCHAR *)block = 1;
    return got;
}

static BOOLEAN SinWithPool(enum sin Sin, HOSTILE_REQUEST *Request)
{
    PUCHAR block;
    switch (Sin) {
    case SIN_EXHAUST_POOL:
        Request->Information = Exhaust(1 << 20);
        return TRUE;
    case SIN_EXHAUST_POOL_BLOCKS:
        Request->Information = Exhaust(1);
        return TRUE;
    case SIN_POOL_SIZES:
        for (ULONG bit = 0; bit < 64; bit++)
            for (LONG around = -1; around <= 1; around++)
                if ((block = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, (1ull << bit) + (LONG64)around,
                                             'tsoH')) != NULL)
                    ExFreePoolWithTag(block, 'tsoH'), Request->Information++;
        return TRUE;
    case SIN_POOL_RAISE:
        ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_RAISE_ON_FAILURE, ~(SIZE_T)0, 'tsoH');
        return TRUE;
    case SIN_POOL_UNDERRUN:
        block = ExAllocatePool2(POOL_FLAG_PAGED, 100, 'tsoH');
        block[-1] = 1;
        ExFreePool(block);
        return TRUE;
    case SIN_POOL_FREE_WILD:
        ExFreePool(WILD);
        return TRUE;
    case SIN_POOL_FREE_INSIDE:
        block = ExAllocatePool2(POOL_FLAG_PAGED, 100, 'tsoH');
        ExFreePool(block + 16);
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithPrinting(enum sin Sin, HOSTILE_REQUEST *Request)
{
    static CHAR endless[0x1000] __attribute__((aligned(4096)));
    volatile int count = 12345;
    switch (Sin) {
    case SIN_PRINT_BAD_STRINGS:
        DbgPrint("hostile %s %ws %wZ %Z\n", NULL, NULL, NULL, NULL);
        DbgPrint("hostile %s\n", (PVOID)0x8000000000001000ull);
        DbgPrint("hostile %s\n", WILD);
        return TRUE;
    case SIN_PRINT_USER_STRING:
        DbgPrint("hostile %s %wZ\n", Request->Input, Request->Input);
        return TRUE;
    case SIN_PRINT_PERCENT_N:
        DbgPrint("hostile %n %hn %lln\n", WILD, WILD, WILD);
        DbgPrint("hostile %n\n", &count);
        Request->Information = (ULONG)count;
        return TRUE;
    case SIN_PRINT_HUGE_WIDTH:
        DbgPrint("hostile %2147483647d %-99999999999999999999s %.2147483647x %*.*d\n", 1, "x", 2, 0x7fffffff, -1, 3);
        return TRUE;
    case SIN_PRINT_ENDLESS:
        RtlFillMemory(endless, sizeof(endless), 'x');
        DbgPrint(endless);
        DbgPrint("%s%%%", endless);
        return TRUE;
    case SIN_PRINT_FORMAT_WILD:
        DbgPrint(WILD);
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithStrings(enum sin Sin, HOSTILE_REQUEST *Request)
{
    UNICODE_STRING one, two;
    PWSTR text;
    LIST_ENTRY head;
    switch (Sin) {
    case SIN_UNICODE_UNTERMINATED:
        text = ExAllocatePool2(POOL_FLAG_PAGED, 4096, 'tsoH');
        RtlFillMemory(text, 4096, 0x41);
        RtlInitUnicodeString(&one, text);
        return TRUE;
    case SIN_UNICODE_LENGTHS:
        text = ExAllocatePool2(POOL_FLAG_PAGED, 0x20000, 'tsoH');
        RtlFillMemory(text, 0x1fffe, 0x41);
        RtlInitUnicodeString(&one, text);
        two = (UNICODE_STRING){0xfffe, 0xfffe, text};
        one = (UNICODE_STRING){0xfffd, 3, text};
        RtlAppendUnicodeStringToString(&one, &two);
        RtlCopyUnicodeString(&one, &two);
        Request->Information =
            (ULONG)RtlCompareUnicodeString(&one, &two, TRUE) + RtlEqualUnicodeString(&one, &two, TRUE);
        return TRUE;
    case SIN_COPY_OVERLONG:
        RtlMoveMemory(&one, &two, ~(SIZE_T)0);
        return TRUE;
    case SIN_LIST_CORRUPT:
        head.Flink = head.Blink = NULL;
        InsertTailList(&head, &head);
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithTimers(enum sin Sin, HOSTILE_REQUEST *Request)
{
    LARGE_INTEGER soon = {.QuadPart = -10000}, pause = {.QuadPart = -500000};
    KEVENT event;
    PKTIMER timer;
    switch (Sin) {
    case SIN_EVENT_ZEROED:
        RtlZeroMemory(&event, sizeof(event));
        KeSetEvent(&event, 0, FALSE);
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &pause);
        return TRUE;
    case SIN_TIMER_DPC_LOOP:
        KeInitializeDpc(&Dpc, LoopInDpc, NULL);
        KeInitializeTimer(&Timer);
        KeSetTimer(&Timer, soon, &Dpc);
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
        return TRUE;
    case SIN_TIMER_FREED:
        timer = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*timer), 'tsoH');
        KeInitializeTimer(timer);
        KeSetTimer(timer, soon, NULL);
        ExFreePool(timer);
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
        return TRUE;
    case SIN_DPC_WILD:
        KeInitializeDpc(&Dpc, WILD, NULL);
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
        return TRUE;
    default:
        return FALSE;
    }
}

__declspec(noinline) static LONG BadFilter(VOID)
{
    ExRaiseStatus(STATUS_DATA_ERROR);
    return EXCEPTION_EXECUTE_HANDLER;
}

__declspec(noinline) static VOID Recurse(PVOID Base)
{
    __try {
        *(volatile ULONG *)(ULONG_PTR)16 = 1;
    } __except (Recurse(Base), EXCEPTION_CONTINUE_SEARCH) {
        DbgPrint("never\n");
    }
}

static BOOLEAN SinWithExceptions(enum sin Sin, HOSTILE_REQUEST *Request)
{
    EXCEPTION_RECORD record;
    switch (Sin) {
    case SIN_RAISE_IN_FILTER:
        __try {
            ExRaiseStatus(STATUS_DATA_ERROR);
        } __except (BadFilter()) {
            Request->Status = GetExceptionCode();
        }
        return TRUE;
    case SIN_CONTINUE_FOR_EVER:
        __try {
            *(volatile ULONG *)(ULONG_PTR)16 = 1;
        } __except (EXCEPTION_CONTINUE_EXECUTION) {
            Request->Information = 1;
        }
        return TRUE;
    case SIN_RAISE_NONCONTINUABLE:
        __try {
            ExRaiseStatus(STATUS_DATA_ERROR);
        } __except (EXCEPTION_CONTINUE_EXECUTION) {
            Request->Information = 1;
        }
        return TRUE;
    case SIN_RAISE_WILD_RECORD:
        RtlZeroMemory(&record, sizeof(record));
        record.NumberParameters = ~0u;
        record.ExceptionRecord = WILD;
        __try {
            RtlRaiseException(&record);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Request->Information = 1;
        }
        RtlRaiseException(WILD);
        return TRUE;
    case SIN_UNWIND_WILD:
        RtlUnwind(WILD, WILD, NULL, NULL);
        return TRUE;
    case SIN_CALL_RECURSION:
        Recurse(NULL);
        return TRUE;
    case SIN_BUGCHECK_RECURSION:
        KeBugCheckEx(0xdead, 1, 2, 3, 4);
        return TRUE;
    case SIN_PROBE_KERNEL:
        ProbeForRead(WILD, 16, 1);
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN SinWithRoutines(enum sin Sin, HOSTILE_REQUEST *Request)
{
    if (Sin >= SIN_UNLOAD_LOOP && Sin < SIN_COUNT) {
        UnloadSin = Sin;
        if (Sin == SIN_UNLOAD_NULL || Sin == SIN_UNLOAD_WILD)
            Request->Device->DriverObject->DriverUnload = Sin == SIN_UNLOAD_NULL ? NULL : WILD;
        return TRUE;
    }
    return SinWithLevels(Sin, Request) || SinWithPool(Sin, Request) || SinWithPrinting(Sin, Request) ||
           SinWithStrings(Sin, Request) || SinWithTimers(Sin, Request) || SinWithExceptions(Sin, Request);
}

static VOID SinAtUnload(PDRIVER_OBJECT Driver)
{
    KIRQL irql;
    switch (UnloadSin) {
    case SIN_UNLOAD_LOOP:
        LoopInDpc(NULL, NULL, NULL, NULL);
        break;
    case SIN_UNLOAD_RAISE:
        ExRaiseStatus(STATUS_DATA_ERROR);
        break;
    case SIN_UNLOAD_DELETES_TWICE: {
        PDEVICE_OBJECT device = Driver->DeviceObject;
        IoDeleteDevice(device);
        IoDeleteDevice(device);
        break;
    }
    case SIN_UNLOAD_IRQL:
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        break;
    default:
        break;
    }
}
