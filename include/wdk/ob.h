/*
 * ob.h - object manager: references. For ELF builds; see wdm.h.
 */
#pragma once
#include "wdk/ke.h"

#define OBJ_PROTECT_CLOSE    0x00000001
#define OBJ_INHERIT          0x00000002
#define OBJ_PERMANENT        0x00000010
#define OBJ_EXCLUSIVE        0x00000020
#define OBJ_CASE_INSENSITIVE 0x00000040
#define OBJ_OPENIF           0x00000080
#define OBJ_OPENLINK         0x00000100
#define OBJ_KERNEL_HANDLE    0x00000200

#define NtCurrentProcess() ((HANDLE)(LONG_PTR) - 1)
#define NtCurrentThread()  ((HANDLE)(LONG_PTR) - 2)

#define GENERIC_READ              0x80000000u
#define GENERIC_WRITE             0x40000000u
#define GENERIC_EXECUTE           0x20000000u
#define GENERIC_ALL               0x10000000u
#define MAXIMUM_ALLOWED           0x02000000u
#define SYNCHRONIZE               0x00100000u
#define STANDARD_RIGHTS_ALL       0x001F0000u
#define EVENT_QUERY_STATE         0x0001u
#define EVENT_MODIFY_STATE        0x0002u
#define EVENT_ALL_ACCESS          0x001F0003u
#define MUTANT_QUERY_STATE        0x0001u
#define MUTANT_ALL_ACCESS         0x001F0001u
#define SEMAPHORE_QUERY_STATE     0x0001u
#define SEMAPHORE_MODIFY_STATE    0x0002u
#define SEMAPHORE_ALL_ACCESS      0x001F0003u
#define PROCESS_ALL_ACCESS        0x001FFFFFu
#define PROCESS_DUP_HANDLE        0x0040u
#define PROCESS_VM_OPERATION      0x0008u
#define PROCESS_QUERY_INFORMATION 0x0400u
#define THREAD_TERMINATE          0x0001u
#define THREAD_ALERT              0x0004u
#define THREAD_SET_CONTEXT        0x0010u
#define THREAD_ALL_ACCESS         0x001FFFFFu
#define FILE_READ_DATA            0x0001u
#define FILE_WRITE_DATA           0x0002u
#define FILE_APPEND_DATA          0x0004u

#define DUPLICATE_CLOSE_SOURCE    0x1
#define DUPLICATE_SAME_ACCESS     0x2
#define DUPLICATE_SAME_ATTRIBUTES 0x4

typedef struct _GENERIC_MAPPING {
    ACCESS_MASK GenericRead, GenericWrite, GenericExecute, GenericAll;
} GENERIC_MAPPING, *PGENERIC_MAPPING;

typedef struct _OBJECT_HANDLE_INFORMATION {
    ULONG HandleAttributes;
    ACCESS_MASK GrantedAccess;
} OBJECT_HANDLE_INFORMATION, *POBJECT_HANDLE_INFORMATION;

typedef struct _OBJECT_NAME_INFORMATION {
    UNICODE_STRING Name;
} OBJECT_NAME_INFORMATION, *POBJECT_NAME_INFORMATION;

typedef enum _OBJECT_INFORMATION_CLASS {
    ObjectBasicInformation,
    ObjectNameInformation,
    ObjectTypeInformation,
    ObjectHandleFlagInformation = 4
} OBJECT_INFORMATION_CLASS;

typedef struct _PUBLIC_OBJECT_BASIC_INFORMATION {
    ULONG Attributes;
    ACCESS_MASK GrantedAccess;
    ULONG HandleCount, PointerCount;
    ULONG Reserved[10];
} PUBLIC_OBJECT_BASIC_INFORMATION;

typedef struct _PUBLIC_OBJECT_TYPE_INFORMATION {
    UNICODE_STRING TypeName;
    ULONG Reserved[22];
} PUBLIC_OBJECT_TYPE_INFORMATION;

typedef struct _OBJECT_HANDLE_FLAG_INFORMATION {
    BOOLEAN Inherit, ProtectFromClose;
} OBJECT_HANDLE_FLAG_INFORMATION, *POBJECT_HANDLE_FLAG_INFORMATION;

typedef struct _OBJECT_DIRECTORY_INFORMATION {
    UNICODE_STRING Name, TypeName;
} OBJECT_DIRECTORY_INFORMATION, *POBJECT_DIRECTORY_INFORMATION;

typedef struct _OBJECT_TYPE *POBJECT_TYPE; /* opaque */
extern POBJECT_TYPE ExEventObjectType, ExSemaphoreObjectType, PsThreadType, PsProcessType;

LONG_PTR NTAPI ObfReferenceObject(PVOID Object);
LONG_PTR NTAPI ObfDereferenceObject(PVOID Object);
LONG_PTR NTAPI ObfReferenceObjectWithTag(PVOID Object, ULONG Tag);
LONG_PTR NTAPI ObfDereferenceObjectWithTag(PVOID Object, ULONG Tag);
VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object);
VOID NTAPI ObDereferenceObjectDeferDeleteWithTag(PVOID Object, ULONG Tag);
LONG_PTR NTAPI ObDereferenceObject(PVOID Object);
NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                         KPROCESSOR_MODE AccessMode, PVOID *Object,
                                         POBJECT_HANDLE_INFORMATION HandleInformation);
NTSTATUS NTAPI ObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                                KPROCESSOR_MODE AccessMode, ULONG Tag, PVOID *Object,
                                                POBJECT_HANDLE_INFORMATION HandleInformation);
NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                          KPROCESSOR_MODE AccessMode);
NTSTATUS NTAPI ObReferenceObjectByPointerWithTag(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                                 KPROCESSOR_MODE AccessMode, ULONG Tag);
NTSTATUS NTAPI ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PVOID PassedAccessState,
                                     ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                     PHANDLE Handle);
NTSTATUS NTAPI ObOpenObjectByPointerWithTag(PVOID Object, ULONG HandleAttributes, PVOID PassedAccessState,
                                            ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                            KPROCESSOR_MODE AccessMode, ULONG Tag, PHANDLE Handle);
NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode);
POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object);
BOOLEAN NTAPI ObIsKernelHandle(HANDLE Handle);
VOID NTAPI ObMakeTemporaryObject(PVOID Object);
NTSTATUS NTAPI ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION ObjectNameInfo, ULONG Length,
                                 PULONG ReturnLength);
NTSTATUS NTAPI ObSetHandleAttributes(HANDLE Handle, POBJECT_HANDLE_FLAG_INFORMATION HandleFlags,
                                     KPROCESSOR_MODE PreviousMode);
NTSTATUS NTAPI ObGetObjectSecurity(PVOID Object, PVOID *SecurityDescriptor, PBOOLEAN MemoryAllocated);
VOID NTAPI ObReleaseObjectSecurity(PVOID SecurityDescriptor, BOOLEAN MemoryAllocated);
