/*
 * test_parse.c - one test per refusal of the PE parser: an honest driver with one thing made hostile, and the text that
 * says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "honest.h"

enum {
    NT_MACHINE = 4,
    NT_SECTIONS = 6,
    NT_OPTIONAL_SIZE = 20,
    NT_CHARACTERISTICS = 22,
    OPTIONAL = 24,
    SECTION = OPTIONAL + 240
};

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
    assert_string_equal(pe_parse("\x7f"
                                 "ELF",
                                 4, &pe),
                        "not a Windows driver (no MZ header)");
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
    refused_field16(NT_OPTIONAL_SIZE, 112 + 8 * 15,
                    "damaged: the optional header has no room for its data directories");
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
    refused_field32(OPTIONAL + 112 + 8 * PE_DIR_RELOC + 4, 0xfffffff0,
                    "damaged: a data directory lies outside the image");
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
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s FIXTURES\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, honest_setup, honest_teardown);
}
