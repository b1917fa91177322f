/*
 * common.h - what is alike in the corpus drivers: one device and its link, requests that are dispatched and completed.
 * A driver brings Control, which answers a device control and returns its status; the rest of the file is its story.
 *
 * With CORPUS_KMDF defined it is a framework driver, whose Control is called by its queue; with CORPUS_IN_CALLER too,
 * by EvtIoInCallerContext, where user addresses mean something. With CORPUS_OWN_DISPATCH a WDM driver brings Dispatch
 * itself, and completes its requests.
 */
#pragma once
#include <ntddk.h>
#ifdef CORPUS_KMDF
#include <wdf.h>
#endif
#include "ddk_missing.h"

#define CORPUS_TAG  ((ULONG)'proC')
#define OUT_OF_LINE __declspec(noinline) static /* so that it is found under its own name when optimised */
/* 0x222000 + 4 * number + method: buffered 0, in direct 1, out direct 2, neither 3. */
#define CORPUS_CODE(number, method) CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + (number), method, FILE_ANY_ACCESS)

DRIVER_INITIALIZE DriverEntry;

#ifndef CORPUS_KMDF

/* A device control, taken out of its IRP. */
typedef struct _CALL {
    PIRP Irp;
    ULONG Code;
    PVOID In;     /* METHOD_NEITHER: the user's address */
    PVOID Out;    /* METHOD_NEITHER: the user's address */
    PVOID System; /* METHOD_BUFFERED: the system's copy, for both directions; null if both lengths are 0 */
    ULONG InLength;
    ULONG OutLength;
    ULONG_PTR Information; /* Control sets it */
} CALL, *PCALL;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID TakeCall(PIRP Irp, PCALL Call)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    RtlZeroMemory(Call, sizeof(*Call));
    Call->Irp = Irp;
    Call->Code = Stack->Parameters.DeviceIoControl.IoControlCode;
    Call->In = Stack->Parameters.DeviceIoControl.Type3InputBuffer;
    Call->Out = Irp->UserBuffer;
    Call->System = Irp->AssociatedIrp.SystemBuffer;
    Call->InLength = Stack->Parameters.DeviceIoControl.InputBufferLength;
    Call->OutLength = Stack->Parameters.DeviceIoControl.OutputBufferLength;
}

#ifdef CORPUS_OWN_DISPATCH
static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp);
#else
static NTSTATUS Control(PCALL Call);

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    CALL Call;
    TakeCall(Irp, &Call);
    NTSTATUS Status = Control(&Call);
    return Complete(Irp, Status, Call.Information);
}
#endif

static NTSTATUS NTAPI OpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static VOID CorpusUnload(VOID); /* gives back what the driver's requests have left in its variables */

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\DosDevices\\Corpus");
    CorpusUnload();
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Corpus"), Link = RTL_CONSTANT_STRING(L"\\DosDevices\\Corpus");
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Driver->MajorFunction[IRP_MJ_CREATE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Dispatch;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

#define CORPUS_NOTHING_TO_UNLOAD                                                                                       \
    static VOID CorpusUnload(VOID)                                                                                     \
    {                                                                                                                  \
    }

#else

/* Returns the status to complete the request with, and sets Information. */
static NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information);

#ifdef CORPUS_IN_CALLER
static VOID NTAPI InCaller(WDFDEVICE Device, WDFREQUEST Request)
{
    WDF_REQUEST_PARAMETERS Parameters;
    ULONG_PTR Information = 0;
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;
    WDF_REQUEST_PARAMETERS_INIT(&Parameters);
    WdfRequestGetParameters(Request, &Parameters);
    if (Parameters.Type == WdfRequestTypeDeviceControl)
        Status = Control(Request, Parameters.Parameters.DeviceIoControl.IoControlCode, &Information);
    WdfRequestCompleteWithInformation(Request, Status, Information);
}
#else
static VOID NTAPI QueueControl(WDFQUEUE Queue, WDFREQUEST Request, size_t OutLength, size_t InLength, ULONG Code)
{
    ULONG_PTR Information = 0;
    NTSTATUS Status = Control(Request, Code, &Information);
    WdfRequestCompleteWithInformation(Request, Status, Information);
}
#endif

#ifdef CORPUS_IN_CALLER
static NTSTATUS AddQueue(WDFDEVICE Device)
{
    return STATUS_SUCCESS; /* requests end in the caller's context */
}
#else
static NTSTATUS AddQueue(WDFDEVICE Device)
{
    WDF_IO_QUEUE_CONFIG Config;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&Config, WdfIoQueueDispatchParallel);
    Config.EvtIoDeviceControl = QueueControl;
    return WdfIoQueueCreate(Device, &Config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}
#endif

static NTSTATUS AddDevice(WDFDRIVER Driver)
{
    DECLARE_CONST_UNICODE_STRING(Sddl, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GRGW;;;WD)");
    DECLARE_CONST_UNICODE_STRING(Name, L"\\Device\\Corpus");
    DECLARE_CONST_UNICODE_STRING(Link, L"\\DosDevices\\Corpus");
    WDFDEVICE Device;
    PWDFDEVICE_INIT Init = WdfControlDeviceInitAllocate(Driver, &Sddl);
    if (!Init)
        return STATUS_INSUFFICIENT_RESOURCES;
#ifdef CORPUS_IN_CALLER
    WdfDeviceInitSetIoInCallerContextCallback(Init, InCaller);
#endif
    NTSTATUS Status = WdfDeviceInitAssignName(Init, &Name);
    if (NT_SUCCESS(Status))
        Status = WdfDeviceCreate(&Init, WDF_NO_OBJECT_ATTRIBUTES, &Device);
    if (!NT_SUCCESS(Status)) {
        WdfDeviceInitFree(Init);
        return Status;
    }
    Status = AddQueue(Device);
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
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG Config;
    WDFDRIVER Driver;
    WDF_DRIVER_CONFIG_INIT(&Config, WDF_NO_EVENT_CALLBACK);
    Config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    Config.EvtDriverUnload = Unload;
    NTSTATUS Status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &Config, &Driver);
    return NT_SUCCESS(Status) ? AddDevice(Driver) : Status;
}

#endif
