/*
 * verify_handle.c - what the verifier holds drivers to in their dealings with handles: which table a handle is of must
 * be what the driver takes it for.
 */
#include "verify_handle.h"
#include "ob_internal.h"
#include "seh.h"

/* One that user mode can make and close, in a process that has a user mode. */
static bool is_user_handle(HANDLE handle)
{
    return !ObIsKernelHandle(handle) && handle != NtCurrentProcess() && handle != NtCurrentThread() &&
           ke_thread_current()->Process != &ke_system.body;
}

void ob_verify_reference(HANDLE handle, const void *type, KPROCESSOR_MODE mode)
{
    PEPROCESS process = ke_thread_current()->Process;
    if (!handle)
        ke_violation(0xF5, 0, (ULONG_PTR)type, 0, "ObReferenceObjectByHandle was given a null handle");
    if (mode == KernelMode && is_user_handle(handle))
        ke_violation(0xF6, (ULONG_PTR)handle, (ULONG_PTR)process, seh_export_caller(),
                     "a user handle is referenced as KernelMode, which trusts whatever user mode has put there");
    if (mode != KernelMode && ObIsKernelHandle(handle) && process == &ke_system.body)
        ke_violation(0xF7, (ULONG_PTR)handle, (ULONG_PTR)type, (ULONG_PTR)mode,
                     "a kernel handle is referenced as UserMode in the system process");
}

void ob_verify_referenced(HANDLE handle, const void *type, KPROCESSOR_MODE mode, NTSTATUS status)
{
    if (mode == KernelMode && status == STATUS_INVALID_HANDLE)
        ke_violation(0x3C, (ULONG_PTR)handle, (ULONG_PTR)type, 0,
                     "ObReferenceObjectByHandle was given a handle that is none (any more)");
}

void ob_verify_zw_handle(HANDLE handle, ULONG_PTR caller)
{
    if (is_user_handle(handle) && ob_handle_of_user_mode(handle))
        ke_violation(0xF6, (ULONG_PTR)handle, (ULONG_PTR)ke_thread_current()->Process, caller,
                     "a handle that user mode made is given to a Zw routine, which trusts it");
}
