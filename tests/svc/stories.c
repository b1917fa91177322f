/*
 * stories.c - what the documentation says of PreviousMode, each told once: which mode a driver's Nt and Zw calls have,
 * and that it comes back whichever way a call ends.
 */
#include "svc_test.h"
#include "seh.h"
#include "usermode_accessors.h"
#include <sys/wait.h>
#include <unistd.h>

static HANDLE file;
static KPROCESSOR_MODE seen_before, seen_inside, seen_after, seen_requestor;
static NTSTATUS seen_nt, seen_zw;
static HANDLE kernel_handle;

static KPROCESSOR_MODE mode(void)
{
    return ExGetPreviousMode();
}

static NTSTATUS run_as_user(NTSTATUS (*routine)(IRP *irp))
{
    static ULONG_PTR block;
    if (!block)
        block = bench_user_page(PLAT_READWRITE);
    bench_routine = routine;
    return CALL(DeviceIoControlFile, (ULONG_PTR)file, 0, 0, 0, block, CODE_RUN, 0, 0, 0, 0);
}

static NTSTATUS run_as_kernel(NTSTATUS (*routine)(IRP *irp))
{
    IO_STATUS_BLOCK io;
    bench_routine = routine;
    return ZwDeviceIoControlFile(file, NULL, NULL, NULL, &io, CODE_RUN, NULL, 0, NULL, 0);
}

/* 1. A kernel handle in a user's thread. */
static NTSTATUS close_kernel_handle(IRP *irp)
{
    UNREFERENCED_PARAMETER(irp);
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .Attributes = OBJ_KERNEL_HANDLE};
    NTSTATUS status = ZwCreateEvent(&kernel_handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE);
    seen_nt = NtClose(kernel_handle);
    return status;
}

static NTSTATUS zw_close_kernel_handle(IRP *irp)
{
    UNREFERENCED_PARAMETER(irp);
    seen_zw = ZwClose(kernel_handle);
    return STATUS_SUCCESS;
}

static void a_kernel_handle_given_to_ntclose_leaks(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    assert_int_equal(run_as_user(close_kernel_handle), STATUS_SUCCESS);
    assert_int_equal(seen_nt, STATUS_INVALID_HANDLE);
    assert_int_equal(ob_handles_in(&ke_system.body), before.kernel_handles + 1);
    assert_int_equal(run_as_user(zw_close_kernel_handle), STATUS_SUCCESS);
    assert_int_equal(seen_zw, STATUS_SUCCESS);
    bench_check(&before);
}

static void the_same_driver_called_from_the_kernel_may(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    assert_int_equal(run_as_kernel(close_kernel_handle), STATUS_SUCCESS);
    assert_int_equal(seen_nt, STATUS_SUCCESS);
    bench_check(&before);
}

/* 2. A pool buffer for NtWriteFile and ZwWriteFile. */
static NTSTATUS write_pool(IRP *irp)
{
    UNREFERENCED_PARAMETER(irp);
    static UCHAR buffer[16];
    IO_STATUS_BLOCK io = {0};
    LARGE_INTEGER offset = {.QuadPart = 0};
    ULONG_PTR user = bench_user_page(PLAT_READWRITE);
    seen_before = mode();
    seen_nt = NtWriteFile(file, NULL, NULL, NULL, (PIO_STATUS_BLOCK)user, buffer, sizeof(buffer),
                          (PLARGE_INTEGER)(user + 16), NULL);
    seen_zw = ZwWriteFile(file, NULL, NULL, NULL, &io, buffer, sizeof(buffer), &offset, NULL);
    seen_after = mode();
    plat_user_unmap(user, PLAT_PAGE_SIZE);
    return io.Information == sizeof(buffer) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static void a_pool_buffer_is_no_user_buffer(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    assert_int_equal(run_as_user(write_pool), STATUS_SUCCESS);
    assert_int_equal(seen_before, UserMode);
    assert_int_equal(seen_nt, STATUS_ACCESS_VIOLATION);
    assert_int_equal(seen_zw, STATUS_SUCCESS);
    assert_int_equal(seen_after, UserMode);
    bench_check(&before);
}

/* 3. One request from both sides. */
static UCHAR kernel_data[16] = "kernel";
static NTSTATUS note_requestor(IRP *irp)
{
    UCHAR copy[16];
    volatile NTSTATUS status = STATUS_SUCCESS;
    seen_requestor = irp->RequestorMode;
    seen_inside = mode();
    __try {
        CopyFromMode(copy, kernel_data, sizeof(copy), irp->RequestorMode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static void the_requestors_mode_decides(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    assert_int_equal(run_as_user(note_requestor), STATUS_ACCESS_VIOLATION);
    assert_int_equal(seen_requestor, UserMode);
    assert_int_equal(seen_inside, UserMode);
    assert_int_equal(run_as_kernel(note_requestor), STATUS_SUCCESS);
    assert_int_equal(seen_requestor, KernelMode);
    assert_int_equal(seen_inside, KernelMode);
    bench_check(&before);
}

/* 5. user -> Nt -> driver -> Zw -> driver -> Nt, with an exception from the innermost driver routine. */
static KPROCESSOR_MODE levels[4];

static NTSTATUS innermost(IRP *irp)
{
    UNREFERENCED_PARAMETER(irp);
    levels[1] = mode();
    levels[2] = NtSetEvent(NULL, NULL) == STATUS_INVALID_HANDLE ? mode() : MaximumMode;
    return STATUS_SUCCESS;
}

static NTSTATUS outer(IRP *irp)
{
    UNREFERENCED_PARAMETER(irp);
    IO_STATUS_BLOCK io;
    levels[0] = mode();
    bench_routine = innermost;
    NTSTATUS status = ZwDeviceIoControlFile(file, NULL, NULL, NULL, &io, CODE_RUN, NULL, 0, NULL, 0);
    levels[3] = mode();
    return status;
}

static void nested_calls_restore_each_level(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    assert_int_equal(run_as_user(outer), STATUS_SUCCESS);
    assert_int_equal(levels[0], UserMode);
    assert_int_equal(levels[1], KernelMode);
    assert_int_equal(levels[2], KernelMode);
    assert_int_equal(levels[3], UserMode);
    bench_check(&before);
}

/* The innermost service raises through every level: what a bad pointer of a Zw call does. */
static NTSTATUS raises(struct svc_call *call)
{
    UNREFERENCED_PARAMETER(call);
    levels[1] = mode();
    seh_raise_status(STATUS_CANCELLED);
}

static NTSTATUS zw_that_raises(IRP *irp)
{
    UNREFERENCED_PARAMETER(irp);
    volatile NTSTATUS status = STATUS_SUCCESS;
    levels[0] = mode();
    __try {
        static const struct svc_row row = {.name = "Raises", .act = raises};
        svc_zw_row(&row, NULL);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    levels[3] = mode();
    return status;
}

static void an_exception_restores_the_mode(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    assert_int_equal(run_as_user(zw_that_raises), STATUS_CANCELLED);
    assert_int_equal(levels[0], UserMode);
    assert_int_equal(levels[1], KernelMode);
    assert_int_equal(levels[3], UserMode);
    bench_check(&before);
}

/* Nobody handles it: the bug check says that a service of user mode raised. */
static NTSTATUS raise_unhandled(IRP *irp)
{
    UNREFERENCED_PARAMETER(irp);
    seh_raise_status(STATUS_INVALID_LEVEL);
}

static void exit_by_code(ULONG code, const ULONG_PTR parameters[4], ULONG_PTR culprit)
{
    UNREFERENCED_PARAMETER(culprit);
    _exit(parameters[0] == (ULONG)STATUS_INVALID_LEVEL && parameters[2] && !parameters[3] ? (int)code : 1);
}

static void an_unhandled_exception_is_the_services(void **state)
{
    UNREFERENCED_PARAMETER(state);
    int status;
    pid_t child = fork();
    if (!child) {
        ke_bugcheck_hook = exit_by_code;
        if (NT_SUCCESS(plat_fork_child()) && NT_SUCCESS(ke_fork_child()) && freopen("/dev/null", "w", stderr))
            run_as_user(raise_unhandled);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0x3B);
}

/* Another thread of the user process has a mode of its own. */
static void other_thread(void *context)
{
    *(NTSTATUS *)context = run_as_user(note_requestor);
}

static void modes_belong_to_threads(void **state)
{
    UNREFERENCED_PARAMETER(state);
    NTSTATUS status = STATUS_PENDING;
    PKTHREAD thread;
    uint64_t host;
    seen_requestor = KernelMode;
    assert_int_equal(ke_thread_start(&ke_user.body, other_thread, &status, 0, &thread, &host), STATUS_SUCCESS);
    assert_int_equal(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    plat_thread_join(host);
    ke_thread_release(thread);
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
    assert_int_equal(seen_requestor, UserMode);
    assert_int_equal(mode(), KernelMode);
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UNICODE_STRING name;
    IO_STATUS_BLOCK io;
    bench_start();
    RtlInitUnicodeString(&name, WIDE("\\Device\\SvcTest"));
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
    assert_int_equal(NtOpenFile(&file, GENERIC_READ | GENERIC_WRITE, &attributes, &io, 7, 0), STATUS_SUCCESS);
    run_as_kernel(note_requestor); /* the pages of the helpers and the tables exist from here on */
    run_as_kernel(close_kernel_handle);
    run_as_user(note_requestor);
    return 0;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(NtClose(file), STATUS_SUCCESS);
    bench_stop();
    return 0;
}

int run_story_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_handle_given_to_ntclose_leaks),
        cmocka_unit_test(the_same_driver_called_from_the_kernel_may),
        cmocka_unit_test(a_pool_buffer_is_no_user_buffer),
        cmocka_unit_test(the_requestors_mode_decides),
        cmocka_unit_test(nested_calls_restore_each_level),
        cmocka_unit_test(an_exception_restores_the_mode),
        cmocka_unit_test(an_unhandled_exception_is_the_services),
        cmocka_unit_test(modes_belong_to_threads),
    };
    return cmocka_run_group_tests_name("stories", tests, set_up, tear_down);
}
