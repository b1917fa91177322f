/*
 * missing.c - a driver that needs what we lack: whichever request of the registry path's length it gets, it calls a
 * function we only know by name, or reads a variable we do not provide.
 */
#include <ntddk.h>

__declspec(dllimport) NTSTATUS NTAPI IoWMIWriteEvent(PVOID event);
__declspec(dllimport) extern PVOID SeExports;
__declspec(dllimport) NTSTATUS NTAPI FltRegisterFilter(PVOID driver);

DRIVER_INITIALIZE DriverEntry;

__declspec(noinline) static NTSTATUS touch(void)
{
#ifdef TOUCH_VARIABLE
    return *(volatile LONG *)SeExports + 1;
#else
    return IoWMIWriteEvent(NULL) + 1;
#endif
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    if (!driver)
        return FltRegisterFilter(path); /* never called: it must not keep the driver from loading */
    return touch() + 1;
}
