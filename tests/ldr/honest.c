/*
 * honest.c - see honest.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "honest.h"

const char *folder;
UCHAR file[65536];
SIZE_T honest_size;
struct pe_file pe;
UCHAR *image;

static UCHAR *honest; /* plain.sys */

void put16(ULONG at, USHORT value)
{
    memcpy(file + at, &value, 2);
}

void put32(ULONG at, ULONG value)
{
    memcpy(file + at, &value, 4);
}

ULONG fresh(void)
{
    memset(file, 0, sizeof(file));
    memcpy(file, honest, honest_size);
    return pe_u32(file + 0x3c);
}

void lay_out(void)
{
    fresh();
    assert_null(pe_parse(file, honest_size, &pe));
    free(image);
    image = calloc(1, pe.image_size);
    pe_copy(&pe, image);
}

void put_image32(ULONG at, ULONG value)
{
    memcpy(image + at, &value, 4);
}

int honest_setup(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof(path), "%s/plain.sys", folder);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    honest = malloc(sizeof(file));
    honest_size = fread(honest, 1, sizeof(file), stream);
    fclose(stream);
    return honest_size > 0x400 && honest_size < sizeof(file) ? 0 : -1;
}

int honest_teardown(void **state)
{
    (void)state;
    free(honest);
    free(image);
    return 0;
}
