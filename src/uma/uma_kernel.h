/*
 * uma_kernel.h - the accessors inside our kernel: start-up, the table of primitives, and handing them to a driver.
 */
#pragma once
#include "arch.h"
#include "plat.h"

/* The redirectable primitives of amd64, in the order of docs/spec/uma_table.md. */
struct uma_functions {
    VOID(NTAPI *CopyFromUser)(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
    VOID(NTAPI *CopyFromUserNonTemporal)(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
    VOID(NTAPI *CopyToUser)(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
    VOID(NTAPI *CopyToUserNonTemporal)(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
    VOID(NTAPI *CopyToUserFromUser)(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
    VOID(NTAPI *MoveToUserFromUser)(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
    VOID(NTAPI *SetUserMemory)(volatile VOID *Destination, UCHAR Fill, SIZE_T Length);
    UCHAR(NTAPI *ReadUCharFromUser)(const volatile UCHAR *Address);
    VOID(NTAPI *WriteUCharToUser)(volatile UCHAR *Address, UCHAR Value);
    USHORT(NTAPI *ReadUShortFromUser)(const volatile USHORT *Address);
    VOID(NTAPI *WriteUShortToUser)(volatile USHORT *Address, USHORT Value);
    ULONG(NTAPI *ReadULongFromUser)(const volatile ULONG *Address);
    VOID(NTAPI *WriteULongToUser)(volatile ULONG *Address, ULONG Value);
    ULONG64(NTAPI *ReadULong64FromUser)(const volatile ULONG64 *Address);
    VOID(NTAPI *WriteULong64ToUser)(volatile ULONG64 *Address, ULONG64 Value);
    SIZE_T(NTAPI *StringLengthFromUser)(const volatile CHAR *String);
    SIZE_T(NTAPI *WideStringLengthFromUser)(const volatile WCHAR *String);
    LONG64(NTAPI *InterlockedCompareExchange64ToUser)(LONG64 volatile *Destination, LONG64 ExChange, LONG64 Comperand);
    LONG(NTAPI *InterlockedOr32ToUser)(LONG volatile *Destination, LONG Value);
    LONG64(NTAPI *InterlockedOr64ToUser)(LONG64 volatile *Destination, LONG64 Value);
    LONG(NTAPI *InterlockedAnd32ToUser)(LONG volatile *Destination, LONG Value);
    LONG64(NTAPI *InterlockedAnd64ToUser)(LONG64 volatile *Destination, LONG64 Value);
    LONG(NTAPI *InterlockedCompareExchange32ToUser)(LONG volatile *Destination, LONG ExChange, LONG Comperand);
};
_Static_assert(sizeof(struct uma_functions) == ARCH_UMA_SLOTS * sizeof(void *), "one slot each");

/* Size of a driver's table: the used slots and the reserved ones. */
#define UMA_TABLE_SIZE 0x150

/*
 * Chooses the primitives for the protection in use, and connects them with platform and exceptions. Called once, after
 * plat_init, before any driver is loaded. STATUS_INVALID_PARAMETER: protect is not one of PKU, MPROTECT, NONE.
 */
NTSTATUS uma_init(enum plat_protect protect);

/* The kernel's own table; constant after uma_init. */
const struct uma_functions *uma_functions_current(void);

/*
 * Puts the kernel's functions into a driver's table of size bytes (docs/spec/uma_table.md), which must be writable. A
 * shorter table gets the slots it has; reserved slots are left alone.
 */
void uma_redirect_fill(void *table, SIZE_T size);
/* These from now on, which check something and go on to the kernel's own. Before any driver is loaded. */
void uma_redirect_checked(void *const checked[ARCH_UMA_SLOTS]);
/* What tables get from now on: the functions, or those that tell the hooks of arch.h. */
void uma_redirect_traced(bool traced);
