/*
 * usermode_accessors.h - the user-mode accessors: how a kernel-mode driver reads and writes user memory.
 *
 * Owns the prototype or macro of every documented accessor (docs/spec/ddis.tsv) and the contract of each family. The
 * implementation is umaccess.lib (Windows drivers, x64 and ARM64) or src/uma (the kernel of this project).
 * In a driver: include ntddk.h, wdm.h or ntifs.h first, then this file; it needs nothing else. In ELF builds it takes
 * its types from wdk/ntdef.h, and every function has the x64 Windows calling convention.
 *
 * Common to all:
 *   IRQL        <= APC_LEVEL.
 *   Failure     is a raised exception, so calls stand inside __try/__except. No accessor returns an error. Exceptions:
 *       STATUS_ACCESS_VIOLATION        {0 read | 1 write, address}: inaccessible, or not in the user range
 *       STATUS_IN_PAGE_ERROR, STATUS_GUARD_PAGE_VIOLATION ...   whatever else touching the page raises
 *       STATUS_DATATYPE_MISALIGNMENT   interlocked and *Aligned forms
 *       STATUS_INVALID_PARAMETER       *Aligned forms: Alignment is 0 or not a power of two
 *   User range  [0, MmUserProbeAddress). Each call checks its range itself; no ProbeForRead or ProbeForWrite is needed.
 *   Mode        KernelMode (0): the pointer is a kernel address and is accessed directly, without check. Any other
 *               value counts as UserMode. KernelMode with a user pointer: a debug library (DBG) fast-fails with code
 *               77, a release library makes a plain access.
 *
 * The public documentation is silent on the following; here it is so:
 *   Out of range     nothing is touched. The address in the exception is the first byte that is not allowed: the start
 *                    if it lies at or above the limit or the range wraps, else the limit. umaccess.lib on a kernel that
 *                    does not redirect it touches MmUserProbeAddress instead, so there that is the address seen.
 *   Fault midway     the bytes before the faulting one are moved and none after, exact to the byte.
 *   Length 0         no check, no access, no exception; that holds for the *Aligned forms too.
 */
#ifndef UMACCESS_USERMODE_ACCESSORS_H
#define UMACCESS_USERMODE_ACCESSORS_H

#if !defined(_WIN32)
#include "wdk/ntdef.h"
#elif !defined(_BASETSD_H_) && !defined(UMACCESS_NO_BASETSD)
/* Base headers without basetsd.h: the sized types the prototypes name. */
typedef signed char INT8;
typedef unsigned char UINT8;
typedef signed short INT16;
typedef unsigned short UINT16;
typedef signed int INT32;
typedef unsigned int UINT32;
typedef signed long long INT64;
typedef unsigned long long UINT64;
typedef LONG_PTR SSIZE_T;
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Scalars: 29 type stems x 6 forms.
 *
 *   T    ReadXxxFromUser(Source)                  one relaxed read of user memory
 *   T    ReadXxxFromUserAcquire(Source)           later operations of this processor do not move before the read
 *   T    ReadXxxFromMode(Source, Mode)            one relaxed read of user or kernel memory
 *   VOID WriteXxxToUser(Destination, Value)       one relaxed write
 *   VOID WriteXxxToUserRelease(Destination, Value)  earlier operations do not move after the write
 *   VOID WriteXxxToMode(Destination, Value, Mode) one relaxed write (Value comes before Mode)
 *
 * Source, Destination: any alignment. Each call is exactly one machine access of the type's size, never elided, merged
 * or repeated by the compiler; it is atomic where the processor makes an access of that size and alignment atomic.
 * Boolean is not normalised to 0 or 1. A value that straddles the end of the user range raises and moves nothing.
 * Documentation: "ReadULongFromUser function (usermode_accessors.h)" and its siblings.
 */

/* Read, relaxed. */
BOOLEAN NTAPI ReadBooleanFromUser(const volatile BOOLEAN *Source);
CHAR NTAPI ReadCharFromUser(const volatile CHAR *Source);
HANDLE NTAPI ReadHandleFromUser(const volatile HANDLE *Source);
INT16 NTAPI ReadInt16FromUser(const volatile INT16 *Source);
INT32 NTAPI ReadInt32FromUser(const volatile INT32 *Source);
INT64 NTAPI ReadInt64FromUser(const volatile INT64 *Source);
INT8 NTAPI ReadInt8FromUser(const volatile INT8 *Source);
INT_PTR NTAPI ReadIntPtrFromUser(const volatile INT_PTR *Source);
LONG64 NTAPI ReadLong64FromUser(const volatile LONG64 *Source);
LONG NTAPI ReadLongFromUser(const volatile LONG *Source);
LONGLONG NTAPI ReadLonglongFromUser(const volatile LONGLONG *Source);
LONG_PTR NTAPI ReadLongPtrFromUser(const volatile LONG_PTR *Source);
NTSTATUS NTAPI ReadNtStatusFromUser(const volatile NTSTATUS *Source);
PVOID NTAPI ReadPointerFromUser(const volatile PVOID *Source);
SHORT NTAPI ReadShortFromUser(const volatile SHORT *Source);
SIZE_T NTAPI ReadSizeTFromUser(const volatile SIZE_T *Source);
SSIZE_T NTAPI ReadSSizeTFromUser(const volatile SSIZE_T *Source);
UCHAR NTAPI ReadUCharFromUser(const volatile UCHAR *Source);
UINT16 NTAPI ReadUInt16FromUser(const volatile UINT16 *Source);
UINT32 NTAPI ReadUInt32FromUser(const volatile UINT32 *Source);
UINT64 NTAPI ReadUInt64FromUser(const volatile UINT64 *Source);
UINT8 NTAPI ReadUInt8FromUser(const volatile UINT8 *Source);
UINT_PTR NTAPI ReadUIntPtrFromUser(const volatile UINT_PTR *Source);
ULONG64 NTAPI ReadULong64FromUser(const volatile ULONG64 *Source);
ULONG NTAPI ReadULongFromUser(const volatile ULONG *Source);
ULONGLONG NTAPI ReadULonglongFromUser(const volatile ULONGLONG *Source);
ULONG_PTR NTAPI ReadULongPtrFromUser(const volatile ULONG_PTR *Source);
USHORT NTAPI ReadUShortFromUser(const volatile USHORT *Source);
WCHAR NTAPI ReadWCharFromUser(const volatile WCHAR *Source);

/* Read, acquire. */
BOOLEAN NTAPI ReadBooleanFromUserAcquire(const volatile BOOLEAN *Source);
CHAR NTAPI ReadCharFromUserAcquire(const volatile CHAR *Source);
HANDLE NTAPI ReadHandleFromUserAcquire(const volatile HANDLE *Source);
INT16 NTAPI ReadInt16FromUserAcquire(const volatile INT16 *Source);
INT32 NTAPI ReadInt32FromUserAcquire(const volatile INT32 *Source);
INT64 NTAPI ReadInt64FromUserAcquire(const volatile INT64 *Source);
INT8 NTAPI ReadInt8FromUserAcquire(const volatile INT8 *Source);
INT_PTR NTAPI ReadIntPtrFromUserAcquire(const volatile INT_PTR *Source);
LONG64 NTAPI ReadLong64FromUserAcquire(const volatile LONG64 *Source);
LONG NTAPI ReadLongFromUserAcquire(const volatile LONG *Source);
LONGLONG NTAPI ReadLonglongFromUserAcquire(const volatile LONGLONG *Source);
LONG_PTR NTAPI ReadLongPtrFromUserAcquire(const volatile LONG_PTR *Source);
NTSTATUS NTAPI ReadNtStatusFromUserAcquire(const volatile NTSTATUS *Source);
PVOID NTAPI ReadPointerFromUserAcquire(const volatile PVOID *Source);
SHORT NTAPI ReadShortFromUserAcquire(const volatile SHORT *Source);
SIZE_T NTAPI ReadSizeTFromUserAcquire(const volatile SIZE_T *Source);
SSIZE_T NTAPI ReadSSizeTFromUserAcquire(const volatile SSIZE_T *Source);
UCHAR NTAPI ReadUCharFromUserAcquire(const volatile UCHAR *Source);
UINT16 NTAPI ReadUInt16FromUserAcquire(const volatile UINT16 *Source);
UINT32 NTAPI ReadUInt32FromUserAcquire(const volatile UINT32 *Source);
UINT64 NTAPI ReadUInt64FromUserAcquire(const volatile UINT64 *Source);
UINT8 NTAPI ReadUInt8FromUserAcquire(const volatile UINT8 *Source);
UINT_PTR NTAPI ReadUIntPtrFromUserAcquire(const volatile UINT_PTR *Source);
ULONG64 NTAPI ReadULong64FromUserAcquire(const volatile ULONG64 *Source);
ULONG NTAPI ReadULongFromUserAcquire(const volatile ULONG *Source);
ULONGLONG NTAPI ReadULonglongFromUserAcquire(const volatile ULONGLONG *Source);
ULONG_PTR NTAPI ReadULongPtrFromUserAcquire(const volatile ULONG_PTR *Source);
USHORT NTAPI ReadUShortFromUserAcquire(const volatile USHORT *Source);
WCHAR NTAPI ReadWCharFromUserAcquire(const volatile WCHAR *Source);

/* Read by mode. */
BOOLEAN NTAPI ReadBooleanFromMode(const volatile BOOLEAN *Source, KPROCESSOR_MODE Mode);
CHAR NTAPI ReadCharFromMode(const volatile CHAR *Source, KPROCESSOR_MODE Mode);
HANDLE NTAPI ReadHandleFromMode(const volatile HANDLE *Source, KPROCESSOR_MODE Mode);
INT16 NTAPI ReadInt16FromMode(const volatile INT16 *Source, KPROCESSOR_MODE Mode);
INT32 NTAPI ReadInt32FromMode(const volatile INT32 *Source, KPROCESSOR_MODE Mode);
INT64 NTAPI ReadInt64FromMode(const volatile INT64 *Source, KPROCESSOR_MODE Mode);
INT8 NTAPI ReadInt8FromMode(const volatile INT8 *Source, KPROCESSOR_MODE Mode);
INT_PTR NTAPI ReadIntPtrFromMode(const volatile INT_PTR *Source, KPROCESSOR_MODE Mode);
LONG64 NTAPI ReadLong64FromMode(const volatile LONG64 *Source, KPROCESSOR_MODE Mode);
LONG NTAPI ReadLongFromMode(const volatile LONG *Source, KPROCESSOR_MODE Mode);
LONGLONG NTAPI ReadLonglongFromMode(const volatile LONGLONG *Source, KPROCESSOR_MODE Mode);
LONG_PTR NTAPI ReadLongPtrFromMode(const volatile LONG_PTR *Source, KPROCESSOR_MODE Mode);
NTSTATUS NTAPI ReadNtStatusFromMode(const volatile NTSTATUS *Source, KPROCESSOR_MODE Mode);
PVOID NTAPI ReadPointerFromMode(const volatile PVOID *Source, KPROCESSOR_MODE Mode);
SHORT NTAPI ReadShortFromMode(const volatile SHORT *Source, KPROCESSOR_MODE Mode);
SIZE_T NTAPI ReadSizeTFromMode(const volatile SIZE_T *Source, KPROCESSOR_MODE Mode);
SSIZE_T NTAPI ReadSSizeTFromMode(const volatile SSIZE_T *Source, KPROCESSOR_MODE Mode);
UCHAR NTAPI ReadUCharFromMode(const volatile UCHAR *Source, KPROCESSOR_MODE Mode);
UINT16 NTAPI ReadUInt16FromMode(const volatile UINT16 *Source, KPROCESSOR_MODE Mode);
UINT32 NTAPI ReadUInt32FromMode(const volatile UINT32 *Source, KPROCESSOR_MODE Mode);
UINT64 NTAPI ReadUInt64FromMode(const volatile UINT64 *Source, KPROCESSOR_MODE Mode);
UINT8 NTAPI ReadUInt8FromMode(const volatile UINT8 *Source, KPROCESSOR_MODE Mode);
UINT_PTR NTAPI ReadUIntPtrFromMode(const volatile UINT_PTR *Source, KPROCESSOR_MODE Mode);
ULONG64 NTAPI ReadULong64FromMode(const volatile ULONG64 *Source, KPROCESSOR_MODE Mode);
ULONG NTAPI ReadULongFromMode(const volatile ULONG *Source, KPROCESSOR_MODE Mode);
ULONGLONG NTAPI ReadULonglongFromMode(const volatile ULONGLONG *Source, KPROCESSOR_MODE Mode);
ULONG_PTR NTAPI ReadULongPtrFromMode(const volatile ULONG_PTR *Source, KPROCESSOR_MODE Mode);
USHORT NTAPI ReadUShortFromMode(const volatile USHORT *Source, KPROCESSOR_MODE Mode);
WCHAR NTAPI ReadWCharFromMode(const volatile WCHAR *Source, KPROCESSOR_MODE Mode);

/* Write, relaxed. */
VOID NTAPI WriteBooleanToUser(volatile BOOLEAN *Destination, BOOLEAN Value);
VOID NTAPI WriteCharToUser(volatile CHAR *Destination, CHAR Value);
VOID NTAPI WriteHandleToUser(volatile HANDLE *Destination, HANDLE Value);
VOID NTAPI WriteInt16ToUser(volatile INT16 *Destination, INT16 Value);
VOID NTAPI WriteInt32ToUser(volatile INT32 *Destination, INT32 Value);
VOID NTAPI WriteInt64ToUser(volatile INT64 *Destination, INT64 Value);
VOID NTAPI WriteInt8ToUser(volatile INT8 *Destination, INT8 Value);
VOID NTAPI WriteIntPtrToUser(volatile INT_PTR *Destination, INT_PTR Value);
VOID NTAPI WriteLong64ToUser(volatile LONG64 *Destination, LONG64 Value);
VOID NTAPI WriteLonglongToUser(volatile LONGLONG *Destination, LONGLONG Value);
VOID NTAPI WriteLongPtrToUser(volatile LONG_PTR *Destination, LONG_PTR Value);
VOID NTAPI WriteLongToUser(volatile LONG *Destination, LONG Value);
VOID NTAPI WriteNtStatusToUser(volatile NTSTATUS *Destination, NTSTATUS Value);
VOID NTAPI WritePointerToUser(volatile PVOID *Destination, PVOID Value);
VOID NTAPI WriteShortToUser(volatile SHORT *Destination, SHORT Value);
VOID NTAPI WriteSizeTToUser(volatile SIZE_T *Destination, SIZE_T Value);
VOID NTAPI WriteSSizeTToUser(volatile SSIZE_T *Destination, SSIZE_T Value);
VOID NTAPI WriteUCharToUser(volatile UCHAR *Destination, UCHAR Value);
VOID NTAPI WriteUInt16ToUser(volatile UINT16 *Destination, UINT16 Value);
VOID NTAPI WriteUInt32ToUser(volatile UINT32 *Destination, UINT32 Value);
VOID NTAPI WriteUInt64ToUser(volatile UINT64 *Destination, UINT64 Value);
VOID NTAPI WriteUInt8ToUser(volatile UINT8 *Destination, UINT8 Value);
VOID NTAPI WriteUIntPtrToUser(volatile UINT_PTR *Destination, UINT_PTR Value);
VOID NTAPI WriteULong64ToUser(volatile ULONG64 *Destination, ULONG64 Value);
VOID NTAPI WriteULonglongToUser(volatile ULONGLONG *Destination, ULONGLONG Value);
VOID NTAPI WriteULongPtrToUser(volatile ULONG_PTR *Destination, ULONG_PTR Value);
VOID NTAPI WriteULongToUser(volatile ULONG *Destination, ULONG Value);
VOID NTAPI WriteUShortToUser(volatile USHORT *Destination, USHORT Value);
VOID NTAPI WriteWCharToUser(volatile WCHAR *Destination, WCHAR Value);

/* Write, release. */
VOID NTAPI WriteBooleanToUserRelease(volatile BOOLEAN *Destination, BOOLEAN Value);
VOID NTAPI WriteCharToUserRelease(volatile CHAR *Destination, CHAR Value);
VOID NTAPI WriteHandleToUserRelease(volatile HANDLE *Destination, HANDLE Value);
VOID NTAPI WriteInt16ToUserRelease(volatile INT16 *Destination, INT16 Value);
VOID NTAPI WriteInt32ToUserRelease(volatile INT32 *Destination, INT32 Value);
VOID NTAPI WriteInt64ToUserRelease(volatile INT64 *Destination, INT64 Value);
VOID NTAPI WriteInt8ToUserRelease(volatile INT8 *Destination, INT8 Value);
VOID NTAPI WriteIntPtrToUserRelease(volatile INT_PTR *Destination, INT_PTR Value);
VOID NTAPI WriteLong64ToUserRelease(volatile LONG64 *Destination, LONG64 Value);
VOID NTAPI WriteLonglongToUserRelease(volatile LONGLONG *Destination, LONGLONG Value);
VOID NTAPI WriteLongPtrToUserRelease(volatile LONG_PTR *Destination, LONG_PTR Value);
VOID NTAPI WriteLongToUserRelease(volatile LONG *Destination, LONG Value);
VOID NTAPI WriteNtStatusToUserRelease(volatile NTSTATUS *Destination, NTSTATUS Value);
VOID NTAPI WritePointerToUserRelease(volatile PVOID *Destination, PVOID Value);
VOID NTAPI WriteShortToUserRelease(volatile SHORT *Destination, SHORT Value);
VOID NTAPI WriteSizeTToUserRelease(volatile SIZE_T *Destination, SIZE_T Value);
VOID NTAPI WriteSSizeTToUserRelease(volatile SSIZE_T *Destination, SSIZE_T Value);
VOID NTAPI WriteUCharToUserRelease(volatile UCHAR *Destination, UCHAR Value);
VOID NTAPI WriteUInt16ToUserRelease(volatile UINT16 *Destination, UINT16 Value);
VOID NTAPI WriteUInt32ToUserRelease(volatile UINT32 *Destination, UINT32 Value);
VOID NTAPI WriteUInt64ToUserRelease(volatile UINT64 *Destination, UINT64 Value);
VOID NTAPI WriteUInt8ToUserRelease(volatile UINT8 *Destination, UINT8 Value);
VOID NTAPI WriteUIntPtrToUserRelease(volatile UINT_PTR *Destination, UINT_PTR Value);
VOID NTAPI WriteULong64ToUserRelease(volatile ULONG64 *Destination, ULONG64 Value);
VOID NTAPI WriteULonglongToUserRelease(volatile ULONGLONG *Destination, ULONGLONG Value);
VOID NTAPI WriteULongPtrToUserRelease(volatile ULONG_PTR *Destination, ULONG_PTR Value);
VOID NTAPI WriteULongToUserRelease(volatile ULONG *Destination, ULONG Value);
VOID NTAPI WriteUShortToUserRelease(volatile USHORT *Destination, USHORT Value);
VOID NTAPI WriteWCharToUserRelease(volatile WCHAR *Destination, WCHAR Value);

/* Write by mode. */
VOID NTAPI WriteBooleanToMode(volatile BOOLEAN *Destination, BOOLEAN Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteCharToMode(volatile CHAR *Destination, CHAR Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteHandleToMode(volatile HANDLE *Destination, HANDLE Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteInt16ToMode(volatile INT16 *Destination, INT16 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteInt32ToMode(volatile INT32 *Destination, INT32 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteInt64ToMode(volatile INT64 *Destination, INT64 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteInt8ToMode(volatile INT8 *Destination, INT8 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteIntPtrToMode(volatile INT_PTR *Destination, INT_PTR Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteLong64ToMode(volatile LONG64 *Destination, LONG64 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteLonglongToMode(volatile LONGLONG *Destination, LONGLONG Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteLongPtrToMode(volatile LONG_PTR *Destination, LONG_PTR Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteLongToMode(volatile LONG *Destination, LONG Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteNtStatusToMode(volatile NTSTATUS *Destination, NTSTATUS Value, KPROCESSOR_MODE Mode);
VOID NTAPI WritePointerToMode(volatile PVOID *Destination, PVOID Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteShortToMode(volatile SHORT *Destination, SHORT Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteSizeTToMode(volatile SIZE_T *Destination, SIZE_T Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteSSizeTToMode(volatile SSIZE_T *Destination, SSIZE_T Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteUCharToMode(volatile UCHAR *Destination, UCHAR Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteUInt16ToMode(volatile UINT16 *Destination, UINT16 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteUInt32ToMode(volatile UINT32 *Destination, UINT32 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteUInt64ToMode(volatile UINT64 *Destination, UINT64 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteUInt8ToMode(volatile UINT8 *Destination, UINT8 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteUIntPtrToMode(volatile UINT_PTR *Destination, UINT_PTR Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteULong64ToMode(volatile ULONG64 *Destination, ULONG64 Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteULonglongToMode(volatile ULONGLONG *Destination, ULONGLONG Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteULongPtrToMode(volatile ULONG_PTR *Destination, ULONG_PTR Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteULongToMode(volatile ULONG *Destination, ULONG Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteUShortToMode(volatile USHORT *Destination, USHORT Value, KPROCESSOR_MODE Mode);
VOID NTAPI WriteWCharToMode(volatile WCHAR *Destination, WCHAR Value, KPROCESSOR_MODE Mode);

/*
 * LargeInteger, ULargeInteger: as the 8-byte scalars; they have no acquire or release form (as their pages have it).
 *
 * UnicodeString: moves the descriptor only (Length, MaximumLength, Buffer), each field once; no field is checked, the
 * characters are neither probed nor copied. The padding between MaximumLength and Buffer is written as zero, so no
 * kernel bytes leak. The Mode forms take a pointer that is not volatile: that is how they are published.
 */

LARGE_INTEGER NTAPI ReadLargeIntegerFromUser(const volatile LARGE_INTEGER *Source);
LARGE_INTEGER NTAPI ReadLargeIntegerFromMode(const volatile LARGE_INTEGER *Source, KPROCESSOR_MODE Mode);
VOID NTAPI WriteLargeIntegerToUser(volatile LARGE_INTEGER *Destination, LARGE_INTEGER Value);
VOID NTAPI WriteLargeIntegerToMode(volatile LARGE_INTEGER *Destination, LARGE_INTEGER Value, KPROCESSOR_MODE Mode);

ULARGE_INTEGER NTAPI ReadULargeIntegerFromUser(const volatile ULARGE_INTEGER *Source);
ULARGE_INTEGER NTAPI ReadULargeIntegerFromMode(const volatile ULARGE_INTEGER *Source, KPROCESSOR_MODE Mode);
VOID NTAPI WriteULargeIntegerToUser(volatile ULARGE_INTEGER *Destination, ULARGE_INTEGER Value);
VOID NTAPI WriteULargeIntegerToMode(volatile ULARGE_INTEGER *Destination, ULARGE_INTEGER Value, KPROCESSOR_MODE Mode);

UNICODE_STRING NTAPI ReadUnicodeStringFromUser(const volatile UNICODE_STRING *Source);
UNICODE_STRING NTAPI ReadUnicodeStringFromMode(const UNICODE_STRING *Source, KPROCESSOR_MODE Mode);
VOID NTAPI WriteUnicodeStringToUser(volatile UNICODE_STRING *Destination, UNICODE_STRING Value);
VOID NTAPI WriteUnicodeStringToMode(UNICODE_STRING *Destination, UNICODE_STRING Value, KPROCESSOR_MODE Mode);

/*
 * Copies. Length in bytes; parameter order Destination, Source, Length[, Mode]. Which side is user memory:
 *   CopyFrom*            the source                 CopyTo*   the destination
 *   CopyToUserFromUser   both                       CopyFromUserToMode   the source; Mode describes the destination
 * The user side is checked as a whole first: it must not wrap and must end at or below the user limit, else nothing is
 * touched. The other side is kernel memory and is not checked. A fault midway: every byte before the faulting one is
 * copied and none after it. Relaxed, any alignment, overlap unsupported. Bytes may be touched more than once, in any
 * order: a copy is not a single-fetch read; two calls on the same bytes are two fetches. A copy of exactly 16 bytes
 * that does not cross a page is one 16-byte access. The NonTemporal forms use streaming stores and end with a store
 * fence, also when they raise (in a driver on an older kernel the fault itself drains the write-combining buffers). To
 * move a structure of fixed size use the structure macros below.
 * Documentation: "CopyFromUser function (usermode_accessors.h)" and its siblings.
 */

VOID NTAPI CopyFromMode(VOID *Destination, const volatile VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode);
VOID NTAPI CopyFromUser(volatile VOID *Destination, volatile const VOID *Source, SIZE_T Length);
VOID NTAPI CopyFromUserToMode(volatile VOID *Destination, volatile const VOID *Source, SIZE_T Length,
                              KPROCESSOR_MODE Mode);
VOID NTAPI CopyToMode(volatile VOID *Destination, const VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode);
VOID NTAPI CopyToUser(volatile VOID *Destination, const VOID *Source, SIZE_T Length);
VOID NTAPI CopyToUserFromUser(volatile VOID *Destination, volatile const VOID *Source, SIZE_T Length);

VOID NTAPI CopyFromModeNonTemporal(VOID *Destination, const volatile VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode);
VOID NTAPI CopyFromUserNonTemporal(VOID *Destination, volatile const VOID *Source, SIZE_T Length);
VOID NTAPI CopyToModeNonTemporal(volatile VOID *Destination, const VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode);
VOID NTAPI CopyToUserNonTemporal(volatile VOID *Destination, const VOID *Source, SIZE_T Length);

/*
 * MoveToUserFromUser: as CopyToUserFromUser, and the ranges may overlap. If the destination starts inside the source,
 * above its first byte, the copy goes from the end down: a fault then leaves the bytes after the faulting one copied,
 * and none before it.
 */
VOID NTAPI MoveToUserFromUser(volatile VOID *Destination, volatile const VOID *Source, SIZE_T Length);

/*
 * Fill, Set, Zero. Length in bytes. Fill* and Set* differ in the order of their arguments only. The destination is
 * checked as a whole first. A fault midway: every byte before the faulting one is set, none after it. Relaxed; never
 * elided; any alignment; may touch a byte more than once. KernelMode: stored directly.
 * Documentation: "FillUserMemory function (usermode_accessors.h)" and its siblings.
 */
VOID NTAPI FillModeMemory(volatile VOID *Destination, SIZE_T Length, UCHAR Fill, KPROCESSOR_MODE Mode);
VOID NTAPI FillUserMemory(volatile VOID *Destination, SIZE_T Length, UCHAR Fill);
VOID NTAPI SetModeMemory(volatile VOID *Destination, UCHAR Fill, SIZE_T Length, KPROCESSOR_MODE Mode);
VOID NTAPI SetUserMemory(volatile VOID *Destination, UCHAR Fill, SIZE_T Length);
VOID NTAPI ZeroModeMemory(volatile VOID *Destination, SIZE_T Length, KPROCESSOR_MODE Mode);
VOID NTAPI ZeroUserMemory(volatile VOID *Destination, SIZE_T Length);

/*
 * Interlocked: atomic And, Or, CompareExchange on 4 bytes (unsuffixed) or 8 (64). Returns the value before the
 * operation. Full barrier. Destination must be naturally aligned: a misaligned user destination raises
 * STATUS_DATATYPE_MISALIGNMENT (checked before its range). CompareExchange on read-only memory raises even when the
 * comparison fails, as every form is a write. KernelMode: atomic on the kernel address directly.
 * Documentation: "InterlockedCompareExchangeToUser function (usermode_accessors.h)" and its siblings.
 */
LONG64 NTAPI InterlockedAnd64ToMode(LONG64 volatile *Destination, LONG64 Value, KPROCESSOR_MODE Mode);
LONG64 NTAPI InterlockedAnd64ToUser(LONG64 volatile *Destination, LONG64 Value);
LONG NTAPI InterlockedAndToMode(LONG volatile *Destination, LONG Value, KPROCESSOR_MODE Mode);
LONG NTAPI InterlockedAndToUser(LONG volatile *Destination, LONG Value);
LONG64 NTAPI InterlockedCompareExchange64ToMode(LONG64 volatile *Destination, LONG64 ExChange, LONG64 Comperand,
                                                KPROCESSOR_MODE Mode);
LONG64 NTAPI InterlockedCompareExchange64ToUser(LONG64 volatile *Destination, LONG64 ExChange, LONG64 Comperand);
LONG NTAPI InterlockedCompareExchangeToMode(LONG volatile *Destination, LONG ExChange, LONG Comperand,
                                            KPROCESSOR_MODE Mode);
LONG NTAPI InterlockedCompareExchangeToUser(LONG volatile *Destination, LONG ExChange, LONG Comperand);
LONG64 NTAPI InterlockedOr64ToMode(LONG64 volatile *Destination, LONG64 Value, KPROCESSOR_MODE Mode);
LONG64 NTAPI InterlockedOr64ToUser(LONG64 volatile *Destination, LONG64 Value);
LONG NTAPI InterlockedOrToMode(LONG volatile *Destination, LONG Value, KPROCESSOR_MODE Mode);
LONG NTAPI InterlockedOrToUser(LONG volatile *Destination, LONG Value);

/*
 * String length in characters, without the terminator. Each character is read once; no byte before String is touched.
 * There is no maximum length: the scan goes on until a terminator, an inaccessible page, or the user limit, where it
 * raises STATUS_ACCESS_VIOLATION with the limit as the address. The text may change right after: capture, then measure
 * the capture.
 * Documentation: "StringLengthFromUser function (usermode_accessors.h)" and its siblings.
 */
SIZE_T NTAPI StringLengthFromMode(volatile const CHAR *String, KPROCESSOR_MODE Mode);
SIZE_T NTAPI StringLengthFromUser(const CHAR *String);
SIZE_T NTAPI WideStringLengthFromMode(volatile const WCHAR *String, KPROCESSOR_MODE Mode);
SIZE_T NTAPI WideStringLengthFromUser(const WCHAR *String);

/*
 * UmaExceptionFilter: for the expression of __except( ) around accessors that take Mode. UserMode (any Mode but
 * KernelMode): EXCEPTION_EXECUTE_HANDLER, whatever was raised; KernelMode: EXCEPTION_CONTINUE_SEARCH, since a fault on
 * a kernel address is a bug.
 * Documentation: "UmaExceptionFilter function (usermode_accessors.h)".
 */
LONG NTAPI UmaExceptionFilter(KPROCESSOR_MODE Mode);

/*
 * What the structure macros call. Size in bytes. Structures of 1, 2, 4, 8 bytes are one machine access; of 16 bytes one
 * access if they do not cross a page; others are a copy.
 */
VOID NTAPI ReadStructFromModeHelper(VOID *Destination, const volatile VOID *Source, SIZE_T Size, KPROCESSOR_MODE Mode);
VOID NTAPI ReadStructFromUserHelper(VOID *Destination, const volatile VOID *Source, SIZE_T Size);
VOID NTAPI WriteStructToModeHelper(volatile VOID *Destination, const VOID *Source, SIZE_T Size, KPROCESSOR_MODE Mode);
VOID NTAPI WriteStructToUserHelper(volatile VOID *Destination, const VOID *Source, SIZE_T Size);

/*
 * Reserved names: the primitive layer under the names above, with the same contracts. On x64, 23 of them can be
 * redirected by the kernel through the driver's table of accessor functions, on ARM64 31. RtlFastFailIfUserPointer:
 * fast fail 77 (FAST_FAIL_KERNEL_POINTER_EXPECTED) if Pointer is below the user limit. RtlTypesCompatible is a macro,
 * below.
 */
UCHAR NTAPI RtlReadUCharFromUser(const volatile UCHAR *Address);
UCHAR NTAPI RtlReadUCharFromUserAcquire(const volatile UCHAR *Address);
ULONG64 NTAPI RtlReadULong64FromUser(const volatile ULONG64 *Address);
ULONG64 NTAPI RtlReadULong64FromUserAcquire(const volatile ULONG64 *Address);
ULONG NTAPI RtlReadULongFromUser(const volatile ULONG *Address);
ULONG NTAPI RtlReadULongFromUserAcquire(const volatile ULONG *Address);
USHORT NTAPI RtlReadUShortFromUser(const volatile USHORT *Address);
USHORT NTAPI RtlReadUShortFromUserAcquire(const volatile USHORT *Address);
VOID NTAPI RtlWriteUCharToUser(volatile UCHAR *Address, UCHAR Value);
VOID NTAPI RtlWriteUCharToUserRelease(volatile UCHAR *Address, UCHAR Value);
VOID NTAPI RtlWriteULong64ToUser(volatile ULONG64 *Address, ULONG64 Value);
VOID NTAPI RtlWriteULong64ToUserRelease(volatile ULONG64 *Address, ULONG64 Value);
VOID NTAPI RtlWriteULongToUser(volatile ULONG *Address, ULONG Value);
VOID NTAPI RtlWriteULongToUserRelease(volatile ULONG *Address, ULONG Value);
VOID NTAPI RtlWriteUShortToUser(volatile USHORT *Address, USHORT Value);
VOID NTAPI RtlWriteUShortToUserRelease(volatile USHORT *Address, USHORT Value);

VOID NTAPI RtlCopyFromUser(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
VOID NTAPI RtlCopyFromUserNonTemporal(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
VOID NTAPI RtlCopyToUser(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
VOID NTAPI RtlCopyToUserFromUser(volatile VOID *Destination, volatile const VOID *Source, SIZE_T Length);
VOID NTAPI RtlCopyToUserNonTemporal(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length);
VOID NTAPI RtlMoveToUserFromUser(volatile VOID *Destination, volatile const VOID *Source, SIZE_T Length);
VOID NTAPI RtlSetUserMemory(volatile VOID *Destination, UCHAR Fill, SIZE_T Length);

LONG NTAPI RtlInterlockedAnd32ToUser(LONG volatile *Destination, LONG Value);
LONG64 NTAPI RtlInterlockedAnd64ToUser(LONG64 volatile *Destination, LONG64 Value);
LONG NTAPI RtlInterlockedCompareExchange32ToUser(LONG volatile *Destination, LONG ExChange, LONG Comperand);
LONG64 NTAPI RtlInterlockedCompareExchange64ToUser(LONG64 volatile *Destination, LONG64 ExChange, LONG64 Comperand);
LONG NTAPI RtlInterlockedOr32ToUser(LONG volatile *Destination, LONG Value);
LONG64 NTAPI RtlInterlockedOr64ToUser(LONG64 volatile *Destination, LONG64 Value);

SIZE_T NTAPI RtlStringLengthFromUser(const volatile char *String);
SIZE_T NTAPI RtlWideStringLengthFromUser(const volatile wchar_t *String);

void NTAPI RtlFastFailIfUserPointer(const void *Pointer);

/* Behind the macros; not documented names, call the macros instead. Alignment in bytes. */
VOID NTAPI UmapCopyFromUserAligned(volatile VOID *Destination, const volatile VOID *Source, SIZE_T Length,
                                   SIZE_T Alignment);
VOID NTAPI UmapCopyFromModeAligned(VOID *Destination, const volatile VOID *Source, SIZE_T Length, KPROCESSOR_MODE Mode,
                                   SIZE_T Alignment);
VOID NTAPI UmapReadStructFromModeAligned(VOID *Destination, const volatile VOID *Source, SIZE_T Size,
                                         KPROCESSOR_MODE Mode, SIZE_T Alignment);
VOID NTAPI UmapWriteStructToModeAligned(volatile VOID *Destination, const VOID *Source, SIZE_T Size,
                                        KPROCESSOR_MODE Mode, SIZE_T Alignment);

#ifdef __cplusplus
}
#endif

/*
 * RtlTypesCompatible(Destination, Source): does not compile unless both are pointers to the same type, qualifiers
 * aside. Evaluates neither.
 */
#if defined(__cplusplus)
extern "C++" {
template <class T> char UmapSameType(const volatile T *, const volatile T *);
}
#define RtlTypesCompatible(Destination, Source) ((void)sizeof(UmapSameType((Destination), (Source))))
#elif defined(__GNUC__) || defined(__clang__)
#define RtlTypesCompatible(Destination, Source)                                                                        \
    ((void)sizeof(struct {                                                                                             \
        _Static_assert(__builtin_types_compatible_p(__typeof__(*(Destination)), __typeof__(*(Source))) &&              \
                           !__builtin_types_compatible_p(__typeof__(*(Source)), void),                                 \
                       "Destination and Source must point to the same structure type");                                \
        int Unused;                                                                                                    \
    }))
#else
/* Other compilers: equal sizes, and the compiler's own complaint about mixed pointer types. */
#define RtlTypesCompatible(Destination, Source)                                                                        \
    ((void)sizeof((Destination) == (Source)), (void)sizeof(char[sizeof(*(Destination)) == sizeof(*(Source)) ? 1 : -1]))
#endif

/*
 * Structure macros. Destination (always first) and Source are pointers to the same structure type; anything else does
 * not compile. The size is the type's. Each argument is evaluated once. The Aligned forms raise
 * STATUS_DATATYPE_MISALIGNMENT if the user side (Read: the source, Write: the destination) is not aligned to Alignment
 * bytes; with KernelMode they do not check.
 * Documentation: "ReadStructFromUser macro (usermode_accessors.h)" and its siblings.
 */
#define ReadStructFromUser(Destination, Source)                                                                        \
    do {                                                                                                               \
        RtlTypesCompatible(Destination, Source);                                                                       \
        ReadStructFromUserHelper((Destination), (Source), sizeof(*(Source)));                                          \
    } while (0)
#define ReadStructFromMode(Destination, Source, Mode)                                                                  \
    do {                                                                                                               \
        RtlTypesCompatible(Destination, Source);                                                                       \
        ReadStructFromModeHelper((Destination), (Source), sizeof(*(Source)), (Mode));                                  \
    } while (0)
#define ReadStructFromUserAligned(Destination, Source, Alignment)                                                      \
    do {                                                                                                               \
        RtlTypesCompatible(Destination, Source);                                                                       \
        UmapReadStructFromModeAligned((Destination), (Source), sizeof(*(Source)), UserMode, (Alignment));              \
    } while (0)
#define ReadStructFromModeAligned(Destination, Source, Mode, Alignment)                                                \
    do {                                                                                                               \
        RtlTypesCompatible(Destination, Source);                                                                       \
        UmapReadStructFromModeAligned((Destination), (Source), sizeof(*(Source)), (Mode), (Alignment));                \
    } while (0)
#define WriteStructToUser(Destination, Source)                                                                         \
    do {                                                                                                               \
        RtlTypesCompatible(Destination, Source);                                                                       \
        WriteStructToUserHelper((Destination), (Source), sizeof(*(Destination)));                                      \
    } while (0)
#define WriteStructToMode(Destination, Source, Mode)                                                                   \
    do {                                                                                                               \
        RtlTypesCompatible(Destination, Source);                                                                       \
        WriteStructToModeHelper((Destination), (Source), sizeof(*(Destination)), (Mode));                              \
    } while (0)
#define WriteStructToUserAligned(Destination, Source, Alignment)                                                       \
    do {                                                                                                               \
        RtlTypesCompatible(Destination, Source);                                                                       \
        UmapWriteStructToModeAligned((Destination), (Source), sizeof(*(Destination)), UserMode, (Alignment));          \
    } while (0)
#define WriteStructToModeAligned(Destination, Source, Mode, Alignment)                                                 \
    do {                                                                                                               \
        RtlTypesCompatible(Destination, Source);                                                                       \
        UmapWriteStructToModeAligned((Destination), (Source), sizeof(*(Destination)), (Mode), (Alignment));            \
    } while (0)

/*
 * Aligned copies: CopyFromUser and CopyFromMode that first raise STATUS_DATATYPE_MISALIGNMENT if the user source is
 * not aligned to Alignment bytes (with KernelMode: no check). Each argument is evaluated once, unlike in the published
 * expansion.
 * Documentation: "CopyFromUserAligned macro (usermode_accessors.h)" and its sibling.
 */
#define CopyFromUserAligned(Destination, Source, Length, Alignment)                                                    \
    do {                                                                                                               \
        UmapCopyFromUserAligned((Destination), (Source), (Length), (Alignment));                                       \
    } while (0)
#define CopyFromModeAligned(Destination, Source, Length, Mode, Alignment)                                              \
    do {                                                                                                               \
        UmapCopyFromModeAligned((Destination), (Source), (Length), (Mode), (Alignment));                               \
    } while (0)

#endif
