/*
 * world.h - the base types for code that is built both into umaccess.lib (PE, x64 and ARM64) and into our kernel
 * (ELF), and the few things those two do differently. The library does not take ntddk.h: mingw-w64's knows no ARM64.
 */
#pragma once

#ifdef _WIN32
#include "pe_types.h"
#else
#include "wdk/ntexcept.h"
DECLSPEC_NORETURN void NTAPI ExRaiseStatus(NTSTATUS Status);
DECLSPEC_NORETURN void NTAPI ExRaiseDatatypeMisalignment(void);
#endif

#include "usermode_accessors.h"

/* Kernel memory, no checks (direct.S). */
void NTAPI umap_copy_direct(volatile void *Destination, const volatile void *Source, SIZE_T Length);
void NTAPI umap_copy_direct_stream(volatile void *Destination, const volatile void *Source, SIZE_T Length);
void NTAPI umap_fill_direct(volatile void *Destination, UCHAR Fill, SIZE_T Length);

/* A Mode form is about to access Pointer directly: a debug build stops if it is a user address. */
static inline void arch_expect_kernel_pointer(const volatile void *Pointer)
{
#if defined(DBG) && DBG
    RtlFastFailIfUserPointer((const void *)Pointer);
#else
    (void)Pointer;
#endif
}
