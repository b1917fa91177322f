/* protect_asked.h - the protection of user memory that UMA_PROTECT asks for, for suites that embed the kernel by uma.h.
 * start_kernel.h is for those that sit on a lower floor. */
#pragma once
#include "uma.h"
#include <stdlib.h>
#include <string.h>

/* Not set: the best there is. */
static inline enum uma_protect protect_asked(void)
{
    const char *text = getenv("UMA_PROTECT");
    return !text || !strcmp(text, "auto") ? UMA_PROTECT_AUTO
           : !strcmp(text, "pku")         ? UMA_PROTECT_PKU
           : !strcmp(text, "mprotect")    ? UMA_PROTECT_MPROTECT
                                          : UMA_PROTECT_NONE;
}
