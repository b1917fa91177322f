/*
 * verify_zw.c - what the verifier holds drivers to when they call Zw routines: such a call is trusted, so no address
 * and no handle of user mode may go with it.
 */
#include "svc.h"
#include "verify_handle.h"
#include "rtl.h"
#include "seh.h"

static bool is_user_address(ULONG64 value)
{
    return value && value < plat_layout.user_limit;
}

static void check_address(ULONG64 value, ULONG_PTR caller)
{
    if (is_user_address(value))
        ke_violation(0xE3, caller, value, 0, "a user address is given to a Zw routine, which trusts it");
}

static void check_string(const UNICODE_STRING *string, ULONG_PTR caller)
{
    bool odd = string->Length % sizeof(WCHAR) != 0;
    check_address((ULONG64)string->Buffer, caller);
    if (odd || string->Length > string->MaximumLength || (string->Length && !string->Buffer))
        ke_violation(0xE4, caller, (ULONG_PTR)string, 0, "a malformed UNICODE_STRING is given to a Zw routine");
}

/* Kernel memory, which may be read as it is: a bad address faults here as it would in the service. */
static void check_attributes(const OBJECT_ATTRIBUTES *attributes, ULONG_PTR caller)
{
    check_address((ULONG64)attributes->ObjectName, caller);
    if (attributes->ObjectName)
        check_string(attributes->ObjectName, caller);
    ob_verify_zw_handle(attributes->RootDirectory, caller);
}

void svc_verify_zw(const struct svc_row *row, const ULONG64 *values)
{
    ULONG_PTR caller = seh_export_caller();
    if (!caller)
        return;
    for (ULONG i = 0; i < row->count; i++) {
        enum svc_kind kind = row->kinds[i];
        bool number = kind == SVC_ULONG || kind == SVC_LONG || kind == SVC_BOOLEAN || kind == SVC_SIZE ||
                      kind == SVC_POINTER || kind == SVC_HANDLE;
        if (kind == SVC_HANDLE)
            ob_verify_zw_handle((HANDLE)values[i], caller);
        if (number || !values[i])
            continue;
        check_address(values[i], caller);
        if (kind == SVC_ATTRIBUTES)
            check_attributes((const OBJECT_ATTRIBUTES *)values[i], caller);
        else if (kind == SVC_STRING)
            check_string((const UNICODE_STRING *)values[i], caller);
    }
}

void svc_verify_handles_made(const struct svc_call *call)
{
    PEPROCESS process = ke_thread_current()->Process;
    for (ULONG i = 0; i < call->row->count; i++) {
        enum svc_kind kind = call->row->kinds[i];
        bool handle = kind == SVC_OUT_HANDLE || kind == SVC_OUT_HANDLE_OPT;
        if (handle && call->arguments[i].set && process != &ke_system.body &&
            !ObIsKernelHandle((HANDLE)call->arguments[i].number) && seh_export_caller())
            ke_verify_warn(
                seh_export_caller(),
                "Zw%s made a handle in a user process without OBJ_KERNEL_HANDLE: user mode can use and close it",
                call->row->name);
    }
}
