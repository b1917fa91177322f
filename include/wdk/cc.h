/*
 * cc.h - the cache manager: file data in memory for file systems, mapped, pinned, copied and written back. For ELF
 * builds; see wdm.h.
 */
#pragma once
#include "wdk/fsrtl.h"

#define FO_WRITE_THROUGH             0x10u
#define VACB_MAPPING_GRANULARITY     0x40000u /* what one mapping or pin stays within */
#define MAP_WAIT                     1u
#define MAP_NO_READ                  16u
#define PIN_WAIT                     1u
#define PIN_EXCLUSIVE                2u
#define PIN_NO_READ                  4u
#define PIN_IF_BCB                   8u
#define PIN_CALLER_TRACKS_DIRTY_DATA 32u

typedef struct _CC_FILE_SIZES {
    LARGE_INTEGER AllocationSize, FileSize, ValidDataLength;
} CC_FILE_SIZES, *PCC_FILE_SIZES;

typedef struct _PUBLIC_BCB {
    CSHORT NodeTypeCode, NodeByteSize;
    ULONG MappedLength;
    LARGE_INTEGER MappedFileOffset;
} PUBLIC_BCB, *PPUBLIC_BCB;

typedef BOOLEAN(NTAPI *PACQUIRE_FOR_LAZY_WRITE)(PVOID Context, BOOLEAN Wait);
typedef VOID(NTAPI *PRELEASE_FROM_LAZY_WRITE)(PVOID Context);
typedef BOOLEAN(NTAPI *PACQUIRE_FOR_READ_AHEAD)(PVOID Context, BOOLEAN Wait);
typedef VOID(NTAPI *PRELEASE_FROM_READ_AHEAD)(PVOID Context);

typedef struct _CACHE_MANAGER_CALLBACKS {
    PACQUIRE_FOR_LAZY_WRITE AcquireForLazyWrite;
    PRELEASE_FROM_LAZY_WRITE ReleaseFromLazyWrite;
    PACQUIRE_FOR_READ_AHEAD AcquireForReadAhead;
    PRELEASE_FROM_READ_AHEAD ReleaseFromReadAhead;
} CACHE_MANAGER_CALLBACKS, *PCACHE_MANAGER_CALLBACKS;

typedef struct _CACHE_UNINITIALIZE_EVENT {
    struct _CACHE_UNINITIALIZE_EVENT *Next;
    KEVENT Event;
} CACHE_UNINITIALIZE_EVENT, *PCACHE_UNINITIALIZE_EVENT;

VOID NTAPI CcInitializeCacheMap(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes, BOOLEAN PinAccess,
                                PCACHE_MANAGER_CALLBACKS Callbacks, PVOID LazyWriteContext);
BOOLEAN NTAPI CcUninitializeCacheMap(PFILE_OBJECT FileObject, PLARGE_INTEGER TruncateSize,
                                     PCACHE_UNINITIALIZE_EVENT UninitializeEvent);
VOID NTAPI CcSetFileSizes(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes);
BOOLEAN NTAPI CcPurgeCacheSection(PSECTION_OBJECT_POINTERS SectionObjectPointer, PLARGE_INTEGER FileOffset,
                                  ULONG Length, ULONG Flags);
VOID NTAPI CcFlushCache(PSECTION_OBJECT_POINTERS SectionObjectPointer, PLARGE_INTEGER FileOffset, ULONG Length,
                        PIO_STATUS_BLOCK IoStatus);
BOOLEAN NTAPI CcIsThereDirtyData(PVOID Vpb);
NTSTATUS NTAPI CcWaitForCurrentLazyWriterActivity(VOID);

BOOLEAN NTAPI CcMapData(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags, PVOID *Bcb,
                        PVOID *Buffer);
BOOLEAN NTAPI CcPinRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags, PVOID *Bcb,
                        PVOID *Buffer);
BOOLEAN NTAPI CcPinMappedData(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags,
                              PVOID *Bcb);
BOOLEAN NTAPI CcPreparePinWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Zero,
                                ULONG Flags, PVOID *Bcb, PVOID *Buffer);
VOID NTAPI CcSetDirtyPinnedData(PVOID Bcb, PLARGE_INTEGER Lsn);
VOID NTAPI CcUnpinData(PVOID Bcb);
VOID NTAPI CcUnpinDataForThread(PVOID Bcb, ULONG_PTR ResourceThreadId);
PFILE_OBJECT NTAPI CcGetFileObjectFromBcb(PVOID Bcb);

BOOLEAN NTAPI CcCopyRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, PVOID Buffer,
                         PIO_STATUS_BLOCK IoStatus);
BOOLEAN NTAPI CcCopyWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, PVOID Buffer);
