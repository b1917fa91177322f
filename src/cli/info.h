/*
 * info.h - what `uma info` finds out about a driver: one JSON value, whose keys docs/uma-info.md documents; the text is
 * printed from it.
 */
#pragma once
#include <jansson.h>

#include "ldr.h"

/* Everything about a loaded image. The caller owns the result; null when out of memory. */
json_t *info_facts(const struct ldr_image *image, const char *path);

/* What it does with the kernel-mode driver framework; JSON null: nothing (info_kmdf.c). */
json_t *info_kmdf(const struct ldr_image *image);

/* The same for a reader, on standard output. */
void info_print(const json_t *facts);
