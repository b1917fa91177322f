/*
 * pe_tables.c - the tables inside a laid-out image: relocations, imports, load configuration, debug directory.
 *
 * See pe_parse.h. A table's address and every count in it come from the file: each is checked against the image before
 * it is used, and the walks end after a bounded number of steps.
 */
#include "pe_bytes.h"
#include "pe_parse.h"

enum {
    RELOC_ABSOLUTE = 0,
    RELOC_HIGHLOW = 3,
    RELOC_DIR64 = 10,
    IMPORT_DESCRIPTOR_SIZE = 20,
    DELAY_DESCRIPTOR_SIZE = 32,
    DEBUG_ENTRY_SIZE = 28,
    DEBUG_CODEVIEW = 2,
    DEBUG_REPRO = 16,
    FUNCTION_OVERRIDE_SYMBOL = 7
};

/* A terminated string of printable characters at rva, or null. */
static const char *text_at(const struct pe_file *pe, const UCHAR *image, ULONG64 rva)
{
    for (ULONG i = 0; i < PE_NAME_MAX; i++) {
        if (!pe_inside(rva, (ULONG64)i + 1, pe->image_size))
            return NULL;
        UCHAR c = image[rva + i];
        if (c == 0)
            return i ? (const char *)image + rva : NULL;
        if (c < 0x21 || c > 0x7e)
            return NULL;
    }
    return NULL;
}

/* ---- relocations ---- */

static const char *relocate_block(const struct pe_file *pe, UCHAR *image, ULONG page, const UCHAR *entries, ULONG count,
                                  ULONG64 delta)
{
    for (ULONG i = 0; i < count; i++) {
        USHORT entry = pe_u16(entries + 2 * i);
        ULONG64 target = (ULONG64)page + (entry & 0xfff);
        switch (entry >> 12) {
        case RELOC_ABSOLUTE:
            break;
        case RELOC_DIR64:
            if (!pe_inside(target, 8, pe->image_size))
                return "damaged: a relocation points outside the image";
            pe_put_u64(image + target, pe_u64(image + target) + delta);
            break;
        case RELOC_HIGHLOW:
            return "has 32-bit relocations, which cannot hold a kernel address";
        default:
            return "damaged: unknown kind of relocation";
        }
    }
    return NULL;
}

const char *pe_relocate(const struct pe_file *pe, UCHAR *image, ULONG64 from, ULONG64 to)
{
    if (from == to)
        return NULL;
    if (pe->characteristics & PE_FILE_RELOCS_STRIPPED)
        return "linked for a fixed address (no relocations); link it without /FIXED";
    const struct pe_directory *directory = &pe->directories[PE_DIR_RELOC];
    for (ULONG at = 0; at < directory->size;) {
        ULONG left = directory->size - at;
        if (left < 8)
            return "damaged: the relocation table ends inside a block";
        const UCHAR *block = image + directory->rva + at;
        ULONG page = pe_u32(block), size = pe_u32(block + 4);
        if (page == 0 && size == 0)
            break; /* padding */
        if (size < 8 || size > left || size % 2)
            return "damaged: a relocation block has an impossible size";
        const char *error = relocate_block(pe, image, page, block + 8, (size - 8) / 2, to - from);
        if (error)
            return error;
        at += size;
    }
    return NULL;
}

/* ---- imports ---- */

static const char *delay_descriptor(struct pe_import_cursor *c, const UCHAR *row, ULONG *name)
{
    if (!(pe_u32(row) & 1))
        return "has delay imports in the old format (absolute addresses)";
    *name = pe_u32(row + 4);
    c->slots = pe_u32(row + 12);
    c->lookup = pe_u32(row + 16);
    return NULL;
}

/* Moves to the next descriptor with imports. *more is false after the last one of both tables. */
static const char *next_module(struct pe_import_cursor *c, bool *more)
{
    *more = true;
    for (;;) {
        ULONG stride = c->delayed ? DELAY_DESCRIPTOR_SIZE : IMPORT_DESCRIPTOR_SIZE;
        const struct pe_directory *d = &c->pe->directories[c->delayed ? PE_DIR_DELAY_IMPORT : PE_DIR_IMPORT];
        c->descriptor = c->descriptor ? c->descriptor + stride : d->rva;
        ULONG name = 0;
        if (d->rva) {
            if (!pe_inside(c->descriptor, stride, c->pe->image_size))
                return "damaged: the import table runs out of the image";
            const UCHAR *row = c->image + c->descriptor;
            name = pe_u32(row + 12);
            c->lookup = pe_u32(row);
            c->slots = pe_u32(row + 16);
            if (c->delayed) {
                if (pe_u32(row + 4) == 0)
                    name = 0;
                else {
                    const char *error = delay_descriptor(c, row, &name);
                    if (error)
                        return error;
                }
            }
        }
        if (name && c->slots) {
            c->module = text_at(c->pe, c->image, name);
            if (!c->module)
                return "damaged: the name of an imported module is not terminated text";
            if (!c->lookup)
                c->lookup = c->slots;
            c->index = 0;
            return NULL;
        }
        if (c->delayed) {
            *more = false;
            return NULL;
        }
        c->delayed = true;
        c->descriptor = 0;
        c->module = NULL;
    }
}

static const char *read_import(struct pe_import_cursor *c, ULONG64 lookup, struct pe_import *import)
{
    ULONG64 slot = c->slots + 8ull * c->index;
    if (!pe_inside(slot, 8, c->pe->image_size))
        return "damaged: an import's slot lies outside the image";
    *import = (struct pe_import){.module = c->module, .slot = (ULONG)slot, .delayed = c->delayed};
    if (lookup >> 63) {
        if (lookup & 0x7fffffffffff0000ull)
            return "damaged: an import by ordinal has unknown bits set";
        import->ordinal = (ULONG)lookup & 0xffff;
        return NULL;
    }
    if (lookup > 0x7fffffff)
        return "damaged: the name of an import lies outside the image";
    import->name = text_at(c->pe, c->image, lookup + 2);
    return import->name ? NULL : "damaged: the name of an import is not terminated text";
}

const char *pe_import_next(struct pe_import_cursor *c, struct pe_import *import, bool *done)
{
    *done = false;
    for (;;) {
        if (c->module) {
            ULONG64 at = c->lookup + 8ull * c->index;
            if (!pe_inside(at, 8, c->pe->image_size))
                return "damaged: the imports of a module are not terminated";
            ULONG64 lookup = pe_u64(c->image + at);
            if (lookup) {
                if (++c->count > PE_IMPORTS_MAX)
                    return "more than 65536 imports";
                const char *error = read_import(c, lookup, import);
                c->index++;
                return error;
            }
        }
        if (++c->modules > PE_IMPORTS_MAX)
            return "more than 65536 imported modules";
        bool more;
        const char *error = next_module(c, &more);
        if (error)
            return error;
        if (!more) {
            *done = true;
            return NULL;
        }
    }
}

/* ---- load configuration ---- */

ULONG pe_rva_of(const struct pe_file *pe, ULONG64 base, ULONG64 va, ULONG size)
{
    if (va < base || !pe_inside(va - base, size, pe->image_size))
        return 0;
    return (ULONG)(va - base);
}

static ULONG64 config_u64(const UCHAR *config, ULONG size, ULONG offset)
{
    return pe_inside(offset, 8, size) ? pe_u64(config + offset) : 0;
}

static ULONG config_u32(const UCHAR *config, ULONG size, ULONG offset)
{
    return pe_inside(offset, 4, size) ? pe_u32(config + offset) : 0;
}

const char *pe_read_load_config(const struct pe_file *pe, const UCHAR *image, struct pe_load_config *out)
{
    *out = (struct pe_load_config){0};
    const struct pe_directory *directory = &pe->directories[PE_DIR_LOAD_CONFIG];
    if (!directory->rva)
        return NULL;
    if (directory->size < 4 || !pe_inside(directory->rva, 4, pe->image_size))
        return "damaged: the load configuration has no size";
    const UCHAR *config = image + directory->rva;
    ULONG size = pe_u32(config); /* the directory's own size is not reliable: old linkers wrote a fixed one */
    if (size < 4 || !pe_inside(directory->rva, size, pe->image_size))
        return "damaged: the load configuration's size is impossible";
    out->size = size;
    out->security_cookie = config_u64(config, size, 0x58);
    out->guard_check = config_u64(config, size, 0x70);
    out->guard_dispatch = config_u64(config, size, 0x78);
    out->guard_flags = config_u32(config, size, 0x90);
    out->dynamic_reloc_offset = config_u32(config, size, 0xe0);
    out->dynamic_reloc_section = pe_inside(0xe4, 2, size) ? pe_u16(config + 0xe4) : 0;
    out->guard_xfg_check = config_u64(config, size, 0x118);
    out->guard_xfg_dispatch = config_u64(config, size, 0x120);
    out->guard_xfg_table_dispatch = config_u64(config, size, 0x128);
    if (size >= PE_LOAD_CONFIG_UMA_SIZE)
        out->uma_functions = config_u64(config, size, 0x140);
    return NULL;
}

/*
 * The dynamic value relocation table: {version, size} and then blocks. Version 1: {symbol 8, size 4} and size bytes.
 * Version 2: {header size 4, fix-up size 4, symbol 8, group 4, flags 4} and the fix-ups.
 */
bool pe_has_function_override(const struct pe_file *pe, const UCHAR *image, const struct pe_load_config *config)
{
    ULONG index = config->dynamic_reloc_section;
    if (index == 0 || index > pe->section_count)
        return false;
    ULONG64 at = (ULONG64)pe->sections[index - 1].rva + config->dynamic_reloc_offset;
    if (!pe_inside(at, 8, pe->image_size))
        return false;
    ULONG version = pe_u32(image + at), left = pe_u32(image + at + 4);
    at += 8;
    if ((version != 1 && version != 2) || !pe_inside(at, left, pe->image_size))
        return false;
    ULONG header = version == 1 ? 12 : 24;
    while (left >= header) {
        const UCHAR *block = image + at;
        ULONG64 symbol = pe_u64(block + (version == 1 ? 0 : 8));
        ULONG64 size = version == 1 ? 12ull + pe_u32(block + 8) : (ULONG64)pe_u32(block) + pe_u32(block + 4);
        if (symbol == FUNCTION_OVERRIDE_SYMBOL)
            return true;
        if (size < header || size > left)
            return false;
        at += size;
        left -= (ULONG)size;
    }
    return false;
}

/* ---- debug directory ---- */

bool pe_is_reproducible(const struct pe_file *pe, const UCHAR *image)
{
    const struct pe_directory *directory = &pe->directories[PE_DIR_DEBUG];
    for (ULONG i = 0; directory->rva && i < directory->size / DEBUG_ENTRY_SIZE && i < 64; i++)
        if (pe_u32(image + directory->rva + DEBUG_ENTRY_SIZE * i + 12) == DEBUG_REPRO)
            return true;
    return false;
}

const char *pe_pdb_path(const struct pe_file *pe, const UCHAR *image)
{
    const struct pe_directory *directory = &pe->directories[PE_DIR_DEBUG];
    for (ULONG i = 0; directory->rva && i < directory->size / DEBUG_ENTRY_SIZE && i < 64; i++) {
        const UCHAR *entry = image + directory->rva + DEBUG_ENTRY_SIZE * i;
        ULONG size = pe_u32(entry + 16), rva = pe_u32(entry + 20);
        if (pe_u32(entry + 12) != DEBUG_CODEVIEW || rva == 0 || size < 25 || !pe_inside(rva, size, pe->image_size))
            continue;
        if (pe_u32(image + rva) != 0x53445352) /* "RSDS", then GUID and age */
            continue;
        for (ULONG at = 24; at < size; at++)
            if (image[rva + at] == 0)
                return (const char *)image + rva + 24;
    }
    return NULL;
}
