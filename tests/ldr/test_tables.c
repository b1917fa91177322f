/*
 * test_tables.c - one test per refusal of the tables inside an image: relocations, imports, unwind data, load
 * configuration. Each starts from an honest driver's layout in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "honest.h"

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
    assert_string_equal(pe_read_load_config(&pe, image, &config),
                        "damaged: the load configuration's size is impossible");
    put_image32(at, 0);
    assert_string_equal(pe_read_load_config(&pe, image, &config),
                        "damaged: the load configuration's size is impossible");
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relocations),        cmocka_unit_test(test_imports),
        cmocka_unit_test(test_too_many_imports),   cmocka_unit_test(test_unwind_tables),
        cmocka_unit_test(test_load_configuration), cmocka_unit_test(test_function_override_block),
        cmocka_unit_test(test_pdb_path),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s FIXTURES\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, honest_setup, honest_teardown);
}
