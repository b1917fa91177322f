/*
 * workitem.c - work items of devices: ps runs them, the device stays until they have.
 */
#include "io_internal.h"
#include "ps.h"
#include "seh.h"

#define ITEM_TAG RTL_TAG('I', 'o', 'W', 'i')

struct _IO_WORKITEM {
    WORK_QUEUE_ITEM item;
    PVOID object; /* device or driver */
    PIO_WORKITEM_ROUTINE routine;
    PIO_WORKITEM_ROUTINE_EX routine_ex; /* instead of routine */
    PVOID context;
};

static VOID NTAPI run(PVOID parameter)
{
    PIO_WORKITEM item = parameter;
    PVOID object = item->object;
    struct io_balance before = io_balance_take();
    ULONG_PTR code = item->routine ? (ULONG_PTR)item->routine : (ULONG_PTR)item->routine_ex;
    if (item->routine)
        item->routine(object, item->context); /* may free the item, as documented */
    else
        item->routine_ex(object, item->context, item);
    io_balance_check(&before, code);
    ob_dereference(object);
}

ULONG NTAPI IoSizeofWorkItem(VOID)
{
    return sizeof(struct _IO_WORKITEM);
}

/* Makes a work item of the caller's memory, of IoSizeofWorkItem() bytes. */
VOID NTAPI IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
    *IoWorkItem = (struct _IO_WORKITEM){.object = IoObject, .item = {.WorkerRoutine = run, .Parameter = IoWorkItem}};
}

VOID NTAPI IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
    IoWorkItem->object = NULL;
}

/* A work item of the device, or null. Free it with IoFreeWorkItem. IRQL <= DISPATCH_LEVEL. */
PIO_WORKITEM NTAPI IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM item = mm_pool_allocate(sizeof(*item), ITEM_TAG, MM_POOL_ZERO, MM_POOL_DRIVER, seh_export_caller());
    if (item)
        IoInitializeWorkItem(DeviceObject, item);
    return item;
}

/* The item must not be queued. */
VOID NTAPI IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    mm_pool_free(IoWorkItem, ITEM_TAG, seh_export_caller());
}

static void queue(PIO_WORKITEM item, PVOID routine, bool extended, WORK_QUEUE_TYPE type, PVOID context)
{
    item->routine = extended ? NULL : (PIO_WORKITEM_ROUTINE)routine;
    item->routine_ex = extended ? (PIO_WORKITEM_ROUTINE_EX)routine : NULL;
    item->context = context;
    ob_reference(item->object);
    ExQueueWorkItem(&item->item, type);
}

/* Has a worker thread call WorkerRoutine(device, Context) at PASSIVE_LEVEL; the device stays until it returns. */
VOID NTAPI IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                           PVOID Context)
{
    queue(IoWorkItem, (PVOID)WorkerRoutine, false, QueueType, Context);
}

/* The same with a routine that is given the item too, which it may free. */
VOID NTAPI IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                             PVOID Context)
{
    queue(IoWorkItem, (PVOID)WorkerRoutine, true, QueueType, Context);
}
