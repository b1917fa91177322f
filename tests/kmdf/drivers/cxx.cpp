/*
 * cxx.cpp - a framework driver in C++: that <wdf.h> and the entry library serve it. It uses each INIT function of the
 * header and a context type, and answers a device control with what it counted.
 */
/* mingw-w64's headers define these two twice where C++ reads them. */
#define __INTRINSIC_DEFINED_InterlockedBitTestAndSet
#define __INTRINSIC_DEFINED_InterlockedBitTestAndReset
extern "C" {
#include <ntddk.h>
}
#include <wdf.h>

extern "C" DRIVER_INITIALIZE DriverEntry;

namespace
{

struct Counter {
    ULONG Requests;
    WDFQUEUE Queue;
};

} // namespace
typedef Counter COUNTER;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(COUNTER, CounterOf)

namespace
{

/* What the framework calls is a plain function; what it is for, a member. */
class Service
{
  public:
    static NTSTATUS Make(WDFDRIVER Driver);

  private:
    static EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL OnControl;
    static EVT_WDF_TIMER OnTimer;
    static EVT_WDF_DPC OnDpc;
    static EVT_WDF_WORKITEM OnItem;
    static NTSTATUS MakeCallbacks(WDFDEVICE Device);
};

VOID NTAPI Service::OnTimer(WDFTIMER)
{
}
VOID NTAPI Service::OnDpc(WDFDPC)
{
}
VOID NTAPI Service::OnItem(WDFWORKITEM)
{
}

VOID NTAPI Service::OnControl(WDFQUEUE Queue, WDFREQUEST Request, size_t, size_t, ULONG)
{
    ULONG *Output = nullptr;
    auto *Context = CounterOf(WdfIoQueueGetDevice(Queue));
    NTSTATUS Status =
        WdfRequestRetrieveOutputBuffer(Request, sizeof(*Output), reinterpret_cast<PVOID *>(&Output), nullptr);
    Context->Requests++;
    if (NT_SUCCESS(Status))
        *Output = Context->Requests;
    WdfRequestCompleteWithInformation(Request, Status, NT_SUCCESS(Status) ? sizeof(*Output) : 0);
}

NTSTATUS Service::MakeCallbacks(WDFDEVICE Device)
{
    WDFTIMER Timer;
    WDFDPC Dpc;
    WDFWORKITEM Item;
    WDF_TIMER_CONFIG TimerConfig;
    WDF_DPC_CONFIG DpcConfig;
    WDF_WORKITEM_CONFIG ItemConfig;
    WDF_OBJECT_ATTRIBUTES Attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&Attributes);
    Attributes.ParentObject = Device;
    WDF_TIMER_CONFIG_INIT(&TimerConfig, OnTimer);
    NTSTATUS Status = WdfTimerCreate(&TimerConfig, &Attributes, &Timer);
    WDF_DPC_CONFIG_INIT(&DpcConfig, OnDpc);
    if (NT_SUCCESS(Status))
        Status = WdfDpcCreate(&DpcConfig, &Attributes, &Dpc);
    WDF_WORKITEM_CONFIG_INIT(&ItemConfig, OnItem);
    if (NT_SUCCESS(Status))
        Status = WdfWorkItemCreate(&ItemConfig, &Attributes, &Item);
    if (NT_SUCCESS(Status))
        WdfTimerStart(Timer, WDF_REL_TIMEOUT_IN_SEC(3600));
    return Status;
}

NTSTATUS Service::Make(WDFDRIVER Driver)
{
    DECLARE_CONST_UNICODE_STRING(Sddl, L"D:P");
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\Cxx");
    WDFDEVICE Device;
    WDF_FILEOBJECT_CONFIG FileConfig;
    WDF_IO_TYPE_CONFIG IoTypeConfig;
    WDF_IO_QUEUE_CONFIG QueueConfig;
    WDF_OBJECT_ATTRIBUTES Attributes;
    PWDFDEVICE_INIT Init = WdfControlDeviceInitAllocate(Driver, &Sddl);
    if (!Init)
        return STATUS_INSUFFICIENT_RESOURCES;
    WDF_FILEOBJECT_CONFIG_INIT(&FileConfig, WDF_NO_EVENT_CALLBACK, WDF_NO_EVENT_CALLBACK, WDF_NO_EVENT_CALLBACK);
    WdfDeviceInitSetFileObjectConfig(Init, &FileConfig, WDF_NO_OBJECT_ATTRIBUTES);
    WDF_IO_TYPE_CONFIG_INIT(&IoTypeConfig);
    WdfDeviceInitSetIoTypeEx(Init, &IoTypeConfig);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&Attributes, COUNTER);
    NTSTATUS Status = WdfDeviceInitAssignName(Init, &Name);
    if (NT_SUCCESS(Status))
        Status = WdfDeviceCreate(&Init, &Attributes, &Device);
    if (!NT_SUCCESS(Status)) {
        WdfDeviceInitFree(Init);
        return Status;
    }
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&QueueConfig, WdfIoQueueDispatchSequential);
    QueueConfig.EvtIoDeviceControl = OnControl;
    Status = WdfIoQueueCreate(Device, &QueueConfig, WDF_NO_OBJECT_ATTRIBUTES, &CounterOf(Device)->Queue);
    if (NT_SUCCESS(Status))
        Status = MakeCallbacks(Device);
    WdfControlFinishInitializing(Device);
    return Status;
}

EVT_WDF_DRIVER_UNLOAD OnUnload;
VOID NTAPI OnUnload(WDFDRIVER)
{
}

} // namespace

extern "C" NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDFDRIVER Driver;
    WDF_DRIVER_CONFIG Config;
    WDF_DRIVER_VERSION_AVAILABLE_PARAMS Version;
    WDF_DRIVER_CONFIG_INIT(&Config, WDF_NO_EVENT_CALLBACK);
    Config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    Config.EvtDriverUnload = OnUnload;
    NTSTATUS Status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &Config, &Driver);
    WDF_DRIVER_VERSION_AVAILABLE_PARAMS_INIT(&Version, KMDF_VERSION_MAJOR, KMDF_VERSION_MINOR);
    if (NT_SUCCESS(Status) && !WdfDriverIsVersionAvailable(WdfGetDriver(), &Version))
        Status = STATUS_NOT_SUPPORTED;
    return NT_SUCCESS(Status) ? Service::Make(Driver) : Status;
}
