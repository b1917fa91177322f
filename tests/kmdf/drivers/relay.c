/*
 * relay.c - a framework driver that opens another driver's device by name and sends it what it gets: as it came, or in
 * requests of its own.
 */
#include <ntddk.h>
#include <wdf.h>
#include "../relay.h"

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_UNLOAD Unload;
static EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL DeviceControl;
static EVT_WDF_REQUEST_COMPLETION_ROUTINE Forwarded, OwnReturned;

static WDFIOTARGET Target;

static VOID NTAPI Forwarded(WDFREQUEST Request, WDFIOTARGET From, PWDF_REQUEST_COMPLETION_PARAMS Params,
                            WDFCONTEXT Context)
{
    UNREFERENCED_PARAMETER(From);
    UNREFERENCED_PARAMETER(Context);
    WdfRequestComplete(Request, Params->IoStatus.Status);
}

static VOID Forward(WDFREQUEST Request)
{
    WdfRequestFormatRequestUsingCurrentType(Request);
    WdfRequestSetCompletionRoutine(Request, Forwarded, NULL);
    if (!WdfRequestSend(Request, Target, WDF_NO_SEND_OPTIONS))
        WdfRequestComplete(Request, WdfRequestGetStatus(Request));
}

static NTSTATUS SendSynchronously(WDFREQUEST Request, ULONG_PTR *Information)
{
    WDFMEMORY Input, Output;
    WDF_MEMORY_DESCRIPTOR From, To;
    NTSTATUS Status = WdfRequestRetrieveInputMemory(Request, &Input);
    if (NT_SUCCESS(Status))
        Status = WdfRequestRetrieveOutputMemory(Request, &Output);
    if (!NT_SUCCESS(Status))
        return Status;
    WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&From, Input, NULL);
    WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&To, Output, NULL);
    return WdfIoTargetSendIoctlSynchronously(Target, NULL, RELAY_BUFFERED, &From, &To, WDF_NO_SEND_OPTIONS,
                                             Information);
}

/* The received request's memory is given back before that is completed. */
static VOID NTAPI OwnReturned(WDFREQUEST Own, WDFIOTARGET From, PWDF_REQUEST_COMPLETION_PARAMS Params,
                              WDFCONTEXT Context)
{
    IO_STATUS_BLOCK Result = Params->IoStatus;
    UNREFERENCED_PARAMETER(From);
    WdfObjectDelete(Own);
    WdfRequestCompleteWithInformation((WDFREQUEST)Context, Result.Status, Result.Information);
}

static NTSTATUS SendOwn(WDFREQUEST Request)
{
    WDFMEMORY Input, Output;
    WDFREQUEST Own;
    NTSTATUS Status = WdfRequestRetrieveInputMemory(Request, &Input);
    if (NT_SUCCESS(Status))
        Status = WdfRequestRetrieveOutputMemory(Request, &Output);
    if (NT_SUCCESS(Status))
        Status = WdfRequestCreate(WDF_NO_OBJECT_ATTRIBUTES, Target, &Own);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = WdfIoTargetFormatRequestForIoctl(Target, Own, RELAY_NEITHER, Input, NULL, Output, NULL);
    if (NT_SUCCESS(Status)) {
        WdfRequestSetCompletionRoutine(Own, OwnReturned, Request);
        if (WdfRequestSend(Own, Target, WDF_NO_SEND_OPTIONS))
            return STATUS_PENDING;
        Status = WdfRequestGetStatus(Own);
    }
    WdfObjectDelete(Own);
    return Status;
}

static NTSTATUS KeepForAWhile(VOID)
{
    WDF_REQUEST_SEND_OPTIONS Options;
    WDF_REQUEST_SEND_OPTIONS_INIT(&Options, 0);
    WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&Options, WDF_REL_TIMEOUT_IN_MS(2));
    return WdfIoTargetSendIoctlSynchronously(Target, NULL, RELAY_KEEP, NULL, NULL, &Options, NULL);
}

static NTSTATUS KeepAndCancel(WDFREQUEST Request, ULONG_PTR *Information)
{
    WDFREQUEST Own;
    NTSTATUS *Output;
    NTSTATUS Status = WdfRequestRetrieveOutputBuffer(Request, sizeof(*Output), (PVOID *)&Output, NULL);
    if (NT_SUCCESS(Status))
        Status = WdfRequestCreate(WDF_NO_OBJECT_ATTRIBUTES, Target, &Own);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = WdfIoTargetFormatRequestForIoctl(Target, Own, RELAY_KEEP, NULL, NULL, NULL, NULL);
    if (NT_SUCCESS(Status) && WdfRequestSend(Own, Target, WDF_NO_SEND_OPTIONS)) {
        Status = WdfRequestCancelSentRequest(Own) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
        *Output = WdfRequestGetStatus(Own);
        *Information = sizeof(*Output);
    }
    WdfObjectDelete(Own);
    return Status;
}

static VOID NTAPI DeviceControl(WDFQUEUE Queue, WDFREQUEST Request, size_t OutputBufferLength, size_t InputBufferLength,
                                ULONG IoControlCode)
{
    ULONG_PTR Information = 0;
    NTSTATUS Status;
    UNREFERENCED_PARAMETER(Queue);
    UNREFERENCED_PARAMETER(OutputBufferLength);
    UNREFERENCED_PARAMETER(InputBufferLength);
    switch (IoControlCode) {
    case RELAY_SYNC:
        Status = SendSynchronously(Request, &Information);
        break;
    case RELAY_OWN_NEITHER:
        Status = SendOwn(Request);
        break;
    case RELAY_TIME_OUT:
        Status = KeepForAWhile();
        break;
    case RELAY_CANCEL:
        Status = KeepAndCancel(Request, &Information);
        break;
    default:
        Forward(Request);
        return;
    }
    if (Status != STATUS_PENDING)
        WdfRequestCompleteWithInformation(Request, Status, Information);
}

static NTSTATUS OpenLower(WDFDEVICE Device)
{
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\RelayLower");
    WDF_IO_TARGET_OPEN_PARAMS Params;
    NTSTATUS Status = WdfIoTargetCreate(Device, WDF_NO_OBJECT_ATTRIBUTES, &Target);
    if (!NT_SUCCESS(Status))
        return Status;
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&Params, &Name, GENERIC_READ | GENERIC_WRITE);
    Status = WdfIoTargetOpen(Target, &Params);
    if (NT_SUCCESS(Status)) /* what comes needs a stack location for each driver below */
        WdfDeviceWdmGetDeviceObject(Device)->StackSize =
            (CCHAR)(WdfIoTargetWdmGetTargetDeviceObject(Target)->StackSize + 1);
    return Status;
}

static NTSTATUS CreateDevice(WDFDRIVER Driver)
{
    DECLARE_CONST_UNICODE_STRING(Sddl, L"D:P(A;;GA;;;SY)");
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\Relay");
    WDF_IO_QUEUE_CONFIG Config;
    WDFDEVICE Device;
    PWDFDEVICE_INIT Init = WdfControlDeviceInitAllocate(Driver, &Sddl);
    if (!Init)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = WdfDeviceInitAssignName(Init, &Name);
    if (NT_SUCCESS(Status))
        Status = WdfDeviceCreate(&Init, WDF_NO_OBJECT_ATTRIBUTES, &Device);
    if (!NT_SUCCESS(Status)) {
        WdfDeviceInitFree(Init);
        return Status;
    }
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&Config, WdfIoQueueDispatchParallel);
    Config.EvtIoDeviceControl = DeviceControl;
    Status = WdfIoQueueCreate(Device, &Config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
    if (NT_SUCCESS(Status))
        Status = OpenLower(Device);
    if (NT_SUCCESS(Status))
        WdfControlFinishInitializing(Device);
    else
        WdfObjectDelete(Device);
    return Status;
}

static VOID NTAPI Unload(WDFDRIVER Driver)
{
    UNREFERENCED_PARAMETER(Driver);
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
