/* copy.c - the copies that look at Mode or at alignment first. The primitives under them are src/arch's. */
#include "world.h"
#include "uma_align.h"

VOID NTAPI CopyFromMode(VOID *Destination, const volatile VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode) {
        CopyFromUser(Destination, Source, Length);
        return;
    }
    arch_expect_kernel_pointer(Source);
    umap_copy_direct(Destination, Source, Length);
}

VOID NTAPI CopyToMode(volatile VOID *Destination, const VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode) {
        CopyToUser(Destination, Source, Length);
        return;
    }
    arch_expect_kernel_pointer(Destination);
    umap_copy_direct(Destination, Source, Length);
}

VOID NTAPI CopyFromModeNonTemporal(VOID *Destination, const volatile VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode) {
        CopyFromUserNonTemporal(Destination, Source, Length);
        return;
    }
    arch_expect_kernel_pointer(Source);
    umap_copy_direct_stream(Destination, Source, Length);
}

VOID NTAPI CopyToModeNonTemporal(volatile VOID *Destination, const VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode) {
        CopyToUserNonTemporal(Destination, Source, Length);
        return;
    }
    arch_expect_kernel_pointer(Destination);
    umap_copy_direct_stream(Destination, Source, Length);
}

/* The source is always user memory; Mode says what the destination is. */
VOID NTAPI CopyFromUserToMode(volatile VOID *Destination, volatile const VOID *Source, SIZE_T Length,
                              KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode) {
        CopyToUserFromUser(Destination, Source, Length);
        return;
    }
    if (Length != 0)
        arch_expect_kernel_pointer(Destination);
    CopyFromUser(Destination, Source, Length);
}

VOID NTAPI UmapCopyFromUserAligned(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length,
                                   SIZE_T Alignment)
{
    uma_expect_alignment(Source, Length, Alignment);
    CopyFromUser(Destination, Source, Length);
}

VOID NTAPI UmapCopyFromModeAligned(VOID *Destination, const volatile VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode,
                                   SIZE_T Alignment)
{
    if (Mode != KernelMode)
        uma_expect_alignment(Source, Length, Alignment);
    CopyFromMode(Destination, Source, Length, Mode);
}
