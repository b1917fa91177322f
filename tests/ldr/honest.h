/*
 * honest.h - an honest driver to be made hostile: the file, what the parser makes of it, and its layout in memory.
 */
#pragma once
#include "pe_bytes.h"
#include "pe_parse.h"

extern UCHAR file[65536]; /* the copy under test */
extern SIZE_T honest_size;
extern struct pe_file pe;
extern UCHAR *image;

/* Starts from the honest file; returns the offset of its PE header. */
ULONG fresh(void);
/* The same, parsed and laid out in image. */
void lay_out(void);
void put16(ULONG at, USHORT value);
void put32(ULONG at, ULONG value);
void put_image32(ULONG at, ULONG value);

extern const char *folder; /* of the fixtures: the test's argument */
int honest_setup(void **state);
int honest_teardown(void **state);
