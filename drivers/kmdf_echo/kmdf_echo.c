/*
 * kmdf_echo.c - a framework driver with a control device: what is written can be read back, and an IOCTL turns text
 * into capitals; a second one does so later.
 *
 * Everything is buffered, so that the framework hands out system memory only. What was written lies in the context of
 * the file object: each open has its own. Reads and writes come one at a time, stay with the driver as if a device were
 * at work, cancelable, and a timer completes them. Requests for capitals that can wait lie in a manual queue until the
 * same timer fetches them. The queue's synchronization scope keeps callbacks, timer and cancellation apart: there is no
 * lock here.
 */
#include <ntddk.h>
#include <wdf.h>

#define ECHO_UPPER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS) /* 0x222000 */
#define ECHO_LATER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS) /* 0x222008 */
#define ECHO_SIZE  4096
#define ECHO_MS    2 /* how long the device seems to take */

typedef struct _ECHO_FILE {
    size_t Length;
    UCHAR Bytes[ECHO_SIZE];
} ECHO_FILE, *PECHO_FILE;

typedef struct _ECHO_QUEUE {
    WDFREQUEST Current; /* the read or write at work, or NULL */
    WDFQUEUE Later;     /* manual */
    WDFTIMER Timer;
} ECHO_QUEUE, *PECHO_QUEUE;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(ECHO_FILE, EchoFile)
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(ECHO_QUEUE, EchoQueue)

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_UNLOAD Unload;
static EVT_WDF_REQUEST_CANCEL Cancel;
static EVT_WDF_TIMER Tick;
static EVT_WDF_IO_QUEUE_IO_READ Read;
static EVT_WDF_IO_QUEUE_IO_WRITE Write;
static EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL DeviceControl;

static VOID NTAPI Cancel(WDFREQUEST Request)
{
    EchoQueue(WdfRequestGetIoQueue(Request))->Current = NULL;
    WdfRequestCompleteWithInformation(Request, STATUS_CANCELLED, 0);
}

/* The device is at work on Request until the timer says otherwise. */
static VOID Begin(WDFQUEUE Queue, WDFREQUEST Request, size_t Information)
{
    PECHO_QUEUE Echo = EchoQueue(Queue);
    WdfRequestSetInformation(Request, Information);
    NTSTATUS Status = WdfRequestMarkCancelableEx(Request, Cancel);
    if (!NT_SUCCESS(Status)) {
        WdfRequestCompleteWithInformation(Request, Status, 0);
        return;
    }
    Echo->Current = Request;
    WdfTimerStart(Echo->Timer, WDF_REL_TIMEOUT_IN_MS(ECHO_MS));
}

static VOID NTAPI Read(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PECHO_FILE File = EchoFile(WdfRequestGetFileObject(Request));
    PVOID Buffer;
    NTSTATUS Status = WdfRequestRetrieveOutputBuffer(Request, 1, &Buffer, &Length);
    if (!NT_SUCCESS(Status)) {
        WdfRequestComplete(Request, Status);
        return;
    }
    if (Length > File->Length)
        Length = File->Length;
    RtlCopyMemory(Buffer, File->Bytes, Length);
    Begin(Queue, Request, Length);
}

static VOID NTAPI Write(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PECHO_FILE File = EchoFile(WdfRequestGetFileObject(Request));
    PVOID Buffer;
    NTSTATUS Status = WdfRequestRetrieveInputBuffer(Request, 1, &Buffer, &Length);
    if (NT_SUCCESS(Status) && Length > ECHO_SIZE)
        Status = STATUS_BUFFER_OVERFLOW;
    if (Status != STATUS_SUCCESS) {
        WdfRequestComplete(Request, Status);
        return;
    }
    RtlCopyMemory(File->Bytes, Buffer, Length);
    File->Length = Length;
    Begin(Queue, Request, Length);
}

/* Input and output of a buffered IOCTL are the same memory. */
static NTSTATUS Upper(WDFREQUEST Request, size_t *Done)
{
    PUCHAR In, Out;
    size_t InLength, OutLength;
    NTSTATUS Status = WdfRequestRetrieveInputBuffer(Request, 1, (PVOID *)&In, &InLength);
    if (NT_SUCCESS(Status))
        Status = WdfRequestRetrieveOutputBuffer(Request, InLength, (PVOID *)&Out, &OutLength);
    if (!NT_SUCCESS(Status))
        return Status;
    for (size_t i = 0; i < InLength; i++)
        Out[i] = In[i] >= 'a' && In[i] <= 'z' ? In[i] - 'a' + 'A' : In[i];
    *Done = InLength;
    return STATUS_SUCCESS;
}

static VOID CompleteUpper(WDFREQUEST Request)
{
    size_t Done = 0;
    NTSTATUS Status = Upper(Request, &Done);
    WdfRequestCompleteWithInformation(Request, Status, Done);
}

static VOID NTAPI DeviceControl(WDFQUEUE Queue, WDFREQUEST Request, size_t OutputBufferLength, size_t InputBufferLength,
                                ULONG IoControlCode)
{
    PECHO_QUEUE Echo = EchoQueue(Queue);
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;
    if (IoControlCode == ECHO_UPPER) {
        CompleteUpper(Request);
        return;
    }
    if (IoControlCode == ECHO_LATER)
        Status = WdfRequestForwardToIoQueue(Request, Echo->Later);
    if (NT_SUCCESS(Status))
        WdfTimerStart(Echo->Timer, WDF_REL_TIMEOUT_IN_MS(ECHO_MS));
    else
        WdfRequestCompleteWithInformation(Request, Status, 0);
}

static VOID NTAPI Tick(WDFTIMER Timer)
{
    PECHO_QUEUE Echo = EchoQueue(WdfTimerGetParentObject(Timer));
    WDFREQUEST Request = Echo->Current;
    if (Request && WdfRequestUnmarkCancelable(Request) != STATUS_CANCELLED) {
        Echo->Current = NULL;
        WdfRequestComplete(Request, STATUS_SUCCESS);
    }
    while (NT_SUCCESS(WdfIoQueueRetrieveNextRequest(Echo->Later, &Request)))
        CompleteUpper(Request);
}

static NTSTATUS CreateQueues(WDFDEVICE Device)
{
    WDF_OBJECT_ATTRIBUTES Attributes;
    WDF_IO_QUEUE_CONFIG Config;
    WDF_TIMER_CONFIG TimerConfig;
    WDFQUEUE Queue;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&Config, WdfIoQueueDispatchSequential);
    Config.EvtIoRead = Read;
    Config.EvtIoWrite = Write;
    Config.EvtIoDeviceControl = DeviceControl;
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&Attributes, ECHO_QUEUE);
    Attributes.SynchronizationScope = WdfSynchronizationScopeQueue;
    NTSTATUS Status = WdfIoQueueCreate(Device, &Config, &Attributes, &Queue);
    if (!NT_SUCCESS(Status))
        return Status;
    WDF_TIMER_CONFIG_INIT(&TimerConfig, Tick);
    WDF_OBJECT_ATTRIBUTES_INIT(&Attributes);
    Attributes.ParentObject = Queue;
    Status = WdfTimerCreate(&TimerConfig, &Attributes, &EchoQueue(Queue)->Timer);
    if (!NT_SUCCESS(Status))
        return Status;
    WDF_IO_QUEUE_CONFIG_INIT(&Config, WdfIoQueueDispatchManual);
    return WdfIoQueueCreate(Device, &Config, WDF_NO_OBJECT_ATTRIBUTES, &EchoQueue(Queue)->Later);
}

static NTSTATUS CreateDevice(WDFDRIVER Driver)
{
    DECLARE_CONST_UNICODE_STRING(Sddl, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GRGW;;;WD)");
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\KmdfEcho");
    DECLARE_CONST_UNICODE_STRING(Link, L"\\DosDevices\\KmdfEcho");
    WDF_FILEOBJECT_CONFIG Files;
    WDF_OBJECT_ATTRIBUTES Attributes;
    WDFDEVICE Device;
    PWDFDEVICE_INIT Init = WdfControlDeviceInitAllocate(Driver, &Sddl);
    if (!Init)
        return STATUS_INSUFFICIENT_RESOURCES;
    WDF_FILEOBJECT_CONFIG_INIT(&Files, WDF_NO_EVENT_CALLBACK, WDF_NO_EVENT_CALLBACK, WDF_NO_EVENT_CALLBACK);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&Attributes, ECHO_FILE);
    WdfDeviceInitSetFileObjectConfig(Init, &Files, &Attributes);
    WdfDeviceInitSetIoType(Init, WdfDeviceIoBuffered);
    NTSTATUS Status = WdfDeviceInitAssignName(Init, &Name);
    if (NT_SUCCESS(Status))
        Status = WdfDeviceCreate(&Init, WDF_NO_OBJECT_ATTRIBUTES, &Device);
    if (!NT_SUCCESS(Status)) {
        WdfDeviceInitFree(Init);
        return Status;
    }
    Status = CreateQueues(Device);
    if (NT_SUCCESS(Status))
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
