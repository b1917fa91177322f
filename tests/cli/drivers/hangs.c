/* hangs.c - a driver whose DriverEntry never returns. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    volatile ULONG turns = 0;
    for (;;)
        turns++;
}
