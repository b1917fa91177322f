/*
 * exports.c - the export tables of the kernel and of WDFLDR.SYS, one row per line of exports.def and wdfldr.def; the
 * thunks are in export_stubs.S.
 *
 * Includes no system header: rows carry names such as memcpy, which those may define as macros.
 */
#include "exports.h"

#define HIDDEN extern __attribute__((visibility("hidden"))) char

#define EXPORT_DONE(Name)            HIDDEN ldr_thunk_##Name[];
#define EXPORT_AS(Name, Symbol)      HIDDEN ldr_thunk_##Name[];
#define EXPORT_LEAF(Name)            HIDDEN ldr_target_##Name[] __asm__(#Name);
#define EXPORT_LEAF_AS(Name, Symbol) HIDDEN ldr_target_##Name[] __asm__(#Symbol);
#define EXPORT_DATA(Name)            HIDDEN ldr_target_##Name[] __asm__(#Name);
#define EXPORT_DATA_AS(Name, Symbol) HIDDEN ldr_target_##Name[] __asm__(#Symbol);
#define EXPORT_STUB(Name)            HIDDEN ldr_thunk_##Name[];
#define EXPORT_DATA_STUB(Name)
#include "exports.def"
#include "wdfldr.def"
#undef EXPORT_DONE
#undef EXPORT_AS
#undef EXPORT_LEAF
#undef EXPORT_LEAF_AS
#undef EXPORT_DATA
#undef EXPORT_DATA_AS
#undef EXPORT_STUB
#undef EXPORT_DATA_STUB

#define EXPORT_DONE(Name)            {#Name, ldr_thunk_##Name, LDR_EXPORT_DONE, false},
#define EXPORT_AS(Name, Symbol)      {#Name, ldr_thunk_##Name, LDR_EXPORT_DONE, false},
#define EXPORT_LEAF(Name)            {#Name, ldr_target_##Name, LDR_EXPORT_DONE, false},
#define EXPORT_LEAF_AS(Name, Symbol) {#Name, ldr_target_##Name, LDR_EXPORT_DONE, false},
#define EXPORT_DATA(Name)            {#Name, ldr_target_##Name, LDR_EXPORT_DATA, true},
#define EXPORT_DATA_AS(Name, Symbol) {#Name, ldr_target_##Name, LDR_EXPORT_DATA, true},
#define EXPORT_STUB(Name)            {#Name, ldr_thunk_##Name, LDR_EXPORT_STUB, false},
#define EXPORT_DATA_STUB(Name)       {#Name, 0, LDR_EXPORT_STUB, true},
static struct ldr_export rows[] = {
#include "exports.def"
};

static struct ldr_export framework_rows[] = {
#include "wdfldr.def"
};

const struct ldr_export_table ldr_framework_exports = {framework_rows,
                                                       sizeof(framework_rows) / sizeof(framework_rows[0])};
const struct ldr_export_table ldr_kernel_exports = {rows, sizeof(rows) / sizeof(rows[0])};
