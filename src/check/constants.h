/*
 * constants.h - numbers that a driver's code compares with, found without running it.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ldr.h"

struct code_constant {
    uint64_t pc;    /* of the comparison */
    uint64_t value; /* of as many bits as are compared */
};

/*
 * Constants in comparisons, also with what was added before taken off again, and in subtractions whose result is
 * branched on, in the order of their addresses; the first room of them are written. Returns how many. The code is read
 * as it is in memory: without breakpoints of coverage.
 */
size_t constants_in_image(const struct ldr_image *image, struct code_constant *constants, size_t room);
