/*
 * reserve_test.c - guaranteed forward progress: requests in reserve, when they are used, what stays with them.
 */
#include "queue_fixture.h"
#include "mm.h"

enum { KEPT = 8 };

static const WDF_OBJECT_CONTEXT_TYPE_INFO type = {sizeof(type), "Reserve", sizeof(ULONG), &type, NULL};

static WDFQUEUE queue;
static WDFREQUEST kept[KEPT], prepared[KEPT];
static ULONG kept_count, prepared_count, examined;
static NTSTATUS prepare_status, allocate_status;
static bool use_reserve;

/* ---- the driver ---- */

static VOID NTAPI on_cleanup(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    test_note("cleanup; ");
}

static ULONG *context_of(WDFREQUEST request)
{
    return WdfObjectGetTypedContextWorker(test_globals, request, &type);
}

/* What the driver allocates for a reserved request is a context and a child of it. */
static NTSTATUS NTAPI on_prepare(WDFQUEUE from, WDFREQUEST request)
{
    WDFMEMORY child;
    PVOID buffer;
    ULONG *context;
    WDF_OBJECT_ATTRIBUTES attributes;
    assert_ptr_equal(from, queue);
    assert_true(WdfRequestIsReserved(test_globals, request));
    assert_int_equal(WdfRequestRetrieveInputBuffer(test_globals, request, 0, &buffer, NULL), STATUS_INTERNAL_ERROR);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ContextTypeInfo = &type;
    attributes.EvtCleanupCallback = on_cleanup;
    assert_int_equal(WdfObjectAllocateContext(test_globals, request, &attributes, (PVOID *)&context), STATUS_SUCCESS);
    *context = prepared_count;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = request;
    assert_int_equal(WdfMemoryCreate(test_globals, &attributes, NonPagedPool, 0, 64, &child, NULL), STATUS_SUCCESS);
    prepared[prepared_count++] = request;
    return prepared_count == 2 ? prepare_status : STATUS_SUCCESS;
}

static NTSTATUS NTAPI on_allocate(WDFQUEUE from, WDFREQUEST request)
{
    assert_ptr_equal(from, queue);
    assert_false(WdfRequestIsReserved(test_globals, request));
    assert_true(ke_thread_current()->KernelApcDisable != 0); /* in a critical region */
    return allocate_status;
}

static WDF_IO_FORWARD_PROGRESS_ACTION NTAPI on_examine(WDFQUEUE from, PIRP irp)
{
    assert_ptr_equal(from, queue);
    assert_non_null(irp);
    examined++;
    return use_reserve ? WdfIoForwardProgressActionUseReservedRequest : WdfIoForwardProgressActionFailRequest;
}

static VOID NTAPI on_request(WDFQUEUE from, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(from);
    kept[kept_count++] = request;
}

/* ---- the sender ---- */

static bool refuse(enum mm_want want)
{
    return want == MM_WANT_HEAP;
}

static NTSTATUS NTAPI on_completion(DEVICE_OBJECT *device, IRP *irp, PVOID context)
{
    struct sent *sent = context;
    UNREFERENCED_PARAMETER(device);
    sent->completed++;
    sent->status = irp->IoStatus.Status;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* While it is on its way to the driver, there is no memory. */
static void send(struct sent *sent, ULONG flags, bool short_of_memory)
{
    DEVICE_OBJECT *device = WdfDeviceWdmGetDeviceObject(test_globals, queue_device);
    *sent = (struct sent){.irp = IoAllocateIrp(device->StackSize, FALSE)};
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(sent->irp);
    sent->irp->Flags |= flags;
    stack->MajorFunction = IRP_MJ_WRITE;
    stack->Parameters.Write.Length = 1;
    stack->CompletionRoutine = on_completion;
    stack->Context = sent;
    stack->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    mm_short = short_of_memory ? refuse : NULL;
    IofCallDriver(device, sent->irp);
    mm_short = NULL;
}

static void gone(struct sent *sent, NTSTATUS status)
{
    assert_int_equal(sent->completed, 1);
    assert_int_equal(sent->status, status);
    IoFreeIrp(sent->irp);
}

static void complete(ULONG index)
{
    WdfRequestComplete(test_globals, kept[index], STATUS_SUCCESS);
}

static NTSTATUS assign(WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY *policy)
{
    policy->EvtIoAllocateResourcesForReservedRequest = on_prepare;
    policy->EvtIoAllocateRequestResources = on_allocate;
    return WdfIoQueueAssignForwardProgressPolicy(test_globals, queue, policy);
}

static int set_up(void **state)
{
    WDF_IO_QUEUE_CONFIG config;
    UNREFERENCED_PARAMETER(state);
    kept_count = prepared_count = examined = 0;
    prepare_status = allocate_status = STATUS_SUCCESS;
    use_reserve = false;
    if (!NT_SUCCESS(test_load(queue_make_device)))
        return -1;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoDefault = on_request;
    return NT_SUCCESS(WdfIoQueueCreate(test_globals, queue_device, &config, NULL, &queue)) ? 0 : -1;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return NT_SUCCESS(test_unload()) && !io_leaks(NULL, NULL) ? 0 : -1;
}

/* ---- tests ---- */

static void test_policy(void **state)
{
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy;
    UNREFERENCED_PARAMETER(state);
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_DEFAULT_INIT(&policy, 0);
    assert_int_equal(assign(&policy), STATUS_INVALID_PARAMETER);
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_EXAMINE_INIT(&policy, 1, NULL);
    assert_int_equal(assign(&policy), STATUS_INVALID_PARAMETER);
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_PAGINGIO_INIT(&policy, 3);
    policy.ForwardProgressReservedPolicy = 4;
    assert_int_equal(assign(&policy), STATUS_INVALID_PARAMETER);
    policy.ForwardProgressReservedPolicy = WdfIoForwardProgressInvalidPolicy;
    assert_int_equal(assign(&policy), STATUS_INVALID_PARAMETER);
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_PAGINGIO_INIT(&policy, 3);
    policy.Size--;
    assert_int_equal(assign(&policy), STATUS_INFO_LENGTH_MISMATCH);
    policy.Size++;
    mm_short = refuse;
    NTSTATUS status = assign(&policy);
    mm_short = NULL;
    assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(prepared_count, 0);
    prepare_status = STATUS_DEVICE_BUSY; /* of the second of three: that is the end, and the first goes, too */
    assert_int_equal(assign(&policy), STATUS_DEVICE_BUSY);
    assert_int_equal(prepared_count, 2);
    assert_string_equal(test_record, "cleanup; cleanup; ");
    prepare_status = STATUS_SUCCESS;
    assert_int_equal(assign(&policy), STATUS_SUCCESS);
    assert_int_equal(prepared_count, 5);
    assert_int_equal(assign(&policy), STATUS_INVALID_DEVICE_REQUEST); /* it has some */
}

/* Used when there is no memory, given back when completed, with what the driver has with them; deleted with the queue.
 */
static void test_always(void **state)
{
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy;
    struct sent sent[4];
    UNREFERENCED_PARAMETER(state);
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_DEFAULT_INIT(&policy, 2);
    assert_int_equal(assign(&policy), STATUS_SUCCESS);
    send(&sent[0], 0, false);
    assert_false(WdfRequestIsReserved(test_globals, kept[0]));
    send(&sent[1], 0, true);
    send(&sent[2], 0, true);
    assert_int_equal(kept_count, 3);
    assert_true(WdfRequestIsReserved(test_globals, kept[1]));
    assert_ptr_equal(kept[1], prepared[0]);
    assert_int_equal(*context_of(kept[2]), 1);
    *context_of(kept[1]) = 77;
    send(&sent[3], 0, true); /* none is left */
    gone(&sent[3], STATUS_INSUFFICIENT_RESOURCES);
    complete(0);
    complete(2);
    complete(1);
    for (int i = 0; i < 3; i++)
        gone(&sent[i], STATUS_SUCCESS);
    assert_string_equal(test_record, "");
    for (int round = 0; round < 3; round++) {
        send(&sent[0], 0, true);
        send(&sent[1], 0, true);
        assert_ptr_equal(kept[kept_count - 1], prepared[0]);
        assert_int_equal(*context_of(prepared[0]), 77);
        complete(kept_count - 2);
        complete(kept_count - 1);
        gone(&sent[0], STATUS_SUCCESS);
        gone(&sent[1], STATUS_SUCCESS);
        kept_count = 0;
    }
    assert_string_equal(test_record, "");
    WdfObjectDelete(test_globals, queue_device);
    assert_string_equal(test_record, "cleanup; cleanup; ");
}

/* One that is in use when its queue is deleted goes when it is completed. */
static void test_outlives_queue(void **state)
{
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy;
    struct sent sent;
    UNREFERENCED_PARAMETER(state);
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_DEFAULT_INIT(&policy, 1);
    assert_int_equal(assign(&policy), STATUS_SUCCESS);
    send(&sent, 0, true);
    WdfObjectDelete(test_globals, queue_device);
    assert_string_equal(test_record, "");
    complete(0);
    assert_string_equal(test_record, "cleanup; ");
    gone(&sent, STATUS_SUCCESS);
}

/* EvtIoAllocateRequestResources fails: as if there were no memory for the request. */
static void test_resources(void **state)
{
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy;
    struct sent sent[2];
    UNREFERENCED_PARAMETER(state);
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_DEFAULT_INIT(&policy, 1);
    assert_int_equal(assign(&policy), STATUS_SUCCESS);
    allocate_status = STATUS_NO_MEMORY;
    send(&sent[0], 0, false);
    assert_true(WdfRequestIsReserved(test_globals, kept[0]));
    send(&sent[1], 0, false);
    gone(&sent[1], STATUS_NO_MEMORY);
    complete(0);
    gone(&sent[0], STATUS_SUCCESS);
}

static void test_paging(void **state)
{
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy;
    struct sent sent[2];
    UNREFERENCED_PARAMETER(state);
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_PAGINGIO_INIT(&policy, 1);
    assert_int_equal(assign(&policy), STATUS_SUCCESS);
    send(&sent[0], 0, true);
    gone(&sent[0], STATUS_INSUFFICIENT_RESOURCES);
    send(&sent[1], IRP_PAGING_IO, true);
    complete(0);
    gone(&sent[1], STATUS_SUCCESS);
}

static void test_examine(void **state)
{
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy;
    struct sent sent[3];
    UNREFERENCED_PARAMETER(state);
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_EXAMINE_INIT(&policy, 1, on_examine);
    assert_int_equal(assign(&policy), STATUS_SUCCESS);
    send(&sent[0], 0, false);
    assert_int_equal(examined, 0);
    send(&sent[1], 0, true);
    gone(&sent[1], STATUS_INSUFFICIENT_RESOURCES);
    use_reserve = true;
    send(&sent[2], 0, true);
    assert_int_equal(examined, 2);
    assert_true(WdfRequestIsReserved(test_globals, kept[1]));
    complete(0);
    complete(1);
    gone(&sent[0], STATUS_SUCCESS);
    gone(&sent[2], STATUS_SUCCESS);
}

/* A queue without a reserve: the IRP is completed, the driver never hears of it. */
static void test_none(void **state)
{
    struct sent sent;
    UNREFERENCED_PARAMETER(state);
    send(&sent, 0, true);
    gone(&sent, STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(kept_count, 0);
}

int run_reserve_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_policy), LOADED(test_always),  LOADED(test_outlives_queue), LOADED(test_resources),
        LOADED(test_paging), LOADED(test_examine), LOADED(test_none),
    };
    return cmocka_run_group_tests_name("kmdf forward progress", tests, NULL, NULL);
}
