/*
 * info_kmdf.c - what `uma info` tells about a driver of the kernel-mode driver framework: its version, how it binds,
 * and which functions of the framework its code calls.
 *
 * The calls are found by the machine code compilers make of them, without decoding the rest; the image is not trusted.
 */
#include "info.h"
#include "kmdf_table.h"
#include "pe_parse.h"
#include <string.h>
#include <strings.h>

enum { SLOTS = 512, COPIED_MAX = 438, LOOK_AHEAD = 96 };

/* What the bind information says: ULONG size at 0, pointer to L"KmdfLibrary" at 8, version at 16, number of functions
 * at 28, pointer to their table (or to the pointer to it) at 32. */
struct bind {
    ULONG size, version[2], count;
    ULONG table; /* rva of what the driver calls through; 0: outside the image */
};

static bool bind_at(const struct ldr_image *image, ULONG rva, struct bind *bind)
{
    static const USHORT component[] = {'K', 'm', 'd', 'f', 'L', 'i', 'b', 'r', 'a', 'r', 'y', 0};
    ULONG64 name, table;
    const UCHAR *at = image->base + rva;
    memcpy(&bind->size, at, 4);
    memcpy(&name, at + 8, 8);
    ULONG name_rva = pe_rva_of(image->pe, (ULONG_PTR)image->base, name, sizeof(component));
    if (bind->size < 0x30 || bind->size > 0x200 || !name_rva ||
        memcmp(image->base + name_rva, component, sizeof(component)))
        return false;
    memcpy(bind->version, at + 16, 8);
    memcpy(&bind->count, at + 28, 4);
    memcpy(&table, at + 32, 8);
    bind->table = pe_rva_of(image->pe, (ULONG_PTR)image->base, table, 8);
    return true;
}

static bool find_bind(const struct ldr_image *image, struct bind *bind)
{
    for (ULONG i = 0; i < image->pe->section_count; i++) {
        const struct pe_section *section = &image->pe->sections[i];
        for (ULONG at = (section->rva + 7) & ~7u; at + 0x30 <= section->rva + section->size; at += 8)
            if (bind_at(image, at, bind))
                return true;
    }
    return false;
}

/* An instruction at code that takes 8 bytes from memory to load, call or jump: 8B /r, FF /2, FF /4. */
struct access {
    bool relative;   /* to rip: displacement is from the instruction's end */
    unsigned base;   /* else: register */
    unsigned target; /* register loaded; 16: a call or jump */
    LONG displacement;
    unsigned length;
};

static bool decode(const UCHAR *code, struct access *access)
{
    unsigned rex = (code[0] & 0xF0) == 0x40 ? *code++ : 0, modrm = code[1], mod = modrm >> 6, base = modrm & 7;
    bool load = code[0] == 0x8B && (rex & 8);
    bool call = code[0] == 0xFF && ((modrm >> 3 & 7) == 2 || (modrm >> 3 & 7) == 4);
    unsigned sib = mod != 3 && base == 4 ? 1 : 0;
    if ((!load && !call) || mod == 3 || (sib && code[2] != 0x24))
        return false;
    const UCHAR *displacement = code + 2 + sib;
    access->relative = mod == 0 && base == 5;
    unsigned size = access->relative || mod == 2 ? 4 : mod;
    access->base = base | (rex & 1) << 3;
    access->target = call ? 16 : (modrm >> 3 & 7) | (rex & 4) << 1;
    access->displacement = 0;
    if (size == 4)
        memcpy(&access->displacement, displacement, 4);
    else if (size == 1)
        access->displacement = (signed char)*displacement;
    access->length = (rex ? 1 : 0) + 2 + sib + size;
    return true;
}

/* After WdfFunctions was loaded into a register: the first use of that register as the table. -1: none is near. */
static int slot_used(const UCHAR *code, const UCHAR *end, unsigned table)
{
    struct access access;
    for (const UCHAR *stop = code + LOOK_AHEAD; code < stop && code + 16 <= end; code++)
        if (decode(code, &access) && !access.relative && access.base == table && access.displacement >= 0 &&
            access.displacement % 8 == 0 && access.displacement / 8 < SLOTS)
            return access.displacement / 8;
    return -1;
}

/* One past the function that holds rva; without one, a little further. */
static const UCHAR *function_end(const struct ldr_image *image, ULONG rva, const UCHAR *end)
{
    for (ULONG i = 0; i < image->seh.count; i++)
        if (rva >= image->seh.functions[i].BeginAddress && rva < image->seh.functions[i].EndAddress)
            end = image->base + image->seh.functions[i].EndAddress;
    return end;
}

/* The address of WdfFunctions is in a register: mingw's way. Each load through it is followed. */
static void scan_through(const UCHAR *code, const UCHAR *end, unsigned pointer, bool *used)
{
    struct access access;
    for (; code + 16 <= end; code++) {
        if (!decode(code, &access) || access.relative || access.base != pointer || access.displacement ||
            access.target == 16)
            continue;
        int slot = slot_used(code + access.length, end, access.target);
        if (slot >= 0)
            used[slot] = true;
    }
}

static bool holds_table(const struct ldr_image *image, LONG64 rva, const struct bind *bind)
{
    ULONG64 value;
    if (rva < 0 || (ULONG64)rva + sizeof(value) > image->size)
        return false;
    memcpy(&value, image->base + rva, sizeof(value));
    return value == (ULONG_PTR)image->base + bind->table;
}

static void scan(const struct ldr_image *image, const struct pe_section *section, const struct bind *bind, bool *used)
{
    const UCHAR *end = image->base + section->rva + section->size;
    bool copied = bind->count <= COPIED_MAX;
    for (const UCHAR *code = image->base + section->rva; code + 16 <= end; code++) {
        struct access access;
        if (!decode(code, &access) || !access.relative)
            continue;
        LONG64 rva = (code - image->base) + access.length + access.displacement, offset = rva - bind->table;
        int slot = -1;
        if (copied && offset >= 0 && offset % 8 == 0 && offset / 8 < bind->count)
            slot = (int)(offset / 8);
        else if (!copied && !offset && access.target != 16)
            slot = slot_used(code + access.length, end, access.target);
        else if (!copied && access.target != 16 && holds_table(image, rva, bind))
            scan_through(code + access.length, function_end(image, (ULONG)(code - image->base), end), access.target,
                         used);
        if (slot >= 0)
            used[slot] = true;
    }
}

static bool binds(const struct ldr_image *image)
{
    for (ULONG i = 0; i < image->import_count; i++)
        if (!strcasecmp(image->imports[i].module, "WDFLDR.SYS") && !strcmp(image->imports[i].name, "WdfVersionBind"))
            return true;
    return false;
}

json_t *info_kmdf(const struct ldr_image *image)
{
    struct bind bind;
    bool used[SLOTS] = {false};
    int functions = 0;
    if (!binds(image))
        return json_null();
    if (!find_bind(image, &bind))
        return json_pack("{s n}", "version");
    for (ULONG i = 0; bind.table && i < image->pe->section_count; i++)
        if (image->pe->sections[i].flags & PE_SCN_EXECUTE)
            scan(image, &image->pe->sections[i], &bind, used);
    json_t *stubs = json_array();
    for (ULONG i = 0; i < SLOTS; i++) {
        functions += used[i];
        if (used[i] && !kmdf_function_done(i))
            json_array_append_new(stubs, kmdf_function_name(i) ? json_string(kmdf_function_name(i))
                                                               : json_sprintf("slot %u", i));
    }
    const char *how = bind.count <= COPIED_MAX ? "copied table"
                      : bind.size >= 0x58      ? "pointer, version 2 information"
                                               : "pointer";
    return json_pack("{so ss si so}", "version", json_sprintf("%u.%u", bind.version[0], bind.version[1]), "bind", how,
                     "functions", functions, "stubs", stubs);
}
