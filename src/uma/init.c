/* init.c - starts the accessors of our kernel: the one place that knows both the primitives and whom they serve. */
#include "uma_kernel.h"
#include "seh.h"

NTSTATUS uma_init(enum plat_protect protect)
{
    enum arch_uma_variant variant;
    switch (protect) {
    case PLAT_PROTECT_NONE:
        variant = ARCH_UMA_NONE;
        break;
    case PLAT_PROTECT_PKU:
        variant = ARCH_UMA_PKU;
        break;
    case PLAT_PROTECT_MPROTECT:
        variant = ARCH_UMA_HOOK;
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    MmUserProbeAddress = plat_layout.user_limit;
    arch_raise_hook = seh_raise;
    arch_window_close_hook = plat_window_close;
    return arch_uma_select(variant, true);
}

const struct uma_functions *uma_functions_current(void)
{
    return (const struct uma_functions *)arch_uma_functions;
}
