/* escape_test.c - every way out of the folder behind C: must end in a status: links of each kind, special files, and
 * a host that swaps them in while names are looked up. */
#include "fs_test.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void secret(void)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/secret", outside);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("SECRET", file);
    fclose(file);
}

static void make_link(const char *target, const char *name)
{
    assert_int_equal(symlink(target, host(name)), 0);
}

static void links_are_not_followed(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct opened opened;
    char path[128];
    secret();
    mkdir(host("inside"), 0777);
    host_write("inside/file", "x");
    snprintf(path, sizeof(path), "%s/secret", outside);
    make_link(outside, "absolute");
    make_link(path, "absolute_file");
    make_link("../../../../../../etc", "relative");
    make_link("inside", "even_inside");
    make_link("/proc/self/root", "magic");
    make_link("/proc/self/cwd", "magic_cwd");
    make_link("loop", "loop");
    make_link("/does/not/exist", "dangling");
    static const WCHAR *const names[] = {
        WIDE("\\absolute\\secret"),
        WIDE("\\absolute"),
        WIDE("\\absolute_file"),
        WIDE("\\relative\\passwd"),
        WIDE("\\even_inside\\file"),
        WIDE("\\magic\\etc\\passwd"),
        WIDE("\\magic"),
        WIDE("\\magic_cwd"),
        WIDE("\\loop"),
        WIDE("\\loop\\a"),
        WIDE("\\dangling"),
        WIDE("\\ABSOLUTE\\secret"),
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(names); i++) {
        static const ULONG dispositions[] = {FILE_OPEN, FILE_OPEN_IF, FILE_OVERWRITE_IF, FILE_SUPERSEDE};
        for (SIZE_T k = 0; k < RTL_NUMBER_OF(dispositions); k++)
            assert_int_equal(create(names[i], FILE_READ_DATA, SHARE_ALL, dispositions[k], 0, &opened),
                             STATUS_ACCESS_DENIED);
    }
    assert_int_equal(create(WIDE("\\absolute_file"), DELETE, SHARE_ALL, FILE_OPEN, FILE_DELETE_ON_CLOSE, &opened),
                     STATUS_ACCESS_DENIED);
    assert_int_equal(access(path, F_OK), 0);
    assert_false(access("/does/not/exist", F_OK) == 0);
}

static void special_files_are_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct opened opened;
    assert_int_equal(mkfifo(host("fifo"), 0666), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", host("socket"));
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    static const WCHAR *const names[] = {WIDE("\\fifo"), WIDE("\\socket")};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(names); i++)
        for (ULONG disposition = FILE_SUPERSEDE; disposition <= FILE_OVERWRITE_IF; disposition++)
            if (disposition != FILE_CREATE) /* would wait for the other end, if it were opened */
                assert_int_equal(create(names[i], FILE_READ_DATA, SHARE_ALL, disposition, 0, &opened),
                                 STATUS_ACCESS_DENIED);
    close(server);
    if (mknod(host("null"), S_IFCHR | 0666, 1 << 8 | 3) == 0) /* as root only */
        assert_int_equal(look(WIDE("\\null")), STATUS_ACCESS_DENIED);
}

/* The host exchanges a folder and a link to the outside, all the time. */
static _Atomic(bool) stop;

static void *swap(void *context)
{
    UNREFERENCED_PARAMETER(context);
    char one[128], two[128];
    snprintf(one, sizeof(one), "%s/door", root);
    snprintf(two, sizeof(two), "%s/link", root);
    while (!stop)
        syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, two, 2 /* RENAME_EXCHANGE */);
    return NULL;
}

static void a_host_that_swaps_links_in_gains_nothing(void **state)
{
    UNREFERENCED_PARAMETER(state);
    pthread_t thread;
    ULONG opened_count = 0, denied = 0;
    secret();
    mkdir(host("door"), 0777);
    host_write("door/secret", "public");
    make_link(outside, "link");
    stop = false;
    assert_int_equal(pthread_create(&thread, NULL, swap, NULL), 0);
    for (int i = 0; i < 20000; i++) {
        struct opened opened;
        char text[7] = {0};
        IO_STATUS_BLOCK io;
        NTSTATUS status = create(WIDE("\\door\\secret"), FILE_READ_DATA, SHARE_ALL, FILE_OPEN, 0, &opened);
        if (!NT_SUCCESS(status)) {
            assert_int_equal(status, STATUS_ACCESS_DENIED);
            denied++;
            continue;
        }
        LARGE_INTEGER start = {.QuadPart = 0};
        assert_int_equal(ZwReadFile(opened.handle, NULL, NULL, NULL, &io, text, 6, &start, NULL), STATUS_SUCCESS);
        assert_string_equal(text, "public");
        ZwClose(opened.handle);
        opened_count++;
    }
    stop = true;
    pthread_join(thread, NULL);
    print_message("%u opened, %u denied\n", (unsigned)opened_count, (unsigned)denied);
    assert_true(opened_count && denied);
}

/* Files that come and go while they are created and deleted. */
static void *flicker(void *context)
{
    UNREFERENCED_PARAMETER(context);
    char path[128];
    snprintf(path, sizeof(path), "%s/flicker", root);
    while (!stop) {
        int file = open(path, O_CREAT | O_RDWR, 0666);
        if (file >= 0)
            close(file);
        unlink(path);
    }
    return NULL;
}

static void a_host_that_makes_and_removes_files(void **state)
{
    UNREFERENCED_PARAMETER(state);
    pthread_t thread;
    stop = false;
    assert_int_equal(pthread_create(&thread, NULL, flicker, NULL), 0);
    for (int i = 0; i < 5000; i++) {
        struct opened opened;
        NTSTATUS status = create(WIDE("\\flicker"), FILE_READ_DATA | DELETE, SHARE_ALL, (ULONG)i % 6,
                                 i % 7 ? 0 : FILE_DELETE_ON_CLOSE, &opened);
        assert_true(status == STATUS_SUCCESS || status == STATUS_OBJECT_NAME_NOT_FOUND ||
                    status == STATUS_OBJECT_NAME_COLLISION);
        if (NT_SUCCESS(status))
            assert_int_equal(ZwClose(opened.handle), STATUS_SUCCESS);
    }
    stop = true;
    pthread_join(thread, NULL);
}

int run_escape_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(links_are_not_followed, clean),
        cmocka_unit_test_teardown(special_files_are_refused, clean),
        cmocka_unit_test_teardown(a_host_that_swaps_links_in_gains_nothing, clean),
        cmocka_unit_test_teardown(a_host_that_makes_and_removes_files, clean),
    };
    return cmocka_run_group_tests_name("fs: ways out", tests, NULL, NULL);
}
