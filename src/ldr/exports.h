/*
 * exports.h - the export table of the kernel (exports.def), ready for ldr.
 *
 * Apart from ldr itself so that the loader can be tested without a kernel: linking this links every export.
 */
#pragma once
#include "ldr.h"

extern const struct ldr_export_table ldr_kernel_exports;

/* Makes drivers bind to ldr_kernel_exports, and the call of a missing export a bug check. Once, before the first ldr_load. */
void ldr_exports_install(void);
