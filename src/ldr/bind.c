/*
 * bind.c - fills a driver's import slots: with the exports we have, with built-in stubs for those we know and lack,
 * with stubs made for it for the rest. Reads every import before it writes the first slot, since the two may share
 * memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ldr_internal.h"

static const char *count_imports(struct ldr_image *image, ULONG *count, SIZE_T *text)
{
    struct pe_import_cursor cursor = {.pe = image->pe, .image = image->base};
    *count = 0;
    *text = 0;
    for (;;) {
        struct pe_import import;
        bool done;
        const char *error = pe_import_next(&cursor, &import, &done);
        if (error || done)
            return error;
        if (!strcasecmp(import.module, "ntdll.dll"))
            return "native user-mode program (imports from ntdll.dll), not a driver";
        ++*count;
        *text += strlen(import.module) + 1 + (import.name ? strlen(import.name) + 1 : sizeof("#65535"));
    }
}

static char *keep_text(char **at, const char *text)
{
    char *kept = *at;
    SIZE_T size = strlen(text) + 1;
    memcpy(kept, text, size);
    *at += size;
    return kept;
}

/* The list, with the state of each; names are copied, since a slot may overlay them. Returns how many are unknown. */
static ULONG list_imports(struct ldr_image *image)
{
    struct pe_import_cursor cursor = {.pe = image->pe, .image = image->base};
    char *text = image->strings;
    ULONG unknown = 0;
    for (ULONG i = 0; i < image->import_count; i++) {
        struct pe_import import;
        bool done;
        pe_import_next(&cursor, &import, &done);
        struct ldr_import *row = &image->imports[i];
        char ordinal[sizeof("#65535")];
        snprintf(ordinal, sizeof(ordinal), "#%u", import.ordinal & 0xffff);
        row->module = keep_text(&text, import.module);
        row->name = keep_text(&text, import.name ? import.name : ordinal);
        row->slot = import.slot;
        row->delayed = import.delayed;
        const struct ldr_export *export = import.name ? ldr_import_find(import.module, import.name) : NULL;
        row->state = export ? export->state : LDR_EXPORT_UNKNOWN;
        unknown += row->state == LDR_EXPORT_UNKNOWN;
        if (import.delayed)
            image->notes |= LDR_NOTE_DELAY;
    }
    return unknown;
}

static void fill_slots(struct ldr_image *image)
{
    ULONG stub = 0;
    for (ULONG i = 0; i < image->import_count; i++) {
        const struct ldr_import *row = &image->imports[i];
        void *target;
        if (row->state == LDR_EXPORT_UNKNOWN) {
            target = ldr_stub_set(image, stub++, row->module, row->name);
        } else {
            const struct ldr_export *export = ldr_import_find(row->module, row->name);
            target = export->address ? export->address : ldr_data_stub_address(export);
        }
        memcpy(image->base + row->slot, &target, sizeof(target));
    }
}

const char *ldr_bind(struct ldr_image *image)
{
    ULONG count;
    SIZE_T text;
    const char *error = count_imports(image, &count, &text);
    if (error)
        return error;
    image->imports = calloc(count ? count : 1, sizeof(*image->imports));
    image->strings = malloc(text ? text : 1);
    if (!image->imports || !image->strings)
        return "out of memory";
    image->import_count = count;
    if (!ldr_stubs_make(image, list_imports(image)))
        return "out of memory";
    fill_slots(image);
    ldr_stubs_seal(image);
    return NULL;
}

void ldr_unbind(struct ldr_image *image)
{
    ldr_stubs_free(image);
    free(image->imports);
    free(image->strings);
    image->imports = NULL;
    image->strings = NULL;
    image->import_count = 0;
}
