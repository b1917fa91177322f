/*
 * system.c - the act half of NtQuerySystemInformation: what there is to know of the whole system.
 */
#include "svc.h"
#include "ps.h"
#include "rtl.h"
#include "wdk/mm.h"

/* A structure of exactly that size. */
static NTSTATUS answer(struct svc_call *call, const void *structure, SIZE_T bytes)
{
    struct svc_argument *out = &call->arguments[1];
    svc_set(call, 3, bytes);
    if (out->bytes != bytes)
        return STATUS_INFO_LENGTH_MISMATCH;
    __builtin_memcpy(out->data, structure, bytes);
    out->set = true;
    return STATUS_SUCCESS;
}

static NTSTATUS tell_basic(struct svc_call *call)
{
    SYSTEM_BASIC_INFORMATION basic;
    __builtin_memset(&basic, 0, sizeof(basic)); /* with its padding, which goes to user mode */
    basic.TimerResolution = KeQueryTimeIncrement();
    basic.PageSize = PLAT_PAGE_SIZE;
    basic.AllocationGranularity = 0x10000;
    basic.MinimumUserModeAddress = plat_layout.user_low;
    basic.MaximumUserModeAddress = plat_layout.user_limit - 1;
    basic.ActiveProcessorsAffinityMask = 1;
    basic.NumberOfProcessors = 1;
    return answer(call, &basic, sizeof(basic));
}

static NTSTATUS tell_time(struct svc_call *call)
{
    SYSTEM_TIMEOFDAY_INFORMATION time = {.TimeZoneId = 0};
    KeQuerySystemTime(&time.CurrentTime);
    time.BootTime.QuadPart = time.CurrentTime.QuadPart - (LONGLONG)KeQueryInterruptTime();
    return answer(call, &time, sizeof(time));
}

/* ---- processes and their threads ---- */

struct snapshot {
    PEPROCESS process;
    SYSTEM_THREAD_INFORMATION *threads; /* null: they are only counted */
    ULONG count, room;
};

static void note_thread(PKTHREAD thread, void *context)
{
    struct snapshot *snapshot = context;
    if (thread->OwnProcess != snapshot->process || thread->Header.SignalState)
        return;
    if (snapshot->threads && snapshot->count < snapshot->room) {
        SYSTEM_THREAD_INFORMATION row;
        __builtin_memset(&row, 0, sizeof(row)); /* with its padding, which goes to user mode */
        row.CreateTime.QuadPart = thread->CreateTime;
        row.ClientId = thread->Cid;
        row.Priority = thread->Priority;
        row.BasePriority = 8;
        row.ThreadState = 2; /* running */
        __builtin_memcpy(&snapshot->threads[snapshot->count], &row, sizeof(row));
    }
    snapshot->count++;
}

static PEPROCESS const processes[] = {&ke_system.body, &ke_user.body};

static SIZE_T name_bytes(PEPROCESS process)
{
    return (nt_strlen(process->ImageFileName) + 1) * sizeof(WCHAR);
}

/* Entry, threads and name of one process, in a multiple of 8 bytes. */
static SIZE_T entry_bytes(PEPROCESS process, ULONG threads)
{
    return (sizeof(SYSTEM_PROCESS_INFORMATION) + threads * sizeof(SYSTEM_THREAD_INFORMATION) + name_bytes(process) +
            7) &
           ~(SIZE_T)7;
}

static void fill_entry(struct svc_argument *out, SIZE_T at, PEPROCESS process, ULONG threads, bool last)
{
    UCHAR *entry = (UCHAR *)out->data + at;
    struct snapshot snapshot = {process, (SYSTEM_THREAD_INFORMATION *)(entry + sizeof(SYSTEM_PROCESS_INFORMATION)), 0,
                                threads};
    ke_threads_each(note_thread, &snapshot);
    ULONG kept = snapshot.count < threads ? snapshot.count : threads;
    SIZE_T text = sizeof(SYSTEM_PROCESS_INFORMATION) + threads * sizeof(SYSTEM_THREAD_INFORMATION);
    USHORT bytes = (USHORT)name_bytes(process);
    for (ULONG i = 0; i < bytes / sizeof(WCHAR) - 1; i++)
        ((WCHAR *)(entry + text))[i] = (UCHAR)process->ImageFileName[i];
    SYSTEM_PROCESS_INFORMATION information;
    __builtin_memset(&information, 0, sizeof(information)); /* with its padding, which goes to user mode */
    information.NextEntryOffset = last ? 0 : (ULONG)entry_bytes(process, threads);
    information.NumberOfThreads = kept;
    information.ImageName.Length = (USHORT)(bytes - sizeof(WCHAR));
    information.ImageName.MaximumLength = bytes;
    information.ImageName.Buffer = (PWCH)(ULONG_PTR)(out->value + at + text);
    information.BasePriority = 8;
    information.UniqueProcessId = process->UniqueProcessId;
    information.HandleCount = (ULONG)ob_handles_in(process);
    __builtin_memcpy(entry, &information, sizeof(information));
}

/* STATUS_INFO_LENGTH_MISMATCH: they do not fit; ReturnLength says what they need at the moment. */
static NTSTATUS tell_processes(struct svc_call *call)
{
    struct svc_argument *out = &call->arguments[1];
    ULONG threads[RTL_NUMBER_OF(processes)];
    SIZE_T needed = 0, at = 0;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(processes); i++) {
        struct snapshot snapshot = {.process = processes[i]};
        ke_threads_each(note_thread, &snapshot);
        threads[i] = snapshot.count;
        needed += entry_bytes(processes[i], threads[i]);
    }
    svc_set(call, 3, needed);
    if (out->bytes < needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(processes); at += entry_bytes(processes[i], threads[i]), i++)
        fill_entry(out, at, processes[i], threads[i], i + 1 == RTL_NUMBER_OF(processes));
    out->bytes = needed;
    out->set = true;
    return STATUS_SUCCESS;
}

/* Code integrity is off: any driver file loads. The caller's Length field is not asked for: it is written. */
static NTSTATUS tell_code_integrity(struct svc_call *call)
{
    const ULONG integrity[2] = {8, 0};
    return answer(call, integrity, sizeof(integrity));
}

/* ReturnLength: bytes written or needed. STATUS_INVALID_INFO_CLASS: a class that is not here. */
NTSTATUS svc_QuerySystemInformation(struct svc_call *call)
{
    const BOOLEAN debugger[2] = {FALSE, TRUE}; /* enabled, not present */
    switch (call->arguments[0].value) {
    case SystemBasicInformation:
        return tell_basic(call);
    case SystemTimeOfDayInformation:
        return tell_time(call);
    case SystemProcessInformation:
        return tell_processes(call);
    case SystemKernelDebuggerInformation:
        return answer(call, debugger, sizeof(debugger));
    case SystemCodeIntegrityInformation:
        return tell_code_integrity(call);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}
