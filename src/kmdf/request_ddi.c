/*
 * request_ddi.c - WdfRequest...: what drivers ask of their requests.
 */
#include "kmdf_queue.h"
#include "kmdf_request.h"

VOID NTAPI WdfRequestSetInformation(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request, ULONG_PTR Information)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    KMDF_GET_REQUEST(Request)->information = Information;
}

/* Also from the request's EvtCleanupCallback. */
ULONG_PTR NTAPI WdfRequestGetInformation(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET(request, Request)->information;
}

void kmdf_request_parameters(const struct kmdf_request *request, PWDF_REQUEST_PARAMETERS parameters)
{
    const IO_STACK_LOCATION *stack = kmdf_request_stack(request);
    if (!stack) {
        parameters->Type = WdfRequestTypeNoFormat;
        return;
    }
    parameters->Type = (WDF_REQUEST_TYPE)stack->MajorFunction;
    parameters->MinorFunction = stack->MinorFunction;
    /* The union is laid out like the stack location's; lengths are wider. */
    __builtin_memcpy(&parameters->Parameters, &stack->Parameters, sizeof(parameters->Parameters));
    if (stack->MajorFunction == IRP_MJ_READ || stack->MajorFunction == IRP_MJ_WRITE) {
        parameters->Parameters.Read.Length = stack->Parameters.Read.Length;
    } else if (stack->MajorFunction == IRP_MJ_DEVICE_CONTROL ||
               stack->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL) {
        parameters->Parameters.DeviceIoControl.OutputBufferLength =
            stack->Parameters.DeviceIoControl.OutputBufferLength;
        parameters->Parameters.DeviceIoControl.InputBufferLength = stack->Parameters.DeviceIoControl.InputBufferLength;
    }
}

/* Parameters->Size must be right, else nothing is filled. A request that the driver has made has no parameters: its
 * type is WdfRequestTypeNoFormat. */
VOID NTAPI WdfRequestGetParameters(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request,
                                   PWDF_REQUEST_PARAMETERS Parameters)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET_REQUEST(Request);
    kmdf_require(Parameters);
    if (Parameters->Size == sizeof(*Parameters))
        kmdf_request_parameters(request, Parameters);
}

/* NULL: the device has no file objects. */
WDFFILEOBJECT NTAPI WdfRequestGetFileObject(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_file *file = KMDF_GET_REQUEST(Request)->file;
    return file ? KMDF_HANDLE(WDFFILEOBJECT, file) : NULL;
}

/* KernelMode for a request that the driver has made. */
KPROCESSOR_MODE NTAPI WdfRequestGetRequestorMode(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    const IRP *irp = KMDF_GET_REQUEST(Request)->irp;
    return irp ? irp->RequestorMode : KernelMode;
}

/* Of a request that the kernel sent: the system process. IRQL <= DISPATCH_LEVEL. */
ULONG NTAPI WdfRequestGetRequestorProcessId(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    IRP *irp = KMDF_GET_REQUEST(Request)->irp;
    PEPROCESS process = irp ? IoGetRequestorProcess(irp) : NULL;
    return (ULONG)(ULONG_PTR)PsGetProcessId(process ? process : PsInitialSystemProcess);
}

/* The queue that presented it, or NULL. */
WDFQUEUE NTAPI WdfRequestGetIoQueue(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_queue *queue = KMDF_GET_REQUEST(Request)->queue;
    return queue ? KMDF_HANDLE(WDFQUEUE, queue) : NULL;
}

/* NULL: a request that the driver has made and that no target has been named for yet. */
PIRP NTAPI WdfRequestWdmGetIrp(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    return KMDF_GET_REQUEST(Request)->irp;
}

/* What the request was completed with, or its last sending: by the target, or why it could not be sent. Of any other
 * request, what the IRP says. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WdfRequestGetStatus(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_request *request = KMDF_GET(request, Request);
    return request->irp && !request->has_status ? request->irp->IoStatus.Status : request->status;
}

/* Never: there are no 32-bit processes. */
BOOLEAN NTAPI WdfRequestIsFrom32BitProcess(PWDF_DRIVER_GLOBALS DriverGlobals, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    IRP *irp = KMDF_GET_REQUEST(Request)->irp;
    return irp && IoIs32bitProcess(irp);
}
