/*
 * locker.c - locks the memory its callers name for reading and for writing, and then reads and writes it while they do
 * what they like to it; now, or in a work item.
 */
#include <ntddk.h>
#include <wdf.h>
#include "../locker.h"

typedef struct _LOCKER_CONTEXT {
    WDFMEMORY Read, Write;
    BOOLEAN Later;
    PIO_WORKITEM Item;
} LOCKER_CONTEXT, *PLOCKER_CONTEXT;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(LOCKER_CONTEXT, LockerContext)

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_UNLOAD Unload;
static EVT_WDF_IO_IN_CALLER_CONTEXT InCallerContext;
static EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL DeviceControl;
static IO_WORKITEM_ROUTINE Work;

static NTSTATUS Lock(WDFREQUEST Request)
{
    PLOCKER_CONTEXT Context = LockerContext(Request);
    struct locker_request *Input;
    NTSTATUS Status = WdfRequestRetrieveInputBuffer(Request, sizeof(*Input), (PVOID *)&Input, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    PVOID Address = (PVOID)(ULONG_PTR)Input->address;
    Context->Later = Input->later != 0;
    Status = WdfRequestProbeAndLockUserBufferForRead(Request, Address, Input->length, &Context->Read);
    if (NT_SUCCESS(Status))
        Status = WdfRequestProbeAndLockUserBufferForWrite(Request, Address, Input->length, &Context->Write);
    return Status;
}

static VOID NTAPI InCallerContext(WDFDEVICE Device, WDFREQUEST Request)
{
    NTSTATUS Status = Lock(Request);
    if (NT_SUCCESS(Status))
        Status = WdfDeviceEnqueueRequest(Device, Request);
    if (!NT_SUCCESS(Status))
        WdfRequestComplete(Request, Status);
}

static struct locker_reply UseLocked(PLOCKER_CONTEXT Context)
{
    struct locker_reply Reply = {0};
    size_t Length;
    const volatile UCHAR *Read = WdfMemoryGetBuffer(Context->Read, &Length);
    volatile UCHAR *Write = WdfMemoryGetBuffer(Context->Write, &Length);
    for (size_t Page = 0; Page < Length; Page += PAGE_SIZE) {
        UCHAR Seed = (UCHAR)(ULONG_PTR)Context;
        for (size_t i = 0; i < PAGE_SIZE / 2; i += 16)
            Reply.sum += Read[Page + i];
        for (size_t i = PAGE_SIZE / 2; i < PAGE_SIZE; i += 16)
            Write[Page + i] = (UCHAR)(Seed + i / 16);
        for (size_t i = PAGE_SIZE / 2; i < PAGE_SIZE; i += 16)
            Reply.wrong += Write[Page + i] != (UCHAR)(Seed + i / 16);
    }
    return Reply;
}

static VOID Finish(WDFREQUEST Request)
{
    WDFMEMORY Memory;
    struct locker_reply Reply = UseLocked(LockerContext(Request));
    NTSTATUS Status = WdfRequestRetrieveOutputMemory(Request, &Memory);
    if (NT_SUCCESS(Status))
        Status = WdfMemoryCopyFromBuffer(Memory, 0, &Reply, sizeof(Reply));
    WdfRequestCompleteWithInformation(Request, Status, NT_SUCCESS(Status) ? sizeof(Reply) : 0);
}

static VOID NTAPI Work(PDEVICE_OBJECT Device, PVOID Request)
{
    IoFreeWorkItem(LockerContext(Request)->Item);
    Finish(Request);
}

static VOID NTAPI DeviceControl(WDFQUEUE Queue, WDFREQUEST Request, size_t OutputBufferLength, size_t InputBufferLength,
                                ULONG IoControlCode)
{
    PLOCKER_CONTEXT Context = LockerContext(Request);
    if (!Context->Later) {
        Finish(Request);
        return;
    }
    Context->Item = IoAllocateWorkItem(WdfDeviceWdmGetDeviceObject(WdfIoQueueGetDevice(Queue)));
    if (Context->Item)
        IoQueueWorkItem(Context->Item, Work, DelayedWorkQueue, Request);
    else
        WdfRequestComplete(Request, STATUS_INSUFFICIENT_RESOURCES);
}

static NTSTATUS CreateDevice(WDFDRIVER Driver)
{
    DECLARE_CONST_UNICODE_STRING(Sddl, L"D:P(A;;GA;;;SY)");
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\Locker");
    WDF_OBJECT_ATTRIBUTES Attributes;
    WDF_IO_QUEUE_CONFIG Config;
    WDFDEVICE Device;
    PWDFDEVICE_INIT Init = WdfControlDeviceInitAllocate(Driver, &Sddl);
    if (!Init)
        return STATUS_INSUFFICIENT_RESOURCES;
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&Attributes, LOCKER_CONTEXT);
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
