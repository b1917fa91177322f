/* fill.c - every form of fill on the one primitive, SetUserMemory. */
#include "world.h"

VOID NTAPI FillUserMemory(volatile VOID *Destination, SIZE_T Length, UCHAR Fill)
{
    SetUserMemory(Destination, Fill, Length);
}

VOID NTAPI ZeroUserMemory(volatile VOID *Destination, SIZE_T Length)
{
    SetUserMemory(Destination, 0, Length);
}

VOID NTAPI SetModeMemory(volatile VOID *Destination, UCHAR Fill, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode) {
        SetUserMemory(Destination, Fill, Length);
        return;
    }
    if (Length != 0)
        arch_expect_kernel_pointer(Destination);
    umap_fill_direct(Destination, Fill, Length);
}

VOID NTAPI FillModeMemory(volatile VOID *Destination, SIZE_T Length, UCHAR Fill, KPROCESSOR_MODE Mode)
{
    SetModeMemory(Destination, Fill, Length, Mode);
}

VOID NTAPI ZeroModeMemory(volatile VOID *Destination, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    SetModeMemory(Destination, 0, Length, Mode);
}
