/*
 * coverage_internal.h - what the files of coverage share: the code of an image, byte by byte.
 */
#pragma once
#include "coverage.h"
#include "ldr.h"

/* Of each byte of the image. */
enum code_mark {
    CODE_EXECUTABLE = 1, /* in a section of code, and there */
    CODE_START = 2,      /* an instruction begins */
    CODE_BODY = 4,       /* an instruction goes on */
    CODE_BLOCK = 8       /* a block begins */
};

struct code {
    const struct ldr_image *image;
    uint8_t *marks; /* enum code_mark, an element for each byte */
};

/* Marks what can be reached from the functions of .pdata. False: no memory. Frees nothing of *code. */
bool code_find_blocks(struct code *code);

/* ---- coverage_table.c: jumps through tables ---- */
#define CODE_BEFORE 12
/* One of the instructions before a jump, as far as tables are concerned. */
struct code_step {
    ULONG lea;        /* rva that lea [rip + ...] forms, or 0 */
    ULONG rva_table;  /* displacement of a read of four bytes by index * 4, or 0 */
    int64_t compared; /* immediate of a cmp, or -1 */
};
struct code_jump {
    ULONG rva;                            /* of the jump */
    struct code_step before[CODE_BEFORE]; /* newest first */
};
/*
 * Calls found for each target of the jump's table. Targets lie in the jump's own function; a table whose length no
 * comparison tells is none.
 */
void code_jump_targets(const struct code *code, const struct code_jump *jump, void (*found)(void *context, ULONG rva),
                       void *context);
