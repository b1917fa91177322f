/*
 * info_facts.c - gathers what `uma info` tells about a loaded driver. Reads only the image, which the parser has
 * checked.
 */
#include "info.h"
#include "pe_parse.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- the file ---- */

static json_t *sections_of(const struct pe_file *pe)
{
    json_t *sections = json_array();
    for (ULONG i = 0; i < pe->section_count; i++) {
        const struct pe_section *section = &pe->sections[i];
        char protection[4] = "r--";
        protection[1] = section->flags & PE_SCN_WRITE ? 'w' : '-';
        protection[2] = section->flags & PE_SCN_EXECUTE ? 'x' : '-';
        json_array_append_new(sections, json_pack("{ss sI sI sI ss sb}", "name", section->name, "rva",
                                                  (json_int_t)section->rva, "size", (json_int_t)section->size,
                                                  "file_size", (json_int_t)section->raw_size, "protection", protection,
                                                  "discardable", !!(section->flags & PE_SCN_DISCARDABLE)));
    }
    return sections;
}

static json_t *printable(const char *text)
{
    char clean[1024];
    snprintf(clean, sizeof(clean), "%s", text ? text : "");
    for (char *c = clean; *c; c++)
        if ((UCHAR)*c < 0x20 || (UCHAR)*c > 0x7e)
            *c = '?';
    return text ? json_string(clean) : json_null();
}

static json_t *linked_at(const struct pe_file *pe, const UCHAR *image)
{
    char text[32];
    struct tm tm;
    time_t time = pe->timestamp;
    if (pe_is_reproducible(pe, image))
        return json_null();
    gmtime_r(&time, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_string(text);
}

/* ---- imports ---- */

static const char *state_name(enum ldr_export_state state)
{
    switch (state) {
    case LDR_EXPORT_DONE:
    case LDR_EXPORT_DATA:
        return "done";
    case LDR_EXPORT_STUB:
        return "stub";
    default:
        return "unknown";
    }
}

static void count(json_t *object, const char *key)
{
    json_object_set_new(object, key, json_integer(json_integer_value(json_object_get(object, key)) + 1));
}

static json_t *find_module(json_t *modules, const char *name)
{
    size_t index;
    json_t *module;
    json_array_foreach(modules, index,
                       module) if (!strcasecmp(json_string_value(json_object_get(module, "name")), name)) return module;
    module = json_pack("{ss si si si s[]}", "name", name, "done", 0, "stub", 0, "unknown", 0, "exports");
    json_array_append_new(modules, module);
    return module;
}

static json_t *imports_of(const struct ldr_image *image, json_t *missing)
{
    json_t *imports = json_pack("{si si si si s[]}", "total", (int)image->import_count, "done", 0, "stub", 0, "unknown",
                                0, "modules");
    json_t *modules = json_object_get(imports, "modules");
    for (ULONG i = 0; i < image->import_count; i++) {
        const struct ldr_import *import = &image->imports[i];
        const char *state = state_name(import->state);
        json_t *module = find_module(modules, import->module);
        count(imports, state);
        count(module, state);
        json_array_append_new(json_object_get(module, "exports"),
                              json_pack("{ss ss sb sb}", "name", import->name, "state", state, "variable",
                                        import->state == LDR_EXPORT_DATA, "delayed", import->delayed));
        if (strcmp(state, "done"))
            json_array_append_new(missing, json_sprintf("%s!%s", import->module, import->name));
    }
    return imports;
}

/* ---- load configuration and accessor table ---- */

static const char *const slot_names[] = {
    "CopyFromUser",
    "CopyFromUserNonTemporal",
    "CopyToUser",
    "CopyToUserNonTemporal",
    "CopyToUserFromUser",
    "MoveToUserFromUser",
    "SetUserMemory",
    "ReadUCharFromUser",
    "WriteUCharToUser",
    "ReadUShortFromUser",
    "WriteUShortToUser",
    "ReadULongFromUser",
    "WriteULongToUser",
    "ReadULong64FromUser",
    "WriteULong64ToUser",
    "StringLengthFromUser",
    "WideStringLengthFromUser",
    "InterlockedCompareExchange64ToUser",
    "InterlockedOr32ToUser",
    "InterlockedOr64ToUser",
    "InterlockedAnd32ToUser",
    "InterlockedAnd64ToUser",
    "InterlockedCompareExchange32ToUser",
};

/* "uma!CopyFromUser", without offset and source line; null for an empty slot. */
static json_t *function_at(ULONG_PTR address)
{
    char text[512];
    if (!address)
        return json_null();
    ldr_symbolize(address, text, sizeof(text));
    text[strcspn(text, " ")] = 0;
    char *offset = strstr(text, "+0x0");
    if (offset && !offset[4])
        *offset = 0;
    return printable(text);
}

static json_t *accessor_table(const struct ldr_image *image)
{
    if (!image->uma_table)
        return json_null();
    json_t *slots = json_array();
    int filled = 0;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(slot_names); i++) {
        ULONG_PTR function;
        memcpy(&function, (const void *)(image->uma_table + 8 * i), sizeof(function));
        filled += function != 0;
        json_array_append_new(slots, json_pack("{si ss so}", "offset", (int)(8 * i), "name", slot_names[i], "function",
                                               function_at(function)));
    }
    return json_pack("{sI si si so}", "rva", (json_int_t)(image->uma_table - (ULONG_PTR)image->base), "filled", filled,
                     "of", (int)RTL_NUMBER_OF(slot_names), "slots", slots);
}

static json_t *load_configuration(const struct pe_load_config *config)
{
    if (!config->size)
        return json_null();
    return json_pack("{sI sb sb sI sb}", "size", (json_int_t)config->size, "security_cookie",
                     config->security_cookie != 0, "guard", config->guard_check != 0 || config->guard_dispatch != 0,
                     "guard_flags", (json_int_t)config->guard_flags, "uma_pointer", config->uma_functions != 0);
}

/* ---- all of it ---- */

json_t *info_facts(const struct ldr_image *image, const char *path)
{
    const struct pe_file *pe = image->pe;
    struct pe_load_config config;
    pe_read_load_config(pe, image->base, &config);
    json_t *missing = json_array(), *notes = json_array();
    json_t *imports = imports_of(image, missing);
    for (ULONG note = 1; note; note <<= 1)
        if (image->notes & note)
            json_array_append_new(notes, json_string(ldr_note_text(note)));
    json_t *facts = json_pack("{so ss ss ss so sI sI sI sI so}", "file", printable(path), "name", image->name,
                              "machine", pe_machine_name(pe->machine), "subsystem", pe_subsystem_name(pe->subsystem),
                              "linked", linked_at(pe, image->base), "timestamp", (json_int_t)pe->timestamp,
                              "image_base", (json_int_t)pe->image_base, "image_size", (json_int_t)pe->image_size,
                              "entry", (json_int_t)pe->entry, "pdb", printable(pe_pdb_path(pe, image->base)));
    json_object_set_new(facts, "sections", sections_of(pe));
    json_object_set_new(facts, "imports", imports);
    json_object_set_new(facts, "missing", missing);
    json_object_set_new(facts, "load_config", load_configuration(&config));
    json_object_set_new(facts, "uma_table", accessor_table(image));
    json_object_set_new(facts, "function_overrides", json_boolean(pe_has_function_override(pe, image->base, &config)));
    json_object_set_new(facts, "kmdf", info_kmdf(image));
    json_object_set_new(facts, "notes", notes);
    return facts;
}
