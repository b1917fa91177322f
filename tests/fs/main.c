/* main.c - starts the kernel with a folder of the host behind C:, runs the suites, removes the folder. */
#include "fs_test.h"
#include "../start_kernel.h"
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

char root[64] = "/tmp/uma-fs-test-XXXXXX";
char outside[64] = "/tmp/uma-fs-outside-XXXXXX";

const char *host(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
    return path;
}

void host_write(const char *name, const char *text)
{
    FILE *file = fopen(host(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

bool host_exists(const char *name)
{
    struct stat stat;
    return lstat(host(name), &stat) == 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *level)
{
    UNREFERENCED_PARAMETER(stat);
    UNREFERENCED_PARAMETER(type);
    return level->level ? remove(path) : 0;
}

int clean(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static NTSTATUS create_named(HANDLE directory, const WCHAR *path, ACCESS_MASK access, ULONG share, ULONG disposition,
                             ULONG options, struct opened *opened)
{
    UNICODE_STRING name;
    IO_STATUS_BLOCK io = {0};
    RtlInitUnicodeString(&name, path);
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
                                    .RootDirectory = directory,
                                    .ObjectName = &name,
                                    .Attributes = OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE};
    NTSTATUS status = ZwCreateFile(&opened->handle, access | SYNCHRONIZE, &attributes, &io, NULL, FILE_ATTRIBUTE_NORMAL,
                                   share, disposition, options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    opened->information = io.Information;
    return status;
}

NTSTATUS create(const WCHAR *name, ACCESS_MASK access, ULONG share, ULONG disposition, ULONG options,
                struct opened *opened)
{
    WCHAR path[1024] = {'\\', '?', '?', '\\', 'C', ':'};
    SIZE_T i = 0;
    while ((path[6 + i] = name[i]))
        i++;
    return create_named(NULL, path, access, share, disposition, options, opened);
}

NTSTATUS create_at(HANDLE directory, const WCHAR *name, ULONG disposition, ULONG options, struct opened *opened)
{
    return create_named(directory, name, FILE_READ_DATA, SHARE_ALL, disposition, options, opened);
}

NTSTATUS look(const WCHAR *name)
{
    struct opened opened;
    NTSTATUS status = create(name, FILE_READ_DATA, SHARE_ALL, FILE_OPEN, 0, &opened);
    if (NT_SUCCESS(status))
        assert_int_equal(ZwClose(opened.handle), STATUS_SUCCESS);
    return status;
}

HANDLE must_open(const WCHAR *name, ACCESS_MASK access)
{
    struct opened opened;
    assert_int_equal(create(name, access, SHARE_ALL, FILE_OPEN, 0, &opened), STATUS_SUCCESS);
    return opened.handle;
}

NTSTATUS set_info(HANDLE file, ULONG class, const void *data, ULONG length)
{
    IO_STATUS_BLOCK io;
    return ZwSetInformationFile(file, &io, (PVOID)data, length, class);
}

NTSTATUS get_info(HANDLE file, ULONG class, void *data, ULONG length, ULONG_PTR *used)
{
    IO_STATUS_BLOCK io = {0};
    NTSTATUS status = ZwQueryInformationFile(file, &io, data, length, class);
    if (used)
        *used = io.Information;
    return status;
}

NTSTATUS mark_deleted(HANDLE file, bool delete)
{
    BOOLEAN wanted = delete;
    return set_info(file, FileDispositionInformation, &wanted, sizeof(wanted));
}

NTSTATUS rename_to(HANDLE file, HANDLE directory, const WCHAR *name, bool replace)
{
    _Alignas(8) UCHAR buffer[512] = {0};
    FILE_RENAME_INFORMATION *rename = (FILE_RENAME_INFORMATION *)buffer;
    UNICODE_STRING text;
    RtlInitUnicodeString(&text, name);
    rename->ReplaceIfExists = replace;
    rename->RootDirectory = directory;
    rename->FileNameLength = text.Length;
    memcpy(rename->FileName, text.Buffer, text.Length);
    return set_info(file, FileRenameInformation, buffer, sizeof(buffer));
}

static int run(void)
{
    int unusable = start_kernel();
    if (unusable)
        return unusable;
    NTSTATUS status = fs_start(root);
    if (!NT_SUCCESS(status)) {
        fprintf(stderr, "fs_start: 0x%08x\n", (unsigned)status);
        return 1;
    }
    look(WIDE("\\"));                 /* makes the kernel's handle table */
    int failed = run_section_tests(); /* first: a table grows for the views; it counts for itself */
    SIZE_T before = mm_pool_bytes_in_use(MM_POOL_KERNEL);
    failed += run_create_tests() + run_escape_tests() + run_share_tests() + run_change_tests() + run_listing_tests() +
              run_transfer_tests();
    if (io_leaks(NULL, NULL)) {
        fprintf(stderr, "the volume counts as left behind\n");
        failed++;
    }
    if (mm_pool_bytes_in_use(MM_POOL_KERNEL) != before) {
        fprintf(stderr, "pool is left over\n");
        failed++;
    }
    return failed ? 1 : 0;
}

int main(void)
{
    if (!mkdtemp(root) || !mkdtemp(outside))
        return 1;
    int result = run();
    clean(NULL);
    rmdir(root);
    nftw(outside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    rmdir(outside);
    return result;
}
