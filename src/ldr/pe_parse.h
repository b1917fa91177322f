/*
 * pe_parse.h - reads PE32+ driver files: headers, sections, imports, relocations, unwind tables, load configuration.
 *
 * Pure and freestanding: no allocation, no I/O, no global state. Nothing in the file is trusted; every offset and size
 * is checked against the file and against the image it describes. Functions that can refuse return null for success,
 * else one static phrase that completes
 * "<file>: ...". It does not decide what is loaded where (map.c) nor what an import means (bind.c).
 */
#pragma once
#include "wdk/ntexcept.h"

#define PE_IMAGE_MAX    (256u << 20)
#define PE_SECTIONS_MAX 96
#define PE_IMPORTS_MAX  65536
#define PE_NAME_MAX     512

enum pe_directory_index {
    PE_DIR_EXPORT,
    PE_DIR_IMPORT,
    PE_DIR_RESOURCE,
    PE_DIR_EXCEPTION,
    PE_DIR_SECURITY,
    PE_DIR_RELOC,
    PE_DIR_DEBUG,
    PE_DIR_ARCHITECTURE,
    PE_DIR_GLOBAL_POINTER,
    PE_DIR_TLS,
    PE_DIR_LOAD_CONFIG,
    PE_DIR_BOUND_IMPORT,
    PE_DIR_IAT,
    PE_DIR_DELAY_IMPORT,
    PE_DIR_CLR,
    PE_DIR_RESERVED,
    PE_DIR_COUNT
};

#define PE_SCN_CODE               0x00000020u
#define PE_SCN_INITIALIZED_DATA   0x00000040u
#define PE_SCN_UNINITIALIZED_DATA 0x00000080u
#define PE_SCN_DISCARDABLE        0x02000000u
#define PE_SCN_EXECUTE            0x20000000u
#define PE_SCN_READ               0x40000000u
#define PE_SCN_WRITE              0x80000000u

#define PE_MACHINE_AMD64        0x8664
#define PE_SUBSYSTEM_NATIVE     1
#define PE_FILE_RELOCS_STRIPPED 0x0001
#define PE_FILE_DLL             0x2000

/* A section: [rva, rva + size) in memory, of which the first raw_size bytes come from the file. */
struct pe_section {
    char name[9]; /* printable, terminated */
    ULONG rva;
    ULONG size;
    ULONG raw;
    ULONG raw_size; /* <= size */
    ULONG flags;    /* PE_SCN_* */
};

struct pe_directory {
    ULONG rva;
    ULONG size;
};

/* What the headers say, after every check. Keeps a pointer to the file. */
struct pe_file {
    const UCHAR *file;
    SIZE_T file_size;
    USHORT machine;
    USHORT characteristics;
    USHORT subsystem;
    USHORT dll_characteristics;
    ULONG timestamp;
    ULONG checksum;
    ULONG entry;
    ULONG image_size;
    ULONG headers_size;
    ULONG section_alignment;
    ULONG file_alignment;
    ULONG64 image_base;
    ULONG section_count;
    struct pe_section sections[PE_SECTIONS_MAX];
    struct pe_directory directories[PE_DIR_COUNT]; /* rva 0: none; else inside the image */
};

/* Reads and checks the headers of file[0, size). *pe is whole only on success; machine and subsystem are set as soon as
 * they are known. */
const char *pe_parse(const void *file, SIZE_T size, struct pe_file *pe);

/* "x64", "ARM64" ...; never null. */
const char *pe_machine_name(USHORT machine);
const char *pe_subsystem_name(USHORT subsystem);

/* The section that holds rva, or null (headers and gaps). */
const struct pe_section *pe_section_at(const struct pe_file *pe, ULONG rva);

/* Lays headers and sections out in image[0, pe->image_size), which the caller has zeroed. */
void pe_copy(const struct pe_file *pe, UCHAR *image);

/* ---- the tables; image is what pe_copy made, image_size bytes ---- */

/* Adjusts the image, linked for address from, to run at address to. Partial changes remain after a refusal. */
const char *pe_relocate(const struct pe_file *pe, UCHAR *image, ULONG64 from, ULONG64 to);

/* One import. The strings point into the image. */
struct pe_import {
    const char *module;
    const char *name; /* null: by ordinal */
    ULONG ordinal;
    ULONG slot; /* rva of the 8 bytes to fill */
    bool delayed;
};

/* Walks imports, then delay imports. Zero the cursor first, except pe, image. */
struct pe_import_cursor {
    const struct pe_file *pe;
    const UCHAR *image;
    ULONG descriptor; /* rva of the current one, 0 before the first */
    ULONG index;
    ULONG count; /* imports so far, and below modules: both bounded */
    ULONG modules;
    bool delayed;
    const char *module;
    ULONG lookup;
    ULONG slots;
};

/* Next import into *import; *done is set after the last one. */
const char *pe_import_next(struct pe_import_cursor *cursor, struct pe_import *import, bool *done);

/* The .pdata entries and where their unwind data lies. */
struct pe_unwind {
    ULONG functions; /* rva, 0 if none */
    ULONG count;
    ULONG data_low; /* lowest and one past the highest rva of unwind data */
    ULONG data_high;
};
/* Checks order, ranges, unwind codes and chains of every entry. */
const char *pe_check_unwind(const struct pe_file *pe, const UCHAR *image, struct pe_unwind *unwind);

/* Load configuration. Fields that its size does not reach are 0. Addresses are as in the image: absolute. */
struct pe_load_config {
    ULONG size; /* 0: none */
    ULONG guard_flags;
    ULONG64 security_cookie;
    ULONG64 guard_check;
    ULONG64 guard_dispatch;
    ULONG64 guard_xfg_check;
    ULONG64 guard_xfg_dispatch;
    ULONG64 guard_xfg_table_dispatch;
    ULONG dynamic_reloc_offset;
    USHORT dynamic_reloc_section;
    ULONG64 uma_functions;
};
#define PE_LOAD_CONFIG_UMA_SIZE 0x148u
#define PE_UMA_TABLE_SIZE       0x150u
const char *pe_read_load_config(const struct pe_file *pe, const UCHAR *image, struct pe_load_config *config);

/* The rva of the absolute address va in an image that runs at base, if [va, va + size) lies inside it; 0 if not. */
ULONG pe_rva_of(const struct pe_file *pe, ULONG64 base, ULONG64 va, ULONG size);

/* Is there a function-override block (dynamic relocation symbol 7)? A damaged table counts as none. */
bool pe_has_function_override(const struct pe_file *pe, const UCHAR *image, const struct pe_load_config *config);

/* Does the debug directory (in the image) say that the header's time stamp is a hash of the contents? */
bool pe_is_reproducible(const struct pe_file *pe, const UCHAR *image);

/* Path of the program database named by the debug directory (in the image), or null. */
const char *pe_pdb_path(const struct pe_file *pe, const UCHAR *image);
