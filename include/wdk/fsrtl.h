/*
 * fsrtl.h - what file systems share: access to a file at the same time, byte-range locks, opportunistic locks,
 * change notification. For ELF builds; see wdm.h.
 */
#pragma once
#include "wdk/io.h"

typedef struct _SHARE_ACCESS {
    ULONG OpenCount, Readers, Writers, Deleters, SharedRead, SharedWrite, SharedDelete;
} SHARE_ACCESS, *PSHARE_ACCESS;

NTSTATUS NTAPI IoCheckShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                                  PSHARE_ACCESS ShareAccess, BOOLEAN Update);
VOID NTAPI IoSetShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                            PSHARE_ACCESS ShareAccess);
VOID NTAPI IoUpdateShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess);
VOID NTAPI IoRemoveShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess);

typedef struct _SECTION_OBJECT_POINTERS {
    PVOID DataSectionObject, SharedCacheMap, ImageSectionObject;
} SECTION_OBJECT_POINTERS, *PSECTION_OBJECT_POINTERS;

/* ---- byte-range locks. A FILE_LOCK's processes are PEPROCESS values. ---- */
enum { IRP_MN_UNLOCK_ALL = 3, IRP_MN_UNLOCK_ALL_BY_KEY = 4 }; /* of IRP_MJ_LOCK_CONTROL; the first two are io.h's */

typedef struct _FILE_LOCK_INFO {
    LARGE_INTEGER StartingByte, Length;
    BOOLEAN ExclusiveLock;
    ULONG Key;
    PFILE_OBJECT FileObject;
    PVOID ProcessId;
    LARGE_INTEGER EndingByte;
} FILE_LOCK_INFO, *PFILE_LOCK_INFO;

typedef NTSTATUS(NTAPI COMPLETE_LOCK_IRP_ROUTINE)(PVOID Context, PIRP Irp);
typedef VOID(NTAPI UNLOCK_ROUTINE)(PVOID Context, PFILE_LOCK_INFO FileLockInfo);
typedef COMPLETE_LOCK_IRP_ROUTINE *PCOMPLETE_LOCK_IRP_ROUTINE;
typedef UNLOCK_ROUTINE *PUNLOCK_ROUTINE;

typedef struct _FILE_LOCK {
    PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine;
    PUNLOCK_ROUTINE UnlockRoutine;
    BOOLEAN FastIoIsQuestionable; /* there are locks */
    BOOLEAN SpareC[3];
    PVOID LockInformation;
    FILE_LOCK_INFO LastReturnedLockInfo;
    PVOID LastReturnedLock;
    volatile LONG LockRequestsInProgress;
} FILE_LOCK, *PFILE_LOCK;

PFILE_LOCK NTAPI FsRtlAllocateFileLock(PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine,
                                       PUNLOCK_ROUTINE UnlockRoutine);
VOID NTAPI FsRtlFreeFileLock(PFILE_LOCK FileLock);
VOID NTAPI FsRtlInitializeFileLock(PFILE_LOCK FileLock, PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine,
                                   PUNLOCK_ROUTINE UnlockRoutine);
VOID NTAPI FsRtlUninitializeFileLock(PFILE_LOCK FileLock);
NTSTATUS NTAPI FsRtlProcessFileLock(PFILE_LOCK FileLock, PIRP Irp, PVOID Context);
BOOLEAN NTAPI FsRtlPrivateLock(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                               PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key, BOOLEAN FailImmediately,
                               BOOLEAN ExclusiveLock, PIO_STATUS_BLOCK IoStatus, PIRP Irp, PVOID Context,
                               BOOLEAN AlreadySynchronized);
NTSTATUS NTAPI FsRtlFastUnlockSingle(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                     PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key, PVOID Context,
                                     BOOLEAN AlreadySynchronized);
NTSTATUS NTAPI FsRtlFastUnlockAll(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process, PVOID Context);
NTSTATUS NTAPI FsRtlFastUnlockAllByKey(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process, ULONG Key,
                                       PVOID Context);
BOOLEAN NTAPI FsRtlCheckLockForReadAccess(PFILE_LOCK FileLock, PIRP Irp);
BOOLEAN NTAPI FsRtlCheckLockForWriteAccess(PFILE_LOCK FileLock, PIRP Irp);
BOOLEAN NTAPI FsRtlFastCheckLockForRead(PFILE_LOCK FileLock, PLARGE_INTEGER StartingByte, PLARGE_INTEGER Length,
                                        ULONG Key, PFILE_OBJECT FileObject, PVOID Process);
BOOLEAN NTAPI FsRtlFastCheckLockForWrite(PFILE_LOCK FileLock, PLARGE_INTEGER StartingByte, PLARGE_INTEGER Length,
                                         ULONG Key, PFILE_OBJECT FileObject, PVOID Process);
PFILE_LOCK_INFO NTAPI FsRtlGetNextFileLock(PFILE_LOCK FileLock, BOOLEAN Restart);
BOOLEAN NTAPI FsRtlAreThereCurrentOrInProgressFileLocks(PFILE_LOCK FileLock);

/* ---- opportunistic locks ---- */
typedef struct _IO_SECURITY_CONTEXT { /* IO_STACK_LOCATION.Parameters.Create.SecurityContext */
    PVOID SecurityQos, AccessState;
    ACCESS_MASK DesiredAccess;
    ULONG FullCreateOptions;
} IO_SECURITY_CONTEXT, *PIO_SECURITY_CONTEXT;

typedef PVOID OPLOCK, *POPLOCK;
#define FSCTL_REQUEST_OPLOCK_LEVEL_1    0x00090000u
#define FSCTL_REQUEST_OPLOCK_LEVEL_2    0x00090004u
#define FSCTL_REQUEST_BATCH_OPLOCK      0x00090008u
#define FSCTL_OPLOCK_BREAK_ACKNOWLEDGE  0x0009000Cu
#define FSCTL_OPBATCH_ACK_CLOSE_PENDING 0x00090010u
#define FSCTL_OPLOCK_BREAK_NOTIFY       0x00090014u
#define FSCTL_OPLOCK_BREAK_ACK_NO_2     0x00090050u
#define FSCTL_REQUEST_FILTER_OPLOCK     0x0009005Cu
#define FSCTL_SET_ZERO_DATA             0x000980C8u
#define FSCTL_REQUEST_OPLOCK            0x00090240u
/* Information of a request that held an oplock */
enum { FILE_OPLOCK_BROKEN_TO_LEVEL_2 = 7, FILE_OPLOCK_BROKEN_TO_NONE = 8 };

typedef VOID(NTAPI OPLOCK_WAIT_COMPLETE_ROUTINE)(PVOID Context, PIRP Irp);
typedef VOID(NTAPI OPLOCK_FS_PREPOST_IRP)(PVOID Context, PIRP Irp);
typedef OPLOCK_WAIT_COMPLETE_ROUTINE *POPLOCK_WAIT_COMPLETE_ROUTINE;
typedef OPLOCK_FS_PREPOST_IRP *POPLOCK_FS_PREPOST_IRP;

VOID NTAPI FsRtlInitializeOplock(POPLOCK Oplock);
VOID NTAPI FsRtlUninitializeOplock(POPLOCK Oplock);
NTSTATUS NTAPI FsRtlOplockFsctrl(POPLOCK Oplock, PIRP Irp, ULONG OpenCount);
NTSTATUS NTAPI FsRtlCheckOplock(POPLOCK Oplock, PIRP Irp, PVOID Context,
                                POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine, POPLOCK_FS_PREPOST_IRP PostIrpRoutine);
BOOLEAN NTAPI FsRtlOplockIsFastIoPossible(POPLOCK Oplock);
BOOLEAN NTAPI FsRtlCurrentBatchOplock(POPLOCK Oplock);

/* ---- directory and volume notification ---- */
typedef struct _REAL_NOTIFY_SYNC *PNOTIFY_SYNC;
typedef struct _SECURITY_SUBJECT_CONTEXT *PSECURITY_SUBJECT_CONTEXT;
typedef BOOLEAN(NTAPI CHECK_FOR_TRAVERSE_ACCESS)(PVOID NotifyContext, PVOID TargetContext,
                                                 PSECURITY_SUBJECT_CONTEXT SubjectContext);
typedef CHECK_FOR_TRAVERSE_ACCESS *PCHECK_FOR_TRAVERSE_ACCESS;

#define FILE_NOTIFY_CHANGE_FILE_NAME  0x01u
#define FILE_NOTIFY_CHANGE_DIR_NAME   0x02u
#define FILE_NOTIFY_CHANGE_ATTRIBUTES 0x04u
#define FILE_NOTIFY_CHANGE_SIZE       0x08u
#define FILE_NOTIFY_CHANGE_LAST_WRITE 0x10u
enum {
    FILE_ACTION_ADDED = 1,
    FILE_ACTION_REMOVED = 2,
    FILE_ACTION_MODIFIED = 3,
    FILE_ACTION_RENAMED_OLD_NAME = 4,
    FILE_ACTION_RENAMED_NEW_NAME = 5
};

typedef struct _FILE_NOTIFY_INFORMATION {
    ULONG NextEntryOffset, Action, FileNameLength;
    WCHAR FileName[1];
} FILE_NOTIFY_INFORMATION, *PFILE_NOTIFY_INFORMATION;

enum { FSRTL_VOLUME_DISMOUNT = 1, FSRTL_VOLUME_BACKGROUND_FORMAT = 14 }; /* the first code and the last */

VOID NTAPI FsRtlNotifyInitializeSync(PNOTIFY_SYNC *NotifySync);
VOID NTAPI FsRtlNotifyUninitializeSync(PNOTIFY_SYNC *NotifySync);
VOID NTAPI FsRtlNotifyFullChangeDirectory(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext,
                                          PSTRING FullDirectoryName, BOOLEAN WatchTree, BOOLEAN IgnoreBuffer,
                                          ULONG CompletionFilter, PIRP NotifyIrp,
                                          PCHECK_FOR_TRAVERSE_ACCESS TraverseCallback,
                                          PSECURITY_SUBJECT_CONTEXT SubjectContext);
VOID NTAPI FsRtlNotifyFullReportChange(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PSTRING FullTargetName,
                                       USHORT TargetNameOffset, PSTRING StreamName, PSTRING NormalizedParentName,
                                       ULONG FilterMatch, ULONG Action, PVOID TargetContext);
VOID NTAPI FsRtlNotifyCleanup(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext);
NTSTATUS NTAPI FsRtlNotifyVolumeEvent(PFILE_OBJECT FileObject, ULONG EventCode);
