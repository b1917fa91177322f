/*
 * ldr.h - driver images: parse (pure), map, bind, redirect, name addresses.
 *
 * pe_parse is pure and never trusts a byte of the file; everything else works on its result. A bad file gives a
 * status and one line of text, never a crash.
 */
#pragma once
#include "wdk/ntexcept.h"
#include "seh.h"

#define LDR_ERROR_MAX 256
#define LDR_NAME_MAX  64

enum ldr_export_state { LDR_EXPORT_UNKNOWN, LDR_EXPORT_STUB, LDR_EXPORT_DONE, LDR_EXPORT_DATA };

/* One row of exports.def. address: what a driver's import slot gets. */
struct ldr_export {
    const char *name;
    void *address;
    enum ldr_export_state state;
    bool data; /* a variable; a stub's address is then null */
};

/* What drivers import from. Rows may be in any order; ldr_set_exports sorts them. Names are unique (tests/ldr). */
struct ldr_export_table {
    struct ldr_export *rows;
    SIZE_T count;
};

/* Chooses the table that ntoskrnl.exe and hal.dll imports bind to; before the first ldr_load. `uma` calls
 * ldr_exports_install (exports.h), which also makes the call of a missing export a bug check. */
void ldr_set_exports(const struct ldr_export_table *table);
/* The table for imports from another module, which must not have variables; before the first ldr_load. At most four. */
void ldr_add_exports(const char *module, const struct ldr_export_table *table);

/* What the image of that file is called: "drivers/uma_safe.sys" is "uma_safe"; printable characters only. */
void ldr_image_name(const char *path, char *name, size_t size);

/*
 * Called when a driver calls an export we do not have: never returns. text is the whole message ("driver X called
 * unimplemented export ntoskrnl.exe!Foo at X!Fn+0x12 (file:line)"), name the export's, caller the address in the
 * driver. By default it prints and exits with 1.
 */
extern void (*ldr_stop_hook)(const char *text, const char *name, ULONG_PTR caller);

/* One import of a loaded driver, for uma info. Strings live as long as the image. */
struct ldr_import {
    const char *module;
    const char *name; /* "#12" if by ordinal */
    enum ldr_export_state state;
    bool delayed;
    ULONG slot; /* offset of the pointer in the image */
};

struct ldr_stub;
struct pe_file;

/* A mapped driver. Opaque fields are ldr's; the public ones are for run, info and bug checks. */
struct ldr_image {
    char name[LDR_NAME_MAX]; /* "uma_safe" : file name without folder and extension */
    char path[1024];
    UCHAR *base;
    SIZE_T size;
    ULONG_PTR entry; /* DriverEntry (GsDriverEntry), absolute */
    struct seh_image seh;
    ULONG_PTR uma_table; /* absolute address of __uma_functions, 0 if none */
    struct ldr_image *next;

    /* opaque, except that uma info reads them */
    struct pe_file *pe;  /* headers; pe->file is gone */
    UCHAR *unwind_begin; /* unwind data that must stay when INIT sections go */
    UCHAR *unwind_end;
    struct ldr_import *imports;
    ULONG import_count;
    char *strings;          /* names of the imports */
    struct ldr_stub *stubs; /* executable page(s) for unknown imports */
    SIZE_T stubs_size;
    ULONG notes; /* LDR_NOTE_*: remarks about the file, none fatal */
};

enum {
    LDR_NOTE_TLS = 1,            /* has a TLS directory; drivers have no TLS: ignored */
    LDR_NOTE_WRITE_EXECUTE = 2,  /* some page is writable and executable */
    LDR_NOTE_NO_COOKIE = 4,      /* its stack cookie lies outside the image: left alone */
    LDR_NOTE_DELAY = 8,          /* delay imports: bound at load like the others */
    LDR_NOTE_OVERRIDE = 16,      /* has function overrides (dynamic relocation symbol 7): not applied */
    LDR_NOTE_BAD_UMA_TABLE = 32, /* its load configuration points outside the image: not filled */
    LDR_NOTE_BAD_GUARD = 64      /* a control flow guard pointer lies outside the image: not set */
};
/* One line of text for a note (one bit). */
const char *ldr_note_text(ULONG note);

/* Reads, checks, maps, relocates and binds the driver at path. On failure *error has one clear line. */
NTSTATUS ldr_load(const char *path, struct ldr_image **image, char error[LDR_ERROR_MAX]);
void ldr_unload(struct ldr_image *image);
/* Frees the discardable (INIT) sections; called after DriverEntry succeeded. */
void ldr_discard_init(struct ldr_image *image);
/* The protection (PLAT_*) that a page of a loaded image has by its sections. */
ULONG ldr_page_protection(const struct ldr_image *image, ULONG_PTR address);
/* Fills the accessor tables of all loaded drivers again (uma_redirect_traced). No driver may be running. */
void ldr_redirect_again(void);
/* The image that holds address, or null. Safe in a bug check. */
struct ldr_image *ldr_find(ULONG_PTR address);
struct ldr_image *ldr_first(void);

/* "legacy_race!HandleCopy+0x45 (drivers/legacy_race/legacy_race.c:88)"; always writes something; never fails. Runs
 * llvm-symbolizer. */
void ldr_symbolize(ULONG_PTR address, char *text, SIZE_T size);
/* Asks about several at once, in one run of it; ldr_symbolize then knows them. */
void ldr_symbolize_ahead(const ULONG_PTR *addresses, SIZE_T count);

/* The export table (exports.def). state of a name; address for MmGetSystemRoutineAddress, null if unknown. */
enum ldr_export_state ldr_export_lookup(const char *name, void **address);
/* The export whose variable is not provided and whose stand-in address covers address, or null. */
const char *ldr_data_stub_name(ULONG_PTR address);
