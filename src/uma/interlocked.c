/* interlocked.c - interlocked operations by mode; on kernel memory the compiler's own, with a full barrier. */
#include "world.h"

LONG NTAPI InterlockedAndToMode(LONG volatile *Destination, LONG Value, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return InterlockedAndToUser(Destination, Value);
    arch_expect_kernel_pointer(Destination);
    return __sync_fetch_and_and(Destination, Value);
}

LONG64 NTAPI InterlockedAnd64ToMode(LONG64 volatile *Destination, LONG64 Value, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return InterlockedAnd64ToUser(Destination, Value);
    arch_expect_kernel_pointer(Destination);
    return __sync_fetch_and_and(Destination, Value);
}

LONG NTAPI InterlockedOrToMode(LONG volatile *Destination, LONG Value, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return InterlockedOrToUser(Destination, Value);
    arch_expect_kernel_pointer(Destination);
    return __sync_fetch_and_or(Destination, Value);
}

LONG64 NTAPI InterlockedOr64ToMode(LONG64 volatile *Destination, LONG64 Value, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return InterlockedOr64ToUser(Destination, Value);
    arch_expect_kernel_pointer(Destination);
    return __sync_fetch_and_or(Destination, Value);
}

LONG NTAPI InterlockedCompareExchangeToMode(LONG volatile *Destination, LONG ExChange, LONG Comperand,
                                            KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return InterlockedCompareExchangeToUser(Destination, ExChange, Comperand);
    arch_expect_kernel_pointer(Destination);
    return __sync_val_compare_and_swap(Destination, Comperand, ExChange);
}

LONG64 NTAPI InterlockedCompareExchange64ToMode(LONG64 volatile *Destination, LONG64 ExChange, LONG64 Comperand,
                                                KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return InterlockedCompareExchange64ToUser(Destination, ExChange, Comperand);
    arch_expect_kernel_pointer(Destination);
    return __sync_val_compare_and_swap(Destination, Comperand, ExChange);
}
