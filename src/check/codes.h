/*
 * codes.h - control codes that a driver's machine code knows: what it compares, subtracts and looks up. A guess, made
 * without running it: most are none, and each wants to be tried.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ldr.h"

/*
 * Numbers in the image that may be control codes, ascending, each once; at most room of them are written. device_type:
 * of the driver's device; numbers in its data count only if they are codes of that type. Returns how many.
 */
size_t codes_in_image(const struct ldr_image *image, uint16_t device_type, uint32_t *codes, size_t room);
