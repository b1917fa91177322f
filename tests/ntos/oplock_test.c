/* oplock_test.c - opportunistic locks: who gets one, what breaks it to what, and who waits for the owner. */
#include "fsrtl_test.h"

static OPLOCK oplock;
static FILE_OBJECT owner, other;
static ULONG posted, resumed;
static NTSTATUS resumed_with;

static NTSTATUS control(struct sent *sent, PFILE_OBJECT file, ULONG code, ULONG opens)
{
    PIO_STACK_LOCATION stack = sent_begin(sent, IRP_MJ_FILE_SYSTEM_CONTROL, file);
    stack->Parameters.FileSystemControl.FsControlCode = code;
    return FsRtlOplockFsctrl(&oplock, sent->irp, opens);
}

/* The outcome of a control that is completed at once. */
static NTSTATUS control_now(PFILE_OBJECT file, ULONG code, ULONG opens)
{
    struct sent sent;
    NTSTATUS status = control(&sent, file, code, opens);
    assert_int_equal(sent.status, status);
    sent_end(&sent);
    return status;
}

static VOID NTAPI prepare(PVOID context, PIRP irp)
{
    UNREFERENCED_PARAMETER(irp);
    assert_ptr_equal(context, &oplock);
    posted++;
}

static VOID NTAPI resume(PVOID context, PIRP irp)
{
    assert_ptr_equal(context, &oplock);
    resumed++;
    resumed_with = irp->IoStatus.Status;
}

static NTSTATUS check(struct sent *sent, PFILE_OBJECT file, UCHAR major, ULONG options)
{
    PIO_STACK_LOCATION stack = sent_begin(sent, major, file);
    stack->Parameters.Create.Options = options;
    return FsRtlCheckOplock(&oplock, sent->irp, &oplock, resume, prepare);
}

static NTSTATUS check_now(PFILE_OBJECT file, UCHAR major, ULONG options)
{
    struct sent sent;
    NTSTATUS status = check(&sent, file, major, options);
    assert_int_not_equal(status, STATUS_PENDING);
    assert_false(sent.done); /* the request stays the caller's */
    IoFreeIrp(sent.irp);
    return status;
}

static void begin(void)
{
    owner = other = (FILE_OBJECT){0};
    posted = resumed = 0;
    FsRtlInitializeOplock(&oplock);
}

static void finish(void)
{
    FsRtlUninitializeOplock(&oplock);
    assert_null(oplock);
}

static void who_gets_one(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent first, second;
    begin();
    assert_true(FsRtlOplockIsFastIoPossible(&oplock));
    assert_int_equal(check_now(&other, IRP_MJ_WRITE, 0), STATUS_SUCCESS);
    assert_int_equal(control_now(&owner, FSCTL_REQUEST_OPLOCK_LEVEL_1, 2), STATUS_OPLOCK_NOT_GRANTED);
    assert_int_equal(control_now(&owner, FSCTL_REQUEST_OPLOCK, 1), STATUS_OPLOCK_NOT_GRANTED);
    assert_int_equal(control_now(&owner, FSCTL_SET_ZERO_DATA, 1), STATUS_INVALID_PARAMETER);
    assert_int_equal(control_now(&owner, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 1), STATUS_INVALID_OPLOCK_PROTOCOL);
    assert_int_equal(control_now(&owner, FSCTL_OPLOCK_BREAK_NOTIFY, 1), STATUS_SUCCESS);
    owner.Flags = FO_SYNCHRONOUS_IO;
    assert_int_equal(control_now(&owner, FSCTL_REQUEST_BATCH_OPLOCK, 1), STATUS_OPLOCK_NOT_GRANTED);
    owner.Flags = 0;
    assert_int_equal(control_now(&owner, FSCTL_REQUEST_OPLOCK_LEVEL_2, 1), STATUS_OPLOCK_NOT_GRANTED);
    assert_int_equal(control(&first, &owner, FSCTL_REQUEST_OPLOCK_LEVEL_2, 0), STATUS_PENDING);
    assert_false(FsRtlOplockIsFastIoPossible(&oplock));
    assert_int_equal(control_now(&other, FSCTL_REQUEST_OPLOCK_LEVEL_1, 1), STATUS_OPLOCK_NOT_GRANTED);
    assert_int_equal(control(&second, &owner, FSCTL_REQUEST_FILTER_OPLOCK, 1), STATUS_PENDING);
    assert_int_equal(first.information, FILE_OPLOCK_BROKEN_TO_NONE); /* its own makes way */
    assert_true(FsRtlCurrentBatchOplock(&oplock));
    assert_true(FsRtlOplockIsFastIoPossible(&oplock));
    assert_int_equal(control_now(&other, FSCTL_REQUEST_OPLOCK_LEVEL_2, 0), STATUS_OPLOCK_NOT_GRANTED);
    assert_true(IoCancelIrp(second.irp));
    assert_int_equal(second.status, STATUS_CANCELLED);
    assert_false(FsRtlCurrentBatchOplock(&oplock));
    sent_end(&first);
    sent_end(&second);
    finish();
}

static void a_read_breaks_level_1_to_level_2(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent held, reader, told, kept;
    begin();
    control(&held, &owner, FSCTL_REQUEST_OPLOCK_LEVEL_1, 1);
    assert_int_equal(check_now(&owner, IRP_MJ_WRITE, 0), STATUS_SUCCESS); /* one's own */
    assert_int_equal(check(&reader, &other, IRP_MJ_READ, 0), STATUS_PENDING);
    assert_int_equal(posted, 1);
    assert_int_equal(held.status, STATUS_SUCCESS);
    assert_int_equal(held.information, FILE_OPLOCK_BROKEN_TO_LEVEL_2);
    assert_false(FsRtlOplockIsFastIoPossible(&oplock));
    assert_int_equal(control(&told, &other, FSCTL_OPLOCK_BREAK_NOTIFY, 0), STATUS_PENDING);
    assert_int_equal(control_now(&other, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0), STATUS_INVALID_OPLOCK_PROTOCOL);
    assert_int_equal(resumed, 0);
    assert_int_equal(control(&kept, &owner, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0), STATUS_PENDING);
    assert_int_equal(resumed, 1);
    assert_int_equal(resumed_with, STATUS_SUCCESS);
    assert_int_equal(told.status, STATUS_SUCCESS);
    assert_int_equal(check_now(&owner, IRP_MJ_READ, 0), STATUS_SUCCESS);
    assert_false(kept.done);
    assert_int_equal(check_now(&owner, IRP_MJ_WRITE, 0), STATUS_SUCCESS); /* level 2 breaks by its own, too */
    assert_int_equal(kept.information, FILE_OPLOCK_BROKEN_TO_NONE);
    IoFreeIrp(reader.irp);
    sent_end(&held);
    sent_end(&told);
    sent_end(&kept);
    finish();
}

static void a_writer_wants_none(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent held, reader, writer, acknowledgement;
    begin();
    control(&held, &owner, FSCTL_REQUEST_BATCH_OPLOCK, 1);
    assert_int_equal(check(&reader, &other, IRP_MJ_READ, 0), STATUS_PENDING);
    assert_int_equal(check(&writer, &other, IRP_MJ_WRITE, 0), STATUS_PENDING);
    assert_int_equal(control(&acknowledgement, &owner, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0), STATUS_SUCCESS);
    assert_int_equal(acknowledgement.information, FILE_OPLOCK_BROKEN_TO_NONE);
    assert_int_equal(resumed, 2);
    sent_end(&held);
    sent_end(&acknowledgement);
    IoFreeIrp(reader.irp);
    IoFreeIrp(writer.irp);
    finish();
}

static void creates_and_closing(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_SECURITY_CONTEXT attributes = {.DesiredAccess = FILE_READ_ATTRIBUTES | SYNCHRONIZE};
    struct sent held, create, waits;
    begin();
    control(&held, &owner, FSCTL_REQUEST_BATCH_OPLOCK, 1);
    PIO_STACK_LOCATION stack = sent_begin(&create, IRP_MJ_CREATE, &other);
    stack->Parameters.Create.SecurityContext = &attributes;
    stack->Parameters.Create.Options = FILE_OPEN << 24;
    assert_int_equal(FsRtlCheckOplock(&oplock, create.irp, NULL, NULL, NULL), STATUS_SUCCESS);
    assert_false(held.done); /* looking at attributes breaks nothing */
    assert_int_equal(check_now(&other, IRP_MJ_CREATE, FILE_OPEN << 24 | FILE_COMPLETE_IF_OPLOCKED),
                     STATUS_OPLOCK_BREAK_IN_PROGRESS);
    assert_int_equal(held.information, FILE_OPLOCK_BROKEN_TO_LEVEL_2);
    assert_int_equal(check(&waits, &other, IRP_MJ_CREATE, FILE_OPEN << 24), STATUS_PENDING);
    assert_int_equal(control_now(&owner, FSCTL_OPBATCH_ACK_CLOSE_PENDING, 0), STATUS_SUCCESS);
    assert_int_equal(resumed, 0);
    assert_true(FsRtlCurrentBatchOplock(&oplock));
    assert_int_equal(check_now(&owner, IRP_MJ_CLEANUP, 0), STATUS_SUCCESS);
    assert_int_equal(resumed, 1);
    assert_false(FsRtlCurrentBatchOplock(&oplock));
    IoFreeIrp(create.irp);
    IoFreeIrp(waits.irp);
    sent_end(&held);
    finish();
}

static void filters_break_to_none_by_writers(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent held, writer;
    begin();
    control(&held, &owner, FSCTL_REQUEST_FILTER_OPLOCK, 1);
    assert_int_equal(check_now(&other, IRP_MJ_READ, 0), STATUS_SUCCESS);
    assert_false(held.done);
    assert_int_equal(check(&writer, &other, IRP_MJ_WRITE, 0), STATUS_PENDING);
    assert_int_equal(held.information, FILE_OPLOCK_BROKEN_TO_NONE);
    assert_true(IoCancelIrp(writer.irp));
    assert_int_equal(resumed_with, STATUS_CANCELLED);
    assert_int_equal(control_now(&owner, FSCTL_OPLOCK_BREAK_ACK_NO_2, 0), STATUS_SUCCESS);
    assert_int_equal(resumed, 1);
    sent_end(&held);
    IoFreeIrp(writer.irp);
    finish();
}

static VOID NTAPI acknowledges_later(PVOID context)
{
    LARGE_INTEGER while_longer = {.QuadPart = -200000};
    KeDelayExecutionThread(KernelMode, FALSE, &while_longer);
    *(NTSTATUS *)context = control_now(&owner, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0);
}

static void threads_wait_without_a_routine(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent held, writer;
    HANDLE handle;
    PVOID thread;
    NTSTATUS acknowledged = STATUS_UNSUCCESSFUL;
    begin();
    control(&held, &owner, FSCTL_REQUEST_OPLOCK_LEVEL_1, 1);
    PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, acknowledges_later, &acknowledged);
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, PsThreadType, KernelMode, &thread, NULL), STATUS_SUCCESS);
    sent_begin(&writer, IRP_MJ_WRITE, &other);
    assert_int_equal(FsRtlCheckOplock(&oplock, writer.irp, NULL, NULL, NULL), STATUS_SUCCESS);
    assert_int_equal(held.information, FILE_OPLOCK_BROKEN_TO_NONE);
    assert_int_equal(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    ObfDereferenceObject(thread);
    assert_int_equal(acknowledged, STATUS_SUCCESS);
    ObCloseHandle(handle, KernelMode);
    IoFreeIrp(writer.irp);
    sent_end(&held);
    finish();
}

int run_oplock_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_gets_one),
        cmocka_unit_test(a_read_breaks_level_1_to_level_2),
        cmocka_unit_test(a_writer_wants_none),
        cmocka_unit_test(creates_and_closing),
        cmocka_unit_test(filters_break_to_none_by_writers),
        cmocka_unit_test(threads_wait_without_a_routine),
    };
    return cmocka_run_group_tests_name("oplock", tests, NULL, NULL);
}
