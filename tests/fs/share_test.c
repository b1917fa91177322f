/* share_test.c - sharing between opens, and files that are to be deleted. */
#include "fs_test.h"
#include <sys/stat.h>
#include <unistd.h>

static void each_pair_of_opens(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const ACCESS_MASK access[] = {FILE_READ_DATA, FILE_WRITE_DATA, DELETE};
    host_write("file", "x");
    for (ULONG first = 1; first < 8; first++) /* bit i: access[i]; sharing has the same bits */
        for (ULONG share = 0; share < 8; share++)
            for (ULONG second = 0; second < 8; second++)
                for (ULONG other = 0; other < 8; other++) {
                    struct opened one, two;
                    ACCESS_MASK a = 0, b = 0;
                    for (int i = 0; i < 3; i++) {
                        a |= first >> i & 1 ? access[i] : 0;
                        b |= second >> i & 1 ? access[i] : 0;
                    }
                    assert_int_equal(create(WIDE("\\file"), a, share, FILE_OPEN, 0, &one), STATUS_SUCCESS);
                    NTSTATUS status = create(WIDE("\\FILE"), b, other, FILE_OPEN, 0, &two);
                    bool fits = !second || (!(second & ~share) && !(first & ~other));
                    assert_int_equal(status, fits ? STATUS_SUCCESS : STATUS_SHARING_VIOLATION);
                    if (fits)
                        ZwClose(two.handle);
                    ZwClose(one.handle);
                }
}

static void overwriting_counts_as_writing(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct opened one, two;
    host_write("file", "text");
    assert_int_equal(create(WIDE("\\file"), FILE_READ_DATA, FILE_SHARE_READ, FILE_OPEN, 0, &one), STATUS_SUCCESS);
    assert_int_equal(create(WIDE("\\file"), FILE_READ_DATA, SHARE_ALL, FILE_OVERWRITE, 0, &two),
                     STATUS_SHARING_VIOLATION);
    struct stat now;
    stat(host("file"), &now);
    assert_int_equal(now.st_size, 4);
    ZwClose(one.handle);
}

static void a_deleted_file_goes_with_its_last_handle(void **state)
{
    UNREFERENCED_PARAMETER(state);
    host_write("file", "x");
    HANDLE one = must_open(WIDE("\\file"), DELETE), two = must_open(WIDE("\\file"), FILE_READ_DATA);
    FILE_STANDARD_INFORMATION standard;
    assert_int_equal(mark_deleted(one, true), STATUS_SUCCESS);
    assert_int_equal(look(WIDE("\\file")), STATUS_DELETE_PENDING);
    struct opened opened;
    assert_int_equal(create(WIDE("\\file"), FILE_READ_DATA, SHARE_ALL, FILE_CREATE, 0, &opened), STATUS_DELETE_PENDING);
    assert_int_equal(get_info(two, FileStandardInformation, &standard, sizeof(standard), NULL), STATUS_SUCCESS);
    assert_true(standard.DeletePending);
    assert_int_equal(standard.NumberOfLinks, 0);
    ZwClose(one);
    assert_true(host_exists("file"));
    assert_int_equal(look(WIDE("\\file")), STATUS_DELETE_PENDING);
    ZwClose(two);
    assert_false(host_exists("file"));
    assert_int_equal(look(WIDE("\\file")), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void a_deletion_can_be_taken_back(void **state)
{
    UNREFERENCED_PARAMETER(state);
    host_write("file", "x");
    HANDLE file = must_open(WIDE("\\file"), DELETE);
    assert_int_equal(mark_deleted(file, true), STATUS_SUCCESS);
    assert_int_equal(mark_deleted(file, false), STATUS_SUCCESS);
    assert_int_equal(look(WIDE("\\file")), STATUS_SUCCESS);
    ZwClose(file);
    assert_true(host_exists("file"));
}

static void delete_on_close(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct opened opened;
    assert_int_equal(
        create(WIDE("\\temp"), DELETE | FILE_READ_DATA, SHARE_ALL, FILE_CREATE, FILE_DELETE_ON_CLOSE, &opened),
        STATUS_SUCCESS);
    assert_int_equal(look(WIDE("\\temp")), STATUS_SUCCESS); /* pending only once it is closed */
    ZwClose(opened.handle);
    assert_false(host_exists("temp"));
    mkdir(host("dir"), 0777);
    host_write("dir/file", "x");
    assert_int_equal(create(WIDE("\\dir"), DELETE, SHARE_ALL, FILE_OPEN, FILE_DELETE_ON_CLOSE, &opened),
                     STATUS_SUCCESS);
    ZwClose(opened.handle);
    assert_true(host_exists("dir/file")); /* not empty: it stays, and works */
    assert_int_equal(look(WIDE("\\dir\\file")), STATUS_SUCCESS);
    assert_int_equal(create(WIDE("\\"), DELETE, SHARE_ALL, FILE_OPEN, FILE_DELETE_ON_CLOSE, &opened),
                     STATUS_CANNOT_DELETE);
}

static void directories_are_deleted_empty(void **state)
{
    UNREFERENCED_PARAMETER(state);
    mkdir(host("dir"), 0777);
    host_write("dir/file", "x");
    HANDLE directory = must_open(WIDE("\\dir"), DELETE | FILE_READ_DATA);
    assert_int_equal(mark_deleted(directory, true), STATUS_DIRECTORY_NOT_EMPTY);
    unlink(host("dir/file"));
    assert_int_equal(mark_deleted(directory, true), STATUS_SUCCESS);
    struct opened opened;
    assert_int_equal(create(WIDE("\\dir\\new"), FILE_READ_DATA, SHARE_ALL, FILE_CREATE, 0, &opened),
                     STATUS_DELETE_PENDING);
    ZwClose(directory);
    assert_false(host_exists("dir"));
}

/* Another file under the name is not ours to delete. */
static void a_file_the_host_has_replaced_stays(void **state)
{
    UNREFERENCED_PARAMETER(state);
    host_write("file", "old");
    HANDLE file = must_open(WIDE("\\file"), DELETE);
    assert_int_equal(mark_deleted(file, true), STATUS_SUCCESS);
    host_write("fresh", "new");
    rename(host("fresh"), host("file"));
    assert_int_equal(look(WIDE("\\file")), STATUS_SUCCESS); /* it is another file */
    ZwClose(file);
    assert_true(host_exists("file"));
}

static void delete_by_name(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
    RtlInitUnicodeString(&name, WIDE("\\??\\C:\\file"));
    assert_int_equal(ZwDeleteFile(&attributes), STATUS_OBJECT_NAME_NOT_FOUND);
    host_write("file", "x");
    assert_int_equal(ZwDeleteFile(&attributes), STATUS_SUCCESS);
    assert_false(host_exists("file"));
}

int run_share_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_pair_of_opens, clean),
        cmocka_unit_test_teardown(overwriting_counts_as_writing, clean),
        cmocka_unit_test_teardown(a_deleted_file_goes_with_its_last_handle, clean),
        cmocka_unit_test_teardown(a_deletion_can_be_taken_back, clean),
        cmocka_unit_test_teardown(delete_on_close, clean),
        cmocka_unit_test_teardown(directories_are_deleted_empty, clean),
        cmocka_unit_test_teardown(a_file_the_host_has_replaced_stays, clean),
        cmocka_unit_test_teardown(delete_by_name, clean),
    };
    return cmocka_run_group_tests_name("fs: sharing and deletion", tests, NULL, NULL);
}
