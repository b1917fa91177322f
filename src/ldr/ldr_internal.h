/*
 * ldr_internal.h - what the files of src/ldr share: the steps of loading one image, in order.
 */
#pragma once
#include "ldr.h"
#include "pe_parse.h"

/* bind.c: walks the imports, fills the slots, makes stubs for those we lack. The image is still writable. */
const char *ldr_bind(struct ldr_image *image);
void ldr_unbind(struct ldr_image *image);

/* stubs.c: makes image->stubs for count unknown imports; ldr_stub_address gives the code of the i-th. */
bool ldr_stubs_make(struct ldr_image *image, ULONG count);
void *ldr_stub_set(struct ldr_image *image, ULONG index, const char *module, const char *name);
void ldr_stubs_seal(struct ldr_image *image);
void ldr_stubs_free(struct ldr_image *image);

/* loadconfig.c: stack cookie, control flow guard, UMA table. The image is still writable. */
const char *ldr_apply_load_config(struct ldr_image *image);

/* guard.S: what control flow guard's pointers get. */
void ldr_guard_check(void);
void ldr_guard_dispatch(void);

/* exports table */
/* The row of an export of the kernel; of whatever module a driver names. */
struct ldr_export *ldr_export_find(const char *name);
const struct ldr_export *ldr_import_find(const char *module, const char *name);
void *ldr_data_stub_address(const struct ldr_export *row);

/* symbols.c: an image goes away; its addresses may come back as another's. */
void ldr_symbols_forget(void);

/* stubs.c: a driver called an export we lack. */
DECLSPEC_NORETURN void ldr_stop(const char *module, const char *name);
