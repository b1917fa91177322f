/* apc_test.c - APCs: which kinds run when, what they interrupt, how alertable waits end. */
#include "ntos_test.h"
#include "arch.h"
#include "seh.h"

static struct {
    char order[16];
    ULONG noted; /* letters of order; the last that is written */
    KIRQL kernel_irql, normal_irql;
    ULONG rundowns;
    PKTHREAD thread;
} seen;

static void note(char what)
{
    SIZE_T length = strlen(seen.order);
    if (length < sizeof(seen.order) - 1)
        seen.order[length] = what;
    seen.thread = KeGetCurrentThread();
    __atomic_store_n(&seen.noted, (ULONG)length + 1, __ATOMIC_RELEASE);
}

static VOID NTAPI special(PRKAPC apc, PKNORMAL_ROUTINE *routine, PVOID *context, PVOID *first, PVOID *second)
{
    UNREFERENCED_PARAMETER(apc);
    UNREFERENCED_PARAMETER(context);
    assert_null(*routine);
    assert_ptr_equal(*second, &seen);
    note((char)(ULONG_PTR)*first);
    seen.kernel_irql = KeGetCurrentIrql();
}

static VOID NTAPI before_normal(PRKAPC apc, PKNORMAL_ROUTINE *routine, PVOID *context, PVOID *first, PVOID *second)
{
    UNREFERENCED_PARAMETER(apc);
    UNREFERENCED_PARAMETER(second);
    seen.kernel_irql = KeGetCurrentIrql();
    if (*context == &seen.rundowns) /* it may say that nothing follows */
        *routine = NULL;
    *first = (PVOID)((ULONG_PTR)*first + 1);
}

static VOID NTAPI normal(PVOID context, PVOID first, PVOID second)
{
    assert_ptr_equal(context, &seen.order);
    assert_ptr_equal(second, &seen);
    note((char)(ULONG_PTR)first);
    seen.normal_irql = KeGetCurrentIrql();
}

static VOID NTAPI run_down(PRKAPC apc)
{
    UNREFERENCED_PARAMETER(apc);
    seen.rundowns++;
}

static void queue_special(PRKAPC apc, PKTHREAD thread, char name)
{
    KeInitializeApc(apc, thread, OriginalApcEnvironment, special, NULL, NULL, KernelMode, NULL);
    assert_true(KeInsertQueueApc(apc, (PVOID)(ULONG_PTR)name, &seen, 0));
}

static void queue_normal(PRKAPC apc, PKTHREAD thread, char name)
{
    KeInitializeApc(apc, thread, OriginalApcEnvironment, before_normal, NULL, normal, KernelMode, &seen.order);
    assert_true(KeInsertQueueApc(apc, (PVOID)(ULONG_PTR)(name - 1), &seen, 0));
}

static void queue_user(PRKAPC apc, PKTHREAD thread)
{
    KeInitializeApc(apc, thread, OriginalApcEnvironment, before_normal, run_down, (PKNORMAL_ROUTINE)(ULONG_PTR)0x1234,
                    UserMode, &seen.rundowns);
    assert_true(KeInsertQueueApc(apc, (PVOID)1, (PVOID)2, 0));
}

static int reset(void **state)
{
    UNREFERENCED_PARAMETER(state);
    memset(&seen, 0, sizeof(seen));
    return 0;
}

static void ones_own_run_at_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KAPC apc;
    queue_special(&apc, KeGetCurrentThread(), 's');
    assert_string_equal(seen.order, "s");
    assert_int_equal(seen.kernel_irql, APC_LEVEL);
    queue_normal(&apc, KeGetCurrentThread(), 'n');
    assert_string_equal(seen.order, "sn");
    assert_int_equal(seen.kernel_irql, APC_LEVEL);
    assert_int_equal(seen.normal_irql, PASSIVE_LEVEL);
    assert_false(apc.Inserted);
    KeInitializeApc(&apc, KeGetCurrentThread(), OriginalApcEnvironment, before_normal, NULL, normal, KernelMode,
                    &seen.rundowns);
    KeInsertQueueApc(&apc, NULL, NULL, 0); /* its kernel routine calls the normal one off */
    assert_string_equal(seen.order, "sn");
}

static VOID NTAPI kernel_raises(PRKAPC apc, PKNORMAL_ROUTINE *routine, PVOID *context, PVOID *first, PVOID *second)
{
    UNREFERENCED_PARAMETER(apc);
    UNREFERENCED_PARAMETER(routine);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    seh_raise_status(STATUS_INVALID_LEVEL);
}

static VOID NTAPI normal_raises(PVOID context, PVOID first, PVOID second)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    seh_raise_status(STATUS_INVALID_LEVEL);
}

/* Who is interrupted may handle it; the next APC finds everything as if the routine had returned. */
static void what_a_routine_raises_leaves_the_queues_in_order(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static PKKERNEL_ROUTINE const kernel_routines[] = {before_normal, kernel_raises};
    for (volatile ULONG i = 0; i < RTL_NUMBER_OF(kernel_routines); i++) {
        volatile NTSTATUS status = STATUS_SUCCESS;
        KAPC apc;
        memset(&seen, 0, sizeof(seen));
        KeInitializeApc(&apc, KeGetCurrentThread(), OriginalApcEnvironment, kernel_routines[i], NULL, normal_raises,
                        KernelMode, NULL);
        __try {
            KeInsertQueueApc(&apc, NULL, NULL, 0);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            status = GetExceptionCode();
        }
        assert_int_equal(status, STATUS_INVALID_LEVEL);
        assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
        queue_normal(&apc, KeGetCurrentThread(), 'n');
        assert_string_equal(seen.order, "n");
        assert_int_equal(seen.normal_irql, PASSIVE_LEVEL);
    }
}

static void irql_holds_all_back(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KAPC first, second;
    KIRQL old = KfRaiseIrql(APC_LEVEL);
    queue_normal(&first, KeGetCurrentThread(), 'n');
    queue_special(&second, KeGetCurrentThread(), 's');
    assert_false(KeInsertQueueApc(&second, NULL, NULL, 0)); /* it is queued already */
    assert_string_equal(seen.order, "");
    KfLowerIrql(old);
    assert_string_equal(seen.order, "sn"); /* special ones first */
}

static void regions_hold_theirs_back(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KAPC first, second, third;
    KeEnterCriticalRegion();
    queue_normal(&first, KeGetCurrentThread(), 'n');
    queue_special(&second, KeGetCurrentThread(), 's');
    assert_string_equal(seen.order, "s");
    KeEnterGuardedRegion();
    queue_special(&third, KeGetCurrentThread(), 't');
    assert_string_equal(seen.order, "s");
    KeLeaveGuardedRegion();
    assert_string_equal(seen.order, "st");
    KeLeaveCriticalRegion();
    assert_string_equal(seen.order, "stn");
    KMUTEX mutex; /* owning one is a critical region too */
    KeInitializeMutex(&mutex, 0);
    KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, NULL);
    queue_normal(&first, KeGetCurrentThread(), 'm');
    assert_string_equal(seen.order, "stn");
    KeReleaseMutex(&mutex, FALSE);
    assert_string_equal(seen.order, "stnm");
}

static KEVENT ready, go;
static NTSTATUS wait_status;
static KPROCESSOR_MODE wait_mode;
static BOOLEAN wait_alertable;

static void waiting_thread(void *context)
{
    UNREFERENCED_PARAMETER(context);
    LARGE_INTEGER long_time = {.QuadPart = -50000000ll};
    KeSetEvent(&ready, 0, FALSE);
    wait_status = KeWaitForSingleObject(&go, Executive, wait_mode, wait_alertable, &long_time);
}

static PKTHREAD start_waiter(KPROCESSOR_MODE mode, BOOLEAN alertable, uint64_t *host)
{
    PKTHREAD thread;
    LARGE_INTEGER little = {.QuadPart = -50000ll};
    wait_mode = mode;
    wait_alertable = alertable;
    KeInitializeEvent(&ready, NotificationEvent, FALSE);
    KeInitializeEvent(&go, NotificationEvent, FALSE);
    assert_int_equal(ke_thread_start(&ke_user.body, waiting_thread, NULL, 0, &thread, host), STATUS_SUCCESS);
    KeWaitForSingleObject(&ready, Executive, KernelMode, FALSE, NULL);
    KeDelayExecutionThread(KernelMode, FALSE, &little);
    return thread;
}

/* signal: what it waits for comes true; else something else must end its wait. */
static void end_waiter(PKTHREAD thread, uint64_t host, bool signal)
{
    if (signal)
        KeSetEvent(&go, 0, FALSE);
    plat_thread_join(host);
    ke_thread_release(thread);
}

static void kernel_ones_interrupt_a_wait_that_goes_on(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KAPC first, second;
    uint64_t host;
    PKTHREAD thread = start_waiter(KernelMode, FALSE, &host);
    queue_normal(&first, thread, 'n');
    queue_special(&second, thread, 's');
    for (int i = 0; i < 2000 && __atomic_load_n(&seen.noted, __ATOMIC_ACQUIRE) < 2; i++) {
        LARGE_INTEGER little = {.QuadPart = -10000ll};
        KeDelayExecutionThread(KernelMode, FALSE, &little);
    }
    assert_int_equal(strlen(seen.order), 2);
    assert_ptr_equal(seen.thread, thread);
    end_waiter(thread, host, true);
    assert_int_equal(wait_status, STATUS_SUCCESS);
}

/* What the documentation's table says, row by row. */
static void user_ones_end_alertable_waits_only(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        KPROCESSOR_MODE mode;
        BOOLEAN alertable;
        NTSTATUS status;
    } rows[] = {{UserMode, TRUE, STATUS_USER_APC},
                {KernelMode, TRUE, STATUS_USER_APC},
                {UserMode, FALSE, STATUS_SUCCESS},
                {KernelMode, FALSE, STATUS_SUCCESS}};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        KAPC apc;
        uint64_t host;
        PKTHREAD thread = start_waiter(rows[i].mode, rows[i].alertable, &host);
        queue_user(&apc, thread);
        LARGE_INTEGER little = {.QuadPart = -50000ll};
        KeDelayExecutionThread(KernelMode, FALSE, &little);
        end_waiter(thread, host, rows[i].status == STATUS_SUCCESS);
        assert_int_equal(wait_status, rows[i].status);
        assert_int_equal(seen.rundowns, i + 1); /* nobody returned to user mode */
        assert_false(apc.Inserted);
    }
}

static void alerts_end_alertable_waits(void **state)
{
    UNREFERENCED_PARAMETER(state);
    uint64_t host;
    PKTHREAD thread = start_waiter(UserMode, TRUE, &host);
    KeAlertThread(thread, UserMode);
    end_waiter(thread, host, false);
    assert_int_equal(wait_status, STATUS_ALERTED);
    thread = start_waiter(UserMode, FALSE, &host);
    assert_false(KeAlertThread(thread, UserMode));
    assert_true(KeAlertThread(thread, UserMode));
    end_waiter(thread, host, true);
    assert_int_equal(wait_status, STATUS_SUCCESS);
    LARGE_INTEGER none = {.QuadPart = 0};
    KeAlertThread(KeGetCurrentThread(), KernelMode); /* kept for the next alertable wait */
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &none), STATUS_SUCCESS);
    assert_int_equal(KeDelayExecutionThread(KernelMode, TRUE, &none), STATUS_ALERTED);
    assert_int_equal(KeDelayExecutionThread(KernelMode, TRUE, &none), STATUS_SUCCESS);
    KeAlertThread(KeGetCurrentThread(), UserMode);
    assert_true(KeTestAlertThread(UserMode));
    assert_false(KeTestAlertThread(UserMode));
}

static void a_thread_that_has_ended_takes_none(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KAPC apc;
    uint64_t host;
    PKTHREAD thread = start_waiter(KernelMode, FALSE, &host);
    KeSetEvent(&go, 0, FALSE);
    plat_thread_join(host);
    KeInitializeApc(&apc, thread, OriginalApcEnvironment, special, NULL, NULL, KernelMode, NULL);
    assert_false(KeInsertQueueApc(&apc, NULL, &seen, 0));
    ke_thread_release(thread);
}

static VOID NTAPI lowers_irql(PRKAPC apc, PKNORMAL_ROUTINE *routine, PVOID *context, PVOID *first, PVOID *second)
{
    special(apc, routine, context, first, second);
    KfLowerIrql(PASSIVE_LEVEL);
}

static void run_lowers_irql(void)
{
    KAPC apc;
    KeInitializeApc(&apc, KeGetCurrentThread(), OriginalApcEnvironment, lowers_irql, NULL, NULL, KernelMode, NULL);
    KeInsertQueueApc(&apc, NULL, &seen, 0);
}

static void a_kernel_routine_must_keep_its_irql(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(bugcheck_of(run_lowers_irql).code, 0xC8);
}

int run_apc_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ones_own_run_at_once, reset),
        cmocka_unit_test_setup(what_a_routine_raises_leaves_the_queues_in_order, reset),
        cmocka_unit_test_setup(irql_holds_all_back, reset),
        cmocka_unit_test_setup(regions_hold_theirs_back, reset),
        cmocka_unit_test_setup(kernel_ones_interrupt_a_wait_that_goes_on, reset),
        cmocka_unit_test_setup(user_ones_end_alertable_waits_only, reset),
        cmocka_unit_test_setup(alerts_end_alertable_waits, reset),
        cmocka_unit_test_setup(a_thread_that_has_ended_takes_none, reset),
        cmocka_unit_test_setup(a_kernel_routine_must_keep_its_irql, reset),
    };
    return cmocka_run_group_tests_name("apc", tests, NULL, NULL);
}
