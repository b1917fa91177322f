/*
 * test_refuse.c - files that are not drivers, or no longer: each is refused with one line, or loaded and taken out
 * again. No driver code runs; no export is known.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ldr.h"
#include "plat.h"
#include "uma_kernel.h"

static const char *folder, *corpus;

static int setup(void **state)
{
    (void)state;
    struct plat_options options = {.protect = PLAT_PROTECT_AUTO};
    assert_int_equal(plat_init(&options), STATUS_SUCCESS);
    assert_int_equal(uma_init(plat_protect_in_use()), STATUS_SUCCESS);
    return 0;
}

static void refuse(const char *path, const char *expected)
{
    char error[LDR_ERROR_MAX], whole[LDR_ERROR_MAX + 1024];
    struct ldr_image *image = (void *)1;
    assert_true(ldr_load(path, &image, error) < 0);
    assert_null(image);
    snprintf(whole, sizeof(whole), "%s: %s", path, expected);
    assert_string_equal(error, whole);
    assert_null(ldr_first());
}

static void refuse_fixture(const char *name, const char *expected)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    refuse(path, expected);
}

static void test_refused_images(void **state)
{
    (void)state;
    refuse_fixture("fixed.sys", "linked for a fixed address (no relocations); link it without /FIXED");
    refuse_fixture("native_program.sys", "native user-mode program (imports from ntdll.dll), not a driver");
    refuse_fixture("program.sys", "user-mode program, not a driver (its subsystem is not native)");
    refuse_fixture("library.sys", "user-mode DLL, not a driver (its subsystem is not native)");
    refuse_fixture("plain.pdb", "not a Windows driver (no MZ header)");
    refuse("/proc/self/exe", "not a Windows driver (no MZ header)");
}

static void test_refused_files(void **state)
{
    (void)state;
    char path[] = "/tmp/uma-ldr-XXXXXX", name[64], error[LDR_ERROR_MAX], long_path[2048];
    assert_non_null(mkdtemp(path));
    refuse(path, "is a directory, not a driver file");
    refuse("/dev/null", "not a regular file");
    snprintf(name, sizeof(name), "%s/absent.sys", path);
    refuse(name, "No such file or directory");
    snprintf(name, sizeof(name), "%s/pipe.sys", path);
    assert_int_equal(mkfifo(name, 0600), 0);
    refuse(name, "not a regular file"); /* and does not wait for a writer */
    unlink(name);
    snprintf(name, sizeof(name), "%s/empty.sys", path);
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fclose(file);
    refuse(name, "empty file");
    assert_int_equal(truncate(name, 257l << 20), 0);
    refuse(name, "file larger than 256 MB");
    if (geteuid() != 0) {
        assert_int_equal(truncate(name, 5), 0);
        assert_int_equal(chmod(name, 0), 0);
        refuse(name, "Permission denied");
    }
    unlink(name);
    rmdir(path);
    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = 0;
    struct ldr_image *image;
    assert_true(ldr_load(long_path, &image, error) < 0);
    assert_non_null(strstr(error, ": path too long"));
    assert_true(ldr_load("no\nsuch\033file", &image, error) < 0);
    assert_string_equal(error, "no?such?file: No such file or directory");
}

/* Loads what file holds, if it is accepted, and takes it out again: nothing of it runs. */
static bool survives(int file, const void *data, SIZE_T size)
{
    char path[64], error[LDR_ERROR_MAX];
    struct ldr_image *image;
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, data, size, 0), size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    if (ldr_load(path, &image, error) < 0) {
        assert_null(strchr(error, '\n'));
        return false;
    }
    ldr_discard_init(image);
    ldr_unload(image);
    return true;
}

static SIZE_T read_whole(const char *directory, const char *name, UCHAR *data, SIZE_T size)
{
    char path[2048];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    SIZE_T got = fread(data, 1, size, stream);
    fclose(stream);
    return got;
}

/* The fuzzer covers the parser alone; here its corpus goes through mapping, binding and protecting too. */
static void test_corpus_is_loaded_or_refused(void **state)
{
    (void)state;
    static UCHAR data[65536];
    int file = memfd_create("driver", MFD_CLOEXEC), files = 0, loaded = 0;
    DIR *directory = opendir(corpus);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        files++;
        loaded += survives(file, data, read_whole(corpus, entry->d_name, data, sizeof(data)));
    }
    closedir(directory);
    close(file);
    print_message("%d of %d corpus files load\n", loaded, files);
    assert_true(loaded > 5 && loaded < files);
    assert_null(ldr_first());
}

/* A driver with a few bytes of its headers and tables changed, the same way in every run. */
static void test_changed_drivers_are_loaded_or_refused(void **state)
{
    (void)state;
    static UCHAR honest[65536], data[65536];
    static const UCHAR values[] = {0, 1, 7, 0x40, 0x7f, 0x80, 0xf0, 0xff};
    SIZE_T size = read_whole(folder, "plain.sys", honest, sizeof(honest));
    int file = memfd_create("driver", MFD_CLOEXEC), loaded = 0;
    ULONG random = 12345;
    for (int round = 0; round < 3000; round++) {
        memcpy(data, honest, size);
        for (int change = 0; change <= round % 3; change++) {
            random = random * 1664525 + 1013904223;
            data[(random >> 8) % size] = values[(random >> 4) % RTL_NUMBER_OF(values)];
        }
        loaded += survives(file, data, size);
    }
    close(file);
    print_message("%d of 3000 changed drivers load\n", loaded);
    assert_true(loaded > 100 && loaded < 3000);
    assert_null(ldr_first());
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_images),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_corpus_is_loaded_or_refused),
        cmocka_unit_test(test_changed_drivers_are_loaded_or_refused),
    };
    if (argc != 3) {
        fprintf(stderr, "usage: %s FIXTURES CORPUS\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    corpus = argv[2];
    return cmocka_run_group_tests(tests, setup, NULL);
}
