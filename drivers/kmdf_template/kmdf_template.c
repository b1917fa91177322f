/*
 * kmdf_template.c - what a function driver of the framework begins with: a device that comes when plug and play adds
 * it, found by its interface, with a context, a default queue, and callbacks for each step of its life.
 *
 * Its hardware is one number. Who waits for the next number keeps a request with the driver, cancelable; when the
 * device leaves D0 the request stays, when the device goes it is completed. The synchronization scope is the device's,
 * so that the queue's callbacks and the cancellation never run at once: there is no lock here.
 */
#include <ntddk.h>
#include <wdf.h>
#include "kmdf_template.h"

typedef struct _TEMPLATE_DEVICE {
    struct template_state State;
    WDFREQUEST Waiting; /* or NULL */
} TEMPLATE_DEVICE, *PTEMPLATE_DEVICE;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(TEMPLATE_DEVICE, TemplateDevice)

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
static EVT_WDF_DEVICE_PREPARE_HARDWARE PrepareHardware;
static EVT_WDF_DEVICE_RELEASE_HARDWARE ReleaseHardware;
static EVT_WDF_DEVICE_D0_ENTRY D0Entry;
static EVT_WDF_DEVICE_D0_EXIT D0Exit;
static EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL DeviceControl;
static EVT_WDF_IO_QUEUE_IO_STOP IoStop;
static EVT_WDF_IO_QUEUE_IO_RESUME IoResume;
static EVT_WDF_REQUEST_CANCEL Cancel;

static const GUID InterfaceClass = TEMPLATE_CLASS;

/* ---- the device's life ---- */

static NTSTATUS NTAPI PrepareHardware(WDFDEVICE Device, WDFCMRESLIST Raw, WDFCMRESLIST Translated)
{
    UNREFERENCED_PARAMETER(Raw);
    /* A device with registers maps them here; this one has none. */
    if (WdfCmResourceListGetCount(Translated))
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    TemplateDevice(Device)->State.prepared++;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI ReleaseHardware(WDFDEVICE Device, WDFCMRESLIST Translated)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Translated);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI D0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    UNREFERENCED_PARAMETER(PreviousState);
    TemplateDevice(Device)->State.powered++;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI D0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(TargetState);
    return STATUS_SUCCESS;
}

/* ---- requests ---- */

static VOID NTAPI Cancel(WDFREQUEST Request)
{
    TemplateDevice(WdfIoQueueGetDevice(WdfRequestGetIoQueue(Request)))->Waiting = NULL;
    WdfRequestComplete(Request, STATUS_CANCELLED);
}

/* Takes the waiting request back; NULL: nobody waits, or the request is being cancelled. */
static WDFREQUEST TakeWaiting(PTEMPLATE_DEVICE Template)
{
    WDFREQUEST Request = Template->Waiting;
    if (!Request || WdfRequestUnmarkCancelable(Request) == STATUS_CANCELLED)
        return NULL;
    Template->Waiting = NULL;
    return Request;
}

static NTSTATUS Query(PTEMPLATE_DEVICE Template, WDFREQUEST Request, ULONG_PTR *Information)
{
    struct template_state *Out;
    NTSTATUS Status = WdfRequestRetrieveOutputBuffer(Request, sizeof(*Out), (PVOID *)&Out, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    *Out = Template->State;
    Out->waiting = Template->Waiting != NULL;
    *Information = sizeof(*Out);
    return STATUS_SUCCESS;
}

static NTSTATUS Set(PTEMPLATE_DEVICE Template, WDFREQUEST Request)
{
    unsigned *Value;
    NTSTATUS Status = WdfRequestRetrieveInputBuffer(Request, sizeof(*Value), (PVOID *)&Value, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Template->State.value = *Value;
    WDFREQUEST Waiting = TakeWaiting(Template);
    if (Waiting) {
        unsigned *Out;
        Status = WdfRequestRetrieveOutputBuffer(Waiting, sizeof(*Out), (PVOID *)&Out, NULL);
        if (NT_SUCCESS(Status))
            *Out = Template->State.value;
        WdfRequestCompleteWithInformation(Waiting, Status, NT_SUCCESS(Status) ? sizeof(*Out) : 0);
    }
    return STATUS_SUCCESS;
}

/* STATUS_PENDING: the request stays with the driver. */
static NTSTATUS Wait(PTEMPLATE_DEVICE Template, WDFREQUEST Request)
{
    PVOID Out;
    NTSTATUS Status = WdfRequestRetrieveOutputBuffer(Request, sizeof(unsigned), &Out, NULL);
    if (NT_SUCCESS(Status))
        Status = Template->Waiting ? STATUS_DEVICE_BUSY : WdfRequestMarkCancelableEx(Request, Cancel);
    if (!NT_SUCCESS(Status))
        return Status;
    Template->Waiting = Request;
    return STATUS_PENDING;
}

static VOID NTAPI DeviceControl(WDFQUEUE Queue, WDFREQUEST Request, size_t OutputBufferLength, size_t InputBufferLength,
                                ULONG IoControlCode)
{
    PTEMPLATE_DEVICE Template = TemplateDevice(WdfIoQueueGetDevice(Queue));
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;
    ULONG_PTR Information = 0;
    UNREFERENCED_PARAMETER(OutputBufferLength);
    UNREFERENCED_PARAMETER(InputBufferLength);
    switch (IoControlCode) {
    case TEMPLATE_QUERY:
        Status = Query(Template, Request, &Information);
        break;
    case TEMPLATE_SET:
        Status = Set(Template, Request);
        break;
    case TEMPLATE_WAIT:
        Status = Wait(Template, Request);
        break;
    default:
        break;
    }
    if (Status != STATUS_PENDING)
        WdfRequestCompleteWithInformation(Request, Status, Information);
}

/* For a request that the driver holds while the device is about to leave D0 or to go. */
static VOID NTAPI IoStop(WDFQUEUE Queue, WDFREQUEST Request, ULONG ActionFlags)
{
    PTEMPLATE_DEVICE Template = TemplateDevice(WdfIoQueueGetDevice(Queue));
    if (ActionFlags & WdfRequestStopActionSuspend) {
        Template->State.stopped++;
        WdfRequestStopAcknowledge(Request, FALSE);
        return;
    }
    WDFREQUEST Waiting = TakeWaiting(Template);
    if (Waiting)
        WdfRequestComplete(Waiting, STATUS_NO_SUCH_DEVICE);
}

static VOID NTAPI IoResume(WDFQUEUE Queue, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(Request);
    TemplateDevice(WdfIoQueueGetDevice(Queue))->State.resumed++;
}

/* ---- beginning ---- */

static NTSTATUS CreateQueue(WDFDEVICE Device)
{
    WDF_IO_QUEUE_CONFIG Config;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&Config, WdfIoQueueDispatchParallel);
    Config.EvtIoDeviceControl = DeviceControl;
    Config.EvtIoStop = IoStop;
    Config.EvtIoResume = IoResume;
    return WdfIoQueueCreate(Device, &Config, WDF_NO_OBJECT_ATTRIBUTES, NULL);
}

static NTSTATUS NTAPI DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS Callbacks;
    WDF_OBJECT_ATTRIBUTES Attributes;
    WDFDEVICE Device;
    UNREFERENCED_PARAMETER(Driver);
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&Callbacks);
    Callbacks.EvtDevicePrepareHardware = PrepareHardware;
    Callbacks.EvtDeviceReleaseHardware = ReleaseHardware;
    Callbacks.EvtDeviceD0Entry = D0Entry;
    Callbacks.EvtDeviceD0Exit = D0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &Callbacks);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&Attributes, TEMPLATE_DEVICE);
    Attributes.SynchronizationScope = WdfSynchronizationScopeDevice;
    NTSTATUS Status = WdfDeviceCreate(&DeviceInit, &Attributes, &Device);
    if (NT_SUCCESS(Status))
        Status = WdfDeviceCreateDeviceInterface(Device, &InterfaceClass, NULL);
    if (NT_SUCCESS(Status))
        Status = CreateQueue(Device);
    return Status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG Config;
    WDF_DRIVER_CONFIG_INIT(&Config, DeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &Config, WDF_NO_HANDLE);
}
