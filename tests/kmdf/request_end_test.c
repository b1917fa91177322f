/*
 * request_end_test.c - the end of a request with its children, and what WdfObjectDelete is not for.
 * docs/kmdf-objects.md lists the rules.
 */
#include "kmdf_test.h"
#include "wdk/ps.h"

static KEVENT inside, proceed;

static void wait_for_all(void)
{
    kmdf_idle_wait(kmdf_client_of(test_globals, "test"));
}

static WDF_OBJECT_ATTRIBUTES below(WDFOBJECT parent, PFN_WDF_OBJECT_CONTEXT_CLEANUP cleanup)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = parent;
    attributes.EvtCleanupCallback = cleanup;
    return attributes;
}

static IO_STATUS_BLOCK result;
static WDFSTRING string;

static NTSTATUS send(bool (*in_queue)(WDFREQUEST request))
{
    const ULONG code = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS);
    ULONG_PTR base = 0;
    assert_int_equal(plat_user_map(&base, PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
    KeInitializeEvent(&inside, SynchronizationEvent, FALSE);
    KeInitializeEvent(&proceed, NotificationEvent, FALSE);
    struct io_file *file = test_open(WdfDeviceIoBuffered);
    test_in_queue = in_queue;
    NTSTATUS status = io_device_control(file, code, base, 4, base, 4, &result);
    KeSetEvent(&proceed, 0, FALSE);
    wait_for_all();
    test_note("sender; ");
    test_close(file);
    plat_user_unmap(base, PAGE_SIZE);
    return status;
}

static VOID NTAPI cleanup_request(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    test_note("request; ");
}
static VOID NTAPI cleanup_waits(WDFOBJECT object)
{
    UNREFERENCED_PARAMETER(object);
    KeSetEvent(&inside, 0, FALSE);
    KeWaitForSingleObject(&proceed, Executive, KernelMode, FALSE, NULL);
    test_note("child at %u; ", KeGetCurrentIrql());
}

static void note_its_end(WDFREQUEST request)
{
    static const WDF_OBJECT_CONTEXT_TYPE_INFO type = {sizeof(type), "Request", 8, &type, NULL};
    WDF_OBJECT_ATTRIBUTES attributes = below(NULL, cleanup_request);
    attributes.ContextTypeInfo = &type;
    assert_int_equal(WdfObjectAllocateContext(test_globals, request, &attributes, NULL), STATUS_SUCCESS);
}

/* The one exception: completed at DISPATCH_LEVEL, a request does not wait for a child that wants PASSIVE_LEVEL. */
static bool complete_at_dispatch(WDFREQUEST request)
{
    KIRQL irql;
    WDF_OBJECT_ATTRIBUTES attributes = below(request, cleanup_waits);
    note_its_end(request);
    assert_int_equal(WdfStringCreate(test_globals, NULL, &attributes, &string), STATUS_SUCCESS);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
    KeLowerIrql(irql);
    return true;
}

static void test_request_at_dispatch(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(send(complete_at_dispatch), STATUS_SUCCESS);
    assert_non_null(strstr(test_record, "request; child at 0; sender; "));
}

/* Otherwise it does, without holding the thread up that completes it: the sender learns of the end after it. */
static struct {
    WORK_QUEUE_ITEM item;
    WDFOBJECT object;
} there;
static VOID NTAPI delete_there(PVOID parameter)
{
    UNREFERENCED_PARAMETER(parameter);
    WdfObjectDelete(test_globals, there.object);
}
static bool complete_meanwhile(WDFREQUEST request)
{
    WDF_OBJECT_ATTRIBUTES attributes = below(request, cleanup_waits);
    note_its_end(request);
    assert_int_equal(WdfObjectCreate(test_globals, &attributes, &there.object), STATUS_SUCCESS);
    there.item = (WORK_QUEUE_ITEM){.WorkerRoutine = delete_there};
    ExQueueWorkItem(&there.item, DelayedWorkQueue);
    KeWaitForSingleObject(&inside, Executive, KernelMode, FALSE, NULL);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
    test_note("completed; ");
    KeSetEvent(&proceed, 0, FALSE);
    return true;
}

static void test_request_child_elsewhere(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(send(complete_meanwhile), STATUS_SUCCESS);
    assert_non_null(strstr(test_record, "completed; child at 0; request; sender; "));
}

/* A reference to the request's own buffer that outlives it. */
static bool keep_its_buffer(WDFREQUEST request)
{
    WDFMEMORY memory;
    assert_int_equal(WdfRequestRetrieveOutputMemory(test_globals, request, &memory), STATUS_SUCCESS);
    WdfObjectReferenceActual(test_globals, memory, NULL, 0, NULL);
    return false;
}
static void complete_with_reference(void)
{
    send(keep_its_buffer);
}

static void test_buffer_is_referenced(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result stop = bugcheck_of(complete_with_reference);
    assert_true(stop.happened);
    assert_int_equal(stop.code, 0x10D);
    assert_int_equal(stop.parameters[0], 3);
    assert_int_equal(stop.parameters[2], 1);
    assert_non_null(strstr(stop.report, "1 references to its buffers are left"));
}

/* ---- what WdfObjectDelete is not for ---- */

static WDFOBJECT refused;
static void delete_refused(void)
{
    WdfObjectDelete(test_globals, refused);
}
static bool delete_request(WDFREQUEST request)
{
    WDFMEMORY memory;
    const WDFOBJECT objects[] = {request, test_queue, test_wdf_driver};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(objects); i++) {
        refused = objects[i];
        struct bugcheck_result stop = bugcheck_of(delete_refused);
        assert_int_equal(stop.parameters[0], 7);
        assert_non_null(strstr(stop.report, "which only the framework deletes"));
    }
    assert_int_equal(WdfRequestRetrieveInputMemory(test_globals, request, &memory), STATUS_SUCCESS);
    refused = (WDFOBJECT)memory;
    assert_true(bugcheck_of(delete_refused).happened);
    return false;
}

static void test_not_for_drivers(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(send(delete_request), STATUS_SUCCESS);
}

int run_request_end_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_at_dispatch),
        cmocka_unit_test(test_request_child_elsewhere),
        cmocka_unit_test(test_buffer_is_referenced),
        cmocka_unit_test(test_not_for_drivers),
    };
    return cmocka_run_group_tests_name("kmdf ends of requests", tests, NULL, NULL);
}
