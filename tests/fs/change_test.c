/* change_test.c - what is known of a file, what can be changed, and new names. */
#include "fs_test.h"
#include <sys/stat.h>
#include <unistd.h>

static void what_is_known_of_a_file(void **state)
{
    UNREFERENCED_PARAMETER(state);
    FILE_BASIC_INFORMATION basic;
    FILE_STANDARD_INFORMATION standard;
    FILE_NETWORK_OPEN_INFORMATION network;
    FILE_INTERNAL_INFORMATION internal;
    FILE_ACCESS_INFORMATION access;
    FILE_MODE_INFORMATION mode;
    struct stat now;
    ULONG_PTR used;
    mkdir(host("dir"), 0777);
    host_write("dir/file", "12345");
    stat(host("dir/file"), &now);
    HANDLE file = must_open(WIDE("\\dir\\file"), FILE_READ_DATA | FILE_READ_ATTRIBUTES);
    assert_int_equal(get_info(file, FileBasicInformation, &basic, sizeof(basic), &used), STATUS_SUCCESS);
    assert_int_equal(used, sizeof(basic));
    assert_int_equal(basic.FileAttributes, FILE_ATTRIBUTE_ARCHIVE);
    assert_int_equal(basic.LastWriteTime.QuadPart / 10000000 - 11644473600, now.st_mtime);
    assert_int_equal(get_info(file, FileStandardInformation, &standard, sizeof(standard), &used), STATUS_SUCCESS);
    assert_int_equal(standard.EndOfFile.QuadPart, 5);
    assert_int_equal(standard.NumberOfLinks, 1);
    assert_false(standard.Directory);
    assert_int_equal(get_info(file, FileNetworkOpenInformation, &network, sizeof(network), &used), STATUS_SUCCESS);
    assert_int_equal(network.EndOfFile.QuadPart, 5);
    assert_int_equal(get_info(file, FileInternalInformation, &internal, sizeof(internal), &used), STATUS_SUCCESS);
    assert_int_equal(internal.IndexNumber.QuadPart, now.st_ino);
    assert_int_equal(get_info(file, FileAccessInformation, &access, sizeof(access), &used), STATUS_SUCCESS);
    assert_int_equal(access.AccessFlags, FILE_READ_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE);
    assert_int_equal(get_info(file, FileModeInformation, &mode, sizeof(mode), &used), STATUS_SUCCESS);
    assert_int_equal(mode.Mode, FILE_SYNCHRONOUS_IO_NONALERT);
    assert_int_equal(get_info(file, FileBasicInformation, &basic, sizeof(basic) - 1, &used),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(get_info(file, 3, &basic, sizeof(basic), &used), STATUS_INVALID_INFO_CLASS);
    assert_int_equal(get_info(file, 1000, &basic, sizeof(basic), &used), STATUS_INVALID_INFO_CLASS);
    ZwClose(file);
}

static void a_file_tells_its_name(void **state)
{
    UNREFERENCED_PARAMETER(state);
    _Alignas(8) UCHAR buffer[256];
    FILE_NAME_INFORMATION *name = (FILE_NAME_INFORMATION *)buffer;
    ULONG_PTR used;
    mkdir(host("Dir"), 0777);
    host_write("Dir/File", "");
    HANDLE file = must_open(WIDE("\\dir\\FILE"), FILE_READ_DATA | FILE_READ_ATTRIBUTES);
    assert_int_equal(get_info(file, FileNameInformation, name, sizeof(buffer), &used), STATUS_SUCCESS);
    assert_int_equal(name->FileNameLength, 18);
    assert_int_equal(used, 22);
    assert_memory_equal(name->FileName, WIDE("\\Dir\\File"), 18);
    memset(buffer, 0xAA, sizeof(buffer));
    assert_int_equal(get_info(file, FileNameInformation, name, 12, &used), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(name->FileNameLength, 18);
    assert_memory_equal(name->FileName, WIDE("\\Dir"), 8);
    assert_int_equal(buffer[12], 0xAA);
    FILE_ALL_INFORMATION *all = (FILE_ALL_INFORMATION *)buffer;
    assert_int_equal(get_info(file, FileAllInformation, all, sizeof(buffer), &used), STATUS_SUCCESS);
    assert_int_equal(all->NameInformation.FileNameLength, 18);
    assert_int_equal(all->AccessInformation.AccessFlags, FILE_READ_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE);
    assert_int_equal(all->ModeInformation.Mode, FILE_SYNCHRONOUS_IO_NONALERT);
    ZwClose(file);
    file = must_open(WIDE("\\"), FILE_READ_DATA);
    assert_int_equal(get_info(file, FileNameInformation, name, sizeof(buffer), &used), STATUS_SUCCESS);
    assert_int_equal(name->FileNameLength, 2);
    ZwClose(file);
}

static void by_name_without_a_handle(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
    FILE_BASIC_INFORMATION basic;
    FILE_NETWORK_OPEN_INFORMATION network;
    host_write("file", "123");
    RtlInitUnicodeString(&name, WIDE("\\??\\C:\\file"));
    assert_int_equal(ZwQueryAttributesFile(&attributes, &basic), STATUS_SUCCESS);
    assert_int_equal(basic.FileAttributes, FILE_ATTRIBUTE_ARCHIVE);
    assert_int_equal(ZwQueryFullAttributesFile(&attributes, &network), STATUS_SUCCESS);
    assert_int_equal(network.EndOfFile.QuadPart, 3);
    RtlInitUnicodeString(&name, WIDE("\\??\\C:\\none"));
    assert_int_equal(ZwQueryAttributesFile(&attributes, &basic), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void sizes_and_times_change(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct stat now;
    host_write("file", "12345");
    HANDLE file = must_open(WIDE("\\file"), FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES);
    LARGE_INTEGER size = {.QuadPart = 3};
    assert_int_equal(set_info(file, FileEndOfFileInformation, &size, sizeof(size)), STATUS_SUCCESS);
    stat(host("file"), &now);
    assert_int_equal(now.st_size, 3);
    size.QuadPart = 100;
    assert_int_equal(set_info(file, FileAllocationInformation, &size, sizeof(size)), STATUS_SUCCESS);
    stat(host("file"), &now);
    assert_int_equal(now.st_size, 3); /* more room is no more contents */
    size.QuadPart = 1;
    assert_int_equal(set_info(file, FileAllocationInformation, &size, sizeof(size)), STATUS_SUCCESS);
    stat(host("file"), &now);
    assert_int_equal(now.st_size, 1);
    size.QuadPart = -1;
    assert_int_equal(set_info(file, FileEndOfFileInformation, &size, sizeof(size)), STATUS_INVALID_PARAMETER);
    FILE_BASIC_INFORMATION basic = {.LastWriteTime.QuadPart = (11644473600ll + 1000000000) * 10000000,
                                    .FileAttributes = FILE_ATTRIBUTE_READONLY};
    assert_int_equal(set_info(file, FileBasicInformation, &basic, sizeof(basic)), STATUS_SUCCESS);
    stat(host("file"), &now);
    assert_int_equal(now.st_mtime, 1000000000);
    assert_int_equal(now.st_mode & 0222, 0);
    basic.FileAttributes = FILE_ATTRIBUTE_DIRECTORY;
    assert_int_equal(set_info(file, FileBasicInformation, &basic, sizeof(basic)), STATUS_INVALID_PARAMETER);
    ZwClose(file);
}

static void positions(void **state)
{
    UNREFERENCED_PARAMETER(state);
    FILE_POSITION_INFORMATION position = {.CurrentByteOffset.QuadPart = 7};
    host_write("file", "12345");
    HANDLE file = must_open(WIDE("\\file"), FILE_READ_DATA);
    assert_int_equal(set_info(file, FilePositionInformation, &position, sizeof(position)), STATUS_SUCCESS);
    position.CurrentByteOffset.QuadPart = 0;
    assert_int_equal(get_info(file, FilePositionInformation, &position, sizeof(position), NULL), STATUS_SUCCESS);
    assert_int_equal(position.CurrentByteOffset.QuadPart, 7);
    position.CurrentByteOffset.QuadPart = -1;
    assert_int_equal(set_info(file, FilePositionInformation, &position, sizeof(position)), STATUS_INVALID_PARAMETER);
    ZwClose(file);
}

static void new_names(void **state)
{
    UNREFERENCED_PARAMETER(state);
    _Alignas(8) UCHAR buffer[128];
    FILE_NAME_INFORMATION *name = (FILE_NAME_INFORMATION *)buffer;
    host_write("one", "1");
    host_write("two", "2");
    mkdir(host("dir"), 0777);
    HANDLE file = must_open(WIDE("\\one"), DELETE);
    assert_int_equal(rename_to(file, NULL, WIDE("TWO"), false), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(rename_to(file, NULL, WIDE("a*"), false), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(rename_to(file, NULL, WIDE(".."), false), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(rename_to(file, NULL, WIDE("One"), false), STATUS_SUCCESS); /* the case alone */
    assert_true(host_exists("One") && !host_exists("one"));
    assert_int_equal(rename_to(file, NULL, WIDE("\\??\\C:\\dir\\three"), false), STATUS_SUCCESS);
    assert_true(host_exists("dir/three") && !host_exists("One"));
    assert_int_equal(get_info(file, FileNameInformation, name, sizeof(buffer), NULL), STATUS_SUCCESS);
    assert_memory_equal(name->FileName, WIDE("\\dir\\three"), 20);
    HANDLE other = must_open(WIDE("\\two"), FILE_READ_DATA);
    assert_int_equal(rename_to(file, NULL, WIDE("\\??\\C:\\two"), true), STATUS_ACCESS_DENIED); /* it is open */
    ZwClose(other);
    assert_int_equal(rename_to(file, NULL, WIDE("\\??\\C:\\TWO"), true), STATUS_SUCCESS);
    assert_true(host_exists("TWO") && !host_exists("two") && !host_exists("dir/three"));
    HANDLE directory = must_open(WIDE("\\dir"), FILE_READ_DATA);
    assert_int_equal(rename_to(file, directory, WIDE("four"), false), STATUS_SUCCESS);
    ZwClose(directory);
    assert_true(host_exists("dir/four"));
    assert_int_equal(rename_to(file, NULL, WIDE("\\??\\C:\\none\\x"), false), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(rename_to(file, NULL, WIDE("\\??\\C:\\..\\x"), false), STATUS_OBJECT_NAME_INVALID);
    symlink(outside, host("link"));
    assert_int_equal(rename_to(file, NULL, WIDE("\\??\\C:\\link\\x"), false), STATUS_ACCESS_DENIED);
    assert_int_equal(rename_to(file, NULL, WIDE("\\??\\C:\\link"), true), STATUS_ACCESS_DENIED);
    ZwClose(file);
    assert_true(host_exists("dir/four"));
}

static void directories_get_new_names_when_nothing_in_them_is_open(void **state)
{
    UNREFERENCED_PARAMETER(state);
    mkdir(host("dir"), 0777);
    mkdir(host("dir/sub"), 0777);
    host_write("dir/sub/file", "");
    HANDLE directory = must_open(WIDE("\\dir"), DELETE), file = must_open(WIDE("\\dir\\sub\\file"), FILE_READ_DATA);
    assert_int_equal(rename_to(directory, NULL, WIDE("new"), false), STATUS_ACCESS_DENIED);
    ZwClose(file);
    assert_int_equal(rename_to(directory, NULL, WIDE("\\??\\C:\\dir\\sub\\new"), false), STATUS_ACCESS_DENIED);
    assert_int_equal(rename_to(directory, NULL, WIDE("new"), false), STATUS_SUCCESS);
    ZwClose(directory);
    assert_int_equal(look(WIDE("\\new\\sub\\file")), STATUS_SUCCESS);
}

static void lengths_in_a_rename_are_checked(void **state)
{
    UNREFERENCED_PARAMETER(state);
    _Alignas(8) UCHAR buffer[64] = {0};
    FILE_RENAME_INFORMATION *rename = (FILE_RENAME_INFORMATION *)buffer;
    static const ULONG bad[] = {0, 1, 46, 1000, 0x80000000, 0xFFFFFFFE};
    host_write("file", "");
    HANDLE file = must_open(WIDE("\\file"), DELETE);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(bad); i++) {
        rename->FileNameLength = bad[i];
        assert_int_equal(set_info(file, FileRenameInformation, buffer, sizeof(buffer)), STATUS_INVALID_PARAMETER);
    }
    ZwClose(file);
}

static void the_volume(void **state)
{
    UNREFERENCED_PARAMETER(state);
    _Alignas(8) UCHAR buffer[64];
    IO_STATUS_BLOCK io;
    HANDLE volume = must_open(WIDE(""), FILE_READ_ATTRIBUTES);
    assert_int_equal(ZwQueryVolumeInformationFile(volume, &io, buffer, 64, FileFsSizeInformation), STATUS_SUCCESS);
    assert_int_equal(((FILE_FS_SIZE_INFORMATION *)buffer)->BytesPerSector, 512);
    assert_int_equal(ZwQueryVolumeInformationFile(volume, &io, buffer, 64, FileFsFullSizeInformation), STATUS_SUCCESS);
    assert_int_equal(ZwQueryVolumeInformationFile(volume, &io, buffer, 64, FileFsVolumeInformation), STATUS_SUCCESS);
    assert_int_equal(io.Information, offsetof(FILE_FS_VOLUME_INFORMATION, VolumeLabel) + 6);
    assert_int_equal(ZwQueryVolumeInformationFile(volume, &io, buffer, 64, FileFsDeviceInformation), STATUS_SUCCESS);
    assert_int_equal(((FILE_FS_DEVICE_INFORMATION *)buffer)->DeviceType, FILE_DEVICE_DISK);
    assert_int_equal(ZwQueryVolumeInformationFile(volume, &io, buffer, 64, FileFsAttributeInformation), STATUS_SUCCESS);
    assert_int_equal(ZwQueryVolumeInformationFile(volume, &io, buffer, 16, FileFsAttributeInformation),
                     STATUS_BUFFER_OVERFLOW);
    assert_int_equal(ZwQueryVolumeInformationFile(volume, &io, buffer, 8, FileFsSizeInformation),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwQueryVolumeInformationFile(volume, &io, buffer, 64, 99), STATUS_INVALID_INFO_CLASS);
    ZwClose(volume);
}

int run_change_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_known_of_a_file, clean),
        cmocka_unit_test_teardown(a_file_tells_its_name, clean),
        cmocka_unit_test_teardown(by_name_without_a_handle, clean),
        cmocka_unit_test_teardown(sizes_and_times_change, clean),
        cmocka_unit_test_teardown(positions, clean),
        cmocka_unit_test_teardown(new_names, clean),
        cmocka_unit_test_teardown(directories_get_new_names_when_nothing_in_them_is_open, clean),
        cmocka_unit_test_teardown(lengths_in_a_rename_are_checked, clean),
        cmocka_unit_test_teardown(the_volume, clean),
    };
    return cmocka_run_group_tests_name("fs: information", tests, NULL, NULL);
}
