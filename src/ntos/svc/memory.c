/*
 * memory.c - the act halves of the services on virtual memory of the user process; the work is mm's.
 */
#include "svc.h"
#include "vm.h"

#define PROCESS_VM_READ  0x0010u
#define PROCESS_VM_WRITE 0x0020u

static NTSTATUS check_process(struct svc_call *call, ULONG argument, ACCESS_MASK access)
{
    void *process;
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[argument].value, access, &ob_process_type, call->mode,
                                          &process, NULL);
    if (NT_SUCCESS(status))
        ob_dereference(process);
    return status;
}

NTSTATUS svc_AllocateVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    ULONG_PTR base = a[1].number;
    SIZE_T size = a[3].number;
    NTSTATUS status = check_process(call, 0, PROCESS_VM_OPERATION);
    if (NT_SUCCESS(status))
        status = mm_vm_allocate(&base, &size, a[2].value, (ULONG)a[4].value, (ULONG)a[5].value);
    if (NT_SUCCESS(status)) {
        svc_set(call, 1, base);
        svc_set(call, 3, size);
    }
    return status;
}

NTSTATUS svc_FreeVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    ULONG_PTR base = a[1].number;
    SIZE_T size = a[2].number;
    NTSTATUS status = check_process(call, 0, PROCESS_VM_OPERATION);
    if (NT_SUCCESS(status))
        status = mm_vm_free(&base, &size, (ULONG)a[3].value);
    if (NT_SUCCESS(status)) {
        svc_set(call, 1, base);
        svc_set(call, 2, size);
    }
    return status;
}

NTSTATUS svc_ProtectVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    ULONG_PTR base = a[1].number;
    SIZE_T size = a[2].number;
    ULONG old;
    NTSTATUS status = check_process(call, 0, PROCESS_VM_OPERATION);
    if (NT_SUCCESS(status))
        status = mm_vm_protect(&base, &size, (ULONG)a[3].value, &old);
    if (NT_SUCCESS(status)) {
        svc_set(call, 1, base);
        svc_set(call, 2, size);
        svc_set(call, 4, old);
    }
    return status;
}

NTSTATUS svc_QueryVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    MEMORY_BASIC_INFORMATION info;
    if (a[2].value != MemoryBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (a[4].value < sizeof(info))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status = check_process(call, 0, PROCESS_QUERY_INFORMATION);
    if (NT_SUCCESS(status))
        status = mm_vm_query(a[1].value, &info);
    if (!NT_SUCCESS(status))
        return status;
    *(MEMORY_BASIC_INFORMATION *)a[3].data = info;
    a[3].bytes = sizeof(info);
    a[3].set = true;
    svc_set(call, 5, sizeof(info));
    return status;
}

NTSTATUS svc_ReadVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    SIZE_T done = 0;
    NTSTATUS status = check_process(call, 0, PROCESS_VM_READ);
    if (NT_SUCCESS(status)) {
        status = mm_vm_read(a[1].value, a[2].data, a[2].bytes, &done);
        a[2].bytes = done;
        a[2].set = true;
        svc_set(call, 4, done);
    }
    return status;
}

NTSTATUS svc_WriteVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    SIZE_T done = 0;
    NTSTATUS status = check_process(call, 0, PROCESS_VM_WRITE);
    if (NT_SUCCESS(status)) {
        status = mm_vm_write(a[1].value, a[2].data, a[2].bytes, &done);
        svc_set(call, 4, done);
    }
    return status;
}

NTSTATUS svc_FlushVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    ULONG_PTR base = a[1].number;
    SIZE_T size = a[2].number;
    NTSTATUS status = check_process(call, 0, PROCESS_VM_OPERATION);
    if (NT_SUCCESS(status))
        status = mm_view_flush(&base, &size);
    if (NT_SUCCESS(status)) {
        svc_set(call, 1, base);
        svc_set(call, 2, size);
        a[3].io = (IO_STATUS_BLOCK){.Status = status};
        a[3].set = true;
    }
    return status;
}

/* The access to a section that a view with this protection needs. */
static ACCESS_MASK view_access(ULONG protect)
{
    switch (protect & 0xFF) {
    case PAGE_READWRITE:
        return SECTION_MAP_READ | SECTION_MAP_WRITE;
    case PAGE_EXECUTE:
        return SECTION_MAP_EXECUTE;
    case PAGE_EXECUTE_READ:
    case PAGE_EXECUTE_WRITECOPY:
        return SECTION_MAP_EXECUTE | SECTION_MAP_READ;
    case PAGE_EXECUTE_READWRITE:
        return SECTION_MAP_EXECUTE | SECTION_MAP_READ | SECTION_MAP_WRITE;
    default:
        return SECTION_MAP_READ;
    }
}

NTSTATUS svc_MapViewOfSection(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    const ULONG types = MEM_TOP_DOWN | MEM_RESERVE;
    ULONG_PTR base = a[2].number;
    ULONG64 offset = a[5].present ? a[5].number : 0;
    SIZE_T size = a[6].number;
    void *section;
    if (a[7].value != ViewShare && a[7].value != ViewUnmap)
        return STATUS_INVALID_PARAMETER_8;
    if (a[8].value & ~(ULONG64)types)
        return STATUS_INVALID_PARAMETER_9;
    NTSTATUS status = check_process(call, 1, PROCESS_VM_OPERATION);
    if (NT_SUCCESS(status))
        status = ob_handle_reference((HANDLE)a[0].value, view_access((ULONG)a[9].value), &svc_section_type, call->mode,
                                     &section, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = mm_view_map(section, &base, a[3].value, a[4].value, &offset, &size, (ULONG)a[8].value, (ULONG)a[9].value);
    ob_dereference(section);
    if (NT_SUCCESS(status)) {
        svc_set(call, 2, base);
        svc_set(call, 5, offset);
        svc_set(call, 6, size);
    }
    return status;
}

NTSTATUS svc_UnmapViewOfSection(struct svc_call *call)
{
    NTSTATUS status = check_process(call, 0, PROCESS_VM_OPERATION);
    return NT_SUCCESS(status) ? mm_view_unmap(call->arguments[1].value) : status;
}
