/* transfer_test.c - contents: reading to the end and past it, writing, appending, user buffers that are no good, and a
 * host that changes the file meanwhile. */
#include "fs_test.h"
#include <sys/stat.h>
#include <unistd.h>

static NTSTATUS transfer(bool writes, HANDLE file, void *buffer, ULONG length, LONGLONG at, ULONG_PTR *done)
{
    IO_STATUS_BLOCK io = {0};
    LARGE_INTEGER offset = {.QuadPart = at};
    NTSTATUS status = writes ? ZwWriteFile(file, NULL, NULL, NULL, &io, buffer, length, &offset, NULL)
                             : ZwReadFile(file, NULL, NULL, NULL, &io, buffer, length, &offset, NULL);
    *done = io.Information;
    return status;
}

static void reading_to_the_end(void **state)
{
    UNREFERENCED_PARAMETER(state);
    char text[16] = {0};
    ULONG_PTR done;
    host_write("file", "0123456789");
    HANDLE file = must_open(WIDE("\\file"), FILE_READ_DATA);
    assert_int_equal(transfer(false, file, text, 4, 3, &done), STATUS_SUCCESS);
    assert_int_equal(done, 4);
    assert_memory_equal(text, "3456", 4);
    assert_int_equal(transfer(false, file, text, 16, 8, &done), STATUS_SUCCESS);
    assert_int_equal(done, 2);
    assert_int_equal(transfer(false, file, text, 1, 10, &done), STATUS_END_OF_FILE);
    assert_int_equal(transfer(false, file, text, 1, 1ll << 40, &done), STATUS_END_OF_FILE);
    assert_int_equal(transfer(false, file, text, 0, 100, &done), STATUS_SUCCESS);
    truncate(host("file"), 2); /* the host cuts it off */
    assert_int_equal(transfer(false, file, text, 4, 3, &done), STATUS_END_OF_FILE);
    ZwClose(file);
    file = must_open(WIDE("\\"), FILE_READ_DATA);
    assert_int_equal(transfer(false, file, text, 4, 0, &done), STATUS_INVALID_DEVICE_REQUEST);
    ZwClose(file);
}

static void writing(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static char big[200000], back[200000];
    ULONG_PTR done;
    struct stat now;
    for (SIZE_T i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7);
    host_write("file", "0123456789");
    HANDLE file = must_open(WIDE("\\file"), FILE_READ_DATA | FILE_WRITE_DATA);
    assert_int_equal(transfer(true, file, "ab", 2, 4, &done), STATUS_SUCCESS);
    assert_int_equal(done, 2);
    assert_int_equal(transfer(true, file, big, sizeof(big), 10, &done), STATUS_SUCCESS);
    assert_int_equal(done, sizeof(big));
    assert_int_equal(transfer(false, file, back, sizeof(back), 10, &done), STATUS_SUCCESS);
    assert_memory_equal(big, back, sizeof(big));
    assert_int_equal(transfer(false, file, back, 10, 0, &done), STATUS_SUCCESS);
    assert_memory_equal(back, "0123ab6789", 10);
    assert_int_equal(transfer(true, file, "end", 3, -1, &done), STATUS_SUCCESS); /* FILE_WRITE_TO_END_OF_FILE */
    stat(host("file"), &now);
    assert_int_equal(now.st_size, 10 + sizeof(big) + 3);
    ZwClose(file);
}

static void user_buffers(void **state)
{
    UNREFERENCED_PARAMETER(state);
    FILE_OBJECT *object;
    ULONG_PTR page = 0;
    IO_STATUS_BLOCK io;
    char text[5] = {0};
    host_write("file", "01234567");
    HANDLE handle = must_open(WIDE("\\file"), FILE_READ_DATA | FILE_WRITE_DATA);
    assert_int_equal(ob_handle_reference(handle, 0, &io_file_type, KernelMode, (void **)&object, NULL), STATUS_SUCCESS);
    struct io_file file = {object, UserMode};
    assert_int_equal(plat_user_map(&page, PLAT_PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_int_equal(io_read(&file, page, 4, 2, &io), STATUS_SUCCESS);
    assert_true(plat_user_load(page, text, 4));
    assert_string_equal(text, "2345");
    assert_int_equal(io_read(&file, page + PLAT_PAGE_SIZE - 2, 4, 0, &io), STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_read(&file, (ULONG_PTR)text, 4, 0, &io), STATUS_ACCESS_VIOLATION); /* a kernel address */
    assert_int_equal(io_write(&file, (ULONG_PTR)text, 4, 0, &io), STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_write(&file, 0x10000, 4, 0, &io), STATUS_ACCESS_VIOLATION);
    assert_int_equal(plat_user_protect(page, PLAT_PAGE_SIZE, PLAT_READ), STATUS_SUCCESS);
    assert_int_equal(io_read(&file, page, 4, 2, &io), STATUS_ACCESS_VIOLATION);
    assert_int_equal(io_write(&file, page, 4, 0, &io), STATUS_SUCCESS);
    plat_user_unmap(page, PLAT_PAGE_SIZE);
    ob_dereference(object);
    ZwClose(handle);
}

static void contents_by_file_object(void **state)
{
    UNREFERENCED_PARAMETER(state);
    FILE_OBJECT *object;
    ULONG64 size;
    SIZE_T done;
    char text[16];
    host_write("file", "abc");
    HANDLE handle = must_open(WIDE("\\file"), FILE_READ_DATA), directory = must_open(WIDE("\\"), FILE_READ_DATA);
    assert_int_equal(ob_handle_reference(handle, 0, &io_file_type, KernelMode, (void **)&object, NULL), STATUS_SUCCESS);
    assert_int_equal(fs_size(object, &size), STATUS_SUCCESS);
    assert_int_equal(size, 3);
    assert_int_equal(fs_read(object, 1, text, sizeof(text), &done), STATUS_SUCCESS);
    assert_int_equal(done, 2);
    ob_dereference(object);
    assert_int_equal(ob_handle_reference(directory, 0, &io_file_type, KernelMode, (void **)&object, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(fs_size(object, &size), STATUS_INVALID_FILE_FOR_SECTION);
    ob_dereference(object);
    ZwClose(handle);
    ZwClose(directory);
}

int run_transfer_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reading_to_the_end, clean),
        cmocka_unit_test_teardown(writing, clean),
        cmocka_unit_test_teardown(user_buffers, clean),
        cmocka_unit_test_teardown(contents_by_file_object, clean),
    };
    return cmocka_run_group_tests_name("fs: contents", tests, NULL, NULL);
}
