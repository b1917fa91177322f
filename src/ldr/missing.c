/*
 * missing.c - joins the loader to the kernel: installs the export table, and makes the use of a missing export a bug
 * check that names it.
 */
#include <stdio.h>

#include "exports.h"
#include "ke.h"
#include "ldr_internal.h"

/* Target of the stubs in export_stubs.S. */
NTAPI DECLSPEC_NORETURN void ldr_export_missing(const char *name);
NTAPI DECLSPEC_NORETURN void ldr_export_missing(const char *name)
{
    ldr_stop("ntoskrnl.exe", name);
}

/* Parameters: address of the export's name, caller. The code is the documented status for a driver's missing import. */
static void stop_as_bugcheck(const char *text, const char *name, ULONG_PTR caller)
{
    const ULONG_PTR parameters[4] = {(ULONG_PTR)name, caller, 0, 0};
    ke_bugcheck_because((ULONG)STATUS_DRIVER_ENTRYPOINT_NOT_FOUND, parameters, text);
}

static bool (*explain_next)(ULONG_PTR address, bool write, struct ke_bugcheck *bugcheck, char *why, SIZE_T size);

/* A fault on the stand-in for a variable we lack says which variable. */
static bool explain_fault(ULONG_PTR address, bool write, struct ke_bugcheck *bugcheck, char *why, SIZE_T size)
{
    const char *name = ldr_data_stub_name(address);
    if (!name)
        return explain_next && explain_next(address, write, bugcheck, why, size);
    snprintf(why, size, "the imported variable ntoskrnl.exe!%s is not provided; the driver tried to %s it", name,
             write ? "write" : "read");
    bugcheck->why = why;
    return true;
}

void ldr_exports_install(void)
{
    ldr_set_exports(&ldr_kernel_exports);
    ldr_add_exports("WDFLDR.SYS", &ldr_framework_exports);
    ldr_stop_hook = stop_as_bugcheck;
    explain_next = ke_explain_fault;
    ke_explain_fault = explain_fault;
}
