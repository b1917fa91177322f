/*
 * processor.c - processors, affinity and processor state as drivers ask for them; the debugger's variables.
 *
 * Every thread says it is processor 0 of one (thread.c), so affinities are kept per thread and bind nothing. A thread's
 * registers, floating point and AVX included, are its own from its start to its end: there is nothing to save.
 */
#include "ke.h"
#include "arch.h"
#include "seh.h"
#include "wdk/ke_more.h"

CCHAR KeNumberProcessors = 1;
BOOLEAN KdDebuggerEnabled = FALSE, KdDebuggerNotPresent = TRUE;
ULONG InitSafeBootMode, NtGlobalFlag, NtBuildNumber = 0xF0000000u | 26100;

/* What the thread was bound to by KeSetSystemAffinityThread(Ex); 0: not bound. */
static _Thread_local KAFFINITY system_affinity;

enum { ALL_GROUPS = 0xFFFF };

ULONG NTAPI KeQueryMaximumProcessorCount(VOID)
{
    return 1;
}

ULONG NTAPI KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    return GroupNumber == 0 || GroupNumber == ALL_GROUPS;
}

USHORT NTAPI KeQueryActiveGroupCount(VOID)
{
    return 1;
}

USHORT NTAPI KeQueryMaximumGroupCount(VOID)
{
    return 1;
}

KAFFINITY NTAPI KeQueryActiveProcessors(VOID)
{
    return 1;
}

USHORT NTAPI KeQueryHighestNodeNumber(VOID)
{
    return 0;
}

USHORT NTAPI KeGetCurrentNodeNumber(VOID)
{
    return 0;
}

USHORT NTAPI KeQueryNodeMaximumProcessorCount(USHORT NodeNumber)
{
    return NodeNumber == 0;
}

/* Both outputs are optional; a node that does not exist has no processors. */
VOID NTAPI KeQueryNodeActiveAffinity(USHORT NodeNumber, PGROUP_AFFINITY Affinity, PUSHORT Count)
{
    if (Affinity)
        *Affinity = (GROUP_AFFINITY){.Mask = NodeNumber == 0};
    if (Count)
        *Count = NodeNumber == 0;
}

NTSTATUS NTAPI KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcIndex)
        return STATUS_INVALID_PARAMETER;
    *ProcNumber = (PROCESSOR_NUMBER){0};
    return STATUS_SUCCESS;
}

ULONG NTAPI KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber)
{
    bool known = !ProcNumber->Group && !ProcNumber->Number && !ProcNumber->Reserved;
    return known ? 0 : INVALID_PROCESSOR_INDEX;
}

/* ---- affinity ---- */

/* Returns what the thread was bound to before, 0 if it was not. */
KAFFINITY NTAPI KeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
    KAFFINITY before = system_affinity;
    if (Affinity & 1)
        system_affinity = 1;
    return before;
}

VOID NTAPI KeSetSystemAffinityThread(KAFFINITY Affinity)
{
    KeSetSystemAffinityThreadEx(Affinity);
}

/* Affinity: what KeSetSystemAffinityThreadEx returned; 0 ends the binding. */
VOID NTAPI KeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
    system_affinity = Affinity & 1;
}

VOID NTAPI KeRevertToUserAffinityThread(VOID)
{
    system_affinity = 0;
}

VOID NTAPI KeSetSystemGroupAffinityThread(PGROUP_AFFINITY Affinity, PGROUP_AFFINITY PreviousAffinity)
{
    GROUP_AFFINITY wanted = *Affinity;
    KAFFINITY before = KeSetSystemAffinityThreadEx(wanted.Group ? 0 : wanted.Mask);
    if (PreviousAffinity)
        *PreviousAffinity = (GROUP_AFFINITY){.Mask = before};
}

VOID NTAPI KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity)
{
    KeRevertToUserAffinityThreadEx(PreviousAffinity->Mask);
}

/* ---- processor state ---- */

NTSTATUS NTAPI KeSaveFloatingPointState(PVOID FloatSave)
{
    UNREFERENCED_PARAMETER(FloatSave);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI KeRestoreFloatingPointState(PVOID FloatSave)
{
    UNREFERENCED_PARAMETER(FloatSave);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI KeSaveExtendedProcessorState(ULONG64 Mask, PVOID XStateSave)
{
    UNREFERENCED_PARAMETER(Mask);
    UNREFERENCED_PARAMETER(XStateSave);
    return STATUS_SUCCESS;
}

VOID NTAPI KeRestoreExtendedProcessorState(PVOID XStateSave)
{
    UNREFERENCED_PARAMETER(XStateSave);
}

VOID NTAPI KeFlushWriteBuffer(VOID)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

BOOLEAN NTAPI KeInvalidateAllCaches(VOID)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return TRUE;
}

ULONG NTAPI KeGetRecommendedSharedDataAlignment(VOID)
{
    return 64;
}

ULONG NTAPI KeShouldYieldProcessor(VOID)
{
    return FALSE;
}

KIRQL NTAPI KeGetEffectiveIrql(VOID)
{
    return KeGetCurrentIrql();
}

/* This machine never sleeps. */
ULONGLONG NTAPI KeQueryUnbiasedInterruptTime(VOID)
{
    return KeQueryInterruptTime();
}

/* ---- stacks ---- */

/* Calls Callout with Size bytes of stack at least. STATUS_INVALID_PARAMETER_3: more than can be; STATUS_NO_MEMORY. */
NTSTATUS NTAPI KeExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size,
                                               BOOLEAN Wait, PVOID Context)
{
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(Context);
    if (Size > MAXIMUM_EXPANSION_SIZE)
        return STATUS_INVALID_PARAMETER_3;
    if (IoGetRemainingStackSize() < Size)
        return STATUS_NO_MEMORY;
    Callout(Parameter);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI KeExpandKernelStackAndCallout(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size)
{
    return KeExpandKernelStackAndCalloutEx(Callout, Parameter, Size, TRUE, NULL);
}

/* Whether the whole region lies on the running thread's stack. */
ULONG NTAPI IoWithinStackLimits(ULONG_PTR RegionStart, SIZE_T RegionSize)
{
    ULONG_PTR low = arch_self()->stack_low, high = arch_self()->stack_high;
    return RegionStart >= low && RegionStart <= high && RegionSize <= high - RegionStart;
}

/* ---- there is no debugger ---- */

NTSTATUS NTAPI KdDisableDebugger(VOID)
{
    return STATUS_DEBUGGER_INACTIVE;
}

NTSTATUS NTAPI KdEnableDebugger(VOID)
{
    return STATUS_DEBUGGER_INACTIVE;
}

BOOLEAN NTAPI KdRefreshDebuggerNotPresent(VOID)
{
    return TRUE;
}
