/*
 * irps.c - see fsrtl_irps.h.
 */
#include "fsrtl_irps.h"

static KSPIN_LOCK lock;

KIRQL fsrtl_lock(void)
{
    KIRQL irql;
    KeAcquireSpinLock(&lock, &irql);
    return irql;
}

void fsrtl_unlock(KIRQL irql)
{
    KeReleaseSpinLock(&lock, irql);
}

struct fsrtl_wait *fsrtl_wait_of(PIRP irp)
{
    return irp->Tail.Overlay.DriverContext[0];
}

/* Who clears the cancel routine owns the request. */
static bool claim(PIRP irp)
{
    return __atomic_exchange_n(&irp->CancelRoutine, NULL, __ATOMIC_SEQ_CST) != NULL;
}

static VOID NTAPI cancel(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    KIRQL irql = fsrtl_lock();
    struct fsrtl_wait *wait = fsrtl_wait_of(irp);
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    if (wait->removed)
        wait->removed(wait, irp);
    void (*cancelled)(struct fsrtl_wait *, PIRP) = wait->cancelled; /* the block may go with the lock */
    fsrtl_unlock(irql);
    cancelled(wait, irp);
}

bool fsrtl_wait_add(LIST_ENTRY *list, PIRP irp, struct fsrtl_wait *wait)
{
    irp->Tail.Overlay.DriverContext[0] = wait;
    InsertTailList(list, &irp->Tail.Overlay.ListEntry);
    __atomic_store_n(&irp->CancelRoutine, cancel, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&irp->Cancel, __ATOMIC_SEQ_CST) && claim(irp)) {
        RemoveEntryList(&irp->Tail.Overlay.ListEntry);
        return false;
    }
    IoMarkIrpPending(irp);
    return true;
}

bool fsrtl_wait_take(PIRP irp)
{
    if (!claim(irp))
        return false;
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    return true;
}

void fsrtl_finish(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
}
