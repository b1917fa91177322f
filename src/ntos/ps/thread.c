/*
 * thread.c - system threads, and finding threads and processes by their ids.
 *
 * The host threads themselves are ke's. A process here is the system or the one user process; neither ends.
 */
#include "ps.h"
#include "arch.h"
#include "rtl.h"
#include "seh.h"

#define START_TAG RTL_TAG('P', 's', 'T', 'h')

struct system_start {
    PKSTART_ROUTINE routine;
    PVOID context;
};

static void run_system_thread(void *context)
{
    struct system_start start = *(struct system_start *)context;
    mm_pool_free(context, START_TAG, 0);
    start.routine(start.context);
    ps_thread_notify(ke_thread_current(), false);
}

static NTSTATUS process_of(HANDLE handle, PEPROCESS *process)
{
    *process = &ke_system.body;
    if (handle)
        return ob_handle_reference(handle, 0, &ob_process_type, KernelMode, (void **)process, NULL);
    ob_reference(*process);
    return STATUS_SUCCESS;
}

/*
 * A thread of the system process (or of ProcessHandle's) that runs StartRoutine in kernel mode and ends when that
 * returns. *ThreadHandle is a kernel handle, as on Windows since Vista. ObjectAttributes, ProcessHandle and ClientId
 * may be null. IRQL PASSIVE_LEVEL.
 */
NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess, OBJECT_ATTRIBUTES *ObjectAttributes,
                                    HANDLE ProcessHandle, PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                                    PVOID StartContext)
{
    UNREFERENCED_PARAMETER(ObjectAttributes);
    PEPROCESS process;
    ACCESS_MASK access;
    NTSTATUS status = ob_access_map(&ob_thread_type, DesiredAccess, KernelMode, &access);
    if (NT_SUCCESS(status))
        status = process_of(ProcessHandle, &process);
    if (!NT_SUCCESS(status))
        return status;
    struct system_start *start = mm_pool_allocate(sizeof(*start), START_TAG, 0, MM_POOL_KERNEL, 0);
    PKTHREAD thread;
    uint64_t host;
    status = STATUS_INSUFFICIENT_RESOURCES;
    if (start) {
        *start = (struct system_start){StartRoutine, StartContext};
        status = ke_thread_start(process, run_system_thread, start, seh_export_caller(), &thread, &host);
    }
    ob_dereference(process);
    if (!NT_SUCCESS(status)) {
        if (start)
            mm_pool_free(start, START_TAG, 0);
        return status;
    }
    plat_thread_forget(host);
    if (ClientId)
        *ClientId = thread->Cid;
    ps_thread_notify(thread, true);
    status = ob_handle_create(thread, access, OBJ_KERNEL_HANDLE, KernelMode, ThreadHandle);
    ke_thread_release(thread);
    return status;
}

/* Ends the calling system thread and does not return. STATUS_INVALID_PARAMETER: it is not one. IRQL PASSIVE_LEVEL. */
NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    if (ke_thread_current()->Exit)
        ps_thread_notify(ke_thread_current(), false);
    ke_thread_exit(ExitStatus);
    return STATUS_INVALID_PARAMETER;
}

struct driver_threads {
    struct {
        HANDLE id;
        ULONG_PTR caller;
    } rows[64];
    SIZE_T count;
};

static void note_thread(PKTHREAD thread, void *context)
{
    struct driver_threads *found = context;
    if (!thread->StartCaller || thread->Header.SignalState)
        return;
    if (found->count < RTL_NUMBER_OF(found->rows)) {
        found->rows[found->count].id = thread->Cid.UniqueThread;
        found->rows[found->count].caller = thread->StartCaller;
    }
    found->count++;
}

SIZE_T ps_driver_threads(void (*callback)(void *context, HANDLE id, ULONG_PTR caller), void *context)
{
    struct driver_threads found = {.count = 0};
    ke_threads_each(note_thread, &found);
    for (SIZE_T i = 0; callback && i < found.count && i < RTL_NUMBER_OF(found.rows); i++)
        callback(context, found.rows[i].id, found.rows[i].caller);
    return found.count;
}

/* ---- by id ---- */

/* The process with that id, referenced. STATUS_INVALID_PARAMETER: there is none. */
NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process)
{
    struct ke_process *const processes[] = {&ke_system, &ke_user};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(processes); i++) {
        if (processes[i]->body.UniqueProcessId != ProcessId)
            continue;
        ob_reference(&processes[i]->body);
        *Process = &processes[i]->body;
        return STATUS_SUCCESS;
    }
    return STATUS_INVALID_PARAMETER;
}

static void take_thread(PKTHREAD thread, void *context)
{
    ob_reference(thread);
    *(PKTHREAD *)context = thread;
}

/* The thread with that id, referenced. STATUS_INVALID_PARAMETER: there is none. */
NTSTATUS NTAPI PsLookupThreadByThreadId(HANDLE ThreadId, PETHREAD *Thread)
{
    return ke_thread_find(ThreadId, take_thread, Thread) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* ---- facts ---- */

KPROCESSOR_MODE NTAPI PsGetCurrentThreadPreviousMode(VOID)
{
    return ke_thread_current()->PreviousMode;
}

/* The process the thread belongs to, attached or not. */
PEPROCESS NTAPI PsGetCurrentThreadProcess(VOID)
{
    return ke_thread_current()->OwnProcess;
}

HANDLE NTAPI PsGetCurrentThreadProcessId(VOID)
{
    return ke_thread_current()->Cid.UniqueProcess;
}

PVOID NTAPI PsGetCurrentThreadStackBase(VOID)
{
    return (PVOID)arch_self()->stack_high;
}

PVOID NTAPI PsGetCurrentThreadStackLimit(VOID)
{
    return (PVOID)arch_self()->stack_low;
}

PCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process)
{
    return Process->ImageFileName;
}

BOOLEAN NTAPI PsIsSystemProcess(PEPROCESS Process)
{
    return Process == &ke_system.body;
}

BOOLEAN NTAPI PsIsThreadTerminating(PETHREAD Thread)
{
    return Thread->Header.SignalState != 0;
}

/* STATUS_PENDING: it has not ended. */
NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    return STATUS_PENDING;
}

/* ---- facts of a process that never ends, in session 0, 64-bit, without a debugger or protection ---- */

ULONG NTAPI PsGetCurrentProcessSessionId(VOID)
{
    return 0;
}

ULONG NTAPI PsGetProcessSessionId(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    return 0;
}

ULONG NTAPI PsGetProcessSessionIdEx(PEPROCESS Process)
{
    return PsGetProcessSessionId(Process);
}

/* Null: it is no 32-bit process. */
PVOID NTAPI PsGetProcessWow64Process(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    return NULL;
}

PVOID NTAPI PsGetCurrentProcessWow64Process(VOID)
{
    return NULL;
}

PVOID NTAPI PsGetProcessDebugPort(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    return NULL;
}

BOOLEAN NTAPI PsGetProcessExitProcessCalled(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    return FALSE;
}

BOOLEAN NTAPI PsIsProtectedProcess(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    return FALSE;
}

/* STATUS_PROCESS_IS_TERMINATING is what Windows says of one that ends. */
NTSTATUS NTAPI PsAcquireProcessExitSynchronization(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    return STATUS_SUCCESS;
}

VOID NTAPI PsReleaseProcessExitSynchronization(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
}

SIZE_T ps_process_end(PEPROCESS process)
{
    return ob_handles_close_all(process);
}
