/*
 * exports.h - the export table of the kernel (exports.def), ready for ldr.
 *
 * Apart from ldr itself so that the loader can be tested without a kernel: linking this links every export.
 */
#pragma once
#include "ldr.h"

extern const struct ldr_export_table ldr_kernel_exports;

/*
 * Makes drivers bind to ldr_kernel_exports, and the use of a missing export a bug check that names it. Once, after the
 * kernel has started (it adds to ke_explain_fault) and before the first ldr_load.
 */
void ldr_exports_install(void);
