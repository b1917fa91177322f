/*
 * entry.c - the entry code that a framework driver links (wdfdriverentry.lib): binds, calls the driver's DriverEntry,
 * and unbinds when that fails or when the driver is unloaded.
 */
/* mingw-w64's headers define these two in every unit; the driver's own has them already. */
#define __INTRINSIC_DEFINED_InterlockedBitTestAndSet
#define __INTRINSIC_DEFINED_InterlockedBitTestAndReset
#include <ntddk.h>

#include "wdf/wdf.h"

typedef struct _BIND_INFO {
    ULONG Size;
    PWSTR Component;
    ULONG Major, Minor, Build;
    ULONG FuncCount;
    WDFFUNC *FuncTable;
    PVOID Module;
    ULONG *MinimumVersionRequired;
    BOOLEAN *ClientVersionHigherThanFramework;
    ULONG *FuncCountPointer;
    ULONG *StructCount;
    PVOID StructTable;
} BIND_INFO, *PBIND_INFO;

NTSYSAPI NTSTATUS NTAPI WdfVersionBind(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath, PBIND_INFO BindInfo,
                                       PWDF_DRIVER_GLOBALS *ComponentGlobals);
NTSYSAPI NTSTATUS NTAPI WdfVersionUnbind(PUNICODE_STRING RegistryPath, PBIND_INFO BindInfo,
                                         PWDF_DRIVER_GLOBALS ComponentGlobals);

DRIVER_INITIALIZE DriverEntry, FxDriverEntry;
static DRIVER_UNLOAD FxDriverUnload;

const WDFFUNC *WdfFunctions;
PWDF_DRIVER_GLOBALS WdfDriverGlobals;
ULONG WdfMinimumVersionRequired = KMDF_VERSION_MINOR;
BOOLEAN WdfClientVersionHigherThanFramework;
ULONG WdfFunctionCount = WdfFunctionTableNumEntries;
ULONG WdfStructureCount;
PVOID WdfStructures;

BIND_INFO WdfBindInfo = {sizeof(WdfBindInfo),
                         L"KmdfLibrary",
                         KMDF_VERSION_MAJOR,
                         KMDF_VERSION_MINOR,
                         0,
                         WdfFunctionTableNumEntries,
                         (WDFFUNC *)&WdfFunctions,
                         NULL,
                         &WdfMinimumVersionRequired,
                         &WdfClientVersionHigherThanFramework,
                         &WdfFunctionCount,
                         &WdfStructureCount,
                         &WdfStructures};

static UNICODE_STRING Path;
static WCHAR PathBuffer[260];
static PDRIVER_UNLOAD DisplacedUnload;

static VOID NTAPI FxDriverUnload(PDRIVER_OBJECT DriverObject)
{
    if (DisplacedUnload)
        DisplacedUnload(DriverObject);
    WdfVersionUnbind(&Path, &WdfBindInfo, WdfDriverGlobals);
}

NTSTATUS NTAPI FxDriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;
    Path.Buffer = PathBuffer;
    Path.MaximumLength = sizeof(PathBuffer);
    RtlCopyUnicodeString(&Path, RegistryPath);
    Status = WdfVersionBind(DriverObject, RegistryPath, &WdfBindInfo, &WdfDriverGlobals);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = DriverEntry(DriverObject, RegistryPath);
    if (!NT_SUCCESS(Status)) {
        WdfVersionUnbind(&Path, &WdfBindInfo, WdfDriverGlobals);
        return Status;
    }
    /* A driver without an unload routine stays loaded. */
    if (WdfDriverGlobals->DisplaceDriverUnload && DriverObject->DriverUnload) {
        DisplacedUnload = DriverObject->DriverUnload;
        DriverObject->DriverUnload = FxDriverUnload;
    }
    return Status;
}
