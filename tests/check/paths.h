/* paths.h - what coverage_test.c and its driver agree on. */
#pragma once

/* METHOD_BUFFERED; the first word of the input says which way to go, the first of the output what came of it. */
#define PATHS_SWITCH   (0x220000u | 0x800u << 2) /* 0 to 9: one way each, else the default */
#define PATHS_COUNTED  (0x220000u | 0x801u << 2) /* 0, 1, 2: the three ways through five blocks */
#define PATHS_WHERE    (0x220000u | 0x802u << 2) /* the addresses of the counted function and of its end */
#define PATHS_GUARDED  (0x220000u | 0x803u << 2) /* 1: raises, and handles it */
#define PATHS_LOOP     (0x220000u | 0x804u << 2) /* as often as it says */
#define PATHS_CHECKSUM (0x220000u | 0x805u << 2) /* of the counted function's bytes, by the driver itself */
