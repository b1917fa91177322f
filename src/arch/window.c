/* window.c - what the primitives need to know to open and close a window on user memory. Set by the platform. */
#include "arch.h"

uint32_t arch_pkru_mask;
