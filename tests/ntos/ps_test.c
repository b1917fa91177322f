/* ps_test.c - system threads, work items, attaching, look-ups; the mode and process each of them sees. */
#include "ntos_test.h"
#include "ps.h"

static KEVENT done;
static KPROCESSOR_MODE seen_mode;
static PEPROCESS seen_process;
static volatile bool returned;

static void note(void)
{
    seen_mode = ExGetPreviousMode();
    seen_process = PsGetCurrentProcess();
    KeSetEvent(&done, 0, FALSE);
}

static void NTAPI returns(PVOID context)
{
    *(bool *)context = true;
    note();
}

static void NTAPI terminates(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    __try {
        note();
        PsTerminateSystemThread(STATUS_CANCELLED);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        returned = true;
    }
    returned = true;
}

static PKTHREAD run(PKSTART_ROUTINE routine, PVOID context)
{
    HANDLE handle;
    CLIENT_ID id;
    PVOID thread;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    assert_int_equal(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, &id, routine, context),
                     STATUS_SUCCESS);
    assert_true(ObIsKernelHandle(handle));
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, PsThreadType, KernelMode, &thread, NULL), STATUS_SUCCESS);
    assert_int_equal(ObCloseHandle(handle, KernelMode), STATUS_SUCCESS);
    assert_ptr_equal(PsGetThreadId(thread), id.UniqueThread);
    assert_int_equal(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    return thread;
}

static void a_system_thread_is_the_systems(void **state)
{
    UNREFERENCED_PARAMETER(state);
    bool ran = false;
    ke_thread_current()->PreviousMode = UserMode; /* of the creator: not the new thread's */
    PKTHREAD thread = run(returns, &ran);
    ke_thread_current()->PreviousMode = KernelMode;
    assert_true(ran);
    assert_int_equal(seen_mode, KernelMode);
    assert_ptr_equal(seen_process, PsInitialSystemProcess);
    assert_true(PsIsSystemThread(thread));
    assert_true(PsIsThreadTerminating(thread));
    ObfDereferenceObject(thread);
}

static void a_system_thread_ends_itself(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PKTHREAD thread = run(terminates, NULL);
    assert_false(returned);
    assert_int_equal(thread->ExitStatus, STATUS_CANCELLED);
    ObfDereferenceObject(thread);
    assert_int_equal(PsTerminateSystemThread(STATUS_SUCCESS), STATUS_INVALID_PARAMETER);
}

static void NTAPI item_routine(PVOID parameter)
{
    UNREFERENCED_PARAMETER(parameter);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    note();
}

static void a_work_item_runs_in_the_system_process(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (int i = 0; i < 50; i++) {
        WORK_QUEUE_ITEM item = {.WorkerRoutine = item_routine};
        KeInitializeEvent(&done, NotificationEvent, FALSE);
        seen_process = NULL;
        ExQueueWorkItem(&item, DelayedWorkQueue);
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        assert_ptr_equal(seen_process, PsInitialSystemProcess);
        assert_int_equal(seen_mode, KernelMode);
    }
}

static void attaching_changes_the_current_process(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PEPROCESS own = PsGetCurrentProcess();
    KAPC_STATE saved;
    KeStackAttachProcess(PsInitialSystemProcess, &saved);
    assert_ptr_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
    assert_ptr_equal(PsGetThreadProcess(PsGetCurrentThread()), own);
    KeUnstackDetachProcess(&saved);
    assert_ptr_equal(PsGetCurrentProcess(), own);
}

static void look_ups(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PEPROCESS process;
    PETHREAD thread;
    assert_int_equal(PsLookupProcessByProcessId((HANDLE)4, &process), STATUS_SUCCESS);
    assert_ptr_equal(process, PsInitialSystemProcess);
    ObfDereferenceObject(process);
    assert_int_equal(PsLookupProcessByProcessId((HANDLE)8, &process), STATUS_INVALID_PARAMETER);
    assert_int_equal(PsLookupThreadByThreadId(PsGetCurrentThreadId(), &thread), STATUS_SUCCESS);
    assert_ptr_equal(thread, PsGetCurrentThread());
    ObfDereferenceObject(thread);
    assert_int_equal(PsLookupThreadByThreadId((HANDLE)2, &thread), STATUS_INVALID_PARAMETER);
}

int run_ps_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_system_thread_is_the_systems),
        cmocka_unit_test(a_system_thread_ends_itself),
        cmocka_unit_test(a_work_item_runs_in_the_system_process),
        cmocka_unit_test(attaching_changes_the_current_process),
        cmocka_unit_test(look_ups),
    };
    return cmocka_run_group_tests_name("ps", tests, NULL, NULL);
}
