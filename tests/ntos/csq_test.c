/* csq_test.c - cancel-safe queues, with a thread that cancels while another removes; remove locks. */
#include "exports_tests.h"
#include "wdk/csq.h"

enum { REQUESTS = 200 };

static struct {
    IO_CSQ csq;
    KSPIN_LOCK lock;
    LIST_ENTRY irps;
    LONG cancelled, removed;
    NTSTATUS insert_status;
} queue;

static VOID NTAPI insert(PIO_CSQ csq, PIRP irp)
{
    assert_ptr_equal(csq, &queue.csq);
    InsertTailList(&queue.irps, &irp->Tail.Overlay.ListEntry);
}

static NTSTATUS NTAPI insert_ex(PIO_CSQ csq, PIRP irp, PVOID context)
{
    assert_ptr_equal(context, &queue);
    if (NT_SUCCESS(queue.insert_status))
        insert(csq, irp);
    return queue.insert_status;
}

static VOID NTAPI take_out(PIO_CSQ csq, PIRP irp)
{
    UNREFERENCED_PARAMETER(csq);
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI peek(PIO_CSQ csq, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(csq);
    UNREFERENCED_PARAMETER(context);
    PLIST_ENTRY next = irp ? irp->Tail.Overlay.ListEntry.Flink : queue.irps.Flink;
    return next == &queue.irps ? NULL : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI acquire(PIO_CSQ csq, PKIRQL irql)
{
    UNREFERENCED_PARAMETER(csq);
    KeAcquireSpinLock(&queue.lock, irql);
}

static VOID NTAPI release(PIO_CSQ csq, KIRQL irql)
{
    UNREFERENCED_PARAMETER(csq);
    KeReleaseSpinLock(&queue.lock, irql);
}

static VOID NTAPI complete_cancelled(PIO_CSQ csq, PIRP irp)
{
    UNREFERENCED_PARAMETER(csq);
    UNREFERENCED_PARAMETER(irp);
    __atomic_add_fetch(&queue.cancelled, 1, __ATOMIC_SEQ_CST);
}

static void start_queue(bool extended)
{
    memset(&queue, 0, sizeof(queue));
    InitializeListHead(&queue.irps);
    if (extended)
        IoCsqInitializeEx(&queue.csq, insert_ex, take_out, peek, acquire, release, complete_cancelled);
    else
        IoCsqInitialize(&queue.csq, insert, take_out, peek, acquire, release, complete_cancelled);
}

static PIRP new_irp(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    assert_non_null(irp);
    irp->CurrentLocation--; /* as if IoCallDriver had brought it */
    irp->Tail.Overlay.CurrentStackLocation--;
    return irp;
}

static void requests_leave_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_CSQ_IRP_CONTEXT context;
    PIRP irps[3];
    start_queue(false);
    for (int i = 0; i < 3; i++)
        irps[i] = new_irp();
    IoCsqInsertIrp(&queue.csq, irps[0], &context);
    IoCsqInsertIrp(&queue.csq, irps[1], NULL);
    assert_true(IoGetCurrentIrpStackLocation(irps[0])->Control & SL_PENDING_RETURNED);
    assert_ptr_equal(IoCsqRemoveIrp(&queue.csq, &context), irps[0]);
    assert_null(IoCsqRemoveIrp(&queue.csq, &context));
    assert_null(irps[0]->CancelRoutine);
    IoCsqInsertIrp(&queue.csq, irps[0], &context);
    assert_true(IoCancelIrp(irps[0]));
    assert_int_equal(queue.cancelled, 1);
    assert_null(IoCsqRemoveIrp(&queue.csq, &context)); /* the canceller has told the context */
    IoCsqInsertIrp(&queue.csq, irps[0], &context);     /* cancelled before: comes back at once */
    assert_int_equal(queue.cancelled, 2);
    assert_ptr_equal(IoCsqRemoveNextIrp(&queue.csq, NULL), irps[1]);
    assert_null(IoCsqRemoveNextIrp(&queue.csq, NULL));
    for (int i = 0; i < 3; i++)
        IoFreeIrp(irps[i]);
}

static void extended_queues_may_refuse(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PIRP irp = new_irp();
    start_queue(true);
    queue.insert_status = STATUS_UNSUCCESSFUL;
    assert_int_equal(IoCsqInsertIrpEx(&queue.csq, irp, NULL, &queue), STATUS_UNSUCCESSFUL);
    assert_null(irp->CancelRoutine);
    assert_false(IoGetCurrentIrpStackLocation(irp)->Control & SL_PENDING_RETURNED);
    assert_null(IoCsqRemoveNextIrp(&queue.csq, NULL));
    queue.insert_status = STATUS_SUCCESS;
    assert_int_equal(IoCsqInsertIrpEx(&queue.csq, irp, NULL, &queue), STATUS_SUCCESS);
    assert_ptr_equal(IoCsqRemoveNextIrp(&queue.csq, NULL), irp);
    IoFreeIrp(irp);
}

static PIRP pending[REQUESTS];
static IO_CSQ_IRP_CONTEXT contexts[REQUESTS];

static void cancel_all(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    for (int i = REQUESTS - 1; i >= 0; i--)
        IoCancelIrp(pending[i]);
    ke_thread_detach();
}

static void remove_all(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    for (int i = 0; i < REQUESTS; i++) {
        bool got =
            i % 2 ? IoCsqRemoveNextIrp(&queue.csq, NULL) != NULL : IoCsqRemoveIrp(&queue.csq, &contexts[i]) != NULL;
        queue.removed += got;
    }
    while (IoCsqRemoveNextIrp(&queue.csq, NULL))
        queue.removed++;
    ke_thread_detach();
}

static void removed_or_cancelled_never_both(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (int round = 0; round < 10; round++) {
        uint64_t ids[2];
        start_queue(false);
        for (int i = 0; i < REQUESTS; i++) {
            pending[i] = new_irp();
            IoCsqInsertIrp(&queue.csq, pending[i], &contexts[i]);
        }
        assert_int_equal(plat_thread_create(cancel_all, NULL, &ids[0]), STATUS_SUCCESS);
        assert_int_equal(plat_thread_create(remove_all, NULL, &ids[1]), STATUS_SUCCESS);
        plat_thread_join(ids[0]);
        plat_thread_join(ids[1]);
        assert_int_equal(queue.removed + queue.cancelled, REQUESTS);
        assert_true(IsListEmpty(&queue.irps));
        for (int i = 0; i < REQUESTS; i++)
            IoFreeIrp(pending[i]);
    }
}

static IO_REMOVE_LOCK remove_lock;
static LONG inside, inside_after_removal, gone;

static void work_until_removed(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    while (IoAcquireRemoveLockEx(&remove_lock, NULL, "", 1, sizeof(remove_lock)) == STATUS_SUCCESS) {
        __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&gone, __ATOMIC_SEQ_CST))
            inside_after_removal++;
        plat_yield();
        IoReleaseRemoveLockEx(&remove_lock, NULL, sizeof(remove_lock));
    }
    ke_thread_detach();
}

static void removal_waits_for_the_last(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (int round = 0; round < 20; round++) {
        uint64_t id;
        gone = inside = 0;
        IoInitializeRemoveLockEx(&remove_lock, TAG, 0, 0, sizeof(remove_lock));
        assert_int_equal(plat_thread_create(work_until_removed, NULL, &id), STATUS_SUCCESS);
        while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) < 20)
            plat_yield();
        assert_int_equal(IoAcquireRemoveLockEx(&remove_lock, &id, "", 1, sizeof(remove_lock)), STATUS_SUCCESS);
        IoReleaseRemoveLockAndWaitEx(&remove_lock, &id, sizeof(remove_lock));
        __atomic_store_n(&gone, 1, __ATOMIC_SEQ_CST);
        plat_thread_join(id);
        assert_int_equal(IoAcquireRemoveLockEx(&remove_lock, NULL, "", 1, sizeof(remove_lock)), STATUS_DELETE_PENDING);
    }
    assert_int_equal(inside_after_removal, 0);
}

static void release_unheld_remove_lock(void)
{
    IoInitializeRemoveLockEx(&remove_lock, TAG, 0, 0, sizeof(remove_lock));
    IoReleaseRemoveLockEx(&remove_lock, NULL, sizeof(remove_lock));
    IoReleaseRemoveLockEx(&remove_lock, NULL, sizeof(remove_lock));
}

static void releasing_too_often_is_a_bug_check(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(release_unheld_remove_lock);
    assert_true(result.happened);
    assert_int_equal(result.code, 0x139);
    assert_int_equal(result.parameters[0], 14);
}

int run_csq_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_leave_once),
        cmocka_unit_test(extended_queues_may_refuse),
        cmocka_unit_test(removed_or_cancelled_never_both),
        cmocka_unit_test(removal_waits_for_the_last),
        cmocka_unit_test(releasing_too_often_is_a_bug_check),
    };
    return cmocka_run_group_tests_name("csq", tests, NULL, NULL);
}
