/*
 * pe_parse.c - the headers and the section table of a PE32+ driver, and its layout in memory.
 *
 * See pe_parse.h. The tables inside the image (imports, relocations, unwind data, load configuration) are in
 * pe_tables.c and pe_unwind.c.
 */
#include "pe_bytes.h"
#include "pe_parse.h"

enum {
    DOS_SIZE = 0x40,
    DOS_LFANEW = 0x3c,
    FILE_HEADER_SIZE = 20,
    OPTIONAL_FIXED_SIZE = 112, /* PE32+ up to the directories */
    SECTION_SIZE = 40,
    PE32_MAGIC = 0x10b,
    PE32PLUS_MAGIC = 0x20b
};

const char *pe_machine_name(USHORT machine)
{
    switch (machine) {
    case 0x8664:
        return "x64";
    case 0xaa64:
        return "ARM64";
    case 0xa641:
        return "ARM64EC";
    case 0xa64e:
        return "ARM64X";
    case 0x014c:
        return "x86";
    case 0x01c0:
    case 0x01c2:
    case 0x01c4:
        return "ARM";
    case 0x0200:
        return "Itanium";
    default:
        return "unknown";
    }
}

const char *pe_subsystem_name(USHORT subsystem)
{
    switch (subsystem) {
    case 1:
        return "native";
    case 2:
        return "Windows GUI";
    case 3:
        return "Windows console";
    case 7:
        return "POSIX console";
    case 9:
        return "Windows CE";
    case 10:
    case 11:
    case 12:
    case 13:
        return "EFI";
    case 16:
        return "boot application";
    default:
        return "unknown";
    }
}

static const char *refuse_machine(USHORT machine)
{
    switch (machine) {
    case 0xaa64:
        return "ARM64 driver; umaccess runs x64 drivers only";
    case 0xa641:
    case 0xa64e:
        return "ARM64EC or ARM64X image; umaccess runs x64 drivers only";
    case 0x014c:
        return "32-bit x86 image; umaccess runs x64 drivers only";
    case 0x01c0:
    case 0x01c2:
    case 0x01c4:
        return "32-bit ARM image; umaccess runs x64 drivers only";
    case 0x0200:
        return "Itanium image; umaccess runs x64 drivers only";
    default:
        return "PE file for an unknown machine; umaccess runs x64 drivers only";
    }
}

static const char *refuse_subsystem(const struct pe_file *pe)
{
    if (pe->subsystem >= 10 && pe->subsystem <= 13)
        return "EFI image, not a driver (its subsystem is not native)";
    if (pe->characteristics & PE_FILE_DLL)
        return "user-mode DLL, not a driver (its subsystem is not native)";
    return "user-mode program, not a driver (its subsystem is not native)";
}

static bool is_power_of_two(ULONG value)
{
    return value && !(value & (value - 1));
}

static const char *parse_directories(struct pe_file *pe, const UCHAR *entries, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        ULONG rva = pe_u32(entries + 8 * i), size = pe_u32(entries + 8 * i + 4);
        /* The security directory is a file offset (the signature, not mapped); bound imports are never used. */
        if (i == PE_DIR_SECURITY || i == PE_DIR_BOUND_IMPORT || rva == 0 || size == 0)
            continue;
        if (!pe_inside(rva, size, pe->image_size))
            return "damaged: a data directory lies outside the image";
        pe->directories[i].rva = rva;
        pe->directories[i].size = size;
    }
    return NULL;
}

static const char *parse_optional(struct pe_file *pe, const UCHAR *header, ULONG header_size)
{
    if (header_size < 2)
        return "truncated: no optional header";
    USHORT magic = pe_u16(header);
    if (magic == PE32_MAGIC)
        return "32-bit image (PE32); umaccess runs x64 drivers only";
    if (magic != PE32PLUS_MAGIC)
        return "damaged: unknown kind of optional header";
    if (header_size < OPTIONAL_FIXED_SIZE)
        return "damaged: the optional header is too short";
    pe->entry = pe_u32(header + 16);
    pe->image_base = pe_u64(header + 24);
    pe->section_alignment = pe_u32(header + 32);
    pe->file_alignment = pe_u32(header + 36);
    pe->image_size = pe_u32(header + 56);
    pe->headers_size = pe_u32(header + 60);
    pe->checksum = pe_u32(header + 64);
    pe->subsystem = pe_u16(header + 68);
    pe->dll_characteristics = pe_u16(header + 70);
    if (pe->subsystem != PE_SUBSYSTEM_NATIVE)
        return refuse_subsystem(pe);
    if (!is_power_of_two(pe->section_alignment) || !is_power_of_two(pe->file_alignment))
        return "damaged: an alignment is not a power of two";
    if (pe->file_alignment > pe->section_alignment)
        return "damaged: sections are aligned more loosely in memory than in the file";
    if (pe->image_size == 0)
        return "damaged: the image size is 0";
    if (pe->image_size > PE_IMAGE_MAX)
        return "image larger than 256 MB";
    if (pe->headers_size > pe->image_size)
        return "damaged: the headers are larger than the image";
    if (pe->headers_size > pe->file_size)
        return "truncated: the file ends inside its headers";
    ULONG count = pe_u32(header + 108);
    if (count > PE_DIR_COUNT)
        count = PE_DIR_COUNT;
    if (header_size - OPTIONAL_FIXED_SIZE < 8 * count)
        return "damaged: the optional header has no room for its data directories";
    return parse_directories(pe, header + OPTIONAL_FIXED_SIZE, count);
}

static void copy_section_name(char to[9], const UCHAR *from)
{
    ULONG i = 0;
    for (; i < 8 && from[i]; i++)
        to[i] = from[i] >= 0x20 && from[i] < 0x7f ? (char)from[i] : '?';
    to[i] = 0;
}

/* One row of the section table; end is the end of the previous section in memory. */
static const char *parse_section(struct pe_file *pe, struct pe_section *section, const UCHAR *row, ULONG end)
{
    copy_section_name(section->name, row);
    ULONG virtual_size = pe_u32(row + 8);
    section->rva = pe_u32(row + 12);
    section->raw_size = pe_u32(row + 16);
    section->raw = pe_u32(row + 20);
    section->flags = pe_u32(row + 36);
    section->size = virtual_size ? virtual_size : section->raw_size;
    if (section->raw == 0)
        section->raw_size = 0;
    if (!pe_inside(section->raw, section->raw_size, pe->file_size))
        return "truncated: a section's data lies beyond the end of the file";
    if (section->raw_size && pe->section_alignment >= 0x1000 && section->raw % 0x200)
        return "damaged: a section's data is misaligned in the file";
    if (section->raw_size > section->size)
        section->raw_size = section->size; /* the rest is padding of the file */
    if (section->rva & (pe->section_alignment - 1))
        return "damaged: a section is misaligned in memory";
    if (!pe_inside(section->rva, section->size, pe->image_size))
        return "damaged: a section lies outside the image";
    if (section->rva < end)
        return "damaged: sections overlap or are out of order";
    return NULL;
}

static const char *parse_sections(struct pe_file *pe, const UCHAR *table, ULONG count)
{
    ULONG end = pe->headers_size;
    for (ULONG i = 0; i < count; i++) {
        struct pe_section *section = &pe->sections[i];
        const char *error = parse_section(pe, section, table + (SIZE_T)SECTION_SIZE * i, end);
        if (error)
            return error;
        end = section->rva + section->size;
    }
    pe->section_count = count;
    if (pe->entry == 0)
        return "no entry point; not a driver that can be started";
    const struct pe_section *code = pe_section_at(pe, pe->entry);
    if (!code || !(code->flags & PE_SCN_EXECUTE))
        return "damaged: the entry point is not in an executable section";
    return NULL;
}

const char *pe_parse(const void *data, SIZE_T size, struct pe_file *pe)
{
    const UCHAR *file = data;
    *pe = (struct pe_file){.file = file, .file_size = size};
    if (size == 0)
        return "empty file";
    if (size < 2 || file[0] != 'M' || file[1] != 'Z')
        return "not a Windows driver (no MZ header)";
    if (size < DOS_SIZE)
        return "truncated: the file ends inside its headers";
    ULONG header = pe_u32(file + DOS_LFANEW);
    if (!pe_inside(header, 4 + FILE_HEADER_SIZE, size))
        return "truncated or damaged: no PE header where the MZ header points";
    if (pe_u32(file + header) != 0x00004550)
        return "not a Windows driver (an MZ file without a PE header)";
    header += 4;
    pe->machine = pe_u16(file + header);
    pe->characteristics = pe_u16(file + header + 18);
    pe->timestamp = pe_u32(file + header + 4);
    if (pe->machine != PE_MACHINE_AMD64)
        return refuse_machine(pe->machine);
    ULONG count = pe_u16(file + header + 2), optional_size = pe_u16(file + header + 16);
    ULONG optional = header + FILE_HEADER_SIZE;
    if (!pe_inside(optional, optional_size, size))
        return "truncated: the file ends inside its headers";
    const char *error = parse_optional(pe, file + optional, optional_size);
    if (error)
        return error;
    if (count == 0)
        return "damaged: no sections";
    if (count > PE_SECTIONS_MAX)
        return "more than 96 sections";
    if (!pe_inside((ULONG64)optional + optional_size, (ULONG64)SECTION_SIZE * count, size))
        return "truncated: the file ends inside its section table";
    return parse_sections(pe, file + optional + optional_size, count);
}

const struct pe_section *pe_section_at(const struct pe_file *pe, ULONG rva)
{
    for (ULONG i = 0; i < pe->section_count; i++)
        if (rva >= pe->sections[i].rva && rva - pe->sections[i].rva < pe->sections[i].size)
            return &pe->sections[i];
    return NULL;
}

void pe_copy(const struct pe_file *pe, UCHAR *image)
{
    pe_bytes_copy(image, pe->file, pe->headers_size);
    for (ULONG i = 0; i < pe->section_count; i++) {
        const struct pe_section *section = &pe->sections[i];
        if (section->raw_size)
            pe_bytes_copy(image + section->rva, pe->file + section->raw, section->raw_size);
    }
}
