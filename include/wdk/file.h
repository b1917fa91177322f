/*
 * file.h - files: what NtCreateFile is asked for and answers, and the flags of file objects. For ELF builds; see wdm.h.
 */
#pragma once

/* access to a file; the generic rights stand in ob.h */
#define DELETE                0x00010000u
#define FILE_EXECUTE          0x0020u
#define FILE_READ_EA          0x0008u
#define FILE_WRITE_EA         0x0010u
#define FILE_DELETE_CHILD     0x0040u
#define FILE_READ_ATTRIBUTES  0x0080u
#define FILE_WRITE_ATTRIBUTES 0x0100u

/* ShareAccess */
#define FILE_SHARE_READ   1u
#define FILE_SHARE_WRITE  2u
#define FILE_SHARE_DELETE 4u

/* FileAttributes */
#define FILE_ATTRIBUTE_READONLY      0x01u
#define FILE_ATTRIBUTE_HIDDEN        0x02u
#define FILE_ATTRIBUTE_SYSTEM        0x04u
#define FILE_ATTRIBUTE_DIRECTORY     0x10u
#define FILE_ATTRIBUTE_ARCHIVE       0x20u
#define FILE_ATTRIBUTE_NORMAL        0x80u
#define FILE_ATTRIBUTE_TEMPORARY     0x100u
#define FILE_ATTRIBUTE_REPARSE_POINT 0x400u

/* CreateDisposition, and what a create did (IoStatus.Information) */
enum {
    FILE_SUPERSEDE = 0,
    FILE_OPEN = 1,
    FILE_CREATE = 2,
    FILE_OPEN_IF = 3,
    FILE_OVERWRITE = 4,
    FILE_OVERWRITE_IF = 5,
    FILE_MAXIMUM_DISPOSITION = 5
};
enum {
    FILE_SUPERSEDED = 0,
    FILE_OPENED = 1,
    FILE_CREATED = 2,
    FILE_OVERWRITTEN = 3,
    FILE_EXISTS = 4,
    FILE_DOES_NOT_EXIST = 5
};

/* CreateOptions */
#define FILE_DIRECTORY_FILE            0x00000001u
#define FILE_WRITE_THROUGH             0x00000002u
#define FILE_SEQUENTIAL_ONLY           0x00000004u
#define FILE_NO_INTERMEDIATE_BUFFERING 0x00000008u
#define FILE_SYNCHRONOUS_IO_ALERT      0x00000010u
#define FILE_SYNCHRONOUS_IO_NONALERT   0x00000020u
#define FILE_NON_DIRECTORY_FILE        0x00000040u
#define FILE_CREATE_TREE_CONNECTION    0x00000080u
#define FILE_COMPLETE_IF_OPLOCKED      0x00000100u
#define FILE_NO_EA_KNOWLEDGE           0x00000200u
#define FILE_RANDOM_ACCESS             0x00000800u
#define FILE_DELETE_ON_CLOSE           0x00001000u
#define FILE_OPEN_BY_FILE_ID           0x00002000u
#define FILE_OPEN_FOR_BACKUP_INTENT    0x00004000u
#define FILE_NO_COMPRESSION            0x00008000u
#define FILE_OPEN_REPARSE_POINT        0x00200000u

/* Low part of a ByteOffset whose high part is -1 */
#define FILE_WRITE_TO_END_OF_FILE      0xFFFFFFFFu
#define FILE_USE_FILE_POINTER_POSITION 0xFFFFFFFEu

/* IO_STACK_LOCATION.Flags of IRP_MJ_LOCK_CONTROL */
#define SL_FAIL_IMMEDIATELY 0x01
#define SL_EXCLUSIVE_LOCK   0x02

/* IO_STACK_LOCATION.Flags of IRP_MJ_CREATE */
#define SL_FORCE_ACCESS_CHECK    0x01
#define SL_OPEN_PAGING_FILE      0x02
#define SL_OPEN_TARGET_DIRECTORY 0x04
#define SL_CASE_SENSITIVE        0x80

/* FILE_OBJECT.Flags */
#define FO_FILE_OPEN        0x1
#define FO_SYNCHRONOUS_IO   0x2
#define FO_ALERTABLE_IO     0x4
#define FO_CLEANUP_COMPLETE 0x4000
#define FO_HANDLE_CREATED   0x40000
