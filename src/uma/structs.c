/*
 * structs.c - what the structure macros call. A structure of a scalar's size is one scalar access; 16 bytes are one
 * access in the copy primitive, unless they cross a page.
 */
#include "world.h"
#include "uma_align.h"

/* The kernel side may have any alignment and type. */
typedef USHORT __attribute__((aligned(1), may_alias)) ANY_USHORT;
typedef ULONG __attribute__((aligned(1), may_alias)) ANY_ULONG;
typedef ULONG64 __attribute__((aligned(1), may_alias)) ANY_ULONG64;

VOID NTAPI ReadStructFromUserHelper(VOID *Destination, const volatile VOID *Source, SIZE_T Size)
{
    switch (Size) {
    case 1:
        *(UCHAR *)Destination = RtlReadUCharFromUser(Source);
        return;
    case 2:
        *(ANY_USHORT *)Destination = RtlReadUShortFromUser(Source);
        return;
    case 4:
        *(ANY_ULONG *)Destination = RtlReadULongFromUser(Source);
        return;
    case 8:
        *(ANY_ULONG64 *)Destination = RtlReadULong64FromUser(Source);
        return;
    default:
        CopyFromUser(Destination, Source, Size);
        return;
    }
}

VOID NTAPI WriteStructToUserHelper(volatile VOID *Destination, const VOID *Source, SIZE_T Size)
{
    switch (Size) {
    case 1:
        RtlWriteUCharToUser(Destination, *(const UCHAR *)Source);
        return;
    case 2:
        RtlWriteUShortToUser(Destination, *(const ANY_USHORT *)Source);
        return;
    case 4:
        RtlWriteULongToUser(Destination, *(const ANY_ULONG *)Source);
        return;
    case 8:
        RtlWriteULong64ToUser(Destination, *(const ANY_ULONG64 *)Source);
        return;
    default:
        CopyToUser(Destination, Source, Size);
        return;
    }
}

VOID NTAPI ReadStructFromModeHelper(VOID *Destination, const volatile VOID *Source, SIZE_T Size, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode) {
        ReadStructFromUserHelper(Destination, Source, Size);
        return;
    }
    arch_expect_kernel_pointer(Source);
    umap_copy_direct(Destination, Source, Size);
}

VOID NTAPI WriteStructToModeHelper(volatile VOID *Destination, const VOID *Source, SIZE_T Size, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode) {
        WriteStructToUserHelper(Destination, Source, Size);
        return;
    }
    arch_expect_kernel_pointer(Destination);
    umap_copy_direct(Destination, Source, Size);
}

VOID NTAPI UmapReadStructFromModeAligned(VOID *Destination, const volatile VOID *Source, SIZE_T Size,
                                         KPROCESSOR_MODE Mode, SIZE_T Alignment)
{
    if (Mode != KernelMode)
        uma_expect_alignment(Source, Size, Alignment);
    ReadStructFromModeHelper(Destination, Source, Size, Mode);
}

VOID NTAPI UmapWriteStructToModeAligned(volatile VOID *Destination, const VOID *Source, SIZE_T Size,
                                        KPROCESSOR_MODE Mode, SIZE_T Alignment)
{
    if (Mode != KernelMode)
        uma_expect_alignment(Destination, Size, Alignment);
    WriteStructToModeHelper(Destination, Source, Size, Mode);
}
