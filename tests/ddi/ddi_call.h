/*
 * ddi_call.h - one call of any DDI as data: its arguments, and what kind of DDI it is. What generate.py --thunks fills
 * in.
 *
 * Only standard types, so that a driver (drivers/uma_tour), a Windows program and our own kernel can all include it.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum ddi_shape {
    DDI_READ,
    DDI_WRITE,
    DDI_COPY_FROM, /* checked side is the source; the other side is the destination */
    DDI_COPY_TO,   /* checked side is the destination */
    DDI_FILL,
    DDI_ZERO,
    DDI_AND,
    DDI_OR,
    DDI_COMPARE_EXCHANGE,
    DDI_STRING,
    DDI_WIDE_STRING,
    DDI_FILTER,
    DDI_POINTER_CHECK,
    DDI_TYPES
};

/* Arguments and result of one call, whatever the DDI. The thunk takes from it what the DDI has parameters for. */
struct ddi_call {
    uint64_t user;     /* the address the DDI checks; of two, the source */
    uint64_t other;    /* the other side of a copy */
    uint64_t length;   /* bytes; for the structure macros it picks the type */
    uint64_t value[2]; /* value to write, fill byte, exchange; [1] comperand */
    uint64_t result[2];
    uint32_t alignment;
    signed char mode;
};

/* Returns 0 if the DDI has no form for call->length. */
typedef int ddi_thunk(struct ddi_call *call);

enum ddi_flags {
    DDI_MODE = 1,     /* takes a Mode */
    DDI_BOTH_USER = 2 /* the other side of the copy is checked too (with Mode: unless it is KernelMode) */
};

struct ddi_row {
    const char *name;
    const char *family;
    unsigned short family_number; /* families in order of first appearance in the table */
    unsigned short index;         /* in its family */
    enum ddi_shape shape;
    unsigned flags;
    ddi_thunk *thunk;
};
extern const struct ddi_row ddi_rows[];
extern const unsigned ddi_row_count;
