/*
 * test_parse.c - one test per refusal of the PE parser: an honest driver with one thing made hostile, and the text that says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pe_bytes.h"
#include "pe_parse.h"

static const char *folder;
static UCHAR *honest;   /* plain.sys */
static SIZE_T honest_size;

static UCHAR file[65536]; /* the copy under test */
static struct pe_file pe;
static UCHAR *image;

enum { NT_MACHINE = 4, NT_SECTIONS = 6, NT_OPTIONAL_SIZE = 20, NT_CHARACTERISTICS = 22, OPTIONAL = 24, SECTION = OPTIONAL + 240 };

static void put16(ULONG at, USHORT value)
{
    memcpy(file + at, &value, 2);
}

static void put32(ULONG at, ULONG value)
{
    memcpy(file + at, &value, 4);
}

/* Starts from the honest file; returns the offset of its PE header. */
static ULONG fresh(void)
{
    memset(file, 0, sizeof(file));
    memcpy(file, honest, honest_size);
    return pe_u32(file + 0x3c);
}

static void refused(const char *expected)
{
    const char *error = pe_parse(file, honest_size, &pe);
    assert_non_null(error);
    assert_string_equal(error, expected);
}

static void refused_field16(ULONG offset, USHORT value, const char *expected)
{
    put16(fresh() + offset, value);
    refused(expected);
}

static void refused_field32(ULONG offset, ULONG value, const char *expected)
{
    put32(fresh() + offset, value);
    refused(expected);
}

static void test_the_honest_file_is_accepted(void **state)
{
    (void)state;
    fresh();
    assert_null(pe_parse(file, honest_size, &pe));
    assert_int_equal(pe.machine, PE_MACHINE_AMD64);
    assert_int_equal(pe.section_count, 6);
    assert_string_equal(pe.sections[0].name, ".text");
}

static void test_not_a_driver(void **state)
{
    (void)state;
    assert_string_equal(pe_parse("", 0, &pe), "empty file");
    assert_string_equal(pe_parse("M", 1, &pe), "not a Windows driver (no MZ header)");
    assert_string_equal(pe_parse("\x7f" "ELF", 4, &pe), "not a Windows driver (no MZ header)");
    assert_string_equal(pe_parse("MZ", 2, &pe), "truncated: the file ends inside its headers");
    put32(fresh() + 0, 0x4550 + 1);
    refused("not a Windows driver (an MZ file without a PE header)");
    fresh();
    put32(0x3c, 0xfffffff0);
    refused("truncated or damaged: no PE header where the MZ header points");
}

static void test_other_machines(void **state)
{
    (void)state;
    refused_field16(NT_MACHINE, 0xaa64, "ARM64 driver; umaccess runs x64 drivers only");
    refused_field16(NT_MACHINE, 0xa641, "ARM64EC or ARM64X image; umaccess runs x64 drivers only");
    refused_field16(NT_MACHINE, 0x014c, "32-bit x86 image; umaccess runs x64 drivers only");
    refused_field16(NT_MACHINE, 0x01c4, "32-bit ARM image; umaccess runs x64 drivers only");
    refused_field16(NT_MACHINE, 0x0200, "Itanium image; umaccess runs x64 drivers only");
    refused_field16(NT_MACHINE, 0x1234, "PE file for an unknown machine; umaccess runs x64 drivers only");
    refused_field16(OPTIONAL, 0x10b, "32-bit image (PE32); umaccess runs x64 drivers only");
    refused_field16(OPTIONAL, 0x107, "damaged: unknown kind of optional header");
}

static void test_user_mode_images(void **state)
{
    (void)state;
    refused_field16(OPTIONAL + 68, 2, "user-mode program, not a driver (its subsystem is not native)");
    refused_field16(OPTIONAL + 68, 3, "user-mode program, not a driver (its subsystem is not native)");
    refused_field16(OPTIONAL + 68, 10, "EFI image, not a driver (its subsystem is not native)");
    ULONG nt = fresh();
    put16(nt + OPTIONAL + 68, 2);
    put16(nt + NT_CHARACTERISTICS, 0x2022);
    refused("user-mode DLL, not a driver (its subsystem is not native)");
}

static void test_damaged_headers(void **state)
{
    (void)state;
    refused_field16(NT_OPTIONAL_SIZE, 0, "truncated: no optional header");
    refused_field16(NT_OPTIONAL_SIZE, 100, "damaged: the optional header is too short");
    refused_field16(NT_OPTIONAL_SIZE, 0xffff, "truncated: the file ends inside its headers");
    refused_field16(NT_OPTIONAL_SIZE, 112 + 8 * 15, "damaged: the optional header has no room for its data directories");
    refused_field32(OPTIONAL + 32, 0, "damaged: an alignment is not a power of two");
    refused_field32(OPTIONAL + 32, 0x1800, "damaged: an alignment is not a power of two");
    refused_field32(OPTIONAL + 36, 3, "damaged: an alignment is not a power of two");
    refused_field32(OPTIONAL + 36, 0x2000, "damaged: sections are aligned more loosely in memory than in the file");
    refused_field32(OPTIONAL + 56, 0, "damaged: the image size is 0");
    refused_field32(OPTIONAL + 56, PE_IMAGE_MAX + 0x1000, "image larger than 256 MB");
    refused_field32(OPTIONAL + 56, 0xffffffff, "image larger than 256 MB");
    refused_field32(OPTIONAL + 60, 0xffffffff, "damaged: the headers are larger than the image");
    refused_field32(OPTIONAL + 60, 0x6000, "truncated: the file ends inside its headers");
    refused_field32(OPTIONAL + 112 + 8 * PE_DIR_IMPORT, 0xfffffff0, "damaged: a data directory lies outside the image");
    refused_field32(OPTIONAL + 112 + 8 * PE_DIR_RELOC + 4, 0xfffffff0, "damaged: a data directory lies outside the image");
    refused_field32(OPTIONAL + 16, 0, "no entry point; not a driver that can be started");
    refused_field32(OPTIONAL + 16, 0x2004, "damaged: the entry point is not in an executable section");
    refused_field32(OPTIONAL + 16, 0xfffffff0, "damaged: the entry point is not in an executable section");
}

static void test_damaged_sections(void **state)
{
    (void)state;
    refused_field16(NT_SECTIONS, 0, "damaged: no sections");
    refused_field16(NT_SECTIONS, 97, "more than 96 sections");
    refused_field16(NT_SECTIONS, 0xffff, "more than 96 sections");
    refused_field32(SECTION + 8, 0xffffffff, "damaged: a section lies outside the image");
    refused_field32(SECTION + 12, 0xfffff000, "damaged: a section lies outside the image");
    refused_field32(SECTION + 12, 0x1001, "damaged: a section is misaligned in memory");
    refused_field32(SECTION + 12, 0, "damaged: sections overlap or are out of order"); /* over the headers */
    refused_field32(SECTION + 40 + 12, 0x1000, "damaged: sections overlap or are out of order");
    refused_field32(SECTION + 8, 0x1001, "damaged: sections overlap or are out of order");
    refused_field32(SECTION + 20, 0xffffff00, "truncated: a section's data lies beyond the end of the file");
    refused_field32(SECTION + 16, 0xffffffff, "truncated: a section's data lies beyond the end of the file");
    refused_field32(SECTION + 20, 0x410, "damaged: a section's data is misaligned in the file");
}

static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    fresh();
    SIZE_T end = 0; /* of what the sections take from the file; linkers pad beyond it */
    assert_null(pe_parse(file, honest_size, &pe));
    for (ULONG i = 0; i < pe.section_count; i++)
        end = pe.sections[i].raw + pe.sections[i].raw_size;
    for (SIZE_T size = 0; size < end; size++) {
        UCHAR *exact = malloc(size ? size : 1); /* exact, so that a sanitizer sees a read past it */
        memcpy(exact, file, size);
        assert_non_null(pe_parse(exact, size, &pe));
        free(exact);
    }
}

/* Every single byte of the headers set to a few values: accepted or refused, never beyond its memory. */
static void test_every_header_byte(void **state)
{
    static const UCHAR values[] = {0, 1, 0x7f, 0x80, 0xff};
    (void)state;
    for (ULONG at = 0; at < 0x400; at++)
        for (SIZE_T v = 0; v < RTL_NUMBER_OF(values); v++) {
            fresh();
            file[at] = values[v];
            const char *error = pe_parse(file, honest_size, &pe);
            if (error)
                assert_null(strchr(error, '\n'));
        }
}

/* ---- tables: changed in the laid-out image ---- */

static void lay_out(void)
{
    fresh();
    assert_null(pe_parse(file, honest_size, &pe));
    free(image);
    image = calloc(1, pe.image_size);
    pe_copy(&pe, image);
}

static void put_image32(ULONG at, ULONG value)
{
    memcpy(image + at, &value, 4);
}

static void relocation_refused(const char *expected)
{
    const char *error = pe_relocate(&pe, image, pe.image_base, 0x400000000000);
    assert_non_null(error);
    assert_string_equal(error, expected);
}

static void test_relocations(void **state)
{
    (void)state;
    lay_out();
    ULONG table = pe.directories[PE_DIR_RELOC].rva;
    assert_null(pe_relocate(&pe, image, pe.image_base, 0x400000000000));
    lay_out();
    put_image32(table, 0xfffff000);
    relocation_refused("damaged: a relocation points outside the image");
    lay_out();
    put_image32(table, pe.image_size - 4);
    relocation_refused("damaged: a relocation points outside the image");
    static const ULONG sizes[] = {0, 4, 7, 9, 0x1000, 0xffffffff};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(sizes); i++) {
        lay_out();
        put_image32(table + 4, sizes[i]);
        relocation_refused("damaged: a relocation block has an impossible size");
    }
    lay_out();
    pe.directories[PE_DIR_RELOC].size = 12;
    put_image32(table + 4, 8);
    relocation_refused("damaged: the relocation table ends inside a block");
    lay_out();
    image[table + 9] = 0x30; /* HIGHLOW */
    relocation_refused("has 32-bit relocations, which cannot hold a kernel address");
    lay_out();
    image[table + 9] = 0x50;
    relocation_refused("damaged: unknown kind of relocation");
    lay_out();
    pe.characteristics |= PE_FILE_RELOCS_STRIPPED;
    relocation_refused("linked for a fixed address (no relocations); link it without /FIXED");
    assert_null(pe_relocate(&pe, image, pe.image_base, pe.image_base)); /* where it is linked for, it may run */
    lay_out();
    put_image32(table, 0);
    put_image32(table + 4, 0); /* padding ends the table */
    assert_null(pe_relocate(&pe, image, pe.image_base, 0x400000000000));
}

static const char *walk(ULONG *count)
{
    struct pe_import_cursor cursor = {.pe = &pe, .image = image};
    struct pe_import import;
    bool done;
    *count = 0;
    for (;;) {
        const char *error = pe_import_next(&cursor, &import, &done);
        if (error || done)
            return error;
        ++*count;
    }
}

static void imports_refused(const char *expected)
{
    ULONG count;
    const char *error = walk(&count);
    assert_non_null(error);
    assert_string_equal(error, expected);
}

static void test_imports(void **state)
{
    (void)state;
    ULONG count;
    lay_out();
    ULONG table = pe.directories[PE_DIR_IMPORT].rva, last = pe.image_size - 4;
    assert_null(walk(&count));
    assert_int_equal(count, 6);
    put_image32(table + 12, last);
    imports_refused("damaged: the name of an imported module is not terminated text");
    lay_out();
    put_image32(table + 12, 0xfffffff0);
    imports_refused("damaged: the name of an imported module is not terminated text");
    lay_out();
    image[pe_u32(image + table + 12)] = 0x1b;
    imports_refused("damaged: the name of an imported module is not terminated text");
    lay_out();
    put_image32(table, last);
    imports_refused("damaged: the imports of a module are not terminated");
    lay_out();
    put_image32(table + 16, last);
    imports_refused("damaged: an import's slot lies outside the image");
    lay_out();
    ULONG lookup = pe_u32(image + table);
    put_image32(lookup, 0x7ffffff0);
    imports_refused("damaged: the name of an import is not terminated text");
    put_image32(lookup, 0x80000000);
    imports_refused("damaged: the name of an import lies outside the image");
    put_image32(lookup, 0x10007);
    put_image32(lookup + 4, 0x80000000);
    imports_refused("damaged: an import by ordinal has unknown bits set");
    lay_out();
    memset(image + pe.image_size - 40, 1, 40);
    pe.directories[PE_DIR_IMPORT].rva = pe.image_size - 10;
    imports_refused("damaged: the import table runs out of the image");
    lay_out();
    pe.directories[PE_DIR_DELAY_IMPORT] = (struct pe_directory){0x3000, 64};
    memset(image + 0x3000, 0, 64);
    put_image32(0x3000 + 4, 0x2000);
    imports_refused("has delay imports in the old format (absolute addresses)");
}

static void test_too_many_imports(void **state)
{
    (void)state;
    ULONG count;
    lay_out();
    pe.image_size = 4u << 20; /* room for half a million entries */
    image = realloc(image, pe.image_size);
    ULONG table = pe.directories[PE_DIR_IMPORT].rva;
    for (ULONG at = 0x10000; at < pe.image_size; at += 8) {
        put_image32(at, 7);
        put_image32(at + 4, 0x80000000);
    }
    put_image32(table, 0x10000);
    put_image32(table + 16, 0x10000);
    imports_refused("more than 65536 imports");
    walk(&count);
    assert_int_equal(count, PE_IMPORTS_MAX);
    memset(image + 0x10000, 0, 8); /* modules without imports, for ever */
    for (ULONG at = 0x20000; at + 20 <= pe.image_size; at += 20) {
        put_image32(at, 0x10000);
        put_image32(at + 12, pe_u32(image + table + 12));
        put_image32(at + 16, 0x10000);
    }
    pe.directories[PE_DIR_IMPORT].rva = 0x20000;
    imports_refused("more than 65536 imported modules");
}

static void unwind_refused(const char *expected)
{
    struct pe_unwind unwind;
    const char *error = pe_check_unwind(&pe, image, &unwind);
    assert_non_null(error);
    assert_string_equal(error, expected);
}

static void test_unwind_tables(void **state)
{
    (void)state;
    struct pe_unwind unwind;
    lay_out();
    ULONG table = pe.directories[PE_DIR_EXCEPTION].rva, data = pe_u32(image + table + 8);
    assert_null(pe_check_unwind(&pe, image, &unwind));
    assert_int_equal(unwind.count, pe.directories[PE_DIR_EXCEPTION].size / 12);
    assert_true(unwind.data_low <= data && data < unwind.data_high);
    pe.directories[PE_DIR_EXCEPTION].size++;
    unwind_refused("damaged: the unwind table has an impossible size or address");
    lay_out();
    put_image32(table + 4, 0xffffffff);
    unwind_refused("damaged: an unwind table entry describes no code");
    lay_out();
    put_image32(table + 12, 0x10);
    unwind_refused("damaged: the unwind table is not in order");
    lay_out();
    put_image32(table + 8, 0xfffffffc);
    unwind_refused("damaged: unwind data lies outside the image");
    put_image32(table + 8, pe.image_size - 2);
    unwind_refused("damaged: unwind data lies outside the image");
    put_image32(table + 8, 0xffffffff); /* refers to another entry */
    unwind_refused("damaged: unwind data lies outside the image");
    lay_out();
    image[data] = 7;
    unwind_refused("damaged: unwind data of an unknown version");
    image[data] = 0x29; /* chained, with a handler */
    unwind_refused("damaged: chained unwind data has a handler");
    lay_out();
    image[data + 5] = 0x0f;
    unwind_refused("damaged: a function's unwind codes are unknown or cut short");
    image[data + 2] = 1;
    image[data + 5] = 0x11; /* needs three slots */
    unwind_refused("damaged: a function's unwind codes are unknown or cut short");
    lay_out();
    image[data] = 0x09; /* a handler */
    image[data + 2] = 0;
    put_image32(data + 4, 0xfffffff0);
    unwind_refused("damaged: an exception handler lies outside the image");
    image[data] = 0x21; /* chained to itself */
    memcpy(image + data + 4, image + table, 12);
    unwind_refused("damaged: chains of unwind data do not end");
    lay_out();
    put_image32(table + 8, table | 1); /* the entry refers to itself */
    unwind_refused("damaged: chains of unwind data do not end");
    pe.directories[PE_DIR_EXCEPTION].size = 12u * ((1u << 20) + 1);
    unwind_refused("more than 1048576 functions in the unwind table");
}

static void test_load_configuration(void **state)
{
    (void)state;
    struct pe_load_config config;
    lay_out();
    ULONG at = pe.directories[PE_DIR_LOAD_CONFIG].rva;
    assert_null(pe_read_load_config(&pe, image, &config));
    assert_int_equal(config.size, 0x148);
    assert_int_not_equal(config.uma_functions, 0);
    assert_int_not_equal(pe_rva_of(&pe, pe.image_base, config.uma_functions, PE_UMA_TABLE_SIZE), 0);
    put_image32(at, 0x147); /* does not reach to the end of the last field */
    assert_null(pe_read_load_config(&pe, image, &config));
    assert_int_equal(config.uma_functions, 0);
    assert_int_not_equal(config.security_cookie, 0);
    put_image32(at, 0x5f);
    assert_null(pe_read_load_config(&pe, image, &config));
    assert_int_equal(config.security_cookie, 0);
    put_image32(at, 0xffffffff);
    assert_string_equal(pe_read_load_config(&pe, image, &config), "damaged: the load configuration's size is impossible");
    put_image32(at, 0);
    assert_string_equal(pe_read_load_config(&pe, image, &config), "damaged: the load configuration's size is impossible");
    pe.directories[PE_DIR_LOAD_CONFIG].size = 2;
    assert_string_equal(pe_read_load_config(&pe, image, &config), "damaged: the load configuration has no size");
    pe.directories[PE_DIR_LOAD_CONFIG].rva = 0;
    assert_null(pe_read_load_config(&pe, image, &config));
    assert_int_equal(config.size, 0);
    assert_int_equal(pe_rva_of(&pe, pe.image_base, pe.image_base - 1, 1), 0);
    assert_int_equal(pe_rva_of(&pe, pe.image_base, pe.image_base + pe.image_size - 7, 8), 0);
    assert_int_equal(pe_rva_of(&pe, pe.image_base, ~0ull, 8), 0);
}

static void test_function_override_block(void **state)
{
    (void)state;
    lay_out();
    struct pe_load_config config = {.dynamic_reloc_section = 3, .dynamic_reloc_offset = 8};
    ULONG at = pe.sections[2].rva + 8;
    put_image32(at, 1);
    put_image32(at + 4, 32);
    put_image32(at + 8, 3);
    put_image32(at + 12, 0);
    put_image32(at + 16, 8);
    put_image32(at + 28, 7);
    put_image32(at + 32, 0);
    put_image32(at + 36, 0);
    assert_true(pe_has_function_override(&pe, image, &config));
    put_image32(at + 28, 6);
    assert_false(pe_has_function_override(&pe, image, &config));
    put_image32(at + 28, 7);
    put_image32(at + 16, 0xfffffff8); /* the block before it never ends */
    assert_false(pe_has_function_override(&pe, image, &config));
    put_image32(at + 4, 0xffffffff);
    assert_false(pe_has_function_override(&pe, image, &config));
    config.dynamic_reloc_section = 200;
    assert_false(pe_has_function_override(&pe, image, &config));
}

static void test_pdb_path(void **state)
{
    (void)state;
    lay_out();
    const char *path = pe_pdb_path(&pe, image);
    assert_non_null(path);
    assert_non_null(strstr(path, "plain.pdb"));
    ULONG entry = pe.directories[PE_DIR_DEBUG].rva, rva = pe_u32(image + entry + 20);
    put_image32(entry + 16, 26); /* cuts the path before its end */
    assert_null(pe_pdb_path(&pe, image));
    put_image32(entry + 16, 0xffffffff);
    assert_null(pe_pdb_path(&pe, image));
    lay_out();
    image[rva] = 'X';
    assert_null(pe_pdb_path(&pe, image));
}

static int setup(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof(path), "%s/plain.sys", folder);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    honest = malloc(sizeof(file));
    honest_size = fread(honest, 1, sizeof(file), stream);
    fclose(stream);
    return honest_size > 0x400 && honest_size < sizeof(file) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(honest);
    free(image);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_honest_file_is_accepted),
        cmocka_unit_test(test_not_a_driver),
        cmocka_unit_test(test_other_machines),
        cmocka_unit_test(test_user_mode_images),
        cmocka_unit_test(test_damaged_headers),
        cmocka_unit_test(test_damaged_sections),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_every_header_byte),
        cmocka_unit_test(test_relocations),
        cmocka_unit_test(test_imports),
        cmocka_unit_test(test_too_many_imports),
        cmocka_unit_test(test_unwind_tables),
        cmocka_unit_test(test_load_configuration),
        cmocka_unit_test(test_function_override_block),
        cmocka_unit_test(test_pdb_path),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s FIXTURES\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, setup, teardown);
}
