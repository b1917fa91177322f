/*
 * imports_windows.c - the few kernel symbols that umaccess.lib imports, supplied to a Windows program: the value or
 * function, and the pointer that an import table would hold.
 */
#include <windows.h>

ULONG_PTR MmUserProbeAddress;
ULONG_PTR *__imp_MmUserProbeAddress = &MmUserProbeAddress;

static __attribute__((noreturn)) void raise_status(LONG status)
{
    RaiseException((DWORD)status, EXCEPTION_NONCONTINUABLE, 0, NULL);
    ExitProcess(3);
}

static __attribute__((noreturn)) void raise_misalignment(void)
{
    raise_status((LONG)0x80000002);
}

void (*__imp_ExRaiseStatus)(LONG status) = raise_status;
void (*__imp_ExRaiseDatatypeMisalignment)(void) = raise_misalignment;
