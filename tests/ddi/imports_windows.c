/*
 * imports_windows.c - the few kernel symbols that umaccess.lib imports, supplied to a Windows program: the value or function, and
 * the pointer that an import table would hold.
 */
#include <windows.h>

ULONG_PTR MmUserProbeAddress;
ULONG_PTR *__imp_MmUserProbeAddress = &MmUserProbeAddress;
