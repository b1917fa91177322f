/* refuses.c - a driver whose DriverEntry fails. */
#include <ntifs.h>
#include "ddk_missing.h"

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    return STATUS_DEVICE_NOT_READY;
}
