/*
 * kmdf_neither.c - a framework driver that works on its callers' own memory: both probe-and-lock calls, on the buffers
 * of a METHOD_NEITHER control and on pointers inside a buffered one.
 *
 * User addresses mean something in the caller's context alone. EvtIoInCallerContext locks what they name and notes the
 * memory objects in the request's context; the queue's callback, which may run anywhere, uses the memory. The framework
 * unlocks it when the request is completed.
 */
#include <ntddk.h>
#include <wdf.h>

/* Capitals of the input into the output. */
#define NEITHER_UPPER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_ANY_ACCESS) /* 0x222003 */
/* The same, from where a NEITHER_POINTERS says to where it says. */
#define NEITHER_EMBEDDED CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS) /* 0x222004 */

typedef struct _NEITHER_POINTERS {
    ULONG64 From;
    ULONG64 To;
    ULONG Length;
    ULONG Reserved;
} NEITHER_POINTERS, *PNEITHER_POINTERS;

typedef struct _NEITHER_REQUEST {
    WDFMEMORY In;
    WDFMEMORY Out;
} NEITHER_REQUEST, *PNEITHER_REQUEST;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(NEITHER_REQUEST, NeitherRequest)

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_UNLOAD Unload;
static EVT_WDF_IO_IN_CALLER_CONTEXT InCallerContext;
static EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL DeviceControl;

static NTSTATUS Lock(WDFREQUEST Request, PVOID In, size_t InLength, PVOID Out, size_t OutLength)
{
    PNEITHER_REQUEST Context = NeitherRequest(Request);
    NTSTATUS Status = WdfRequestProbeAndLockUserBufferForRead(Request, In, InLength, &Context->In);
    if (NT_SUCCESS(Status))
        Status = WdfRequestProbeAndLockUserBufferForWrite(Request, Out, OutLength, &Context->Out);
    return Status; /* what is locked goes when the request is completed */
}

static NTSTATUS LockBuffers(WDFREQUEST Request)
{
    PVOID In, Out;
    size_t InLength, OutLength;
    NTSTATUS Status = WdfRequestRetrieveUnsafeUserInputBuffer(Request, 1, &In, &InLength);
    if (NT_SUCCESS(Status))
        Status = WdfRequestRetrieveUnsafeUserOutputBuffer(Request, InLength, &Out, &OutLength);
    return NT_SUCCESS(Status) ? Lock(Request, In, InLength, Out, OutLength) : Status;
}

/* The structure is the system's copy, which nobody changes any more; what it points at is the user's. */
static NTSTATUS LockPointers(WDFREQUEST Request)
{
    PNEITHER_POINTERS Pointers;
    NTSTATUS Status = WdfRequestRetrieveInputBuffer(Request, sizeof(*Pointers), (PVOID *)&Pointers, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    return Lock(Request, (PVOID)(ULONG_PTR)Pointers->From, Pointers->Length, (PVOID)(ULONG_PTR)Pointers->To,
                Pointers->Length);
}

static VOID NTAPI InCallerContext(WDFDEVICE Device, WDFREQUEST Request)
{
    NTSTATUS Status = STATUS_SUCCESS;
    WDF_REQUEST_PARAMETERS Parameters;
    WDF_REQUEST_PARAMETERS_INIT(&Parameters);
    WdfRequestGetParameters(Request, &Parameters);
    if (Parameters.Type == WdfRequestTypeDeviceControl &&
        Parameters.Parameters.DeviceIoControl.IoControlCode == NEITHER_UPPER)
        Status = LockBuffers(Request);
    else if (Parameters.Type == WdfRequestTypeDeviceControl &&
             Parameters.Parameters.DeviceIoControl.IoControlCode == NEITHER_EMBEDDED)
        Status = LockPointers(Request);
    if (NT_SUCCESS(Status))
        Status = WdfDeviceEnqueueRequest(Device, Request);
    if (!NT_SUCCESS(Status))
        WdfRequestComplete(Request, Status);
}

/* The user may be writing to both while this runs: each byte is read once, and no byte decides where another goes. */
static size_t Upper(PNEITHER_REQUEST Context)
{
    size_t InLength, OutLength;
    const volatile UCHAR *In = WdfMemoryGetBuffer(Context->In, &InLength);
    PUCHAR Out = WdfMemoryGetBuffer(Context->Out, &OutLength);
    for (size_t i = 0; i < InLength; i++) {
        UCHAR Byte = In[i];
        Out[i] = Byte >= 'a' && Byte <= 'z' ? Byte - 'a' + 'A' : Byte;
    }
    return InLength;
}

static VOID NTAPI DeviceControl(WDFQUEUE Queue, WDFREQUEST Request, size_t OutputBufferLength, size_t InputBufferLength,
                                ULONG IoControlCode)
{
    PNEITHER_REQUEST Context = NeitherRequest(Request);
    if (!Context->Out) {
        WdfRequestComplete(Request, STATUS_INVALID_DEVICE_REQUEST);
        return;
    }
    size_t Done = Upper(Context);
    /* Nothing of the buffered control is to be copied back: the answer lies where the pointer said. */
    WdfRequestCompleteWithInformation(Request, STATUS_SUCCESS, IoControlCode == NEITHER_UPPER ? Done : 0);
}

static NTSTATUS CreateDevice(WDFDRIVER Driver)
{
    DECLARE_CONST_UNICODE_STRING(Sddl, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GRGW;;;WD)");
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\KmdfNeither");
    DECLARE_CONST_UNICODE_STRING(Link, L"\\DosDevices\\KmdfNeither");
    WDF_OBJECT_ATTRIBUTES Attributes;
    WDF_IO_QUEUE_CONFIG Config;
    WDFDEVICE Device;
    PWDFDEVICE_INIT Init = WdfControlDeviceInitAllocate(Driver, &Sddl);
    if (!Init)
        return STATUS_INSUFFICIENT_RESOURCES;
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&Attributes, NEITHER_REQUEST);
    WdfDeviceInitSetRequestAttributes(Init, &Attributes);
    WdfDeviceInitSetIoInCallerContextCallback(Init, InCallerContext);
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
