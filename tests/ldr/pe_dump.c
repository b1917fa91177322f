/*
 * pe_dump.c - prints what the parser reads from a driver file, one "key value" per line, for compare_readobj.py.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pe_bytes.h"
#include "pe_parse.h"

static void dump_headers(const struct pe_file *pe)
{
    printf("machine 0x%X\n", pe->machine);
    printf("characteristics 0x%X\n", pe->characteristics);
    printf("dll_characteristics 0x%X\n", pe->dll_characteristics);
    printf("timestamp 0x%X\n", pe->timestamp);
    printf("entry 0x%X\n", pe->entry);
    printf("image_base 0x%llX\n", pe->image_base);
    printf("section_alignment %u\n", pe->section_alignment);
    printf("file_alignment %u\n", pe->file_alignment);
    printf("image_size %u\n", pe->image_size);
    printf("headers_size %u\n", pe->headers_size);
    for (ULONG i = 0; i < pe->section_count; i++) {
        const struct pe_section *section = &pe->sections[i];
        printf("section %s 0x%X 0x%X 0x%X 0x%X\n", section->name, section->size, section->rva, section->raw,
               section->flags);
    }
}

static void dump_tables(const struct pe_file *pe, const UCHAR *image)
{
    struct pe_import_cursor cursor = {.pe = pe, .image = image};
    struct pe_import import;
    struct pe_unwind unwind;
    struct pe_load_config config;
    bool done;
    while (!pe_import_next(&cursor, &import, &done) && !done)
        printf("import %s %s %u\n", import.module, import.name ? import.name : "-", import.ordinal);
    if (!pe_check_unwind(pe, image, &unwind))
        for (ULONG i = 0; i < unwind.count; i++)
            printf("function 0x%llX\n", pe->image_base + pe_u32(image + unwind.functions + 12 * i));
    if (!pe_read_load_config(pe, image, &config) && config.size) {
        printf("config_size 0x%X\n", config.size);
        printf("config_cookie 0x%llX\n", config.security_cookie);
        printf("config_guard_check 0x%llX\n", config.guard_check);
        printf("config_guard_dispatch 0x%llX\n", config.guard_dispatch);
    }
}

int main(int argc, char **argv)
{
    static UCHAR file[1 << 20];
    struct pe_file pe;
    FILE *stream = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!stream) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    SIZE_T size = fread(file, 1, sizeof(file), stream);
    fclose(stream);
    const char *error = pe_parse(file, size, &pe);
    if (error) {
        fprintf(stderr, "%s: %s\n", argv[1], error);
        return 1;
    }
    UCHAR *image = calloc(1, pe.image_size);
    pe_copy(&pe, image);
    dump_headers(&pe);
    dump_tables(&pe, image);
    free(image);
    return 0;
}
