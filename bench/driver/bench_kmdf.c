/*
 * bench_kmdf.c - the least a framework driver does for a device control: its queue's callback completes it.
 */
#include <ntddk.h>
#include <wdf.h>

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_UNLOAD Unload;
static EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL DeviceControl;

static VOID NTAPI DeviceControl(WDFQUEUE Queue, WDFREQUEST Request, size_t OutputBufferLength, size_t InputBufferLength,
                                ULONG IoControlCode)
{
    UNREFERENCED_PARAMETER(Queue);
    UNREFERENCED_PARAMETER(OutputBufferLength);
    UNREFERENCED_PARAMETER(InputBufferLength);
    UNREFERENCED_PARAMETER(IoControlCode);
    WdfRequestCompleteWithInformation(Request, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(WDFDRIVER Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DECLARE_CONST_UNICODE_STRING(Sddl, L"D:P(A;;GA;;;WD)");
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\BenchKm");
    WDF_DRIVER_CONFIG Config;
    WDF_IO_QUEUE_CONFIG QueueConfig;
    WDFDRIVER Driver;
    WDFDEVICE Device;
    WDF_DRIVER_CONFIG_INIT(&Config, WDF_NO_EVENT_CALLBACK);
    Config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    Config.EvtDriverUnload = Unload;
    NTSTATUS Status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &Config, &Driver);
    if (!NT_SUCCESS(Status))
        return Status;
    PWDFDEVICE_INIT Init = WdfControlDeviceInitAllocate(Driver, &Sddl);
    if (!Init)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = WdfDeviceInitAssignName(Init, &Name);
    if (NT_SUCCESS(Status))
        Status = WdfDeviceCreate(&Init, WDF_NO_OBJECT_ATTRIBUTES, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&QueueConfig, WdfIoQueueDispatchParallel);
    QueueConfig.EvtIoDeviceControl = DeviceControl;
    Status = WdfIoQueueCreate(Device, &QueueConfig, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
    if (NT_SUCCESS(Status))
        WdfControlFinishInitializing(Device);
    return Status;
}
