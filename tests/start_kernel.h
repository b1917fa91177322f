/* start_kernel.h - how a suite's main starts the kernel, in the protection that UMA_PROTECT names (default: the best
 * there is). */
#pragma once
#include "io.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0, or the exit status to leave with: 77 if this CPU lacks the protection (and says so), 1 if the start failed. */
static inline int start_kernel(void)
{
    static const struct {
        const char *name;
        enum plat_protect protect;
    } modes[] = {{"pku", PLAT_PROTECT_PKU}, {"mprotect", PLAT_PROTECT_MPROTECT}, {"none", PLAT_PROTECT_NONE}};
    const char *wanted = getenv("UMA_PROTECT");
    struct plat_options options = {PLAT_PROTECT_AUTO, PLAT_RAW_STEP};
    for (SIZE_T i = 0; wanted && i < RTL_NUMBER_OF(modes); i++)
        if (!strcmp(wanted, modes[i].name))
            options.protect = modes[i].protect;
    NTSTATUS status = nt_start(&options);
    if (status == STATUS_NOT_SUPPORTED) {
        printf("not run: this CPU does not have the protection %s\n", wanted);
        return 77;
    }
    if (!NT_SUCCESS(status)) {
        fprintf(stderr, "nt_start: 0x%08x\n", (unsigned)status);
        return 1;
    }
    return 0;
}
