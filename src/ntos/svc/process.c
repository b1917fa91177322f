/*
 * process.c - the act halves of the services that open processes and threads and tell of them.
 */
#include "svc.h"
#include "ps.h"
#include "rtl.h"

enum { PROCESS_QUERY = 0x1400, THREAD_QUERY = 0x0840 }; /* full or limited information: either will do */

/* STATUS_INVALID_PARAMETER_MIX: a name, or no id, as documented. */
static NTSTATUS check_open(const struct svc_call *call)
{
    return call->arguments[2].object.name.Length || !call->arguments[3].present ? STATUS_INVALID_PARAMETER_MIX
                                                                                : STATUS_SUCCESS;
}

/* The thread of the id if it names one, else the process. STATUS_INVALID_CID: there is none. */
NTSTATUS svc_OpenProcess(struct svc_call *call)
{
    const CLIENT_ID id = call->arguments[3].client;
    PEPROCESS process = NULL;
    PETHREAD thread;
    NTSTATUS status = check_open(call);
    if (!NT_SUCCESS(status))
        return status;
    if (!id.UniqueThread) {
        status = PsLookupProcessByProcessId(id.UniqueProcess, &process);
    } else {
        status = PsLookupThreadByThreadId(id.UniqueThread, &thread);
        if (NT_SUCCESS(status)) {
            process = PsGetThreadProcess(thread);
            bool mismatch = id.UniqueProcess && id.UniqueProcess != process->UniqueProcessId;
            status = mismatch ? STATUS_INVALID_CID : STATUS_SUCCESS;
            if (!mismatch)
                ob_reference(process);
            ob_dereference(thread);
        }
    }
    return NT_SUCCESS(status) ? svc_give_handle(call, process, 0, 1, 2) : STATUS_INVALID_CID;
}

/* A process id of 0 fits any. */
NTSTATUS svc_OpenThread(struct svc_call *call)
{
    const CLIENT_ID id = call->arguments[3].client;
    PETHREAD thread;
    NTSTATUS status = check_open(call);
    if (!NT_SUCCESS(status))
        return status;
    if (!NT_SUCCESS(PsLookupThreadByThreadId(id.UniqueThread, &thread)))
        return STATUS_INVALID_CID;
    if (!id.UniqueProcess || id.UniqueProcess == PsGetThreadProcessId(thread))
        return svc_give_handle(call, thread, 0, 1, 2);
    ob_dereference(thread);
    return STATUS_INVALID_CID;
}

/* The object of handle, if either of the rights was granted. */
static NTSTATUS reference(struct svc_call *call, const struct ob_type *type, ACCESS_MASK either, void **body)
{
    struct ob_handle_info info;
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, 0, type, call->mode, body, &info);
    if (!NT_SUCCESS(status) || call->mode == KernelMode || (info.access & either))
        return status;
    ob_dereference(*body);
    return STATUS_ACCESS_DENIED;
}

static NTSTATUS answer(struct svc_call *call, const void *structure, SIZE_T bytes)
{
    struct svc_argument *out = &call->arguments[2];
    if (out->bytes != bytes)
        return STATUS_INFO_LENGTH_MISMATCH;
    svc_set(call, 4, bytes);
    __builtin_memcpy(out->data, structure, bytes);
    out->set = true;
    return STATUS_SUCCESS;
}

/* The image's name without a path, as the process object has it. */
static NTSTATUS answer_name(struct svc_call *call, PEPROCESS process)
{
    struct svc_argument *out = &call->arguments[2];
    USHORT bytes = (USHORT)(nt_strlen(process->ImageFileName) * sizeof(WCHAR));
    UNICODE_STRING *string = out->data; /* zeroed: field by field, its padding stays so */
    SIZE_T needed = sizeof(*string) + bytes + sizeof(WCHAR);
    svc_set(call, 4, needed);
    if (out->bytes < needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    string->Length = bytes;
    string->MaximumLength = (USHORT)(bytes + sizeof(WCHAR));
    string->Buffer = (PWCH)(out->value + sizeof(*string));
    for (USHORT i = 0; i < bytes / sizeof(WCHAR); i++)
        ((WCHAR *)(string + 1))[i] = (UCHAR)process->ImageFileName[i];
    out->bytes = needed;
    out->set = true;
    return STATUS_SUCCESS;
}

static NTSTATUS tell_process(struct svc_call *call, PEPROCESS process)
{
    PROCESS_BASIC_INFORMATION basic;
    __builtin_memset(&basic, 0, sizeof(basic)); /* with its padding, which goes to user mode */
    basic.ExitStatus = STATUS_PENDING;
    basic.AffinityMask = 1;
    basic.BasePriority = 8;
    basic.UniqueProcessId = (ULONG_PTR)process->UniqueProcessId;
    const ULONG_PTR zero = 0;
    const ULONG handles = (ULONG)ob_handles_in(process);
    switch (call->arguments[1].value) {
    case ProcessBasicInformation:
        return answer(call, &basic, sizeof(basic));
    case ProcessDebugPort:
    case ProcessWow64Information:
        return answer(call, &zero, sizeof(zero));
    case ProcessHandleCount:
        return answer(call, &handles, sizeof(handles));
    case ProcessSessionInformation:
    case ProcessBreakOnTermination:
        return answer(call, &zero, sizeof(ULONG));
    case ProcessImageFileName:
        return answer_name(call, process);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

/* The parent and the address of the PEB are 0: there are none. */
NTSTATUS svc_QueryInformationProcess(struct svc_call *call)
{
    void *process;
    NTSTATUS status = reference(call, &ob_process_type, PROCESS_QUERY, &process);
    if (!NT_SUCCESS(status))
        return status;
    status = tell_process(call, process);
    ob_dereference(process);
    return status;
}

NTSTATUS svc_QueryInformationThread(struct svc_call *call)
{
    void *body;
    NTSTATUS status = reference(call, &ob_thread_type, THREAD_QUERY, &body);
    if (!NT_SUCCESS(status))
        return status;
    PETHREAD thread = body;
    const ULONG ended = PsIsThreadTerminating(thread);
    THREAD_BASIC_INFORMATION basic;
    __builtin_memset(&basic, 0, sizeof(basic)); /* with its padding, which goes to user mode */
    basic.ExitStatus = ended ? thread->ExitStatus : STATUS_PENDING;
    basic.ClientId = thread->Cid;
    basic.AffinityMask = 1;
    basic.Priority = thread->Priority;
    basic.BasePriority = thread->BaseIncrement;
    switch (call->arguments[1].value) {
    case ThreadBasicInformation:
        status = answer(call, &basic, sizeof(basic));
        break;
    case ThreadIsTerminated:
        status = answer(call, &ended, sizeof(ended));
        break;
    default:
        status = STATUS_INVALID_INFO_CLASS;
        break;
    }
    ob_dereference(thread);
    return status;
}
