/* notify_test.c - change notification: which changes reach which directories, and in what buffer. */
#include "fsrtl_test.h"

static PNOTIFY_SYNC sync;
static LIST_ENTRY list;
static FILE_OBJECT file;
static int context, traverse_answer;
static UCHAR buffer[64] __attribute__((aligned(8)));

static STRING wide(const WCHAR *text)
{
    USHORT length = 0;
    while (text[length])
        length++;
    length *= sizeof(WCHAR);
    return (STRING){length, length, (PCHAR)(ULONG_PTR)text};
}

static BOOLEAN NTAPI traverse(PVOID notify, PVOID target, PSECURITY_SUBJECT_CONTEXT subject)
{
    assert_ptr_equal(notify, &context);
    assert_ptr_equal(target, &list);
    assert_null(subject);
    return traverse_answer;
}

static void watch(struct sent *sent, const WCHAR *directory, bool tree, ULONG length)
{
    STRING name = wide(directory);
    PIO_STACK_LOCATION stack = sent_begin(sent, IRP_MJ_DIRECTORY_CONTROL, &file);
    stack->Parameters.NotifyDirectory.Length = length;
    sent->irp->AssociatedIrp.SystemBuffer = buffer;
    FsRtlNotifyFullChangeDirectory(sync, &list, &context, &name, tree, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, sent->irp,
                                   traverse, NULL);
}

static void change(const WCHAR *path, ULONG filter, const WCHAR *stream)
{
    STRING name = wide(path), stream_name = stream ? wide(stream) : (STRING){0};
    USHORT last = name.Length;
    while (last && path[last / sizeof(WCHAR) - 1] != '\\')
        last -= sizeof(WCHAR);
    FsRtlNotifyFullReportChange(sync, &list, &name, last, stream ? &stream_name : NULL, NULL, filter, FILE_ACTION_ADDED,
                                &list);
}

static void file_name_change(const WCHAR *path)
{
    change(path, FILE_NOTIFY_CHANGE_FILE_NAME, NULL);
}

static void expect(ULONG offset, ULONG next, const WCHAR *name)
{
    const FILE_NOTIFY_INFORMATION *entry = (PVOID)(buffer + offset);
    STRING expected = wide(name);
    assert_int_equal(entry->NextEntryOffset, next);
    assert_int_equal(entry->Action, FILE_ACTION_ADDED);
    assert_int_equal(entry->FileNameLength, expected.Length);
    assert_memory_equal(entry->FileName, expected.Buffer, expected.Length);
}

static void begin(void)
{
    file = (FILE_OBJECT){0};
    traverse_answer = FALSE;
    InitializeListHead(&list);
    FsRtlNotifyInitializeSync(&sync);
    assert_non_null(sync);
}

static void finish(void)
{
    FsRtlNotifyCleanup(sync, &list, &context);
    assert_true(IsListEmpty(&list));
    FsRtlNotifyUninitializeSync(&sync);
    assert_null(sync);
}

static void changes_complete_requests(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent sent;
    begin();
    watch(&sent, WIDE("\\a"), false, sizeof(buffer));
    assert_false(sent.done);
    assert_true(IoGetCurrentIrpStackLocation(sent.irp)->Control & SL_PENDING_RETURNED);
    file_name_change(WIDE("\\ab"));      /* beside it */
    file_name_change(WIDE("\\a"));       /* the directory itself */
    file_name_change(WIDE("\\a\\b\\c")); /* deeper */
    change(WIDE("\\a\\b"), FILE_NOTIFY_CHANGE_SIZE, NULL);
    assert_false(sent.done);
    change(WIDE("\\a\\b"), FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_SIZE, WIDE("s"));
    assert_true(sent.done);
    assert_int_equal(sent.status, STATUS_SUCCESS);
    assert_int_equal(sent.information, 12 + 6);
    expect(0, 0, WIDE("b:s"));
    sent_end(&sent);
    finish();
}

static void changes_are_kept_between_requests(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent sent;
    begin();
    watch(&sent, WIDE("\\"), false, sizeof(buffer));
    file_name_change(WIDE("\\x"));
    sent_end(&sent);
    file_name_change(WIDE("\\abc"));
    file_name_change(WIDE("\\d"));
    watch(&sent, WIDE("\\"), false, sizeof(buffer));
    assert_true(sent.done);
    assert_int_equal(sent.information, 20 + 14);
    expect(0, 20, WIDE("abc"));
    expect(20, 0, WIDE("d"));
    sent_end(&sent);
    for (int i = 0; i < 4; i++) /* 20 bytes each: the fourth does not fit */
        file_name_change(WIDE("\\abc"));
    watch(&sent, WIDE("\\"), false, sizeof(buffer));
    assert_int_equal(sent.status, STATUS_NOTIFY_ENUM_DIR);
    assert_int_equal(sent.information, 0);
    sent_end(&sent);
    watch(&sent, WIDE("\\"), false, 4); /* less than the entry */
    assert_false(sent.done);
    file_name_change(WIDE("\\abc"));
    assert_int_equal(sent.status, STATUS_NOTIFY_ENUM_DIR);
    sent_end(&sent);
    finish();
}

static void trees_ask_for_traverse_access(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent sent;
    begin();
    watch(&sent, WIDE("\\a"), true, sizeof(buffer));
    file_name_change(WIDE("\\a\\b\\c"));
    assert_false(sent.done);
    traverse_answer = TRUE;
    file_name_change(WIDE("\\a\\b\\c"));
    assert_true(sent.done);
    expect(0, 0, WIDE("b\\c"));
    sent_end(&sent);
    finish();
}

static void requests_end_otherwise(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent cancelled, cleaned, late;
    begin();
    watch(&cancelled, WIDE("\\a"), false, 0);
    watch(&cleaned, WIDE("\\a"), false, 0);
    assert_true(IoCancelIrp(cancelled.irp));
    assert_int_equal(cancelled.status, STATUS_CANCELLED);
    FsRtlNotifyCleanup(sync, &list, &context);
    assert_int_equal(cleaned.status, STATUS_NOTIFY_CLEANUP);
    file.Flags = FO_CLEANUP_COMPLETE;
    watch(&late, WIDE("\\a"), false, 0);
    assert_int_equal(late.status, STATUS_NOTIFY_CLEANUP);
    sent_end(&cancelled);
    sent_end(&cleaned);
    sent_end(&late);
    file.Flags = 0;
    watch(&cleaned, WIDE("\\a"), false, 0);
    FsRtlNotifyFullChangeDirectory(sync, &list, &context, NULL, FALSE, FALSE, 0, NULL, NULL, NULL);
    assert_int_equal(cleaned.status, STATUS_DELETE_PENDING);
    watch(&late, WIDE("\\a"), false, 0);
    assert_int_equal(late.status, STATUS_DELETE_PENDING);
    sent_end(&cleaned);
    sent_end(&late);
    finish();
}

static void ansi_names_are_widened(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct sent sent;
    STRING directory = {2, 2, (PCHAR)(ULONG_PTR) "\\a"}, target = {4, 4, (PCHAR)(ULONG_PTR) "\\a\\b"};
    begin();
    PIO_STACK_LOCATION stack = sent_begin(&sent, IRP_MJ_DIRECTORY_CONTROL, &file);
    stack->Parameters.NotifyDirectory.Length = sizeof(buffer);
    sent.irp->UserBuffer = buffer; /* locked by the routine */
    FsRtlNotifyFullChangeDirectory(sync, &list, &context, &directory, FALSE, FALSE, FILE_NOTIFY_CHANGE_SIZE, sent.irp,
                                   NULL, NULL);
    assert_non_null(sent.irp->MdlAddress);
    FsRtlNotifyFullReportChange(sync, &list, &target, 3, NULL, NULL, FILE_NOTIFY_CHANGE_SIZE, FILE_ACTION_ADDED, NULL);
    assert_int_equal(sent.status, STATUS_SUCCESS);
    expect(0, 0, WIDE("b"));
    MmUnlockPages(sent.irp->MdlAddress);
    IoFreeMdl(sent.irp->MdlAddress);
    sent.irp->MdlAddress = NULL;
    sent_end(&sent);
    finish();
}

static void volume_events(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(FsRtlNotifyVolumeEvent(&file, FSRTL_VOLUME_DISMOUNT), STATUS_SUCCESS);
    assert_int_equal(FsRtlNotifyVolumeEvent(&file, FSRTL_VOLUME_BACKGROUND_FORMAT), STATUS_SUCCESS);
    assert_int_equal(FsRtlNotifyVolumeEvent(&file, 0), STATUS_INVALID_PARAMETER);
    assert_int_equal(FsRtlNotifyVolumeEvent(&file, 15), STATUS_INVALID_PARAMETER);
}

int run_notify_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_complete_requests),     cmocka_unit_test(changes_are_kept_between_requests),
        cmocka_unit_test(trees_ask_for_traverse_access), cmocka_unit_test(requests_end_otherwise),
        cmocka_unit_test(ansi_names_are_widened),        cmocka_unit_test(volume_events),
    };
    return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
