/*
 * ddk_missing.h - what a driver may need and mingw-w64's DDK headers do not declare yet.
 *
 * Include after wdm.h, ntddk.h or ntifs.h. Every piece gives way to a header that already has it: constants are guarded
 * by their own names, and with Microsoft's WDK (POOL_FLAG_PAGED is defined) nothing is declared at all.
 * Names, types and values follow the public documentation of each routine.
 */
#pragma once

#ifndef POOL_FLAG_PAGED

/* ExAllocatePool2's flags (documentation page "POOL_FLAGS"). Memory is zeroed unless POOL_FLAG_UNINITIALIZED is given.
 */
typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_USE_QUOTA         0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED     0x0000000000000002ULL
#define POOL_FLAG_SESSION           0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED     0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE  0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED         0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ULL
#define POOL_FLAG_PAGED             0x0000000000000100ULL
#define POOL_FLAG_SPECIAL_POOL      0x0000000100000000ULL

/* Returns zeroed pool of NumberOfBytes, or null (or raises, with POOL_FLAG_RAISE_ON_FAILURE). IRQL <= DISPATCH_LEVEL.
 */
NTKERNELAPI PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);

/* The parameters of the next two; drivers here pass none. */
typedef struct _POOL_EXTENDED_PARAMETER POOL_EXTENDED_PARAMETER;
NTKERNELAPI PVOID NTAPI ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                                        const POOL_EXTENDED_PARAMETER *ExtendedParameters,
                                        ULONG ExtendedParametersCount);
NTKERNELAPI VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, const POOL_EXTENDED_PARAMETER *ExtendedParameters,
                                   ULONG ExtendedParametersCount);

/* Makes NonPagedPool mean NonPagedPoolNx in the WDK. Pool is never executable here, so there is nothing to do. */
#define DrvRtPoolNxOptIn 0x00000001
FORCEINLINE VOID ExInitializeDriverRuntime(ULONG RuntimeFlags)
{
    UNREFERENCED_PARAMETER(RuntimeFlags);
}

NTKERNELAPI VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);
NTKERNELAPI ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp);
NTKERNELAPI PEPROCESS NTAPI PsGetThreadProcess(PETHREAD Thread);
NTSYSAPI BOOLEAN NTAPI RtlPrefixString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive);

#endif /* POOL_FLAG_PAGED */

/* In PoolType: bits of ExAllocatePoolWithTag's first parameter. */
#ifndef POOL_NX_ALLOCATION
#define POOL_NX_ALLOCATION 512
#endif
#ifndef POOL_ZERO_ALLOCATION
#define POOL_ZERO_ALLOCATION 1024
#endif

/* In the priority of MmMapLockedPagesSpecifyCache and MmGetSystemAddressForMdlSafe. */
#ifndef MdlMappingNoWrite
#define MdlMappingNoWrite 0x80000000
#endif
#ifndef MdlMappingNoExecute
#define MdlMappingNoExecute 0x40000000
#endif

/* FAST_FAIL code of an accessor that was given a user pointer as a kernel one (public constant lists). */
#ifndef FAST_FAIL_KERNEL_POINTER_EXPECTED
#define FAST_FAIL_KERNEL_POINTER_EXPECTED 77
#endif

#ifndef STATUS_DATATYPE_MISALIGNMENT
#define STATUS_DATATYPE_MISALIGNMENT ((NTSTATUS)0x80000002L)
#endif
