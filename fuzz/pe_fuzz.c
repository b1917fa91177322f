/*
 * pe_fuzz.c - everything the loader does with a hostile file before the first instruction of the driver runs, on any
 * bytes.
 *
 * Covers src/ldr/pe_parse.c, pe_tables.c and pe_unwind.c, on an image in ordinary memory so that the sanitizers see
 * every byte out of place. Built as a libFuzzer target and, with replay.c, as the regression test over the corpus.
 */
#include <stdlib.h>
#include <string.h>

#include "pe_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile SIZE_T sink;

/* Reads the names as the loader copies them, then overwrites each slot as it binds them. Returns how many there were.
 */
static ULONG walk_imports(const struct pe_file *pe, UCHAR *image)
{
    ULONG *slots = calloc(PE_IMPORTS_MAX, sizeof(*slots)), count = 0;
    struct pe_import_cursor cursor = {.pe = pe, .image = image};
    struct pe_import import;
    bool done;
    while (!pe_import_next(&cursor, &import, &done) && !done) {
        if (count >= PE_IMPORTS_MAX)
            abort();
        sink += strlen(import.module) + (import.name ? strlen(import.name) : 0);
        slots[count++] = import.slot;
    }
    for (ULONG i = 0; i < count; i++)
        memset(image + slots[i], 0x41, 8);
    free(slots);
    return count;
}

/* What the unwinder will read without looking. */
static void touch_unwind_data(const UCHAR *image, const struct pe_unwind *unwind)
{
    for (ULONG i = unwind->data_low; unwind->count && i < unwind->data_high; i++)
        sink += image[i];
    for (ULONG i = 0; i < unwind->count * 12; i++)
        sink += image[unwind->functions + i];
}

static void read_tables(const struct pe_file *pe, UCHAR *image)
{
    struct pe_load_config config;
    struct pe_unwind unwind;
    const ULONG64 base = 0x400000010000;
    if (pe_relocate(pe, image, pe->image_base, base))
        return;
    const char *pdb = pe_pdb_path(pe, image);
    if (pdb)
        sink += strlen(pdb);
    walk_imports(pe, image);
    if (!pe_read_load_config(pe, image, &config)) {
        sink += pe_has_function_override(pe, image, &config);
        ULONG cookie = pe_rva_of(pe, base, config.security_cookie, 8);
        ULONG table = pe_rva_of(pe, base, config.uma_functions, PE_UMA_TABLE_SIZE);
        if (cookie)
            memset(image + cookie, 1, 8);
        if (table)
            memset(image + table, 2, PE_UMA_TABLE_SIZE);
    }
    if (!pe_check_unwind(pe, image, &unwind))
        touch_unwind_data(image, &unwind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pe_file pe;
    const char *error = pe_parse(data, size, &pe);
    if (error) {
        if (!*error || strchr(error, '\n'))
            abort(); /* a refusal is one line */
        return 0;
    }
    if (pe.image_size > 4u << 20)
        return 0; /* nothing new in there, and slow to clear */
    UCHAR *image = calloc(1, pe.image_size);
    pe_copy(&pe, image);
    sink += pe_section_at(&pe, pe.entry)->size;
    read_tables(&pe, image);
    free(image);
    return 0;
}
