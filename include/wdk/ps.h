/*
 * ps.h - process and thread support, work items. For ELF builds; see wdm.h.
 */
#pragma once
#include "wdk/ob.h"

typedef struct _KAPC_STATE {
    LIST_ENTRY ApcListHead[2];
    PKPROCESS Process;
    BOOLEAN KernelApcInProgress, KernelApcPending, UserApcPending;
} KAPC_STATE, *PKAPC_STATE, *PRKAPC_STATE;

typedef VOID(NTAPI WORKER_THREAD_ROUTINE)(PVOID Parameter);
typedef WORKER_THREAD_ROUTINE *PWORKER_THREAD_ROUTINE;
typedef enum _WORK_QUEUE_TYPE {
    CriticalWorkQueue,
    DelayedWorkQueue,
    HyperCriticalWorkQueue,
    MaximumWorkQueue = 7
} WORK_QUEUE_TYPE;
typedef struct _WORK_QUEUE_ITEM {
    LIST_ENTRY List;
    PWORKER_THREAD_ROUTINE WorkerRoutine;
    volatile PVOID Parameter;
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;

NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess, OBJECT_ATTRIBUTES *ObjectAttributes,
                                    HANDLE ProcessHandle, PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                                    PVOID StartContext);
NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus);
NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process);
NTSTATUS NTAPI PsLookupThreadByThreadId(HANDLE ThreadId, PETHREAD *Thread);
KPROCESSOR_MODE NTAPI PsGetCurrentThreadPreviousMode(VOID);
PEPROCESS NTAPI PsGetCurrentThreadProcess(VOID);
HANDLE NTAPI PsGetCurrentThreadProcessId(VOID);
PVOID NTAPI PsGetCurrentThreadStackBase(VOID);
PVOID NTAPI PsGetCurrentThreadStackLimit(VOID);
PCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process);
BOOLEAN NTAPI PsIsSystemProcess(PEPROCESS Process);
BOOLEAN NTAPI PsIsThreadTerminating(PETHREAD Thread);
NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process);
VOID NTAPI KeStackAttachProcess(PKPROCESS Process, PRKAPC_STATE ApcState);
VOID NTAPI KeUnstackDetachProcess(PRKAPC_STATE ApcState);
VOID NTAPI KeAttachProcess(PKPROCESS Process);
VOID NTAPI KeDetachProcess(VOID);
VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType);

#define IMAGE_ADDRESSING_MODE_32BIT 3
typedef struct _IMAGE_INFO {
    ULONG Properties; /* ImageAddressingMode: 8 bits, then SystemModeImage and others */
    PVOID ImageBase;
    ULONG ImageSelector;
    SIZE_T ImageSize;
    ULONG ImageSectionNumber;
} IMAGE_INFO, *PIMAGE_INFO;

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PVOID NotifyRoutine, BOOLEAN Remove);
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx(PVOID NotifyRoutine, BOOLEAN Remove);
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(ULONG NotifyType, PVOID NotifyInformation, BOOLEAN Remove);
NTSTATUS NTAPI PsSetCreateThreadNotifyRoutine(PVOID NotifyRoutine);
NTSTATUS NTAPI PsRemoveCreateThreadNotifyRoutine(PVOID NotifyRoutine);
NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PVOID NotifyRoutine);
NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PVOID NotifyRoutine, ULONG_PTR Flags);
NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PVOID NotifyRoutine);
ULONG NTAPI PsGetCurrentProcessSessionId(VOID);
ULONG NTAPI PsGetProcessSessionId(PEPROCESS Process);
ULONG NTAPI PsGetProcessSessionIdEx(PEPROCESS Process);
PVOID NTAPI PsGetProcessWow64Process(PEPROCESS Process);
PVOID NTAPI PsGetCurrentProcessWow64Process(VOID);
PVOID NTAPI PsGetProcessDebugPort(PEPROCESS Process);
BOOLEAN NTAPI PsGetProcessExitProcessCalled(PEPROCESS Process);
BOOLEAN NTAPI PsIsProtectedProcess(PEPROCESS Process);
NTSTATUS NTAPI PsAcquireProcessExitSynchronization(PEPROCESS Process);
VOID NTAPI PsReleaseProcessExitSynchronization(PEPROCESS Process);

/* ---- what the query services tell ---- */
enum {
    ProcessBasicInformation = 0,
    ProcessDebugPort = 7,
    ProcessHandleCount = 20,
    ProcessSessionInformation = 24,
    ProcessWow64Information = 26,
    ProcessImageFileName = 27,
    ProcessBreakOnTermination = 29,
    ThreadBasicInformation = 0,
    ThreadIsTerminated = 20,
    SystemBasicInformation = 0,
    SystemTimeOfDayInformation = 3,
    SystemProcessInformation = 5,
    SystemKernelDebuggerInformation = 35,
    SystemCodeIntegrityInformation = 103
};

typedef struct _PROCESS_BASIC_INFORMATION {
    NTSTATUS ExitStatus;
    PVOID PebBaseAddress;
    ULONG_PTR AffinityMask;
    KPRIORITY BasePriority;
    ULONG_PTR UniqueProcessId, InheritedFromUniqueProcessId;
} PROCESS_BASIC_INFORMATION;

typedef struct _THREAD_BASIC_INFORMATION {
    NTSTATUS ExitStatus;
    PVOID TebBaseAddress;
    CLIENT_ID ClientId;
    KAFFINITY AffinityMask;
    KPRIORITY Priority;
    LONG BasePriority;
} THREAD_BASIC_INFORMATION;

typedef struct _SYSTEM_BASIC_INFORMATION {
    ULONG Reserved, TimerResolution, PageSize, NumberOfPhysicalPages;
    ULONG LowestPhysicalPageNumber, HighestPhysicalPageNumber, AllocationGranularity;
    ULONG_PTR MinimumUserModeAddress, MaximumUserModeAddress, ActiveProcessorsAffinityMask;
    CCHAR NumberOfProcessors;
} SYSTEM_BASIC_INFORMATION;

typedef struct _SYSTEM_TIMEOFDAY_INFORMATION {
    LARGE_INTEGER BootTime, CurrentTime, TimeZoneBias;
    ULONG TimeZoneId, Reserved;
    ULONGLONG BootTimeBias, SleepTimeBias;
} SYSTEM_TIMEOFDAY_INFORMATION;

typedef struct _SYSTEM_THREAD_INFORMATION {
    LARGE_INTEGER KernelTime, UserTime, CreateTime;
    ULONG WaitTime;
    PVOID StartAddress;
    CLIENT_ID ClientId;
    KPRIORITY Priority;
    LONG BasePriority;
    ULONG ContextSwitches, ThreadState, WaitReason;
} SYSTEM_THREAD_INFORMATION;

typedef struct _SYSTEM_PROCESS_INFORMATION {
    ULONG NextEntryOffset, NumberOfThreads;
    UCHAR Reserved1[48];
    UNICODE_STRING ImageName;
    KPRIORITY BasePriority;
    HANDLE UniqueProcessId;
    PVOID InheritedFromUniqueProcessId;
    ULONG HandleCount, SessionId;
    PVOID Reserved3;
    SIZE_T PeakVirtualSize, VirtualSize;
    ULONG Reserved4;
    SIZE_T PeakWorkingSetSize, WorkingSetSize;
    PVOID Reserved5;
    SIZE_T QuotaPagedPoolUsage;
    PVOID Reserved6;
    SIZE_T QuotaNonPagedPoolUsage, PagefileUsage, PeakPagefileUsage, PrivatePageCount;
    LARGE_INTEGER Reserved7[6];
} SYSTEM_PROCESS_INFORMATION;
_Static_assert(sizeof(SYSTEM_PROCESS_INFORMATION) == 0x100 && sizeof(SYSTEM_THREAD_INFORMATION) == 0x50, "winternl.h");
_Static_assert(sizeof(SYSTEM_BASIC_INFORMATION) == 64 && sizeof(SYSTEM_TIMEOFDAY_INFORMATION) == 48, "winternl.h");
_Static_assert(sizeof(PROCESS_BASIC_INFORMATION) == 48 && sizeof(THREAD_BASIC_INFORMATION) == 48, "winternl.h");
