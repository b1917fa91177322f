/*
 * careless.c - a framework driver that leaves an object behind, in a way its user can see: the reports must name the
 * line. With CALL_STUB it calls a function that is a stub; with DEREFERENCE it takes a handle for a pointer.
 */
#include <ntddk.h>
#include <wdf.h>

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_UNLOAD Unload;

static VOID NTAPI Unload(WDFDRIVER Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DECLARE_CONST_UNICODE_STRING(Sddl, L"D:P");
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\Careless");
    WDF_DRIVER_CONFIG Config;
    WDFDRIVER Driver;
    WDFDEVICE Device;
    WDFOBJECT Object;
    WDF_DRIVER_CONFIG_INIT(&Config, WDF_NO_EVENT_CALLBACK);
    Config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    Config.EvtDriverUnload = Unload;
    WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &Config, &Driver);
    PWDFDEVICE_INIT Init = WdfControlDeviceInitAllocate(Driver, &Sddl);
    WdfDeviceInitAssignName(Init, &Name);
    WdfDeviceCreate(&Init, WDF_NO_OBJECT_ATTRIBUTES, &Device);
    WdfControlFinishInitializing(Device);
    NTSTATUS Status = WdfObjectCreate(WDF_NO_OBJECT_ATTRIBUTES, &Object); /* created here */
    WdfObjectReference(Object);                                           /* referenced here */
#ifdef CALL_STUB
    WdfChildListBeginScan(NULL);
#endif
#ifdef DEREFERENCE
    *(volatile ULONG *)Object = 1;
#endif
    return Status;
}
