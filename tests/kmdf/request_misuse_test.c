/* request_misuse_test.c - what a driver must not do with requests it sends, and what happens when memory is short. */
#include "own_request.h"

/* ---- memory is short ---- */

static ULONG method;

static NTSTATUS create_one(void)
{
    return WdfRequestCreate(test_globals, NULL, target, &own_request);
}
static NTSTATUS format_one(void)
{
    return WdfIoTargetFormatRequestForIoctl(test_globals, target, own_request, LOWER_CODE(method), own_memory, NULL,
                                            own_memory, NULL);
}
static NTSTATUS send_one(void)
{
    WDF_MEMORY_DESCRIPTOR descriptor;
    WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&descriptor, own_memory, NULL);
    return WdfIoTargetSendIoctlSynchronously(test_globals, target, NULL, LOWER_CODE(METHOD_OUT_DIRECT), &descriptor,
                                             &descriptor, NULL, NULL);
}
static NTSTATUS send_formatted_timed(void)
{
    return own_send_with(0, WDF_REL_TIMEOUT_IN_SEC(1000)) ? STATUS_SUCCESS
                                                          : WdfRequestGetStatus(test_globals, own_request);
}
static NTSTATUS create_target(void)
{
    WDFIOTARGET other;
    return WdfIoTargetCreate(test_globals, target_device, NULL, &other);
}
static NTSTATUS open_again(void)
{
    WDF_IO_TARGET_OPEN_PARAMS params;
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&params, &lower_name, GENERIC_READ);
    return WdfIoTargetOpen(test_globals, target, &params);
}

static void test_shortage(void **state)
{
    UNREFERENCED_PARAMETER(state);
    own_make();
    lower_hook = NULL;
    assert_in_range(with_each_refused(create_target), 1, 9);
    assert_in_range(with_each_refused(create_one), 2, 9);
    for (method = METHOD_BUFFERED; method <= METHOD_NEITHER; method++) {
        assert_int_equal(with_each_refused(format_one), method == METHOD_NEITHER ? 0 : 1);
        own_reuse();
    }
    assert_in_range(with_each_refused(send_one), 3, 9); /* request, IRP, MDL */
    WdfIoTargetClose(test_globals, target);
    assert_in_range(with_each_refused(open_again), 3, 59);
}

/* The timer that a time-out needs: the request is the driver's still, and can be sent without. */
static void test_no_timer(void **state)
{
    UNREFERENCED_PARAMETER(state);
    own_make();
    lower_hook = own_complete_at_once;
    own_reuse();
    own_format();
    /* the heap may ask the pool */
    assert_int_equal(with_each_refused(send_formatted_timed), MM_HEAP_IS_SPECIAL ? 2 : 1);
    assert_int_equal(own_returned, 1);
}

/* ---- violations ---- */

static void complete_own(void)
{
    own_make();
    WdfRequestComplete(test_globals, own_request, STATUS_SUCCESS);
}
static void send_twice(void)
{
    own_make();
    own_sent();
    WdfRequestSend(test_globals, own_request, target, NULL);
}
static void reuse_sent(void)
{
    own_make();
    own_sent();
    own_reuse();
}
static void delete_sent(void)
{
    own_make();
    own_sent();
    WdfObjectDelete(test_globals, own_request);
}
static void change_sent(void)
{
    own_make();
    own_sent();
    WdfRequestChangeTarget(test_globals, own_request, target);
}
static void format_sent(void)
{
    IO_STACK_LOCATION stack = {0};
    own_make();
    own_sent();
    WdfRequestWdmFormatUsingStackLocation(test_globals, own_request, &stack);
}
static void format_without_irp(void)
{
    IO_STACK_LOCATION stack = {0};
    own_make();
    WdfRequestCreate(test_globals, NULL, NULL, &own_request);
    WdfRequestWdmFormatUsingStackLocation(test_globals, own_request, &stack);
}
static void format_by_type(void)
{
    own_make();
    WdfRequestFormatRequestUsingCurrentType(test_globals, own_request);
}
static void format_used_up(void)
{
    IO_STACK_LOCATION stack = {0};
    own_make();
    IRP *irp = IoAllocateIrp(1, FALSE);
    irp->CurrentLocation = 1;
    WdfRequestCreateFromIrp(test_globals, NULL, irp, FALSE, &own_request);
    WdfRequestWdmFormatUsingStackLocation(test_globals, own_request, &stack);
}
static void wrong_target(void)
{
    own_make();
    WdfRequestSend(test_globals, own_request, (WDFIOTARGET)(PVOID)own_memory, NULL);
}

static void test_violations(void **state)
{
    static const struct {
        void (*action)(void);
        ULONG code, more;
        const char *text;
    } rows[] = {
        {complete_own, 0xA, 0, "which the driver has made: WdfObjectDelete ends it"},
        {send_twice, 6, 3, "WdfRequestSend was called for the request"},
        {reuse_sent, 6, 3, "WdfRequestReuse was called for the request"},
        {delete_sent, 6, 3, "WdfObjectDelete was called for the request"},
        {change_sent, 6, 3, "which an I/O target has"},
        {format_sent, 6, 3, "which an I/O target has"},
        {format_without_irp, 6, 2, "which has no IRP yet"},
        {format_by_type, 6, 2, "which did not come from another driver"},
        {format_used_up, 6, 1, "whose IRP has no stack location left"},
        {wrong_target, 5, 0, "of a WDFMEMORY where it wants a WDFIOTARGET"},
    };
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        struct bugcheck_result bugcheck = bugcheck_of(rows[i].action);
        assert_true(bugcheck.happened);
        assert_int_equal(bugcheck.code, 0x10D);
        assert_int_equal(bugcheck.parameters[0], rows[i].code);
        if (rows[i].more)
            assert_int_equal(bugcheck.parameters[1], rows[i].more);
        if (!strstr(bugcheck.report, rows[i].text))
            fail_msg("row %d: %s", (int)i, bugcheck.report);
    }
}

int run_request_misuse_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, target_set_up, target_tear_down)
    const struct CMUnitTest tests[] = {LOADED(test_shortage), LOADED(test_no_timer), LOADED(test_violations)};
    return cmocka_run_group_tests_name("kmdf requests misused", tests, NULL, NULL);
}
