/* uma_align.h - the check of the *Aligned forms, before the range is looked at and before anything is touched. */
#pragma once

/* Length 0: no check. Alignment in bytes; 0 or not a power of two raises STATUS_INVALID_PARAMETER. */
static inline void uma_expect_alignment(const volatile VOID *Address, SIZE_T Length, SIZE_T Alignment)
{
    if (Length == 0)
        return;
    if (Alignment == 0 || (Alignment & (Alignment - 1)) != 0)
        ExRaiseStatus(STATUS_INVALID_PARAMETER);
    if (((ULONG_PTR)Address & (Alignment - 1)) != 0)
        ExRaiseDatatypeMisalignment();
}
