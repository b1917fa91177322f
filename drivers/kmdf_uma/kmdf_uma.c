/*
 * kmdf_uma.c - uma_tour as a framework driver: the accessors where such a driver may use them, in EvtIoInCallerContext.
 *
 * The codes are METHOD_NEITHER, so that the framework hands out the sender's addresses unchecked; the accessors check
 * them at each access, with nothing locked or mapped. What a request does is in ../uma_tour/tour_call.c, and
 * ../uma_tour/tour.json serves both drivers.
 */
#include <ntddk.h>
#include <wdf.h>
#include "tour_call.h"

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_UNLOAD Unload;
static EVT_WDF_IO_IN_CALLER_CONTEXT InCallerContext;

static NTSTATUS TourRequest(WDFREQUEST Request, PULONG_PTR Information)
{
    WDF_REQUEST_PARAMETERS Parameters;
    PVOID In, Out;
    size_t OutLength;
    NTSTATUS Status;

    WDF_REQUEST_PARAMETERS_INIT(&Parameters);
    WdfRequestGetParameters(Request, &Parameters);
    ULONG Code = Parameters.Parameters.DeviceIoControl.IoControlCode;
    if (Parameters.Type != WdfRequestTypeDeviceControl || Code != TOUR_IOCTL(TOUR_FAMILY(Code)))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveUnsafeUserInputBuffer(Request, sizeof(struct tour_request), &In, NULL);
    if (Status == STATUS_BUFFER_TOO_SMALL)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (NT_SUCCESS(Status))
        Status = WdfRequestRetrieveUnsafeUserOutputBuffer(Request, 0, &Out, &OutLength);
    if (!NT_SUCCESS(Status))
        return Status;
    return Tour(TOUR_FAMILY(Code), In, Out, (ULONG)OutLength, Information);
}

/* Every request ends here: there is nothing to queue. */
static VOID NTAPI InCallerContext(WDFDEVICE Device, WDFREQUEST Request)
{
    ULONG_PTR Information = 0;
    NTSTATUS Status = TourRequest(Request, &Information);
    WdfRequestCompleteWithInformation(Request, Status, Information);
}

static NTSTATUS CreateDevice(WDFDRIVER Driver)
{
    DECLARE_CONST_UNICODE_STRING(Sddl, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GRGW;;;WD)");
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\KmdfUma");
    DECLARE_CONST_UNICODE_STRING(Link, L"\\DosDevices\\KmdfUma");
    WDFDEVICE Device;
    PWDFDEVICE_INIT Init = WdfControlDeviceInitAllocate(Driver, &Sddl);
    if (!Init)
        return STATUS_INSUFFICIENT_RESOURCES;
    WdfDeviceInitSetIoInCallerContextCallback(Init, InCallerContext);
    NTSTATUS Status = WdfDeviceInitAssignName(Init, &Name);
    if (NT_SUCCESS(Status))
        Status = WdfDeviceCreate(&Init, WDF_NO_OBJECT_ATTRIBUTES, &Device);
    if (!NT_SUCCESS(Status)) {
        WdfDeviceInitFree(Init);
        return Status;
    }
    Status = WdfDeviceCreateSymbolicLink(Device, &Link);
    if (NT_SUCCESS(Status))
        WdfControlFinishInitializing(Device);
    else
        WdfObjectDelete(Device);
    return Status;
}

static VOID NTAPI Unload(WDFDRIVER Driver)
{
    UNREFERENCED_PARAMETER(Driver); /* the framework deletes the device */
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG Config;
    WDFDRIVER Driver;
    WDF_DRIVER_CONFIG_INIT(&Config, WDF_NO_EVENT_CALLBACK);
    Config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    Config.EvtDriverUnload = Unload;
    NTSTATUS Status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &Config, &Driver);
    return NT_SUCCESS(Status) ? CreateDevice(Driver) : Status;
}
