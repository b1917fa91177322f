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

enum ldr_export_state { LDR_EXPORT_UNKNOWN, LDR_EXPORT_STUB, LDR_EXPORT_DONE, LDR_EXPORT_DATA };

/* A mapped driver. Opaque fields are ldr's; the public ones are for run, info and bug checks. */
struct ldr_image {
    char name[64];            /* "uma_safe" : file name without folder and extension */
    char path[1024];
    UCHAR *base;
    SIZE_T size;
    ULONG_PTR entry;          /* DriverEntry (GsDriverEntry), absolute */
    struct seh_image seh;
    ULONG_PTR uma_table;      /* absolute address of __uma_functions, 0 if none */
    struct ldr_image *next;
};

/* Reads, checks, maps, relocates and binds the driver at path. On failure *error has one clear line. */
NTSTATUS ldr_load(const char *path, struct ldr_image **image, char error[LDR_ERROR_MAX]);
void ldr_unload(struct ldr_image *image);
/* Frees the discardable (INIT) sections; called after DriverEntry succeeded. */
void ldr_discard_init(struct ldr_image *image);
/* The image that holds address, or null. Safe in a bug check. */
struct ldr_image *ldr_find(ULONG_PTR address);
struct ldr_image *ldr_first(void);

/* "legacy_race!HandleCopy+0x45 (drivers/legacy_race/legacy_race.c:88)"; always writes something; never fails. Runs llvm-symbolizer. */
void ldr_symbolize(ULONG_PTR address, char *text, SIZE_T size);

/* The export table (exports.def). state of a name; address for MmGetSystemRoutineAddress, null if unknown. */
enum ldr_export_state ldr_export_lookup(const char *name, void **address);
