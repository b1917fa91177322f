/* fsrtl_test.c - what file systems share: short names, byte-range locks. */
#include "fsrtl_test.h"

/* ---- requests ---- */

static NTSTATUS NTAPI completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    struct sent *sent = context;
    assert_false(sent->done);
    sent->done = true;
    sent->status = irp->IoStatus.Status;
    sent->information = irp->IoStatus.Information;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

PIO_STACK_LOCATION sent_begin(struct sent *sent, UCHAR major, PFILE_OBJECT file)
{
    *sent = (struct sent){.irp = IoAllocateIrp(1, FALSE)};
    assert_non_null(sent->irp);
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(sent->irp);
    stack->MajorFunction = major;
    stack->FileObject = file;
    stack->CompletionRoutine = completed;
    stack->Context = sent;
    stack->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    sent->irp->CurrentLocation--; /* as if IoCallDriver had brought it */
    sent->irp->Tail.Overlay.CurrentStackLocation = stack;
    sent->irp->Tail.Overlay.Thread = (PETHREAD)KeGetCurrentThread();
    return stack;
}

void sent_end(struct sent *sent)
{
    assert_true(sent->done);
    IoFreeIrp(sent->irp);
}

/* ---- short names ---- */

static const char *short_name(const char *name, GENERATE_NAME_CONTEXT *context, BOOLEAN extended)
{
    static char text[16];
    WCHAR wide[64], room[12];
    UNICODE_STRING from = {0, sizeof(wide), wide}, to = {0, sizeof(room), room};
    for (; *name; name++, from.Length += sizeof(WCHAR))
        wide[from.Length / sizeof(WCHAR)] = (UCHAR)*name;
    NTSTATUS status = RtlGenerate8dot3Name(&from, extended, context, &to);
    if (status == STATUS_FILE_SYSTEM_LIMITATION)
        return "none";
    assert_int_equal(status, STATUS_SUCCESS);
    assert_in_range(to.Length, 2, sizeof(room));
    for (ULONG i = 0; i < to.Length / sizeof(WCHAR); i++)
        text[i] = (char)room[i];
    text[to.Length / sizeof(WCHAR)] = '\0';
    return text;
}

static void short_names(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        const char *name, *expected;
    } rows[] = {
        {"TextFile.Mine.txt", "TEXTFI~1.TXT"},
        {"ver +1.2.text", "VER_12~1.TEX"},
        {".bashrc.swp", "BASHRC~1.SWP"},
        {"..leading.c", "LEADIN~1.C"},
        {"no extension", "NOEXTE~1"},
        {"ends.", "ENDS~1"},
        {"a", "A~1"},
        {"...", "~1"},
        {"x.[a]b", "X~1._A_"},
        {"caf\xE9.txt", "CAF_~1.TXT"},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        GENERATE_NAME_CONTEXT context = {0};
        assert_string_equal(short_name(rows[i].name, &context, FALSE), rows[i].expected);
    }
    GENERATE_NAME_CONTEXT extended = {0};
    WCHAR wide[] = {'c', 'a', 'f', 0xE9}, room[12];
    UNICODE_STRING from = {sizeof(wide), sizeof(wide), wide}, to = {0, sizeof(room), room};
    assert_int_equal(RtlGenerate8dot3Name(&from, TRUE, &extended, &to), STATUS_SUCCESS);
    assert_int_equal(room[3], 0xC9);
}

static void short_names_go_on(void **state)
{
    UNREFERENCED_PARAMETER(state);
    GENERATE_NAME_CONTEXT context = {0};
    for (char i = '1'; i <= '4'; i++) {
        char expected[] = "LONGNA~1.TXT";
        expected[7] = i;
        assert_string_equal(short_name("Long name.txt", &context, FALSE), expected);
    }
    const char *hashed = short_name("Long name.txt", &context, FALSE);
    assert_memory_equal(hashed, "LO", 2);
    assert_memory_equal(hashed + 6, "~1.TXT", 7);
    for (int i = 2; i < 10; i++)
        short_name("Long name.txt", &context, FALSE);
    assert_memory_equal(short_name("Long name.txt", &context, FALSE) + 5, "~10.TXT", 8);
    context.LastIndexValue = 999998;
    assert_string_equal(short_name("Long name.txt", &context, FALSE), "L~999999.TXT");
    assert_string_equal(short_name("Long name.txt", &context, FALSE), "none");
}

/* ---- byte-range locks ---- */

static FILE_OBJECT files[2];
static FILE_LOCK lock;
static ULONG unlocked;

static VOID NTAPI on_unlock(PVOID context, PFILE_LOCK_INFO info)
{
    assert_ptr_equal(context, &unlocked);
    unlocked += (ULONG)info->Length.QuadPart;
}

enum { SHARED = 0, EXCLUSIVE = SL_EXCLUSIVE_LOCK, NOW = SL_FAIL_IMMEDIATELY };

/* A request of file's; length is the stack location's, so it must live. */
static NTSTATUS control(struct sent *sent, UCHAR minor, int file, LONGLONG offset, LONGLONG length, UCHAR flags,
                        ULONG key)
{
    static LARGE_INTEGER lengths[16];
    static ULONG next;
    PLARGE_INTEGER kept = &lengths[next++ % RTL_NUMBER_OF(lengths)];
    kept->QuadPart = length;
    PIO_STACK_LOCATION stack = sent_begin(sent, IRP_MJ_LOCK_CONTROL, &files[file]);
    stack->MinorFunction = minor;
    stack->Flags = flags;
    stack->Parameters.LockControl.Length = kept;
    stack->Parameters.LockControl.Key = key;
    stack->Parameters.LockControl.ByteOffset.QuadPart = offset;
    return FsRtlProcessFileLock(&lock, sent->irp, &unlocked);
}

static NTSTATUS done(UCHAR minor, int file, LONGLONG offset, LONGLONG length, UCHAR flags, ULONG key)
{
    struct sent sent;
    NTSTATUS status = control(&sent, minor, file, offset, length, flags, key);
    assert_int_equal(sent.status, status);
    sent_end(&sent);
    return status;
}

static NTSTATUS lock_range(int file, LONGLONG offset, LONGLONG length, UCHAR flags)
{
    return done(IRP_MN_LOCK, file, offset, length, flags | NOW, 0);
}

static bool may(bool write, int file, LONGLONG offset, LONGLONG length, ULONG key)
{
    LARGE_INTEGER from = {.QuadPart = offset}, bytes = {.QuadPart = length};
    return write ? FsRtlFastCheckLockForWrite(&lock, &from, &bytes, key, &files[file], PsGetCurrentProcess())
                 : FsRtlFastCheckLockForRead(&lock, &from, &bytes, key, &files[file], PsGetCurrentProcess());
}

static void begin(PUNLOCK_ROUTINE routine)
{
    unlocked = 0;
    FsRtlInitializeFileLock(&lock, NULL, routine);
}

static void locks_conflict(void **state)
{
    UNREFERENCED_PARAMETER(state);
    begin(NULL);
    assert_false(FsRtlAreThereCurrentOrInProgressFileLocks(&lock));
    assert_true(may(true, 0, 0, 100, 0));
    assert_int_equal(lock_range(0, 10, 10, EXCLUSIVE), STATUS_SUCCESS);
    assert_true(lock.FastIoIsQuestionable);
    assert_true(FsRtlAreThereCurrentOrInProgressFileLocks(&lock));
    assert_int_equal(lock_range(0, 10, 10, EXCLUSIVE), STATUS_LOCK_NOT_GRANTED); /* its owner's as well */
    assert_int_equal(lock_range(1, 19, 1, SHARED), STATUS_LOCK_NOT_GRANTED);
    assert_int_equal(lock_range(1, 20, 1, EXCLUSIVE), STATUS_SUCCESS);
    assert_int_equal(lock_range(0, 10, 5, SHARED), STATUS_SUCCESS); /* over one's own */
    assert_int_equal(lock_range(1, 15, 0, EXCLUSIVE), STATUS_LOCK_NOT_GRANTED);
    assert_int_equal(lock_range(1, 10, 0, EXCLUSIVE), STATUS_SUCCESS);
    assert_int_equal(lock_range(1, 0, -1, SHARED), STATUS_LOCK_NOT_GRANTED);
    assert_int_equal(lock_range(1, 2, -1, SHARED), STATUS_INVALID_LOCK_RANGE);
    assert_int_equal(lock_range(1, 1, -1, SHARED), STATUS_LOCK_NOT_GRANTED);
    FsRtlUninitializeFileLock(&lock);
    assert_false(FsRtlAreThereCurrentOrInProgressFileLocks(&lock));
}

static void locks_guard_reads_and_writes(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent sent;
    begin(NULL);
    lock_range(0, 10, 10, EXCLUSIVE);
    lock_range(0, 40, 10, SHARED);
    assert_true(may(false, 0, 0, 30, 0) && may(true, 0, 0, 30, 0));
    assert_false(may(false, 1, 0, 30, 0));
    assert_false(may(false, 0, 0, 30, 1)); /* another key is another owner */
    assert_true(may(false, 1, 0, 10, 0) && may(true, 1, 20, 20, 0));
    assert_true(may(false, 1, 15, 0, 0)); /* no bytes */
    assert_true(may(false, 1, 40, 10, 0));
    assert_false(may(true, 1, 49, 10, 0));
    assert_false(may(true, 0, 49, 10, 0)); /* not even the owner writes in a shared lock */
    PIO_STACK_LOCATION stack = sent_begin(&sent, IRP_MJ_READ, &files[1]);
    stack->Parameters.Read.Length = 11;
    assert_false(FsRtlCheckLockForReadAccess(&lock, sent.irp));
    stack->Parameters.Read.Length = 10;
    assert_true(FsRtlCheckLockForReadAccess(&lock, sent.irp));
    stack->Parameters.Read.ByteOffset.QuadPart = 45;
    assert_true(FsRtlCheckLockForReadAccess(&lock, sent.irp));
    assert_false(FsRtlCheckLockForWriteAccess(&lock, sent.irp));
    IoFreeIrp(sent.irp);
    FsRtlUninitializeFileLock(&lock);
}

static void unlocking(void **state)
{
    UNREFERENCED_PARAMETER(state);
    begin(on_unlock);
    assert_int_equal(done(IRP_MN_UNLOCK_SINGLE, 0, 0, 1, 0, 0), STATUS_RANGE_NOT_LOCKED);
    assert_int_equal(done(0x55, 0, 0, 1, 0, 0), STATUS_INVALID_DEVICE_REQUEST);
    lock_range(0, 0, 1, EXCLUSIVE);
    lock_range(0, 0, 1, SHARED);
    assert_int_equal(done(IRP_MN_UNLOCK_SINGLE, 0, 0, 2, 0, 0), STATUS_RANGE_NOT_LOCKED);
    assert_int_equal(done(IRP_MN_UNLOCK_SINGLE, 1, 0, 1, 0, 0), STATUS_RANGE_NOT_LOCKED);
    assert_int_equal(done(IRP_MN_UNLOCK_SINGLE, 0, 0, 1, 0, 0), STATUS_SUCCESS); /* the exclusive one */
    assert_true(may(false, 1, 0, 1, 0));
    assert_false(may(true, 1, 0, 1, 0));
    assert_int_equal(done(IRP_MN_UNLOCK_SINGLE, 0, 0, 1, 0, 0), STATUS_SUCCESS);
    assert_false(lock.FastIoIsQuestionable);
    assert_int_equal(unlocked, 2);
    done(IRP_MN_LOCK, 0, 0, 10, EXCLUSIVE | NOW, 5);
    done(IRP_MN_LOCK, 0, 10, 20, NOW, 6);
    done(IRP_MN_LOCK, 1, 10, 40, NOW, 5);
    assert_int_equal(done(IRP_MN_UNLOCK_ALL_BY_KEY, 0, 0, 0, 0, 5), STATUS_SUCCESS);
    assert_int_equal(unlocked, 12);
    assert_int_equal(done(IRP_MN_UNLOCK_ALL, 0, 0, 0, 0, 0), STATUS_SUCCESS);
    assert_int_equal(done(IRP_MN_UNLOCK_ALL, 0, 0, 0, 0, 0), STATUS_RANGE_NOT_LOCKED);
    assert_int_equal(unlocked, 32);
    PFILE_LOCK_INFO left = FsRtlGetNextFileLock(&lock, TRUE);
    assert_non_null(left);
    assert_ptr_equal(left->FileObject, &files[1]);
    assert_int_equal(left->EndingByte.QuadPart, 49);
    assert_null(FsRtlGetNextFileLock(&lock, FALSE));
    FsRtlUninitializeFileLock(&lock);
    assert_int_equal(unlocked, 32);
}

static void waiting_for_a_lock(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent first, second, third;
    IO_STATUS_BLOCK result;
    LARGE_INTEGER offset = {.QuadPart = 0}, length = {.QuadPart = 10};
    begin(NULL);
    lock_range(0, 0, 10, EXCLUSIVE);
    assert_int_equal(control(&first, IRP_MN_LOCK, 1, 0, 5, EXCLUSIVE, 0), STATUS_PENDING);
    assert_int_equal(control(&second, IRP_MN_LOCK, 1, 4, 5, EXCLUSIVE, 0), STATUS_PENDING);
    assert_int_equal(control(&third, IRP_MN_LOCK, 1, 9, 1, EXCLUSIVE, 0), STATUS_PENDING);
    assert_true(IoGetCurrentIrpStackLocation(first.irp)->Control & SL_PENDING_RETURNED);
    assert_false(FsRtlPrivateLock(&lock, &files[1], &offset, &length, PsGetCurrentProcess(), 0, FALSE, FALSE, &result,
                                  NULL, NULL, FALSE));
    assert_true(IoCancelIrp(third.irp));
    assert_int_equal(third.status, STATUS_CANCELLED);
    done(IRP_MN_UNLOCK_ALL, 0, 0, 0, 0, 0);
    assert_true(first.done && !second.done); /* the first has what the second waits for now */
    assert_int_equal(first.status, STATUS_SUCCESS);
    FsRtlUninitializeFileLock(&lock);
    assert_int_equal(second.status, STATUS_CANCELLED);
    sent_end(&first);
    sent_end(&second);
    sent_end(&third);
}

static NTSTATUS NTAPI refuses(PVOID context, PIRP irp)
{
    UNREFERENCED_PARAMETER(context);
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_UNSUCCESSFUL;
}

static void a_refused_completion_loses_the_lock(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent waiting;
    PFILE_LOCK allocated = FsRtlAllocateFileLock(refuses, NULL);
    FsRtlFreeFileLock(allocated);
    FsRtlInitializeFileLock(&lock, refuses, NULL);
    assert_int_equal(lock_range(0, 0, 1, EXCLUSIVE), STATUS_SUCCESS);
    assert_false(FsRtlAreThereCurrentOrInProgressFileLocks(&lock));
    lock.CompleteLockIrpRoutine = NULL;
    lock_range(0, 0, 1, EXCLUSIVE);
    assert_true(FsRtlAreThereCurrentOrInProgressFileLocks(&lock));
    lock.CompleteLockIrpRoutine = refuses;
    assert_int_equal(control(&waiting, IRP_MN_LOCK, 1, 0, 1, EXCLUSIVE, 0), STATUS_PENDING);
    done(IRP_MN_UNLOCK_ALL, 0, 0, 0, 0, 0);
    sent_end(&waiting);
    assert_false(FsRtlAreThereCurrentOrInProgressFileLocks(&lock));
    FsRtlUninitializeFileLock(&lock);
}

int run_fsrtl_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_names),
        cmocka_unit_test(short_names_go_on),
        cmocka_unit_test(locks_conflict),
        cmocka_unit_test(locks_guard_reads_and_writes),
        cmocka_unit_test(unlocking),
        cmocka_unit_test(waiting_for_a_lock),
        cmocka_unit_test(a_refused_completion_loses_the_lock),
    };
    return cmocka_run_group_tests_name("fsrtl", tests, NULL, NULL);
}
