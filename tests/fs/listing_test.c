/* listing_test.c - directories listed: patterns, classes, small buffers, restarts, large and hostile folders. */
#include "fs_test.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static NTSTATUS list(HANDLE directory, void *buffer, ULONG length, ULONG class, bool single, const WCHAR *pattern,
                     bool restart, ULONG_PTR *used)
{
    UNICODE_STRING name;
    IO_STATUS_BLOCK io = {0};
    if (pattern)
        RtlInitUnicodeString(&name, pattern);
    NTSTATUS status = ZwQueryDirectoryFile(directory, NULL, NULL, NULL, &io, buffer, length, class, single,
                                           pattern ? &name : NULL, restart);
    *used = io.Information;
    return status;
}

/* How many names match; each is looked for in expected, a string of names that end with "/". */
static ULONG count(const WCHAR *pattern, const char *expected)
{
    _Alignas(8) UCHAR buffer[512];
    ULONG_PTR used;
    ULONG found = 0;
    HANDLE directory = must_open(WIDE("\\dir"), FILE_READ_DATA);
    NTSTATUS status = list(directory, buffer, sizeof(buffer), FileNamesInformation, false, pattern, false, &used);
    if (status == STATUS_NO_SUCH_FILE) {
        ZwClose(directory);
        return 0;
    }
    while (NT_SUCCESS(status)) {
        for (ULONG at = 0;;) {
            const FILE_NAMES_INFORMATION *entry = (const FILE_NAMES_INFORMATION *)(buffer + at);
            char name[260];
            ULONG length = entry->FileNameLength / 2;
            assert_true(at + 12 + entry->FileNameLength <= used);
            for (ULONG i = 0; i < length; i++)
                name[i] = (char)entry->FileName[i];
            name[length] = '/';
            name[length + 1] = 0;
            if (expected)
                assert_non_null(strstr(expected, name));
            found++;
            if (!entry->NextEntryOffset)
                break;
            at += entry->NextEntryOffset;
            assert_int_equal(at % 8, 0);
        }
        status = list(directory, buffer, sizeof(buffer), FileNamesInformation, false, NULL, false, &used);
    }
    assert_int_equal(status, STATUS_NO_MORE_FILES);
    ZwClose(directory);
    return found;
}

static void patterns(void **state)
{
    UNREFERENCED_PARAMETER(state);
    mkdir(host("dir"), 0777);
    host_write("dir/alpha.txt", "1");
    host_write("dir/Beta.TXT", "22");
    host_write("dir/gamma", "");
    mkdir(host("dir/sub"), 0777);
    assert_int_equal(count(WIDE("*"), "./../alpha.txt/Beta.TXT/gamma/sub/"), 6);
    assert_int_equal(count(NULL, NULL), 6);
    assert_int_equal(count(WIDE("*.txt"), "alpha.txt/Beta.TXT/"), 2);
    assert_int_equal(count(WIDE("?amma"), "gamma/"), 1);
    assert_int_equal(count(WIDE("GAMMA"), "gamma/"), 1);
    assert_int_equal(count(WIDE("none"), ""), 0);
    assert_int_equal(count(WIDE("b*"), "Beta.TXT/"), 1);
    assert_int_equal(count(WIDE("<.TXT"), "alpha.txt/Beta.TXT/"), 2); /* DOS_STAR */
}

static void every_class(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        ULONG class, name;
    } rows[] = {{FileDirectoryInformation, 64},
                {FileFullDirectoryInformation, 68},
                {FileBothDirectoryInformation, 94},
                {FileIdBothDirectoryInformation, 104},
                {FileIdFullDirectoryInformation, 80}};
    struct stat now;
    mkdir(host("dir"), 0777);
    host_write("dir/file", "12345");
    stat(host("dir/file"), &now);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        _Alignas(8) UCHAR buffer[256];
        ULONG_PTR used;
        HANDLE directory = must_open(WIDE("\\dir"), FILE_READ_DATA);
        memset(buffer, 0xAA, sizeof(buffer));
        assert_int_equal(list(directory, buffer, rows[i].name - 1, rows[i].class, true, WIDE("f*"), false, &used),
                         STATUS_INFO_LENGTH_MISMATCH);
        assert_int_equal(list(directory, buffer, rows[i].name + 4, rows[i].class, true, WIDE("f*"), false, &used),
                         STATUS_BUFFER_OVERFLOW); /* half the name */
        assert_int_equal(used, rows[i].name + 4);
        assert_int_equal(buffer[used], 0xAA);
        assert_int_equal(list(directory, buffer, sizeof(buffer), rows[i].class, true, NULL, true, &used),
                         STATUS_SUCCESS);
        const FILE_DIRECTORY_INFORMATION *entry = (const FILE_DIRECTORY_INFORMATION *)buffer;
        assert_int_equal(used, rows[i].name + 8);
        assert_int_equal(entry->EndOfFile.QuadPart, 5);
        assert_int_equal(entry->FileAttributes, FILE_ATTRIBUTE_ARCHIVE);
        assert_int_equal(entry->FileNameLength, 8);
        assert_memory_equal(buffer + rows[i].name, WIDE("file"), 8);
        if (rows[i].class == FileIdBothDirectoryInformation)
            assert_int_equal(((FILE_ID_BOTH_DIR_INFORMATION *)buffer)->FileId.QuadPart, now.st_ino);
        assert_int_equal(list(directory, buffer, sizeof(buffer), rows[i].class, true, NULL, false, &used),
                         STATUS_NO_MORE_FILES);
        ZwClose(directory);
    }
}

static void a_large_folder(void **state)
{
    UNREFERENCED_PARAMETER(state);
    mkdir(host("dir"), 0777);
    for (int i = 0; i < 3000; i++) {
        char name[64];
        snprintf(name, sizeof(name), "dir/file number %d of many", i);
        host_write(name, "");
    }
    assert_int_equal(count(WIDE("*"), NULL), 3002);
    assert_int_equal(count(WIDE("*7 of*"), NULL), 300);
}

/* What Windows has no name for, and what is no file or folder, is not seen. */
static void hostile_names(void **state)
{
    UNREFERENCED_PARAMETER(state);
    mkdir(host("dir"), 0777);
    host_write("dir/good", "");
    host_write("dir/a:b", "");
    host_write("dir/a\\b", "");
    host_write("dir/a*b", "");
    host_write("dir/\xFF\xFE", "");
    host_write("dir/\x01", "");
    mkfifo(host("dir/fifo"), 0666);
    symlink("/etc/passwd", host("dir/link"));
    assert_int_equal(count(WIDE("*"), "./../good/"), 3);
}

static void wrong_queries(void **state)
{
    UNREFERENCED_PARAMETER(state);
    _Alignas(8) UCHAR buffer[256];
    ULONG_PTR used;
    host_write("file", "");
    HANDLE file = must_open(WIDE("\\file"), FILE_READ_DATA), directory = must_open(WIDE("\\"), FILE_READ_DATA);
    assert_int_equal(list(file, buffer, sizeof(buffer), FileNamesInformation, false, NULL, false, &used),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(list(directory, buffer, sizeof(buffer), 99, false, NULL, false, &used), STATUS_INVALID_INFO_CLASS);
    assert_int_equal(list(directory, buffer, sizeof(buffer), FileNamesInformation, true, WIDE("*"), false, &used),
                     STATUS_SUCCESS); /* the root has no "." */
    assert_int_equal(((FILE_NAMES_INFORMATION *)buffer)->FileNameLength, 8);
    unlink(host("file"));
    assert_int_equal(list(directory, buffer, sizeof(buffer), FileNamesInformation, false, NULL, true, &used),
                     STATUS_NO_SUCH_FILE);
    ZwClose(file);
    ZwClose(directory);
}

int run_listing_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(patterns, clean),       cmocka_unit_test_teardown(every_class, clean),
        cmocka_unit_test_teardown(a_large_folder, clean), cmocka_unit_test_teardown(hostile_names, clean),
        cmocka_unit_test_teardown(wrong_queries, clean),
    };
    return cmocka_run_group_tests_name("fs: directories", tests, NULL, NULL);
}
