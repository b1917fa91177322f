/* create_test.c - IRP_MJ_CREATE: every disposition on what exists and what does not, kinds, names, relative opens. */
#include "fs_test.h"
#include <sys/stat.h>
#include <unistd.h>

static void each_disposition(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        ULONG disposition;
        NTSTATUS existing, missing;
        ULONG done_existing, done_missing;
        bool empties;
    } rows[] = {
        {FILE_SUPERSEDE, STATUS_SUCCESS, STATUS_SUCCESS, FILE_SUPERSEDED, FILE_CREATED, true},
        {FILE_OPEN, STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND, FILE_OPENED, 0, false},
        {FILE_CREATE, STATUS_OBJECT_NAME_COLLISION, STATUS_SUCCESS, 0, FILE_CREATED, false},
        {FILE_OPEN_IF, STATUS_SUCCESS, STATUS_SUCCESS, FILE_OPENED, FILE_CREATED, false},
        {FILE_OVERWRITE, STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND, FILE_OVERWRITTEN, 0, true},
        {FILE_OVERWRITE_IF, STATUS_SUCCESS, STATUS_SUCCESS, FILE_OVERWRITTEN, FILE_CREATED, true},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        struct opened opened;
        struct stat stat_now;
        host_write("there", "text");
        NTSTATUS status = create(WIDE("\\there"), FILE_READ_DATA, SHARE_ALL, rows[i].disposition, 0, &opened);
        assert_int_equal(status, rows[i].existing);
        if (NT_SUCCESS(status)) {
            assert_int_equal(opened.information, rows[i].done_existing);
            ZwClose(opened.handle);
        }
        assert_int_equal(stat(host("there"), &stat_now), 0);
        assert_int_equal(stat_now.st_size, rows[i].empties ? 0 : 4);
        status = create(WIDE("\\new"), FILE_READ_DATA, SHARE_ALL, rows[i].disposition, 0, &opened);
        assert_int_equal(status, rows[i].missing);
        assert_int_equal(host_exists("new"), NT_SUCCESS(status));
        if (NT_SUCCESS(status)) {
            assert_int_equal(opened.information, rows[i].done_missing);
            ZwClose(opened.handle);
            unlink(host("new"));
        }
    }
}

static void files_and_directories_are_not_mixed_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct opened opened;
    static const ULONG overwriting[] = {FILE_SUPERSEDE, FILE_OVERWRITE, FILE_OVERWRITE_IF};
    host_write("file", "");
    assert_int_equal(create(WIDE("\\dir"), FILE_READ_DATA, SHARE_ALL, FILE_CREATE, FILE_DIRECTORY_FILE, &opened),
                     STATUS_SUCCESS);
    assert_int_equal(opened.information, FILE_CREATED);
    ZwClose(opened.handle);
    assert_true(host_exists("dir"));
    assert_int_equal(create(WIDE("\\dir"), FILE_READ_DATA, SHARE_ALL, FILE_OPEN, FILE_NON_DIRECTORY_FILE, &opened),
                     STATUS_FILE_IS_A_DIRECTORY);
    assert_int_equal(create(WIDE("\\file"), FILE_READ_DATA, SHARE_ALL, FILE_OPEN, FILE_DIRECTORY_FILE, &opened),
                     STATUS_NOT_A_DIRECTORY);
    assert_int_equal(create(WIDE("\\file"), FILE_READ_DATA, SHARE_ALL, FILE_OPEN_IF, FILE_DIRECTORY_FILE, &opened),
                     STATUS_NOT_A_DIRECTORY);
    assert_int_equal(create(WIDE("\\dir"), FILE_READ_DATA, SHARE_ALL, FILE_OPEN,
                            FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE, &opened),
                     STATUS_INVALID_PARAMETER);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(overwriting); i++) {
        assert_int_equal(create(WIDE("\\dir"), FILE_READ_DATA, SHARE_ALL, overwriting[i], 0, &opened),
                         STATUS_OBJECT_NAME_COLLISION);
        assert_int_equal(create(WIDE("\\dir"), FILE_READ_DATA, SHARE_ALL, overwriting[i], FILE_DIRECTORY_FILE, &opened),
                         STATUS_INVALID_PARAMETER);
    }
    assert_int_equal(look(WIDE("\\dir\\")), STATUS_SUCCESS);
    assert_int_equal(look(WIDE("\\file\\")), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(look(WIDE("\\file\\below")), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(look(WIDE("\\none\\below")), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(look(WIDE("\\dir\\none")), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(look(WIDE("\\")), STATUS_SUCCESS);
    assert_int_equal(look(WIDE("")), STATUS_SUCCESS); /* the volume */
}

static void names_ntfs_refuses(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const WCHAR *const bad[] = {
        WIDE("\\a*"),       WIDE("\\a?"),         WIDE("\\a<b"),       WIDE("\\a>b"),  WIDE("\\a\"b"),   WIDE("\\a|b"),
        WIDE("\\a:b"),      WIDE("\\a/b"),        WIDE("\\a\x01z"),    WIDE("\\."),    WIDE("\\.."),     WIDE("\\\\a"),
        WIDE("\\dir\\\\a"), WIDE("\\dir\\..\\a"), WIDE("\\dir\\.\\a"), WIDE("\\../a"), WIDE("\\dir\\..")};
    struct opened opened;
    mkdir(host("dir"), 0777);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(bad); i++)
        assert_int_equal(create(bad[i], FILE_READ_DATA, SHARE_ALL, FILE_OPEN_IF, 0, &opened),
                         STATUS_OBJECT_NAME_INVALID);
    WCHAR half[] = {'\\', 'a', 0xD800, 'b', 0}, longest[258] = {'\\'};
    assert_int_equal(create(half, FILE_READ_DATA, SHARE_ALL, FILE_OPEN_IF, 0, &opened), STATUS_OBJECT_NAME_INVALID);
    for (int i = 1; i <= 256; i++)
        longest[i] = 'x';
    assert_int_equal(create(longest, FILE_READ_DATA, SHARE_ALL, FILE_OPEN_IF, 0, &opened), STATUS_OBJECT_NAME_INVALID);
    longest[256] = 0;
    assert_int_equal(create(longest, FILE_READ_DATA, SHARE_ALL, FILE_OPEN_IF, 0, &opened), STATUS_SUCCESS);
    ZwClose(opened.handle);
}

static void case_does_not_matter(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct opened opened;
    mkdir(host("Folder"), 0777);
    host_write("Folder/ReadMe.TXT", "x");
    assert_int_equal(look(WIDE("\\FOLDER\\readme.txt")), STATUS_SUCCESS);
    assert_int_equal(create(WIDE("\\folder\\README.txt"), FILE_READ_DATA, SHARE_ALL, FILE_CREATE, 0, &opened),
                     STATUS_OBJECT_NAME_COLLISION);
    host_write("Folder/\xC3\x84.txt", "x");
    assert_int_equal(look(WIDE("\\Folder\\\xE4.txt")), STATUS_SUCCESS);
    host_write("both", "1"); /* the host can have both: the exact one is taken */
    host_write("BOTH", "22");
    FILE_STANDARD_INFORMATION standard;
    HANDLE file = must_open(WIDE("\\BOTH"), FILE_READ_DATA);
    assert_int_equal(get_info(file, FileStandardInformation, &standard, sizeof(standard), NULL), STATUS_SUCCESS);
    assert_int_equal(standard.EndOfFile.QuadPart, 2);
    ZwClose(file);
}

static void relative_opens(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct opened opened;
    mkdir(host("dir"), 0777);
    mkdir(host("dir/sub"), 0777);
    host_write("dir/sub/file", "x");
    HANDLE directory = must_open(WIDE("\\dir"), FILE_READ_DATA);
    assert_int_equal(create_at(directory, WIDE("sub\\file"), FILE_OPEN, 0, &opened), STATUS_SUCCESS);
    HANDLE file = opened.handle;
    assert_int_equal(create_at(file, WIDE("x"), FILE_OPEN, 0, &opened), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(create_at(file, WIDE(""), FILE_OPEN, 0, &opened), STATUS_SUCCESS); /* the same file again */
    ZwClose(opened.handle);
    ZwClose(file);
    assert_int_equal(create_at(directory, WIDE("\\sub"), FILE_OPEN, 0, &opened), STATUS_INVALID_PARAMETER);
    assert_int_equal(create_at(directory, WIDE("..\\other"), FILE_OPEN_IF, 0, &opened), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(create_at(directory, WIDE(".."), FILE_OPEN, 0, &opened), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(create_at(directory, WIDE("made"), FILE_CREATE, 0, &opened), STATUS_SUCCESS);
    ZwClose(opened.handle);
    ZwClose(directory);
    assert_true(host_exists("dir/made"));
}

static void what_createfile_documents_as_invalid(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct opened opened;
    host_write("file", "");
    assert_int_equal(create(WIDE("\\file"), FILE_READ_DATA, SHARE_ALL, 6, 0, &opened), STATUS_INVALID_PARAMETER);
    assert_int_equal(create(WIDE("\\file"), FILE_READ_DATA, 8, FILE_OPEN, 0, &opened), STATUS_INVALID_PARAMETER);
    assert_int_equal(create(WIDE("\\file"), FILE_READ_DATA, SHARE_ALL, FILE_OPEN, FILE_DELETE_ON_CLOSE, &opened),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(create(WIDE("\\file"), FILE_READ_DATA, SHARE_ALL, FILE_OPEN, FILE_SYNCHRONOUS_IO_ALERT, &opened),
                     STATUS_INVALID_PARAMETER);
}

static void read_only_files(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct opened opened;
    host_write("fixed", "x");
    chmod(host("fixed"), 0444);
    assert_int_equal(look(WIDE("\\fixed")), STATUS_SUCCESS);
    assert_int_equal(create(WIDE("\\fixed"), FILE_WRITE_DATA, SHARE_ALL, FILE_OPEN, 0, &opened), STATUS_ACCESS_DENIED);
    assert_int_equal(create(WIDE("\\fixed"), FILE_READ_DATA, SHARE_ALL, FILE_OVERWRITE, 0, &opened),
                     STATUS_ACCESS_DENIED);
    assert_int_equal(create(WIDE("\\fixed"), DELETE, SHARE_ALL, FILE_OPEN, FILE_DELETE_ON_CLOSE, &opened),
                     STATUS_CANNOT_DELETE);
    HANDLE file = must_open(WIDE("\\fixed"), DELETE | FILE_WRITE_ATTRIBUTES | FILE_READ_ATTRIBUTES);
    assert_int_equal(mark_deleted(file, true), STATUS_CANNOT_DELETE);
    FILE_BASIC_INFORMATION basic = {.FileAttributes = FILE_ATTRIBUTE_NORMAL};
    assert_int_equal(set_info(file, FileBasicInformation, &basic, sizeof(basic)), STATUS_SUCCESS);
    ZwClose(file);
    assert_int_equal(create(WIDE("\\fixed"), FILE_WRITE_DATA, SHARE_ALL, FILE_OPEN, 0, &opened), STATUS_SUCCESS);
    ZwClose(opened.handle);
}

int run_create_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_disposition, clean),
        cmocka_unit_test_teardown(files_and_directories_are_not_mixed_up, clean),
        cmocka_unit_test_teardown(names_ntfs_refuses, clean),
        cmocka_unit_test_teardown(case_does_not_matter, clean),
        cmocka_unit_test_teardown(relative_opens, clean),
        cmocka_unit_test_teardown(what_createfile_documents_as_invalid, clean),
        cmocka_unit_test_teardown(read_only_files, clean),
    };
    return cmocka_run_group_tests_name("fs: create", tests, NULL, NULL);
}
