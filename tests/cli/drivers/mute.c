/* mute.c - a driver without a device and without an unload routine. */
#include <wdm.h>
#include "ddk_missing.h"

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    return STATUS_SUCCESS;
}
