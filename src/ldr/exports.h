/*
 * exports.h - the export table of the kernel (exports.def), ready for ldr.
 *
 * Apart from ldr itself so that the loader can be tested without a kernel: linking this links every export.
 */
#pragma once
#include "ldr.h"

extern const struct ldr_export_table ldr_kernel_exports, ldr_framework_exports;

/*
 * Makes drivers bind to ldr_kernel_exports and ldr_framework_exports (WDFLDR.SYS), and the use of a missing export a
 * bug check that names it. Once, after the kernel has started (it adds to ke_explain_fault) and before the first
 * ldr_load.
 */
void ldr_exports_install(void);

/* The name of the export whose call goes to this routine (seh_export_call), null if none does. Signal-safe. */
const char *ldr_export_name(ULONG_PTR routine);
/* name is one that ldr_export_name gives, by address. */
bool ldr_is_export_name(const char *name);

/* One row of irql.def: the check stands in the table for the export, the target, once ldr_verify_irql was called. */
struct ldr_irql_row {
    const char *name;
    void *target;
    UCHAR lowest, highest;
    USHORT subcode;
    void *check;
};
extern struct ldr_irql_row ldr_irql_rows[];
extern const SIZE_T ldr_irql_count;
/* Drivers loaded from now on are held to the documented IRQL of each export: else bug check 0xC4. After
 * ldr_exports_install. */
void ldr_verify_irql(void);
