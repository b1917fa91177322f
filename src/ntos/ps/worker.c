/*
 * worker.c - system worker threads and the work queue.
 *
 * One queue for all queue types. A worker is made when an item comes and none is idle, up to a limit, so that items
 * that wait for each other do not block.
 */
#include "ps.h"
#include "arch.h"
#include "rtl.h"

enum { LARGEST_POOL = 16 };

static LIST_ENTRY queue; /* everything here: ke_dispatcher_lock */
static ULONG workers, idle;

static void run_item(PWORK_QUEUE_ITEM item)
{
    PWORKER_THREAD_ROUTINE routine = item->WorkerRoutine;
    routine(item->Parameter); /* may free the item */
    if (arch_self()->irql != PASSIVE_LEVEL)
        ke_bugcheck_because(BUGCHECK_WORKER_THREAD_RETURNED_AT_BAD_IRQL,
                            (ULONG_PTR[4]){(ULONG_PTR)routine, arch_self()->irql, (ULONG_PTR)item, 0},
                            "a work item's routine returned above PASSIVE_LEVEL");
}

static void work(void *context)
{
    UNREFERENCED_PARAMETER(context);
    plat_lock_acquire(&ke_dispatcher_lock);
    for (;;) {
        if (IsListEmpty(&queue)) {
            idle++;
            plat_lock_wait(&ke_dispatcher_lock, UINT64_MAX);
            idle--;
            continue;
        }
        PWORK_QUEUE_ITEM item = CONTAINING_RECORD(RemoveHeadList(&queue), WORK_QUEUE_ITEM, List);
        item->List.Flink = NULL;
        plat_lock_release(&ke_dispatcher_lock);
        run_item(item);
        plat_lock_acquire(&ke_dispatcher_lock);
    }
}

/* A forked child has none of its parent's threads. */
static void forked(void)
{
    workers = idle = 0;
    InitializeListHead(&queue);
}

NTSTATUS ps_init(void)
{
    InitializeListHead(&queue);
    ke_forked = forked;
    ps_notify_init();
    return STATUS_SUCCESS;
}

/* The starter of workers: a thread of its own, since making one must not wait at DISPATCH_LEVEL. */
static void start_worker(void *context)
{
    UNREFERENCED_PARAMETER(context);
    if (!NT_SUCCESS(ke_thread_attach()))
        return;
    PKTHREAD self = ke_thread_current();
    self->Process = self->OwnProcess = &ke_system.body;
    self->Cid.UniqueProcess = ke_system.body.UniqueProcessId;
    self->SystemThread = TRUE;
    work(NULL);
}

/*
 * Has a worker thread call the item's routine. The item must stay until then; bug check 0x96: it is queued already.
 * IRQL <= DISPATCH_LEVEL.
 */
VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
    UNREFERENCED_PARAMETER(QueueType);
    uint64_t host;
    plat_lock_acquire(&ke_dispatcher_lock);
    bool queued = WorkItem->List.Flink != NULL;
    bool more = !queued && !idle && workers < LARGEST_POOL;
    if (!queued)
        InsertTailList(&queue, &WorkItem->List);
    if (more && NT_SUCCESS(plat_thread_create(start_worker, NULL, &host))) {
        plat_thread_forget(host);
        workers++;
    }
    bool none = !workers;
    plat_lock_wake_all(&ke_dispatcher_lock);
    plat_lock_release(&ke_dispatcher_lock);
    if (queued)
        ke_bugcheck_because(
            BUGCHECK_INVALID_WORK_QUEUE_ITEM,
            (ULONG_PTR[4]){(ULONG_PTR)WorkItem->List.Flink, (ULONG_PTR)WorkItem->List.Blink, (ULONG_PTR)WorkItem, 0},
            "a work item was queued that is queued already or was never initialized");
    if (none)
        ke_bugcheck_because(BUGCHECK_MEMORY_MANAGEMENT, (ULONG_PTR[4]){0}, "the host gave no thread for work items");
}
