/*
 * test_load.c - loads the fixtures with an export table of its own and lets them show that the loader did its work.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch.h"
#include "ldr.h"
#include "pe_parse.h"
#include "plat.h"
#include "uma_kernel.h"

/* As in fixture.c. */
struct fixture_table {
    ULONG64 magic;
    ULONG64 *cookie;
    void *guard_check;
    void *guard_dispatch;
    ULONG64 *uma;
    ULONG64(NTAPI *call_known)(ULONG64);
    void *(NTAPI *read_data)(void);
    void(NTAPI *call_unknown)(void);
    void(NTAPI *call_ordinal)(void);
    void(NTAPI *call_stub)(void);
    void *(NTAPI *read_missing_data)(void);
    ULONG64(NTAPI *discardable)(void);
};
typedef struct fixture_table *NTAPI driver_entry(void *driver, void *path);

static const char *folder;
static char *data_export = (char *)(ULONG_PTR)0x12345678;

static ULONG64 NTAPI fixture_call(ULONG64 value)
{
    return value * 3;
}

static void NTAPI fixture_stub(void)
{
}

static struct ldr_export rows[] = {
    {"memset", (void *)(ULONG_PTR)fixture_stub, LDR_EXPORT_DONE, false},
    {"FixtureStub", (void *)(ULONG_PTR)fixture_stub, LDR_EXPORT_STUB, false},
    {"SeExportsStandIn", NULL, LDR_EXPORT_STUB, true},
    {"FixtureData", &data_export, LDR_EXPORT_DATA, true},
    {"FixtureCall", (void *)(ULONG_PTR)fixture_call, LDR_EXPORT_DONE, false},
};
static const struct ldr_export_table table = {rows, RTL_NUMBER_OF(rows)};

static int setup(void **state)
{
    (void)state;
    struct plat_options options = {.protect = PLAT_PROTECT_AUTO};
    assert_int_equal(plat_init(&options), STATUS_SUCCESS);
    assert_int_equal(plat_thread_attach(), STATUS_SUCCESS);
    assert_int_equal(uma_init(plat_protect_in_use()), STATUS_SUCCESS);
    assert_int_equal(seh_thread_init(), STATUS_SUCCESS);
    ldr_set_exports(&table);
    return 0;
}

static struct ldr_image *load(const char *name)
{
    char path[1024], error[LDR_ERROR_MAX] = "";
    struct ldr_image *image;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    NTSTATUS status = ldr_load(path, &image, error);
    assert_string_equal(error, "");
    assert_int_equal(status, STATUS_SUCCESS);
    assert_non_null(image);
    return image;
}

static struct fixture_table *start(const struct ldr_image *image)
{
    struct fixture_table *fixture = ((driver_entry *)image->entry)(NULL, NULL);
    assert_int_equal(fixture->magic, 0x66697874);
    return fixture;
}

/* Everything a driver needs of its loader, whatever the file's layout. */
static void check_driver(const char *name, ULONG notes)
{
    struct ldr_image *image = load(name);
    assert_true((ULONG_PTR)image->base >= plat_layout.system_start);
    struct fixture_table *fixture = start(image);
    assert_ptr_equal(ldr_find((ULONG_PTR)fixture), image);
    assert_ptr_equal(seh_image_find(image->entry), &image->seh);
    assert_int_equal(fixture->call_known(14), 43);
    assert_ptr_equal(fixture->read_data(), data_export);
    assert_int_not_equal(*fixture->cookie, 0x2B992DDFA232ull);
    assert_int_not_equal(*fixture->cookie, 0);
    assert_int_equal(*fixture->cookie >> 48, 0);
    assert_int_equal(fixture->discardable(), 0x1717);
    assert_int_equal(image->notes, notes);
    ldr_unload(image);
    assert_null(ldr_first());
}

static void test_layouts(void **state)
{
    (void)state;
    check_driver("plain.sys", 0);
    check_driver("dwarf.sys", 0);
    check_driver("align64k.sys", 0);
    check_driver("filealign.sys", 0);
    check_driver("merged.sys", 0);
    check_driver("norebase.sys", 0);
    check_driver("short_config.sys", 0);
    check_driver("align32.sys", LDR_NOTE_WRITE_EXECUTE);
    check_driver("writable_code.sys", LDR_NOTE_WRITE_EXECUTE);
    check_driver("delayed.sys", LDR_NOTE_DELAY);
}

static void test_two_images_at_once(void **state)
{
    (void)state;
    struct ldr_image *first = load("plain.sys"), *second = load("plain.sys");
    assert_ptr_not_equal(first->base, second->base);
    assert_ptr_not_equal(start(first), start(second));
    assert_int_not_equal(*start(first)->cookie, *start(second)->cookie);
    ldr_unload(first);
    assert_int_equal(start(second)->call_known(1), 4);
    ldr_unload(second);
}

static void test_cookie_beyond_a_short_configuration_is_set(void **state)
{
    (void)state;
    struct ldr_image *image =
        load("short_config.sys"); /* its size is 0x60: the cookie, no guard pointers, no UMA table */
    struct fixture_table *fixture = start(image);
    assert_int_not_equal(*fixture->cookie, 0x2B992DDFA232ull);
    assert_ptr_equal(fixture->guard_check, (void *)1);
    assert_int_equal(image->uma_table, 0);
    assert_int_equal(fixture->uma[0], 0);
    ldr_unload(image);
}

static void test_guard_pointers(void **state)
{
    (void)state;
    struct ldr_image *image = load("plain.sys");
    struct fixture_table *fixture = start(image);
    ((void(NTAPI *)(void *))fixture->guard_check)((void *)8); /* returns, whatever the target */
    ULONG64 result;
    __asm__ volatile("sub $0x28, %%rsp; call *%[dispatch]; add $0x28, %%rsp"
                     : "=a"(result)
                     : "a"(fixture->call_known), "c"(5ull), [dispatch] "r"(fixture->guard_dispatch)
                     : "rdx", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5");
    assert_int_equal(result, 16);
    ldr_unload(image);
}

static void test_uma_table_is_filled_and_read_only(void **state)
{
    (void)state;
    struct ldr_image *image = load("plain.sys");
    struct fixture_table *fixture = start(image);
    assert_int_equal(image->uma_table, (ULONG_PTR)fixture->uma);
    for (int slot = 0; slot < 23; slot++)
        assert_int_not_equal(fixture->uma[slot], 0);
    for (int slot = 23; slot < 42; slot++)
        assert_int_equal(fixture->uma[slot], 0); /* reserved */
    assert_null(ldr_find(fixture->uma[0]));      /* ours, not the driver's */
    ldr_unload(image);
}

/* The permissions of the page at address, from /proc/self/maps: "r-xp". */
static void permissions(const void *address, char text[5])
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    strcpy(text, "none");
    while (fgets(line, sizeof(line), maps)) {
        unsigned long low, high;
        char found[5];
        if (sscanf(line, "%lx-%lx %4s", &low, &high, found) == 3 && (ULONG_PTR)address >= low &&
            (ULONG_PTR)address < high)
            memcpy(text, found, 5);
    }
    fclose(maps);
}

static void check_permissions(const struct ldr_image *image, const char *section, const char *expected)
{
    for (ULONG i = 0; i < image->pe->section_count; i++) {
        char found[5];
        if (strcmp(image->pe->sections[i].name, section))
            continue;
        permissions(image->base + image->pe->sections[i].rva, found);
        found[3] = 0;
        assert_string_equal(found, expected);
        return;
    }
    fail_msg("no section %s", section);
}

static void test_section_protections_and_discard(void **state)
{
    (void)state;
    struct ldr_image *image = load("plain.sys");
    check_permissions(image, ".text", "r-x");
    check_permissions(image, ".rdata", "r--");
    check_permissions(image, ".data", "rw-");
    check_permissions(image, ".pdata", "r--");
    check_permissions(image, "INIT", "r-x");
    ldr_discard_init(image);
    check_permissions(image, "INIT", "---");
    check_permissions(image, ".reloc", "---");
    check_permissions(image, ".text", "r-x");
    assert_int_equal(start(image)->call_known(2), 7);
    ldr_unload(image);
}

static void test_import_states(void **state)
{
    static const struct {
        const char *module, *name;
        enum ldr_export_state state;
    } expected[] = {
        {"ntoskrnl.exe", "FixtureCall", LDR_EXPORT_DONE}, {"ntoskrnl.exe", "FixtureData", LDR_EXPORT_DATA},
        {"ntoskrnl.exe", "FixtureStub", LDR_EXPORT_STUB}, {"ntoskrnl.exe", "SeExportsStandIn", LDR_EXPORT_STUB},
        {"other.sys", "OtherCall", LDR_EXPORT_UNKNOWN},   {"other.sys", "#7", LDR_EXPORT_UNKNOWN},
    };
    (void)state;
    static const char *const files[] = {"plain.sys", "delayed.sys"};
    for (SIZE_T f = 0; f < RTL_NUMBER_OF(files); f++) {
        struct ldr_image *image = load(files[f]);
        assert_int_equal(image->import_count, RTL_NUMBER_OF(expected));
        for (ULONG i = 0; i < image->import_count; i++) {
            assert_string_equal(image->imports[i].module, expected[i].module);
            assert_string_equal(image->imports[i].name, expected[i].name);
            assert_int_equal(image->imports[i].state, expected[i].state);
        }
        ldr_unload(image);
    }
}

/* Runs call in a child and gives what it wrote to standard error; returns its exit status. */
static int output_of(void(NTAPI *call)(void), char *text, SIZE_T size)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        plat_fork_child();
        call();
        _exit(99);
    }
    close(ends[1]);
    SIZE_T used = 0;
    ssize_t got;
    while (used < size - 1 && (got = read(ends[0], text + used, size - 1 - used)) > 0)
        used += (SIZE_T)got;
    text[used] = 0;
    close(ends[0]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void test_unknown_import_stops_when_called(void **state)
{
    (void)state;
    char text[4096];
    struct ldr_image *image = load("plain.sys");
    struct fixture_table *fixture = start(image);
    assert_int_equal(output_of(fixture->call_unknown, text, sizeof(text)), 1);
    assert_non_null(
        strstr(text, "uma: driver plain called unimplemented export other.sys!OtherCall at plain!call_unknown+0x"));
    assert_non_null(strstr(text, "fixture.c:"));
    assert_int_equal(output_of(fixture->call_ordinal, text, sizeof(text)), 1);
    assert_non_null(strstr(text, "unimplemented export other.sys!#7 at plain!call_ordinal+0x"));
    ldr_unload(image);
}

static void test_missing_variable_is_named_by_its_address(void **state)
{
    (void)state;
    char text[256];
    struct ldr_image *image = load("plain.sys");
    ULONG_PTR slot = 0;
    for (ULONG i = 0; i < image->import_count; i++)
        if (!strcmp(image->imports[i].name, "SeExportsStandIn"))
            memcpy(&slot, image->base + image->imports[i].slot, sizeof(slot));
    permissions((void *)slot, text);
    text[4] = 0;
    assert_string_equal(text, "---p");
    ldr_symbolize(slot, text, sizeof(text));
    assert_string_equal(text, "ntoskrnl.exe!SeExportsStandIn (a variable that is not provided)");
    ldr_unload(image);
}

static void test_symbols_from_dwarf(void **state)
{
    (void)state;
    char text[512];
    struct ldr_image *image = load("dwarf.sys");
    ldr_symbolize((ULONG_PTR)start(image)->call_known + 4, text, sizeof(text));
    assert_ptr_equal(strstr(text, "dwarf!call_known+0x4 ("), text);
    assert_non_null(strstr(text, "fixture.c:"));
    ldr_unload(image);
}

static void test_symbols(void **state)
{
    (void)state;
    char text[512];
    struct ldr_image *image = load("plain.sys");
    ldr_symbolize(image->entry + 4, text, sizeof(text));
    assert_ptr_equal(strstr(text, "plain!DriverEntry ("), text); /* a leaf: no unwind entry says where it starts */
    assert_non_null(strstr(text, "fixture.c:"));
    ldr_symbolize((ULONG_PTR)start(image)->call_known + 4, text, sizeof(text));
    assert_ptr_equal(strstr(text, "plain!call_known+0x4 ("), text);
    assert_non_null(strstr(text, "fixture.c:"));
    ldr_symbolize((ULONG_PTR)image->base + 8, text, sizeof(text));
    assert_string_equal(text, "plain+0x8");
    ldr_symbolize((ULONG_PTR)&fixture_call, text, sizeof(text));
    assert_ptr_equal(strstr(text, "uma!fixture_call"), text);
    assert_non_null(strstr(text, "test_load.c:"));
    ldr_symbolize(0x18, text, sizeof(text));
    assert_string_equal(text, "0x18");
    char tiny[6];
    ldr_symbolize(image->entry, tiny, sizeof(tiny));
    assert_string_equal(tiny, "plain");
    ldr_unload(image);
}

/* Puts a symbolizer of our own first on the path; body is shell. Returns what entry+4 is then called, and how long it
 * took. */
static SIZE_T symbolize_with(const char *body, char *text, SIZE_T size)
{
    char directory[] = "/tmp/uma-ldr-XXXXXX", program[64], *path = strdup(getenv("PATH"));
    assert_non_null(mkdtemp(directory));
    snprintf(program, sizeof(program), "%s/llvm-symbolizer-19", directory);
    FILE *script = fopen(program, "w");
    assert_non_null(script);
    fprintf(script, "#!/bin/sh\n%s\n", body);
    fclose(script);
    chmod(program, 0700);
    setenv("PATH", directory, 1);
    struct ldr_image *image = load("plain.sys");
    uint64_t start_ns = plat_time_ns();
    ldr_symbolize(image->entry + 4, text, size);
    uint64_t elapsed_ns = plat_time_ns() - start_ns;
    ldr_unload(image);
    setenv("PATH", path, 1);
    free(path);
    unlink(program);
    rmdir(directory);
    return elapsed_ns / 1000000;
}

static void test_symbolizer_that_fails_or_hangs(void **state)
{
    (void)state;
    char text[512];
    static const char *const bodies[] = {
        "exit 1",        "kill -SEGV $$",
        "echo nonsense", "echo '[{\"Symbol\":7}]'",
        "echo '[]'",     "while :; do echo xxxxxxxxxxxxxxxxxxxxx; done",
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(bodies); i++) {
        assert_true(symbolize_with(bodies[i], text, sizeof(text)) < 4000);
        assert_string_equal(text, "plain+0x1084");
    }
    SIZE_T elapsed_ms = symbolize_with("/bin/sleep 60", text, sizeof(text));
    assert_string_equal(text, "plain+0x1084");
    assert_in_range(elapsed_ms, 4500, 9000);
    symbolize_with(
        "printf %s '[{\"Symbol\":[{\"FunctionName\":\"a\\u001bb\\nc\",\"FileName\":\"f\\u0007\",\"Line\":3}]}]'", text,
        sizeof(text));
    assert_string_equal(text, "plain!a?b?c (f?:3)");
}

/* Loads plain.sys with 8 bytes changed at a place of its headers (directory >= 0: inside that directory's table). */
static ULONG notes_with(int directory, ULONG offset, ULONG64 value)
{
    static UCHAR data[65536];
    char path[1024], error[LDR_ERROR_MAX];
    struct pe_file pe;
    struct ldr_image *image;
    snprintf(path, sizeof(path), "%s/plain.sys", folder);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    SIZE_T size = fread(data, 1, sizeof(data), stream);
    fclose(stream);
    assert_null(pe_parse(data, size, &pe));
    ULONG at = offset;
    if (directory >= 0) {
        const struct pe_section *section = pe_section_at(&pe, pe.directories[directory].rva);
        at += pe.directories[directory].rva - section->rva + section->raw;
    }
    memcpy(data + at, &value, sizeof(value));
    int file = memfd_create("driver", MFD_CLOEXEC);
    assert_int_equal(write(file, data, size), size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    assert_int_equal(ldr_load(path, &image, error), STATUS_SUCCESS);
    ULONG notes = image->notes;
    if (notes & LDR_NOTE_BAD_UMA_TABLE)
        assert_int_equal(image->uma_table, 0);
    ldr_unload(image);
    close(file);
    return notes;
}

static void test_pointers_out_of_the_image_are_noted(void **state)
{
    (void)state;
    const ULONG64 base = 0x140000000, end = base + 0x7000, tls_entry = 0x10ull << 32 | 0x3000;
    assert_int_equal(notes_with(PE_DIR_LOAD_CONFIG, 0x58, base - 8), LDR_NOTE_NO_COOKIE);
    assert_int_equal(notes_with(PE_DIR_LOAD_CONFIG, 0x58, end - 4), LDR_NOTE_NO_COOKIE);
    assert_int_equal(notes_with(PE_DIR_LOAD_CONFIG, 0x70, end - 7), LDR_NOTE_BAD_GUARD);
    assert_int_equal(notes_with(PE_DIR_LOAD_CONFIG, 0x118, 8), LDR_NOTE_BAD_GUARD);
    assert_int_equal(notes_with(PE_DIR_LOAD_CONFIG, 0x140, end - 0x148), LDR_NOTE_BAD_UMA_TABLE);
    assert_int_equal(notes_with(PE_DIR_LOAD_CONFIG, 0x140, base + 0x3004), LDR_NOTE_BAD_UMA_TABLE);
    assert_int_equal(notes_with(PE_DIR_LOAD_CONFIG, 0x140, ~0ull), LDR_NOTE_BAD_UMA_TABLE);
    assert_int_equal(notes_with(-1, 0x78 + 24 + 112 + 8 * PE_DIR_TLS, tls_entry), LDR_NOTE_TLS);
    for (ULONG note = 1; note <= LDR_NOTE_BAD_GUARD; note <<= 1)
        assert_true(strlen(ldr_note_text(note)) > 10);
}

static void test_lookup(void **state)
{
    (void)state;
    void *address;
    assert_int_equal(ldr_export_lookup("FixtureCall", &address), LDR_EXPORT_DONE);
    assert_ptr_equal(address, (void *)(ULONG_PTR)fixture_call);
    assert_int_equal(ldr_export_lookup("FixtureStub", &address), LDR_EXPORT_STUB);
    assert_null(address);
    assert_int_equal(ldr_export_lookup("FixtureData", NULL), LDR_EXPORT_DATA);
    assert_int_equal(ldr_export_lookup("Fixture", &address), LDR_EXPORT_UNKNOWN);
    assert_null(address);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_two_images_at_once),
        cmocka_unit_test(test_cookie_beyond_a_short_configuration_is_set),
        cmocka_unit_test(test_guard_pointers),
        cmocka_unit_test(test_uma_table_is_filled_and_read_only),
        cmocka_unit_test(test_section_protections_and_discard),
        cmocka_unit_test(test_import_states),
        cmocka_unit_test(test_unknown_import_stops_when_called),
        cmocka_unit_test(test_missing_variable_is_named_by_its_address),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_symbols_from_dwarf),
        cmocka_unit_test(test_symbolizer_that_fails_or_hangs),
        cmocka_unit_test(test_pointers_out_of_the_image_are_noted),
        cmocka_unit_test(test_lookup),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s FIXTURES\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, setup, NULL);
}
