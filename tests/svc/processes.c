/*
 * processes.c - services that open processes and threads and tell of them and of the system; routines that are told of
 * threads and images.
 */
#include "svc_test.h"
#include "ps.h"

static OBJECT_ATTRIBUTES plain = {.Length = sizeof(plain)};

static void opening_by_id(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    HANDLE handle;
    PVOID object;
    CLIENT_ID id = {ke_user.body.UniqueProcessId, NULL};
    assert_int_equal(ZwOpenProcess(&handle, PROCESS_QUERY_INFORMATION, &plain, &id), STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, PsProcessType, KernelMode, &object, NULL), STATUS_SUCCESS);
    assert_ptr_equal(object, &ke_user.body);
    ObfDereferenceObject(object);
    ZwClose(handle);
    id = (CLIENT_ID){(HANDLE)4, PsGetCurrentThreadId()}; /* a thread of another process */
    assert_int_equal(ZwOpenProcess(&handle, PROCESS_QUERY_INFORMATION, &plain, &id), STATUS_INVALID_CID);
    assert_int_equal(ZwOpenThread(&handle, THREAD_ALL_ACCESS, &plain, &id), STATUS_INVALID_CID);
    id.UniqueProcess = NULL;
    assert_int_equal(ZwOpenThread(&handle, THREAD_ALL_ACCESS, &plain, &id), STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, PsThreadType, KernelMode, &object, NULL), STATUS_SUCCESS);
    assert_ptr_equal(object, PsGetCurrentThread());
    ObfDereferenceObject(object);
    ZwClose(handle);
    id = (CLIENT_ID){(HANDLE)0x7770, NULL};
    assert_int_equal(ZwOpenProcess(&handle, PROCESS_QUERY_INFORMATION, &plain, &id), STATUS_INVALID_CID);
    assert_int_equal(ZwOpenThread(&handle, THREAD_ALL_ACCESS, &plain, &id), STATUS_INVALID_CID);
    assert_int_equal(ZwOpenProcess(&handle, PROCESS_QUERY_INFORMATION, &plain, NULL), STATUS_INVALID_PARAMETER_MIX);
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, WIDE("\\Name"));
    OBJECT_ATTRIBUTES named = {.Length = sizeof(named), .ObjectName = &name};
    assert_int_equal(ZwOpenProcess(&handle, PROCESS_QUERY_INFORMATION, &named, &id), STATUS_INVALID_PARAMETER_MIX);
    bench_check(&before);
}

static void what_a_process_tells(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PROCESS_BASIC_INFORMATION basic;
    ULONG handles, length = 0;
    ULONG_PTR wow = 1;
    struct {
        UNICODE_STRING string;
        WCHAR text[16];
    } name;
    HANDLE self = NtCurrentProcess();
    assert_int_equal(ZwQueryInformationProcess(self, ProcessBasicInformation, &basic, sizeof(basic), &length),
                     STATUS_SUCCESS);
    assert_int_equal(length, 48);
    assert_int_equal(basic.UniqueProcessId, (ULONG_PTR)PsGetCurrentProcessId());
    assert_int_equal(basic.ExitStatus, STATUS_PENDING);
    assert_int_equal(ZwQueryInformationProcess(self, ProcessBasicInformation, &basic, 47, NULL),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwQueryInformationProcess(self, ProcessHandleCount, &handles, 4, NULL), STATUS_SUCCESS);
    assert_int_equal(handles, ob_handles_in(&ke_user.body));
    assert_int_equal(ZwQueryInformationProcess(self, ProcessWow64Information, &wow, 8, NULL), STATUS_SUCCESS);
    assert_int_equal(wow, 0);
    assert_int_equal(ZwQueryInformationProcess(self, ProcessImageFileName, &name, sizeof(name), &length),
                     STATUS_SUCCESS);
    assert_int_equal(name.string.Length, 6);
    assert_ptr_equal(name.string.Buffer, name.text);
    assert_memory_equal(name.text, WIDE("uma"), 8);
    assert_int_equal(ZwQueryInformationProcess(self, ProcessImageFileName, &name, length - 1, NULL),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwQueryInformationProcess(self, 9999, &basic, sizeof(basic), NULL), STATUS_INVALID_INFO_CLASS);
    assert_int_equal(ZwQueryInformationProcess(NtCurrentThread(), 0, &basic, sizeof(basic), NULL),
                     STATUS_OBJECT_TYPE_MISMATCH);
}

static void what_a_thread_tells(void **state)
{
    UNREFERENCED_PARAMETER(state);
    THREAD_BASIC_INFORMATION basic;
    ULONG ended = 7;
    assert_int_equal(NtQueryInformationThread(NtCurrentThread(), ThreadBasicInformation, &basic, sizeof(basic), NULL),
                     STATUS_SUCCESS);
    assert_int_equal(basic.ClientId.UniqueThread, (ULONG_PTR)PsGetCurrentThreadId());
    assert_int_equal(basic.ExitStatus, STATUS_PENDING);
    assert_int_equal(NtQueryInformationThread(NtCurrentThread(), ThreadIsTerminated, &ended, 4, NULL), STATUS_SUCCESS);
    assert_int_equal(ended, 0);
    assert_int_equal(NtQueryInformationThread(NtCurrentThread(), ThreadIsTerminated, &ended, 8, NULL),
                     STATUS_INFO_LENGTH_MISMATCH);
}

static void querying_needs_the_right(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR page = bench_user_page(PLAT_READWRITE);
    HANDLE handle;
    CLIENT_ID id = {ke_user.body.UniqueProcessId, NULL};
    assert_int_equal(ZwOpenProcess(&handle, PROCESS_DUP_HANDLE, &plain, &id), STATUS_SUCCESS);
    assert_int_equal(CALL(QueryInformationProcess, (ULONG_PTR)handle, ProcessHandleCount, page, 4, 0),
                     STATUS_ACCESS_DENIED);
    ZwClose(handle);
    assert_int_equal(ZwOpenProcess(&handle, 0x1000, &plain, &id), STATUS_SUCCESS);
    assert_int_equal(CALL(QueryInformationProcess, (ULONG_PTR)handle, ProcessHandleCount, page, 4, 0), STATUS_SUCCESS);
    ZwClose(handle);
    plat_user_unmap(page, PLAT_PAGE_SIZE);
}

static void what_the_system_tells(void **state)
{
    UNREFERENCED_PARAMETER(state);
    SYSTEM_BASIC_INFORMATION basic;
    SYSTEM_TIMEOFDAY_INFORMATION time;
    BOOLEAN debugger[2] = {TRUE, FALSE};
    ULONG length = 0;
    assert_int_equal(ZwQuerySystemInformation(SystemBasicInformation, &basic, sizeof(basic), &length), STATUS_SUCCESS);
    assert_int_equal(length, 64);
    assert_int_equal(basic.PageSize, 4096);
    assert_int_equal(basic.MaximumUserModeAddress, plat_layout.user_limit - 1);
    assert_int_equal(ZwQuerySystemInformation(SystemBasicInformation, &basic, 63, &length),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(length, 64);
    assert_int_equal(ZwQuerySystemInformation(SystemTimeOfDayInformation, &time, sizeof(time), NULL), STATUS_SUCCESS);
    assert_true(time.BootTime.QuadPart > 0 && time.BootTime.QuadPart <= time.CurrentTime.QuadPart);
    assert_int_equal(ZwQuerySystemInformation(SystemKernelDebuggerInformation, debugger, 2, NULL), STATUS_SUCCESS);
    assert_true(!debugger[0] && debugger[1]);
    assert_int_equal(ZwQuerySystemInformation(76, &basic, sizeof(basic), NULL), STATUS_INVALID_INFO_CLASS);
}

static void processes_and_threads_are_listed(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static UCHAR buffer[65536] __attribute__((aligned(8)));
    ULONG length = 0, small;
    assert_int_equal(ZwQuerySystemInformation(SystemProcessInformation, NULL, 0, &small), STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwQuerySystemInformation(SystemProcessInformation, buffer, sizeof(buffer), &length),
                     STATUS_SUCCESS);
    assert_int_equal(length, small);
    const SYSTEM_PROCESS_INFORMATION *system = (const void *)buffer;
    assert_int_equal((ULONG_PTR)system->UniqueProcessId, 4);
    assert_memory_equal(system->ImageName.Buffer, WIDE("System"), 14);
    const SYSTEM_PROCESS_INFORMATION *user = (const void *)(buffer + system->NextEntryOffset);
    assert_ptr_equal(user->UniqueProcessId, PsGetCurrentProcessId());
    assert_int_equal(user->NextEntryOffset, 0);
    const SYSTEM_THREAD_INFORMATION *threads = (const void *)(user + 1);
    bool me = false;
    for (ULONG i = 0; i < user->NumberOfThreads; i++)
        me = me || threads[i].ClientId.UniqueThread == PsGetCurrentThreadId();
    assert_true(me);
}

/* ---- notifications ---- */

static HANDLE told_thread, told_process; /* atomic: threads end on their own */
static volatile LONG made, ended, images;
static SIZE_T told_size;

static VOID NTAPI on_thread(HANDLE process, HANDLE thread, BOOLEAN create)
{
    __atomic_store_n(&told_process, process, __ATOMIC_RELAXED);
    __atomic_store_n(&told_thread, thread, __ATOMIC_RELAXED);
    __atomic_add_fetch(create ? &made : &ended, 1, __ATOMIC_SEQ_CST);
}

static VOID NTAPI on_image(PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)
{
    assert_null(process);
    assert_memory_equal(name->Buffer, WIDE("\\SystemRoot\\System32\\drivers\\some.sys"), name->Length);
    told_size = info->ImageSize;
    images++;
}

static VOID NTAPI on_process(HANDLE parent, HANDLE process, BOOLEAN create)
{
    UNREFERENCED_PARAMETER(parent);
    UNREFERENCED_PARAMETER(process);
    UNREFERENCED_PARAMETER(create);
}

static VOID NTAPI do_nothing(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
}

static CLIENT_ID run_thread(void)
{
    HANDLE handle;
    CLIENT_ID id;
    assert_int_equal(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, &id, do_nothing, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(ZwWaitForSingleObject(handle, FALSE, NULL), STATUS_SUCCESS);
    ZwClose(handle);
    return id;
}

static void threads_are_announced(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(PsSetCreateThreadNotifyRoutine(on_thread), STATUS_SUCCESS);
    CLIENT_ID id = run_thread();
    assert_int_equal(made, 1);
    assert_int_equal(ended, 1);
    assert_ptr_equal(told_thread, id.UniqueThread);
    assert_int_equal((ULONG_PTR)told_process, 4);
    assert_int_equal(PsRemoveCreateThreadNotifyRoutine(on_thread), STATUS_SUCCESS);
    run_thread();
    assert_int_equal(made, 1);
    assert_int_equal(PsRemoveCreateThreadNotifyRoutine(on_thread), STATUS_PROCEDURE_NOT_FOUND);
}

static void images_are_announced(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(PsSetLoadImageNotifyRoutine(on_image), STATUS_SUCCESS);
    ps_image_notify("some", (PVOID)&images, 0x3000);
    assert_int_equal(images, 1);
    assert_int_equal(told_size, 0x3000);
    assert_int_equal(PsRemoveLoadImageNotifyRoutine(on_image), STATUS_SUCCESS);
    ps_image_notify("some", (PVOID)&images, 0x3000);
    assert_int_equal(images, 1);
    assert_int_equal(PsSetLoadImageNotifyRoutineEx(on_image, 2), STATUS_INVALID_PARAMETER_2);
}

static void process_routines_are_kept(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(PsSetCreateProcessNotifyRoutineEx(on_process, TRUE), STATUS_PROCEDURE_NOT_FOUND);
    assert_int_equal(PsSetCreateProcessNotifyRoutineEx(on_process, FALSE), STATUS_SUCCESS);
    assert_int_equal(PsSetCreateProcessNotifyRoutineEx(on_process, FALSE), STATUS_INVALID_PARAMETER);
    assert_int_equal(PsSetCreateProcessNotifyRoutineEx(on_process, TRUE), STATUS_SUCCESS);
}

int run_process_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_by_id),
        cmocka_unit_test(what_a_process_tells),
        cmocka_unit_test(what_a_thread_tells),
        cmocka_unit_test(querying_needs_the_right),
        cmocka_unit_test(what_the_system_tells),
        cmocka_unit_test(processes_and_threads_are_listed),
        cmocka_unit_test(threads_are_announced),
        cmocka_unit_test(images_are_announced),
        cmocka_unit_test(process_routines_are_kept),
    };
    return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
